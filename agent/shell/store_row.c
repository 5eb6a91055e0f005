#include "shell/store_internal.h"

#include <string.h>

#include "base/text.h"

_Static_assert(SUBMIT_LEGS == 5, "the table has a column for each leg");

// ---- binding ----

struct store_binder store_binder_for(struct store *store, enum store_statement which)
{
    return (struct store_binder){.statement = store->statements[which]};
}

void store_bind_integer(struct store_binder *binder, int64_t value)
{
    sqlite3_bind_int64(binder->statement, ++binder->bound, value);
}

void store_bind_known(struct store_binder *binder, int64_t value)
{
    if (value == 0) {
        sqlite3_bind_null(binder->statement, ++binder->bound);
    } else {
        store_bind_integer(binder, value);
    }
}

void store_bind_leg(struct store_binder *binder, struct span value)
{
    if (value.ns < 0) {
        sqlite3_bind_null(binder->statement, ++binder->bound);
    } else {
        store_bind_integer(binder, value.ns);
    }
}

void store_bind_text(struct store_binder *binder, const char *value)
{
    sqlite3_bind_text(binder->statement, ++binder->bound, value, -1, SQLITE_STATIC);
}

void store_bind_id(struct store_binder *binder, const struct probe_id *value)
{
    const void *bytes = value == NULL ? NULL : value->bytes;
    sqlite3_bind_blob(binder->statement, ++binder->bound, bytes, sizeof value->bytes,
                      SQLITE_STATIC);
}

void store_bind_bytes(struct store_binder *binder, const void *bytes, size_t size)
{
    sqlite3_bind_blob(binder->statement, ++binder->bound, bytes, (int)size, SQLITE_STATIC);
}

// ---- reading ----

struct store_reader store_reader_for(sqlite3_stmt *statement)
{
    return (struct store_reader){.statement = statement};
}

int64_t store_read_integer(struct store_reader *reader)
{
    return sqlite3_column_int64(reader->statement, reader->taken++);
}

struct walltime store_read_time(struct store_reader *reader)
{
    return (struct walltime){store_read_integer(reader)};
}

static struct span read_span(struct store_reader *reader)
{
    return (struct span){store_read_integer(reader)};
}

static unsigned read_count(struct store_reader *reader)
{
    return (unsigned)store_read_integer(reader);
}

static bool next_is_null(const struct store_reader *reader)
{
    return sqlite3_column_type(reader->statement, reader->taken) == SQLITE_NULL;
}

// A leg that did not take place is not there.
static struct span read_leg(struct store_reader *reader)
{
    bool absent = next_is_null(reader);
    int64_t ns = store_read_integer(reader);
    return (struct span){absent ? -1 : ns};
}

// Until the next step; "" when not there.
static const char *read_words(struct store_reader *reader)
{
    const char *words = (const char *)sqlite3_column_text(reader->statement, reader->taken++);
    return words == NULL ? "" : words;
}

static void understood(struct store_reader *reader, bool parsed)
{
    reader->malformed = reader->malformed || !parsed;
}

void store_read_text(struct store_reader *reader, char *out, size_t size)
{
    understood(reader, text_copy(out, size, read_words(reader)));
}

void store_read_id(struct store_reader *reader, struct probe_id *out)
{
    int column = reader->taken++;
    const void *bytes = sqlite3_column_blob(reader->statement, column);
    if (bytes != NULL && sqlite3_column_bytes(reader->statement, column) == sizeof out->bytes) {
        memcpy(out->bytes, bytes, sizeof out->bytes);
    } else {
        understood(reader, false);
    }
}

static bool direction_parse(const char *name, enum direction *out)
{
    *out = strcmp(name, direction_name(INBOUND)) == 0 ? INBOUND : OUTBOUND;
    return strcmp(name, direction_name(*out)) == 0;
}

static bool verdict_parse(const char *name, enum verdict *out)
{
    for (int i = 0; i < VERDICTS; i++) {
        if (strcmp(name, verdict_name((enum verdict)i)) == 0) {
            *out = (enum verdict)i;
            return true;
        }
    }
    return false;
}

int store_read_class(struct store_reader *reader)
{
    const char *name = read_words(reader);
    int class = REPLY_CLASSES - 1;
    while (class >= 0 && strcmp(name, reply_class_name((enum reply_class) class)) != 0) {
        class --;
    }
    return class;
}

void store_read_record(struct store_reader *reader, struct probe_record *out)
{
    *out = (struct probe_record){0};
    store_read_id(reader, &out->id);
    store_read_text(reader, out->peer, sizeof out->peer);
    understood(reader, direction_parse(read_words(reader), &out->direction));
    understood(reader, probe_kind_parse(read_words(reader), &out->kind));
    understood(reader, probe_state_parse(read_words(reader), &out->state));
    understood(reader, verdict_parse(read_words(reader), &out->verdict));
    out->slot = store_read_integer(reader);
    out->planned = store_read_time(reader);
    out->sent = store_read_time(reader);
    out->accepted = store_read_time(reader);
    out->arrived = store_read_time(reader);
    out->latency = read_span(reader);
    out->latency_error = read_span(reader);
    out->excused = read_span(reader);
    out->incident = store_read_integer(reader);
    out->next = read_span(reader);
}

void store_read_probe(struct store_reader *reader, struct store_probe *out)
{
    out->cursor = store_read_integer(reader);
    store_read_record(reader, &out->record);
    out->reply_class = store_read_class(reader);
    out->code = (int)store_read_integer(reader);
    store_read_text(reader, out->reply, sizeof out->reply);
    store_read_text(reader, out->cause, sizeof out->cause);
    store_read_text(reader, out->queue_id, sizeof out->queue_id);
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        out->legs[i] = read_leg(reader);
    }
    store_read_text(reader, out->mailbox, sizeof out->mailbox);
    store_read_text(reader, out->folder, sizeof out->folder);
    out->uid_validity = (uint32_t)store_read_integer(reader);
    out->uid = (uint32_t)store_read_integer(reader);
    out->stripped = store_read_integer(reader) != 0;
    out->absent = store_read_time(reader);
    out->asked = store_read_time(reader);
    out->present = store_read_time(reader);
    out->saved = store_read_time(reader);
}

static void read_evidence(struct store_reader *reader, struct evidence *out)
{
    out->latency = read_span(reader);
    out->threshold = read_span(reader);
    out->late = read_count(reader);
    out->of = read_count(reader);
    out->oldest_age = read_span(reader);
    out->in_flight = read_count(reader);
    out->failures = read_count(reader);
    out->has_probe = !next_is_null(reader);
    if (out->has_probe) {
        store_read_id(reader, &out->probe);
    } else {
        reader->taken++;
    }
    store_read_text(reader, out->cause, sizeof out->cause);
}

// A row of schema 1 has none.
static void read_aftermath(struct store_reader *reader, struct aftermath *out)
{
    store_read_text(reader, out->window, sizeof out->window);
    const char *kind = read_words(reader);
    understood(reader, kind[0] == '\0' || window_kind_parse(kind, &out->window_kind));
    out->planned_end = store_read_time(reader);
    out->resumed[OUTBOUND] = store_read_time(reader);
    out->resumed[INBOUND] = store_read_time(reader);
    store_read_text(reader, out->resumed_by, sizeof out->resumed_by);
    out->drained = read_count(reader);
    out->lost = read_count(reader);
    out->in_flight = read_count(reader);
    out->suppressed = read_count(reader);
    out->longest = read_span(reader);
}

// A row of schema 3 has none.
static void read_cells(struct store_reader *reader, struct cells *out)
{
    const char *culprit = read_words(reader);
    understood(reader, culprit[0] == '\0' || culprit_parse(culprit, &out->culprit));
    out->seen_by = read_count(reader);
    out->of = read_count(reader);
    store_read_text(reader, out->paths, sizeof out->paths);
}

void store_read_bounce(struct store_reader *reader, struct store_bounce *out)
{
    *out = (struct store_bounce){0};
    struct bounce *bounce = &out->bounce;
    understood(reader, bounce_action_parse(read_words(reader), &bounce->action));
    store_read_text(reader, bounce->status, sizeof bounce->status);
    store_read_text(reader, bounce->remote_mta, sizeof bounce->remote_mta);
    store_read_text(reader, bounce->diagnostic, sizeof bounce->diagnostic);
    store_read_text(reader, bounce->recipient, sizeof bounce->recipient);
    out->reported = store_read_time(reader);
}

// A row of schema 4 has none.
static void read_way(struct store_reader *reader, struct evidence *out)
{
    store_read_text(reader, out->hop.to, sizeof out->hop.to);
    store_read_text(reader, out->hop.from, sizeof out->hop.from);
    out->hop.delay = read_span(reader);
    store_read_text(reader, out->route, sizeof out->route);
    store_read_text(reader, out->usual_route, sizeof out->usual_route);
    const char *method = read_words(reader);
    understood(reader, method[0] == '\0' || auth_method_parse(method, &out->method));
    const char *result = read_words(reader);
    understood(reader, result[0] == '\0' || auth_result_parse(result, &out->result));
}

// One a word. A row of schema 11 has none.
static void read_statuses(struct store_reader *reader, struct evidence *out)
{
    const char *at = read_words(reader);
    for (size_t i = 0; i < STATUSES_KEPT && *at != '\0'; i++) {
        size_t length = strcspn(at, " ");
        struct text text = TEXT_OVER(out->statuses[i]);
        text_append_bytes(&text, at, length);
        understood(reader, !text.truncated);
        at += length + (at[length] == ' ');
    }
}

void store_read_notice(struct store_reader *reader, int64_t *number, enum notice *out)
{
    *number = store_read_integer(reader);
    understood(reader, notice_parse(read_words(reader), out));
}

void store_read_incident(struct store_reader *reader, struct incident *out)
{
    *out = (struct incident){.subject = {.peer = -1, .mailbox = -1}};
    out->id = store_read_integer(reader);
    understood(reader, incident_kind_parse(read_words(reader), &out->kind));
    understood(reader, severity_parse(read_words(reader), &out->severity));
    store_read_text(reader, out->subject_text, sizeof out->subject_text);
    out->subject.kind = incident_rule(out->kind)->subject;
    out->began = store_read_time(reader);
    out->opened = store_read_time(reader);
    out->closed = store_read_time(reader);
    out->notified = store_read_integer(reader) != 0;
    out->notified_at = store_read_time(reader);
    store_read_text(reader, out->suppressed_by, sizeof out->suppressed_by);
    read_evidence(reader, &out->evidence);
    out->cause = store_read_integer(reader);
    out->flapping = store_read_integer(reader) != 0;
    read_aftermath(reader, &out->aftermath);
    read_cells(reader, &out->cells);
    read_way(reader, &out->evidence);
    read_statuses(reader, &out->evidence);
    store_read_text(reader, out->ended, sizeof out->ended); // a row of schema 16 has none
}

// One route a line.
static void read_routes(struct store_reader *reader, struct routes *out)
{
    const char *at = read_words(reader);
    while (*at != '\0' && out->count < ROUTES_LEARNED) {
        size_t length = strcspn(at, "\n");
        char route[ROUTE_SIZE] = "";
        struct text text = TEXT_OVER(route);
        text_append_bytes(&text, at, length);
        understood(reader, !text.truncated);
        memcpy(out->of[out->count++], route, sizeof route);
        at += length + (at[length] == '\n');
    }
}

void store_read_habits(struct store_reader *reader, enum direction *direction, struct habits *out)
{
    *out = (struct habits){0};
    understood(reader, direction_parse(read_words(reader), direction));
    read_routes(reader, &out->route.known);
    read_routes(reader, &out->route.fresh);
    out->route.learned = read_count(reader);
    for (int method = 0; method < AUTH_METHODS; method++) {
        const char *result = read_words(reader);
        understood(reader, result[0] == '\0' || auth_result_parse(result, &out->auth.last[method]));
    }
    out->auth.passed = read_count(reader);
    out->auth.failing = read_count(reader);
    out->placement.recent = read_count(reader);
    out->placement.count = read_count(reader);
    out->route.strange = read_count(reader);
    out->route.usual = read_count(reader);
    out->route.expected = read_count(reader);
    for (int method = 0; method < AUTH_JUDGED; method++) {
        out->auth.passes[method] = read_count(reader);
    }
    for (int method = 0; method < AUTH_JUDGED; method++) {
        out->auth.unsure[method] = read_count(reader);
    }
    out->placement.windows = read_count(reader);
}

void store_read_window(struct store_reader *reader, struct window *out)
{
    *out = (struct window){0};
    store_read_text(reader, out->id, sizeof out->id);
    out->revision = (uint32_t)store_read_integer(reader);
    store_read_text(reader, out->server, sizeof out->server);
    understood(reader, window_kind_parse(read_words(reader), &out->kind));
    out->cancelled = store_read_integer(reader) != 0;
    out->begin = store_read_time(reader);
    out->end = store_read_time(reader);
    store_read_text(reader, out->by, sizeof out->by);
    store_read_text(reader, out->reason, sizeof out->reason);
    understood(reader, window_origin_parse(read_words(reader), &out->origin));
    out->held_from = store_read_time(reader);
    out->held_until = store_read_time(reader);
}
