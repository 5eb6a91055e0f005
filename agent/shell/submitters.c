#include "shell/submitters.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "shell/child.h"

enum { RELAYS_MAXIMUM = 16384 };

#define USUAL_DURATION SPAN_SECONDS(3) // of a job; longer, and its relay may be hanging
#define IDLE_LIFE      SPAN_MINUTES(1)
#define GRACE          SPAN_SECONDS(1) // the prober ends by itself at the deadline, we kill it after

struct job {
    struct job *next;
    struct submit_job work;
    uint32_t relay;
};

// What we know of one relay, by host and port.
struct relay {
    char host[PROBE_HOST_SIZE];
    uint16_t port;
    unsigned window;       // processes it may hold
    unsigned held;         // processes it holds
    struct instant oldest; // since when its longest job has been running
    bool suspect;          // its last job ran out of time
};

struct submitter {
    struct submitters *pool;
    struct child *child;
    struct job *job;      // NULL when idle
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
    struct job *first; // waiting, oldest first
    struct job **last;
    unsigned waiting;
    uint64_t killed;
    int64_t next_number;
    struct relay *relays;
    uint32_t relay_count;
    uv_timer_t timer; // deadlines and idle ends
    bool ending;
    bool timer_closed;
};

static uint32_t find_relay(struct submitters *pool, const struct probe_endpoint *endpoint)
{
    for (uint32_t i = 0; i < pool->relay_count; i++) {
        if (pool->relays[i].port == endpoint->port &&
            strcmp(pool->relays[i].host, endpoint->host) == 0) {
            return i;
        }
    }
    if (pool->relay_count == RELAYS_MAXIMUM) {
        return 0; // shares the fate of the first, which is harmless
    }
    size_t size = (pool->relay_count + 1) * sizeof *pool->relays;
    pool->relays = memory_checked(realloc(pool->relays, size));
    struct relay *relay = &pool->relays[pool->relay_count];
    *relay = (struct relay){.port = endpoint->port, .window = 1, .oldest = INSTANT_NEVER};
    text_copy(relay->host, sizeof relay->host, endpoint->host);
    return pool->relay_count++;
}

static unsigned count_busy(const struct submitters *pool)
{
    unsigned busy = 0;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        busy += pool->processes[i] != NULL && pool->processes[i]->job != NULL;
    }
    return busy;
}

static unsigned count_suspects(const struct submitters *pool)
{
    unsigned suspects = 0;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        const struct submitter *submitter = pool->processes[i];
        suspects += submitter != NULL && submitter->job != NULL &&
                    pool->relays[submitter->job->relay].suspect;
    }
    return suspects;
}

static bool may_hold_another(const struct relay *relay, unsigned suspects, struct instant now)
{
    bool hanging = instant_reached(now, instant_add(relay->oldest, USUAL_DURATION));
    unsigned window = hanging ? 1 : relay->window;
    return relay->held < window && (!relay->suspect || suspects < SUSPECTS_MAXIMUM);
}

static void take_hold(struct submitters *pool, uint32_t relay, struct instant now)
{
    pool->relays[relay].held++;
    pool->relays[relay].oldest = instant_earlier(pool->relays[relay].oldest, now);
}

static void let_go(struct submitters *pool, uint32_t index, bool in_time)
{
    struct relay *relay = &pool->relays[index];
    relay->held--;
    relay->suspect = !in_time;
    relay->window = !in_time                               ? 1
                    : relay->window < RELAY_WINDOW_MAXIMUM ? relay->window * 2
                                                           : RELAY_WINDOW_MAXIMUM;
    relay->oldest = INSTANT_NEVER;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        const struct submitter *submitter = pool->processes[i];
        if (submitter != NULL && submitter->job != NULL && submitter->job->relay == index) {
            relay->oldest = instant_earlier(relay->oldest, submitter->began);
        }
    }
}

static void finish_job(struct submitters *pool, struct job *job, struct submit_outcome *outcome)
{
    outcome->number = job->work.number;
    pool->handlers.done(pool->context, job->work.tag.to, &job->work.tag.id, outcome);
    free(job);
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

static void free_when_over(struct submitters *pool)
{
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        if (pool->processes[i] != NULL) {
            return;
        }
    }
    if (pool->timer_closed) {
        free(pool->relays);
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
    if (submitter->job == NULL || outcome.number != submitter->job->work.number) {
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

static void on_ended(void *context, const char *how)
{
    struct submitter *submitter = context;
    struct submitters *pool = submitter->pool;
    if (submitter->job != NULL && !pool->ending) {
        bool late = instant_reached(clock_now().instant, submitter->job->work.deadline);
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
    free(submitter->job);
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

static struct submitter *idle_submitter(struct submitters *pool, struct error *error)
{
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        if (pool->processes[i] != NULL && pool->processes[i]->job == NULL &&
            !pool->processes[i]->leaving) {
            return pool->processes[i];
        }
    }
    return start_submitter(pool, error);
}

static void give_job(struct submitter *submitter, struct job *job)
{
    submitter->job = job;
    submitter->began = clock_now().instant;
    take_hold(submitter->pool, job->relay, submitter->began);
    submitter->content = false;
    char *line = submit_job_encode(&job->work);
    child_write(submitter->child, line);
}

// Takes the oldest job that may run now out of the queue.
static struct job *take_runnable(struct submitters *pool)
{
    unsigned suspects = count_suspects(pool);
    struct instant now = clock_now().instant;
    for (struct job **at = &pool->first; *at != NULL; at = &(*at)->next) {
        if (may_hold_another(&pool->relays[(*at)->relay], suspects, now)) {
            struct job *job = *at;
            *at = job->next;
            if (pool->last == &job->next) {
                pool->last = at;
            }
            pool->waiting--;
            return job;
        }
    }
    return NULL;
}

static void return_job(struct submitters *pool, struct job *job)
{
    job->next = pool->first;
    if (pool->first == NULL) {
        pool->last = &job->next;
    }
    pool->first = job;
    pool->waiting++;
}

// Gives waiting jobs to processes as far as there are any. False with a message when a process
// cannot be started.
static bool assign_jobs(struct submitters *pool, struct error *error)
{
    struct job *job;
    while (!pool->ending && (job = take_runnable(pool)) != NULL) {
        error->message[0] = '\0';
        struct submitter *submitter = idle_submitter(pool, error);
        if (submitter == NULL) {
            return_job(pool, job);
            return error->message[0] == '\0';
        }
        give_job(submitter, job);
    }
    return true;
}

static void fail_waiting(struct submitters *pool, const char *cause)
{
    struct job *job;
    while ((job = take_runnable(pool)) != NULL) {
        struct submit_outcome outcome = broken_outcome(NULL, REPLY_LOCAL, cause);
        finish_job(pool, job, &outcome);
    }
}

// As assign_jobs, from the loop: what cannot be served ends with the reason.
static void serve(struct submitters *pool)
{
    struct error error;
    if (!assign_jobs(pool, &error)) {
        fail_waiting(pool, error.message);
    }
}

// Jobs that waited past their deadline.
static void expire_waiting(struct submitters *pool, struct instant now)
{
    struct job *job = pool->first;
    pool->first = NULL;
    pool->last = &pool->first;
    pool->waiting = 0;
    while (job != NULL) {
        struct job *next = job->next;
        job->next = NULL;
        if (instant_reached(now, job->work.deadline)) {
            bool hangs = pool->relays[job->relay].held > 0;
            struct submit_outcome outcome =
                hangs ? broken_outcome(NULL, REPLY_TIMEOUT,
                                       "not tried: the server has not answered earlier probes yet")
                      : broken_outcome(NULL, REPLY_LOCAL,
                                       "not tried: servers that hang hold every mailflow-submit");
            finish_job(pool, job, &outcome);
        } else {
            *pool->last = job;
            pool->last = &job->next;
            pool->waiting++;
        }
        job = next;
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
            instant_reached(now, instant_add(submitter->job->work.deadline, GRACE))) {
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
    pool->last = &pool->first;
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
    while (pool->first != NULL) {
        struct job *job = pool->first;
        pool->first = job->next;
        free(job);
    }
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        if (pool->processes[i] != NULL) {
            child_kill(pool->processes[i]->child);
        }
    }
    uv_close((uv_handle_t *)&pool->timer, on_timer_closed);
}

void submitters_submit(struct submitters *pool, const struct submit_job *work)
{
    struct job *job = memory_checked(calloc(1, sizeof *job));
    job->work = *work;
    job->work.number = ++pool->next_number;
    job->relay = find_relay(pool, &work->relay);
    *pool->last = job;
    pool->last = &job->next;
    pool->waiting++;
    struct error error;
    assign_jobs(pool, &error); // a failure is told by the timer, for `done` must come later
}

struct submitters_figures submitters_figures(const struct submitters *pool)
{
    return (struct submitters_figures){
        .busy = count_busy(pool),
        .waiting = pool->waiting,
        .killed = pool->killed,
    };
}
