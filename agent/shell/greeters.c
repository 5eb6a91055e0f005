#include "shell/greeters.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "shell/child.h"

enum { TICK_MS = 500 };
#define GRACE SPAN_SECONDS(1) // the prober ends by itself at the deadline, we kill it after

// Waits, then has a process; lives until that has ended.
struct question {
    struct question *next; // that waits
    struct greeters *all;
    char peer[SERVER_NAME_SIZE];
    struct greet_job job;
    struct child *child;
    bool answered;
};

struct greeters {
    uv_loop_t *loop;
    char program[PROBE_PATH_SIZE];
    struct greeters_handlers handlers;
    void *context;
    struct question *first; // waiting, oldest first
    struct question **last;
    struct question *asking[GREETERS_MAXIMUM];
    unsigned processes;
    int64_t next_number;
    uv_timer_t timer;
    bool ending;
    bool timer_closed;
};

static void answer(struct question *question, const struct greet_outcome *outcome)
{
    struct greeters *all = question->all;
    if (!question->answered && !all->ending) {
        question->answered = true;
        all->handlers.done(all->context, question->peer, outcome);
    }
}

static void answer_in_vain(struct question *question, const char *cause)
{
    struct greet_outcome outcome = {.number = question->job.number};
    text_copy(outcome.cause, sizeof outcome.cause, cause);
    answer(question, &outcome);
}

static void on_line(void *context, const char *line, size_t length)
{
    struct question *question = context;
    struct greet_outcome outcome;
    struct error error;
    if (!greet_outcome_decode(line, length, &outcome, &error)) {
        answer_in_vain(question, error.message);
        child_kill(question->child);
    } else if (outcome.number == question->job.number) {
        answer(question, &outcome);
    }
}

static void free_when_over(struct greeters *all)
{
    if (all->timer_closed && all->processes == 0) {
        free(all);
    }
}

static void serve(struct greeters *all);

static void on_ended(void *context, const char *how)
{
    struct question *question = context;
    struct greeters *all = question->all;
    char cause[PROBE_REPLY_SIZE];
    struct text text = TEXT_OVER(cause);
    text_format(&text, "mailflow-greet %s", how);
    answer_in_vain(question, cause);
    for (unsigned i = 0; i < all->processes; i++) {
        if (all->asking[i] == question) {
            all->asking[i] = all->asking[--all->processes];
        }
    }
    free(question);
    if (all->ending) {
        free_when_over(all);
    } else {
        serve(all);
    }
}

static void begin(struct question *question)
{
    static const struct child_handlers HANDLERS = {on_line, on_ended};
    struct greeters *all = question->all;
    struct error error;
    question->child = child_create(all->loop, all->program, &HANDLERS, question, &error);
    if (question->child == NULL) {
        answer_in_vain(question, error.message);
        free(question);
        return;
    }
    all->asking[all->processes++] = question;
    child_write(question->child, greet_job_encode(&question->job));
    child_finish(question->child);
}

// The oldest that waits, taken out of the queue.
static struct question *take_first(struct greeters *all)
{
    struct question *question = all->first;
    all->first = question->next;
    if (all->first == NULL) {
        all->last = &all->first;
    }
    return question;
}

static void serve(struct greeters *all)
{
    while (all->processes < GREETERS_MAXIMUM && all->first != NULL) {
        begin(take_first(all));
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct greeters *all = timer->data;
    struct instant now = clock_now().instant;
    while (all->first != NULL && instant_reached(now, all->first->job.deadline)) {
        struct question *question = take_first(all);
        answer_in_vain(question, "not tried: too many others are being asked");
        free(question);
    }
    for (unsigned i = 0; i < all->processes; i++) {
        if (instant_reached(now, instant_add(all->asking[i]->job.deadline, GRACE))) {
            child_kill(all->asking[i]->child);
        }
    }
    serve(all);
}

struct greeters *greeters_create(uv_loop_t *loop, const char *probers,
                                 const struct greeters_handlers *handlers, void *context)
{
    struct greeters *all = memory_checked(calloc(1, sizeof *all));
    all->loop = loop;
    all->handlers = *handlers;
    all->context = context;
    all->last = &all->first;
    struct text program = TEXT_OVER(all->program);
    text_format(&program, "%s/mailflow-greet", probers);
    uv_timer_init(loop, &all->timer);
    all->timer.data = all;
    uv_timer_start(&all->timer, on_timer, TICK_MS, TICK_MS);
    return all;
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct greeters *all = timer->data;
    all->timer_closed = true;
    free_when_over(all);
}

void greeters_destroy(struct greeters *all)
{
    all->ending = true;
    while (all->first != NULL) {
        free(take_first(all));
    }
    for (unsigned i = 0; i < all->processes; i++) {
        child_kill(all->asking[i]->child);
    }
    uv_close((uv_handle_t *)&all->timer, on_timer_closed);
}

// Begun by the timer, for `done` must come later.
void greeters_ask(struct greeters *all, const char *peer, const struct greet_job *job)
{
    struct question *question = memory_checked(calloc(1, sizeof *question));
    question->all = all;
    question->job = *job;
    question->job.number = ++all->next_number;
    text_copy(question->peer, sizeof question->peer, peer);
    *all->last = question;
    all->last = &question->next;
}
