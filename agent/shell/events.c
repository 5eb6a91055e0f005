#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "shell/agent_internal.h"

static void on_deadline(uv_timer_t *timer)
{
    agent_feed_time(timer->data);
}

static void set_deadline(struct agent *agent)
{
    struct span ahead = instant_since(core_next_deadline(agent->core), clock_now().instant);
    // Never 0: libuv would call again at once, before the turn is settled and others are served.
    uint64_t ms = ahead.ns <= 1000000 ? 1 : (uint64_t)((ahead.ns + 999999) / 1000000);
    uv_update_time(agent->loop);
    uv_timer_start(&agent->deadline, on_deadline, ms, 0);
}

void agent_feed(struct agent *agent, const struct event *event)
{
    core_handle(agent->core, event, clock_now(), &agent->actions);
    agent_gather(agent, event);
    set_deadline(agent);
}

void agent_feed_time(struct agent *agent)
{
    struct event event = {.kind = EVENT_TIME};
    agent_feed(agent, &event);
}

void agent_on_submitted(void *context, const char *peer, const struct probe_id *id,
                        const struct submit_outcome *outcome)
{
    struct agent *agent = context;
    struct event event = {.kind = EVENT_SUBMITTED};
    event.submitted.peer = settings_find_peer(agent->settings, peer);
    event.submitted.id = *id;
    event.submitted.outcome = *outcome;
    if (sendings_try_again(agent->sendings, id, &event.submitted.outcome)) {
        return;
    }
    if (event.submitted.peer >= 0) {
        agent_feed(agent, &event);
    }
}

void agent_on_tokens(void *context)
{
    struct agent *agent = context;
    sendings_look_again(agent->sendings);
    collectors_look_again(agent->collectors);
}

void agent_on_prober_died(void *context, const char *how)
{
    struct agent *agent = context;
    journal_prober_died(agent->journal, "mailflow-submit", how);
}

static enum arrival_known look_up(struct agent *agent, const struct collect_report *report)
{
    enum store_arrival waiting =
        agent->writes.waiting ? writes_find_arrival(&agent->writes, report) : STORE_ARRIVAL_NEW;
    switch (waiting != STORE_ARRIVAL_NEW ? waiting : store_find_arrival(agent->store, report)) {
    case STORE_ARRIVAL_SAME:
        return ARRIVAL_SAME;
    case STORE_ARRIVAL_DUPLICATE:
        return ARRIVAL_DUPLICATE;
    case STORE_ARRIVAL_NEW:
        break;
    }
    return ARRIVAL_NEW;
}

static void on_readable(struct agent *agent, int mailbox, const struct collect_report *report)
{
    bool readable = report->kind == COLLECT_UP;
    const char *cause = report->cause;
    const struct mailbox *known = core_mailbox(agent->core, mailbox);
    if (readable && !known->readable) {
        journal_mailbox_up(agent->journal, known->settings->name);
    } else if (!readable && (known->readable || strcmp(known->cause, cause) != 0)) {
        journal_mailbox_down(agent->journal, known->settings->name, cause);
    }
    struct event event = {.kind = EVENT_MAILBOX};
    event.mailbox.mailbox = mailbox;
    event.mailbox.readable = readable;
    event.mailbox.cause = cause;
    event.mailbox.certificate = &report->certificate;
    agent_feed(agent, &event);
}

// Ids can be read by strangers: where the envelope's is all that there is, the report must be about
// the address as well that the probe went to. What is not under our signature is not deleted.
static bool went_there(const struct agent *agent, const char *peer, const struct bounce *bounce)
{
    int index = settings_find_peer(agent->settings, peer);
    const char *address = index < 0 ? "" : agent->settings->peers[index].address;
    return address[0] != '\0' && (text_equal_ignoring_case(address, bounce->recipient) ||
                                  text_equal_ignoring_case(address, bounce->original_recipient));
}

// One that knows the probe by its id alone is about a probe of ours when the ledger has it.
static bool claim_bounce(struct agent *agent, const struct collect_report *report,
                         struct collect_report *ours)
{
    struct store_probe probe;
    *ours = *report;
    if (report->verified) {
        return true;
    }
    if (!store_get_probe(agent->store, &report->tag.id, &probe) ||
        probe.record.direction != OUTBOUND ||
        !went_there(agent, probe.record.peer, &report->bounce)) {
        return false;
    }
    text_copy(ours->tag.from, sizeof ours->tag.from, agent->settings->server);
    text_copy(ours->tag.to, sizeof ours->tag.to, probe.record.peer);
    return true;
}

void agent_on_report(void *context, int mailbox, const struct collect_report *report)
{
    struct agent *agent = context;
    struct event event = {0};
    struct collect_report ours;
    switch (report->kind) {
    case COLLECT_UP:
    case COLLECT_DOWN:
        on_readable(agent, mailbox, report);
        return;
    case COLLECT_COMPLETE:
        event.kind = EVENT_COLLECTED;
        event.collected.mailbox = mailbox;
        event.collected.at = report->at.wall;
        event.collected.foreign = report->foreign;
        break;
    case COLLECT_TRACE:
        return; // a part of the arrival's report
    case COLLECT_ARRIVAL:
        event.kind = EVENT_ARRIVAL;
        event.arrival.mailbox = mailbox;
        event.arrival.known = look_up(agent, report);
        event.arrival.report = report;
        break;
    case COLLECT_BOUNCE:
        event.kind = EVENT_BOUNCE;
        event.arrival.mailbox = mailbox;
        event.arrival.report = &ours;
        if (!claim_bounce(agent, report, &ours)) {
            return;
        }
        break;
    case COLLECT_REJECTED:
        journal_rejected(agent->journal, report->mailbox, rejection_name(report->rejection),
                         report->cause);
        event.kind = EVENT_REJECTED;
        event.rejected = report->rejection;
        break;
    }
    agent_feed(agent, &event);
}
