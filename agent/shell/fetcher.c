#include "shell/fetcher.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "shell/child.h"

#define GRACE   SPAN_SECONDS(1) // the prober ends a job at its deadline, we kill it after
#define RESTART SPAN_SECONDS(1) // at least, between two starts
#define TICK_MS 500

struct fetching {
    int64_t number;
    char peer[SERVER_NAME_SIZE];
    struct instant deadline;
};

struct fetcher {
    uv_loop_t *loop;
    char program[PROBE_PATH_SIZE];
    struct fetcher_handlers handlers;
    void *context;
    struct child *child; // NULL between two lives
    bool wanted;
    bool leaving; // told to end
    struct instant started;
    struct error failure; // why it could not be started
    struct fetching running[FETCH_JOBS_MAXIMUM];
    unsigned count;
    int64_t next_number;
    uv_timer_t timer;
    bool ending;
    bool timer_closed;
};

// Ends the job at a place of the list, whose last one takes its place.
static void finish(struct fetcher *fetcher, unsigned place, const struct fetch_outcome *outcome)
{
    struct fetching done = fetcher->running[place];
    fetcher->running[place] = fetcher->running[--fetcher->count];
    fetcher->handlers.done(fetcher->context, done.peer, outcome);
}

static void fail(struct fetcher *fetcher, unsigned place, const char *cause)
{
    struct fetch_outcome outcome = {.number = fetcher->running[place].number, .ended = clock_now()};
    text_copy(outcome.cause, sizeof outcome.cause, cause);
    finish(fetcher, place, &outcome);
}

static void fail_all(struct fetcher *fetcher, const char *cause)
{
    while (fetcher->count > 0) {
        fail(fetcher, 0, cause);
    }
}

static void on_line(void *context, const char *line, size_t length)
{
    struct fetcher *fetcher = context;
    struct fetch_outcome outcome;
    struct error error;
    if (fetcher->ending) {
        return; // killed, but it had still something to say
    }
    if (!fetch_outcome_decode(line, length, &outcome, &error)) {
        fetcher->handlers.died(fetcher->context, error.message);
        child_kill(fetcher->child);
        return;
    }
    for (unsigned i = 0; i < fetcher->count; i++) {
        if (fetcher->running[i].number == outcome.number) {
            finish(fetcher, i, &outcome);
            return;
        }
    }
}

static void free_when_over(struct fetcher *fetcher)
{
    if (fetcher->timer_closed && fetcher->child == NULL) {
        free(fetcher);
    }
}

static void on_ended(void *context, const char *how)
{
    struct fetcher *fetcher = context;
    fetcher->child = NULL;
    if (fetcher->ending) {
        free_when_over(fetcher);
        return;
    }
    char cause[PROBE_REPLY_SIZE];
    struct text text = TEXT_OVER(cause);
    text_format(&text, "mailflow-fetch %s", how);
    if (!fetcher->leaving || fetcher->count > 0) {
        fetcher->handlers.died(fetcher->context, how);
    }
    fail_all(fetcher, cause);
}

static void start(struct fetcher *fetcher)
{
    static const struct child_handlers HANDLERS = {on_line, on_ended};
    fetcher->started = clock_now().instant;
    fetcher->leaving = false;
    fetcher->child =
        child_create(fetcher->loop, fetcher->program, &HANDLERS, fetcher, &fetcher->failure);
}

static void expire(struct fetcher *fetcher, struct instant now)
{
    for (unsigned i = fetcher->count; i > 0; i--) {
        bool late = instant_reached(now, instant_add(fetcher->running[i - 1].deadline, GRACE));
        if (late && fetcher->child != NULL) {
            child_kill(fetcher->child); // and its end ends the jobs
            return;
        }
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct fetcher *fetcher = timer->data;
    struct instant now = clock_now().instant;
    if (fetcher->child == NULL && fetcher->count > 0) {
        fail_all(fetcher, fetcher->failure.message);
    }
    expire(fetcher, now);
    if (fetcher->child == NULL && fetcher->wanted &&
        instant_reached(now, instant_add(fetcher->started, RESTART))) {
        start(fetcher);
    } else if (fetcher->child != NULL && !fetcher->wanted && fetcher->count == 0) {
        fetcher->leaving = true;
        child_finish(fetcher->child);
    }
}

struct fetcher *fetcher_create(uv_loop_t *loop, const char *probers,
                               const struct fetcher_handlers *handlers, void *context)
{
    struct fetcher *fetcher = memory_checked(calloc(1, sizeof *fetcher));
    fetcher->loop = loop;
    fetcher->handlers = *handlers;
    fetcher->context = context;
    struct text program = TEXT_OVER(fetcher->program);
    text_format(&program, "%s/mailflow-fetch", probers);
    uv_timer_init(loop, &fetcher->timer);
    fetcher->timer.data = fetcher;
    uv_timer_start(&fetcher->timer, on_timer, 0, TICK_MS);
    return fetcher;
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct fetcher *fetcher = timer->data;
    fetcher->timer_closed = true;
    free_when_over(fetcher);
}

void fetcher_destroy(struct fetcher *fetcher)
{
    fetcher->ending = true;
    if (fetcher->child != NULL) {
        child_kill(fetcher->child);
    }
    uv_close((uv_handle_t *)&fetcher->timer, on_timer_closed);
}

void fetcher_want(struct fetcher *fetcher, bool wanted)
{
    fetcher->wanted = wanted;
}

unsigned fetcher_running(const struct fetcher *fetcher)
{
    return fetcher->count;
}

// Without a process, the timer ends the job with the reason.
int64_t fetcher_give(struct fetcher *fetcher, const char *peer, const struct fetch_job *job)
{
    assert(fetcher->count < FETCH_JOBS_MAXIMUM);
    struct fetching *entry = &fetcher->running[fetcher->count++];
    *entry = (struct fetching){.number = ++fetcher->next_number, .deadline = job->deadline};
    text_copy(entry->peer, sizeof entry->peer, peer);
    if (fetcher->child == NULL) {
        start(fetcher);
    }
    if (fetcher->child != NULL) {
        struct fetch_job numbered = *job;
        numbered.number = entry->number;
        child_write(fetcher->child, fetch_job_encode(&numbered));
    }
    return entry->number;
}
