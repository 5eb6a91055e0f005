#include "shell/page_mesh.h"

#include "core/matrix.h"
#include "shell/page_cell.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"

// A row of the most, with the longest names, must fit into a part of the page.
enum { SERVERS_LEAST = 3, SERVERS_MOST = 42 };

size_t page_mesh_count(const struct agent *agent)
{
    size_t servers = agent_settings(agent)->peer_count + 1;
    return servers < SERVERS_LEAST || servers > SERVERS_MOST ? 0 : servers + 1;
}

// Ours first, then the peers.
static int server_at(size_t number)
{
    return (int)number - 1;
}

static const char *name_of(const struct agent *agent, int server)
{
    const struct settings *settings = agent_settings(agent);
    return server < 0 ? settings->server : settings->peers[server].name;
}

static void append_head(struct text *out, size_t servers)
{
    text_append(out, "<tr><th scope=\"col\" colspan=\"2\">From, to</th>");
    for (size_t i = 0; i < servers; i++) {
        text_format(out, "<th scope=\"col\">%zu</th>", i + 1);
    }
    text_append(out, "</tr>\n");
}

// Who says so of what is not well, for the pointer to show.
static void append_title(struct text *out, const struct matrix_cell *cell)
{
    const struct matrix_word *word = &cell->words[0];
    text_append(out, " title=\"");
    page_append_escaped(out, cell->from);
    text_append(out, " to ");
    page_append_escaped(out, cell->to);
    text_format(out, " %s, says ", row_view_name(cell->view));
    page_append_escaped(out, word->by);
    if (word->dated && cell->peer < 0) {
        text_append(out, ", ");
        page_append_span(out, word->age);
        text_append(out, " ago");
    }
    text_append(out, "\"");
}

static void append_view(struct text *out, enum row_view view)
{
    static const enum page_tone TONES_OF[] = {
        [ROW_UNKNOWN] = TONE_SOFT, [ROW_OK] = TONE_GOOD, [ROW_BAD] = TONE_BAD};
    page_append_named_sign(out, TONES_OF[view], row_view_name(view));
}

static void append_cell(struct text *out, const struct matrix_cell *cell)
{
    if (cell->word_count == 0) {
        text_append(out, "<td></td>");
        return;
    }
    text_append(out, "<td");
    if (cell->view != ROW_OK) {
        append_title(out, cell);
    }
    text_append(out, ">");
    append_view(out, cell->view);
    text_append(out, "</td>");
}

void page_mesh_row(struct text *out, const struct agent *agent, size_t index, struct moment now)
{
    size_t servers = agent_settings(agent)->peer_count + 1;
    if (index == 0) {
        append_head(out, servers);
        return;
    }
    int from = server_at(index - 1);
    text_append(out, "<tr>");
    page_row_head(out, name_of(agent, from));
    text_format(out, "<td class=\"soft\">%zu</td>", index);
    for (size_t i = 0; i < servers; i++) {
        int to = server_at(i);
        if (to == from) {
            text_append(out, "<td class=\"soft\">&ndash;</td>");
        } else {
            struct matrix_cell cell = matrix_between(agent_core(agent), from, to, now);
            append_cell(out, &cell);
        }
    }
    text_append(out, "</tr>\n");
}
