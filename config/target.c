#include "config/target.h"

#include <string.h>

#include "config/problem.h"
#include "config/syntax.h"

enum word { WORD_LABEL, WORD_HOST, WORD_NAME, WORD_PORT, WORDS };

static const char *const NAMES[WORDS] = {"{label}", "{host}", "{name}", "{port}"};

// Which word begins here; WORDS when none does.
static enum word word_at(const char *text)
{
    enum word word = WORD_LABEL;
    while (word < WORDS && strncmp(text, NAMES[word], strlen(NAMES[word])) != 0) {
        word++;
    }
    return word;
}

bool target_parse(const char *text, struct target *out, struct error *error)
{
    *out = (struct target){.name = ""};
    if (!syntax_host_port(text)) {
        return error_set(error, "'%s' is neither a host nor host:port", problem_quote(text).text);
    }
    host_port_split(text, out->host, sizeof out->host, &out->port);
    return true;
}

bool template_check(const char *of, enum template_kind kind, struct error *error)
{
    for (const char *at = strchr(of, '{'); at != NULL; at = strchr(at + 1, '{')) {
        enum word word = word_at(at);
        if (word == WORDS || (kind == TEMPLATE_NAME && word > WORD_HOST)) {
            return error_set(error, "what '%s' begins with is none of {label}, {host}%s",
                             problem_quote(at).text,
                             kind == TEMPLATE_NAME ? "" : ", {name}, {port}");
        }
    }
    return true;
}

// Without letters it is an address, which has no first part.
static bool host_is_address(const char *host)
{
    return strchr(host, ':') != NULL || strspn(host, "0123456789.") == strlen(host);
}

static bool append_host(const char *host, size_t length, enum template_kind kind, struct text *out,
                        struct error *error)
{
    if (kind == TEMPLATE_NAME && host_is_address(host)) {
        return error_set(error, "%s makes no name: give it one with the label mailflow_server",
                         host);
    }
    bool bracketed = kind == TEMPLATE_AGENT && strchr(host, ':') != NULL;
    text_append(out, bracketed ? "[" : "");
    for (size_t i = 0; i < length; i++) {
        text_append_bytes(out, kind == TEMPLATE_NAME && host[i] == '.' ? "-" : &host[i], 1);
    }
    text_append(out, bracketed ? "]" : "");
    return true;
}

static bool append_word(enum word word, enum template_kind kind, const struct target *target,
                        struct text *out, struct error *error)
{
    switch (word) {
    case WORD_LABEL:
        return append_host(target->host, strcspn(target->host, "."), kind, out, error);
    case WORD_HOST:
        return append_host(target->host, strlen(target->host), kind, out, error);
    case WORD_NAME:
        text_append(out, target->name);
        return true;
    default:
        text_format(out, "%u", (unsigned)target->port);
        return target->port != 0 || error_set(error, "the target has no port for {port}");
    }
}

bool template_expand(const char *of, enum template_kind kind, const struct target *target,
                     struct text *out, struct error *error)
{
    while (*of != '\0') {
        enum word word = word_at(of);
        size_t length = word == WORDS ? 1 : strlen(NAMES[word]);
        if (word == WORDS) {
            text_append_bytes(out, of, 1);
        } else if (!append_word(word, kind, target, out, error)) {
            return false;
        }
        of += length;
    }
    return !out->truncated || error_set(error, "what it makes of %s is too long", target->host);
}
