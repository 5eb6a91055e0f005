// The connection under libEtPan: a stream driver of our own, because the library's sockets use
// select(2) (and abort the process past descriptor 1023), verify no certificate, and wait for every
// read anew instead of for the whole command.
//
// Before each command stream_expect sets its name, its absolute deadline and its budget of bytes;
// whatever the server does, the command ends by then. The first failure is kept in words and makes
// every later read and write fail. The descriptor is non-blocking; waiting is by poll(2).
#ifndef MAILFLOW_PROBES_COLLECT_STREAM_H
#define MAILFLOW_PROBES_COLLECT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"
#include "probes/certificate.h"
#include "probes/collect/wire_guard.h"

struct stream;
struct _mailstream_low; // libEtPan's

// Resolves the host and connects, each of its addresses getting its share of the time. The caller
// owns the stream; NULL with the reason. `resolved` is when the name was known, zero when it is
// not.
struct stream *stream_connect(const char *host, uint16_t port, struct span timeout,
                              struct instant *resolved, struct error *error);
void stream_destroy(struct stream *stream);

// A libEtPan stream over this one, which must outlive it. Freeing it leaves this one as it is.
struct _mailstream_low *stream_as_low(struct stream *stream);

// `command` is a literal: it stands in the message when time or budget run out.
void stream_expect(struct stream *stream, const char *command, struct span timeout, size_t budget);

// Handshake with chain and name verified (probes/tls.h), within the time expected before.
bool stream_start_tls(struct stream *stream, const char *ca_file, struct error *error);

// What the server showed in the handshake, whether it was done or not.
struct certificate stream_certificate(const struct stream *stream);

// Why it failed, "" while it has not.
const char *stream_failure(const struct stream *stream);

// Whether the failure was what the server sent (too much, too deep), not that it went away.
bool stream_was_refused(const struct stream *stream);

const struct wire_guard *stream_guard(const struct stream *stream);
int stream_descriptor(const struct stream *stream);

// Bytes decrypted but not read: no poll(2) would report them.
bool stream_has_pending(const struct stream *stream);

#endif
