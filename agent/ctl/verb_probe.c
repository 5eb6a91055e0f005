#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/answer.h"
#include "ctl/format.h"
#include "ctl/plugin.h"
#include "ctl/progress.h"
#include "ctl/report.h"
#include "ctl/verb.h"

static const struct span POLL_FIRST = {INT64_C(50000000)};
static const struct span POLL_LAST = {INT64_C(500000000)};

// Asks until the probe's life is over or the time is. The last answer, or NULL: reported.
static json_t *wait_for_probe(const struct context *context, const char *id, int *code)
{
    char target[256];
    struct text text = TEXT_OVER(target);
    struct instant deadline = instant_add(clock_now().instant, context->command->wait);
    struct progress progress = progress_begin("for the probe to arrive");
    text_append(&text, "/probes/");
    text_append_encoded(&text, id);
    for (struct span pause = POLL_FIRST;; pause.ns += pause.ns / 2) {
        json_t *probe = report_ask(context, "GET", target, NULL, NULL, code);
        struct span left = instant_since(deadline, clock_now().instant);
        if (probe == NULL || plugin_probe_over(probe) || left.ns <= 0) {
            progress_clear(&progress);
            return probe;
        }
        json_decref(probe);
        progress_show(&progress);
        client_pause(span_shorter(left, span_shorter(pause, POLL_LAST)));
    }
}

// ---- the lines behind the first ----

static void print_detail(const char *name, const char *value)
{
    if (value[0] != '\0') {
        printf("  %-9s ", name);
        plugin_print_text(value);
        fputc('\n', stdout);
    }
}

static void print_text_detail(const char *name, const json_t *probe, const char *member)
{
    char shown[1024];
    struct text text = TEXT_OVER(shown);
    format_text(answer_text(probe, member), &text);
    print_detail(name, shown);
}

static void print_time_detail(const char *name, const json_t *probe, const char *member)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    struct walltime at;
    if (answer_time(probe, member, &at)) {
        format_date(at, &text);
        format_zone(at, &text);
    }
    print_detail(name, shown);
}

static void print_legs(json_t *legs)
{
    const char *name;
    json_t *leg;
    json_object_foreach(legs, name, leg)
    {
        char title[64], shown[64];
        struct text title_text = TEXT_OVER(title);
        struct text text = TEXT_OVER(shown);
        struct span span;
        format_text(name, &title_text);
        if (answer_span(legs, name, &span)) {
            format_latency(span, &text);
            print_detail(title, shown);
        }
    }
}

static void print_error(const struct context *context, const json_t *probe)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    struct span error;
    if (answer_span(probe, "latency_error_seconds", &error)) {
        text_append(&text, context->terminal.utf8 ? "±" : "+-");
        format_latency(error, &text);
    }
    print_detail("error", shown);
}

static void print_details(const struct context *context, const json_t *probe)
{
    print_text_detail("probe", probe, "id");
    print_time_detail("sent", probe, "sent");
    print_legs(json_object_get(probe, "legs"));
    print_text_detail("reply", probe, "smtp_reply");
    print_text_detail("cause", probe, "error_cause");
    print_text_detail("queue id", probe, "queue_id");
    print_time_detail("arrived", probe, "arrived");
    print_text_detail("agent", probe, "agent_trouble");
    print_error(context, probe);
    if (strcmp(answer_text(probe, "state"), "refused") != 0) { // of which there is none
        print_text_detail("verdict", probe, "verdict");
    }
}

// ---- the verb ----

static enum plugin_status excuse(const struct context *context, const json_t *probe,
                                 enum plugin_status status, struct text *why)
{
    struct error unused; // without an answer the measurement stands as it is
    json_t *answer = NULL;
    if (status != PLUGIN_OK) {
        client_ask(context->client, "GET", "/maintenance", NULL, &answer, &unused);
    }
    status = plugin_excuse(status, probe, json_object_get(answer, "maintenance"), why);
    json_decref(answer);
    return status;
}

static int show_probe(const struct context *context, const json_t *probe)
{
    char why[1024], performance[1024];
    struct text why_text = TEXT_OVER(why);
    struct text performance_text = TEXT_OVER(performance);
    enum plugin_status status = plugin_judge(probe, context->command, &why_text);
    status = excuse(context, probe, status, &why_text);
    if (context->command->json) {
        report_json(context, probe);
        return (int)status;
    }
    plugin_append_performance(probe, context->command, &performance_text);
    plugin_print_line(status, why, performance);
    print_details(context, probe);
    return (int)status;
}

static int show_sent(const struct context *context, const json_t *answer, const char *id)
{
    char why[256];
    struct text text = TEXT_OVER(why);
    if (context->command->json) {
        report_json(context, answer);
        return PLUGIN_OK;
    }
    text_append(&text, "probe ");
    format_text(id, &text);
    text_append(&text, " is on its way, not waited for");
    plugin_print_line(PLUGIN_OK, why, "");
    return PLUGIN_OK;
}

static int follow_probe(const struct context *context, const json_t *answer)
{
    int code = PLUGIN_UNKNOWN;
    const char *id = answer_text(answer, "id");
    if (id[0] == '\0') {
        return report_failure(context, EXIT_REFUSED, "the agent took the probe but gave no id");
    }
    if (context->command->wait.ns == 0) {
        return show_sent(context, answer, id);
    }
    json_t *probe = wait_for_probe(context, id, &code);
    if (probe != NULL) {
        code = show_probe(context, probe);
    }
    json_decref(probe);
    return code;
}

int verb_probe(struct context *context)
{
    const struct command *command = context->command;
    const char *peer = command->words[0];
    int code = PLUGIN_UNKNOWN;
    if (command_given(command, OPTION_WARNING) && command_given(command, OPTION_CRITICAL) &&
        command->warning.ns > command->critical.ns) {
        return report_failure(context, EXIT_USAGE, "--warning is longer than --critical");
    }
    json_t *request = memory_checked(json_pack("{s:o}", "peer", client_json_text(peer)));
    json_t *answer = report_ask(context, "POST", "/probes", request, peer, &code);
    json_decref(request);
    if (answer != NULL) {
        code = follow_probe(context, answer);
    }
    json_decref(answer);
    return code;
}
