// Commits the rows of a turn, and does what may be done only once they are there.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "shell/agent_internal.h"
#include "probes/endpoint.h"

#define SUBMIT_DEADLINE SPAN_SECONDS(60)
#define ALIVE_EVERY     SPAN_SECONDS(1)

enum { REST_MS = 250 }; // so long a turn that can wait for another to commit with does

struct deed *deeds_add(struct deeds *deeds, enum deed_kind kind)
{
    if (deeds->count == deeds->room) {
        deeds->room = deeds->room == 0 ? 64 : deeds->room * 2;
        deeds->items = memory_checked(realloc(deeds->items, deeds->room * sizeof *deeds->items));
    }
    struct deed *deed = &deeds->items[deeds->count++];
    *deed = (struct deed){.kind = kind};
    deeds->pressing |= kind != DEED_DELETE && kind != DEED_SAY_PROBE;
    return deed;
}

static void refuse_send(struct agent *agent, const struct deed *deed, const char *reason)
{
    struct submit_outcome outcome = {.result = SUBMIT_REFUSED, .reply_class = REPLY_LOCAL};
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        outcome.legs[i] = (struct span){-1};
    }
    text_copy(outcome.cause, sizeof outcome.cause, reason);
    agent_on_submitted(agent, deed->send.peer, &deed->send.tag.id, &outcome);
}

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
    struct exchange said;
    core_compose(agent->core, peer, clock_now(), &said);
    memcpy(job.maintenance, said.maintenance, sizeof job.maintenance);
    memcpy(job.receipts, said.receipts, sizeof job.receipts);
    memcpy(job.row, said.row, sizeof job.row);
    text_copy(job.sender, sizeof job.sender, agent->settings->address);
    text_copy(job.recipient, sizeof job.recipient, settings->address);
    text_copy(job.ehlo, sizeof job.ehlo, strrchr(agent->settings->address, '@') + 1);
    endpoint_of_relay(&settings->relay, &job.relay);
    sendings_give(agent->sendings, &job, &settings->relay.oauth);
    explicit_bzero(&job.relay, sizeof job.relay);
}

static void do_notify(struct agent *agent, const struct deed *deed)
{
    const struct incident *incident = &deed->notify.incident;
    struct store_probe probe;
    struct store_bounce bounce;
    bool failed = incident->kind == INCIDENT_BOUNCED;
    bool waits = incident->kind == INCIDENT_SLOW || incident->kind == INCIDENT_SILENT;
    bool reported = (failed || (waits && incident->evidence.has_probe)) &&
                    store_get_bounce(agent->store, &incident->evidence.probe,
                                     failed ? BOUNCE_FAILED : BOUNCE_DELAYED, &bounce);
    bool evidence = incident->evidence.has_probe && incident->kind != INCIDENT_REFUSED &&
                    incident->kind != INCIDENT_BOUNCED &&
                    store_get_probe(agent->store, &incident->evidence.probe, &probe);
    struct incident_notice said = {
        .incident = incident,
        .notice = deed->notify.notice,
        .owed = deed->notify.number,
        .perhaps_again = deed->notify.perhaps_again,
        .smtp = evidence ? probe.reply : "",
        .bounce = reported ? &bounce.bounce : NULL,
    };
    journal_incident(agent->journal, &said);
}

// A change that ends the window now is said by its end.
static void do_say_window(struct agent *agent, const struct deed *deed)
{
    const struct window *window = &deed->window.window;
    struct moment now = clock_now();
    bool changed = deed->window.transition == WINDOW_CHANGED;
    if (changed && window->origin != ORIGIN_PEER) {
        announced_note(&agent->announced, window, now.instant);
    }
    if (!changed || window->cancelled || window->end.ns > now.wall.ns) {
        journal_window(agent->journal, window, deed->window.transition,
                       core_acknowledgement_count(agent->core, window));
    }
}

// The last of the peers has acknowledged this revision, and none is there to replace it.
static void do_say_acknowledged(struct agent *agent, const struct deed *deed)
{
    const struct window *window =
        windows_find(core_windows(agent->core), deed->acknowledged.window);
    if (window == NULL || window->revision != deed->acknowledged.revision) {
        return;
    }
    struct acknowledgement_count count = core_acknowledgement_count(agent->core, window);
    struct span after;
    if (count.known == count.of &&
        announced_known(&agent->announced, window, clock_now().instant, &after)) {
        journal_acknowledged(agent->journal, window, count, after);
    }
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
        do_say_window(agent, deed);
        break;
    case DEED_SAY_ACKNOWLEDGED:
        do_say_acknowledged(agent, deed);
        break;
    case DEED_SAY_PROBE:
        do_say_probe(agent, &deed->probe);
        break;
    case DEED_SAY_BOUNCE:
        journal_bounce(agent->journal, deed->bounce.path, &deed->bounce.probe, deed->bounce.fate,
                       &deed->bounce.bounce);
        break;
    case DEED_SAY_DRAINED:
        journal_drained(agent->journal, &deed->drained);
        break;
    case DEED_SAY_COHORT:
        journal_cohort(agent->journal, &deed->cohort.cohort, deed->cohort.path);
        break;
    case DEED_SAY_CLOCK:
        journal_clock_stepped(agent->journal, agent->settings->server, deed->clock_step);
        break;
    case DEED_SAY_REFUSED:
        journal_window_refused(agent->journal, deed->refused.peer, deed->refused.reason);
        break;
    case DEED_SAY_UNKNOWN:
        journal_receipts_unknown(agent->journal, deed->unknown.peer, deed->unknown.count,
                                 &deed->unknown.first);
        break;
    case DEED_SAY_LOOP:
        journal_loop(agent->journal, deed->loop.path, deed->loop.mailbox, &deed->loop.probe);
        break;
    case DEED_SAY_ROUTE:
        journal_route_changed(agent->journal, deed->route.path, deed->route.route,
                              deed->route.usual, deed->route.window);
        break;
    case DEED_EXCHANGE:
        agent_want_exchange(agent, deed->peer);
        break;
    case DEED_GREET:
        agent_ask_for_greeting(agent, deed->peer);
        break;
    }
}

// The ledger did not take the turn: nothing is sent on its word, and deleted only once it has, but
// what the operator must hear is said.
static void refuse_deed(struct agent *agent, const struct deed *deed, const char *reason)
{
    switch (deed->kind) {
    case DEED_SEND:
        refuse_send(agent, deed, reason);
        break;
    case DEED_DELETE:
        *deeds_add(&agent->postponed, DEED_DELETE) = *deed;
        break;
    case DEED_EXCHANGE:
        agent_refuse_exchange(agent, deed->peer, reason);
        break;
    case DEED_NOTIFY:
    case DEED_SAY_WINDOW:
    case DEED_SAY_ACKNOWLEDGED:
    case DEED_SAY_PROBE:
    case DEED_SAY_BOUNCE:
    case DEED_SAY_DRAINED:
    case DEED_SAY_COHORT:
    case DEED_SAY_CLOCK:
    case DEED_SAY_REFUSED:
    case DEED_SAY_UNKNOWN:
    case DEED_SAY_LOOP:
    case DEED_SAY_ROUTE:
    case DEED_GREET:
        do_deed(agent, deed);
        break;
    }
}

// What must survive is committed with the time: the windows that began before it have been said.
static bool commit_turn(struct agent *agent, struct error *error)
{
    struct walltime now = clock_now().wall;
    if (agent->writes.waiting) {
        writes_repeat(&agent->writes, agent->store);
    }
    bool deeds = agent->deeds.count > 0 && walltime_since(now, agent->alive).ns > ALIVE_EVERY.ns;
    if (deeds || agent->durable || agent->writes.waiting) {
        store_put_alive(agent->store, now);
        agent->alive = now;
    }
    bool durable = agent->durable || agent->writes.waiting;
    return store_commit(agent->store, durable ? STORE_DURABLE : STORE_FAST, error);
}

static void begin_waiting(struct agent *agent, const struct error *error)
{
    agent->writes.waiting = true;
    agent->ledger_failure = *error;
    journal_ledger_failed(agent->journal, error->message);
}

// True when the ledger has what was decided. After a failure it is tried once a second; in between
// all that is decided waits.
static bool commit(struct agent *agent)
{
    if (agent->writes.waiting && !agent->ledger_retry) {
        return false;
    }
    struct error error;
    bool taken = commit_turn(agent, &error);
    agent->ledger_retry = false;
    if (!taken) {
        begin_waiting(agent, &error);
        return false;
    }
    agent->writes.waiting = false;
    writes_forget(&agent->writes);
    agent->durable = agent->struck = false;
    journal_ledger_works_again(agent->journal);
    return true;
}

void agent_notice_said(void *context, int64_t number)
{
    struct agent *agent = context;
    writes_forget_notice(&agent->writes, agent->store, number);
    agent->struck = true;
}

// A notice is owed from the commit that decided it to this one, after its line was taken or, of too
// many that wait, dropped. An agent that is killed in between says it at its next start: while the
// first commit goes to the disk, and as long as nobody takes the line, none is lost. Killed between
// the line and this commit, a fraction of a millisecond, it says it once more; nobody could tell
// which it was, so the line says "maybe".
void agent_settle_notices(struct agent *agent)
{
    struct error error;
    if (!agent->struck || agent->writes.waiting) {
        return;
    }
    if (store_commit(agent->store, STORE_FAST, &error)) {
        writes_forget(&agent->writes);
        agent->struck = false;
    } else {
        begin_waiting(agent, &error);
    }
}

static bool is_said(enum deed_kind kind)
{
    return kind != DEED_SEND && kind != DEED_DELETE && kind != DEED_EXCHANGE && kind != DEED_GREET;
}

static void do_those(struct agent *agent, const struct deeds *deeds, bool said, bool taken)
{
    for (size_t i = 0; i < deeds->count; i++) {
        const struct deed *deed = &deeds->items[i];
        bool unrecorded = deed->kind == DEED_SEND && !deed->send.recorded;
        if (is_said(deed->kind) != said) {
            continue;
        }
        if (taken && !unrecorded) {
            do_deed(agent, deed);
        } else {
            refuse_deed(agent, deed, agent->ledger_failure.message);
        }
    }
}

static struct deeds take(struct deeds *deeds)
{
    struct deeds taken = *deeds;
    *deeds = (struct deeds){0}; // what the deeds lead to belongs to the next turn
    return taken;
}

// What is said comes first: it takes no time, and notices are not owed longer than they must.
bool agent_settle(struct agent *agent)
{
    bool taken = commit(agent);
    struct deeds deeds = take(&agent->deeds), postponed = {0};
    do_those(agent, &deeds, true, taken);
    if (taken) {
        agent_settle_notices(agent);
        postponed = take(&agent->postponed);
    }
    do_those(agent, &postponed, false, true);
    do_those(agent, &deeds, false, taken);
    if (taken) {
        agent_serve_exchanges(agent);
    }
    free(postponed.items);
    free(deeds.items);
    return taken;
}

static void on_rest(uv_timer_t *timer)
{
    agent_settle(timer->data);
}

// What only notes that probes were taken over or arrived may be committed with what follows: their
// mail lies at the server until it is, and is found again after a crash. An exchange that may begin
// does not wait for that.
static bool can_rest(const struct agent *agent)
{
    return agent->deeds.count > 0 && !agent->deeds.pressing && !agent->durable && !agent->struck &&
           !agent->writes.waiting &&
           exchanges_next(&agent->exchanges, fetcher_running(agent->fetcher)) < 0;
}

void agent_end_turn(struct agent *agent)
{
    bool rests = can_rest(agent);
    if (!rests) {
        uv_timer_stop(&agent->rest);
        agent_settle(agent);
    } else if (!uv_is_active((uv_handle_t *)&agent->rest)) {
        uv_timer_start(&agent->rest, on_rest, REST_MS, 0);
    }
}
