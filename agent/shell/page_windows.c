#include "shell/page_windows.h"

#include "shell/page_cell.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"

size_t page_windows_count(const struct agent *agent)
{
    return core_windows(agent_core(agent))->count;
}

static void origin_cell(struct text *out, const struct window *window)
{
    page_begin_cell(out, "By", "words");
    page_append_escaped(out, window->by);
    text_format(out, " <span class=\"soft\">(%s)</span></td>", window_origin_name(window->origin));
}

static void append_reason(struct text *out, const struct core *core, const struct window *window,
                          int peer)
{
    char why[INCIDENT_CAUSE_SIZE * 2];
    core_acknowledgement(core, window, peer, why, sizeof why);
    text_append(out, ": ");
    page_append_escaped(out, why);
    text_append(out, "</li>");
}

// Who knows of it, or who does not, so many in all; the first of them by name, and no more of the
// peers are looked at.
static void append_names(struct text *out, const struct core *core, const struct window *window,
                         bool knowing, bool with_reasons, unsigned all)
{
    enum { NAMED = 4 };
    const struct settings *settings = core_settings(core);
    unsigned named = 0, wanted = all < NAMED ? all : NAMED;
    for (int i = 0; i < (int)settings->peer_count && named < wanted; i++) {
        if (!core_acknowledges(core, window, i) || core_acknowledged(core, window, i) != knowing) {
            continue;
        }
        named++;
        text_append(out, with_reasons ? "<li>" : named > 1 ? ", " : knowing ? " by " : "not by ");
        page_append_escaped(out, settings->peers[i].name);
        if (with_reasons) {
            append_reason(out, core, window, i);
        }
    }
    if (all > named) {
        text_format(out, with_reasons ? "<li>and %u more</li>" : " and %u more", all - named);
    }
}

// By name, and folded behind them why.
static void append_unknowing(struct text *out, const struct core *core, const struct window *window,
                             unsigned all)
{
    text_append(out, "<details><summary>");
    append_names(out, core, window, false, false, all);
    text_append(out, "</summary>\n<ul class=\"folded soft\">");
    append_names(out, core, window, false, true, all);
    text_append(out, "</ul></details>");
}

static void acknowledged_cell(struct text *out, const struct core *core,
                              const struct window *window)
{
    struct acknowledgement_count count = core_acknowledgement_count(core, window);
    page_begin_cell(out, "Acknowledged", "");
    if (window->origin == ORIGIN_PEER) {
        text_append(out, "by us");
    } else {
        text_format(out, "<b class=\"%s\">%u/%u</b>", count.known < count.of ? "warn" : "",
                    count.known, count.of);
        append_names(out, core, window, true, false, count.known);
        if (count.known < count.of) {
            append_unknowing(out, core, window, count.of - count.known);
        }
    }
    text_append(out, "</td>");
}

static void state_cell(struct text *out, enum window_state state)
{
    page_begin_cell(out, "State", "");
    page_append_state(out, state == WINDOW_ANNOUNCED ? TONE_SOFT : TONE_CALM,
                      window_state_name(state));
    text_append(out, "</td>");
}

void page_windows_row(struct text *out, const struct agent *agent, size_t index, struct moment now)
{
    const struct window *window = &core_windows(agent_core(agent))->items[index];
    struct span recovery = agent_settings(agent)->maintenance.recovery;
    enum window_state state = window_state_at(window, now.wall, recovery);
    if (state == WINDOW_OVER) {
        return;
    }
    text_append(out, "<tr id=\"window-");
    page_append_escaped(out, window->id);
    text_append(out, "\">");
    text_append(out, "<th scope=\"row\">");
    page_append_escaped(out, window->server);
    text_append(out, " <small>");
    page_append_escaped(out, window->id);
    text_append(out, "</small></th>");
    state_cell(out, state);
    page_cell(out, "Kind", "", window_kind_name(window->kind));
    page_time_cell(out, "Begin", window_from(window), now.wall);
    page_time_cell(out, "End", window_until(window), now.wall);
    origin_cell(out, window);
    page_cell(out, "Reason", "words", window->reason);
    acknowledged_cell(out, agent_core(agent), window);
    text_append(out, "</tr>\n");
}

const struct window *page_windows_active(const struct agent *agent, struct walltime now)
{
    const struct windows *windows = core_windows(agent_core(agent));
    const struct window *found = NULL;
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->items[i];
        if (window_state_at(window, now, SPAN_ZERO) == WINDOW_ACTIVE &&
            (found == NULL || window->end.ns > found->end.ns)) {
            found = window;
        }
    }
    return found;
}

size_t page_windows_count_active(const struct agent *agent, struct walltime now)
{
    const struct windows *windows = core_windows(agent_core(agent));
    size_t active = 0;
    for (size_t i = 0; i < windows->count; i++) {
        active += window_state_at(&windows->items[i], now, SPAN_ZERO) == WINDOW_ACTIVE;
    }
    return active;
}
