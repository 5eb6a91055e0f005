#include "config/value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/local_time.h"
#include "base/recurrence.h"
#include "base/tag_codec.h"
#include "config/config.h"
#include "config/file.h"
#include "config/problem.h"
#include "config/syntax.h"

static bool any_text(const char *text)
{
    (void)text;
    return true;
}

static bool is_local_time(const char *text)
{
    struct local_time local;
    return local_time_parse(text, &local);
}

static bool is_window_kind(const char *text)
{
    return strcmp(text, "routine") == 0 || strcmp(text, "emergency") == 0;
}

static bool is_oauth_mechanism(const char *text)
{
    return strcmp(text, "auto") == 0 || strcmp(text, "xoauth2") == 0 ||
           strcmp(text, "oauthbearer") == 0;
}

// The types of text: how they look, and what a text that does not look so is told.
static const struct text_rule {
    bool (*valid)(const char *text);
    const char *complaint;
    const char *name;
} TEXT_RULES[] = {
    [KEY_TEXT] = {any_text, "", "text"},
    [KEY_SERVER_NAME] = {server_name_valid,
                         "is not a server name: 1 to 32 letters, digits, - and _", "server name"},
    [KEY_LABEL] = {syntax_label, "is not a name of letters, digits, - _ and . in between", "name"},
    [KEY_KEY_ID] = {syntax_key_id, "is not a key id: 1 to 16 letters, digits, - and _", "key id"},
    [KEY_HOST] = {syntax_host, "is neither a host name nor an address", "host"},
    [KEY_ADDRESS] = {syntax_address, "is not a mail address", "mail address"},
    [KEY_URL] = {syntax_url, "is not https://host:port or http://host:port", "URL"},
    [KEY_LISTEN] = {syntax_listen,
                    "is not an address to listen on: write 127.0.0.1:9925 or "
                    "[::1]:9925",
                    "address:port"},
    [KEY_HOST_PORT] = {syntax_host_port, "is neither a host nor host:port", "host:port"},
    [KEY_PATH] = {syntax_absolute_path, "is not an absolute path", "path"},
    [KEY_LOCAL_TIME] = {is_local_time, "is not a local time like 2026-01-04T02:00", "local time"},
    [KEY_ZONE] = {local_time_zone_exists,
                  "is not a time zone that this machine knows: write Europe/Stockholm or UTC",
                  "time zone"},
    [KEY_RECURRENCE] = {any_text, "", "recurrence rule"},
    [KEY_WINDOW_KIND] = {is_window_kind, "is neither routine nor emergency", "window kind"},
    [KEY_ALERT_LABEL] = {syntax_alert_label,
                         "is not the name of a label: letters, digits and _, no digit first",
                         "label"},
    [KEY_OAUTH_MECHANISM] = {is_oauth_mechanism, "is neither auto nor xoauth2 nor oauthbearer",
                             "SASL mechanism"},
    [KEY_CA_FILE] = {syntax_absolute_path, "is not an absolute path", "file"},
    [KEY_SECRET_FILE] = {any_text, "", "secret file"},
};

// Values that are one of a few words. The index in the table is what a field of KEY_TLS holds.
static const char *const TLS_WORDS[] = {
    [TLS_NONE] = "none", [TLS_STARTTLS] = "starttls", [TLS_IMPLICIT] = "implicit"};
enum { TLS_WORD_COUNT = sizeof TLS_WORDS / sizeof TLS_WORDS[0] };

static const struct facility {
    const char *name;
    int value;
} FACILITIES[] = {
    {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},
    {"daemon", LOG_DAEMON}, {"lpr", LOG_LPR},           {"mail", LOG_MAIL},
    {"news", LOG_NEWS},     {"syslog", LOG_SYSLOG},     {"user", LOG_USER},
    {"uucp", LOG_UUCP},     {"local0", LOG_LOCAL0},     {"local1", LOG_LOCAL1},
    {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},     {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},     {"local7", LOG_LOCAL7},
};
static const size_t FACILITY_COUNT = sizeof FACILITIES / sizeof FACILITIES[0];

static bool has_control_byte(const char *from)
{
    for (const unsigned char *at = (const unsigned char *)from; *at != '\0'; at++) {
        if (*at < 0x20 || *at == 0x7F) {
            return true;
        }
    }
    return false;
}

static bool read_text(const struct key *key, const char *from, struct arena *arena,
                      const char **field, struct error *error)
{
    const struct text_rule *rule = &TEXT_RULES[key->type];
    if (strlen(from) > (size_t)key->maximum) {
        return error_set(error, "is longer than %" PRId64 " bytes", key->maximum);
    }
    if (has_control_byte(from)) {
        return error_set(error, "has a control character in it");
    }
    if (!rule->valid(from)) {
        return error_set(error, "'%s' %s", problem_quote(from).text, rule->complaint);
    }
    if (key->type == KEY_RECURRENCE && !recurrence_check(from, error)) {
        return false;
    }
    if (key->type == KEY_CA_FILE && !file_readable(from, error)) {
        return error_prefix(error, "%s", from);
    }
    *field = arena_copy_text(arena, from);
    return true;
}

static bool read_boolean(const char *from, bool *field, struct error *error)
{
    bool yes = strcmp(from, "true") == 0;
    if (!yes && strcmp(from, "false") != 0) {
        return error_set(error, "'%s' is neither true nor false", problem_quote(from).text);
    }
    *field = yes;
    return true;
}

static bool out_of_range(const struct key *key, const char *from, struct error *error)
{
    char buffer[80];
    struct text range = TEXT_OVER(buffer);
    value_append_range(key, &range);
    return error_set(error, "%s is out of range: %s", problem_quote(from).text, buffer);
}

static bool read_integer(const struct key *key, const char *from, int64_t *number,
                         struct error *error)
{
    size_t length = strlen(from);
    size_t sign = from[0] == '-' ? 1 : 0;
    if (length == sign || strspn(from + sign, "0123456789") != length - sign) {
        return error_set(error, "'%s' is not a whole number", problem_quote(from).text);
    }
    *number = strtoll(from, NULL, 10);
    return (*number >= key->minimum && *number <= key->maximum) || out_of_range(key, from, error);
}

static bool read_span(const struct key *key, const char *from, struct span *field,
                      struct error *error)
{
    struct span span;
    size_t digits = strspn(from, "0123456789");
    if (digits > 0 && from[digits] == '\0') {
        struct quoted number = problem_quote(from);
        return error_set(error, "'%s' has no unit: write %ss, %sm, ...", number.text, number.text,
                         number.text);
    }
    if (!span_parse(from, &span)) {
        return error_set(error, "'%s' is not a duration: write 250ms, 15s, 30m, 4h or 5d",
                         problem_quote(from).text);
    }
    if (span.ns < key->minimum || span.ns > key->maximum) {
        return out_of_range(key, from, error);
    }
    *field = span;
    return true;
}

static bool read_tls(const char *from, enum tls_mode *field, struct error *error)
{
    for (int i = 0; i < TLS_WORD_COUNT; i++) {
        if (strcmp(from, TLS_WORDS[i]) == 0) {
            *field = (enum tls_mode)i;
            return true;
        }
    }
    return error_set(error, "'%s' is none of implicit, starttls, none", problem_quote(from).text);
}

static bool read_facility(const char *from, int *field, struct error *error)
{
    for (size_t i = 0; i < FACILITY_COUNT; i++) {
        if (strcmp(from, FACILITIES[i].name) == 0) {
            *field = FACILITIES[i].value;
            return true;
        }
    }
    return error_set(error, "'%s' is no syslog facility: write mail, daemon, local0, ...",
                     problem_quote(from).text);
}

bool value_read(const struct key *key, const char *from, struct arena *arena, void *field,
                struct error *error)
{
    int64_t number = 0;
    switch (key->type) {
    case KEY_BOOLEAN:
        return read_boolean(from, field, error);
    case KEY_SPAN:
        return read_span(key, from, field, error);
    case KEY_TLS:
        return read_tls(from, field, error);
    case KEY_FACILITY:
        return read_facility(from, field, error);
    case KEY_PORT:
        if (read_integer(key, from, &number, error)) {
            *(uint16_t *)field = (uint16_t)number;
            return true;
        }
        return false;
    case KEY_NUMBER:
        if (read_integer(key, from, &number, error)) {
            *(uint32_t *)field = (uint32_t)number;
            return true;
        }
        return false;
    default:
        return read_text(key, from, arena, field, error);
    }
}

static const char *facility_name(int value)
{
    size_t i = 0;
    while (i < FACILITY_COUNT - 1 && FACILITIES[i].value != value) {
        i++;
    }
    return FACILITIES[i].name;
}

void value_append(enum key_type type, const void *field, struct text *out)
{
    switch (type) {
    case KEY_BOOLEAN:
        text_append(out, *(const bool *)field ? "true" : "false");
        break;
    case KEY_SPAN:
        span_append(*(const struct span *)field, out);
        break;
    case KEY_TLS:
        text_append(out, TLS_WORDS[*(const enum tls_mode *)field]);
        break;
    case KEY_FACILITY:
        text_append(out, facility_name(*(const int *)field));
        break;
    case KEY_PORT:
        text_format(out, "%u", (unsigned)*(const uint16_t *)field);
        break;
    case KEY_NUMBER:
        text_format(out, "%" PRIu32, *(const uint32_t *)field);
        break;
    default:
        text_append(out, "\"");
        text_append_escaped(out, *(const char *const *)field);
        text_append(out, "\"");
    }
}

void value_append_range(const struct key *key, struct text *out)
{
    if (key->type == KEY_SPAN) {
        span_append((struct span){key->minimum}, out);
        text_append(out, " to ");
        span_append((struct span){key->maximum}, out);
    } else if (key->type == KEY_PORT || key->type == KEY_NUMBER) {
        text_format(out, "%" PRId64 " to %" PRId64, key->minimum, key->maximum);
    } else if (key->type == KEY_LIST || key->type == KEY_MAPS) {
        text_format(out, "%" PRId64 " to %" PRId64 " members", key->minimum, key->maximum);
    } else if (key_is_text(key->type)) {
        text_format(out, "at most %" PRId64 " bytes", key->maximum);
    }
}

const char *value_type_name(enum key_type type)
{
    static const char *const NAMES[] = {
        [KEY_BOOLEAN] = "true or false",
        [KEY_PORT] = "port",
        [KEY_NUMBER] = "number",
        [KEY_SPAN] = "duration",
        [KEY_TLS] = "TLS mode",
        [KEY_FACILITY] = "syslog facility",
        [KEY_LIST] = "list",
        [KEY_MAP] = "map",
        [KEY_MAPS] = "list of maps",
        [KEY_SHARED] = "",
    };
    return key_is_text(type) ? TEXT_RULES[type].name : NAMES[type];
}
