#include "shell/page_probe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/answer.h"
#include "base/error.h"
#include "shell/api_probe.h"
#include "shell/page_cell.h"
#include "shell/page_fact.h"
#include "shell/page_frame.h"
#include "shell/page_life.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"
#include "shell/page_told.h"

struct page_probe {
    const struct agent *agent;
    struct moment now;
    json_t *probe;
    struct page_life life;
    size_t section;
    size_t index; // within the section
};

// ---- what became of it ----

static enum page_tone tone_of(const json_t *probe)
{
    const char *verdict = answer_text(probe, "verdict");
    if (strcmp(answer_text(probe, "state"), probe_state_name(PROBE_REFUSED)) == 0) {
        return TONE_BAD;
    }
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
    page_append_cut(out, word_of(page->probe));
    if (answer_span(page->probe, "latency_seconds", &latency)) {
        text_append(out, " after ");
        page_append_span(out, latency);
    }
    text_append(out, "</span></h1>\n<p>Probe <code>");
    page_append_cut(out, answer_text(page->probe, "id"));
    text_append(out, "</code> on ");
    text_copy(path, sizeof path, answer_text(page->probe, "path"));
    page_append_path_link(out, path);
    text_append(out, "</p>\n");
}

// What matters most of what was told: it stands in full below.
static void append_quote(struct text *out, const char *before, const char *who, const char *said)
{
    if (said[0] != '\0') {
        text_format(out, "<p class=\"words\">%s", before);
        page_append_cut(out, who);
        text_append(out, who[0] == '\0' ? "" : ": ");
        text_append(out, "<q>");
        page_append_cut(out, said);
        text_append(out, "</q></p>\n");
    }
}

static void append_said(struct text *out, const struct page_probe *page)
{
    const json_t *bounce = json_object_get(page->probe, "bounce");
    const json_t *delay = json_object_get(page->probe, "delay");
    bool refused = strcmp(answer_text(page->probe, "state"), probe_state_name(PROBE_REFUSED)) == 0;
    append_quote(out, "", answer_text(bounce, "remote_mta"), answer_text(bounce, "diagnostic"));
    append_quote(out, "Delayed by ", answer_text(delay, "remote_mta"),
                 answer_text(delay, "diagnostic"));
    if (refused) {
        append_quote(out, "The server said: ", "", answer_text(page->probe, "smtp_reply"));
        append_quote(out, "What went wrong here: ", "", answer_text(page->probe, "error_cause"));
    }
}

static void append_slowest(struct text *out, const struct page_probe *page)
{
    const struct life_step *slowest = page_life_slowest(&page->life);
    if (slowest != NULL) {
        text_append(out, "<p class=\"words\">Slowest hop: ");
        page_append_span(out, walltime_since(slowest->to, slowest->from));
        text_append(out, ", ");
        page_append_escaped(out, slowest->between);
        text_append(out, "</p>\n");
    }
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
    page_append_cut(out, answer_text(page->probe, "rule"));
    text_append(out, "</p>\n");
    return false;
}

// A part of its own: all that others have said, escaped, would not fit beside the rest.
static bool write_words(struct text *out, struct page_probe *page)
{
    append_said(out, page);
    append_slowest(out, page);
    append_incident(out, page);
    text_append(out, "</div>\n");
    return false;
}

// Where it should lie: in the first folder of its mailbox.
static const char *right_folder(const struct page_probe *page)
{
    const struct settings *settings = agent_settings(page->agent);
    const char *name = answer_text(page->probe, "mailbox");
    for (size_t i = 0; i < settings->mailbox_count; i++) {
        if (strcmp(settings->mailboxes[i].name, name) == 0) {
            return settings->mailboxes[i].folders[0];
        }
    }
    return "";
}

static void append_folder(struct text *out, const struct page_probe *page)
{
    const char *folder = answer_text(page->probe, "folder"), *right = right_folder(page);
    if (folder[0] == '\0' || right[0] == '\0' || strcmp(folder, right) == 0) {
        page_fact(out, "Folder", folder);
        return;
    }
    page_fact_begin(out, "Folder");
    page_append_sign(out, TONE_WARN);
    text_append(out, " <b>");
    page_append_cut(out, folder);
    text_append(out, "</b>, not ");
    page_append_cut(out, right);
    page_fact_end(out);
}

static void append_kind(struct text *out, const struct page_probe *page)
{
    char slot[64] = "";
    struct text text = TEXT_OVER(slot);
    int64_t number;
    if (answer_integer(page->probe, "slot", &number)) {
        text_format(&text, "slot %" PRId64 " of the cadence", number);
    } else {
        text_format(&text, "%.20s, outside the cadence", answer_text(page->probe, "kind"));
    }
    page_fact(out, "Kind", slot);
}

static bool write_facts(struct text *out, struct page_probe *page)
{
    const json_t *probe = page->probe;
    struct walltime now = page->now.wall;
    page_facts_begin(out, "Facts");
    page_fact_time(out, "Sent", probe, "sent", now);
    page_fact_time(out, "Accepted", probe, "accepted", now);
    page_fact_time(out, "Arrived", probe, "arrived", now);
    page_fact_span(out, "Latency", probe, "latency_seconds", "latency_error_seconds");
    page_fact_span(out, "Of it excused", probe, "excused_seconds", "");
    append_kind(out, page);
    page_fact(out, "Server said", answer_text(probe, "smtp_reply"));
    page_fact(out, "What went wrong here", answer_text(probe, "error_cause"));
    page_fact(out, "Queue id", answer_text(probe, "queue_id"));
    page_fact(out, "Mailbox", answer_text(probe, "mailbox"));
    append_folder(out, page);
    page_fact_span(out, "Peer&rsquo;s clock ahead by", json_object_get(probe, "clock"),
                   "offset_seconds", "error_seconds");
    page_facts_end(out);
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
    char server[FACT_SHORT];
    bool known = answer_span(window, "covers_seconds", &covers);
    text_append(out, "<tr>");
    text_copy(server, sizeof server, answer_text(window, "server"));
    page_row_head(out, server);
    page_short_cell(out, "Kind", "", answer_text(window, "kind"));
    page_time_cell(out, "Begin", answer_time(window, "begin", &at) ? at : WALLTIME_NONE, now);
    page_time_cell(out, "End", answer_time(window, "end", &at) ? at : WALLTIME_NONE, now);
    page_time_cell(out, "Queues drained by",
                   answer_time(window, "recovered", &at) ? at : WALLTIME_NONE, now);
    page_span_cell(out, "Covers", known, covers);
    page_short_cell(out, "Id", "soft", answer_text(window, "id"));
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

static bool write_reports(struct text *out, struct page_probe *page)
{
    page_append_reports(out, page->probe, page->now.wall);
    return false;
}

static bool write_route(struct text *out, struct page_probe *page)
{
    page_append_probe_route(out, page->probe);
    return false;
}

static bool write_authentication(struct text *out, struct page_probe *page)
{
    page_append_authentication(out, page->probe);
    return false;
}

static bool write_transcript(struct text *out, struct page_probe *page)
{
    return page_transcript_next(out, page->probe, &page->index);
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
    write_top,     write_words, write_reports, write_life,           write_transcript,
    write_windows, write_facts, write_route,   write_authentication, write_end,
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
