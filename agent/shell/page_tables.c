#include "shell/page_tables.h"

#include "shell/page_text.h"

static void begin_cell(struct text *out, const char *label, const char *class)
{
    text_format(out, "<td data-label=\"%s\"%s%s%s>", label, class[0] == '\0' ? "" : " class=\"",
                class, class[0] == '\0' ? "" : "\"");
}

static void cell(struct text *out, const char *label, const char *class, const char *value)
{
    begin_cell(out, label, class);
    page_append_escaped(out, value);
    text_append(out, "</td>");
}

static void time_cell(struct text *out, const char *label, struct walltime at, struct walltime now)
{
    begin_cell(out, label, "");
    page_append_time(out, at, now);
    text_append(out, "</td>");
}

static void span_cell(struct text *out, const char *label, bool known, struct span of)
{
    begin_cell(out, label, "number");
    if (known) {
        page_append_span(out, of);
    } else {
        text_append(out, "&ndash;");
    }
    text_append(out, "</td>");
}

// ---- incidents ----

static size_t count_incidents(const struct agent *agent)
{
    return core_incidents(agent_core(agent))->count;
}

static void append_because(struct text *out, const char *cause)
{
    if (cause[0] != '\0') {
        text_append(out, ": ");
        page_append_escaped(out, cause);
    }
}

static void append_evidence(struct text *out, const struct incident *incident)
{
    const struct evidence *evidence = &incident->evidence;
    switch (incident->kind) {
    case INCIDENT_BLIND:
        text_append(out, "cannot be read");
        append_because(out, evidence->cause);
        return;
    case INCIDENT_REFUSED:
        text_format(out, "%u submissions in a row failed", evidence->failures);
        append_because(out, evidence->cause);
        return;
    case INCIDENT_SILENT:
        text_append(out, "nothing came for ");
        page_append_span(out, evidence->oldest_age);
        text_append(out, ", more than ");
        page_append_span(out, evidence->threshold);
        return;
    case INCIDENT_SLOW:
        text_format(out, "%u of the last %u took more than ", evidence->late, evidence->of);
        page_append_span(out, evidence->threshold);
        text_append(out, ", the last ");
        page_append_span(out, evidence->latency);
        return;
    case INCIDENT_ISOLATED:
    case INCIDENT_OVERRUN:
    case INCIDENT_DOWN:
    case INCIDENT_UNHEARD:
    case INCIDENT_STUCK:
    case INCIDENT_LOST:
    case INCIDENT_CLOCK:
    case INCIDENT_FORGED:
    case INCIDENTS:
        return;
    }
}

static void append_notified(struct text *out, const struct incident *incident)
{
    if (incident->notified) {
        text_append(out, "yes");
    } else if (incident->suppressed_by[0] != '\0') {
        text_append(out, "held back by ");
        page_append_escaped(out, incident->suppressed_by);
    } else {
        text_append(out, "not yet");
    }
}

static void incident_row(struct text *out, const struct agent *agent, size_t index,
                         struct moment now)
{
    const struct incident *incident = core_incidents(agent_core(agent))->places[index];
    if (incident == NULL) {
        return;
    }
    text_append(out, "<tr>");
    cell(out, "Incident", incident->severity == SEVERITY_CRITICAL ? "bad" : "warn",
         incident_kind_name(incident->kind));
    cell(out, "Severity", "", severity_name(incident->severity));
    cell(out, "Subject", "", incident->subject_text);
    time_cell(out, "Since", incident->began, now.wall);
    begin_cell(out, "Evidence", "");
    append_evidence(out, incident);
    text_append(out, "</td>");
    begin_cell(out, "Notified", "");
    append_notified(out, incident);
    text_append(out, "</td></tr>\n");
}

// ---- maintenance ----

static size_t count_windows(const struct agent *agent)
{
    return core_windows(agent_core(agent))->count;
}

static void window_row(struct text *out, const struct agent *agent, size_t index, struct moment now)
{
    const struct window *window = &core_windows(agent_core(agent))->items[index];
    struct span recovery = agent_settings(agent)->maintenance.recovery;
    enum window_state state = window_state_at(window, now.wall, recovery);
    if (state == WINDOW_OVER) {
        return;
    }
    text_append(out, "<tr>");
    cell(out, "Server", "", window->server);
    cell(out, "State", "calm", window_state_name(state));
    cell(out, "Kind", "", window_kind_name(window->kind));
    time_cell(out, "Begin", window->begin, now.wall);
    time_cell(out, "End", window->end, now.wall);
    cell(out, "By", "", window->by);
    cell(out, "Reason", "", window->reason);
    cell(out, "Id", "soft", window->id);
    text_append(out, "</tr>\n");
}

// ---- paths ----

static size_t count_paths(const struct agent *agent)
{
    return agent_settings(agent)->peer_count * DIRECTIONS;
}

static const char *state_class(enum path_state state)
{
    static const char *const CLASSES[PATH_STATES] = {
        [PATH_OK] = "good",      [PATH_SLOW] = "warn",        [PATH_SILENT] = "bad",
        [PATH_REFUSED] = "bad",  [PATH_MAINTENANCE] = "calm", [PATH_RECOVERING] = "calm",
        [PATH_UNKNOWN] = "soft",
    };
    return CLASSES[state];
}

static void in_flight_cell(struct text *out, const struct peer *peer, enum direction direction)
{
    begin_cell(out, "In flight", "number");
    if (direction == OUTBOUND) {
        text_format(out, "%zu", peer->outbound.flights.count);
    } else {
        text_append(out, "&ndash;");
    }
    text_append(out, "</td>");
}

static void path_row(struct text *out, const struct agent *agent, size_t index, struct moment now)
{
    const struct core *core = agent_core(agent);
    int number = (int)(index / DIRECTIONS);
    enum direction direction = index % DIRECTIONS == 0 ? OUTBOUND : INBOUND;
    const struct peer *peer = core_peer(core, number);
    const struct path *path = direction == OUTBOUND ? &peer->outbound.path : &peer->inbound.path;
    enum path_state state = core_path_state(core, number, direction, now);
    double median = decisions_median(&path->decisions);
    char text[SUBJECT_TEXT_SIZE];
    core_path_text(core, number, direction, text);
    text_append(out, "<tr>");
    cell(out, "Path", "", text);
    cell(out, "State", state_class(state), path_state_name(state));
    span_cell(out, "Last latency", walltime_known(path->last_arrival), path->last_latency);
    span_cell(out, "Median", median >= 0, span_from_seconds(median));
    in_flight_cell(out, peer, direction);
    time_cell(out, "Last arrival", path->last_arrival, now.wall);
    text_append(out, "</tr>\n");
}

// ---- mailboxes ----

static size_t count_mailboxes(const struct agent *agent)
{
    return agent_settings(agent)->mailbox_count;
}

static void mailbox_row(struct text *out, const struct agent *agent, size_t index,
                        struct moment now)
{
    const struct mailbox *mailbox = core_mailbox(agent_core(agent), (int)index);
    text_append(out, "<tr>");
    cell(out, "Mailbox", "", mailbox->settings->name);
    cell(out, "State", mailbox->readable ? "good" : "bad",
         mailbox->readable ? "readable" : "not readable");
    time_cell(out, "Last read", mailbox->complete, now.wall);
    begin_cell(out, "Not ours", "number");
    text_format(out, "%lld</td>", (long long)mailbox->foreign_messages);
    cell(out, "Cause", "", mailbox->readable ? "" : mailbox->cause);
    text_append(out, "</tr>\n");
}

// ---- the tables ----

const struct page_table PAGE_TABLE[PAGE_TABLES] = {
    {"Open incidents",
     "<th>Incident</th><th>Severity</th><th>Subject</th><th>Since</th><th>Evidence</th>"
     "<th>Notified</th>",
     "None.", count_incidents, incident_row},
    {"Maintenance",
     "<th>Server</th><th>State</th><th>Kind</th><th>Begin</th><th>End</th><th>By</th>"
     "<th>Reason</th><th>Id</th>",
     "None.", count_windows, window_row},
    {"Paths",
     "<th>Path</th><th>State</th><th class=\"number\">Last latency</th>"
     "<th class=\"number\">Median</th><th class=\"number\">In flight</th><th>Last arrival</th>",
     "No peer is configured.", count_paths, path_row},
    {"Mailboxes",
     "<th>Mailbox</th><th>State</th><th>Last read</th><th class=\"number\">Not ours</th>"
     "<th>Cause</th>",
     "None is configured.", count_mailboxes, mailbox_row},
};
