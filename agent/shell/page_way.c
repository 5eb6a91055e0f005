#include "shell/page_way.h"

#include <string.h>

#include "shell/page_sign.h"
#include "shell/page_text.h"

void page_append_route(struct text *out, const char *route)
{
    while (*route != '\0') {
        char host[ROUTE_SIZE];
        struct text text = TEXT_OVER(host);
        size_t length = strcspn(route, " ");
        text_append_bytes(&text, route, length);
        page_append_escaped(out, host);
        route += length + strspn(route + length, " ");
        text_append(out, *route == '\0' ? "" : " &rarr; ");
    }
}

void page_append_slowest(struct text *out, const struct slowest_hop *hop)
{
    page_append_span(out, hop->delay);
    text_append(out, " between ");
    page_append_escaped(out, strcmp(hop->from, HOP_AGENT) == 0 ? "the agent" : hop->from);
    text_append(out, " and ");
    page_append_escaped(out, strcmp(hop->to, HOP_MAILBOX) == 0 ? "the mailbox" : hop->to);
}

static void append_routes(struct text *out, const char *name, const struct routes *routes)
{
    for (size_t i = 0; i < routes->count; i++) {
        text_format(out, "<div><dt>%s</dt><dd class=\"words\">", i == 0 ? name : "or");
        page_append_route(out, routes->of[i]);
        text_append(out, "</dd></div>\n");
    }
}

static void write_route(struct text *out, const struct path *path,
                        const struct route_memory *memory)
{
    if (route_knows(memory)) {
        append_routes(out, "Usual route", &memory->known);
    } else if (memory->learned > 0) {
        text_format(out,
                    "<div><dt>Usual route</dt><dd>being learned, from %u of %d probes</dd></div>\n",
                    memory->learned, ROUTE_LEARNING);
    }
    if (path->last_rerouted || (route_knows(memory) && memory->fresh.count > 0)) {
        append_routes(out, "Seen since", &memory->fresh);
    }
    if (path->last_hop != NULL) {
        text_append(out, "<div><dt>Slowest hop</dt><dd class=\"words\">");
        page_append_slowest(out, path->last_hop);
        text_append(out, " <span class=\"soft\">(newest probe)</span></dd></div>\n");
    }
}

static enum page_tone tone_of(const struct auth_memory *memory, int method)
{
    enum auth_result result = memory->last[method];
    if (result == AUTH_PASS) {
        return TONE_GOOD;
    }
    return (memory->failing & 1U << method) != 0 ? TONE_WARN : TONE_SOFT;
}

static void write_authentication(struct text *out, const struct auth_memory *memory)
{
    for (int i = 0; i < AUTH_METHODS; i++) {
        if (memory->last[i] == AUTH_ABSENT) {
            continue;
        }
        text_format(out, "<div><dt>%s</dt><dd>", auth_method_name((enum auth_method)i));
        page_append_state(out, tone_of(memory, i), auth_result_name(memory->last[i]));
        if ((memory->failing & 1U << i) != 0) {
            text_append(out, " it used to pass");
        }
        text_append(out, "</dd></div>\n");
    }
}

static void write_placement(struct text *out, const struct placement *placement)
{
    unsigned misplaced = placement_misplaced(placement);
    if (placement->count == 0) {
        return;
    }
    text_append(out, "<div><dt>Folder</dt><dd>");
    if (misplaced == 0) {
        page_append_state(out, TONE_GOOD, "the right one");
    } else {
        page_append_state(out, TONE_WARN, "the wrong one");
        text_format(out, " for %u of the last %u probes", misplaced, placement->count);
    }
    text_append(out, "</dd></div>\n");
}

void page_append_way(struct text *out, const struct path *path)
{
    struct habits habits;
    if (!kept_habits_get(path->habits, &habits)) {
        return;
    }
    text_append(out, "<section id=\"way\">\n<h2>Way</h2>\n<dl>\n");
    write_route(out, path, &habits.route);
    write_authentication(out, &habits.auth);
    write_placement(out, &habits.placement);
    text_append(out, "</dl>\n</section>\n");
}
