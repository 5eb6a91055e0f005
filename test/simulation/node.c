#include "simulation/node.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "simulation/http.h"
#include "simulation/journal.h"
#include "simulation/mesh_settings.h"
#include "simulation/reader.h"

static struct node *node_of(struct world *world, int node)
{
    return &world->servers[node].node;
}

// ---- coming and going ----

static void gather_readers(struct world *world, int node)
{
    struct node *agent = node_of(world, node);
    agent->reader_count = 0;
    agent->readers[agent->reader_count++].server = node;
    for (int i = 0; i < world->server_count; i++) {
        if (world->servers[i].agentless && world->servers[i].collector == node &&
            agent->reader_count < READERS_MAXIMUM) {
            agent->readers[agent->reader_count++].server = i;
        }
    }
}

void node_start(struct world *world, int node)
{
    struct node *agent = node_of(world, node);
    if (agent->core != NULL || agent->away) {
        return;
    }
    struct moment now = world_moment(world, node);
    agent->runs++;
    gather_readers(world, node);
    agent->settings = mesh_settings_build(world, node);
    agent->core =
        core_create(agent->settings, now, world->seed + agent->runs * 1000 + (uint64_t)node);
    ledger_restore(&agent->ledger, agent->core, now);
    agent->deadline = world->now;
    reader_begin(world, node);
}

// What the core has counted of one peer, before it is gone.
static void keep_counts(struct world *world, struct node *agent, size_t peer)
{
    int server = world_find_server(world, agent->settings->peers[peer].name);
    const struct peer_stats *stats = &core_peer(agent->core, (int)peer)->stats;
    agent->duplicates[server] += stats->duplicates;
    agent->missed[server] += stats->slots_missed;
    agent->route_changes[server] += stats->route_changes;
    agent->misplaced[server] += stats->misplaced;
    for (int i = 0; i < DIRECTIONS * VERDICTS; i++) {
        agent->resolved[server][i / VERDICTS][i % VERDICTS] +=
            stats->resolved[i / VERDICTS][i % VERDICTS];
    }
}

void node_stop(struct world *world, int node)
{
    struct node *agent = node_of(world, node);
    if (agent->core == NULL) {
        return;
    }
    for (size_t i = 0; i < agent->settings->peer_count; i++) {
        keep_counts(world, agent, i);
    }
    agent->negative += core_stats(agent->core)->negative_latencies;
    core_destroy(agent->core);
    agent->core = NULL;
    mesh_settings_destroy(agent->settings);
    agent->settings = NULL;
    agent->kill = KILL_NONE;
}

void node_free(struct world *world, int node)
{
    node_stop(world, node);
    ledger_free(&node_of(world, node)->ledger);
}

void node_restart(struct world *world, int node)
{
    if (node_of(world, node)->core == NULL) {
        return;
    }
    node_stop(world, node);
    world_put_event(world,
                    (struct world_event){.at = instant_add(world->now, world->parameters.restart),
                                         .kind = WORLD_START,
                                         .a = node});
}

void node_configure(struct world *world, int node)
{
    struct node *agent = node_of(world, node);
    if (agent->core == NULL) {
        return;
    }
    struct settings *before = agent->settings;
    for (size_t i = 0; i < before->peer_count; i++) {
        if (agent->forgets[world_find_server(world, before->peers[i].name)]) {
            keep_counts(world, agent, i);
        }
    }
    agent->settings = mesh_settings_build(world, node);
    core_configure(agent->core, agent->settings, world_moment(world, node));
    for (size_t i = 0; i < agent->settings->peer_count; i++) {
        if (settings_find_peer(before, agent->settings->peers[i].name) < 0) {
            ledger_restore_peer(&agent->ledger, agent->core, agent->settings->peers[i].name);
        }
    }
    mesh_settings_destroy(before);
    agent->deadline = world->now;
}

// ---- one turn: the core decides, rows, deeds ----

static void commit(struct world *world, int node, const struct action *action,
                   const struct message *message)
{
    struct node *agent = node_of(world, node);
    switch (action->kind) {
    case ACTION_SEND: {
        struct probe_record record = {
            .id = action->send.tag.id,
            .direction = OUTBOUND,
            .kind = action->send.tag.kind,
            .slot = action->send.tag.slot,
            .planned = world_moment(world, node).wall,
        };
        text_copy(record.peer, sizeof record.peer, action->send.tag.to);
        ledger_put_probe(&agent->ledger, &record);
        break;
    }
    case ACTION_RECORD_PROBE: {
        struct row *row = ledger_put_probe(&agent->ledger, &action->probe);
        if (message != NULL && message->report == REPORT_NONE && row->message == 0 &&
            probe_id_equal(&message->tag.id, &action->probe.id)) {
            row->message = message->uid;
            journal_passage(world, node, message, &action->probe);
        }
        break;
    }
    case ACTION_INCIDENT:
        journal_closed(world, node, &action->incident);
        ledger_put_incident(&agent->ledger, &action->incident);
        break;
    case ACTION_NOTIFY:
        ledger_put_incident(&agent->ledger, &action->incident);
        break;
    case ACTION_WINDOW:
        ledger_put_window(&agent->ledger, &action->window.window);
        journal_learned(world, node, &action->window.window);
        break;
    case ACTION_RESERVE_SLOTS:
        ledger_put_slots(&agent->ledger, agent->settings->peers[action->slots.peer].name,
                         action->slots.reserved);
        break;
    case ACTION_ACKNOWLEDGED:
        ledger_put_acknowledged(&agent->ledger, action->acknowledged.window,
                                action->acknowledged.revision, action->acknowledged.peer);
        break;
    case ACTION_RECORD_HABITS: {
        struct habits habits;
        core_habits(agent->core, action->habits.peer, action->habits.direction, &habits);
        ledger_put_habits(&agent->ledger, agent->settings->peers[action->habits.peer].name,
                          action->habits.direction, &habits);
        break;
    }
    case ACTION_BOUNCE:
    case ACTION_DELETE:
    case ACTION_SAY_ROUTE:
    case ACTION_EXCHANGE:
    case ACTION_GREET:
    case ACTION_SAY_DRAINED:
    case ACTION_SAY_COHORT:
    case ACTION_SAY_CLOCK:
    case ACTION_SAY_REFUSED:
    case ACTION_SAY_UNKNOWN:
    case ACTION_SAY_LOOP:
    case ACTION_KINDS:
        break;
    }
}

static void send(struct world *world, int node, const struct action *action)
{
    struct node *agent = node_of(world, node);
    int to = world_find_server(world, action->send.tag.to);
    enum submission submission = mail_submit(world, node, to);
    struct exchange said;
    core_compose(agent->core, action->send.peer, world_moment(world, node), &said);
    journal_check(world,
                  strlen(said.maintenance) + strlen(said.receipts) + strlen(said.row) <= 2900, node,
                  "what it has to say does not fit into a probe");

    struct message *message = memory_checked(calloc(1, sizeof *message));
    message->tag = action->send.tag;
    message->from = node;
    message->to = to;
    message->maintenance = memory_checked(strdup(said.maintenance));
    message->receipts = memory_checked(strdup(said.receipts));
    message->row = memory_checked(strdup(said.row));
    journal_trace(world, node, "send", &message->tag);
    bool content = submission != SUBMISSION_NO_SERVER && submission != SUBMISSION_REJECTED;
    world_put_event(world,
                    (struct world_event){.at = instant_add(world->now, world->parameters.submit),
                                         .kind = content ? WORLD_CONTENT : WORLD_SUBMITTED,
                                         .a = (int)submission,
                                         .run = agent->runs,
                                         .message = message});
}

static void delete_message(struct world *world, const struct message *message)
{
    assert(message != NULL); // only what has arrived is ever deleted
    struct messages *mailbox = &world->servers[message->to].mailbox;
    for (size_t i = 0; i < mailbox->count; i++) {
        if (mailbox->items[i] == message) {
            struct message *gone = mailbox->items[i];
            messages_remove(mailbox, i);
            message_free(gone);
            return;
        }
    }
}

// Connects to the peer's mail server; a refusal is known soon, silence after a while.
static void greet(struct world *world, int node, int peer)
{
    const struct node *agent = node_of(world, node);
    int server = world_find_server(world, agent->settings->peers[peer].name);
    world_put_event(world, (struct world_event){.at = instant_add(world->now, SPAN_SECONDS(1)),
                                                .kind = WORLD_GREETED,
                                                .a = node,
                                                .b = server,
                                                .run = agent->runs});
}

void node_greeted(struct world *world, int node, int server)
{
    const struct node *agent = node_of(world, node);
    int peer = settings_find_peer(agent->settings, world->servers[server].name);
    bool greeted = world->servers[server].smtp && !world->links[node][server].cut;
    struct event event = {
        .kind = EVENT_GREETED,
        .greeted = {peer, greeted, greeted ? "" : "connection refused"},
    };
    if (peer >= 0) {
        node_handle(world, node, &event, NULL);
    }
}

static void perform(struct world *world, int node, const struct action *action,
                    const struct message *message)
{
    switch (action->kind) {
    case ACTION_SEND:
        send(world, node, action);
        break;
    case ACTION_DELETE:
        delete_message(world, message);
        break;
    case ACTION_NOTIFY:
        journal_notice(world, node, &action->incident, action->notice);
        break;
    case ACTION_WINDOW:
        journal_window(world, node, &action->window.window, action->window.transition);
        break;
    case ACTION_RECORD_PROBE:
        journal_record(world, node, &action->probe);
        break;
    case ACTION_EXCHANGE:
        http_exchange(world, node, action->peer);
        break;
    case ACTION_ACKNOWLEDGED:
        journal_acknowledged(world, node, action);
        break;
    case ACTION_BOUNCE:
        journal_bounce(world, node, action);
        break;
    case ACTION_SAY_CLOCK:
        journal_clock(world, node, action->clock_step);
        break;
    case ACTION_SAY_REFUSED:
        journal_refused(world, node, action->refused.reason);
        break;
    case ACTION_SAY_UNKNOWN: // nobody lies here
        journal_check(world, false, node, "receipts for probes that were never sent");
        break;
    case ACTION_GREET:
        greet(world, node, action->peer);
        break;
    case ACTION_SAY_DRAINED:
        journal_drained(world, node, &action->drained);
        break;
    case ACTION_SAY_COHORT:
        journal_cohort(world, node, action->cohort.peer, action->cohort.direction,
                       &action->cohort.cohort);
        break;
    case ACTION_SAY_ROUTE:
        journal_route(world, node, action);
        break;
    case ACTION_INCIDENT:
    case ACTION_RECORD_HABITS:
    case ACTION_RESERVE_SLOTS:
    case ACTION_SAY_LOOP: // no mailbox of a world forwards
    case ACTION_KINDS:
        break;
    }
}

// Carries out what the core has decided; false when the agent was killed amid it.
static bool carry_out(struct world *world, int node, struct message *message)
{
    struct node *agent = node_of(world, node);
    const struct actions *actions = &world->actions;
    enum kill_phase kill = actions->count > 0 ? agent->kill : KILL_NONE;
    size_t deeds = kill == KILL_NONE         ? actions->count
                   : kill == KILL_AMID_DEEDS ? actions->count / 2
                                             : 0;
    for (size_t i = 0; kill != KILL_BEFORE_COMMIT && i < actions->count; i++) {
        commit(world, node, &actions->items[i], message);
    }
    if (kill != KILL_BEFORE_COMMIT) {
        agent->ledger.alive = world_moment(world, node).wall;
    }
    for (size_t i = 0; i < deeds; i++) {
        perform(world, node, &actions->items[i], message);
    }
    if (kill != KILL_NONE) {
        journal_kill(world, node, kill);
        agent->crashed = true;
        node_restart(world, node);
    }
    return kill == KILL_NONE;
}

static void schedule_node(struct world *world, int node)
{
    struct node *agent = node_of(world, node);
    struct instant due = core_next_deadline(agent->core);
    due.ns -= world->servers[node].boot_offset.ns;
    agent->deadline = instant_later(due, world->now);
}

void node_handle(struct world *world, int node, const struct event *event, struct message *message)
{
    struct node *agent = node_of(world, node);
    core_handle(agent->core, event, world_moment(world, node), &world->actions);
    if (carry_out(world, node, message)) {
        schedule_node(world, node);
    }
}

void node_time(struct world *world, int node)
{
    struct event event = {.kind = EVENT_TIME};
    node_handle(world, node, &event, NULL);
}

static struct submit_outcome outcome_of(const struct world *world, const struct message *message,
                                        enum submission submission)
{
    struct submit_outcome outcome = {
        .result = SUBMIT_ACCEPTED, .reply_class = REPLY_2XX, .code = 250, .reply = "250 2.0.0 Ok"};
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        outcome.legs[i] = (struct span){i == LEG_CONNECT || i == LEG_SUBMIT ? 1000000 : -1};
    }
    struct moment now = world_moment(world, message->from);
    struct span ago = walltime_since(now.wall, message->sent);
    if (walltime_known(message->sent)) {
        outcome.sent = (struct moment){{now.instant.ns - ago.ns}, message->sent};
    }
    bool nobody = submission == SUBMISSION_NO_SERVER;
    if (submission == SUBMISSION_ACCEPTED) {
        outcome.accepted = now;
    } else {
        bool refused = submission == SUBMISSION_REJECTED;
        outcome.result = refused || nobody ? SUBMIT_REFUSED : SUBMIT_UNCERTAIN;
        outcome.reply_class = refused ? REPLY_5XX : nobody ? REPLY_CONNECT : REPLY_TIMEOUT;
        outcome.code = refused ? 550 : 0;
        text_copy(outcome.reply, sizeof outcome.reply, refused ? "550 5.7.1 go away" : "");
        text_copy(outcome.cause, sizeof outcome.cause, nobody ? "connection refused" : "");
    }
    outcome.certificate = world_certificate(world, message->from, PART_SMTP);
    if (nobody && outcome.certificate.seen && !outcome.certificate.verified) {
        outcome.reply_class = REPLY_TLS;
        text_copy(outcome.cause, sizeof outcome.cause, "certificate is not trusted");
    }
    return outcome;
}

void node_submitted(struct world *world, struct message *message, enum submission submission)
{
    struct node *agent = node_of(world, message->from);
    int peer = settings_find_peer(agent->settings, message->tag.to);
    if (peer >= 0) {
        struct event event = {
            .kind = EVENT_SUBMITTED,
            .submitted = {.peer = peer,
                          .id = message->tag.id,
                          .outcome = outcome_of(world, message, submission)},
        };
        node_handle(world, message->from, &event, NULL);
    }
    message_free(message);
}
