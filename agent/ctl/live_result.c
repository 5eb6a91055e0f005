#include "ctl/live_result.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/client.h"
#include "ctl/format.h"
#include "ctl/paragraph.h"

void live_result_add_leg(struct live_result *result, const char *name, struct span took)
{
    if (result->leg_count < LIVE_LEGS_MAXIMUM && took.ns >= 0) {
        result->legs[result->leg_count++] = (struct live_leg){name, took};
    }
}

static void tell(struct live_result *result, const char *said)
{
    struct text told = TEXT_OVER(result->told);
    format_text(said, &told);
}

void live_result_add_certificate(struct live_result *result, const struct certificate *certificate)
{
    result->certificate = *certificate;
    result->looked = clock_now().wall;
}

// ", certificate for 41 d 3 h" of one that is good; of another the reason is told already.
static void append_certificate(const struct live_result *result, struct text *out)
{
    const struct certificate *certificate = &result->certificate;
    if (certificate->seen && certificate->verified) {
        text_append(out, ", certificate for ");
        format_duration(walltime_since(certificate->expires, result->looked), out);
    }
}

static json_t *certificate_to_json(const struct live_result *result)
{
    const struct certificate *certificate = &result->certificate;
    if (!certificate->seen) {
        return json_null();
    }
    struct span left = walltime_since(certificate->expires, result->looked);
    return memory_checked(json_pack("{s:b, s:f, s:o, s:o}", "verified", certificate->verified,
                                    "expires_in_seconds", span_seconds(left), "subject",
                                    client_json_text(certificate->subject), "issuer",
                                    client_json_text(certificate->issuer)));
}

void live_result_succeed(struct live_result *result, const char *told)
{
    result->good = true;
    result->advice = "";
    tell(result, told);
}

// The target is told by itself; a prober, which speaks into logs, too, begins with it.
static const char *behind_target(const struct live_result *result, const char *said)
{
    size_t length = strlen(result->target);
    bool told = strncmp(said, result->target, length) == 0 && strncmp(said + length, ": ", 2) == 0;
    return told ? said + length + 2 : said;
}

void live_result_fail(struct live_result *result, enum advice_service service, const char *said)
{
    result->good = false;
    result->advice = advice_for(service, said);
    tell(result, behind_target(result, said));
}

void live_result_warn(struct live_result *result, enum advice_service service, const char *said)
{
    live_result_fail(result, service, said);
    result->good = true;
}

static bool has_warning(const struct live_result *result)
{
    return result->good && result->advice[0] != '\0';
}

static void print_mark(const struct live_result *result, const struct terminal *terminal)
{
    bool warning = has_warning(result);
    terminal_paint(terminal,
                   warning        ? COLOUR_WARNING
                   : result->good ? COLOUR_GOOD
                                  : COLOUR_BAD,
                   stdout);
    fputs(warning ? "warn  " : result->good ? "ok    " : "FAILED", stdout);
    terminal_paint(terminal, COLOUR_PLAIN, stdout);
}

void live_result_print(const struct live_result *result, const struct terminal *terminal)
{
    enum { SUBJECT_COLUMN = 8 };
    size_t width = terminal->width == 0 ? SIZE_MAX : terminal->width;
    char took[256], whole[2048];
    struct text line = TEXT_OVER(whole);
    struct text legs = TEXT_OVER(took);
    for (size_t i = 0; i < result->leg_count; i++) {
        text_format(&legs, "%s%s ", i == 0 ? " (" : ", ", result->legs[i].name);
        format_latency(result->legs[i].took, &legs);
    }
    print_mark(result, terminal);
    char good_for[64];
    struct text certificate = TEXT_OVER(good_for);
    append_certificate(result, &certificate);
    text_format(&line, "%s at %s: %s%s%s%s", result->subject, result->target, result->told,
                good_for, took, result->leg_count == 0 ? "" : ")");
    fputs("  ", stdout);
    paragraph_print(line.data, SUBJECT_COLUMN, width, stdout);
    if (result->advice[0] != '\0') {
        printf("%*s", SUBJECT_COLUMN, "");
        paragraph_print(result->advice, SUBJECT_COLUMN, width, stdout);
    }
    fflush(stdout);
}

json_t *live_result_to_json(const struct live_result *result)
{
    json_t *legs = memory_checked(json_object());
    for (size_t i = 0; i < result->leg_count; i++) {
        json_object_set_new(legs, result->legs[i].name,
                            json_real(span_seconds(result->legs[i].took)));
    }
    return memory_checked(json_pack(
        "{s:o, s:o, s:b, s:b, s:o, s:s, s:o, s:o}", "subject", client_json_text(result->subject),
        "target", client_json_text(result->target), "ok", result->good, "warning",
        has_warning(result), "message", client_json_text(result->told), "advice", result->advice,
        "legs", legs, "certificate", certificate_to_json(result)));
}
