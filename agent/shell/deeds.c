#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "shell/agent_internal.h"
#include "shell/endpoint.h"

#define SUBMIT_DEADLINE SPAN_SECONDS(60)
#define ALIVE_EVERY     SPAN_SECONDS(1)

static struct deed *add_deed(struct agent *agent, enum deed_kind kind)
{
    if (agent->deed_count == agent->deed_room) {
        agent->deed_room = agent->deed_room == 0 ? 64 : agent->deed_room * 2;
        agent->deeds =
            memory_checked(realloc(agent->deeds, agent->deed_room * sizeof *agent->deeds));
    }
    struct deed *deed = &agent->deeds[agent->deed_count++];
    *deed = (struct deed){.kind = kind};
    return deed;
}

// ---- gathering ----

static void gather_send(struct agent *agent, const struct action *action, struct moment now)
{
    struct probe_record record = {
        .id = action->send.tag.id,
        .direction = OUTBOUND,
        .kind = action->send.tag.kind,
        .state = PROBE_SENDING,
        .slot = action->send.tag.slot,
        .planned = now.wall,
    };
    text_copy(record.peer, sizeof record.peer, action->send.tag.to);
    store_put_probe(agent->store, &record);
    struct deed *deed = add_deed(agent, DEED_SEND);
    deed->send.tag = action->send.tag;
    text_copy(deed->send.peer, sizeof deed->send.peer, action->send.tag.to);
}

static void gather_record(struct agent *agent, const struct action *action,
                          const struct event *event)
{
    const struct probe_record *record = &action->probe;
    store_put_probe(agent->store, record);
    if (event->kind == EVENT_SUBMITTED && probe_id_equal(&record->id, &event->submitted.id)) {
        store_put_outcome(agent->store, &record->id, &event->submitted.outcome);
    }
    if (event->kind == EVENT_ARRIVAL &&
        probe_id_equal(&record->id, &event->arrival.report->tag.id)) {
        store_put_message(agent->store, &record->id, event->arrival.report);
    }
    add_deed(agent, DEED_SAY_PROBE)->probe = *record;
}

static void gather_delete(struct agent *agent, const struct event *event)
{
    const struct collect_report *report = event->arrival.report;
    struct deed *deed = add_deed(agent, DEED_DELETE);
    text_copy(deed->message.mailbox, sizeof deed->message.mailbox, report->mailbox);
    text_copy(deed->message.folder, sizeof deed->message.folder, report->folder);
    deed->message.uid_validity = report->uid_validity;
    deed->message.uid = report->uid;
}

static void gather_one(struct agent *agent, const struct action *action, const struct event *event,
                       struct moment now)
{
    struct deed *deed;
    switch (action->kind) {
    case ACTION_SEND:
        gather_send(agent, action, now);
        break;
    case ACTION_RECORD_PROBE:
        gather_record(agent, action, event);
        break;
    case ACTION_DELETE:
        gather_delete(agent, event);
        break;
    case ACTION_INCIDENT:
        store_put_incident(agent->store, &action->incident);
        agent->durable |= action->incident.notified;
        break;
    case ACTION_NOTIFY:
        deed = add_deed(agent, DEED_NOTIFY);
        deed->notify.incident = action->incident;
        deed->notify.notice = action->notice;
        break;
    case ACTION_WINDOW:
        store_put_window(agent->store, &action->window.window);
        agent->durable = true;
        deed = add_deed(agent, DEED_SAY_WINDOW);
        deed->window.window = action->window.window;
        deed->window.transition = action->window.transition;
        break;
    case ACTION_RESERVE_SLOTS:
        store_put_slots(agent->store, agent->settings->peers[action->slots.peer].name,
                        action->slots.reserved);
        agent->durable = true;
        break;
    }
}

void agent_gather(struct agent *agent, const struct event *event)
{
    struct moment now = clock_now();
    for (size_t i = 0; i < agent->actions.count; i++) {
        gather_one(agent, &agent->actions.items[i], event, now);
    }
}

// ---- doing ----

static void do_send(struct agent *agent, const struct deed *deed)
{
    int peer = settings_find_peer(agent->settings, deed->send.peer);
    if (peer < 0) {
        return; // a reload removed it within this very turn
    }
    const struct peer_settings *settings = &agent->settings->peers[peer];
    struct submit_job job = {
        .deadline = instant_add(clock_now().instant, SUBMIT_DEADLINE),
        .tag = deed->send.tag,
        .key = agent->settings->mesh_keys.keys[0],
    };
    struct receipts receipts;
    struct text list = TEXT_OVER(job.receipts);
    core_receipts(agent->core, peer, &receipts);
    receipts_format(&receipts, &list);
    endpoint_of_relay(&settings->relay, &job.relay);
    text_copy(job.sender, sizeof job.sender, agent->settings->address);
    text_copy(job.recipient, sizeof job.recipient, settings->address);
    text_copy(job.ehlo, sizeof job.ehlo, strrchr(agent->settings->address, '@') + 1);
    submitters_submit(agent->submitters, &job);
}

static void do_notify(struct agent *agent, const struct deed *deed)
{
    const struct incident *incident = &deed->notify.incident;
    struct store_probe probe;
    bool evidence = incident->evidence.has_probe && incident->kind != INCIDENT_REFUSED &&
                    store_get_probe(agent->store, &incident->evidence.probe, &probe);
    journal_incident(agent->journal, incident, deed->notify.notice, evidence ? probe.reply : "");
}

static void do_say_probe(struct agent *agent, const struct probe_record *record)
{
    char path[SUBJECT_TEXT_SIZE];
    int peer = settings_find_peer(agent->settings, record->peer);
    if (peer >= 0) {
        core_path_text(agent->core, peer, record->direction, path);
        journal_probe(agent->journal, record, path);
    }
}

static void do_deed(struct agent *agent, const struct deed *deed)
{
    switch (deed->kind) {
    case DEED_SEND:
        do_send(agent, deed);
        break;
    case DEED_DELETE:
        collectors_delete(agent->collectors, deed->message.mailbox, deed->message.folder,
                          deed->message.uid_validity, deed->message.uid);
        break;
    case DEED_NOTIFY:
        do_notify(agent, deed);
        break;
    case DEED_SAY_WINDOW:
        journal_window(agent->journal, &deed->window.window, deed->window.transition);
        break;
    case DEED_SAY_PROBE:
        do_say_probe(agent, &deed->probe);
        break;
    }
}

// The ledger did not take the turn: nothing is sent and nothing deleted on its word, but what the
// operator must hear is said.
static void refuse_deed(struct agent *agent, const struct deed *deed, const char *reason)
{
    if (deed->kind != DEED_SEND) {
        if (deed->kind != DEED_DELETE) {
            do_deed(agent, deed);
        }
        return;
    }
    struct submit_outcome outcome = {.result = SUBMIT_REFUSED, .reply_class = REPLY_LOCAL};
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        outcome.legs[i] = (struct span){-1};
    }
    text_copy(outcome.cause, sizeof outcome.cause, reason);
    agent_on_submitted(agent, deed->send.peer, &deed->send.tag.id, &outcome);
}

static bool commit(struct agent *agent, struct error *error)
{
    struct walltime now = clock_now().wall;
    if (agent->deed_count > 0 && walltime_since(now, agent->alive).ns > ALIVE_EVERY.ns) {
        store_put_alive(agent->store, now);
        agent->alive = now;
    }
    bool taken = store_commit(agent->store, agent->durable ? STORE_DURABLE : STORE_FAST, error);
    agent->durable = false;
    agent->ledger_failing = !taken;
    if (taken) {
        journal_ledger_works_again(agent->journal);
    } else {
        journal_ledger_failed(agent->journal, error->message);
    }
    return taken;
}

bool agent_settle(struct agent *agent)
{
    struct error error = {""};
    bool taken = commit(agent, &error);
    struct deed *deeds = agent->deeds;
    size_t count = agent->deed_count;
    agent->deeds = NULL; // what the deeds lead to belongs to the next turn
    agent->deed_count = agent->deed_room = 0;
    for (size_t i = 0; i < count; i++) {
        if (taken) {
            do_deed(agent, &deeds[i]);
        } else {
            refuse_deed(agent, &deeds[i], error.message);
        }
    }
    free(deeds);
    return taken;
}
