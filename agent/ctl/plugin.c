#include "ctl/plugin.h"

#include <stdio.h>
#include <string.h>

#include "base/answer.h"
#include "ctl/bounce_words.h"
#include "ctl/format.h"

static bool in_state(const json_t *probe, const char *state)
{
    return strcmp(answer_text(probe, "state"), state) == 0;
}

bool plugin_probe_over(const json_t *probe)
{
    return in_state(probe, "arrived") || in_state(probe, "refused") || in_state(probe, "bounced") ||
           in_state(probe, "lost");
}

// ---- judging ----

static void append_threshold(struct text *why, struct span threshold)
{
    text_append(why, ", more than ");
    span_append(threshold, why);
}

// Nothing is called late that lies inside the error.
static struct span surely_taken(const json_t *probe, struct span latency)
{
    struct span error;
    return answer_span(probe, "latency_error_seconds", &error) ? span_subtract(latency, error)
                                                               : latency;
}

static enum plugin_status judge_by_thresholds(struct span latency, const struct command *command,
                                              struct text *why)
{
    if (command_given(command, OPTION_CRITICAL) && latency.ns > command->critical.ns) {
        append_threshold(why, command->critical);
        return PLUGIN_CRITICAL;
    }
    if (command_given(command, OPTION_WARNING) && latency.ns > command->warning.ns) {
        append_threshold(why, command->warning);
        return PLUGIN_WARNING;
    }
    return PLUGIN_OK;
}

static enum plugin_status judge_arrived(const json_t *probe, const struct command *command,
                                        struct text *why)
{
    struct span latency;
    if (!answer_span(probe, "latency_seconds", &latency)) {
        text_append(why, " arrived, but the agent does not say when");
        return PLUGIN_UNKNOWN;
    }
    text_format(why, " latency %.3f s", span_seconds(latency));
    if (command_given(command, OPTION_CRITICAL) || command_given(command, OPTION_WARNING)) {
        return judge_by_thresholds(surely_taken(probe, latency), command, why);
    }
    if (strcmp(answer_text(probe, "verdict"), "late") == 0) {
        text_append(why, ", late");
        return PLUGIN_WARNING;
    }
    return PLUGIN_OK;
}

static void append_if_any(struct text *why, const char *before, const char *value)
{
    if (value[0] != '\0') {
        text_append(why, before);
        format_text(value, why);
    }
}

// What the server said, and what went wrong on this side of the wire. Of what came back the first
// server's word is of no interest.
static void append_words(const json_t *probe, struct text *why)
{
    if (in_state(probe, "bounced")) {
        bounce_reason(json_object_get(probe, "bounce"), why);
        return;
    }
    append_if_any(why, ": ", answer_text(probe, "smtp_reply"));
    append_if_any(why, ": ", answer_text(probe, "error_cause"));
}

enum plugin_status plugin_judge(const json_t *probe, const struct command *command,
                                struct text *why)
{
    const char *queue_id = answer_text(probe, "queue_id");
    format_text(answer_text(probe, "path"), why);
    if (in_state(probe, "arrived")) {
        return judge_arrived(probe, command, why);
    }
    if (plugin_probe_over(probe)) {
        bool local = strcmp(answer_text(probe, "reply_class"), "local") == 0;
        text_append(why, local ? " not handed over: no server has been asked" : " ");
        format_text(local ? "" : answer_text(probe, "state"), why);
        append_words(probe, why);
        return local ? PLUGIN_UNKNOWN : PLUGIN_CRITICAL;
    }
    text_append(why, " not arrived within ");
    span_append(command->wait, why);
    append_if_any(why, ", ", answer_text(probe, "state"));
    append_if_any(why, ", queue id ", queue_id);
    if (json_is_object(json_object_get(probe, "delay"))) {
        text_append(why, ", delayed");
        bounce_reason(json_object_get(probe, "delay"), why);
    }
    if (queue_id[0] == '\0') {
        append_words(probe, why);
    }
    return PLUGIN_CRITICAL;
}

static bool at_either_end(const char *path, const char *server)
{
    const char *arrow = strstr(path, "->");
    size_t length = strlen(server);
    return arrow != NULL && length > 0 &&
           (strcmp(arrow + 2, server) == 0 ||
            ((size_t)(arrow - path) == length && strncmp(path, server, length) == 0));
}

enum plugin_status plugin_excuse(enum plugin_status status, const json_t *probe,
                                 const json_t *windows, struct text *why)
{
    if (status != PLUGIN_WARNING && status != PLUGIN_CRITICAL) {
        return status;
    }
    for (size_t i = 0; i < json_array_size(windows); i++) {
        const json_t *window = json_array_get(windows, i);
        const char *server = answer_text(window, "server");
        if (answer_true(window, "suppressing") &&
            at_either_end(answer_text(probe, "path"), server)) {
            text_append(why, "; maintenance of ");
            format_text(server, why);
            append_if_any(why, ", window ", answer_text(window, "id"));
            append_if_any(why, ", ", answer_text(window, "reason"));
            return PLUGIN_OK;
        }
    }
    return status;
}

// ---- printing ----

void plugin_print_text(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        fputc(*at == '|' ? '/' : *at, stdout);
    }
}

void plugin_print_line(enum plugin_status status, const char *why, const char *performance)
{
    static const char *const NAMES[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    printf("MAILFLOW %s - ", NAMES[status]);
    plugin_print_text(why);
    printf("%s%s\n", performance[0] == '\0' ? "" : " | ", performance);
}

// Seconds to the microsecond, at least three digits behind the point unless `whole` will do.
static void append_seconds(struct text *out, struct span of, size_t least_digits)
{
    char digits[48];
    struct text text = TEXT_OVER(digits);
    text_format(&text, "%.6f", span_seconds(of));
    size_t point = (size_t)(strchr(digits, '.') - digits);
    size_t length = text.length;
    while (length > point + 1 + least_digits && digits[length - 1] == '0') {
        length--;
    }
    if (digits[length - 1] == '.') {
        length--;
    }
    text_append_bytes(out, digits, length);
}

static void append_limit(struct text *out, const struct command *command, enum option option,
                         struct span limit)
{
    text_append(out, ";");
    if (command_given(command, option)) {
        append_seconds(out, limit, 0);
    }
}

static void append_legs(json_t *legs, struct text *out)
{
    const char *name;
    json_t *leg;
    json_object_foreach(legs, name, leg)
    {
        struct span span;
        if (answer_span(legs, name, &span) && strpbrk(name, " ='|;") == NULL) {
            text_append(out, out->length == 0 ? "" : " ");
            format_text(name, out);
            text_append(out, "=");
            append_seconds(out, span, 3);
            text_append(out, "s");
        }
    }
}

void plugin_append_performance(const json_t *probe, const struct command *command, struct text *out)
{
    struct span latency;
    if (answer_span(probe, "latency_seconds", &latency)) {
        text_append(out, "latency=");
        append_seconds(out, latency, 3);
        text_append(out, "s");
        append_limit(out, command, OPTION_WARNING, command->warning);
        append_limit(out, command, OPTION_CRITICAL, command->critical);
        text_append(out, ";0");
    }
    append_legs(json_object_get(probe, "legs"), out);
}
