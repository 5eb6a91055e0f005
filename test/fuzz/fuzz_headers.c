// The headers of a message by whoever sent it: its way, its authentication, and whether it is a
// probe. A message of the mesh is made of what was read, signed, and must then be recognised.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "probes/collect/auth_results.h"
#include "probes/collect/mail_date.h"
#include "probes/collect/received.h"
#include "probes/collect/recognise.h"
#include "probes/collect/trace_block.h"
#include "probes/trace.h"

static const char AUTHSERV_ID[] = "mx01.example";

enum { MESSAGE_ROOM = 4 * TAG_LIST_SIZE + TAG_PROBE_SIZE + TAG_SIGNATURE_SIZE + 256 };

// What is told of a way is told the same after its JSON, and its route fits.
static void check_trace(const char *bytes, size_t length, bool cut)
{
    static struct trace trace, read;
    char route[ROUTE_SIZE], again[ROUTE_SIZE];
    struct error error;
    trace_block_read(bytes, length, cut, AUTHSERV_ID, &trace);
    assert(trace.count <= HOPS_MAXIMUM);
    trace_route(&trace, route);
    json_t *object = trace_to_json(&trace);
    read = (struct trace){0};
    assert(trace_from_json(object, &read, &error));
    json_t *second = trace_to_json(&read);
    assert(json_equal(object, second));
    trace_route(&read, again);
    assert(strcmp(route, again) == 0);
    json_decref(object);
    json_decref(second);
}

static void append_header(struct text *message, enum tag_header header, const char *value)
{
    if (value != NULL) {
        text_format(message, "%s: %s\r\n", tag_header_name(header), value);
    }
}

// Verified values are those that were signed.
static void check_signed(const struct header_block *block)
{
    static char message[MESSAGE_ROOM];
    static struct recognised recognised;
    char signature[TAG_SIGNATURE_SIZE];
    struct tag tag;
    struct error error;
    struct tag_values values = {{NULL}};
    struct text whole = TEXT_OVER(message), text = TEXT_OVER(signature);
    for (int i = TAG_PROBE; i < TAG_SIGNATURE; i++) {
        values.of[i] = block->has[i] ? block->values[i] : NULL;
        append_header(&whole, (enum tag_header)i, values.of[i]);
    }
    if (values.of[TAG_PROBE] == NULL || !tag_parse_probe(values.of[TAG_PROBE], &tag, &error)) {
        return;
    }
    tag_sign(&values, &FUZZ_KEYS.keys[0], &text);
    append_header(&whole, TAG_SIGNATURE, signature);
    assert(!whole.truncated);
    enum recognition result = recognise(message, whole.length, false, &FUZZ_KEYS, &recognised);
    assert(result == RECOGNISED_PROBE && !recognised.stripped);
    assert(strcmp(recognised.tag.from, tag.from) == 0 && recognised.tag.sent.ns == tag.sent.ns);
}

static void check_block(const char *bytes, size_t length, bool cut)
{
    static struct header_block block;
    static struct recognised recognised;
    header_block_read(bytes, length, &block);
    if (block.fault == HEADERS_SOUND) {
        check_signed(&block);
    }
    if (recognise(bytes, length, cut, &FUZZ_KEYS, &recognised) == RECOGNISED_REJECTED) {
        assert(recognised.cause[0] != '\0' && memchr(recognised.cause, '\0', PROBE_REPLY_SIZE));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hop hop;
    struct authentication authentication = {0};
    if (size == 0) {
        return 0;
    }
    size_t length = size - 1;
    char *copy = fuzz_bytes(bytes + 1, length);
    switch (bytes[0]) {
    case 'd':
        mail_date_read(copy, length);
        break;
    case 'r':
        received_read(copy, length, &hop);
        break;
    case 'a':
        auth_results_read(copy, length, AUTHSERV_ID, &authentication);
        break;
    default:
        check_trace(copy, length, bytes[0] == 'c');
        check_block(copy, length, bytes[0] == 'c');
        break;
    }
    free(copy);
    return 0;
}
