#include "probes/collect/collector.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "probes/collect/mailbox.h"
#include "probes/collect/reports.h"
#include "probes/probe.h"

struct collector {
    struct mailbox_spans spans;
    struct mailbox *mailboxes[COLLECTOR_MAILBOXES_MAXIMUM];
    size_t count;
    char line[JSON_LINE_MAXIMUM];
    size_t length;
    bool too_long; // what is being read is the rest of a line that was
};

static struct mailbox **find(struct collector *collector, const char *name)
{
    for (size_t i = 0; i < collector->count; i++) {
        if (strcmp(mailbox_name(collector->mailboxes[i]), name) == 0) {
            return &collector->mailboxes[i];
        }
    }
    return NULL;
}

static void unwatch(struct collector *collector, struct mailbox **which)
{
    mailbox_destroy(*which);
    *which = collector->mailboxes[--collector->count];
}

static bool obey(struct collector *collector, const struct collect_command *command,
                 struct error *error)
{
    struct mailbox **which = find(collector, command->mailbox);
    if (command->kind == COLLECT_WATCH) {
        if (which != NULL) {
            unwatch(collector, which);
        }
        if (collector->count == COLLECTOR_MAILBOXES_MAXIMUM) {
            return error_set(error, "more than %d mailboxes", COLLECTOR_MAILBOXES_MAXIMUM);
        }
        collector->mailboxes[collector->count++] = mailbox_create(command, &collector->spans);
        return true;
    }
    if (which == NULL) {
        return error_set(error, "mailbox %s is not watched", command->mailbox);
    }
    if (command->kind == COLLECT_DELETE) {
        return mailbox_delete(*which, command, error);
    }
    unwatch(collector, which);
    return true;
}

static void take_line(struct collector *collector, const char *line, size_t length)
{
    struct collect_command command;
    struct error error;
    if (!collect_command_decode(line, length, &command, &error) ||
        !obey(collector, &command, &error)) {
        fprintf(stderr, "mailflow-collect: %s\n", error.message);
    }
    explicit_bzero(&command, sizeof command);
}

static void take_lines(struct collector *collector)
{
    char *newline;
    while ((newline = memchr(collector->line, '\n', collector->length)) != NULL) {
        size_t length = (size_t)(newline - collector->line);
        if (!collector->too_long && length > 0) {
            take_line(collector, collector->line, length);
        }
        collector->too_long = false;
        collector->length -= length + 1;
        memmove(collector->line, newline + 1, collector->length);
    }
    if (collector->length == sizeof collector->line) {
        if (!collector->too_long) {
            fputs("mailflow-collect: line too long\n", stderr);
        }
        collector->too_long = true;
        collector->length = 0;
    }
}

// False at the end of the input.
static bool read_commands(struct collector *collector)
{
    ssize_t got = read(STDIN_FILENO, collector->line + collector->length,
                       sizeof collector->line - collector->length);
    if (got <= 0) {
        return got < 0 && (errno == EINTR || errno == EAGAIN);
    }
    collector->length += (size_t)got;
    take_lines(collector);
    return true;
}

static void wait_for_work(const struct collector *collector, struct pollfd *polled)
{
    struct instant due = INSTANT_NEVER;
    polled[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    for (size_t i = 0; i < collector->count; i++) {
        due = instant_earlier(due, mailbox_due(collector->mailboxes[i]));
        polled[i + 1] =
            (struct pollfd){.fd = mailbox_descriptor(collector->mailboxes[i]), .events = POLLIN};
    }
    struct span left = span_longer(instant_since(due, clock_now().instant), SPAN_ZERO);
    struct timespec wait = {left.ns / 1000000000, left.ns % 1000000000};
    reports_flush();
    ppoll(polled, collector->count + 1, &wait, NULL);
}

void collector_run(const struct mailbox_spans *spans)
{
    static struct collector collector;
    struct pollfd polled[COLLECTOR_MAILBOXES_MAXIMUM + 1];
    collector.spans = *spans;
    for (;;) {
        wait_for_work(&collector, polled);
        for (size_t i = 0; i < collector.count; i++) {
            struct instant now = clock_now().instant;
            if (polled[i + 1].revents != 0 ||
                instant_reached(now, mailbox_due(collector.mailboxes[i]))) {
                mailbox_work(collector.mailboxes[i]);
            }
        }
        if (polled[0].revents != 0 && !read_commands(&collector)) {
            break;
        }
    }
    while (collector.count > 0) {
        unwatch(&collector, &collector.mailboxes[0]);
    }
    reports_flush();
}
