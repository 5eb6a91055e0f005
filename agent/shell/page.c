#include "shell/page.h"

#include <stdlib.h>

#include "base/error.h"
#include "shell/page_frame.h"
#include "shell/page_headline.h"
#include "shell/page_incidents.h"
#include "shell/page_paths.h"
#include "shell/page_recent.h"
#include "shell/page_tables.h"
#include "shell/page_text.h"
#include "shell/page_trouble.h"

struct page {
    const struct agent *agent;
    struct moment now;
    size_t section;
    bool begun; // this section
    struct page_cards cards;
    struct page_matrix matrix;
    struct page_rows rows; // of this section's table
};

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
    page_append_headline(out, page->agent, &troubles, page->now);
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
    if (agent_settings(page->agent)->peer_count < 2) { // two servers: the paths say all of it
        return false;
    }
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

static bool write_certificates(struct text *out, struct page *page)
{
    return page_table_next(out, &PAGE_CERTIFICATES, page->agent, &page->rows, page->now);
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
    write_top,    write_incidents, write_windows,      write_paths, write_mesh,
    write_recent, write_mailboxes, write_certificates, write_end,
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
