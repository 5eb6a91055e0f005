#include "shell/calendars.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "shell/calendar_source.h"
#include "shell/child.h"

#define HORIZON      SPAN_HOURS(14 * 24)
#define ALL_EVERY    SPAN_HOURS(1)
#define RETRY_AFTER  SPAN_MINUTES(1) // a program that has not come to an end of its own
#define JOB_DEADLINE SPAN_SECONDS(10)
#define JOB_KILLED   SPAN_SECONDS(12) // it should have ended by itself

enum { OCCURRENCES_OF_A_SOURCE = 256 };

// Lives on until its process has ended, even when it is destroyed before.
struct calendars {
    uv_loop_t *loop;
    char program[PROBE_PATH_SIZE];
    const struct settings *settings;
    struct journal *journal;
    struct calendars_handlers handlers;
    void *context;
    struct calendar_source **sources;
    size_t count;
    struct instant next_round;   // when all are due again
    struct child *child;         // at work,
    struct instant killed_after; // at the longest until then,
    bool killed;
    struct calendar_source *reads;   // on this source; NULL when that is no longer wanted
    struct calendar_reading reading; // which has said so far
    bool reconfigured;               // what is wanted has changed even if there is nothing to read
    bool destroyed;
};

static void start_next(struct calendars *calendars);

static void on_line(void *context, const char *text, size_t length)
{
    struct calendars *calendars = context;
    struct calendar_line line;
    struct error error;
    if (calendars->reads == NULL) {
        return;
    }
    if (calendar_line_decode(text, length, &line, &error)) {
        calendar_source_take(calendars->reads, calendars->settings, calendars->journal, &line,
                             &calendars->reading);
    } else {
        text_copy(calendars->reading.failure, sizeof calendars->reading.failure, error.message);
    }
}

static void free_all(struct calendars *calendars)
{
    for (size_t i = 0; i < calendars->count; i++) {
        calendar_source_destroy(calendars->sources[i]);
    }
    free(calendars->sources);
    free(calendars);
}

static void conclude(struct calendars *calendars, const char *how)
{
    struct calendar_reading *reading = &calendars->reading;
    if (!reading->done && reading->failure[0] == '\0') {
        struct text failure = TEXT_OVER(reading->failure);
        text_format(&failure, "%s%s", how, calendars->killed ? " for it took too long" : "");
        struct instant retry = instant_add(clock_now().instant, RETRY_AFTER);
        calendars->next_round = instant_earlier(calendars->next_round, retry);
    }
    if (calendars->reads != NULL) {
        calendar_source_conclude(calendars->reads, calendars->journal, reading);
    }
    wanted_free(&reading->wanted);
    calendars->reads = NULL;
}

static void on_ended(void *context, const char *how)
{
    struct calendars *calendars = context;
    char words[160];
    struct text text = TEXT_OVER(words);
    text_format(&text, "mailflow-calendar %s", how);
    calendars->child = NULL;
    conclude(calendars, words);
    if (calendars->destroyed) {
        free_all(calendars);
        return;
    }
    start_next(calendars);
}

static void ask(struct calendars *calendars, struct calendar_source *source, struct moment now)
{
    static const struct child_handlers HANDLERS = {on_line, on_ended};
    struct calendar_job job = source->question;
    struct span recovery = calendars->settings->maintenance.recovery;
    // What is over, but may still excuse, is wanted too: it may have passed while we were away.
    job.from = walltime_subtract(now.wall, recovery);
    job.until = walltime_add(now.wall, HORIZON);
    job.limit = OCCURRENCES_OF_A_SOURCE;
    job.deadline = instant_add(now.instant, JOB_DEADLINE);
    struct error error;
    source->due = false;
    source->read = source->seen;
    calendars->reading = (struct calendar_reading){0};
    calendars->child =
        child_create(calendars->loop, calendars->program, &HANDLERS, calendars, &error);
    calendars->reads = source;
    calendars->killed = false;
    calendars->killed_after = instant_add(now.instant, JOB_KILLED);
    if (calendars->child == NULL) {
        conclude(calendars, error.message);
    } else {
        child_write(calendars->child, calendar_job_encode(&job));
    }
}

// Asks for the next source that is due; when there is none, the round is over.
static void start_next(struct calendars *calendars)
{
    for (size_t i = 0; i < calendars->count && calendars->child == NULL; i++) {
        if (calendars->sources[i]->due) {
            ask(calendars, calendars->sources[i], clock_now());
        }
    }
    if (calendars->child == NULL) {
        calendars->handlers.changed(calendars->context);
    }
}

void calendars_look(struct calendars *calendars, struct moment now)
{
    bool due = calendars->reconfigured;
    calendars->reconfigured = false;
    bool round = instant_reached(now.instant, calendars->next_round);
    if (round) {
        calendars->next_round = instant_add(now.instant, ALL_EVERY);
    }
    for (size_t i = 0; i < calendars->count; i++) {
        struct calendar_source *source = calendars->sources[i];
        calendar_source_look(source);
        source->due = source->due || round;
        due = due || source->due;
    }
    if (calendars->child == NULL && due) {
        start_next(calendars);
    } else if (calendars->child != NULL && instant_reached(now.instant, calendars->killed_after)) {
        calendars->killed = true;
        child_kill(calendars->child);
    }
}

// ---- what is wanted ----

static bool may_be_wanted(const struct calendars *calendars, enum window_origin origin,
                          const struct window *window)
{
    for (size_t i = 0; i < calendars->count; i++) {
        const struct calendar_source *source = calendars->sources[i];
        if (source->origin == origin && calendar_source_may_want(source, window)) {
            return true;
        }
    }
    return false;
}

// A rule announces its windows long before: one that is over without anybody having known of it is
// of the time before the rule.
static void want(const struct calendar_source *source, const struct windows *known,
                 struct walltime now, struct wanted *out)
{
    for (size_t i = 0; i < source->last.wanted.count; i++) {
        const struct window *window = &source->last.wanted.items[i];
        bool over = window->end.ns <= now.ns;
        if (!over || source->origin != ORIGIN_CONFIG || windows_find(known, window->id) != NULL) {
            wanted_add(out, window);
        }
    }
}

void calendars_want(const struct calendars *calendars, enum window_origin origin,
                    const struct windows *known, struct wanted *out)
{
    struct walltime now = clock_now().wall;
    struct walltime horizon = walltime_add(now, HORIZON);
    for (size_t i = 0; i < calendars->count; i++) {
        if (calendars->sources[i]->origin == origin) {
            want(calendars->sources[i], known, now, out);
        }
    }
    for (size_t i = 0; i < known->count; i++) {
        const struct window *window = &known->items[i];
        bool beyond = window->begin.ns >= horizon.ns; // our clock has been set back
        if (window->origin == origin && !window_void(window) &&
            (beyond || may_be_wanted(calendars, origin, window)) &&
            wanted_find(out, window->id) == NULL) {
            wanted_add(out, window);
        }
    }
}

// ---- life ----

static void add_source(struct calendars *calendars, struct calendar_source **before,
                       size_t before_count, struct calendar_source *source)
{
    for (size_t i = 0; i < before_count; i++) {
        if (before[i] != NULL && before[i]->origin == source->origin &&
            strcmp(before[i]->job, source->job) == 0) {
            calendar_source_destroy(source);
            source = before[i];
            before[i] = NULL;
            source->due = true;
            break;
        }
    }
    calendars->sources[calendars->count++] = source;
}

// What is not wanted any more goes; what a process says of it is not listened to.
static void drop_sources(struct calendars *calendars, struct calendar_source **sources,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sources[i] == NULL) {
            continue;
        }
        if (sources[i] == calendars->reads) {
            calendars->reads = NULL;
        }
        calendar_source_destroy(sources[i]);
    }
    free(sources);
}

void calendars_configure(struct calendars *calendars, const struct settings *settings)
{
    const struct maintenance_settings *maintenance = &settings->maintenance;
    struct calendar_source **before = calendars->sources;
    size_t before_count = calendars->count;
    size_t room = maintenance->calendar_count + maintenance->window_count;
    calendars->settings = settings;
    calendars->sources = memory_checked(calloc(room + 1, sizeof(struct calendar_source *)));
    calendars->count = 0;
    for (size_t i = 0; i < maintenance->window_count; i++) {
        add_source(calendars, before, before_count,
                   calendar_source_of_window(&maintenance->windows[i], i));
    }
    for (size_t i = 0; i < maintenance->calendar_count; i++) {
        add_source(calendars, before, before_count,
                   calendar_source_of_file(maintenance->calendars[i]));
    }
    drop_sources(calendars, before, before_count);
    calendars->reconfigured = true;
}

struct calendars *calendars_create(uv_loop_t *loop, const char *probers,
                                   const struct settings *settings, struct journal *journal,
                                   const struct calendars_handlers *handlers, void *context)
{
    struct calendars *calendars = memory_checked(calloc(1, sizeof *calendars));
    calendars->loop = loop;
    calendars->journal = journal;
    calendars->handlers = *handlers;
    calendars->context = context;
    calendars->next_round = instant_add(clock_now().instant, ALL_EVERY);
    struct text program = TEXT_OVER(calendars->program);
    text_format(&program, "%s/mailflow-calendar", probers);
    calendars_configure(calendars, settings);
    return calendars;
}

void calendars_destroy(struct calendars *calendars)
{
    calendars->destroyed = true;
    calendars->reads = NULL;
    if (calendars->child == NULL) {
        free_all(calendars);
    } else {
        child_kill(calendars->child);
    }
}
