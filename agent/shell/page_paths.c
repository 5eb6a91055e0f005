#include "shell/page_paths.h"

#include "shell/page_sign.h"
#include "shell/page_spark.h"
#include "shell/page_text.h"

enum { PEERS_SHOWN = 100, PEERS_A_PIECE = 64 };

static const struct path *path_of(const struct peer *peer, enum direction direction)
{
    return direction == OUTBOUND ? &peer->outbound.path : &peer->inbound.path;
}

static void append_latency(struct text *out, const struct path *path)
{
    double median = decisions_median(&path->decisions);
    if (walltime_known(path->last_arrival)) {
        text_append(out, "<span class=\"latency\"><b>");
        page_append_span(out, path->last_latency);
        text_append(out, "</b>");
        if (median >= 0) {
            text_append(out, " <span class=\"soft\">median ");
            page_append_span(out, span_from_seconds(median));
            text_append(out, "</span>");
        }
        text_append(out, "</span>");
    }
}

static void append_course(struct text *out, const struct peer *peer, enum direction direction,
                          struct walltime now)
{
    const struct path *path = path_of(peer, direction);
    size_t flying = direction == OUTBOUND ? peer->outbound.flights.count : 0;
    text_append(out, "<span class=\"soft\">");
    if (walltime_known(path->last_arrival)) {
        text_append(out, "last came ");
        page_append_countdown(out, path->last_arrival, now);
    } else {
        text_append(out, "nothing has come yet");
    }
    if (flying > 0) {
        text_format(out, ", %zu in flight", flying);
    }
    text_append(out, "</span>");
}

static void append_cell(struct text *out, const struct core *core, int number,
                        enum direction direction, struct moment now)
{
    const struct peer *peer = core_peer(core, number);
    enum path_state state = core_path_state(core, number, direction, now);
    enum page_tone tone = page_tone_of_path(state);
    char text[SUBJECT_TEXT_SIZE];
    core_path_text(core, number, direction, text);
    text_format(out, "<td class=\"way %s\"><div>", page_tone_class(tone));
    page_append_state(out, tone, path_state_name(state));
    text_append(out, " ");
    page_append_path_link(out, text);
    text_append(out, "</div><div>");
    append_latency(out, path_of(peer, direction));
    page_append_spark(out, &path_of(peer, direction)->decisions);
    text_append(out, "</div><div>");
    append_course(out, peer, direction, now.wall);
    text_append(out, "</div></td>");
}

static void append_row(struct text *out, const struct core *core, int number, struct moment now)
{
    text_append(out, "<tr><th scope=\"row\">");
    page_append_escaped(out, core_peer(core, number)->settings->name);
    text_append(out, "</th>");
    append_cell(out, core, number, OUTBOUND, now);
    append_cell(out, core, number, INBOUND, now);
    text_append(out, "</tr>\n");
}

static bool is_well(const struct core *core, int number, struct moment now)
{
    return core_path_state(core, number, OUTBOUND, now) == PATH_OK &&
           core_path_state(core, number, INBOUND, now) == PATH_OK;
}

bool page_paths_next(struct text *out, const struct agent *agent, struct page_matrix *matrix,
                     struct moment now)
{
    const struct core *core = agent_core(agent);
    size_t peers = agent_settings(agent)->peer_count;
    for (unsigned seen = 0; seen < PEERS_A_PIECE; seen++) {
        if (matrix->peer >= peers || matrix->shown >= PEERS_SHOWN) {
            return false;
        }
        int number = (int)matrix->peer++;
        if (peers <= PEERS_SHOWN || !is_well(core, number, now)) {
            append_row(out, core, number, now);
            matrix->shown++;
            return true;
        }
    }
    return true;
}

bool page_paths_are_many(const struct agent *agent)
{
    return agent_settings(agent)->peer_count > PEERS_SHOWN;
}

struct page_unknown page_paths_unknown(const struct agent *agent, struct moment now)
{
    struct page_unknown unknown = {0};
    size_t peers = page_paths_are_many(agent) ? 0 : agent_settings(agent)->peer_count;
    for (size_t i = peers * DIRECTIONS; i-- > 0;) { // backward: the first stays
        int peer = (int)(i / DIRECTIONS);
        enum direction direction = (enum direction)(i % DIRECTIONS);
        if (core_path_state(agent_core(agent), peer, direction, now) == PATH_UNKNOWN) {
            unknown = (struct page_unknown){unknown.count + 1, peer, direction};
        }
    }
    return unknown;
}

void page_paths_summary(struct text *out, const struct agent *agent, struct moment now)
{
    size_t peers = agent_settings(agent)->peer_count, counts[PATH_STATES] = {0};
    if (peers == 0 || page_paths_are_many(agent)) {
        return;
    }
    for (size_t i = 0; i < peers; i++) {
        counts[core_path_state(agent_core(agent), (int)i, OUTBOUND, now)]++;
        counts[core_path_state(agent_core(agent), (int)i, INBOUND, now)]++;
    }
    if (counts[PATH_OK] == peers * DIRECTIONS) {
        text_format(out, "<p>All %zu paths are ok.</p>\n", counts[PATH_OK]);
        return;
    }
    text_append(out, "<p>Paths:");
    const char *before = " ";
    for (int state = 0; state < PATH_STATES; state++) {
        if (counts[state] > 0) {
            text_format(out, "%s%zu %s", before, counts[state],
                        path_state_name((enum path_state)state));
            before = ", ";
        }
    }
    text_append(out, ".</p>\n");
}

void page_paths_caption(struct text *out, const struct agent *agent)
{
    size_t peers = agent_settings(agent)->peer_count;
    if (page_paths_are_many(agent)) {
        text_format(out,
                    "Of %zu peers those whose mail does not flow, at most %d; "
                    "<a href=\"/api/v1/paths\">all as JSON</a>.",
                    peers, PEERS_SHOWN);
    } else {
        text_append(out, "Both ways between this server and each peer: the newest latency, the "
                         "median and the course of the last 64 probes.");
    }
}
