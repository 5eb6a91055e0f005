#include "shell/syslog_socket.h"

#include <ctype.h>
#include <stdbool.h>
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
    int64_t number;
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
    syslog_socket_done *done;
    void *done_context;
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

void syslog_socket_on_done(struct syslog_socket *log, syslog_socket_done *done, void *context)
{
    log->done = done;
    log->done_context = context;
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

static void end(const struct syslog_socket *log, const struct waiting_line *line)
{
    if (line->number != 0 && log->done != NULL) {
        log->done(log->done_context, line->number);
    }
}

static struct waiting_line *waiting_at(const struct syslog_socket *log, size_t place)
{
    return &log->waiting[(log->first + place) % SYSLOG_WAITING_MAXIMUM];
}

static void remove_first(struct syslog_socket *log)
{
    log->first = (log->first + 1) % SYSLOG_WAITING_MAXIMUM;
    log->count--;
}

static size_t least_important(const struct syslog_socket *log)
{
    size_t least = 0;
    for (size_t i = 1; i < log->count; i++) {
        if (waiting_at(log, i)->priority > waiting_at(log, least)->priority) {
            least = i;
        }
    }
    return least;
}

// Makes room for the line, unless it is itself the least important.
static bool make_room(struct syslog_socket *log, const struct waiting_line *line)
{
    size_t place = least_important(log);
    bool itself = line->priority > waiting_at(log, place)->priority;
    log->dropped++;
    end(log, itself ? line : waiting_at(log, place));
    if (itself) {
        return false;
    }
    for (; place > 0; place--) {
        *waiting_at(log, place) = *waiting_at(log, place - 1);
    }
    remove_first(log);
    return true;
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
    if (log->count < SYSLOG_WAITING_MAXIMUM || make_room(log, line)) {
        *waiting_at(log, log->count++) = *line;
    }
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
        end(log, &log->waiting[log->first]);
        remove_first(log);
    }
    if (log->count == 0) {
        tell_dropped(log);
    }
}

void syslog_socket_say(struct syslog_socket *log, int priority, const char *text, int64_t number)
{
    struct waiting_line line = {.priority = priority, .number = number, .at = clock_now().wall};
    text_copy(line.line, sizeof line.line, text);
    syslog_socket_flush(log);
    if (log->count == 0 && send_line(log, &line)) {
        end(log, &line);
    } else if (priority != LOG_DEBUG) {
        keep_waiting(log, &line);
    }
}
