#include "base/json_read.h"
#include "shell/store_internal.h"

#include <string.h>

// As long as a line of the collector, from which it comes.
enum { TRACE_TEXT_MAXIMUM = JSON_LINE_MAXIMUM };

static bool read_trace(const char *text, struct trace *out)
{
    struct error error;
    json_t *object = json_read_bytes(text, strlen(text), TRACE_TEXT_MAXIMUM, &error);
    bool good = object != NULL && trace_from_json(object, out, &error);
    json_decref(object);
    return good;
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
        const char *text = (const char *)sqlite3_column_text(key.statement, 0);
        found = text != NULL && read_trace(text, out);
        code = found ? code : SQLITE_CORRUPT;
        *rerouted = sqlite3_column_int(key.statement, 1) != 0;
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        store_fail(store, code);
    }
    sqlite3_reset(key.statement);
    return found;
}
