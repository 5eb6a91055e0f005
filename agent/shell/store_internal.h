// The inside of the store, shared by its own files only. store.c opens, commits and closes;
// store_files.c looks after the files; store_schema.c makes, migrates and checks the tables;
// store_statements.c has every other word of SQL; store_row.c binds and reads values; store_write.c
// and store_read.c do what store.h says, store_trace.c writes and reads the ways of probes.
#ifndef MAILFLOW_SHELL_STORE_INTERNAL_H
#define MAILFLOW_SHELL_STORE_INTERNAL_H

#include <limits.h>
#include <sqlite3.h>

#include "shell/store.h"

enum store_statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_PUT_PROBE,
    STATEMENT_CHANGE_STATE,
    STATEMENT_CHANGE_VERDICT,
    STATEMENT_PUT_OUTCOME,
    STATEMENT_CHANGE_OUTCOME,
    STATEMENT_PUT_TRANSCRIPT,
    STATEMENT_PUT_MESSAGE,
    STATEMENT_CHANGE_MESSAGE,
    STATEMENT_PUT_BOUNCE,
    STATEMENT_PUT_TRACE,
    STATEMENT_PUT_COURSE,
    STATEMENT_PUT_INCIDENT,
    STATEMENT_PUT_NOTICE,
    STATEMENT_FORGET_NOTICE,
    STATEMENT_KEEP_NOTICES,
    STATEMENT_PUT_WINDOW,
    STATEMENT_PUT_ACKNOWLEDGED,
    STATEMENT_PUT_SLOTS,
    STATEMENT_PUT_SEEN,
    STATEMENT_PUT_HABITS,
    STATEMENT_PUT_MARK,
    STATEMENT_EXPIRE_PROBES,
    STATEMENT_EXPIRE_TRANSCRIPTS,
    STATEMENT_EXPIRE_INCIDENTS,
    STATEMENT_EXPIRE_WINDOWS,
    STATEMENT_EXPIRE_ACKNOWLEDGED,
    STATEMENT_COUNT_PROBES,
    STATEMENT_COUNT_SUPPRESSED,
    STATEMENT_GET_MARK,
    STATEMENT_GET_LAST_INCIDENT,
    STATEMENT_GET_INCIDENT,
    STATEMENT_GET_LOCATION,
    STATEMENT_GET_PROBE,
    STATEMENT_GET_TRANSCRIPT,
    STATEMENT_GET_BOUNCE,
    STATEMENT_GET_TRACE,
    STATEMENT_FIND_PROBE,
    STATEMENT_GET_NOTED,
    STATEMENT_NEXT_PEER,
    STATEMENT_LIST_RESOLVED,
    STATEMENT_LIST_IN_FLIGHT,
    STATEMENT_LIST_SLOTS,
    STATEMENT_LIST_HABITS,
    STATEMENT_LIST_WINDOWS,
    STATEMENT_LIST_ACKNOWLEDGED,
    STATEMENT_LIST_RECENT_INCIDENTS,
    STATEMENT_LIST_NOTICES,
    STATEMENT_LIST_INCIDENTS,
    STATEMENT_LIST_PROBES,
    STATEMENT_LIST_PROBES_OF_PEER,
    STATEMENT_LIST_PROBES_WITH_VERDICT,
    STATEMENT_LIST_TROUBLED_PROBES,
    STATEMENT_SAMPLE_LATENCIES,
    STATEMENTS
};

// In the header of our ledgers, so that file(1) and we know them: "mlfw".
#define STORE_APPLICATION_ID 0x6d6c6677

// When the run began and was last alive.
#define MARK_STARTED "started"
#define MARK_ALIVE   "alive"

struct store {
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENTS];
    char ledger[PATH_MAX];
    int lock;                // held on state_dir/ledger.lock as long as the store lives
    bool writing;            // a transaction is open
    bool unsynced;           // something committed is not on the disk for certain
    bool corrupt;            // SQLite or a row said so: the next start keeps the ledger aside
    struct error failure;    // the first since the last commit, "" for none
    int64_t entries;         // probes committed
    int64_t entries_written; // more (or less) of them in the open transaction
    uint64_t commit_failures;
};

// ---- store.c ----

// Why an operation of SQLite failed and what to do, in words; remembers corruption. Returns false.
bool store_explain(struct store *store, int code, struct error *error);

// The same for the next commit to report, unless something earlier failed already.
void store_fail(struct store *store, int code);

// ---- store_files.c ----

bool store_files_find(const char *state_dir, char ledger[PATH_MAX], struct error *error);

// What is noted in the lock file of the last run.
struct store_past {
    bool opened;  // a ledger was open
    bool corrupt; // and found corrupt
};

// Holds the directory against another agent; -1 with the reason, after two seconds.
int store_lock_take(const char *state_dir, struct store_past *past, struct error *error);
void store_lock_note_corrupt(int lock);
void store_lock_note_holder(int lock);

// An empty file that only its user can read, unless the ledger exists. SQLite gives its log the
// same mode.
bool store_files_create(const char *ledger, struct error *error);

// It is there and has no content. SQLite takes that for a new one and deletes the log beside it.
bool store_files_is_empty(const char *ledger);

// Renames the ledger and its log to names that have not been used; nothing is opened or changed.
bool store_files_keep_aside(const char *ledger, struct walltime now, char *kept, size_t kept_size,
                            struct error *error);

int64_t store_files_ledger_bytes(const char *ledger);
int64_t store_files_log_bytes(const char *ledger);

// ---- store_schema.c ----

int store_schema_version(void);

// Connects, checks, migrates; false with store->corrupt when the ledger is past reading.
bool store_schema_open(struct store *store, struct error *error);

// ---- store_statements.c ----

bool store_statements_prepare(struct store *store, struct error *error);
void store_statements_finalize(struct store *store);

// ---- store_row.c ----

// Binds values to the parameters of a statement, in their order. Text and blobs must live until the
// step. What is not known is NULL: a time that is none, a zero, a leg that did not take place.
struct store_binder {
    sqlite3_stmt *statement;
    int bound;
};

struct store_binder store_binder_for(struct store *store, enum store_statement which);
void store_bind_integer(struct store_binder *binder, int64_t value);
void store_bind_known(struct store_binder *binder, int64_t value);
void store_bind_leg(struct store_binder *binder, struct span value);
void store_bind_text(struct store_binder *binder, const char *value);
void store_bind_id(struct store_binder *binder, const struct probe_id *value);
void store_bind_bytes(struct store_binder *binder, const void *bytes, size_t size);

// Reads the columns of a row in their order. What no version of us wrote is malformed.
struct store_reader {
    sqlite3_stmt *statement;
    int code; // of the last step
    int taken;
    bool malformed;
};

struct store_reader store_reader_for(sqlite3_stmt *statement);
int64_t store_read_integer(struct store_reader *reader);
struct walltime store_read_time(struct store_reader *reader);
void store_read_text(struct store_reader *reader, char *out, size_t size);
void store_read_id(struct store_reader *reader, struct probe_id *out);
// enum reply_class, or -1 when there is none.
int store_read_class(struct store_reader *reader);
void store_read_record(struct store_reader *reader, struct probe_record *out);
void store_read_probe(struct store_reader *reader, struct store_probe *out);
void store_read_bounce(struct store_reader *reader, struct store_bounce *out);
void store_read_incident(struct store_reader *reader, struct incident *out);
void store_read_notice(struct store_reader *reader, int64_t *number, enum notice *out);
// From `direction` on.
void store_read_habits(struct store_reader *reader, enum direction *direction, struct habits *out);
void store_read_window(struct store_reader *reader, struct window *out);

// ---- store_write.c ----

// True when the statement may be bound: nothing has failed since the last commit, and a transaction
// is open.
bool store_write_begin(struct store *store, enum store_statement which,
                       struct store_binder *binder);

// How many rows were written.
unsigned store_write_end(struct store *store, struct store_binder *binder);

#endif
