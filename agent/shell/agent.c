#include "shell/agent.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "shell/agent_internal.h"
#include "version.h"

enum {
    AGENT_HANDLES = 4,
    RETAIN_ROWS = 1000,
    CHECKPOINT_SECONDS = 60,
    ALIVE_SECONDS = 10,
    CLOCK_SECONDS = 60
};

// ---- chores ----

static void on_checkpoint(uv_work_t *work)
{
    struct agent *agent = work->data;
    struct error error;
    store_checkpoint(agent->checkpoint_dir, &error); // tried again in a minute
}

static void free_when_over(struct agent *agent)
{
    if (agent->open_handles == 0 && !agent->checkpointing) {
        settings_destroy(agent->settings);
        writes_free(&agent->writes);
        exchanges_free(&agent->exchanges);
        peer_sources_free(&agent->peer_sources);
        free(agent->deeds.items);
        free(agent->postponed.items);
        free(agent);
    }
}

static void on_checkpointed(uv_work_t *work, int status)
{
    struct agent *agent = work->data;
    (void)status;
    agent->checkpointing = false;
    free_when_over(agent);
}

static void begin_checkpoint(struct agent *agent)
{
    if (!agent->checkpointing) {
        agent->checkpointing = true;
        agent->checkpoint.data = agent;
        uv_queue_work(agent->loop, &agent->checkpoint, on_checkpoint, on_checkpointed);
    }
}

static void tell_clock_error(struct agent *agent)
{
    struct event event = {.kind = EVENT_CLOCK, .clock_error = clock_error()};
    agent_feed(agent, &event);
}

static void on_second(uv_timer_t *timer)
{
    struct agent *agent = timer->data;
    struct walltime now = clock_now().wall;
    journal_flush(agent->journal);
    if (store_figures(agent->store).corrupt) {
        agent->broken(agent->broken_context); // the agent is gone when it returns
        return;
    }
    agent->seconds++;
    if (agent->seconds % CLOCK_SECONDS == 0) {
        tell_clock_error(agent);
    }
    agent_look_at_origins(agent);
    agent_look_at_lists(agent);
    agent->ledger_retry = agent->writes.waiting;
    if (agent->writes.waiting) {
        return;
    }
    if (agent->seconds % ALIVE_SECONDS == 0) {
        store_put_alive(agent->store, now);
        agent->alive = now;
    }
    if (agent->seconds % CHECKPOINT_SECONDS == 0) {
        agent->retaining = true;
        begin_checkpoint(agent);
    }
    if (agent->retaining) { // a bounded bite a second, until nothing old is left
        struct span kept = {-agent->settings->retention.ns};
        agent->retaining = store_retain(agent->store, walltime_add(now, kept), RETAIN_ROWS);
    }
}

static void on_settle(uv_prepare_t *prepare)
{
    agent_end_turn(prepare->data);
}

// ---- life ----

static void start_handles(struct agent *agent)
{
    uv_timer_init(agent->loop, &agent->deadline);
    uv_timer_init(agent->loop, &agent->second);
    uv_timer_init(agent->loop, &agent->rest);
    uv_prepare_init(agent->loop, &agent->settle);
    agent->deadline.data = agent->second.data = agent->rest.data = agent->settle.data = agent;
    agent->open_handles = AGENT_HANDLES;
    uv_timer_start(&agent->second, on_second, 1000, 1000);
    uv_prepare_start(&agent->settle, on_settle);
}

static void start_probers(struct agent *agent, const char *probers)
{
    static const struct submitters_handlers SUBMITTERS = {agent_on_submitted, agent_on_prober_died};
    static const struct collectors_handlers COLLECTORS = {agent_on_report};
    static const struct greeters_handlers GREETERS = {agent_on_greeted};
    static const struct fetcher_handlers FETCHER = {agent_on_fetched, agent_on_fetcher_died};
    agent->tokens =
        tokens_create(agent->loop, probers, agent->settings->state_dir, agent_on_tokens, agent);
    agent->submitters = submitters_create(agent->loop, probers, &SUBMITTERS, agent);
    agent->sendings = sendings_create(agent->submitters, agent->tokens, agent_on_submitted, agent);
    agent->collectors =
        collectors_create(agent->loop, probers, agent->tokens, agent->settings, &COLLECTORS, agent);
    agent->fetcher = fetcher_create(agent->loop, probers, &FETCHER, agent);
    agent->greeters = greeters_create(agent->loop, probers, &GREETERS, agent);
    agent->exchanges.started = agent->started;
    agent_configure_exchanges(agent);
    agent_start_origins(agent, probers);
    agent_start_lists(agent, probers);
}

static bool open_ledger(struct agent *agent, struct moment now, struct error *error)
{
    char kept[PROBE_PATH_SIZE];
    agent->store = store_open(agent->settings->state_dir, now, kept, sizeof kept, error);
    if (agent->store == NULL) {
        return false;
    }
    if (kept[0] != '\0') {
        journal_ledger_kept_aside(agent->journal, kept);
    }
    return true;
}

struct agent *agent_create(uv_loop_t *loop, const struct agent_options *options,
                           struct settings *settings, struct error *error)
{
    struct moment now = clock_now();
    uint64_t seed;
    random_bytes(&seed, sizeof seed);
    struct agent *agent = memory_checked(calloc(1, sizeof *agent));
    agent->loop = loop;
    agent->settings = settings;
    agent->started = now.wall;
    agent->reload_successful = true;
    agent->broken = options->broken;
    agent->broken_context = options->context;
    text_copy(agent->config_file, sizeof agent->config_file, options->config_file);
    text_copy(agent->checkpoint_dir, sizeof agent->checkpoint_dir, settings->state_dir);
    agent->journal = journal_create(settings);
    journal_on_said(agent->journal, agent_notice_said, agent);
    agent->core = core_create(settings, now, seed);
    int64_t restored = open_ledger(agent, now, error) ? agent_restore(agent, now, error) : -1;
    if (restored < 0 || !store_commit(agent->store, STORE_DURABLE, error)) {
        if (agent->store != NULL) {
            store_close(agent->store);
        }
        journal_destroy(agent->journal);
        core_destroy(agent->core);
        settings_destroy(settings);
        free(agent);
        return NULL;
    }
    start_handles(agent);
    start_probers(agent, options->probers);
    agent->restored = (size_t)restored;
    tell_clock_error(agent);
    agent_look_at_own_certificate(agent);
    return agent;
}

static void on_closed(uv_handle_t *handle)
{
    struct agent *agent = handle->data;
    agent->open_handles--;
    free_when_over(agent);
}

void agent_destroy(struct agent *agent)
{
    agent->ledger_retry = agent->durable = true;
    store_put_alive(agent->store, clock_now().wall);
    agent_settle(agent);
    agent_stop_origins(agent);
    agent_stop_lists(agent);
    submitters_destroy(agent->submitters);
    sendings_destroy(agent->sendings);
    tokens_destroy(agent->tokens);
    collectors_destroy(agent->collectors);
    fetcher_destroy(agent->fetcher);
    greeters_destroy(agent->greeters);
    if (agent->listener.take_over != NULL) {
        journal_stopped(agent->journal); // with it goes what waited, if it is taken now
    }
    agent_settle_notices(agent);
    store_close(agent->store);
    journal_destroy(agent->journal);
    core_destroy(agent->core);
    uv_close((uv_handle_t *)&agent->deadline, on_closed);
    uv_close((uv_handle_t *)&agent->second, on_closed);
    uv_close((uv_handle_t *)&agent->rest, on_closed);
    uv_close((uv_handle_t *)&agent->settle, on_closed);
}

void agent_set_listener(struct agent *agent, const struct agent_listener *listener)
{
    agent->listener = *listener;
    journal_started(agent->journal, MAILFLOW_VERSION, agent->settings, agent->restored);
    agent_look_at_origins(agent);
}

// ---- reading ----

const struct core *agent_core(const struct agent *agent)
{
    return agent->core;
}

const struct settings *agent_settings(const struct agent *agent)
{
    return agent->settings;
}

const unsigned *agent_generation(const struct agent *agent)
{
    return &agent->generation;
}

struct store *agent_store(const struct agent *agent)
{
    return agent->store;
}

struct walltime agent_started(const struct agent *agent)
{
    return agent->started;
}

struct agent_workers agent_workers(const struct agent *agent)
{
    struct submitters_figures figures = submitters_figures(agent->submitters);
    return (struct agent_workers){figures.busy, figures.killed, figures.waiting};
}

struct alertmanager_figures agent_alertmanager(const struct agent *agent)
{
    return alertmanager_figures(agent->alertmanager);
}

bool agent_reload_successful(const struct agent *agent)
{
    return agent->reload_successful;
}

bool agent_ready(const struct agent *agent, char *reason, size_t size)
{
    struct text text = text_over(reason, size);
    if (agent->writes.waiting) {
        text_append(&text, "the ledger cannot be written");
        return false;
    }
    for (size_t i = 0; i < agent->settings->mailbox_count; i++) {
        const struct mailbox *mailbox = core_mailbox(agent->core, (int)i);
        if (!mailbox->readable || !walltime_known(mailbox->complete)) {
            bool read = walltime_known(mailbox->complete);
            text_format(&text, "mailbox %s %s%s%s", mailbox->settings->name,
                        read ? "cannot be read" : "has not been read yet",
                        mailbox->cause[0] == '\0' ? "" : ": ", mailbox->cause);
            return false;
        }
    }
    return true;
}

// ---- asking ----

bool agent_put_window(struct agent *agent, const struct window *window, struct error *error)
{
    struct event event = {.kind = EVENT_WINDOW, .window = *window};
    agent_feed(agent, &event);
    agent->durable = true;
    return agent_settle(agent) ||
           error_set(error, "the window is in force, but not in the ledger yet: %s",
                     agent->ledger_failure.message);
}

bool agent_probe_by_hand(struct agent *agent, int peer, struct probe_id *id, struct error *error)
{
    const struct peer *state = core_peer(agent->core, peer);
    if (state->outbound.sending_count >= SENDING_MAXIMUM) {
        return error_set(error, "%d probes to %s are still being handed over", SENDING_MAXIMUM,
                         state->settings->name);
    }
    random_bytes(id, sizeof *id);
    struct event event = {.kind = EVENT_BY_HAND};
    event.by_hand.peer = peer;
    event.by_hand.id = *id;
    agent_feed(agent, &event);
    return true;
}

// Adds a problem that shows only when the new settings meet the running agent.
static void add_problem(struct config_problems *problems, const char *file, const char *message)
{
    problems->errors++;
    if (problems->count < CONFIG_PROBLEMS_MAXIMUM) {
        struct config_problem *problem = &problems->items[problems->count++];
        *problem = (struct config_problem){0};
        text_copy(problem->file, sizeof problem->file, file);
        text_copy(problem->message, sizeof problem->message, message);
    }
}

static bool may_take_over(struct agent *agent, const struct settings *settings,
                          struct config_problems *problems)
{
    struct error error;
    if (strcmp(settings->server, agent->settings->server) != 0 ||
        strcmp(settings->state_dir, agent->settings->state_dir) != 0) {
        add_problem(problems, agent->config_file,
                    "server and state_dir cannot change while the agent runs: restart it");
    } else if (agent->listener.take_over != NULL &&
               !agent->listener.take_over(agent->listener.context, settings, &error)) {
        add_problem(problems, agent->config_file, error.message);
    }
    return problems->errors == 0;
}

// Peers that are new, out of the ledger: they may have been peers before.
static size_t restore_new_peers(struct agent *agent, const struct settings *before,
                                struct moment now)
{
    size_t count = 0;
    for (size_t i = 0; i < agent->settings->peer_count; i++) {
        const char *name = agent->settings->peers[i].name;
        if (settings_find_peer(before, name) < 0) {
            agent_restore_peer(agent, name, now);
            count++;
        }
    }
    return count;
}

void agent_adopt(struct agent *agent, struct settings *settings)
{
    struct settings *before = agent->settings;
    struct moment now = clock_now();
    agent->settings = settings;
    agent->generation++;
    core_configure(agent->core, settings, now);
    size_t added = restore_new_peers(agent, before, now);
    size_t removed = before->peer_count + added - settings->peer_count;
    collectors_configure(agent->collectors, settings);
    agent_configure_exchanges(agent);
    agent_configure_origins(agent);
    if (added > 0 || removed > 0) {
        journal_peers_changed(agent->journal, settings, added, removed);
    }
    settings_destroy(before);
    agent_look_at_own_certificate(agent);
    agent_look_at_origins(agent);
    agent_feed_time(agent);
}

bool agent_reload(struct agent *agent, struct config_problems *problems)
{
    struct settings *settings = settings_load_after(agent->config_file, agent->settings, problems);
    agent->reload_successful = settings != NULL && may_take_over(agent, settings, problems);
    for (size_t i = 0; i < problems->count; i++) {
        journal_reload_problem(agent->journal, &problems->items[i]);
    }
    if (!agent->reload_successful) {
        journal_reload_refused(agent->journal, problems->errors);
        settings_destroy(settings);
        return false;
    }
    journal_configure(agent->journal, settings);
    agent_adopt(agent, settings);
    agent_configure_lists(agent);
    journal_reloaded(agent->journal, settings);
    return true;
}
