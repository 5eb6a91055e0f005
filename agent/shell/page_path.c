#include "shell/page_path.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "shell/page_cell.h"
#include "shell/page_chart.h"
#include "shell/page_frame.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"
#include "shell/page_trouble.h"
#include "shell/page_way.h"

enum { PROBES_SHOWN = 100, PROBES_A_PART = 4 };

struct page_path {
    struct agent *agent;
    struct moment now;
    struct path_query query;
    char name[SUBJECT_TEXT_SIZE];
    struct smoke smoke;
    struct page_chart chart;
    size_t section;
    bool begun;
    int64_t cursor; // of the probes
    unsigned probes;
};

static const struct path *path_of(const struct page_path *page)
{
    const struct peer *peer = core_peer(agent_core(page->agent), page->query.peer);
    return page->query.direction == OUTBOUND ? &peer->outbound.path : &peer->inbound.path;
}

// ---- how it stands ----

static void append_now(struct text *out, const struct page_path *page)
{
    const struct path *path = path_of(page);
    const struct flights *flights =
        &core_peer(agent_core(page->agent), page->query.peer)->outbound.flights;
    double median = decisions_median(&path->decisions);
    text_append(out, "<dl class=\"figures\">\n");
    if (walltime_known(path->last_arrival)) {
        text_append(out, "<div><dt>Last latency</dt><dd>");
        page_append_span(out, path->last_latency);
        text_append(out, " <span class=\"soft\">&plusmn; ");
        page_append_span(out, path->last_error);
        text_append(out, "</span></dd></div>\n<div><dt>Last arrival</dt><dd>");
        page_append_time(out, path->last_arrival, page->now.wall);
        text_append(out, "</dd></div>\n");
    }
    if (median >= 0) {
        text_append(out, "<div><dt>Median of 64</dt><dd>");
        page_append_span(out, span_from_seconds(median));
        text_append(out, "</dd></div>\n");
    }
    if (page->query.direction == OUTBOUND) {
        text_format(out, "<div><dt>In flight</dt><dd>%zu", flights->count);
        if (flights->count > 0) {
            text_append(out, " <span class=\"soft\">the oldest sent ");
            page_append_countdown(out, flights->items[0].sent, page->now.wall);
            text_append(out, "</span>");
        }
        text_append(out, "</dd></div>\n");
    }
    text_append(out, "</dl>\n");
}

static bool write_top(struct text *out, struct page_path *page)
{
    char words[SUBJECT_TEXT_SIZE + 16];
    struct text title = TEXT_OVER(words);
    enum path_state state = core_path_state(agent_core(page->agent), page->query.peer,
                                            page->query.direction, page->now);
    enum page_tone tone = page_tone_of_path(state);
    text_format(&title, "%s - mailflow", page->name);
    struct page_frame frame = {.title = words,
                               .scripts = "<script src=\"/assets/chart.js\" defer></script>\n"
                                          "<script src=\"/assets/path.js\" defer></script>\n"};
    page_frame_begin(out, page->agent, &frame, page->now);
    text_format(out, "<div class=\"headline %s\">\n<h1>", page_tone_class(tone));
    page_append_sign(out, tone);
    text_append(out, "<span>");
    page_append_path(out, page->name);
    text_format(out, "</span> <small>%s</small></h1>\n", path_state_name(state));
    append_now(out, page);
    text_append(out, "</div>\n");
    return false;
}

// ---- incidents ----

static bool concerns(const struct page_path *page, const struct incident *incident)
{
    const struct subject *subject = &incident->subject;
    bool same_peer = subject->peer == page->query.peer;
    return (subject->kind == SUBJECT_PATH && same_peer &&
            subject->direction == page->query.direction) ||
           (subject->kind == SUBJECT_SERVER && (same_peer || subject->peer == OWN_SERVER));
}

static void append_incident(struct text *out, const struct page_path *page,
                            const struct incident *incident)
{
    text_append(out, "<li>");
    page_append_sign(out, page_tone_of_incident(incident));
    text_format(out, "<a href=\"/#incident-%" PRId64 "\">", incident->id);
    page_append_trouble(out, incident);
    text_append(out, "</a> since ");
    page_append_time(out, incident->began, page->now.wall);
    text_append(out, "</li>\n");
}

static bool write_incidents(struct text *out, struct page_path *page)
{
    enum { SHOWN = 8 };
    const struct incidents *incidents = core_incidents(agent_core(page->agent));
    unsigned shown = 0;
    for (size_t i = 0; i < incidents->count && shown < SHOWN; i++) {
        const struct incident *incident = incidents->places[i];
        if (incident != NULL && concerns(page, incident) &&
            !page_trouble_is_folded(incidents, incident)) {
            text_append(out, shown++ == 0 ? "<ul class=\"concerns\">\n" : "");
            append_incident(out, page, incident);
        }
    }
    text_append(out, shown > 0 ? "</ul>\n" : "");
    return false;
}

// ---- the picture ----

static void append_ranges(struct text *out, const struct page_path *page)
{
    text_append(out, "<nav class=\"ranges\" aria-label=\"How far back\">");
    for (size_t i = 0; i < SMOKE_RANGES; i++) {
        bool current = page->query.range == &SMOKE_RANGE[i];
        text_append(out, "<a href=\"");
        page_append_path_url(out, page->name);
        text_format(out, "&amp;range=%s\"%s>%s</a>", SMOKE_RANGE[i].name,
                    current ? " aria-current=\"page\"" : "", SMOKE_RANGE[i].name);
    }
    text_append(out, "</nav>\n");
}

static void append_figure(struct text *out, const struct page_path *page)
{
    text_append(out, "<figure id=\"latency\" data-source=\"/api/v1/latency?path=");
    text_append_encoded(out, page->name);
    text_format(out, "&amp;range=%s\">\n", page->query.range->name);
}

static bool write_picture(struct text *out, struct page_path *page)
{
    if (!page->begun) {
        text_append(out, "<section id=\"picture\">\n<h2>Latency</h2>\n");
        append_ranges(out, page);
        append_figure(out, page);
        page->begun = true;
        return true;
    }
    return page_chart_next(out, &page->chart);
}

static void append_key(struct text *out, const char *class, const char *words)
{
    text_format(out, "<li><span class=\"key %s\"></span>%s</li>\n", class, words);
}

static void append_key_sign(struct text *out, const char *class, const char *shape,
                            const char *words)
{
    text_format(out,
                "<li><svg class=\"mark %s\" viewBox=\"-8 -8 16 16\" aria-hidden=\"true\">"
                "<path d=\"%s\"/></svg>%s</li>\n",
                class, shape, words);
}

static bool write_legend(struct text *out, struct page_path *page)
{
    text_append(out, "<figcaption>\n<ul class=\"legend\">\n");
    append_key(out, "median", "median");
    append_key(out, "smoke", "half of the probes");
    append_key(out, "smoke wide", "nine in ten");
    append_key_sign(out, "warn", "M0-6 6 5H-6z", "late");
    append_key_sign(out, "calm", "M0-6 6 0 0 6-6 0z",
                    "held up by maintenance or an outage, a flush is one mark");
    append_key_sign(out, "bad", "M-5-5 5 5M5-5-5 5", "lost or bounced");
    append_key(out, "shade", "maintenance");
    text_append(out, "<li>The scale is logarithmic, times are UTC.</li>\n</ul>\n");
    if (page->smoke.more_marks) {
        text_append(out, "<p class=\"soft\">Only the newest marks are shown.</p>\n");
    }
    text_append(out, "</figcaption>\n</figure>\n</section>\n");
    return false;
}

// ---- its newest probes ----

static void append_probe(struct text *out, const struct page_path *page,
                         const struct store_probe *probe)
{
    const struct probe_record *record = &probe->record;
    char id[PROBE_ID_TEXT];
    bool arrived = walltime_known(record->arrived);
    probe_id_format(&record->id, id);
    text_format(out, "<tr id=\"probe-%s\"><th scope=\"row\"><a href=\"/probe?id=%s\">", id, id);
    page_append_clock(out, walltime_known(record->sent) ? record->sent : record->planned,
                      page->now.wall, 0);
    text_append(out, "</a></th>");
    page_span_cell(out, "Latency", arrived, record->latency);
    page_span_cell(out, "Error", arrived, record->latency_error);
    page_begin_cell(out, "Verdict", "");
    page_append_state(
        out, record->state == PROBE_REFUSED ? TONE_BAD : page_tone_of_verdict(record->verdict),
        record->verdict == VERDICT_OPEN ? probe_state_name(record->state)
                                        : page_word_of_verdict(record->verdict));
    text_append(out, "</td>");
    page_begin_cell(out, "Arrived", "");
    page_append_clock(out, record->arrived, page->now.wall, 0);
    text_append(out, "</td>");
    page_cell(out, "Kind", "", probe_kind_name(record->kind));
    page_cell(out, "Server said", "words", probe->reply[0] != '\0' ? probe->reply : probe->cause);
    text_append(out, "</tr>\n");
}

struct probe_part {
    struct text *out;
    struct page_path *page;
    unsigned taken;
};

static bool take_probe(void *context, const struct store_probe *probe)
{
    struct probe_part *part = context;
    append_probe(part->out, part->page, probe);
    part->page->cursor = probe->cursor;
    part->taken++;
    return true;
}

static void begin_probes(struct text *out)
{
    text_append(out, "<section id=\"probes\">\n<h2>Newest probes</h2>\n<table>\n<caption>The "
                     "newest 100, by when "
                     "this agent came to know of them.</caption>\n<thead><tr>"
                     "<th scope=\"col\">Sent</th><th scope=\"col\" class=\"number\">Latency</th>"
                     "<th scope=\"col\" class=\"number\">Error</th><th scope=\"col\">Verdict</th>"
                     "<th scope=\"col\">Arrived</th><th scope=\"col\">Kind</th>"
                     "<th scope=\"col\">Server said</th></tr></thead>\n<tbody>\n");
}

static bool write_probes(struct text *out, struct page_path *page)
{
    struct error error;
    struct probe_part part = {out, page, 0};
    struct store_query query = {
        .peer = agent_settings(page->agent)->peers[page->query.peer].name,
        .direction = (int)page->query.direction,
        .verdict = -1,
        .before = page->cursor,
        .limit = PROBES_A_PART,
    };
    if (!page->begun) {
        begin_probes(out);
        page->begun = true;
        return true;
    }
    bool read = store_query_probes(agent_store(page->agent), &query, take_probe, &part, &error);
    page->probes += part.taken;
    if (read && part.taken == PROBES_A_PART && page->probes < PROBES_SHOWN) {
        return true;
    }
    text_append(out, "</tbody>\n</table>\n");
    text_append(out, read ? "" : "<p class=\"warn\">The ledger cannot be read.</p>\n");
    text_append(out, page->probes == 0 ? "<p class=\"soft\">There is none yet.</p>\n" : "");
    text_append(out, "</section>\n");
    return false;
}

static bool write_end(struct text *out, struct page_path *page)
{
    char back[SUBJECT_TEXT_SIZE];
    core_path_text(agent_core(page->agent), page->query.peer,
                   page->query.direction == OUTBOUND ? INBOUND : OUTBOUND, back);
    text_append(out, "<p class=\"up\">The other way: ");
    page_append_path_link(out, back);
    text_append(out, "</p>\n");
    page_frame_end(out);
    return false;
}

// ---- the way ----

static bool write_way(struct text *out, struct page_path *page)
{
    page_append_way(out, path_of(page));
    return false;
}

// ---- all of it ----

static bool gather(struct text *out, struct page_path *page)
{
    (void)out;
    return smoke_gather(&page->smoke, agent_store(page->agent));
}

static bool (*const SECTIONS[])(struct text *out, struct page_path *page) = {
    write_top,    write_incidents, gather,       write_picture,
    write_legend, write_way,       write_probes, write_end,
};
enum { SECTION_COUNT = sizeof SECTIONS / sizeof SECTIONS[0] };

static bool page_path_next(void *state, struct text *out)
{
    struct page_path *page = state;
    if (!SECTIONS[page->section](out, page)) {
        page->section++;
        page->begun = false;
    }
    return page->section < SECTION_COUNT;
}

void page_path_answer(struct agent *agent, const struct http_request *request,
                      struct http_response *response)
{
    struct error error;
    struct path_query query;
    const struct settings *settings = agent_settings(agent);
    if (!path_query_read(request, "name", settings, &query, &error)) {
        page_frame_refuse(agent, request, 404, error.message, response);
        return;
    }
    struct page_path *page = memory_checked(calloc(1, sizeof *page));
    page->agent = agent;
    page->now = request->now;
    page->query = query;
    core_path_text(agent_core(agent), query.peer, query.direction, page->name);
    smoke_begin(&page->smoke, settings->peers[query.peer].name, query.direction, query.range,
                request->now.wall);
    page->chart = (struct page_chart){.agent = agent, .query = &page->query, .smoke = &page->smoke};
    page_frame_respond(response, 200, page_path_next, page);
}
