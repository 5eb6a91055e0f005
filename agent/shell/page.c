#include "shell/page.h"

#include <stdlib.h>

#include "base/error.h"
#include "page_css.h"
#include "shell/page_incidents.h"
#include "shell/page_tables.h"
#include "shell/page_text.h"
#include "version.h"

static const char SECURITY_POLICY[] =
    "default-src 'none'; style-src 'sha256-" PAGE_CSS_SHA256
    "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct page {
    const struct agent *agent;
    struct moment now;
    bool begun;
    size_t table;
    size_t row;
    bool titled; // the table's title is out
    bool filled; // a row of it is out
};

static void append_head(struct text *out, const char *server, size_t open)
{
    text_append(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta http-equiv=\"refresh\" content=\"10\">\n<title>");
    if (open > 0) {
        text_format(out, "(%zu) ", open);
    }
    page_append_escaped(out, server);
    text_append(out, " - mailflow</title>\n<style>");
    text_append(out, PAGE_CSS);
    text_append(out, "</style>\n</head>\n<body>\n");
}

static void append_headline(struct text *out, const struct page *page, size_t open)
{
    char reason[256] = "";
    if (open > 0) {
        text_format(out, "<p class=\"bad\">%zu incident%s open</p>\n", open, open == 1 ? "" : "s");
    } else {
        text_append(out, "<p class=\"good\">No incident is open</p>\n");
    }
    if (!agent_ready(page->agent, reason, sizeof reason)) {
        text_append(out, "<p class=\"warn\">Not ready: ");
        page_append_escaped(out, reason);
        text_append(out, "</p>\n");
    }
}

static void append_top(struct text *out, const struct page *page)
{
    const char *server = agent_settings(page->agent)->server;
    size_t open = page_incidents_causes(page->agent);
    char now[32];
    struct text stamp = TEXT_OVER(now);
    walltime_append_seconds(page->now.wall, &stamp);
    append_head(out, server, open);
    text_append(out, "<header>\n<h1>");
    page_append_escaped(out, server);
    text_append(out, "</h1>\n");
    append_headline(out, page, open);
    text_format(out, "<p class=\"soft\">%.10s %.8s UTC, mailflow %s, up for ", now, now + 11,
                MAILFLOW_VERSION);
    page_append_span(out, walltime_since(page->now.wall, agent_started(page->agent)));
    text_append(out, "</p>\n</header>\n<main>\n");
}

static void open_table(struct text *out, const struct page_table *table)
{
    bool classed = table->class[0] != '\0', headed = table->head[0] != '\0';
    text_format(out, "<table%s%s%s>\n", classed ? " class=\"" : "", table->class,
                classed ? "\"" : "");
    text_format(out, "%s%s%s<tbody>\n", headed ? "<thead><tr>" : "", table->head,
                headed ? "</tr></thead>\n" : "");
}

// The table's head comes with its first row, so that an empty one is a sentence instead.
static void append_row(struct text *out, struct page *page, const struct page_table *table)
{
    char row[HTTP_PIECE_SIZE / 2];
    struct text text = TEXT_OVER(row);
    table->row(&text, page->agent, page->row++, page->now);
    if (text.length == 0) {
        return;
    }
    if (!page->filled) {
        open_table(out, table);
        page->filled = true;
    }
    text_append(out, row);
}

static void end_table(struct text *out, struct page *page, const struct page_table *table)
{
    if (page->filled) {
        text_append(out, "</tbody>\n</table>\n");
    } else {
        text_format(out, "<p class=\"soft\">%s</p>\n", table->none);
    }
    page->table++;
    page->row = 0;
    page->titled = page->filled = false;
}

static bool page_next(void *state, struct text *out)
{
    struct page *page = state;
    if (!page->begun) {
        append_top(out, page);
        page->begun = true;
        return true;
    }
    if (page->table == PAGE_TABLES) {
        text_append(out, "</main>\n<footer><p><a href=\"/metrics\">metrics</a> &middot; "
                         "<a href=\"/api/v1/status\">status as JSON</a></p></footer>\n"
                         "</body>\n</html>\n");
        return false;
    }
    const struct page_table *table = &PAGE_TABLE[page->table];
    if (!page->titled) {
        text_format(out, "<h2>%s</h2>\n", table->title);
        page->titled = true;
    } else if (page->row < table->count(page->agent)) {
        append_row(out, page, table);
    } else {
        end_table(out, page, table);
    }
    return true;
}

void page_answer(struct agent *agent, const struct http_request *request,
                 struct http_response *response)
{
    struct page *page = memory_checked(calloc(1, sizeof *page));
    page->agent = agent;
    page->now = request->now;
    struct http_stream stream = {page_next, free, page, .filler = '\0'};
    http_respond_stream(response, "text/html; charset=utf-8", &stream);
    response->content_security_policy = SECURITY_POLICY;
}
