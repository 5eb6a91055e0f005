// A hop is an array, for there are many of them: [from, seen, by, protocol, tls, queue id, seconds
// since 1970 or 0].
#include "probes/json_values.h"
#include "probes/trace.h"

#include <string.h>

#include "base/text.h"

enum { HOP_TEXTS = 6, HOP_MEMBERS };

struct hop_text {
    size_t offset;
    size_t size;
};

#define HOP_TEXT(field)                                                                            \
    {                                                                                              \
        offsetof(struct hop, field), sizeof((struct hop *)0)->field                                \
    }

static const struct hop_text TEXTS[HOP_TEXTS] = {
    HOP_TEXT(from),     HOP_TEXT(seen), HOP_TEXT(by),
    HOP_TEXT(protocol), HOP_TEXT(tls),  HOP_TEXT(queue_id),
};

static json_t *hop_to_json(const struct hop *hop)
{
    json_t *array = memory_checked(json_array());
    for (int i = 0; i < HOP_TEXTS; i++) {
        const char *text = (const char *)hop + TEXTS[i].offset;
        json_array_append_new(array, memory_checked(json_string(text)));
    }
    json_array_append_new(array, memory_checked(json_integer(hop->time.ns / 1000000000)));
    return array;
}

static json_t *authentication_to_json(const struct authentication *from)
{
    json_t *object = memory_checked(json_object());
    json_write_text(object, "authserv_id", from->authserv_id);
    for (int i = 0; i < AUTH_METHODS; i++) {
        if (from->results[i] != AUTH_ABSENT) {
            json_t *pair = json_pack("[ss]", auth_result_name(from->results[i]), from->reasons[i]);
            json_write_object(object, auth_method_name((enum auth_method)i), pair);
        }
    }
    return object;
}

json_t *trace_to_json(const struct trace *trace)
{
    json_t *object = memory_checked(json_object());
    json_t *hops = memory_checked(json_array());
    for (size_t i = 0; i < trace->count; i++) {
        json_array_append_new(hops, hop_to_json(&trace->hops[i]));
    }
    json_write_object(object, "hops", hops);
    json_write_integer(object, "more", trace->more);
    json_write_boolean(object, "cut", trace->cut);
    if (trace->authentication.authserv_id[0] != '\0') {
        json_write_object(object, "authentication", authentication_to_json(&trace->authentication));
    }
    return object;
}

static bool hop_from_json(const json_t *array, struct hop *out, struct error *error)
{
    const json_t *seconds = json_array_get(array, HOP_TEXTS);
    if (json_array_size(array) != HOP_MEMBERS || !json_is_integer(seconds)) {
        return error_set(error, "\"hops\": one is none");
    }
    for (int i = 0; i < HOP_TEXTS; i++) {
        const char *text = json_string_value(json_array_get(array, (size_t)i));
        if (text == NULL || !text_copy((char *)out + TEXTS[i].offset, TEXTS[i].size, text)) {
            return error_set(error, "\"hops\": a text is none, or too long");
        }
    }
    out->time.ns = nanoseconds_multiply(json_integer_value(seconds), 1000000000);
    return true;
}

static bool verdict_from_json(const json_t *pair, int method, struct authentication *out,
                              struct error *error)
{
    const char *result = json_string_value(json_array_get(pair, 0));
    const char *reason = json_string_value(json_array_get(pair, 1));
    return (result != NULL && reason != NULL && auth_result_parse(result, &out->results[method]) &&
            text_copy(out->reasons[method], sizeof out->reasons[method], reason)) ||
           error_set(error, "\"%s\" is no result and reason",
                     auth_method_name((enum auth_method)method));
}

static bool authentication_from_json(const json_t *object, struct authentication *out,
                                     struct error *error)
{
    if (!json_read_plain(object, "authserv_id", out->authserv_id, sizeof out->authserv_id, error)) {
        return false;
    }
    for (int i = 0; i < AUTH_METHODS; i++) {
        const json_t *pair = json_object_get(object, auth_method_name((enum auth_method)i));
        if (pair != NULL && !verdict_from_json(pair, i, out, error)) {
            return false;
        }
    }
    return true;
}

bool trace_from_json(const json_t *object, struct trace *out, struct error *error)
{
    const json_t *hops, *authentication = json_object_get(object, "authentication");
    if (!json_read_array(object, "hops", HOPS_MAXIMUM, &hops, error) ||
        !json_read_integer(object, "more", 0, INT32_MAX, &out->more, error) ||
        !json_read_boolean(object, "cut", &out->cut, error)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(hops); i++) {
        if (!hop_from_json(json_array_get(hops, i), &out->hops[i], error)) {
            return false;
        }
        out->count++;
    }
    return authentication == NULL ||
           authentication_from_json(authentication, &out->authentication, error);
}
