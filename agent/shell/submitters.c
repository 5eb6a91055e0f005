#include "shell/submitters.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "shell/child.h"
#include "shell/job_queue.h"
#include "shell/relays.h"

#define IDLE_LIFE SPAN_SECONDS(5)
#define GRACE     SPAN_SECONDS(1) // the prober ends by itself at the deadline, we kill it after

struct submitter {
    struct submitters *pool;
    struct child *child;
    struct job *job;               // NULL when idle
    struct job *ahead[JOBS_AHEAD]; // given to it already, done after that one
    unsigned ahead_count;
    struct instant began; // the job
    bool content;         // the message data went out
    bool leaving;         // told to end
    struct moment sent;
    struct instant idle_since;
};

struct submitters {
    uv_loop_t *loop;
    char program[PROBE_PATH_SIZE];
    struct submitters_handlers handlers;
    void *context;
    struct submitter *processes[SUBMITTERS_MAXIMUM];
    struct job_queue waiting;
    uint64_t killed;
    int64_t next_number;
    struct relays relays;
    uv_timer_t timer; // deadlines and idle ends
    bool ending;
    bool timer_closed;
};

static unsigned count_busy(const struct submitters *pool)
{
    unsigned busy = 0;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        busy += pool->processes[i] != NULL && pool->processes[i]->job != NULL;
    }
    return busy;
}

static unsigned count_ahead(const struct submitters *pool)
{
    unsigned ahead = 0;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        ahead += pool->processes[i] != NULL ? pool->processes[i]->ahead_count : 0;
    }
    return ahead;
}

static unsigned count_suspects(const struct submitters *pool)
{
    unsigned suspects = 0;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        const struct submitter *submitter = pool->processes[i];
        suspects += submitter != NULL && submitter->job != NULL &&
                    pool->relays.items[submitter->job->relay].suspect;
    }
    return suspects;
}

static void let_go(struct submitters *pool, uint32_t relay, bool in_time)
{
    struct instant oldest = INSTANT_NEVER;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        const struct submitter *submitter = pool->processes[i];
        if (submitter != NULL && submitter->job != NULL && submitter->job->relay == relay) {
            oldest = instant_earlier(oldest, submitter->began);
        }
    }
    relay_let_go(&pool->relays.items[relay], in_time, oldest);
}

static void finish_job(struct submitters *pool, struct job *job, struct submit_outcome *outcome)
{
    outcome->number = job->number;
    pool->handlers.done(pool->context, job->peer, &job->id, outcome);
    job_free(job);
}

// The outcome of a job whose prober cannot tell it any more.
static struct submit_outcome broken_outcome(const struct submitter *submitter,
                                            enum reply_class reply_class, const char *cause)
{
    struct submit_outcome outcome = {
        .result = SUBMIT_REFUSED,
        .reply_class = reply_class,
    };
    if (submitter != NULL && submitter->content) {
        outcome.result = SUBMIT_UNCERTAIN;
        outcome.sent = submitter->sent;
    }
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        outcome.legs[i] = (struct span){-1};
    }
    text_copy(outcome.cause, sizeof outcome.cause, cause);
    return outcome;
}

static void serve(struct submitters *pool);

static void begin_job(struct submitter *submitter, struct job *job)
{
    submitter->job = job;
    submitter->began = clock_now().instant;
    submitter->content = false;
    relay_take_hold(&submitter->pool->relays.items[job->relay], submitter->began);
}

static struct job *take_ahead(struct submitter *submitter)
{
    struct job *job = submitter->ahead[0];
    submitter->ahead_count--;
    memmove(submitter->ahead, submitter->ahead + 1,
            submitter->ahead_count * sizeof submitter->ahead[0]);
    return job;
}

static void free_when_over(struct submitters *pool)
{
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        if (pool->processes[i] != NULL) {
            return;
        }
    }
    if (pool->timer_closed) {
        relays_destroy(&pool->relays);
        free(pool);
    }
}

static void end_job(struct submitter *submitter, struct submit_outcome *outcome)
{
    struct submitters *pool = submitter->pool;
    struct job *job = submitter->job;
    submitter->job = NULL;
    submitter->content = false;
    submitter->idle_since = clock_now().instant;
    let_go(pool, job->relay, outcome->reply_class != REPLY_TIMEOUT);
    if (submitter->ahead_count > 0) {
        begin_job(submitter, take_ahead(submitter));
    }
    finish_job(pool, job, outcome);
}

static void on_line(void *context, const char *line, size_t length)
{
    struct submitter *submitter = context;
    struct submit_outcome outcome = {0};
    struct error error;
    if (submitter->pool->ending) {
        return; // killed, but it had still something to say
    }
    if (!submit_outcome_decode(line, length, &outcome, &error)) {
        submitter->pool->handlers.died(submitter->pool->context, error.message);
        child_kill(submitter->child);
        return;
    }
    if (submitter->job == NULL || outcome.number != submitter->job->number) {
        return;
    }
    if (outcome.result == SUBMIT_CONTENT) {
        submitter->content = true;
        submitter->sent = outcome.sent;
        return;
    }
    end_job(submitter, &outcome);
    serve(submitter->pool);
}

static void return_ahead(struct submitter *submitter)
{
    while (submitter->ahead_count > 0) {
        job_queue_return(&submitter->pool->waiting, submitter->ahead[--submitter->ahead_count]);
    }
}

static void on_ended(void *context, const char *how)
{
    struct submitter *submitter = context;
    struct submitters *pool = submitter->pool;
    return_ahead(submitter); // it has not begun with them
    if (submitter->job != NULL && !pool->ending) {
        bool late = instant_reached(clock_now().instant, submitter->job->deadline);
        char cause[PROBE_REPLY_SIZE];
        struct text text = TEXT_OVER(cause);
        text_format(
            &text,
            late ? "no answer before the deadline: mailflow-submit %s" : "mailflow-submit %s", how);
        struct submit_outcome outcome =
            broken_outcome(submitter, late ? REPLY_TIMEOUT : REPLY_LOCAL, cause);
        if (!late) {
            pool->handlers.died(pool->context, how);
        }
        end_job(submitter, &outcome);
    }
    job_free(submitter->job);
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        if (pool->processes[i] == submitter) {
            pool->processes[i] = NULL;
        }
    }
    free(submitter);
    if (pool->ending) {
        free_when_over(pool);
    } else {
        serve(pool);
    }
}

static struct submitter *start_submitter(struct submitters *pool, struct error *error)
{
    static const struct child_handlers HANDLERS = {on_line, on_ended};
    size_t place = 0;
    while (place < SUBMITTERS_MAXIMUM && pool->processes[place] != NULL) {
        place++;
    }
    if (place == SUBMITTERS_MAXIMUM) {
        return NULL;
    }
    struct submitter *submitter = memory_checked(calloc(1, sizeof *submitter));
    submitter->pool = pool;
    submitter->child = child_create(pool->loop, pool->program, &HANDLERS, submitter, error);
    if (submitter->child == NULL) {
        free(submitter);
        return NULL;
    }
    pool->processes[place] = submitter;
    return submitter;
}

static struct submitter *find_idle(const struct submitters *pool)
{
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        struct submitter *submitter = pool->processes[i];
        if (submitter != NULL && submitter->job == NULL && !submitter->leaving) {
            return submitter;
        }
    }
    return NULL;
}

// The process at work for this relay with the fewest jobs ahead of it; NULL when all have enough.
static struct submitter *find_at_work(const struct submitters *pool, uint32_t relay)
{
    struct submitter *found = NULL;
    unsigned fewest = JOBS_AHEAD;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        struct submitter *submitter = pool->processes[i];
        if (submitter != NULL && submitter->job != NULL && submitter->job->relay == relay &&
            submitter->ahead_count < fewest) {
            found = submitter;
            fewest = submitter->ahead_count;
        }
    }
    return found;
}

static void give_job(struct submitter *submitter, struct job *job)
{
    char *line = memory_checked(strdup(job->line)); // the job may have to be given to another
    if (submitter->job == NULL) {
        begin_job(submitter, job);
    } else {
        submitter->ahead[submitter->ahead_count++] = job;
    }
    child_write(submitter->child, line);
}

// Where a job goes now: to a process that idles, behind others for the same relay, whose session it
// may share, or, where all of these have enough to do, to a process yet to be started.
enum placement { PLACE_NONE, PLACE_IDLE, PLACE_BEHIND, PLACE_NEW };

struct placing {
    const struct submitters *pool;
    unsigned suspects;
    struct instant now;
    enum placement placement;
};

static enum placement place_job(const struct placing *placing, const struct job *job)
{
    const struct submitters *pool = placing->pool;
    const struct relay *relay = &pool->relays.items[job->relay];
    bool may_hold = relay_may_hold_another(relay, placing->suspects, placing->now);
    if (may_hold && find_idle(pool) != NULL) {
        return PLACE_IDLE;
    }
    if (!relay->suspect && !relay_is_hanging(relay, placing->now) &&
        find_at_work(pool, job->relay) != NULL) {
        return PLACE_BEHIND;
    }
    return may_hold ? PLACE_NEW : PLACE_NONE;
}

static bool find_place(const struct job *job, void *context)
{
    struct placing *placing = context;
    placing->placement = place_job(placing, job);
    return placing->placement != PLACE_NONE;
}

// Takes the oldest job that may run now out of the queue.
static struct job *take_runnable(struct submitters *pool, enum placement *placement)
{
    struct placing placing = {pool, count_suspects(pool), clock_now().instant, PLACE_NONE};
    struct job *job = job_queue_take_runnable(&pool->waiting, find_place, &placing);
    *placement = placing.placement;
    return job;
}

// Gives waiting jobs to processes as far as there are any. False with a message when a process
// cannot be started.
static bool assign_jobs(struct submitters *pool, struct error *error)
{
    struct job *job;
    enum placement placement;
    while (!pool->ending && (job = take_runnable(pool, &placement)) != NULL) {
        error->message[0] = '\0';
        struct submitter *submitter = placement == PLACE_IDLE     ? find_idle(pool)
                                      : placement == PLACE_BEHIND ? find_at_work(pool, job->relay)
                                                                  : start_submitter(pool, error);
        if (submitter == NULL) {
            job_queue_return(&pool->waiting, job);
            return error->message[0] == '\0';
        }
        give_job(submitter, job);
    }
    return true;
}

// As assign_jobs, from the loop: a job for which no process can be started ends with the reason.
static void serve(struct submitters *pool)
{
    struct error error;
    while (!assign_jobs(pool, &error)) {
        struct job *job = job_queue_take_first(&pool->waiting);
        struct submit_outcome outcome = broken_outcome(NULL, REPLY_LOCAL, error.message);
        finish_job(pool, job, &outcome);
    }
}

// Jobs that waited past their deadline.
static void expire_waiting(struct submitters *pool, struct instant now)
{
    struct job_queue expired;
    job_queue_init(&expired);
    job_queue_move_expired(&pool->waiting, now, &expired);
    for (struct job *job; (job = job_queue_take_first(&expired)) != NULL;) {
        bool hangs = pool->relays.items[job->relay].held > 0;
        struct submit_outcome outcome =
            hangs ? broken_outcome(NULL, REPLY_TIMEOUT,
                                   "not tried: the server has not answered earlier probes yet")
                  : broken_outcome(NULL, REPLY_LOCAL,
                                   "not tried: servers that hang hold every mailflow-submit");
        finish_job(pool, job, &outcome);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct submitters *pool = timer->data;
    struct instant now = clock_now().instant;
    unsigned kept = 0;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        struct submitter *submitter = pool->processes[i];
        if (submitter == NULL) {
            continue;
        }
        if (submitter->job != NULL &&
            instant_reached(now, instant_add(submitter->job->deadline, GRACE))) {
            pool->killed++;
            child_kill(submitter->child);
        } else if (submitter->job == NULL && !submitter->leaving && kept++ > 0 &&
                   instant_reached(now, instant_add(submitter->idle_since, IDLE_LIFE))) {
            submitter->leaving = true;
            child_finish(submitter->child);
        }
    }
    expire_waiting(pool, now);
    serve(pool);
}

struct submitters *submitters_create(uv_loop_t *loop, const char *probers,
                                     const struct submitters_handlers *handlers, void *context)
{
    struct submitters *pool = memory_checked(calloc(1, sizeof *pool));
    pool->loop = loop;
    pool->handlers = *handlers;
    pool->context = context;
    job_queue_init(&pool->waiting);
    struct text program = TEXT_OVER(pool->program);
    text_format(&program, "%s/mailflow-submit", probers);
    uv_timer_init(loop, &pool->timer);
    pool->timer.data = pool;
    uv_timer_start(&pool->timer, on_timer, 500, 500);
    return pool;
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct submitters *pool = timer->data;
    pool->timer_closed = true;
    free_when_over(pool);
}

void submitters_destroy(struct submitters *pool)
{
    pool->ending = true;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        if (pool->processes[i] != NULL) {
            return_ahead(pool->processes[i]);
            child_kill(pool->processes[i]->child);
        }
    }
    for (struct job *job; (job = job_queue_take_first(&pool->waiting)) != NULL;) {
        job_free(job);
    }
    uv_close((uv_handle_t *)&pool->timer, on_timer_closed);
}

void submitters_submit(struct submitters *pool, struct submit_job *work)
{
    work->number = ++pool->next_number;
    struct job *job = memory_checked(calloc(1, sizeof *job));
    *job = (struct job){
        .number = work->number,
        .deadline = work->deadline,
        .id = work->tag.id,
        .relay = relays_find(&pool->relays, &work->relay),
        .line = submit_job_encode(work),
    };
    text_copy(job->peer, sizeof job->peer, work->tag.to);
    job_queue_append(&pool->waiting, job);
    struct error error;
    assign_jobs(pool, &error); // a failure is told by the timer, for `done` must come later
}

struct submitters_figures submitters_figures(const struct submitters *pool)
{
    return (struct submitters_figures){
        .busy = count_busy(pool),
        .waiting = pool->waiting.count + count_ahead(pool),
        .killed = pool->killed,
    };
}
