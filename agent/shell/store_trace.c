// The ways of probes. Those of a path are alike but for the queue ids and times of their hops: the
// rest, their course, is kept once for all of them, found by a digest of it. What is left of a way
// is a list of these, {"own": [queue id, seconds, queue id, seconds ...]}, one pair a hop.
#include "base/error.h"
#include "base/json_read.h"
#include "shell/store_internal.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

// As long as a line of the collector, from which it comes.
enum { TRACE_TEXT_MAXIMUM = JSON_LINE_MAXIMUM, DIGEST_SIZE = 16 };

static bool read_trace(const char *text, struct trace *out)
{
    struct error error;
    *out = (struct trace){0};
    json_t *object = json_read_bytes(text, strlen(text), TRACE_TEXT_MAXIMUM, &error);
    bool good = object != NULL && trace_from_json(object, out, &error);
    json_decref(object);
    return good;
}

// ---- writing ----

static char *dump(json_t *value)
{
    char *text = memory_checked(json_dumps(value, JSON_COMPACT));
    json_decref(value);
    return text;
}

// Takes what is its own out of a way, which is its course then; the caller frees the text.
static char *take_own(struct trace *trace)
{
    json_t *own = memory_checked(json_array());
    for (size_t i = 0; i < trace->count; i++) {
        struct hop *hop = &trace->hops[i];
        json_array_append_new(own, memory_checked(json_string(hop->queue_id)));
        json_array_append_new(own, memory_checked(json_integer(hop->time.ns / 1000000000)));
        hop->queue_id[0] = '\0';
        hop->time = WALLTIME_NONE;
    }
    return dump(memory_checked(json_pack("{so}", "own", own)));
}

static void put_course(struct store *store, const struct probe_id *id, const char *course,
                       const uint8_t digest[DIGEST_SIZE])
{
    struct store_binder row;
    if (store_write_begin(store, STATEMENT_PUT_COURSE, &row)) {
        store_bind_id(&row, id);
        store_bind_bytes(&row, digest, DIGEST_SIZE);
        store_bind_text(&row, course);
        store_write_end(store, &row);
    }
}

static void put_own(struct store *store, const struct probe_id *id, const char *own, bool rerouted,
                    const uint8_t digest[DIGEST_SIZE])
{
    struct store_binder row;
    if (store_write_begin(store, STATEMENT_PUT_TRACE, &row)) {
        store_bind_id(&row, id);
        store_bind_text(&row, own);
        store_bind_integer(&row, rerouted);
        store_bind_bytes(&row, digest, DIGEST_SIZE);
        store_write_end(store, &row);
    }
}

void store_put_trace(struct store *store, const struct probe_id *id, const char *text,
                     bool rerouted)
{
    struct trace trace;
    uint8_t digest[DIGEST_SIZE];
    struct sha256_ctx hash;
    if (!read_trace(text, &trace)) {
        return; // nobody could read it back
    }
    char *own = take_own(&trace), *course = dump(trace_to_json(&trace));
    sha256_init(&hash);
    sha256_update(&hash, strlen(course), (const uint8_t *)course);
    sha256_digest(&hash, DIGEST_SIZE, digest);
    put_course(store, id, course, digest);
    put_own(store, id, own, rerouted, digest);
    free(own);
    free(course);
}

// ---- reading ----

// Puts back what take_own has taken.
static bool give_own(const char *text, struct trace *out)
{
    struct error error;
    json_t *object = json_read_bytes(text, strlen(text), TRACE_TEXT_MAXIMUM, &error);
    const json_t *own = json_object_get(object, "own");
    bool good = json_is_array(own) && json_array_size(own) == 2 * out->count;
    for (size_t i = 0; good && i < out->count; i++) {
        struct hop *hop = &out->hops[i];
        const char *queue_id = json_string_value(json_array_get(own, 2 * i));
        const json_t *seconds = json_array_get(own, 2 * i + 1);
        good = queue_id != NULL && text_copy(hop->queue_id, sizeof hop->queue_id, queue_id) &&
               json_is_integer(seconds) && json_integer_value(seconds) >= 0 &&
               json_integer_value(seconds) <= INT64_MAX / 1000000000;
        hop->time.ns = good ? json_integer_value(seconds) * 1000000000 : 0;
    }
    json_decref(object);
    return good;
}

static bool read_way(sqlite3_stmt *row, struct trace *out)
{
    const char *own = (const char *)sqlite3_column_text(row, 0);
    const char *course = (const char *)sqlite3_column_text(row, 2);
    return own != NULL &&
           (course == NULL ? read_trace(own, out) : read_trace(course, out) && give_own(own, out));
}

bool store_get_trace(struct store *store, const struct probe_id *id, struct trace *out,
                     bool *rerouted)
{
    struct store_binder key = store_binder_for(store, STATEMENT_GET_TRACE);
    *out = (struct trace){0};
    *rerouted = false;
    store_bind_id(&key, id);
    int code = sqlite3_step(key.statement);
    bool found = code == SQLITE_ROW;
    if (found) {
        found = read_way(key.statement, out);
        code = found ? code : SQLITE_CORRUPT;
        *rerouted = sqlite3_column_int(key.statement, 1) != 0;
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        store_fail(store, code);
    }
    sqlite3_reset(key.statement);
    return found;
}
