// Lines to the system's log as non-blocking datagrams (RFC 3164 as local daemons speak it; never
// syslog(3), which can block). On a machine whose log is journald's own, lines go there natively,
// their key=value pairs as fields of their own.
#ifndef MAILFLOW_SHELL_SYSLOG_SOCKET_H
#define MAILFLOW_SHELL_SYSLOG_SOCKET_H

#include <stdint.h>

enum { SYSLOG_LINE_SIZE = 1025, SYSLOG_WAITING_MAXIMUM = 256 };

struct syslog_socket;

struct syslog_socket *syslog_socket_create(const char *path, int facility);
void syslog_socket_configure(struct syslog_socket *socket, const char *path, int facility);
void syslog_socket_destroy(struct syslog_socket *socket);

// Called with the number of a line that waits no more: it was taken, or dropped and counted. It may
// come within either of the two below.
typedef void syslog_socket_done(void *context, int64_t number);
void syslog_socket_on_done(struct syslog_socket *socket, syslog_socket_done *done, void *context);

// Priority as in <syslog.h>; `number` 0 for a line whose end nobody asks for. A line that nobody
// takes waits; when too many wait the least important goes, of those the oldest.
void syslog_socket_say(struct syslog_socket *socket, int priority, const char *line,
                       int64_t number);
void syslog_socket_flush(struct syslog_socket *socket);

#endif
