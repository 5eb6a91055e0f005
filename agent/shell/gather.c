// What the core's actions of one event come to: rows for the ledger now, deeds once they are there.
#include <string.h>

#include "base/clock.h"
#include "shell/agent_internal.h"

// An action, and the event that it comes of.
struct occasion {
    const struct action *action;
    const struct event *event;
    struct moment now;
};

static struct deed *add_deed(struct agent *agent, enum deed_kind kind)
{
    return deeds_add(&agent->deeds, kind);
}

static void gather_send(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    struct probe_record record = {
        .id = action->send.tag.id,
        .direction = OUTBOUND,
        .kind = action->send.tag.kind,
        .state = PROBE_SENDING,
        .slot = action->send.tag.slot,
        .planned = occasion->now.wall,
    };
    text_copy(record.peer, sizeof record.peer, action->send.tag.to);
    struct deed *deed = add_deed(agent, DEED_SEND);
    deed->send.recorded = !writes_full(&agent->writes);
    if (deed->send.recorded) {
        writes_put_probe(&agent->writes, agent->store, &record);
    }
    deed->send.tag = action->send.tag;
    text_copy(deed->send.peer, sizeof deed->send.peer, action->send.tag.to);
}

static void write_trace(struct agent *agent, const struct probe_record *record,
                        const struct trace *trace)
{
    if (trace_known(trace)) {
        writes_put_trace(&agent->writes, agent->store, &record->id, trace, record->rerouted);
    }
}

static void write_record(struct agent *agent, const struct probe_record *record,
                         const struct event *event)
{
    if (writes_full(&agent->writes)) {
        return;
    }
    writes_put_probe(&agent->writes, agent->store, record);
    if (event->kind == EVENT_SUBMITTED && probe_id_equal(&record->id, &event->submitted.id)) {
        writes_put_outcome(&agent->writes, agent->store, &record->id, &event->submitted.outcome);
    }
    if (event->kind == EVENT_ARRIVAL &&
        probe_id_equal(&record->id, &event->arrival.report->tag.id)) {
        writes_put_message(&agent->writes, agent->store, event->arrival.report);
        write_trace(agent, record, &event->arrival.report->trace);
    }
}

static void gather_record(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    const struct event *event = occasion->event;
    write_record(agent, &action->probe, event);
    add_deed(agent, DEED_SAY_PROBE)->probe = action->probe;
}

static void gather_bounce(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    const struct collect_report *report = occasion->event->arrival.report;
    enum bounce_fate fate = action->bounce.fate;
    bool kept = fate == BOUNCE_FATE_BOUNCED || fate == BOUNCE_FATE_DELAYED;
    if (kept && !writes_full(&agent->writes)) {
        writes_put_bounce(&agent->writes, agent->store, &action->bounce.probe, &report->bounce,
                          report->present.wall);
    }
    struct deed *deed = add_deed(agent, DEED_SAY_BOUNCE);
    core_path_text(agent->core, action->bounce.peer, OUTBOUND, deed->bounce.path);
    deed->bounce.probe = action->bounce.probe;
    deed->bounce.fate = fate;
    deed->bounce.bounce = report->bounce;
}

static void gather_delete(struct agent *agent, const struct occasion *occasion)
{
    const struct collect_report *report = occasion->event->arrival.report;
    if (writes_full(&agent->writes)) {
        return; // its arrival cannot be recorded either
    }
    struct deed *deed = add_deed(agent, DEED_DELETE);
    text_copy(deed->message.mailbox, sizeof deed->message.mailbox, report->mailbox);
    text_copy(deed->message.folder, sizeof deed->message.folder, report->folder);
    deed->message.uid_validity = report->uid_validity;
    deed->message.uid = report->uid;
}

static void gather_acknowledged(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    writes_put_acknowledged(&agent->writes, agent->store, action->acknowledged.window,
                            action->acknowledged.revision, action->acknowledged.peer);
    agent->durable = true;
    struct deed *deed = add_deed(agent, DEED_SAY_ACKNOWLEDGED);
    text_copy(deed->acknowledged.window, WINDOW_ID_SIZE, action->acknowledged.window);
    deed->acknowledged.revision = action->acknowledged.revision;
}

static void gather_cohort(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    struct deed *deed = add_deed(agent, DEED_SAY_COHORT);
    core_path_text(agent->core, action->cohort.peer, action->cohort.direction, deed->cohort.path);
    deed->cohort.cohort = action->cohort.cohort;
}

static void gather_refused(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    const char *peer = agent->settings->peers[action->refused.peer].name;
    struct deed *deed = add_deed(agent, DEED_SAY_REFUSED);
    text_copy(deed->refused.peer, sizeof deed->refused.peer, peer);
    text_copy(deed->refused.reason, sizeof deed->refused.reason, action->refused.reason);
}

static void gather_unknown(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    const char *peer = agent->settings->peers[action->unknown.peer].name;
    struct deed *deed = add_deed(agent, DEED_SAY_UNKNOWN);
    text_copy(deed->unknown.peer, sizeof deed->unknown.peer, peer);
    deed->unknown.count = action->unknown.count;
    deed->unknown.first = action->unknown.first;
}

static void gather_loop(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    const char *mailbox = agent->settings->mailboxes[action->loop.mailbox].name;
    struct deed *deed = add_deed(agent, DEED_SAY_LOOP);
    core_path_text(agent->core, action->loop.peer, OUTBOUND, deed->loop.path);
    text_copy(deed->loop.mailbox, sizeof deed->loop.mailbox, mailbox);
    deed->loop.probe = action->loop.probe;
}

static void gather_route(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    struct deed *deed = add_deed(agent, DEED_SAY_ROUTE);
    core_path_text(agent->core, action->route.peer, action->route.direction, deed->route.path);
    memcpy(deed->route.window, action->route.window, sizeof deed->route.window);
    memcpy(deed->route.route, action->route.route, sizeof deed->route.route);
    memcpy(deed->route.usual, action->route.usual, sizeof deed->route.usual);
}

static void gather_habits(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    int peer = action->habits.peer;
    struct habits habits;
    core_habits(agent->core, peer, action->habits.direction, &habits);
    writes_put_habits(&agent->writes, agent->store, agent->settings->peers[peer].name,
                      action->habits.direction, &habits);
}

static void gather_for_peer(struct agent *agent, enum deed_kind kind, int peer)
{
    struct deed *deed = add_deed(agent, kind);
    text_copy(deed->peer, sizeof deed->peer, agent->settings->peers[peer].name);
}

static void gather_notify(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    int64_t number = ++agent->last_notice;
    writes_put_notice(&agent->writes, agent->store, number, action->incident.id, action->notice);
    struct deed *deed = add_deed(agent, DEED_NOTIFY);
    deed->notify.incident = action->incident;
    deed->notify.notice = action->notice;
    deed->notify.number = number;
}

static void gather_window(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    writes_put_window(&agent->writes, agent->store, &action->window.window);
    agent->durable = true;
    if (action->window.transition != WINDOW_HELD) {
        struct deed *deed = add_deed(agent, DEED_SAY_WINDOW);
        deed->window.window = action->window.window;
        deed->window.transition = action->window.transition;
    }
}

static void gather_slots(struct agent *agent, const struct occasion *occasion)
{
    const struct action *action = occasion->action;
    const char *peer = agent->settings->peers[action->slots.peer].name;
    writes_put_slots(&agent->writes, agent->store, peer, action->slots.reserved);
    agent->durable = true;
}

static void gather_incident(struct agent *agent, const struct occasion *occasion)
{
    writes_put_incident(&agent->writes, agent->store, &occasion->action->incident);
    agent->durable |= occasion->action->incident.notified;
}

static void gather_drained(struct agent *agent, const struct occasion *occasion)
{
    add_deed(agent, DEED_SAY_DRAINED)->drained = occasion->action->drained;
}

static void gather_clock(struct agent *agent, const struct occasion *occasion)
{
    add_deed(agent, DEED_SAY_CLOCK)->clock_step = occasion->action->clock_step;
}

static void gather_exchange(struct agent *agent, const struct occasion *occasion)
{
    gather_for_peer(agent, DEED_EXCHANGE, occasion->action->peer);
}

static void gather_greet(struct agent *agent, const struct occasion *occasion)
{
    gather_for_peer(agent, DEED_GREET, occasion->action->peer);
}

static void (*const GATHER[])(struct agent *agent, const struct occasion *occasion) = {
    [ACTION_SEND] = gather_send,
    [ACTION_RECORD_PROBE] = gather_record,
    [ACTION_BOUNCE] = gather_bounce,
    [ACTION_DELETE] = gather_delete,
    [ACTION_INCIDENT] = gather_incident,
    [ACTION_NOTIFY] = gather_notify,
    [ACTION_WINDOW] = gather_window,
    [ACTION_RESERVE_SLOTS] = gather_slots,
    [ACTION_EXCHANGE] = gather_exchange,
    [ACTION_GREET] = gather_greet,
    [ACTION_ACKNOWLEDGED] = gather_acknowledged,
    [ACTION_RECORD_HABITS] = gather_habits,
    [ACTION_SAY_DRAINED] = gather_drained,
    [ACTION_SAY_COHORT] = gather_cohort,
    [ACTION_SAY_CLOCK] = gather_clock,
    [ACTION_SAY_REFUSED] = gather_refused,
    [ACTION_SAY_UNKNOWN] = gather_unknown,
    [ACTION_SAY_LOOP] = gather_loop,
    [ACTION_SAY_ROUTE] = gather_route,
};
_Static_assert(sizeof GATHER / sizeof GATHER[0] == ACTION_KINDS, "an action that nobody gathers");

void agent_gather(struct agent *agent, const struct event *event)
{
    struct moment now = clock_now();
    for (size_t i = 0; i < agent->actions.count; i++) {
        struct occasion occasion = {&agent->actions.items[i], event, now};
        GATHER[occasion.action->kind](agent, &occasion);
    }
}
