#include <string.h>

#include "core/server.h"
#include "core/trouble.h"

struct span notify_hold(const struct core *core, const struct incident *incident)
{
    if (!incident_rule(incident->kind)->held) {
        return SPAN_ZERO;
    }
    if (incident->kind == INCIDENT_CERTIFICATE) {
        return certificate_hold(core, incident);
    }
    if (core->settings->incidents.hold.ns > 0) {
        return core->settings->incidents.hold;
    }
    struct span hold = span_longer(trouble_interval(core, incident), SPAN_SECONDS(30));
    return span_shorter(hold, SPAN_MINUTES(5));
}

static const struct window *suppressing_window(const struct core *core,
                                               const struct incident *incident, struct moment now)
{
    const struct window *longest = NULL;
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *window = &core->windows.items[i];
        if (window_suppresses(window, now.wall, core->settings->maintenance.settle) &&
            trouble_touches(core, &incident->subject, window->server) &&
            (longest == NULL || window_until(window).ns > window_until(longest).ns)) {
            longest = window;
        }
    }
    return longest;
}

// The receiver has not been heard for as long as would be silence: a peer whose next probe is
// merely not due yet will speak for itself.
static bool receiver_is_mute(const struct core *core, const struct incident *incident,
                             struct moment now)
{
    const struct peer *peer = &core->peers[incident->subject.peer];
    struct span unheard = walltime_since(now.wall, peer->heard);
    struct span limit = path_silence_limit(peer, peer->inbound.sender_interval);
    return peer->collect >= 0 || (peer->heard.ns <= incident->opened.ns && unheard.ns > limit.ns);
}

// The receiver speaks of a path; the sender of what it knows alone, and of the rest only when the
// receiver has no agent or has not been heard since. Of our own server the others speak.
static bool ours_to_say(const struct core *core, const struct incident *incident, struct moment now)
{
    if (incident->kind == INCIDENT_OVERRUN || incident->kind == INCIDENT_DOWN) {
        return incident->subject.peer != OWN_SERVER || !server_has_agents(core, OWN_SERVER);
    }
    if ((incident->kind == INCIDENT_SILENT || incident->kind == INCIDENT_SLOW) &&
        incident->subject.direction == OUTBOUND) {
        return receiver_is_mute(core, incident, now);
    }
    return true;
}

void notify_say(struct core *core, const struct incident *incident, enum notice notice)
{
    struct action *action = core_act(core, ACTION_NOTIFY);
    action->incident = *incident;
    action->notice = notice;
}

// What it tells of age goes on while it waits.
static void grow_older(struct incident *incident, bool reminder, struct moment now)
{
    if (incident->evidence.oldest_age.ns > 0) {
        struct walltime told = reminder ? incident->notified_at : incident->opened;
        struct span since = walltime_since(now.wall, told);
        incident->evidence.oldest_age = span_add(incident->evidence.oldest_age, since);
    }
}

// What has been said is not said again before its time: a cause may have taken it over, a restart
// may lie between, and what adds up single events has nothing to add.
static struct instant next_word(const struct core *core, const struct incident *incident,
                                struct moment now)
{
    if (!incident->notified || incident->renewed) {
        return now.instant;
    }
    struct span kept = incident_rule(incident->kind)->kept;
    if (kept.ns > 0) {
        return moment_instant_at(now, walltime_add(incident->last, kept));
    }
    if (incident->flapping) {
        return INSTANT_NEVER;
    }
    return moment_instant_at(
        now, walltime_add(incident->notified_at, core->settings->incidents.reminder));
}

static void say_now(struct core *core, struct incident *incident, struct moment now)
{
    bool reminder = incident->notified && !incident->renewed;
    enum flap_turn turn = reminder ? FLAP_SAY : flap_notify(core, incident, now);
    grow_older(incident, reminder, now);
    cells_gather(core, incident, now);
    incident->notified = true;
    incident->cause = 0;
    incident->renewed = false;
    incident->notified_at = now.wall;
    finding_notified(incident);
    trouble_record(core, incident);
    if (turn != FLAP_SAY_NOTHING) {
        core->incident_counts[incident->kind][incident->severity].notified++;
        notify_say(core, incident,
                   reminder                    ? NOTICE_REMINDER
                   : turn == FLAP_SAY_FLAPPING ? NOTICE_FLAPPING
                                               : NOTICE_FIRING);
    }
    trouble_set_timer(core, incident, next_word(core, incident, now));
}

// Of a kind that adds up single events what came beside a window or a cause is not said after it.
static void forget_news(struct incident *incident)
{
    incident->renewed = incident->renewed && incident_rule(incident->kind)->kept.ns == 0;
}

// Something else is wrong than what was said, and what explains that would keep it quiet, were it
// not open already.
static bool news_is_explained(const struct core *core, const struct incident *incident)
{
    struct incident fresh = *incident;
    fresh.notified = false;
    return incident->renewed && incident_rule(incident->kind)->kept.ns > 0 &&
           fold_find_cause(core, &fresh) != NULL;
}

// Counted and said at info, once for each window that holds it back.
static void suppress(struct core *core, struct incident *incident, const struct window *window,
                     struct moment now)
{
    if (strcmp(incident->suppressed_by, window->id) != 0) {
        text_copy(incident->suppressed_by, sizeof incident->suppressed_by, window->id);
        core->incident_counts[incident->kind][incident->severity].suppressed++;
        server_count_suppressed(core, window->server);
        cells_gather(core, incident, now);
        trouble_record(core, incident);
        notify_say(core, incident, NOTICE_SUPPRESSED);
    }
    forget_news(incident);
    struct walltime until = walltime_add(window_until(window), core->settings->maintenance.settle);
    trouble_set_timer(core, incident, moment_instant_at(now, until));
}

// Its cause speaks for it; asked again now and then, for causes come and go.
static void hush(struct core *core, struct incident *cause, struct incident *incident,
                 struct moment now)
{
    fold_under(cause, incident);
    cause->aftermath.suppressed += !incident->hushed;
    incident->hushed = true;
    struct span again = span_longer(notify_hold(core, incident), SPAN_SECONDS(30));
    trouble_set_timer(core, incident, instant_add(now.instant, again));
}

void notify_due(struct core *core, struct incident *incident, struct moment now)
{
    struct incident *cause = fold_find_cause(core, incident);
    if (cause != NULL) {
        hush(core, cause, incident, now);
        return;
    }
    if ((incident->hushed && !incident->notified && fold_is_over(core, incident, now)) ||
        down_is_refuted(core, incident, now)) {
        trouble_close_soon(core, incident, now);
        return;
    }
    if (news_is_explained(core, incident)) {
        forget_news(incident);
    }
    struct instant word = next_word(core, incident, now);
    const struct window *window = suppressing_window(core, incident, now);
    word = instant_later(word, isolation_decides(core, incident, now));
    if (!instant_reached(now.instant, word)) {
        trouble_set_timer(core, incident, word);
    } else if (!ours_to_say(core, incident, now) || down_asks(core, incident)) {
        struct span again = span_longer(notify_hold(core, incident), SPAN_SECONDS(1));
        trouble_set_timer(core, incident, instant_add(now.instant, again));
    } else if (window != NULL) {
        suppress(core, incident, window, now);
    } else {
        say_now(core, incident, now);
    }
}

void notify_closed(struct core *core, const struct incident *incident)
{
    if (incident->notified && !incident->flapping) {
        notify_say(core, incident, NOTICE_RESOLVED);
    }
}
