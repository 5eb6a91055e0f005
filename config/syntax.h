// What the texts of a configuration must look like, one predicate each.
#ifndef MAILFLOW_CONFIG_SYNTAX_H
#define MAILFLOW_CONFIG_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Letters, digits, - _ and dots inside: what a mailbox may be called here.
bool syntax_label(const char *text);

// A mesh key's id: letters, digits, - and _, short enough for struct mesh_key.
bool syntax_key_id(const char *text);

// The name of a label of Prometheus and Alertmanager.
bool syntax_alert_label(const char *text);

// A name (RFC 1123 section 2.1; an underscore is let pass) or an IPv4 or IPv6 address, unbracketed.
bool syntax_host(const char *text);

// local@domain by RFC 5321 section 4.1.2, without quoted local parts and address literals.
bool syntax_address(const char *text);

// An address to listen on: 127.0.0.1:9925 or [::1]:9925. Port 0: the kernel chooses.
bool syntax_listen(const char *text);

// host or host:port; an IPv6 address stands in brackets: [::1], [::1]:25.
bool syntax_host_port(const char *text);

// http://host[:port][/path] or https://..., without user, query and fragment.
bool syntax_url(const char *text);

bool syntax_absolute_path(const char *text);

// Takes a valid host or host:port apart; the port stays as it is when none is given.
void host_port_split(const char *text, char *host, size_t size, uint16_t *port);

// Whether a host is this machine: localhost, 127.0.0.0/8, ::1.
bool host_is_loopback(const char *host);

#endif
