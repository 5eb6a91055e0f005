#include "shell/syslog_socket.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

static const char USUAL_SOCKET[] = "/dev/log";
static const char JOURNALD_SOCKET[] = "/run/systemd/journal/socket";

struct waiting_line {
    int priority;
    struct walltime at;
    char line[SYSLOG_LINE_SIZE];
};

struct syslog_socket {
    int descriptor;
    int facility;
    char path[108];
    struct waiting_line *waiting; // a ring, made when first needed
    size_t first;
    size_t count;
    size_t dropped;
};

struct syslog_socket *syslog_socket_create(const char *path, int facility)
{
    struct syslog_socket *log = memory_checked(calloc(1, sizeof *log));
    log->descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    syslog_socket_configure(log, path, facility);
    return log;
}

void syslog_socket_configure(struct syslog_socket *log, const char *path, int facility)
{
    log->facility = facility;
    text_copy(log->path, sizeof log->path, path);
}

void syslog_socket_destroy(struct syslog_socket *log)
{
    close(log->descriptor);
    free(log->waiting);
    free(log);
}

static bool send_to(const struct syslog_socket *log, const char *path, const struct text *datagram)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    text_copy(address.sun_path, sizeof address.sun_path, path);
    return sendto(log->descriptor, datagram->data, datagram->length, MSG_NOSIGNAL | MSG_DONTWAIT,
                  (struct sockaddr *)&address, sizeof address) >= 0;
}

static bool send_syslog(const struct syslog_socket *log, const struct waiting_line *waiting)
{
    char bytes[SYSLOG_LINE_SIZE + 64], date[32];
    time_t seconds = (time_t)(waiting->at.ns / 1000000000);
    struct tm local;
    localtime_r(&seconds, &local);
    strftime(date, sizeof date, "%b %e %H:%M:%S", &local);
    struct text datagram = TEXT_OVER(bytes);
    text_format(&datagram, "<%d>%s mailflowd[%d]: %s", log->facility | waiting->priority, date,
                (int)getpid(), waiting->line);
    return send_to(log, log->path, &datagram);
}

// MAILFLOW_KEY=value for one key=value pair of a line; quoted values keep their escapes. Returns
// where the next pair begins.
static const char *append_field(struct text *datagram, const char *pair)
{
    const char *equals = strchr(pair, '=');
    bool quoted = equals[1] == '"';
    const char *end = equals + (quoted ? 2 : 1);
    for (; *end != '\0' && *end != (quoted ? '"' : ' '); end++) {
        end += *end == '\\' && end[1] != '\0';
    }
    text_append(datagram, "MAILFLOW_");
    for (const char *at = pair; at < equals; at++) {
        text_format(datagram, "%c", toupper((unsigned char)*at));
    }
    const char *value = equals + (quoted ? 2 : 1);
    text_append(datagram, "=");
    text_append_bytes(datagram, value, (size_t)(end - value));
    text_append(datagram, "\n");
    end += quoted && *end == '"';
    return end + strspn(end, " ");
}

// The native protocol: one field a line, see systemd's "Native Journal Protocol".
static bool send_journald(const struct syslog_socket *log, const struct waiting_line *waiting)
{
    char bytes[3 * SYSLOG_LINE_SIZE];
    struct text datagram = TEXT_OVER(bytes);
    text_format(&datagram,
                "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=mailflowd\n"
                "MAILFLOW_EVENT=%.*s\n",
                waiting->line, waiting->priority, LOG_FAC(log->facility),
                (int)strcspn(waiting->line, " "), waiting->line);
    const char *at = waiting->line;
    while (*at != '\0') {
        size_t word = strcspn(at, " =");
        if (at[word] == '=') {
            at = append_field(&datagram, at);
        } else {
            at += word + strspn(at + word, " ");
        }
    }
    return send_to(log, JOURNALD_SOCKET, &datagram);
}

static bool send_line(const struct syslog_socket *log, const struct waiting_line *waiting)
{
    bool usual = strcmp(log->path, USUAL_SOCKET) == 0;
    return (usual && send_journald(log, waiting)) || send_syslog(log, waiting);
}

static void keep_waiting(struct syslog_socket *log, const struct waiting_line *line)
{
    if (log->count == 0) {
        fprintf(stderr, "mailflowd: nobody takes log lines at %s: they wait, the first is: %s\n",
                log->path, line->line);
    }
    if (log->waiting == NULL) {
        log->waiting = memory_checked(calloc(SYSLOG_WAITING_MAXIMUM, sizeof *log->waiting));
    }
    if (log->count == SYSLOG_WAITING_MAXIMUM) {
        log->first = (log->first + 1) % SYSLOG_WAITING_MAXIMUM;
        log->count--;
        log->dropped++;
    }
    log->waiting[(log->first + log->count++) % SYSLOG_WAITING_MAXIMUM] = *line;
}

static void tell_dropped(struct syslog_socket *log)
{
    struct waiting_line line = {.priority = LOG_WARNING, .at = clock_now().wall};
    struct text text = TEXT_OVER(line.line);
    text_format(&text, "journal GAP dropped=%zu", log->dropped);
    if (log->dropped > 0 && send_line(log, &line)) {
        log->dropped = 0;
    }
}

void syslog_socket_flush(struct syslog_socket *log)
{
    while (log->count > 0 && send_line(log, &log->waiting[log->first])) {
        log->first = (log->first + 1) % SYSLOG_WAITING_MAXIMUM;
        log->count--;
    }
    if (log->count == 0) {
        tell_dropped(log);
    }
}

bool syslog_socket_is_quiet(const struct syslog_socket *log)
{
    return log->count == 0;
}

void syslog_socket_say(struct syslog_socket *log, int priority, const char *text)
{
    struct waiting_line line = {.priority = priority, .at = clock_now().wall};
    text_copy(line.line, sizeof line.line, text);
    syslog_socket_flush(log);
    if (log->count > 0 || !send_line(log, &line)) {
        if (priority != LOG_DEBUG) {
            keep_waiting(log, &line);
        }
    }
}
