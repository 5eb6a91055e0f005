#include "shell/page_tables.h"

#include "shell/page_cell.h"
#include "shell/page_incidents.h"
#include "shell/page_mesh.h"
#include "shell/page_text.h"

// ---- maintenance ----

static size_t count_windows(const struct agent *agent)
{
    return core_windows(agent_core(agent))->count;
}

static void origin_cell(struct text *out, const struct window *window)
{
    page_begin_cell(out, "By", "");
    page_append_escaped(out, window->by);
    text_format(out, " <span class=\"soft\">(%s)</span></td>", window_origin_name(window->origin));
}

// Who does not know, and why, as far as there is room for it.
static void append_ignorant(struct text *out, const struct core *core, const struct window *window)
{
    enum { SHOWN = 3 };
    const struct settings *settings = core_settings(core);
    unsigned ignorant = 0;
    for (size_t i = 0; i < settings->peer_count; i++) {
        char why[INCIDENT_CAUSE_SIZE * 2];
        if (core_acknowledges(core, window, (int)i) &&
            core_acknowledgement(core, window, (int)i, why, sizeof why) != ACKNOWLEDGED &&
            ignorant++ < SHOWN) {
            text_append(out, ignorant == 1 ? "; not " : ", ");
            page_append_escaped(out, settings->peers[i].name);
            text_append(out, " <span class=\"soft\">(");
            page_append_escaped(out, why);
            text_append(out, ")</span>");
        }
    }
    if (ignorant > SHOWN) {
        text_format(out, " and %u more", ignorant - SHOWN);
    }
}

static void acknowledged_cell(struct text *out, const struct core *core,
                              const struct window *window)
{
    struct acknowledgement_count count = core_acknowledgement_count(core, window);
    page_begin_cell(out, "Acknowledged", count.known < count.of ? "warn" : "");
    if (window->origin == ORIGIN_PEER) {
        text_append(out, "by us");
    } else {
        text_format(out, "%u/%u", count.known, count.of);
        append_ignorant(out, core, window);
    }
    text_append(out, "</td>");
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
    page_cell(out, "Server", "", window->server);
    page_cell(out, "State", "calm", window_state_name(state));
    page_cell(out, "Kind", "", window_kind_name(window->kind));
    page_time_cell(out, "Begin", window->begin, now.wall);
    page_time_cell(out, "End", window->end, now.wall);
    origin_cell(out, window);
    page_cell(out, "Reason", "", window->reason);
    acknowledged_cell(out, agent_core(agent), window);
    page_cell(out, "Id", "soft", window->id);
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
    page_begin_cell(out, "In flight", "number");
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
    page_cell(out, "Path", "", text);
    page_cell(out, "State", state_class(state), path_state_name(state));
    page_span_cell(out, "Last latency", walltime_known(path->last_arrival), path->last_latency);
    page_span_cell(out, "Median", median >= 0, span_from_seconds(median));
    in_flight_cell(out, peer, direction);
    page_time_cell(out, "Last arrival", path->last_arrival, now.wall);
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
    page_cell(out, "Mailbox", "", mailbox->settings->name);
    page_cell(out, "State", mailbox->readable ? "good" : "bad",
              mailbox->readable ? "readable" : "not readable");
    page_time_cell(out, "Last read", mailbox->complete, now.wall);
    page_begin_cell(out, "Not ours", "number");
    text_format(out, "%lld</td>", (long long)mailbox->foreign_messages);
    page_cell(out, "Cause", "", mailbox->readable ? "" : mailbox->cause);
    text_append(out, "</tr>\n");
}

// ---- the tables ----

const struct page_table PAGE_TABLE[PAGE_TABLES] = {
    {"Open incidents", "",
     "<th>Incident</th><th>Severity</th><th>Subject</th><th>Since</th><th>Evidence</th>"
     "<th>Notified</th><th>Explains</th>",
     "None.", page_incidents_count, page_incidents_row},
    {"Maintenance", "",
     "<th>Server</th><th>State</th><th>Kind</th><th>Begin</th><th>End</th><th>By</th>"
     "<th>Reason</th><th>Acknowledged</th><th>Id</th>",
     "None.", count_windows, window_row},
    {"Paths", "",
     "<th>Path</th><th>State</th><th class=\"number\">Last latency</th>"
     "<th class=\"number\">Median</th><th class=\"number\">In flight</th><th>Last arrival</th>",
     "No peer is configured.", count_paths, path_row},
    {"Mesh", "matrix", "", "Drawn for 3 to 42 servers; mailflowctl mesh has it for more.",
     page_mesh_count, page_mesh_row},
    {"Mailboxes", "",
     "<th>Mailbox</th><th>State</th><th>Last read</th><th class=\"number\">Not ours</th>"
     "<th>Cause</th>",
     "None is configured.", count_mailboxes, mailbox_row},
};
