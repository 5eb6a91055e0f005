#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/text.h"
#include "ctl/bounce_words.h"
#include "ctl/explain_transcript.h"
#include "ctl/explain_way.h"
#include "ctl/format.h"
#include "ctl/incident_words.h"
#include "ctl/report.h"
#include "ctl/verb.h"
#include "ctl/windows.h"

enum { LINE_SIZE = 1024 };

// What is asked of the agent about one probe.
struct explanation {
    const struct context *context;
    const json_t *probe;
    struct walltime now;
    const char *plus_minus;
};

// ---- lines ----

static void print_line(const char *name, const char *line)
{
    printf("  %-9s %s\n", name, line);
}

static bool is_in_state(const struct explanation *of, const char *state)
{
    return strcmp(answer_text(of->probe, "state"), state) == 0;
}

static bool is_outbound(const struct explanation *of)
{
    return strcmp(answer_text(of->probe, "direction"), "outbound") == 0;
}

// "2026-07-28 12:49:00.120 CEST"
static void append_instant(struct walltime at, struct text *out)
{
    format_date(at, out);
    text_format(out, ".%03" PRId64, at.ns / 1000000 % 1000);
    format_zone(at, out);
}

static void append_error(const struct explanation *of, struct span error, struct text *out)
{
    text_append(out, " ");
    text_append(out, of->plus_minus);
    format_latency(error, out);
}

static void print_head(const struct explanation *of)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    int64_t slot;
    const char *verdict = answer_text(of->probe, "verdict");
    text_append(&text, "probe ");
    format_text(answer_text(of->probe, "id"), &text);
    text_append(&text, ", ");
    format_text(answer_text(of->probe, "path"), &text);
    text_append(&text, ": ");
    format_text(verdict[0] == '\0' || strcmp(verdict, "open") == 0 ? answer_text(of->probe, "state")
                                                                   : verdict,
                &text);
    puts(line);

    text = TEXT_OVER(line);
    if (answer_integer(of->probe, "slot", &slot)) {
        text_format(&text, "slot %" PRId64 " of the cadence", slot);
    } else {
        format_text(answer_text(of->probe, "kind"), &text);
        text_append(&text, ", outside the cadence");
    }
    print_line("kind", line);
}

// One instant of its life; `note` says what it is, `missing` what it means that there is none.
static void print_instant(const struct explanation *of, const char *member, const char *note,
                          const char *missing)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    struct walltime at;
    if (answer_time(of->probe, member, &at)) {
        append_instant(at, &text);
        text_append(&text, note);
        print_line(member, line);
    } else if (missing[0] != '\0') {
        print_line(member, missing);
    }
}

// ---- on its way ----

static void print_reply(const struct explanation *of)
{
    static const struct {
        const char *member;
        const char *name;
    } REPLIES[] = {{"smtp_reply", "reply"}, {"error_cause", "cause"}, {"queue_id", "queue id"}};
    for (size_t i = 0; i < sizeof REPLIES / sizeof REPLIES[0]; i++) {
        char line[LINE_SIZE];
        struct text text = TEXT_OVER(line);
        format_text(answer_text(of->probe, REPLIES[i].member), &text);
        if (line[0] != '\0') {
            print_line(REPLIES[i].name, line);
        }
    }
}

static void print_legs(const struct explanation *of)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    json_t *legs = json_object_get(of->probe, "legs");
    const char *name;
    json_t *leg;
    json_object_foreach(legs, name, leg)
    {
        struct span span;
        if (answer_span(legs, name, &span)) {
            text_append(&text, text.length == 0 ? "" : ", ");
            format_text(name, &text);
            text_append(&text, " ");
            format_latency(span, &text);
        }
    }
    if (line[0] != '\0') {
        print_line("legs", line);
    }
}

static void print_bounces(const struct explanation *of)
{
    static const char *const MEMBERS[] = {"delay", "bounce"};
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++) {
        char line[LINE_SIZE];
        struct text text = TEXT_OVER(line);
        if (bounce_words(json_object_get(of->probe, MEMBERS[i]), &text)) {
            print_line(MEMBERS[i], line);
        }
    }
}

// ---- its arrival ----

static void append_seen(const struct explanation *of, struct text *out)
{
    struct walltime absent, asked, present;
    const char *mailbox = answer_text(of->probe, "mailbox");
    if (answer_time(of->probe, "present", &present)) {
        text_append(out, ", seen ");
        append_instant(present, out);
    }
    if (answer_time(of->probe, "asked", &asked)) {
        text_append(out, ", asked for at ");
        append_instant(asked, out);
    }
    if (answer_time(of->probe, "absent", &absent)) {
        text_append(out, ", not there at ");
        append_instant(absent, out);
    }
    if (mailbox[0] != '\0') {
        text_append(out, ", in ");
        format_text(mailbox, out);
        text_append(out, "/");
        format_text(answer_text(of->probe, "folder"), out);
    }
}

// Where nobody knows of an arrival, what is known of the peer's receipts says how far that goes.
static void append_not_arrived(const struct explanation *of, const json_t *path, struct text *out)
{
    struct walltime sent, as_of;
    if (is_in_state(of, "refused") || is_in_state(of, "sending")) {
        text_append(out, "nothing is in flight");
    } else if (is_in_state(of, "bounced")) {
        text_append(out, "no: it came back");
    } else if (!answer_time(path, "receipts_as_of", &as_of)) {
        text_append(out, "not known: the peer has sent no receipts yet");
    } else if (answer_time(of->probe, "sent", &sent) && as_of.ns > sent.ns) {
        text_append(out, "not by ");
        append_instant(as_of, out);
        text_append(out, ", the peer's receipts say");
    } else {
        text_append(out, "not known: the peer's newest receipts are as of ");
        append_instant(as_of, out);
        text_append(out, ", before it was sent");
    }
}

static void print_agent_trouble(const struct explanation *of)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    format_text(answer_text(of->probe, "agent_trouble"), &text);
    if (line[0] != '\0') {
        print_line("agent", line);
    }
}

static void print_arrival(const struct explanation *of, const json_t *path)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    struct walltime at;
    struct span error;
    bool by_receipt = is_outbound(of) && answer_text(of->probe, "mailbox")[0] == '\0';
    if (!answer_time(of->probe, "arrived", &at)) {
        append_not_arrived(of, path, &text);
        print_line("arrived", line);
        print_agent_trouble(of);
        return;
    }
    append_instant(at, &text);
    if (answer_span(of->probe, "latency_error_seconds", &error)) {
        append_error(of, error, &text);
    }
    if (by_receipt) {
        text_append(&text, ", by the peer's receipt; when that came is not recorded");
    }
    append_seen(of, &text);
    if (answer_true(of->probe, "stripped")) {
        text_append(&text, "; its Mailflow- headers were lost on the way");
    }
    print_line("arrived", line);
}

static void print_clock(const struct explanation *of)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    const json_t *clock = json_object_get(of->probe, "clock");
    struct span offset, error;
    if (!answer_span(clock, "offset_seconds", &offset) ||
        !answer_span(clock, "error_seconds", &error)) {
        print_line("clock", "the peer's clock against ours is not known");
        return;
    }
    bool ahead = offset.ns >= 0;
    text_append(&text, "the peer's is ");
    format_latency(span_magnitude(offset), &text);
    append_error(of, error, &text);
    text_append(&text,
                ahead ? " ahead of ours, as estimated now" : " behind ours, as estimated now");
    print_line("clock", line);
}

static void print_latency(const struct explanation *of)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    struct span latency, excused;
    if (!answer_span(of->probe, "latency_seconds", &latency)) {
        return;
    }
    format_latency(latency, &text);
    if (answer_span(of->probe, "excused_seconds", &excused) && excused.ns > 0) {
        text_append(&text, ", ");
        format_latency(excused, &text);
        text_append(&text, " of it excused");
    }
    print_line("latency", line);
}

// ---- what it was judged by ----

static void describe_window(const struct explanation *of, const json_t *window, struct text *out)
{
    struct span excused;
    struct walltime until;
    format_text(answer_text(window, "id"), out);
    text_append(out, " ");
    format_text(answer_text(window, "server"), out);
    text_append(out, " ");
    format_text(answer_text(window, "kind"), out);
    text_append(out, ", ");
    window_append_span(window, out);
    if (answer_time(window, "recovered", &until)) {
        text_append(out, ", queues drained by ");
        format_clock(until, of->now, out);
    }
    if (answer_span(window, "covers_seconds", &excused)) {
        text_append(out, ": covers ");
        format_latency(excused, out);
        text_append(out, " of its life");
    }
}

static void print_windows(const struct explanation *of)
{
    const json_t *windows = json_object_get(of->probe, "windows_consulted");
    for (size_t i = 0; i < json_array_size(windows); i++) {
        char line[LINE_SIZE];
        struct text text = TEXT_OVER(line);
        describe_window(of, json_array_get(windows, i), &text);
        print_line(i == 0 ? "windows" : "", line);
    }
    if (json_array_size(windows) == 0) {
        print_line("windows", "none of either end touches its life");
    }
}

static void print_rule(const struct explanation *of)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    const char *verdict = answer_text(of->probe, "verdict");
    const char *rule = answer_text(of->probe, "rule");
    format_text(strcmp(verdict, "open") == 0 ? "none yet" : verdict, &text);
    if (rule[0] != '\0') {
        text_append(&text, ": ");
        format_text(rule, &text);
    }
    print_line("verdict", line);
}

static void describe_incident(const struct explanation *of, const json_t *incident,
                              struct text *out)
{
    char words[LINE_SIZE];
    struct text culprit = TEXT_OVER(words);
    struct walltime began, closed;
    text_append(out, " ");
    format_text(answer_text(incident, "kind"), out);
    text_append(out, " ");
    format_text(answer_text(incident, "subject"), out);
    if (answer_time(incident, "began", &began)) {
        text_append(out, ", from ");
        format_clock(began, of->now, out);
    }
    if (answer_time(incident, "closed", &closed)) {
        text_append(out, " to ");
        format_clock(closed, of->now, out);
    } else {
        text_append(out, ", still open");
    }
    const char *window = answer_text(incident, "suppressed_by");
    if (answer_true(incident, "notified")) {
        text_append(out, ", notified");
    } else if (window[0] != '\0') {
        text_append(out, ", suppressed by ");
        format_text(window, out);
    } else {
        text_append(out, ", not notified");
    }
    incident_words_culprit(incident, ", ", &culprit);
    format_text(words, out);
}

static void print_incident(const struct explanation *of)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    const json_t *incident = json_object_get(of->probe, "explained_by");
    int64_t id;
    if (!answer_integer(of->probe, "incident", &id)) {
        print_line("incident", "none explains it");
        return;
    }
    text_format(&text, "%" PRId64, id);
    if (json_is_object(incident)) {
        describe_incident(of, incident, &text);
    } else {
        text_append(&text, ", which the ledger does not have any more");
    }
    print_line("incident", line);
}

// ---- the verb ----

static const json_t *find_path(const json_t *paths, const char *name)
{
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const json_t *path = json_array_get(paths, i);
        if (strcmp(answer_text(path, "path"), name) == 0) {
            return path;
        }
    }
    return NULL;
}

static void explain(const struct explanation *of, const json_t *path)
{
    bool outbound = is_outbound(of);
    bool unsent = is_in_state(of, "refused") || is_in_state(of, "sending");
    print_head(of);
    print_instant(of, "planned", "", "");
    print_instant(of, "sent",
                  outbound ? ", the message data began to go out" : ", by the peer's clock",
                  unsent ? "no message data went out" : "not known");
    if (outbound) {
        print_instant(of, "accepted", ", the first server took it over",
                      is_in_state(of, "uncertain") ? "not known: the last reply was lost" : "");
    }
    print_reply(of);
    explain_transcript(of->probe);
    print_legs(of);
    explain_way_print(of->probe, &of->context->terminal);
    print_bounces(of);
    print_arrival(of, path);
    print_latency(of);
    print_clock(of);
    print_windows(of);
    print_rule(of);
    print_incident(of);
}

static int explain_with_path(struct explanation *of)
{
    int code = EXIT_DONE;
    json_t *paths = report_ask(of->context, "GET", "/paths", NULL, NULL, &code);
    if (paths != NULL) {
        const json_t *path =
            find_path(json_object_get(paths, "paths"), answer_text(of->probe, "path"));
        explain(of, path);
    }
    json_decref(paths);
    return code;
}

int verb_explain(struct context *context)
{
    char target[256];
    struct text text = TEXT_OVER(target);
    int code = EXIT_DONE;
    text_append(&text, "/probes/");
    text_append_encoded(&text, context->command->words[0]);
    json_t *probe = report_ask(context, "GET", target, NULL, NULL, &code);
    struct explanation of = {
        .context = context,
        .probe = probe,
        .now = clock_now().wall,
        .plus_minus = context->terminal.utf8 ? "±" : "+-",
    };
    if (probe != NULL && context->command->json) {
        report_json(context, probe);
    } else if (probe != NULL) {
        code = explain_with_path(&of);
    }
    json_decref(probe);
    return code;
}
