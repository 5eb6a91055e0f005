// mailflow-calendar: says when maintenance takes place, by a calendar file (RFC 5545, read by
// libical) or by one window of the configuration.
//
// One job comes in on standard input, a JSON object on a line (probes/calendar.h). Out go a line
// for every occurrence, one for every event that cannot be used, and a last one.
#include <libical/ical.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/error.h"
#include "base/json_read.h"
#include "base/text.h"
#include "probes/calendar.h"
#include "probes/calendar/guard.h"
#include "probes/calendar/series.h"
#include "probes/prober.h"

enum { PROBLEMS_MAXIMUM = 50 };

static const char RULE_TOO_LONG[] =
    "working out when it recurs took too long: simplify its rule, or begin it later";

static const struct prober_limits LIMITS = {
    .memory_bytes = 256u << 20, .descriptors = 16, .cpu_seconds = 10};

// A job under way.
struct work {
    struct calendar_job job;
    struct blocks blocks;
    struct zones *zones;
    struct event *events;
    size_t event_count;
    unsigned said; // occurrences
    unsigned problems;
    struct occurrences found; // of the event in hand
};

// A line goes out whole: the guard may end the program at any time but this.
static void print_line(const struct calendar_line *line)
{
    char *encoded = calendar_line_encode(line);
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    bool written = prober_write_line(encoded);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (!written) {
        exit(EX_IOERR); // an agent that does not listen any more
    }
}

static void print_message(enum calendar_line_kind kind, const char *uid, unsigned number,
                          const char *message)
{
    struct calendar_line line = {.kind = kind, .line = number};
    struct text text = TEXT_OVER(line.message);
    text_copy(line.uid, sizeof line.uid, uid);
    text_append_escaped(&text, message);
    print_line(&line);
}

static void print_problem(struct work *work, const struct event *event, const struct error *error)
{
    if (++work->problems <= PROBLEMS_MAXIMUM) {
        print_message(CALENDAR_PROBLEM, event->line.uid, event->line.line, error->message);
    }
}

static void print_occurrences(struct work *work, const struct event *event)
{
    for (size_t i = 0; i < work->found.count; i++) {
        struct calendar_line line = event->line;
        line.begin = work->found.items[i].begin;
        line.end = work->found.items[i].end;
        bool replaced = !event->replacement &&
                        series_replaced(work->events, work->event_count, event, line.begin);
        if (!replaced && work->said++ < work->job.limit) {
            print_line(&line);
        }
    }
}

static void print_end(struct work *work)
{
    char message[CALENDAR_MESSAGE_SIZE];
    struct text text = TEXT_OVER(message);
    if (work->problems > PROBLEMS_MAXIMUM) {
        text_format(&text, "%u more events have problems: no windows come of them",
                    work->problems - PROBLEMS_MAXIMUM);
        print_message(CALENDAR_PROBLEM, "", 0, message);
    }
    if (work->said > work->job.limit) {
        text = TEXT_OVER(message);
        text_format(&text,
                    "%u windows are more than the %u that are taken: the others are left out",
                    work->said, work->job.limit);
        print_message(CALENDAR_PROBLEM, "", 0, message);
    }
    print_message(CALENDAR_DONE, "", 0, "");
}

// ---- a file ----

static void read_events(struct work *work)
{
    work->events = memory_checked(calloc(work->blocks.count + 1, sizeof *work->events));
    for (size_t i = 0; i < work->blocks.count; i++) {
        const struct block *block = &work->blocks.items[i];
        struct event *event = &work->events[work->event_count];
        struct error error = {""};
        if (block->kind != BLOCK_EVENT) {
            continue;
        }
        guard_name("", block->line, "reading this event took too long: shorten it");
        if (event_read(&work->blocks, block, work->zones, event, &error)) {
            work->event_count++;
        } else {
            print_problem(work, event, &error);
            event_free(event);
        }
    }
    work->event_count = series_settle(work->events, work->event_count);
}

static void say_event(struct work *work, const struct event *event)
{
    struct error error = {""};
    guard_name(event->line.uid, event->line.line, RULE_TOO_LONG);
    if (occurrences_find(event, "", work->zones, &work->job, &work->found, &error)) {
        print_occurrences(work, event);
    } else {
        print_problem(work, event, &error);
    }
}

static void free_events(struct work *work)
{
    for (size_t i = 0; i < work->event_count; i++) {
        event_free(&work->events[i]);
    }
    free(work->events);
}

static void serve_file(struct work *work)
{
    struct error error = {""};
    size_t length;
    unsigned line = 0;
    char *bytes = blocks_read_file(work->job.file, &length, &error);
    if (bytes == NULL) {
        print_message(CALENDAR_FAILED, "", 0, error.message);
        return;
    }
    if (!blocks_cut(&work->blocks, bytes, length, &line, &error)) {
        print_message(CALENDAR_FAILED, "", line, error.message);
        return;
    }
    work->zones = zones_create(&work->blocks);
    read_events(work);
    for (size_t i = 0; i < work->event_count; i++) {
        if (!series_off(work->events, work->event_count, &work->events[i])) {
            say_event(work, &work->events[i]);
        }
    }
    print_end(work);
    free_events(work);
    zones_destroy(work->zones);
}

// ---- a window of the configuration ----

static bool read_window(struct work *work, struct event *event, struct error *error)
{
    *event = (struct event){
        .line = {.kind = CALENDAR_OCCURRENCE}, .length = work->job.length, .default_zone = ""};
    if (!local_time_parse(work->job.start, &event->begin.local)) {
        return error_set(error, "'%s' is not a local time like 2026-01-04T02:00", work->job.start);
    }
    if (event->length.ns <= 0 || event->length.ns > CALENDAR_WINDOW_MAXIMUM.ns) {
        return error_set(error, "a window is longer than nothing and at most 366 days");
    }
    return zones_find(work->zones, work->job.zone, &event->begin.zone, error);
}

static void serve_window(struct work *work)
{
    struct event event;
    struct error error = {""};
    guard_name("", 0, RULE_TOO_LONG);
    work->zones = zones_create(NULL);
    if (read_window(work, &event, &error) &&
        occurrences_find(&event, work->job.rule, work->zones, &work->job, &work->found, &error)) {
        print_occurrences(work, &event);
        print_end(work);
    } else {
        print_message(CALENDAR_FAILED, "", 0, error.message);
    }
    zones_destroy(work->zones);
}

// ---- the program ----

static bool read_job(struct calendar_job *job, struct error *error)
{
    char line[JSON_LINE_MAXIMUM];
    size_t length;
    prober_read_line(line, sizeof line, &length);
    return calendar_job_decode(line, length, job, error) || error_prefix(error, "job");
}

int main(int count, char **arguments)
{
    static struct work work;
    struct error error = {""};
    prober_begin();
    if (count > 1) {
        fprintf(stderr, "usage: %s < JOB   (one JSON object)\n", arguments[0]);
        return EX_USAGE;
    }
    icalerror_set_errors_are_fatal(false);
    if (!prober_confine(&LIMITS, &error)) {
        fprintf(stderr, "mailflow-calendar: %s\n", error.message);
        return EX_SOFTWARE;
    }
    if (!read_job(&work.job, &error) || !guard_start(work.job.deadline, &error)) {
        print_message(CALENDAR_FAILED, "", 0, error.message);
        return EX_DATAERR;
    }
    if (work.job.file[0] != '\0') {
        serve_file(&work);
        blocks_free(&work.blocks);
    } else {
        serve_window(&work);
    }
    return EXIT_SUCCESS;
}
