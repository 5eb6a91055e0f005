#include "shell/page.h"

#include <stdlib.h>

#include "base/error.h"
#include "shell/page_frame.h"
#include "shell/page_incidents.h"
#include "shell/page_paths.h"
#include "shell/page_recent.h"
#include "shell/page_sign.h"
#include "shell/page_tables.h"
#include "shell/page_text.h"
#include "shell/page_trouble.h"
#include "shell/page_windows.h"

struct page {
    const struct agent *agent;
    struct moment now;
    size_t section;
    bool begun; // this section
    struct page_cards cards;
    struct page_matrix matrix;
    struct page_rows rows; // of this section's table
};

// ---- the headline ----

static bool has_heard(const struct agent *agent)
{
    size_t peers = agent_settings(agent)->peer_count;
    bool heard = peers == 0;
    for (size_t i = 0; i < peers && !heard; i++) {
        const struct peer *peer = core_peer(agent_core(agent), (int)i);
        heard = walltime_known(peer->outbound.path.last_arrival) ||
                walltime_known(peer->inbound.path.last_arrival);
    }
    return heard;
}

static enum page_tone tone_of(const struct page *page, const struct page_troubles *troubles,
                              bool ready, const struct window *window)
{
    if (troubles->count > troubles->held_back) {
        return troubles->critical ? TONE_BAD : TONE_WARN;
    }
    if (!ready) {
        return TONE_WARN;
    }
    if (window != NULL || troubles->count > 0) {
        return TONE_CALM;
    }
    return has_heard(page->agent) ? TONE_GOOD : TONE_SOFT;
}

static void append_title(struct text *out, const struct page *page,
                         const struct page_troubles *troubles, const struct window *window)
{
    if (troubles->count == 1) {
        page_append_trouble(out, troubles->gravest);
    } else if (troubles->count > 0) {
        text_format(out, "%zu troubles", troubles->count);
    } else if (window != NULL) {
        page_append_escaped(out, window->server);
        text_append(out, " is in maintenance, and nothing else is wrong");
    } else {
        text_append(out, has_heard(page->agent) ? "Everything flows" : "Nothing has come yet");
    }
}

// Since when, and whether it is maintenance.
static void append_troubles(struct text *out, const struct page_troubles *troubles,
                            struct walltime now)
{
    text_append(out, "<p>Since ");
    page_append_time(out, troubles->oldest->began, now);
    text_append(out, "</p>\n");
    if (troubles->count > 1) {
        text_append(out, "<p>First of all: ");
        page_append_trouble(out, troubles->gravest);
        text_append(out, "</p>\n");
    }
    if (troubles->held_back > 0) {
        text_format(out, "<p>%zu of them held back by maintenance.</p>\n", troubles->held_back);
    }
}

static void append_window(struct text *out, const struct window *window, struct walltime now)
{
    text_append(out, "<p>In maintenance: ");
    page_append_escaped(out, window->server);
    text_append(out, ", until ");
    page_append_time(out, window_until(window), now);
    text_append(out, "</p>\n");
}

static void append_headline(struct text *out, const struct page *page,
                            const struct page_troubles *troubles)
{
    char reason[256] = "";
    bool ready = agent_ready(page->agent, reason, sizeof reason);
    const struct window *window = page_windows_active(page->agent, page->now.wall);
    enum page_tone tone = tone_of(page, troubles, ready, window);
    text_format(out, "<div class=\"headline %s\">\n<h1>", page_tone_class(tone));
    page_append_sign(out, tone);
    text_append(out, "<span>");
    append_title(out, page, troubles, window);
    text_append(out, "</span></h1>\n");
    if (troubles->count > 0) {
        append_troubles(out, troubles, page->now.wall);
    }
    if (window != NULL) {
        append_window(out, window, page->now.wall);
    }
    if (!ready) {
        text_append(out, "<p class=\"warn\">Not ready: ");
        page_append_escaped(out, reason);
        text_append(out, "</p>\n");
    }
    text_append(out, "</div>\n");
}

// ---- sections: each appends its next part, or nothing; false with the last ----

static bool write_top(struct text *out, struct page *page)
{
    char words[128];
    struct text title = TEXT_OVER(words);
    struct page_troubles troubles = page_troubles_count(page->agent);
    page->cards.of = troubles.count;
    if (troubles.count > 0) {
        text_format(&title, "(%zu) ", troubles.count);
    }
    text_format(&title, "%s - mailflow", agent_settings(page->agent)->server);
    struct page_frame frame = {.title = words, .scripts = "", .is_front = true, .refreshes = true};
    page_frame_begin(out, page->agent, &frame, page->now);
    append_headline(out, page, &troubles);
    return false;
}

static bool write_incidents(struct text *out, struct page *page)
{
    return page_incidents_next(out, page->agent, &page->cards, page->now);
}

static bool write_windows(struct text *out, struct page *page)
{
    return page_table_next(out, &PAGE_WINDOWS, page->agent, &page->rows, page->now);
}

static bool write_paths(struct text *out, struct page *page)
{
    if (!page->begun) {
        text_append(out,
                    "<section id=\"paths\">\n<h2>Paths</h2>\n<table class=\"paths\">\n<caption>");
        page_paths_caption(out, page->agent);
        text_append(out, "</caption>\n<thead><tr><th scope=\"col\">Peer</th>"
                         "<th scope=\"col\">To the peer</th><th scope=\"col\">From the peer</th>"
                         "</tr></thead>\n<tbody>\n");
        page->begun = true;
        return true;
    }
    if (page_paths_next(out, page->agent, &page->matrix, page->now)) {
        return true;
    }
    text_append(out, "</tbody>\n</table>\n</section>\n");
    return false;
}

static bool write_mesh(struct text *out, struct page *page)
{
    return page_table_next(out, &PAGE_MESH, page->agent, &page->rows, page->now);
}

static bool write_recent(struct text *out, struct page *page)
{
    text_append(out, "<section id=\"recent\">\n<h2>Closed lately</h2>\n");
    page_append_recent(out, page->agent, page->now);
    text_append(out, "</section>\n");
    return false;
}

static bool write_mailboxes(struct text *out, struct page *page)
{
    return page_table_next(out, &PAGE_MAILBOXES, page->agent, &page->rows, page->now);
}

static bool write_end(struct text *out, struct page *page)
{
    text_append(out, "<p class=\"up\">This agent has been up for ");
    page_append_span(out, walltime_since(page->now.wall, agent_started(page->agent)));
    text_append(out, ".</p>\n");
    page_frame_end(out);
    return false;
}

static bool (*const SECTIONS[])(struct text *out, struct page *page) = {
    write_top,  write_incidents, write_windows,   write_paths,
    write_mesh, write_recent,    write_mailboxes, write_end,
};
enum { SECTION_COUNT = sizeof SECTIONS / sizeof SECTIONS[0] };

static bool page_next(void *state, struct text *out)
{
    struct page *page = state;
    if (!SECTIONS[page->section](out, page)) {
        page->section++;
        page->begun = false;
        page->rows = (struct page_rows){0};
    }
    return page->section < SECTION_COUNT;
}

void page_answer(struct agent *agent, const struct http_request *request,
                 struct http_response *response)
{
    struct page *page = memory_checked(calloc(1, sizeof *page));
    page->agent = agent;
    page->now = request->now;
    page_frame_respond(response, 200, page_next, page);
}
