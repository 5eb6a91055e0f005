#include "shell/submitters.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "shell/child.h"
#include "shell/relays.h"
#include "shell/submit_backlog.h"

#define IDLE_LIFE SPAN_SECONDS(15)
#define GRACE     SPAN_SECONDS(1) // the prober ends by itself at the deadline, we kill it after

struct submitter {
    struct submitters *pool;
    struct child *child;
    struct submission *job;   // NULL when idle
    struct submission *ahead; // given to it already, done after that one; or NULL
    struct instant began;     // the job
    bool content;             // the message data went out
    bool leaving;             // told to end
    struct moment sent;
    struct instant idle_since;
};

struct submitters {
    uv_loop_t *loop;
    char program[PROBE_PATH_SIZE];
    struct submitters_handlers handlers;
    void *context;
    struct submitter *processes[SUBMITTERS_MAXIMUM];
    struct submit_backlog backlog;
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
        ahead += pool->processes[i] != NULL && pool->processes[i]->ahead != NULL;
    }
    return ahead;
}

// A job that takes longer is at a server that may be hanging.
#define USUAL_DURATION SPAN_SECONDS(3)

static bool hangs(const struct submitter *submitter, struct instant now)
{
    return submitter != NULL && submitter->job != NULL &&
           instant_reached(now, instant_add(submitter->began, USUAL_DURATION));
}

static unsigned count_hanging(const struct submitters *pool, uint32_t relay, struct instant now)
{
    unsigned hanging = 0;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        const struct submitter *submitter = pool->processes[i];
        hanging += hangs(submitter, now) && submitter->job->relay == relay;
    }
    return hanging;
}

static unsigned count_suspects(const struct submitters *pool, struct instant now)
{
    unsigned suspects = 0;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        const struct submitter *submitter = pool->processes[i];
        suspects += submitter != NULL && submitter->job != NULL &&
                    (pool->relays.items[submitter->job->relay].suspect || hangs(submitter, now));
    }
    return suspects;
}

static void finish_job(struct submitters *pool, struct submission *job,
                       struct submit_outcome *outcome)
{
    outcome->number = job->number;
    pool->handlers.done(pool->context, job->tag.to, &job->tag.id, outcome);
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

static void begin_job(struct submitter *submitter, struct submission *job)
{
    submitter->job = job;
    submitter->began = clock_now().instant;
    submitter->content = false;
    submitter->pool->relays.items[job->relay].held++;
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
    struct submission *job = submitter->job;
    struct submission *next = submitter->ahead;
    submitter->job = submitter->ahead = NULL;
    submitter->content = false;
    submitter->idle_since = clock_now().instant;
    relay_let_go(&pool->relays.items[job->relay], outcome->reply_class != REPLY_TIMEOUT);
    if (next != NULL) {
        begin_job(submitter, next);
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
}

static void return_ahead(struct submitter *submitter)
{
    if (submitter->ahead != NULL) {
        submit_backlog_return(&submitter->pool->backlog, submitter->ahead);
        submitter->ahead = NULL;
    }
}

static void on_ended(void *context, const char *how)
{
    struct submitter *submitter = context;
    struct submitters *pool = submitter->pool;
    return_ahead(submitter); // it has not begun with it
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
    free(submitter->job);
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        if (pool->processes[i] == submitter) {
            pool->processes[i] = NULL;
        }
    }
    free(submitter);
    if (pool->ending) {
        free_when_over(pool);
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

static bool has_room(const struct submitter *submitter, uint32_t relay)
{
    return submitter != NULL && submitter->job != NULL && submitter->job->relay == relay &&
           submitter->ahead == NULL && !submitter->leaving;
}

// A process at work for this relay that has no job ahead yet, one to which the server has said that
// it takes the message if there is any; NULL when all have enough.
static struct submitter *find_at_work(const struct submitters *pool, uint32_t relay)
{
    struct submitter *found = NULL;
    for (size_t i = 0; i < SUBMITTERS_MAXIMUM; i++) {
        struct submitter *submitter = pool->processes[i];
        if (has_room(submitter, relay) && (found == NULL || submitter->content)) {
            found = submitter;
        }
    }
    return found;
}

// Where a job goes now: to a process that idles, behind another for the same relay, whose session
// it may share, or, where all of these have enough to do, to a process yet to be started.
enum placement { PLACE_NONE, PLACE_IDLE, PLACE_BEHIND, PLACE_NEW };

static enum placement place_job(const struct submitters *pool, const struct submission *job,
                                unsigned suspects, struct instant now)
{
    const struct relay *relay = &pool->relays.items[job->relay];
    unsigned hanging = count_hanging(pool, job->relay, now);
    bool may_hold = relay_may_hold_another(relay, hanging, suspects);
    if (may_hold && find_idle(pool) != NULL) {
        return PLACE_IDLE;
    }
    if (!relay->suspect && hanging == 0) {
        const struct submitter *at_work = find_at_work(pool, job->relay);
        if (at_work != NULL) {
            return at_work->content ? PLACE_BEHIND : PLACE_NONE; // it will soon go on
        }
    }
    return may_hold ? PLACE_NEW : PLACE_NONE;
}

// Takes the oldest job that may run now out of the backlog.
static struct submission *take_runnable(struct submitters *pool, enum placement *placement)
{
    struct instant now = clock_now().instant;
    unsigned suspects = count_suspects(pool, now);
    struct submission *passed = NULL; // what waits behind it for the same relay waits, too
    for (struct submission **at = &pool->backlog.first; *at != NULL; at = &(*at)->next) {
        if (passed != NULL && passed->relay == (*at)->relay) {
            continue;
        }
        *placement = place_job(pool, *at, suspects, now);
        if (*placement != PLACE_NONE) {
            return submit_backlog_take(&pool->backlog, at);
        }
        passed = *at;
    }
    return NULL;
}

static void refuse_job(struct submitters *pool, struct submission *job, const char *cause)
{
    struct submit_outcome outcome = broken_outcome(NULL, REPLY_LOCAL, cause);
    finish_job(pool, job, &outcome);
}

static void give_job(struct submitters *pool, struct submitter *submitter, struct submission *job)
{
    struct submit_job work = {.number = job->number, .deadline = job->deadline, .tag = job->tag};
    if (!pool->handlers.compose(pool->context, &work)) {
        refuse_job(pool, job, "not tried: its peer is configured no more");
        return;
    }
    char *line = submit_job_encode(&work);
    explicit_bzero(&work, sizeof work);
    if (submitter->job == NULL) {
        begin_job(submitter, job);
    } else {
        submitter->ahead = job;
    }
    child_write(submitter->child, line);
}

void submitters_serve(struct submitters *pool)
{
    struct submission *job;
    enum placement placement;
    while (!pool->ending && (job = take_runnable(pool, &placement)) != NULL) {
        struct error error = {""};
        struct submitter *submitter = placement == PLACE_IDLE     ? find_idle(pool)
                                      : placement == PLACE_BEHIND ? find_at_work(pool, job->relay)
                                                                  : start_submitter(pool, &error);
        if (submitter != NULL) {
            give_job(pool, submitter, job);
        } else if (error.message[0] != '\0') {
            refuse_job(pool, job, error.message);
        } else {
            submit_backlog_return(&pool->backlog, job);
            return; // all are at work
        }
    }
}

// A job that waited past its deadline.
static void expire(struct submitters *pool, struct submission *job, unsigned suspects)
{
    struct submit_outcome outcome =
        pool->relays.items[job->relay].held > 0
            ? broken_outcome(NULL, REPLY_TIMEOUT,
                             "not tried: the server has not answered earlier probes yet")
        : suspects >= SUSPECTS_MAXIMUM || count_busy(pool) == SUBMITTERS_MAXIMUM
            ? broken_outcome(NULL, REPLY_LOCAL,
                             "not tried: servers that hang hold every mailflow-submit")
            : broken_outcome(NULL, REPLY_LOCAL, "not tried: the ledger cannot be written");
    finish_job(pool, job, &outcome);
}

static void expire_waiting(struct submitters *pool, struct instant now)
{
    unsigned suspects = count_suspects(pool, now);
    struct submission **at = &pool->backlog.first;
    while (*at != NULL) {
        if (instant_reached(now, (*at)->deadline)) {
            expire(pool, submit_backlog_take(&pool->backlog, at), suspects);
        } else {
            at = &(*at)->next;
        }
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
}

struct submitters *submitters_create(uv_loop_t *loop, const char *probers,
                                     const struct submitters_handlers *handlers, void *context)
{
    struct submitters *pool = memory_checked(calloc(1, sizeof *pool));
    pool->loop = loop;
    pool->handlers = *handlers;
    pool->context = context;
    submit_backlog_reset(&pool->backlog);
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
    submit_backlog_free(&pool->backlog);
    uv_close((uv_handle_t *)&pool->timer, on_timer_closed);
}

void submitters_submit(struct submitters *pool, const struct submit_request *request)
{
    struct submission *job = memory_checked(calloc(1, sizeof *job));
    *job = (struct submission){
        .number = ++pool->next_number,
        .deadline = request->deadline,
        .tag = request->tag,
        .relay = relays_find(&pool->relays, request->host, request->port),
    };
    submit_backlog_add(&pool->backlog, job);
}

struct submitters_figures submitters_figures(const struct submitters *pool)
{
    return (struct submitters_figures){
        .busy = count_busy(pool),
        .waiting = pool->backlog.count + count_ahead(pool),
        .killed = pool->killed,
    };
}
