// IDLE. Begun by hand, as mailimap_idle takes anything but "+" as the first line for an error.
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "probes/collect/imap_internal.h"

static void note_event(struct imap_session *session, const char *line)
{
    unsigned number;
    char event[8] = "";
    struct mailimap_selection_info *selected = session->imap->imap_selection_info;
    if (sscanf(line, "* %9u %7[A-Za-z]", &number, event) != 2 || selected == NULL) {
        return;
    }
    if (strcasecmp(event, "EXISTS") == 0) {
        selected->sel_exists = number;
        session->has_news = true;
        session->news = (struct imap_news){.exists = number, .at = clock_now()};
    } else if (strcasecmp(event, "EXPUNGE") == 0 && selected->sel_exists > 0) {
        selected->sel_exists--;
    }
}

static const char *read_line(struct imap_session *session)
{
    return mailstream_read_line_remove_eol(session->imap->imap_stream,
                                           session->imap->imap_stream_buffer);
}

enum imap_result imap_session_idle_begin(struct imap_session *session, struct error *error)
{
    char command[32];
    mailstream *stream = session->imap->imap_stream;
    imap_command_begin(session, "IDLE");
    snprintf(command, sizeof command, "%d IDLE\r\n", ++session->imap->imap_tag);
    if (mailstream_write(stream, command, strlen(command)) < 0 || mailstream_flush(stream) < 0) {
        return imap_broken(session, error);
    }
    for (;;) {
        const char *line = read_line(session);
        if (line == NULL) {
            return imap_broken(session, error);
        }
        if (line[0] == '+') {
            return IMAP_DONE;
        }
        if (line[0] != '*') {
            imap_error_set(session, "IDLE refused", line, error);
            return IMAP_REFUSED;
        }
        note_event(session, line);
    }
}

enum imap_result imap_session_idle_read(struct imap_session *session, struct error *error)
{
    struct pollfd polled = {.fd = imap_session_descriptor(session), .events = POLLIN};
    imap_command_begin(session, "IDLE");
    while (imap_session_is_readable(session) || poll(&polled, 1, 0) > 0) {
        const char *line = read_line(session);
        if (line == NULL || stream_guard(session->stream)->bye[0] != '\0') {
            return imap_broken(session, error);
        }
        note_event(session, line);
    }
    return IMAP_DONE;
}

enum imap_result imap_session_idle_end(struct imap_session *session, struct error *error)
{
    imap_command_begin(session, "DONE");
    return imap_command_end(session, mailimap_idle_done(session->imap), error);
}
