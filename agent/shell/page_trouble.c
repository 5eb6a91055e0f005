#include "shell/page_trouble.h"

#include <assert.h>
#include <string.h>

#include "shell/page_text.h"

// ---- what is broken ----

// Around the subject. A kind without words is said by its name.
static const struct {
    const char *before;
    const char *after;
} TITLES[INCIDENTS] = {
    [INCIDENT_ISOLATED] = {"", " is cut off"},
    [INCIDENT_BLIND] = {"The mailbox ", " cannot be read"},
    [INCIDENT_OVERRUN] = {"", " is not back from its maintenance"},
    [INCIDENT_DOWN] = {"", " is down"},
    [INCIDENT_UNHEARD] = {"", " greets, but is not heard"},
    [INCIDENT_REFUSED] = {"", ": mail is refused"},
    [INCIDENT_SILENT] = {"", ": nothing arrives"},
    [INCIDENT_SLOW] = {"", ": mail is slow"},
    [INCIDENT_STUCK] = {"", ": mail is stuck though the maintenance is over"},
    [INCIDENT_LOST] = {"", ": mail was lost"},
    [INCIDENT_BOUNCED] = {"", ": mail comes back"},
    [INCIDENT_REROUTED] = {"", ": mail takes another route"},
    [INCIDENT_UNAUTHENTICATED] = {"", ": mail is not authenticated any more"},
    [INCIDENT_MISPLACED] = {"", ": mail is put into another folder"},
    [INCIDENT_CERTIFICATE] = {"", ": a certificate expires soon or is not valid"},
    [INCIDENT_CLOCK] = {"", ": its clock is wrong"},
    [INCIDENT_FORGED] = {"", " gets forged probes"},
};

void page_append_trouble(struct text *out, const struct incident *incident)
{
    const char *before = TITLES[incident->kind].before, *after = TITLES[incident->kind].after;
    if (before == NULL) {
        text_format(out, "%s: ", incident_kind_name(incident->kind));
    } else {
        text_append(out, before);
    }
    page_append_path(out, incident->subject_text);
    text_append(out, after == NULL ? "" : after);
}

// ---- whose fault ----

// One end of the path that the incident is about, or its server.
static void append_end(struct text *out, const struct incident *incident, bool sender)
{
    char from[SUBJECT_TEXT_SIZE];
    struct text text = TEXT_OVER(from);
    const char *arrow = strstr(incident->subject_text, "->");
    if (arrow == NULL) {
        page_append_escaped(out, incident->subject_text);
    } else if (sender) {
        text_append_bytes(&text, incident->subject_text, (size_t)(arrow - incident->subject_text));
        page_append_escaped(out, from);
    } else {
        page_append_escaped(out, arrow + 2);
    }
}

// Whose queue it was.
static void append_slow_hop(struct text *out, const struct agent *agent,
                            const struct incident *incident)
{
    const struct slowest_hop *hop = &incident->evidence.hop;
    if (hop->to[0] == '\0') {
        text_append(out, "not known: no other agent can tell");
        return;
    }
    page_append_escaped(out, strcmp(hop->from, HOP_AGENT) == 0 ? agent_settings(agent)->server
                                                               : hop->from);
    text_append(out, ", or its way to ");
    page_append_escaped(out, strcmp(hop->to, HOP_MAILBOX) == 0 ? "the mailbox" : hop->to);
    text_append(out, ": there the last probe was slowest");
}

// Whom the mail is handed over to.
static void append_relay(struct text *out, const struct agent *agent,
                         const struct incident *incident)
{
    const struct settings *settings = agent_settings(agent);
    const char *arrow = strstr(incident->subject_text, "->");
    int peer = arrow == NULL ? -1 : settings_find_peer(settings, arrow + 2);
    if (peer >= 0) {
        const struct relay_settings *relay = &settings->peers[peer].relay;
        bool ours =
            strcmp(relay->host, settings->relay.host) == 0 && relay->port == settings->relay.port;
        text_append(out, ours ? "our own relay, " : "the relay ");
        page_append_escaped(out, relay->host);
        text_format(out, ":%u, or our way to it", relay->port);
    } else {
        text_append(out, "the server that the mail is handed over to, or our way to it");
    }
}

// The peer's agent could tell of our probes' arrival, unless it does not take what we say.
static void append_silence(struct text *out, const struct agent *agent,
                           const struct incident *incident)
{
    bool outbound =
        incident->subject.kind == SUBJECT_PATH && incident->subject.direction == OUTBOUND;
    const struct peer *peer =
        outbound ? core_peer(agent_core(agent), incident->subject.peer) : NULL;
    text_append(out, "not known: ");
    if (peer != NULL && peer->exchange.cause != NULL) {
        page_append_escaped(out, peer->settings->name);
        text_append(out, " could tell, but ");
        page_append_escaped(out, peer->exchange.cause);
    } else {
        text_append(out, "no other agent can tell");
    }
}

// Nobody else says anything of it: what the kind itself tells.
static void append_guess(struct text *out, const struct agent *agent,
                         const struct incident *incident)
{
    switch (incident->kind) {
    case INCIDENT_OVERRUN:
    case INCIDENT_DOWN:
    case INCIDENT_UNHEARD:
    case INCIDENT_STUCK:
        page_append_escaped(out, incident->subject_text);
        text_append(out, ", as far as this agent alone can tell");
        break;
    case INCIDENT_BLIND:
        text_append(out, "the mailbox&rsquo;s server, or our way to it");
        break;
    case INCIDENT_CLOCK:
        page_append_escaped(out, incident->subject_text);
        text_append(out, "&rsquo;s clock, or that of ");
        page_append_escaped(out, agent_settings(agent)->server);
        break;
    case INCIDENT_CERTIFICATE:
        page_append_escaped(out, incident->subject_text);
        text_append(out, ", or those who look after its certificates");
        break;
    case INCIDENT_FORGED:
        text_append(out, "somebody who does not know the key of the mesh");
        break;
    case INCIDENT_SLOW:
        append_slow_hop(out, agent, incident);
        break;
    case INCIDENT_SILENT:
        append_silence(out, agent, incident);
        break;
    case INCIDENT_BOUNCED:
        append_end(out, incident, false);
        text_append(out, ", or a server before it: what it said stands below");
        break;
    case INCIDENT_REFUSED:
        append_relay(out, agent, incident);
        break;
    case INCIDENT_REROUTED:
    case INCIDENT_UNAUTHENTICATED:
    case INCIDENT_MISPLACED:
        text_append(out, "no outage: somebody changed ");
        append_end(out, incident, true);
        text_append(out, ", ");
        append_end(out, incident, false);
        text_append(out, " or what is between them");
        break;
    default:
        text_append(out, "not known: no other agent can tell");
        break;
    }
}

static void append_seen(struct text *out, const struct cells *cells)
{
    if (cells->of > 1) {
        text_format(out, "; %u of %u agents see it", cells->seen_by, cells->of);
    }
    if (cells->paths[0] != '\0') {
        text_append(out, " <span class=\"soft\">(");
        page_append_escaped(out, cells->paths);
        text_append(out, ")</span>");
    }
}

void page_append_culprit(struct text *out, const struct agent *agent,
                         const struct incident *incident)
{
    switch (incident->cells.culprit) {
    case CULPRIT_SERVER:
        append_end(out, incident, true);
        text_append(out, ": nobody&rsquo;s mail passes through it");
        break;
    case CULPRIT_SENDER:
        append_end(out, incident, true);
        text_append(out, ": what it sends arrives nowhere");
        break;
    case CULPRIT_RECEIVER:
        append_end(out, incident, false);
        text_append(out, ": nobody&rsquo;s mail arrives there");
        break;
    case CULPRIT_PATH:
        text_append(out, "neither server, the way between them: others&rsquo; mail passes");
        break;
    case CULPRIT_SELF:
        page_append_escaped(out, agent_settings(agent)->server);
        text_append(out, ", this server itself");
        break;
    case CULPRIT_UNKNOWN:
    case CULPRITS:
        append_guess(out, agent, incident);
        break;
    }
    append_seen(out, &incident->cells);
}

// ---- is it maintenance ----

static bool concerns(const struct agent *agent, const struct incident *incident,
                     const struct window *window)
{
    const struct settings *settings = agent_settings(agent);
    const char *server = window->server;
    int peer = incident->subject.peer;
    bool of_peer = incident->subject.kind != SUBJECT_GONE && peer >= 0 &&
                   (size_t)peer < settings->peer_count &&
                   strcmp(settings->peers[peer].name, server) == 0;
    bool of_path = incident->subject.kind == SUBJECT_PATH;
    bool ours = strcmp(settings->server, server) == 0;
    return of_peer || (ours && (of_path || peer < 0)) ||
           strcmp(incident->subject_text, server) == 0;
}

// The window that is active, else one whose queues may still drain.
static const struct window *window_of(const struct agent *agent, const struct incident *incident,
                                      struct walltime now)
{
    const struct windows *windows = core_windows(agent_core(agent));
    struct span recovery = agent_settings(agent)->maintenance.recovery;
    const struct window *found = NULL;
    assert(windows->count == 0 || windows->items != NULL);
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->items[i];
        enum window_state state = window_state_at(window, now, recovery);
        bool wanted = state == WINDOW_ACTIVE || (state == WINDOW_RECOVERING && found == NULL);
        if (wanted && concerns(agent, incident, window)) {
            found = window;
        }
        if (found == window && state == WINDOW_ACTIVE) {
            break;
        }
    }
    return found;
}

static void append_reason(struct text *out, const struct window *window)
{
    text_append(out, ", by ");
    page_append_escaped(out, window->by);
    if (window->reason[0] != '\0') {
        text_append(out, ": ");
        page_append_escaped(out, window->reason);
    }
}

static void append_overrun(struct text *out, const struct agent *agent,
                           const struct incident *incident, struct walltime now)
{
    const struct aftermath *aftermath = &incident->aftermath;
    const struct window *window = windows_find(core_windows(agent_core(agent)), aftermath->window);
    text_format(out, "Yes, overrun: its %s window ended ",
                window_kind_name(aftermath->window_kind));
    page_append_time(out, aftermath->planned_end, now);
    if (window != NULL) {
        append_reason(out, window);
    }
}

void page_append_maintenance(struct text *out, const struct agent *agent,
                             const struct incident *incident, struct walltime now)
{
    if (incident->kind == INCIDENT_OVERRUN) {
        append_overrun(out, agent, incident, now);
        return;
    }
    const struct window *window = window_of(agent, incident, now);
    if (window == NULL) {
        text_append(out, "No");
        return;
    }
    bool active = window_state_at(window, now, SPAN_ZERO) == WINDOW_ACTIVE;
    text_append(out, active ? "Yes: " : "It was: ");
    page_append_escaped(out, window->server);
    text_format(out, active ? " is in %s maintenance until " : "&rsquo;s %s maintenance ended ",
                window_kind_name(window->kind));
    page_append_time(out, window->end, now);
    append_reason(out, window);
}

// ---- all of them ----

bool page_trouble_is_folded(const struct incidents *incidents, const struct incident *incident)
{
    return incident->cause != 0 && incidents_find_id(incidents, incident->cause) >= 0;
}

static bool is_held_back(const struct incident *incident)
{
    return !incident->notified && incident->suppressed_by[0] != '\0';
}

int page_trouble_rank(const struct incident *incident)
{
    return is_held_back(incident) ? 2 : incident->severity == SEVERITY_CRITICAL ? 0 : 1;
}

struct page_troubles page_troubles_count(const struct agent *agent)
{
    const struct incidents *incidents = core_incidents(agent_core(agent));
    struct page_troubles troubles = {0};
    for (size_t i = 0; i < incidents->count; i++) {
        const struct incident *incident = incidents->places[i];
        if (incident == NULL || page_trouble_is_folded(incidents, incident)) {
            continue;
        }
        bool first = troubles.gravest == NULL;
        troubles.count++;
        troubles.held_back += is_held_back(incident);
        troubles.critical = troubles.critical || page_trouble_rank(incident) == 0;
        if (first || page_trouble_rank(incident) < page_trouble_rank(troubles.gravest)) {
            troubles.gravest = incident;
        }
    }
    return troubles;
}
