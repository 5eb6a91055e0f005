#include "probes/trace.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

static const char *const METHOD_NAMES[AUTH_METHODS] = {"spf", "dkim", "dmarc", "arc"};
static const char *const RESULT_NAMES[AUTH_RESULTS] = {
    "", "none", "pass", "fail", "policy", "neutral", "softfail", "temperror", "permerror",
};

const char *auth_method_name(enum auth_method method)
{
    return METHOD_NAMES[method];
}

bool auth_method_parse(const char *name, enum auth_method *out)
{
    for (int i = 0; i < AUTH_METHODS; i++) {
        if (text_equal_ignoring_case(name, METHOD_NAMES[i])) {
            *out = (enum auth_method)i;
            return true;
        }
    }
    return false;
}

const char *auth_result_name(enum auth_result result)
{
    return RESULT_NAMES[result];
}

bool auth_result_parse(const char *name, enum auth_result *out)
{
    for (int i = AUTH_ABSENT + 1; i < AUTH_RESULTS; i++) {
        if (text_equal_ignoring_case(name, RESULT_NAMES[i])) {
            *out = (enum auth_result)i;
            return true;
        }
    }
    return false;
}

bool trace_known(const struct trace *trace)
{
    return trace->count > 0 || trace->authentication.authserv_id[0] != '\0';
}

void trace_shorten(struct trace *trace)
{
    if (trace->count > 0) {
        trace->count--;
        trace->more++;
        memmove(trace->hops, trace->hops + 1, trace->count * sizeof trace->hops[0]);
    }
}

// ---- the route ----

// Letters among what names of hosts are made of, and not the name that every host has.
static bool is_host_name(const char *name)
{
    bool letter = false;
    for (const char *at = name; *at != '\0'; at++) {
        letter = letter || isalpha((unsigned char)*at);
        if (!isalnum((unsigned char)*at) && strchr(".-_", *at) == NULL) {
            return false;
        }
    }
    return letter && strncmp(name, "localhost", strlen("localhost")) != 0;
}

static void lower(char host[HOP_HOST_SIZE], const char *from)
{
    text_copy(host, HOP_HOST_SIZE, from);
    for (char *at = host; *at != '\0'; at++) {
        *at = (char)(*at == '.' && at[1] == '\0' ? '\0' : tolower((unsigned char)*at));
    }
}

// FNV-1a.
static uint64_t digest_add(uint64_t digest, const char *text)
{
    for (; *text != '\0'; text++) {
        digest = (digest ^ (unsigned char)*text) * 0x100000001b3u;
    }
    return digest;
}

void trace_route(const struct trace *trace, char route[ROUTE_SIZE])
{
    enum { DIGEST_SIZE = 20 };
    char before[HOP_HOST_SIZE] = "", host[HOP_HOST_SIZE] = "";
    struct text text = text_over(route, ROUTE_SIZE - DIGEST_SIZE);
    uint64_t digest = 0xcbf29ce484222325u;
    for (size_t i = 0; i < trace->count; i++) {
        lower(host, trace->hops[i].by);
        if (is_host_name(host) && strcmp(host, before) != 0) {
            text_append(&text, before[0] == '\0' ? "" : " ");
            text_append(&text, host);
            digest = digest_add(digest_add(digest, host), " ");
            memcpy(before, host, sizeof before);
        }
    }
    if (text.truncated) {
        struct text end = text_over(route + text.length, DIGEST_SIZE);
        text_format(&end, "~%016llx", (unsigned long long)digest);
    }
}
