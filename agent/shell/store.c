#include "shell/store_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The log is cut back to nothing once it has grown past this.
enum { LOG_TRUNCATED_BYTES = 16 << 20, CHECKPOINT_BUSY_MS = 1000 };

// What the operator can do about it.
static const char *advice(int code, int reason)
{
    switch (reason == ENOSPC || reason == EDQUOT ? SQLITE_FULL : code & 0xFF) {
    case SQLITE_FULL:
        return "; free space on its file system, nothing more is needed";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return "; restart the agent: it keeps this ledger aside and begins a fresh one";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return "; the agent's user must be able to read and write it";
    case SQLITE_IOERR:
        return "; see in the system's log whether its disk fails, or its file system has turned "
               "read-only";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "; another program holds it";
    default:
        return "";
    }
}

static bool is_corrupt(int code)
{
    return (code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_NOTADB;
}

static bool explain(sqlite3 *database, const char *ledger, int code, struct error *error)
{
    int primary = code & 0xFF;
    bool system = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN;
    int reason = system && database != NULL ? sqlite3_system_errno(database) : 0;
    bool own_words = database != NULL && sqlite3_extended_errcode(database) == code;
    return error_set(error, "ledger %s: %s%s%s%s%s", ledger,
                     own_words ? sqlite3_errmsg(database) : sqlite3_errstr(code),
                     reason != 0 ? " (" : "", reason != 0 ? strerror(reason) : "",
                     reason != 0 ? ")" : "", advice(code, reason));
}

bool store_explain(struct store *store, int code, struct error *error)
{
    if (is_corrupt(code)) {
        store->corrupt = true;
        store_lock_note_corrupt(store->lock);
    }
    return explain(store->database, store->ledger, code, error);
}

void store_fail(struct store *store, int code)
{
    struct error ignored;
    bool first = store->failure.message[0] == '\0';
    store_explain(store, code, first ? &store->failure : &ignored);
}

static void disconnect(struct store *store)
{
    store_statements_finalize(store);
    sqlite3_close(store->database);
    store->database = NULL;
}

static bool begin_ledger(struct store *store, struct error *error)
{
    return store_files_create(store->ledger, error) && store_schema_open(store, error);
}

static bool begin_another(struct store *store, struct moment now, char *kept, size_t kept_size,
                          struct error *error)
{
    disconnect(store);
    if (!store_files_keep_aside(store->ledger, now.wall, kept, kept_size, error)) {
        return false;
    }
    store_lock_note_holder(store->lock);
    store->corrupt = false;
    return begin_ledger(store, error);
}

static bool count_entries(struct store *store, struct error *error)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_COUNT_PROBES];
    int code = sqlite3_step(statement);
    store->entries = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return code == SQLITE_ROW || store_explain(store, code, error);
}

// Known before it is read: the last run found damage, or the ledger has lost all that it had.
static bool is_suspect(const struct store *store, const struct store_past *past)
{
    return (past->corrupt && store_files_ledger_bytes(store->ledger) > 0) ||
           (past->opened && store_files_is_empty(store->ledger));
}

static bool open_ledger(struct store *store, bool suspect, struct moment now, char *kept,
                        size_t kept_size, struct error *error)
{
    struct error reason;
    bool open = !suspect && begin_ledger(store, &reason) && count_entries(store, &reason);
    if (!open && (suspect || store->corrupt)) {
        open = begin_another(store, now, kept, kept_size, &reason) && count_entries(store, &reason);
    }
    if (!open) {
        *error = reason;
        return false;
    }
    store_lock_note_holder(store->lock);
    sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return true;
}

static void destroy(struct store *store)
{
    disconnect(store);
    close(store->lock);
    free(store);
}

struct store *store_open(const char *state_dir, struct moment now, char *kept, size_t kept_size,
                         struct error *error)
{
    struct store_past past;
    struct store *store = memory_checked(calloc(1, sizeof *store));
    kept[0] = '\0';
    if (!store_files_find(state_dir, store->ledger, error) ||
        (store->lock = store_lock_take(state_dir, &past, error)) < 0) {
        free(store);
        return NULL;
    }
    if (!open_ledger(store, is_suspect(store, &past), now, kept, kept_size, error)) {
        destroy(store);
        return NULL;
    }
    return store;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    if (store->corrupt) { // evidence: the next start keeps it as it is
        sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    destroy(store);
}

// On the log's own file: `PRAGMA synchronous` cannot be changed once the transaction has begun, and
// before that nobody knows how its commit will be wanted. What the log holds is on the disk then,
// all earlier commits included.
static bool sync_log(struct store *store)
{
    sqlite3_file *log = NULL;
    sqlite3_file_control(store->database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    int code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    if (code != SQLITE_OK) {
        store_fail(store, code);
    }
    return code == SQLITE_OK;
}

static bool end_transaction(struct store *store)
{
    if (!store->writing || store->failure.message[0] != '\0') {
        return store->failure.message[0] == '\0';
    }
    sqlite3_stmt *commit = store->statements[STATEMENT_COMMIT];
    int code = sqlite3_step(commit);
    sqlite3_reset(commit);
    if (code != SQLITE_DONE) {
        store_fail(store, code);
        return false;
    }
    store->entries += store->entries_written;
    store->unsynced = true;
    return true;
}

// Some failures have made SQLite roll back already.
static void roll_back(struct store *store)
{
    if (sqlite3_get_autocommit(store->database) == 0) {
        sqlite3_step(store->statements[STATEMENT_ROLLBACK]);
        sqlite3_reset(store->statements[STATEMENT_ROLLBACK]);
    }
}

bool store_commit(struct store *store, enum store_durability durability, struct error *error)
{
    bool done = end_transaction(store);
    if (done && durability == STORE_DURABLE && store->unsynced) {
        done = sync_log(store);
        store->unsynced = !done;
    }
    if (!done) {
        roll_back(store);
        store->commit_failures++;
        *error = store->failure;
        store->failure.message[0] = '\0';
    }
    store->writing = false;
    store->entries_written = 0;
    return done;
}

struct store_figures store_figures(const struct store *store)
{
    return (struct store_figures){
        .entries = store->entries,
        .bytes = store_files_ledger_bytes(store->ledger) + store_files_log_bytes(store->ledger),
        .commit_failures = store->commit_failures,
        .corrupt = store->corrupt,
    };
}

static int checkpoint(sqlite3 *database, const char *ledger)
{
    sqlite3_busy_timeout(database, CHECKPOINT_BUSY_MS);
    // A connection that has read nothing does not know yet that there is a log.
    int code = sqlite3_exec(database, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_wal_checkpoint_v2(database, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    if (code == SQLITE_OK && store_files_log_bytes(ledger) > LOG_TRUNCATED_BYTES) {
        code = sqlite3_wal_checkpoint_v2(database, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
    return code;
}

bool store_checkpoint(const char *state_dir, struct error *error)
{
    char ledger[PATH_MAX];
    sqlite3 *database = NULL;
    if (!store_files_find(state_dir, ledger, error)) {
        return false;
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(ledger, &database, flags, NULL);
    if (code == SQLITE_OK) {
        code = checkpoint(database, ledger);
    }
    // A moment in which somebody reads or writes is no failure: the next turn comes soon.
    bool done =
        code == SQLITE_OK || (code & 0xFF) == SQLITE_BUSY || explain(database, ledger, code, error);
    sqlite3_close(database);
    return done;
}
