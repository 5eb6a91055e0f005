#include "shell/page_probe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/answer.h"
#include "base/error.h"
#include "shell/api_probe.h"
#include "shell/page_cell.h"
#include "shell/page_frame.h"
#include "shell/page_life.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"

// Of any text, and of what is a name or a word; escaped, some of them must fit into one part.
enum { SHOWN_BYTES = 257, SHOWN_SHORT = 65 };

struct page_probe {
    const struct agent *agent;
    struct moment now;
    json_t *probe;
    struct page_life life;
    size_t section;
    size_t index; // within the section
};

// ---- values ----

static void append_cut(struct text *out, const char *value)
{
    char shown[SHOWN_BYTES];
    bool whole = text_copy(shown, sizeof shown, value);
    page_append_escaped(out, shown);
    text_append(out, whole ? "" : " &hellip;");
}

static void short_cell(struct text *out, const char *label, const char *class, const char *value)
{
    char shown[SHOWN_SHORT];
    text_copy(shown, sizeof shown, value);
    page_cell(out, label, class, shown);
}

static void append_fact(struct text *out, const char *name, const char *value)
{
    if (value[0] != '\0') {
        text_format(out, "<div><dt>%s</dt><dd class=\"words\">", name);
        append_cut(out, value);
        text_append(out, "</dd></div>\n");
    }
}

static void append_time_fact(struct text *out, const struct page_probe *page, const char *name,
                             const char *member)
{
    struct walltime at;
    if (answer_time(page->probe, member, &at)) {
        text_format(out, "<div><dt>%s</dt><dd>", name);
        page_append_clock(out, at, page->now.wall, 3);
        text_append(out, "</dd></div>\n");
    }
}

static void append_span_fact(struct text *out, const json_t *object, const char *name,
                             const char *member, const char *error_member)
{
    struct span of, error;
    if (!answer_span(object, member, &of) || of.ns == 0) {
        return;
    }
    text_format(out, "<div><dt>%s</dt><dd>", name);
    page_append_span(out, of);
    if (answer_span(object, error_member, &error)) {
        text_append(out, " <span class=\"soft\">&plusmn; ");
        page_append_span(out, error);
        text_append(out, "</span>");
    }
    text_append(out, "</dd></div>\n");
}

static void begin_part(struct text *out, const char *title)
{
    text_format(out, "<section>\n<h2>%s</h2>\n<dl>\n", title);
}

static void end_part(struct text *out)
{
    text_append(out, "</dl>\n</section>\n");
}

// ---- what became of it ----

static enum page_tone tone_of(const json_t *probe)
{
    const char *verdict = answer_text(probe, "verdict");
    for (int i = 0; i < VERDICTS; i++) {
        if (strcmp(verdict, verdict_name((enum verdict)i)) == 0) {
            return page_tone_of_verdict((enum verdict)i);
        }
    }
    return TONE_SOFT;
}

static const char *word_of(const json_t *probe)
{
    const char *verdict = answer_text(probe, "verdict");
    bool open = strcmp(verdict, verdict_name(VERDICT_OPEN)) == 0;
    bool on_time = strcmp(verdict, verdict_name(VERDICT_ON_TIME)) == 0;
    return open ? answer_text(probe, "state") : on_time ? "on time" : verdict;
}

static void append_headline(struct text *out, const struct page_probe *page)
{
    enum page_tone tone = tone_of(page->probe);
    struct span latency;
    char path[SUBJECT_TEXT_SIZE];
    text_format(out, "<div class=\"headline %s\">\n<h1>", page_tone_class(tone));
    page_append_sign(out, tone);
    text_append(out, "<span>");
    append_cut(out, word_of(page->probe));
    if (answer_span(page->probe, "latency_seconds", &latency)) {
        text_append(out, " after ");
        page_append_span(out, latency);
    }
    text_append(out, "</span></h1>\n<p>Probe <code>");
    append_cut(out, answer_text(page->probe, "id"));
    text_append(out, "</code> on ");
    text_copy(path, sizeof path, answer_text(page->probe, "path"));
    page_append_path_link(out, path);
    text_append(out, "</p>\n");
}

static void append_incident(struct text *out, const struct page_probe *page)
{
    const struct incidents *incidents = core_incidents(agent_core(page->agent));
    int64_t id;
    if (!answer_integer(page->probe, "incident", &id)) {
        return;
    }
    if (incidents_find_id(incidents, id) >= 0) {
        text_format(out,
                    "<p>Explained by <a href=\"/#incident-%" PRId64 "\">incident %" PRId64
                    "</a>, which is open.</p>\n",
                    id, id);
    } else {
        text_format(out, "<p>Explained by incident %" PRId64 ", which has closed.</p>\n", id);
    }
}

static bool write_top(struct text *out, struct page_probe *page)
{
    char words[64];
    struct text title = TEXT_OVER(words);
    text_format(&title, "Probe %.8s - mailflow", answer_text(page->probe, "id"));
    struct page_frame frame = {.title = words, .scripts = ""};
    page_frame_begin(out, page->agent, &frame, page->now);
    append_headline(out, page);
    text_append(out, "<p>");
    append_cut(out, answer_text(page->probe, "rule"));
    text_append(out, "</p>\n");
    append_incident(out, page);
    text_append(out, "</div>\n");
    return false;
}

static bool write_facts(struct text *out, struct page_probe *page)
{
    char slot[64] = "";
    struct text text = TEXT_OVER(slot);
    int64_t number;
    if (answer_integer(page->probe, "slot", &number)) {
        text_format(&text, "slot %" PRId64 " of the cadence", number);
    } else {
        text_format(&text, "%.20s, outside the cadence", answer_text(page->probe, "kind"));
    }
    begin_part(out, "Facts");
    append_time_fact(out, page, "Sent", "sent");
    append_time_fact(out, page, "Accepted", "accepted");
    append_time_fact(out, page, "Arrived", "arrived");
    append_span_fact(out, page->probe, "Latency", "latency_seconds", "latency_error_seconds");
    append_span_fact(out, page->probe, "Of it excused", "excused_seconds", "");
    append_fact(out, "Kind", slot);
    append_fact(out, "Server said", answer_text(page->probe, "smtp_reply"));
    append_fact(out, "What went wrong here", answer_text(page->probe, "error_cause"));
    append_fact(out, "Queue id", answer_text(page->probe, "queue_id"));
    append_fact(out, "Mailbox", answer_text(page->probe, "mailbox"));
    append_fact(out, "Folder", answer_text(page->probe, "folder"));
    append_span_fact(out, json_object_get(page->probe, "clock"), "Peer&rsquo;s clock ahead by",
                     "offset_seconds", "error_seconds");
    end_part(out);
    return false;
}

// ---- its life ----

static bool write_life(struct text *out, struct page_probe *page)
{
    enum { STEPS_A_PART = 6 };
    if (page->life.count == 0) {
        return false;
    }
    if (page->index == 0) {
        text_append(out, "<section>\n<h2>Life</h2>\n<table class=\"life\">\n<caption>Legs of the "
                         "submission, hops of the way, and their part of the whole.</caption>\n"
                         "<thead><tr><th scope=\"col\">Step</th>"
                         "<th scope=\"col\" class=\"number\">From</th>"
                         "<th scope=\"col\" class=\"number\">Took</th><th scope=\"col\">Part</th>"
                         "<th scope=\"col\">What</th></tr></thead>\n<tbody>\n");
    }
    for (int i = 0; i < STEPS_A_PART && page->index < page->life.count; i++) {
        page_life_append(out, &page->life, page->index++);
    }
    if (page->index < page->life.count) {
        return true;
    }
    text_append(out, "</tbody>\n</table>\n");
    if (page->life.left_out > 0) {
        text_format(out, "<p class=\"soft\">and %zu more</p>\n", page->life.left_out);
    }
    text_append(out, "</section>\n");
    return false;
}

// ---- windows ----

static void append_window(struct text *out, const json_t *window, struct walltime now)
{
    struct walltime at;
    struct span covers;
    char server[SHOWN_SHORT];
    bool known = answer_span(window, "covers_seconds", &covers);
    text_append(out, "<tr>");
    text_copy(server, sizeof server, answer_text(window, "server"));
    page_row_head(out, server);
    short_cell(out, "Kind", "", answer_text(window, "kind"));
    page_time_cell(out, "Begin", answer_time(window, "begin", &at) ? at : WALLTIME_NONE, now);
    page_time_cell(out, "End", answer_time(window, "end", &at) ? at : WALLTIME_NONE, now);
    page_time_cell(out, "Queues drained by",
                   answer_time(window, "recovered", &at) ? at : WALLTIME_NONE, now);
    page_span_cell(out, "Covers", known, covers);
    short_cell(out, "Id", "soft", answer_text(window, "id"));
    text_append(out, "</tr>\n");
}

static bool write_windows(struct text *out, struct page_probe *page)
{
    enum { SHOWN = 8 };
    const json_t *windows = json_object_get(page->probe, "windows_consulted");
    if (json_array_size(windows) == 0) {
        return false;
    }
    text_append(out,
                "<section>\n<h2>Maintenance</h2>\n<table>\n<caption>The windows of either end "
                "that touch its life.</caption>\n<thead><tr><th scope=\"col\">Server</th>"
                "<th scope=\"col\">Kind</th><th scope=\"col\">Begin</th><th scope=\"col\">End</th>"
                "<th scope=\"col\">Queues drained by</th>"
                "<th scope=\"col\" class=\"number\">Covers</th><th scope=\"col\">Id</th></tr>"
                "</thead>\n<tbody>\n");
    for (size_t i = 0; i < json_array_size(windows) && i < SHOWN; i++) {
        append_window(out, json_array_get(windows, i), page->now.wall);
    }
    text_append(out, "</tbody>\n</table>\n</section>\n");
    return false;
}

// ---- what others said of it ----

static void append_report(struct text *out, const struct page_probe *page, const char *title,
                          const json_t *bounce)
{
    struct walltime at;
    if (!json_is_object(bounce)) {
        return;
    }
    begin_part(out, title);
    append_fact(out, "Action", answer_text(bounce, "action"));
    append_fact(out, "Status", answer_text(bounce, "status"));
    append_fact(out, "Remote server", answer_text(bounce, "remote_mta"));
    append_fact(out, "It said", answer_text(bounce, "diagnostic"));
    if (answer_time(bounce, "reported", &at)) {
        text_append(out, "<div><dt>Reported</dt><dd>");
        page_append_time(out, at, page->now.wall);
        text_append(out, "</dd></div>\n");
    }
    end_part(out);
}

static bool write_bounce(struct text *out, struct page_probe *page)
{
    append_report(out, page, "Delay", json_object_get(page->probe, "delay"));
    append_report(out, page, "Bounce", json_object_get(page->probe, "bounce"));
    return false;
}

static void append_hosts(struct text *out, const json_t *hosts)
{
    enum { SHOWN = 16 };
    char shown[SHOWN_SHORT];
    for (size_t i = 0; i < json_array_size(hosts) && i < SHOWN; i++) {
        const char *host = json_string_value(json_array_get(hosts, i));
        text_append(out, i == 0 ? "" : " &rarr; ");
        text_copy(shown, sizeof shown, host == NULL ? "?" : host);
        page_append_escaped(out, shown);
    }
}

static bool write_route(struct text *out, struct page_probe *page)
{
    const json_t *route = json_object_get(page->probe, "route");
    if (json_array_size(json_object_get(route, "hosts")) == 0) {
        return false;
    }
    begin_part(out, "Route");
    text_append(out, "<div><dt>Hosts</dt><dd class=\"words\">");
    append_hosts(out, json_object_get(route, "hosts"));
    text_append(out, "</dd></div>\n");
    append_fact(out, "Changed",
                answer_true(route, "changed") ? "yes: another one than this path's learned route"
                                              : "no");
    end_part(out);
    return false;
}

static void append_method(struct text *out, const char *method, const json_t *results)
{
    const char *reason = answer_text(json_object_get(results, "reasons"), method);
    const char *result = answer_text(results, method);
    if (result[0] == '\0') {
        return;
    }
    text_format(out, "<div><dt>%s</dt><dd class=\"words\">", method);
    append_cut(out, result);
    text_append(out, reason[0] == '\0' ? "" : ", ");
    append_cut(out, reason);
    text_append(out, "</dd></div>\n");
}

static bool write_authentication(struct text *out, struct page_probe *page)
{
    static const char *const METHODS[] = {"spf", "dkim", "dmarc", "arc"};
    const json_t *results = json_object_get(page->probe, "authentication");
    if (!json_is_object(results)) {
        return false;
    }
    begin_part(out, "Authentication");
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
        append_method(out, METHODS[i], results);
    }
    append_fact(out, "Says", answer_text(results, "authserv_id"));
    end_part(out);
    return false;
}

static void append_line(struct text *out, const json_t *line)
{
    struct span at;
    bool known = answer_span(line, "at_seconds", &at);
    text_append(out, "<tr>");
    page_span_cell(out, "After", known, at);
    short_cell(out, "From", "", answer_text(line, "from"));
    page_begin_cell(out, "Text", "words");
    text_append(out, "<code>");
    append_cut(out, answer_text(line, "text"));
    text_append(out, "</code></td></tr>\n");
}

static bool write_transcript(struct text *out, struct page_probe *page)
{
    enum { LINES_A_PART = 4, SHOWN = 200 };
    const json_t *lines = json_object_get(page->probe, "transcript");
    size_t count = json_array_size(lines) < SHOWN ? json_array_size(lines) : SHOWN;
    if (count == 0) {
        return false;
    }
    if (page->index == 0) {
        text_append(out, "<section>\n<h2>Transcript</h2>\n<table class=\"transcript\">\n<caption>"
                         "What was said when it was handed over; secrets are left out.</caption>\n"
                         "<thead><tr><th scope=\"col\" class=\"number\">After</th>"
                         "<th scope=\"col\">From</th><th scope=\"col\">Text</th></tr></thead>\n"
                         "<tbody>\n");
    }
    for (int i = 0; i < LINES_A_PART && page->index < count; i++) {
        append_line(out, json_array_get(lines, page->index++));
    }
    if (page->index < count) {
        return true;
    }
    text_append(out, "</tbody>\n</table>\n</section>\n");
    return false;
}

static bool write_end(struct text *out, struct page_probe *page)
{
    text_append(out, "<p class=\"up\"><a href=\"/api/v1/probes/");
    text_append_encoded(out, answer_text(page->probe, "id"));
    text_append(out, "\">This probe as JSON</a></p>\n");
    page_frame_end(out);
    return false;
}

// ---- all of it ----

static bool (*const SECTIONS[])(struct text *out, struct page_probe *page) = {
    write_top,   write_facts,          write_life,       write_windows, write_bounce,
    write_route, write_authentication, write_transcript, write_end,
};
enum { SECTION_COUNT = sizeof SECTIONS / sizeof SECTIONS[0] };

static bool page_probe_next(void *state, struct text *out)
{
    struct page_probe *page = state;
    if (!SECTIONS[page->section](out, page)) {
        page->section++;
        page->index = 0;
    }
    return page->section < SECTION_COUNT;
}

static void page_probe_free(void *state)
{
    struct page_probe *page = state;
    json_decref(page->probe);
    free(page);
}

void page_probe_respond(const struct agent *agent, json_t *probe, struct moment now,
                        struct http_response *response)
{
    struct page_probe *page = memory_checked(calloc(1, sizeof *page));
    page->agent = agent;
    page->now = now;
    page->probe = probe;
    page_life_read(&page->life, probe, now.wall);
    page_frame_respond(response, 200, page_probe_next, page);
    response->stream.end = page_probe_free;
}

void page_probe_answer(struct agent *agent, const struct http_request *request,
                       struct http_response *response)
{
    struct error error;
    struct store_probe probe;
    int status = api_find_probe(agent, http_argument_value(request, "id"), &probe, &error);
    if (status != 200) {
        page_frame_refuse(agent, request, status, error.message, response);
        return;
    }
    page_probe_respond(agent, api_json_probe_whole(agent, &probe, request->now), request->now,
                       response);
}
