#include "shell/store_recorded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "shell/store_internal.h"

enum { BUSY_MS = 2000 };

enum query { QUERY_WINDOWS, QUERY_INCIDENTS, QUERY_PROBES, QUERIES };

static const char *const SQL[QUERIES] = {
    [QUERY_WINDOWS] = "SELECT id, revision, server, kind, cancelled, begin, end, by, reason"
                      " FROM windows ORDER BY begin, id",
    [QUERY_INCIDENTS] = "SELECT id, kind, severity, subject, began, opened, closed, notified,"
                        " notified_at, suppressed_by FROM incidents ORDER BY id",
    [QUERY_PROBES] =
        "SELECT noted, id, peer, direction, kind, state, verdict, slot, planned, sent,"
        " accepted, arrived, latency, latency_error, excused, incident, next,"
        " code, reply_class, leg_dns, leg_connect, leg_tls, leg_auth, leg_submit, mailbox,"
        " stripped, absent, asked, present, saved,"
        " (SELECT reported FROM bounces WHERE probe = probes.id AND action = 'failed')"
        " FROM probes INDEXED BY probes_by_time WHERE peer <> '' ORDER BY noted, row",
};

struct store_recorded {
    sqlite3 *database;
    sqlite3_stmt *queries[QUERIES];
    char *ledger;
};

static bool explain(const struct store_recorded *recorded, int code, struct error *error)
{
    return error_set(error, "ledger %s: %s", recorded->ledger,
                     code == SQLITE_NOTADB    ? "not a ledger of mailflow"
                     : code == SQLITE_CORRUPT ? "damaged, or being moved by somebody"
                                              : sqlite3_errmsg(recorded->database));
}

// ---- opening ----

// As SQLite wants it in a URI: what would end the path is percent-encoded.
static char *uri_of(const char *ledger, const char *parameters)
{
    size_t size = strlen(ledger) * 3 + 64;
    char *uri = memory_checked(malloc(size));
    struct text text = text_over(uri, size);
    text_append(&text, "file:");
    for (const char *at = ledger; *at != '\0'; at++) {
        if (strchr("%?#", *at) != NULL) {
            text_format(&text, "%%%02X", (unsigned char)*at);
        } else {
            text_append_bytes(&text, at, 1);
        }
    }
    text_append(&text, parameters);
    return uri;
}

static bool exists_beside(const char *ledger, const char *suffix)
{
    size_t size = strlen(ledger) + strlen(suffix) + 1;
    char *path = memory_checked(malloc(size));
    struct stat status;
    snprintf(path, size, "%s%s", ledger, suffix);
    bool found = stat(path, &status) == 0;
    free(path);
    return found;
}

// An index of the log is used as it is, an agent's too; where somebody copied the log without it,
// SQLite has to make it.
static const char *parameters_for(const char *ledger)
{
    if (!exists_beside(ledger, "-wal")) {
        return "?immutable=1";
    }
    return exists_beside(ledger, "-shm") ? "?mode=ro&readonly_shm=1" : "?mode=ro";
}

static int connect(struct store_recorded *recorded)
{
    char *uri = uri_of(recorded->ledger, parameters_for(recorded->ledger));
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(uri, &recorded->database, flags, NULL);
    free(uri);
    sqlite3_busy_timeout(recorded->database, BUSY_MS);
    return code;
}

static int64_t read_number(const struct store_recorded *recorded, const char *sql, int *code)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = 0;
    if (*code == SQLITE_OK) {
        *code = sqlite3_prepare_v2(recorded->database, sql, -1, &statement, NULL);
    }
    if (*code == SQLITE_OK && (*code = sqlite3_step(statement)) == SQLITE_ROW) {
        number = sqlite3_column_int64(statement, 0);
        *code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return number;
}

static bool check_schema(const struct store_recorded *recorded, struct error *error)
{
    int code = sqlite3_exec(recorded->database, "BEGIN", NULL, NULL, NULL);
    int64_t application = read_number(recorded, "PRAGMA application_id", &code);
    int64_t version = read_number(recorded, "PRAGMA user_version", &code);
    if (code != SQLITE_OK || application != STORE_APPLICATION_ID) {
        return explain(recorded, code == SQLITE_OK ? SQLITE_NOTADB : code, error);
    }
    if (version > store_schema_version()) {
        return error_set(error, "ledger %s was written by a newer version of this program",
                         recorded->ledger);
    }
    return version == store_schema_version() ||
           error_set(error,
                     "ledger %s is of an older version (schema %" PRId64
                     "): an agent of this version brings it up to date when it starts on it",
                     recorded->ledger, version);
}

static bool prepare(struct store_recorded *recorded, struct error *error)
{
    int code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && i < QUERIES; i++) {
        code = sqlite3_prepare_v2(recorded->database, SQL[i], -1, &recorded->queries[i], NULL);
    }
    return code == SQLITE_OK || explain(recorded, code, error);
}

struct store_recorded *store_recorded_open(const char *ledger, struct error *error)
{
    struct stat status;
    if (stat(ledger, &status) != 0) {
        error_set(error, "ledger %s: %s", ledger, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        error_set(error, "ledger %s is not a file", ledger);
        return NULL;
    }
    struct store_recorded *recorded = memory_checked(calloc(1, sizeof *recorded));
    recorded->ledger = memory_checked(strdup(ledger));
    int code = connect(recorded);
    bool open = code == SQLITE_OK ? check_schema(recorded, error) && prepare(recorded, error)
                                  : explain(recorded, code, error);
    if (!open) {
        store_recorded_close(recorded);
        return NULL;
    }
    return recorded;
}

void store_recorded_close(struct store_recorded *recorded)
{
    if (recorded != NULL) {
        for (int i = 0; i < QUERIES; i++) {
            sqlite3_finalize(recorded->queries[i]);
        }
        sqlite3_close(recorded->database);
        free(recorded->ledger);
        free(recorded);
    }
}

// ---- reading ----

static bool read_next(const struct store_recorded *recorded, struct store_reader *row,
                      struct error *error)
{
    row->code = sqlite3_step(row->statement);
    row->taken = 0;
    return row->code == SQLITE_ROW || row->code == SQLITE_DONE ||
           explain(recorded, row->code, error);
}

static bool sound(const struct store_recorded *recorded, const struct store_reader *row,
                  struct error *error)
{
    return !row->malformed || explain(recorded, SQLITE_CORRUPT, error);
}

static void read_window(struct store_reader *row, struct window *out)
{
    char kind[16];
    *out = (struct window){0};
    store_read_text(row, out->id, sizeof out->id);
    out->revision = (uint32_t)store_read_integer(row);
    store_read_text(row, out->server, sizeof out->server);
    store_read_text(row, kind, sizeof kind);
    row->malformed = row->malformed || !window_kind_parse(kind, &out->kind);
    out->cancelled = store_read_integer(row) != 0;
    out->begin = store_read_time(row);
    out->end = store_read_time(row);
    store_read_text(row, out->by, sizeof out->by);
    store_read_text(row, out->reason, sizeof out->reason);
}

bool store_recorded_windows(struct store_recorded *recorded,
                            void (*each)(void *context, const struct window *window), void *context,
                            struct error *error)
{
    struct store_reader row = store_reader_for(recorded->queries[QUERY_WINDOWS]);
    struct window window;
    while (read_next(recorded, &row, error) && row.code == SQLITE_ROW && !row.malformed) {
        read_window(&row, &window);
        each(context, &window);
    }
    sqlite3_reset(row.statement);
    return sound(recorded, &row, error) && row.code == SQLITE_DONE;
}

static void read_incident(struct store_reader *row, struct incident *out)
{
    char kind[24], severity[16];
    *out = (struct incident){0};
    out->id = store_read_integer(row);
    store_read_text(row, kind, sizeof kind);
    store_read_text(row, severity, sizeof severity);
    row->malformed = row->malformed || !incident_kind_parse(kind, &out->kind) ||
                     !severity_parse(severity, &out->severity);
    store_read_text(row, out->subject_text, sizeof out->subject_text);
    out->began = store_read_time(row);
    out->opened = store_read_time(row);
    out->closed = store_read_time(row);
    out->notified = store_read_integer(row) != 0;
    out->notified_at = store_read_time(row);
    store_read_text(row, out->suppressed_by, sizeof out->suppressed_by);
}

bool store_recorded_incidents(struct store_recorded *recorded,
                              void (*each)(void *context, const struct incident *incident),
                              void *context, struct error *error)
{
    struct store_reader row = store_reader_for(recorded->queries[QUERY_INCIDENTS]);
    struct incident incident;
    while (read_next(recorded, &row, error) && row.code == SQLITE_ROW && !row.malformed) {
        read_incident(&row, &incident);
        each(context, &incident);
    }
    sqlite3_reset(row.statement);
    return sound(recorded, &row, error) && row.code == SQLITE_DONE;
}

// Earlier versions did not store the class: what they did says what it was, near enough.
static enum reply_class guess_class(const struct recorded_probe *probe)
{
    if (probe->code >= 200) {
        return probe->code < 400 ? REPLY_2XX : probe->code < 500 ? REPLY_4XX : REPLY_5XX;
    }
    return probe->legs[LEG_DNS].ns < 0       ? REPLY_DNS
           : probe->legs[LEG_CONNECT].ns < 0 ? REPLY_CONNECT
                                             : REPLY_TIMEOUT;
}

static void read_probe(struct store_reader *row, struct recorded_probe *out)
{
    out->noted = store_read_time(row);
    store_read_record(row, &out->record);
    out->code = (int)store_read_integer(row);
    int class = store_read_class(row);
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        bool absent = sqlite3_column_type(row->statement, row->taken) == SQLITE_NULL;
        int64_t ns = store_read_integer(row);
        out->legs[i] = (struct span){absent ? -1 : ns};
    }
    store_read_text(row, out->mailbox, sizeof out->mailbox);
    out->stripped = store_read_integer(row) != 0;
    out->absent = store_read_time(row);
    out->asked = store_read_time(row);
    out->present = store_read_time(row);
    out->saved = store_read_time(row);
    out->bounced = store_read_time(row);
    out->reply_class = class < 0 ? guess_class(out) : (enum reply_class) class;
}

bool store_recorded_next(struct store_recorded *recorded, struct recorded_probe *out, bool *found,
                         struct error *error)
{
    struct store_reader row = store_reader_for(recorded->queries[QUERY_PROBES]);
    *out = (struct recorded_probe){0};
    *found = false;
    if (!read_next(recorded, &row, error)) {
        return false;
    }
    if (row.code == SQLITE_ROW) {
        read_probe(&row, out);
        *found = true;
    }
    return sound(recorded, &row, error);
}
