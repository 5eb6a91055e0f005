#include "shell/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "shell/child.h"
#include "probes/endpoint.h"
#include "probes/token.h"

enum { TICK_MS = 500 };
#define TO_RUN     SPAN_SECONDS(20)
#define TO_WAIT    SPAN_SECONDS(10) // until it may run
#define GRACE      SPAN_SECONDS(2)  // the prober ends by itself at the deadline, we kill it after
#define REST_FIRST SPAN_SECONDS(1)
#define REST_LAST  SPAN_MINUTES(1)
#define MARGIN     SPAN_MINUTES(1) // before its end, or a tenth of its life, a token is not used

enum source_state { SOURCE_RESTS, SOURCE_WAITS, SOURCE_RUNS };

struct token_source {
    struct tokens *all;
    char file[PROBE_PATH_SIZE]; // "" = a command
    struct token_job job;       // else no words
    enum source_state state;
    struct child *child;     // of a run, until it has ended
    struct instant waits_to; // then it is given up
    char token[PROBE_TOKEN_SIZE];
    struct instant ends; // the token's life
    bool news;           // those who wait are being told: it serves them, however short its life
    bool good;           // a server took it
    bool refused;        // one did not
    struct span rest;
    struct instant rests_to;
    char cause[PROBE_REPLY_SIZE]; // why there is no token, "" when there is
};

struct tokens {
    uv_loop_t *loop;
    char program[PROBE_PATH_SIZE];
    char home[PROBE_PATH_SIZE];
    void (*changed)(void *context);
    void *context;
    struct token_source **sources;
    size_t count;
    unsigned processes;
    int64_t next_number;
    uv_timer_t timer;
    bool ending;
    bool timer_closed;
};

static void lengthen_rest(struct token_source *source)
{
    source->rests_to = instant_add(clock_now().instant, source->rest);
    source->rest = span_shorter(span_times(source->rest, 2), REST_LAST);
}

static void forget_token(struct token_source *source)
{
    explicit_bzero(source->token, sizeof source->token);
    source->good = source->refused = false;
}

// ---- a run of the command ----

static void fail(struct token_source *source, const char *cause)
{
    struct text text = TEXT_OVER(source->cause);
    forget_token(source);
    text_format(&text, "token_command: %s", cause);
    source->state = SOURCE_RESTS;
    lengthen_rest(source);
}

// Of a life that is not told nothing is known but that it goes on.
static struct instant end_of_use(struct span lifetime)
{
    struct span margin = span_shorter(MARGIN, (struct span){lifetime.ns / 10});
    return lifetime.ns < 0 ? INSTANT_NEVER
                           : instant_add(clock_now().instant, span_subtract(lifetime, margin));
}

static void succeed(struct token_source *source, const struct token_outcome *outcome)
{
    bool same = strcmp(source->token, outcome->token) == 0;
    bool known = same && source->refused;
    if (!same) {
        forget_token(source);
        text_copy(source->token, sizeof source->token, outcome->token);
    }
    if (source->cause[0] != '\0') {
        source->cause[0] = '\0';
        source->rest = REST_FIRST;
    }
    source->ends = end_of_use(outcome->lifetime);
    source->state = SOURCE_RESTS;
    if (known) { // a command that has nothing else to offer
        lengthen_rest(source);
    }
}

static void on_line(void *context, const char *line, size_t length)
{
    struct token_source *source = context;
    struct token_outcome outcome;
    struct error error;
    if (source->all->ending || source->state != SOURCE_RUNS) {
        return;
    }
    if (!token_outcome_decode(line, length, &outcome, &error)) {
        fail(source, error.message);
    } else if (outcome.number != source->job.number) {
        return;
    } else if (outcome.token[0] == '\0') {
        fail(source, outcome.cause);
    } else {
        succeed(source, &outcome);
    }
    explicit_bzero(&outcome, sizeof outcome);
    source->news = true;
    source->all->changed(source->all->context);
    source->news = false;
}

static void free_when_over(struct tokens *all)
{
    if (!all->timer_closed || all->processes > 0) {
        return;
    }
    for (size_t i = 0; i < all->count; i++) {
        explicit_bzero(all->sources[i], sizeof *all->sources[i]);
        free(all->sources[i]);
    }
    free(all->sources);
    free(all);
}

static void serve(struct tokens *all);

static void on_ended(void *context, const char *how)
{
    struct token_source *source = context;
    struct tokens *all = source->all;
    source->child = NULL;
    all->processes--;
    if (all->ending) {
        free_when_over(all);
        return;
    }
    if (source->state == SOURCE_RUNS) {
        char cause[PROBE_REPLY_SIZE];
        struct text text = TEXT_OVER(cause);
        text_format(&text, "mailflow-token %s", how);
        fail(source, cause);
        all->changed(all->context);
    }
    serve(all);
}

static void begin(struct token_source *source)
{
    static const struct child_handlers HANDLERS = {on_line, on_ended};
    struct tokens *all = source->all;
    struct error error;
    source->child = child_create(all->loop, all->program, &HANDLERS, source, &error);
    if (source->child == NULL) {
        fail(source, error.message);
        return;
    }
    all->processes++;
    source->state = SOURCE_RUNS;
    source->job.number = ++all->next_number;
    source->job.deadline = instant_add(clock_now().instant, TO_RUN);
    child_write(source->child, token_job_encode(&source->job));
    child_finish(source->child);
}

// Begins what may begin now. True when that failed.
static bool cannot_begin(struct token_source *source)
{
    struct tokens *all = source->all;
    if (source->state == SOURCE_WAITS && source->child == NULL &&
        all->processes < TOKEN_COMMANDS_MAXIMUM) {
        begin(source);
        return source->state == SOURCE_RESTS;
    }
    return false;
}

static bool give_up_waiting(struct token_source *source, struct instant now)
{
    if (source->state == SOURCE_WAITS && instant_reached(now, source->waits_to)) {
        fail(source, "not tried: others that hang are waited for");
        return true;
    }
    return false;
}

static void serve(struct tokens *all)
{
    bool changed = false;
    for (size_t i = 0; i < all->count; i++) {
        changed = cannot_begin(all->sources[i]) || changed;
    }
    if (changed) {
        all->changed(all->context);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct tokens *all = timer->data;
    struct instant now = clock_now().instant;
    bool changed = false;
    for (size_t i = 0; i < all->count; i++) {
        struct token_source *source = all->sources[i];
        changed = give_up_waiting(source, now) || changed;
        if (source->child != NULL &&
            instant_reached(now, instant_add(source->job.deadline, GRACE))) {
            child_kill(source->child);
        }
    }
    if (changed) {
        all->changed(all->context);
    }
    serve(all);
}

// ---- what is asked for ----

static enum token_answer want(struct token_source *source, struct error *error)
{
    source->state = SOURCE_WAITS;
    source->waits_to = instant_add(clock_now().instant, TO_WAIT);
    cannot_begin(source);
    if (source->state == SOURCE_RESTS) {
        error_set(error, "%s", source->cause);
        return TOKEN_NONE;
    }
    return TOKEN_AWAITED;
}

static enum token_answer get_of_command(struct token_source *source, char out[PROBE_TOKEN_SIZE],
                                        struct error *error)
{
    struct instant now = clock_now().instant;
    bool rested = instant_reached(now, source->rests_to);
    if (source->state != SOURCE_RESTS) {
        return TOKEN_AWAITED;
    }
    if (source->token[0] == '\0' && !rested) {
        error_set(error, "%s", source->cause);
        return TOKEN_NONE;
    }
    bool alive = source->news || !instant_reached(now, source->ends);
    bool usable = source->token[0] != '\0' && alive;
    if (usable && (!source->refused || !rested)) {
        text_copy(out, PROBE_TOKEN_SIZE, source->token);
        return TOKEN_HAD;
    }
    return want(source, error);
}

enum token_answer token_get(struct token_source *source, char out[PROBE_TOKEN_SIZE],
                            struct error *error)
{
    if (source->file[0] == '\0') {
        return get_of_command(source, out, error);
    }
    return endpoint_read_token(source->file, out, error) ? TOKEN_HAD : TOKEN_NONE;
}

void token_was_good(struct token_source *source, const char *token)
{
    if (strcmp(source->token, token) == 0 && !source->refused) {
        source->good = true;
    }
}

void token_was_refused(struct token_source *source, const char *token)
{
    if (source->token[0] == '\0' || strcmp(source->token, token) != 0 || source->refused) {
        return;
    }
    source->refused = true;
    if (source->good) {
        source->rest = REST_FIRST;
        source->rests_to = clock_now().instant;
    } else {
        lengthen_rest(source);
    }
}

// ---- sources ----

static bool is_source(const struct token_source *source, const char *file,
                      const struct token_job *job)
{
    bool same = strcmp(source->file, file) == 0 && source->job.word_count == job->word_count;
    for (size_t i = 0; same && i < job->word_count; i++) {
        same = strcmp(source->job.words[i], job->words[i]) == 0;
    }
    return same;
}

struct token_source *tokens_find(struct tokens *all, const struct oauth_settings *oauth,
                                 struct error *error)
{
    struct token_job job = {0};
    if (!endpoint_of_command(oauth, all->home, &job, error)) {
        return NULL;
    }
    for (size_t i = 0; i < all->count; i++) {
        if (is_source(all->sources[i], oauth->token_file, &job)) {
            return all->sources[i];
        }
    }
    if (all->count == TOKEN_SOURCES_MAXIMUM) {
        error_set(error, "there are %d other tokens already: restart the agent",
                  TOKEN_SOURCES_MAXIMUM);
        return NULL;
    }
    struct token_source *source = memory_checked(calloc(1, sizeof *source));
    source->all = all;
    source->job = job;
    source->rest = REST_FIRST;
    text_copy(source->file, sizeof source->file, oauth->token_file);
    size_t size = (all->count + 1) * sizeof(struct token_source *);
    all->sources = memory_checked(realloc(all->sources, size));
    all->sources[all->count++] = source;
    return source;
}

// ---- life ----

struct tokens *tokens_create(uv_loop_t *loop, const char *probers, const char *home,
                             void (*changed)(void *context), void *context)
{
    struct tokens *all = memory_checked(calloc(1, sizeof *all));
    all->loop = loop;
    all->changed = changed;
    all->context = context;
    text_copy(all->home, sizeof all->home, home);
    struct text program = TEXT_OVER(all->program);
    text_format(&program, "%s/mailflow-token", probers);
    uv_timer_init(loop, &all->timer);
    all->timer.data = all;
    uv_timer_start(&all->timer, on_timer, TICK_MS, TICK_MS);
    return all;
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct tokens *all = timer->data;
    all->timer_closed = true;
    free_when_over(all);
}

void tokens_destroy(struct tokens *all)
{
    all->ending = true;
    for (size_t i = 0; i < all->count; i++) {
        if (all->sources[i]->child != NULL) {
            child_ask_to_end(all->sources[i]->child);
        }
    }
    uv_close((uv_handle_t *)&all->timer, on_timer_closed);
}
