#include "shell/store_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum {
    BUSY_MS = 1000,     // the checkpoint's last step may hold the ledger so long
    CACHE_KIB = 1024,   // what is not in it the system has, for less than a probe is felt
    CHECK_STEPS = 10000 // of SQLite's machine between two looks at the clock
};

// Up to the first size a ledger is checked whole at every start, up to the second after an unclean
// end only, beyond it never: the probes are taken on trust until they are touched.
enum { CHECKED_ALWAYS_BYTES = 64 << 20, CHECKED_AFTER_CRASH_BYTES = 512 << 20 };
#define CHECK_TIME SPAN_SECONDS(1)

// Script i brings schema i to i + 1; the first makes schema 1 of nothing. Never edited once
// released, only added to.
//
// Newest first means by `noted`: when this agent came to know of a probe, on its own clock (planned
// if outbound, arrived if inbound), so that a peer with a wrong clock cannot stand on top for ever.
// An empty peer: evidence whose probe has not been recorded yet.
static const char *const MIGRATIONS[] = {
    "CREATE TABLE probes ("
    " row INTEGER PRIMARY KEY,"
    " id BLOB NOT NULL UNIQUE,"
    " noted INTEGER NOT NULL DEFAULT 0,"
    " peer TEXT NOT NULL DEFAULT '',"
    " direction TEXT NOT NULL DEFAULT '',"
    " kind TEXT NOT NULL DEFAULT '',"
    " state TEXT NOT NULL DEFAULT '',"
    " verdict TEXT NOT NULL DEFAULT '',"
    " slot INTEGER,"
    " planned INTEGER, sent INTEGER, accepted INTEGER, arrived INTEGER,"
    " latency INTEGER, latency_error INTEGER, excused INTEGER,"
    " incident INTEGER, next INTEGER,"
    " code INTEGER, reply TEXT, cause TEXT, queue_id TEXT,"
    " leg_dns INTEGER, leg_connect INTEGER, leg_tls INTEGER, leg_auth INTEGER, leg_submit INTEGER,"
    " mailbox TEXT, folder TEXT, uid_validity INTEGER, uid INTEGER, stripped INTEGER,"
    " absent INTEGER, present INTEGER, saved INTEGER"
    ") STRICT;"
    "CREATE INDEX probes_by_time ON probes (noted, verdict, state);"
    "CREATE INDEX probes_by_peer ON probes (peer, noted, direction, verdict);"
    "CREATE INDEX probes_by_verdict ON probes (verdict, noted, peer, direction)"
    " WHERE verdict <> 'on_time';"
    "CREATE INDEX probes_open ON probes (peer, direction, noted, state)"
    " WHERE state IN ('sending', 'accepted', 'uncertain');"

    "CREATE TABLE incidents ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT," // remembers the highest id when its row is gone
    " kind TEXT NOT NULL, severity TEXT NOT NULL, subject TEXT NOT NULL,"
    " began INTEGER, opened INTEGER, closed INTEGER,"
    " notified INTEGER NOT NULL, notified_at INTEGER, suppressed_by TEXT, drained INTEGER,"
    " latency INTEGER, threshold INTEGER, late INTEGER, of INTEGER, oldest_age INTEGER,"
    " in_flight INTEGER, failures INTEGER, probe BLOB, cause TEXT"
    ") STRICT;"
    "CREATE INDEX incidents_by_close ON incidents (closed);"

    "CREATE TABLE windows ("
    " id TEXT PRIMARY KEY, revision INTEGER NOT NULL, server TEXT NOT NULL, kind TEXT NOT NULL,"
    " cancelled INTEGER NOT NULL, begin INTEGER NOT NULL, end INTEGER NOT NULL, by TEXT,"
    " reason TEXT"
    ") STRICT;"
    "CREATE TABLE slots (peer TEXT PRIMARY KEY, reserved INTEGER NOT NULL) STRICT;"
    "CREATE TABLE marks (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;",

    // What is known of a window's way to the peers, of causes, and of what an outage left behind;
    // and how a submission was answered, for a replay.
    "ALTER TABLE probes ADD COLUMN reply_class TEXT;"
    "ALTER TABLE windows ADD COLUMN origin TEXT NOT NULL DEFAULT 'operator';"
    "CREATE TABLE acknowledgements ("
    " window TEXT NOT NULL, peer TEXT NOT NULL, revision INTEGER NOT NULL,"
    " PRIMARY KEY (window, peer)"
    ") STRICT, WITHOUT ROWID;"
    "ALTER TABLE incidents ADD COLUMN cause_id INTEGER;"
    "ALTER TABLE incidents ADD COLUMN flapping INTEGER;"
    "ALTER TABLE incidents ADD COLUMN window TEXT;"
    "ALTER TABLE incidents ADD COLUMN window_kind TEXT;"
    "ALTER TABLE incidents ADD COLUMN planned_end INTEGER;"
    "ALTER TABLE incidents ADD COLUMN resumed_outbound INTEGER;"
    "ALTER TABLE incidents ADD COLUMN resumed_inbound INTEGER;"
    "ALTER TABLE incidents ADD COLUMN resumed_by TEXT;"
    "ALTER TABLE incidents ADD COLUMN lost INTEGER;"
    "ALTER TABLE incidents ADD COLUMN left_in_flight INTEGER;"
    "ALTER TABLE incidents ADD COLUMN suppressed INTEGER;"
    "ALTER TABLE incidents ADD COLUMN longest INTEGER;"
    "CREATE INDEX incidents_by_window ON incidents (suppressed_by) WHERE suppressed_by <> '';",

    // When a window begins and ends since our clock has stepped.
    "ALTER TABLE windows ADD COLUMN held_from INTEGER;"
    "ALTER TABLE windows ADD COLUMN held_until INTEGER;",

    // The cells of the matrix by which an incident was judged.
    "ALTER TABLE incidents ADD COLUMN culprit TEXT;"
    "ALTER TABLE incidents ADD COLUMN seen_by INTEGER;"
    "ALTER TABLE incidents ADD COLUMN seen_of INTEGER;"
    "ALTER TABLE incidents ADD COLUMN cells TEXT;",

    // What was said when a probe was not taken over; goes with its probe.
    "CREATE TABLE transcripts ("
    " row INTEGER PRIMARY KEY, probe BLOB NOT NULL UNIQUE, lines TEXT NOT NULL"
    ") STRICT;"
    "CREATE TRIGGER transcript_expires AFTER DELETE ON probes"
    " BEGIN DELETE FROM transcripts WHERE probe = old.id; END;",

    // What servers reported of probes that did not arrive, or not yet; goes with its probe.
    "CREATE TABLE bounces ("
    " probe BLOB NOT NULL, action TEXT NOT NULL, status TEXT, remote_mta TEXT, diagnostic TEXT,"
    " recipient TEXT, reported INTEGER,"
    " PRIMARY KEY (probe, action)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER bounces_expire AFTER DELETE ON probes"
    " BEGIN DELETE FROM bounces WHERE probe = old.id; END;",

    // What the picture of a path marks one by one: few among many.
    "CREATE INDEX probes_troubled ON probes (peer, noted, direction)"
    " WHERE verdict NOT IN ('open', 'on_time');",

    // The ways of probes, apart: they are large, and looked at one by one. And what incidents have
    // to say of ways.
    "CREATE TABLE traces ("
    " row INTEGER PRIMARY KEY, trace TEXT NOT NULL, rerouted INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TRIGGER traces_follow AFTER DELETE ON probes BEGIN"
    " DELETE FROM traces WHERE row = old.row; END;"
    "ALTER TABLE incidents ADD COLUMN hop TEXT;"
    "ALTER TABLE incidents ADD COLUMN hop_from TEXT;"
    "ALTER TABLE incidents ADD COLUMN hop_delay INTEGER;"
    "ALTER TABLE incidents ADD COLUMN route TEXT;"
    "ALTER TABLE incidents ADD COLUMN usual_route TEXT;"
    "ALTER TABLE incidents ADD COLUMN method TEXT;"
    "ALTER TABLE incidents ADD COLUMN result TEXT;",

    // What paths are used to: their routes (one a line), what is found of their probes, and in how
    // many of the newest these lay elsewhere than they should.
    "CREATE TABLE habits ("
    " peer TEXT NOT NULL, direction TEXT NOT NULL, known TEXT, fresh TEXT, learned INTEGER,"
    " spf TEXT, dkim TEXT, dmarc TEXT, arc TEXT, passed INTEGER, failing INTEGER,"
    " misplaced INTEGER, placed INTEGER,"
    " PRIMARY KEY (peer, direction)"
    ") STRICT, WITHOUT ROWID;",

    // How many in a row came another way than before, or were found wanting: a restart amid them
    // changes nothing. And which of the newest a window touches.
    "ALTER TABLE habits ADD COLUMN strange INTEGER;"
    "ALTER TABLE habits ADD COLUMN usual INTEGER;"
    "ALTER TABLE habits ADD COLUMN expected INTEGER;"
    "ALTER TABLE habits ADD COLUMN spf_passes INTEGER;"
    "ALTER TABLE habits ADD COLUMN dkim_passes INTEGER;"
    "ALTER TABLE habits ADD COLUMN dmarc_passes INTEGER;"
    "ALTER TABLE habits ADD COLUMN spf_unsure INTEGER;"
    "ALTER TABLE habits ADD COLUMN dkim_unsure INTEGER;"
    "ALTER TABLE habits ADD COLUMN dmarc_unsure INTEGER;"
    "ALTER TABLE habits ADD COLUMN in_windows INTEGER;",

    // What the ways of many probes share, once: most of a way is that of the probe before. Goes
    // with the last of them. A way without a course is a whole one, of an earlier version.
    "CREATE TABLE courses ("
    " id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, course TEXT NOT NULL"
    ") STRICT;"
    "ALTER TABLE traces ADD COLUMN course INTEGER;"
    "CREATE INDEX traces_by_course ON traces (course);"
    "CREATE TRIGGER courses_follow AFTER DELETE ON traces BEGIN"
    " DELETE FROM courses WHERE id = old.course"
    " AND NOT EXISTS (SELECT 1 FROM traces WHERE course = old.course); END;"
    "CREATE TRIGGER courses_change AFTER UPDATE OF course ON traces"
    " WHEN old.course IS NOT new.course BEGIN"
    " DELETE FROM courses WHERE id = old.course"
    " AND NOT EXISTS (SELECT 1 FROM traces WHERE course = old.course); END;",

    // Every status of what came back, in words: another one is news.
    "ALTER TABLE incidents ADD COLUMN statuses TEXT;",

    // What is to be said of incidents and has perhaps not been.
    "CREATE TABLE notices ("
    " row INTEGER PRIMARY KEY, incident INTEGER NOT NULL, notice TEXT NOT NULL"
    ") STRICT;",

    // When the server was asked that told of an arrival.
    "ALTER TABLE probes ADD COLUMN asked INTEGER;",

    // Fewer indices change with the state of a probe. For a list of more than two after IN, SQLite
    // builds a table at every change of a row.
    "DROP INDEX probes_by_time;"
    "CREATE INDEX probes_by_time ON probes (noted, verdict);"
    "DROP INDEX probes_open;"
    "CREATE INDEX probes_open ON probes (peer, direction, noted)"
    " WHERE (state = 'sending' OR state = 'accepted' OR state = 'uncertain');",

    // What each peer has of our receipts, as its newest probe says.
    "ALTER TABLE slots ADD COLUMN seen INTEGER;",

    // Which incidents end with this one.
    "ALTER TABLE incidents ADD COLUMN ended TEXT;"};

enum { SCHEMA_VERSION = sizeof MIGRATIONS / sizeof MIGRATIONS[0] };

int store_schema_version(void)
{
    return SCHEMA_VERSION;
}

static bool execute(struct store *store, const char *sql, struct error *error)
{
    int code = sqlite3_exec(store->database, sql, NULL, NULL, NULL);
    return code == SQLITE_OK || store_explain(store, code, error);
}

// The first column of the first row.
static bool query_number(struct store *store, const char *sql, int64_t *out, struct error *error)
{
    sqlite3_stmt *statement;
    *out = 0;
    int code = sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        *out = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
    }
    return code == SQLITE_ROW || store_explain(store, code, error);
}

static bool connect(struct store *store, struct error *error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(store->ledger, &store->database, flags, NULL);
    if (code == SQLITE_OK && sqlite3_db_readonly(store->database, "main") == 1) {
        code = SQLITE_READONLY;
    }
    if (code != SQLITE_OK) {
        return store_explain(store, code, error);
    }
    sqlite3_busy_timeout(store->database, BUSY_MS);
    sqlite3_wal_autocheckpoint(store->database, 0);
    // Until we know that it is sound, closing it must leave ledger and log as they are.
    sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return true;
}

static bool read_version(struct store *store, int64_t *version, struct error *error)
{
    int64_t application, tables;
    if (!query_number(store, "PRAGMA user_version", version, error) ||
        !query_number(store, "PRAGMA application_id", &application, error) ||
        !query_number(store, "SELECT count(*) FROM sqlite_schema", &tables, error)) {
        return false;
    }
    if (*version > SCHEMA_VERSION && application == STORE_APPLICATION_ID) {
        return error_set(error,
                         "ledger %s was written by a newer version of this program (schema %" PRId64
                         ", this one knows %d): run that version, or move the ledger away",
                         store->ledger, *version, SCHEMA_VERSION);
    }
    bool ours = *version == 0 ? tables == 0 : application == STORE_APPLICATION_ID;
    return ours || store_explain(store, SQLITE_NOTADB, error);
}

static int check_too_long(void *deadline)
{
    return instant_reached(clock_now().instant, *(struct instant *)deadline);
}

// SQLite's own check: the shape of every tree and the type of every value, but not whether indices
// and tables agree. Of a million probes 0.5 s when the system has them in memory, else what the
// disk takes to read 300 MB. The time bounds the second half only, the values: SQLite does not let
// go while it follows the trees. What it does not suffice for is taken on trust.
static bool check(struct store *store, const char *sql, struct error *error)
{
    sqlite3_stmt *statement;
    struct instant deadline = instant_add(clock_now().instant, CHECK_TIME);
    sqlite3_progress_handler(store->database, CHECK_STEPS, check_too_long, &deadline);
    int code = sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        const char *found = (const char *)sqlite3_column_text(statement, 0);
        if (code == SQLITE_ROW && (found == NULL || strcmp(found, "ok") != 0)) {
            code = SQLITE_CORRUPT;
        }
        sqlite3_finalize(statement);
    }
    sqlite3_progress_handler(store->database, 0, NULL, NULL);
    bool sound = code == SQLITE_ROW || code == SQLITE_INTERRUPT;
    return sound || store_explain(store, code, error);
}

// A log left behind means that the last run did not end by store_close.
static bool check_ledger(struct store *store, int64_t from, bool left_behind, struct error *error)
{
    int64_t limit = left_behind ? CHECKED_AFTER_CRASH_BYTES : CHECKED_ALWAYS_BYTES;
    if (store_files_ledger_bytes(store->ledger) <= limit) {
        return check(store, "PRAGMA quick_check(1)", error);
    }
    return check(store, "PRAGMA quick_check('incidents')", error) &&
           check(store, "PRAGMA quick_check('windows')", error) &&
           (from < 2 || check(store, "PRAGMA quick_check('acknowledgements')", error)) &&
           check(store, "PRAGMA quick_check('slots')", error) &&
           check(store, "PRAGMA quick_check('marks')", error);
}

static bool migrate(struct store *store, int64_t from, struct error *error)
{
    char mark[96];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
             STORE_APPLICATION_ID, SCHEMA_VERSION);
    bool done = execute(store, "BEGIN IMMEDIATE", error);
    for (int64_t i = from; done && i < SCHEMA_VERSION; i++) {
        done = execute(store, MIGRATIONS[i], error);
    }
    return done && execute(store, mark, error);
}

static bool use_log(struct store *store, struct error *error)
{
    char settings[128];
    snprintf(settings, sizeof settings,
             "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -%d; PRAGMA secure_delete = OFF",
             CACHE_KIB);
    sqlite3_stmt *statement;
    int code =
        sqlite3_prepare_v2(store->database, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (code != SQLITE_OK) {
        return store_explain(store, code, error);
    }
    code = sqlite3_step(statement);
    const char *mode = (const char *)sqlite3_column_text(statement, 0);
    bool done = code == SQLITE_ROW && mode != NULL && strcmp(mode, "wal") == 0;
    sqlite3_finalize(statement);
    if (code == SQLITE_ROW && !done) {
        return error_set(error, "ledger %s: its file system cannot do write-ahead logging",
                         store->ledger);
    }
    return done ? execute(store, settings, error) : store_explain(store, code, error);
}

bool store_schema_open(struct store *store, struct error *error)
{
    int64_t version;
    bool left_behind = store_files_log_bytes(store->ledger) > 0;
    return connect(store, error) && read_version(store, &version, error) &&
           (version == 0 || check_ledger(store, version, left_behind, error)) &&
           use_log(store, error) && (version == SCHEMA_VERSION || migrate(store, version, error)) &&
           store_statements_prepare(store, error);
}
