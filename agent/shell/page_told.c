#include "shell/page_told.h"

#include <string.h>

#include "base/answer.h"
#include "shell/page_cell.h"
#include "shell/page_fact.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"

// ---- what servers reported ----

static void append_report(struct text *out, const char *title, const json_t *bounce,
                          struct walltime now)
{
    struct walltime at;
    if (!json_is_object(bounce)) {
        return;
    }
    page_facts_begin(out, title);
    page_fact(out, "Action", answer_text(bounce, "action"));
    page_fact(out, "Status", answer_text(bounce, "status"));
    page_fact(out, "Remote server", answer_text(bounce, "remote_mta"));
    page_fact(out, "It said", answer_text(bounce, "diagnostic"));
    if (answer_time(bounce, "reported", &at)) {
        page_fact_begin(out, "Reported");
        page_append_time(out, at, now);
        page_fact_end(out);
    }
    page_facts_end(out);
}

void page_append_reports(struct text *out, const json_t *probe, struct walltime now)
{
    append_report(out, "Delay", json_object_get(probe, "delay"), now);
    append_report(out, "Bounce", json_object_get(probe, "bounce"), now);
}

// ---- its way ----

static void append_hosts(struct text *out, const json_t *hosts)
{
    enum { SHOWN = 16 };
    char shown[FACT_SHORT];
    for (size_t i = 0; i < json_array_size(hosts) && i < SHOWN; i++) {
        const char *host = json_string_value(json_array_get(hosts, i));
        text_append(out, i == 0 ? "" : " &rarr; ");
        text_copy(shown, sizeof shown, host == NULL ? "?" : host);
        page_append_escaped(out, shown);
    }
}

void page_append_probe_route(struct text *out, const json_t *probe)
{
    const json_t *route = json_object_get(probe, "route");
    if (json_array_size(json_object_get(route, "hosts")) == 0) {
        return;
    }
    page_facts_begin(out, "Route");
    page_fact_begin(out, "Hosts");
    append_hosts(out, json_object_get(route, "hosts"));
    page_fact_end(out);
    page_fact(out, "Changed",
              answer_true(route, "changed") ? "yes: another one than this path's learned route"
                                            : "no");
    page_facts_end(out);
}

static enum page_tone tone_of(const char *result)
{
    static const char *const FAILED[] = {"fail", "softfail", "policy", "permerror"};
    for (size_t i = 0; i < sizeof FAILED / sizeof FAILED[0]; i++) {
        if (strcmp(result, FAILED[i]) == 0) {
            return TONE_WARN;
        }
    }
    return strcmp(result, "pass") == 0 ? TONE_GOOD : TONE_SOFT;
}

static void append_method(struct text *out, const char *method, const json_t *results)
{
    const char *reason = answer_text(json_object_get(results, "reasons"), method);
    const char *result = answer_text(results, method);
    if (result[0] == '\0') {
        return;
    }
    page_fact_begin(out, method);
    page_append_sign(out, tone_of(result));
    text_append(out, " ");
    page_append_cut(out, result);
    text_append(out, reason[0] == '\0' ? "" : ", ");
    page_append_cut(out, reason);
    page_fact_end(out);
}

void page_append_authentication(struct text *out, const json_t *probe)
{
    static const char *const METHODS[] = {"spf", "dkim", "dmarc", "arc"};
    const json_t *results = json_object_get(probe, "authentication");
    if (!json_is_object(results)) {
        return;
    }
    page_facts_begin(out, "Authentication");
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
        append_method(out, METHODS[i], results);
    }
    page_fact(out, "Says", answer_text(results, "authserv_id"));
    page_facts_end(out);
}

// ---- what was said when it was handed over ----

static void append_line(struct text *out, const json_t *line)
{
    struct span at;
    bool known = answer_span(line, "at_seconds", &at);
    text_append(out, "<tr>");
    page_span_cell(out, "After", known, at);
    page_short_cell(out, "From", "", answer_text(line, "from"));
    page_begin_cell(out, "Text", "words");
    text_append(out, "<code>");
    page_append_cut(out, answer_text(line, "text"));
    text_append(out, "</code></td></tr>\n");
}

bool page_transcript_next(struct text *out, const json_t *probe, size_t *line)
{
    enum { LINES_A_PART = 4, SHOWN = 200 };
    const json_t *lines = json_object_get(probe, "transcript");
    size_t count = json_array_size(lines) < SHOWN ? json_array_size(lines) : SHOWN;
    if (count == 0) {
        return false;
    }
    if (*line == 0) {
        text_append(out, "<section>\n<h2>Transcript</h2>\n<table class=\"transcript\">\n<caption>"
                         "What was said when it was handed over; secrets are left out.</caption>\n"
                         "<thead><tr><th scope=\"col\" class=\"number\">After</th>"
                         "<th scope=\"col\">From</th><th scope=\"col\">Text</th></tr></thead>\n"
                         "<tbody>\n");
    }
    for (int i = 0; i < LINES_A_PART && *line < count; i++) {
        append_line(out, json_array_get(lines, (*line)++));
    }
    if (*line < count) {
        return true;
    }
    text_append(out, "</tbody>\n</table>\n</section>\n");
    return false;
}
