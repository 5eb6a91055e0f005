#include "shell/store_internal.h"

#include <string.h>

#include "base/text.h"

// A probe may say it was sent this much after we noted it: the way to the relay takes time, and
// clocks differ.
#define SENT_AFTER_NOTED SPAN_HOURS(1)

// Ends a statement; false with the reason unless its last step was the end of the rows.
static bool read_end(struct store *store, const struct store_reader *reader, struct error *error)
{
    bool done = reader->code == SQLITE_DONE && !reader->malformed;
    if (!done) {
        store_explain(store, reader->malformed ? SQLITE_CORRUPT : reader->code, error);
    }
    sqlite3_reset(reader->statement);
    return done;
}

// The next row; false at the end, after a failure, and when the row before was malformed.
static bool read_next(struct store_reader *reader)
{
    if (reader->malformed) {
        return false;
    }
    reader->code = sqlite3_step(reader->statement);
    reader->taken = 0;
    return reader->code == SQLITE_ROW;
}

// ---- what one arrival or one probe needs ----

static bool same_message(struct store_reader *reader, const struct collect_report *report)
{
    char mailbox[PROBE_MAILBOX_SIZE], folder[PROBE_FOLDER_SIZE];
    store_read_text(reader, mailbox, sizeof mailbox);
    store_read_text(reader, folder, sizeof folder);
    int64_t uid_validity = store_read_integer(reader);
    int64_t uid = store_read_integer(reader);
    return strcmp(mailbox, report->mailbox) == 0 && strcmp(folder, report->folder) == 0 &&
           uid_validity == report->uid_validity && uid == report->uid;
}

enum store_arrival store_find_arrival(struct store *store, const struct collect_report *report)
{
    enum store_arrival found = STORE_ARRIVAL_NEW;
    struct store_binder key = store_binder_for(store, STATEMENT_GET_LOCATION);
    store_bind_id(&key, &report->tag.id);
    struct store_reader row = store_reader_for(key.statement);
    if (read_next(&row)) {
        bool arrived = walltime_known(store_read_time(&row));
        bool same = same_message(&row, report);
        found = !arrived ? STORE_ARRIVAL_NEW : same ? STORE_ARRIVAL_SAME : STORE_ARRIVAL_DUPLICATE;
    } else if (row.code != SQLITE_DONE) {
        store_fail(store, row.code); // what follows from a wrong answer must not be committed
    }
    sqlite3_reset(key.statement);
    return found;
}

bool store_get_probe(struct store *store, const struct probe_id *id, struct store_probe *out)
{
    struct store_binder key = store_binder_for(store, STATEMENT_GET_PROBE);
    store_bind_id(&key, id);
    struct store_reader row = store_reader_for(key.statement);
    bool found = read_next(&row);
    if (found) {
        store_read_probe(&row, out);
    } else if (row.code != SQLITE_DONE) {
        store_fail(store, row.code);
    }
    if (row.malformed) {
        store_fail(store, SQLITE_CORRUPT);
    }
    sqlite3_reset(key.statement);
    return found && !row.malformed;
}

void store_get_transcript(struct store *store, const struct probe_id *id, char out[TRANSCRIPT_SIZE])
{
    struct store_binder key = store_binder_for(store, STATEMENT_GET_TRANSCRIPT);
    store_bind_id(&key, id);
    struct store_reader row = store_reader_for(key.statement);
    out[0] = '\0';
    if (read_next(&row)) {
        store_read_text(&row, out, TRANSCRIPT_SIZE);
    } else if (row.code != SQLITE_DONE) {
        store_fail(store, row.code);
    }
    sqlite3_reset(key.statement);
}

bool store_get_bounce(struct store *store, const struct probe_id *id, enum bounce_action action,
                      struct store_bounce *out)
{
    struct store_binder key = store_binder_for(store, STATEMENT_GET_BOUNCE);
    store_bind_id(&key, id);
    store_bind_text(&key, bounce_action_name(action));
    struct store_reader row = store_reader_for(key.statement);
    bool found = read_next(&row);
    if (found) {
        store_read_bounce(&row, out);
    }
    if (row.malformed || (!found && row.code != SQLITE_DONE)) {
        store_fail(store, row.malformed ? SQLITE_CORRUPT : row.code);
    }
    sqlite3_reset(key.statement);
    return found && !row.malformed;
}

unsigned store_find_probe(struct store *store, const struct probe_id *least,
                          const struct probe_id *greatest, struct probe_id *out)
{
    unsigned found = 0;
    struct store_binder range = store_binder_for(store, STATEMENT_FIND_PROBE);
    store_bind_id(&range, least);
    store_bind_id(&range, greatest);
    struct store_reader row = store_reader_for(range.statement);
    for (struct probe_id id; read_next(&row); found++) {
        store_read_id(&row, &id);
        *out = found == 0 ? id : *out;
    }
    if (row.malformed || row.code != SQLITE_DONE) {
        store_fail(store, row.malformed ? SQLITE_CORRUPT : row.code);
    }
    sqlite3_reset(range.statement);
    return found;
}

int64_t store_last_incident(struct store *store)
{
    struct store_reader row = store_reader_for(store->statements[STATEMENT_GET_LAST_INCIDENT]);
    int64_t last = read_next(&row) ? store_read_integer(&row) : 0;
    if (row.code != SQLITE_ROW && row.code != SQLITE_DONE) {
        store_fail(store, row.code);
    }
    sqlite3_reset(row.statement);
    return last;
}

bool store_get_incident(struct store *store, int64_t id, struct incident *out)
{
    struct store_binder key = store_binder_for(store, STATEMENT_GET_INCIDENT);
    store_bind_integer(&key, id);
    struct store_reader row = store_reader_for(key.statement);
    bool found = read_next(&row);
    if (found) {
        store_read_incident(&row, out);
    } else if (row.code != SQLITE_DONE) {
        store_fail(store, row.code);
    }
    sqlite3_reset(key.statement);
    return found && !row.malformed;
}

unsigned store_count_suppressed(struct store *store, const char *window)
{
    struct store_binder key = store_binder_for(store, STATEMENT_COUNT_SUPPRESSED);
    store_bind_text(&key, window);
    struct store_reader row = store_reader_for(key.statement);
    unsigned count = read_next(&row) ? (unsigned)store_read_integer(&row) : 0;
    if (row.code != SQLITE_ROW) {
        store_fail(store, row.code);
    }
    sqlite3_reset(key.statement);
    return count;
}

// ---- restoring ----

static bool get_mark(struct store *store, const char *name, struct walltime *out,
                     struct error *error)
{
    struct store_binder key = store_binder_for(store, STATEMENT_GET_MARK);
    store_bind_text(&key, name);
    struct store_reader row = store_reader_for(key.statement);
    *out = WALLTIME_NONE;
    while (read_next(&row)) {
        *out = store_read_time(&row);
    }
    return read_end(store, &row, error);
}

static bool restore_slots(struct store *store, const struct store_restore *restore,
                          struct error *error)
{
    struct store_reader row = store_reader_for(store->statements[STATEMENT_LIST_SLOTS]);
    while (read_next(&row)) {
        char peer[SERVER_NAME_SIZE];
        store_read_text(&row, peer, sizeof peer);
        int64_t reserved = store_read_integer(&row);
        restore->slots(restore->context, peer, reserved, store_read_time(&row));
    }
    return read_end(store, &row, error);
}

static bool restore_windows(struct store *store, const struct store_restore *restore,
                            struct error *error)
{
    struct window window;
    struct store_binder range = store_binder_for(store, STATEMENT_LIST_WINDOWS);
    store_bind_integer(&range, restore->windows_since.ns);
    struct store_reader row = store_reader_for(range.statement);
    while (read_next(&row)) {
        store_read_window(&row, &window);
        if (!row.malformed) {
            restore->window(restore->context, &window);
        }
    }
    return read_end(store, &row, error);
}

static bool restore_acknowledged(struct store *store, const struct store_restore *restore,
                                 struct error *error)
{
    char window[WINDOW_ID_SIZE], peer[SERVER_NAME_SIZE];
    struct store_reader row = store_reader_for(store->statements[STATEMENT_LIST_ACKNOWLEDGED]);
    while (read_next(&row)) {
        store_read_text(&row, window, sizeof window);
        uint32_t revision = (uint32_t)store_read_integer(&row);
        store_read_text(&row, peer, sizeof peer);
        if (!row.malformed) {
            restore->acknowledged(restore->context, window, revision, peer);
        }
    }
    return read_end(store, &row, error);
}

static bool restore_incidents(struct store *store, const struct store_restore *restore,
                              struct error *error)
{
    struct incident incident;
    struct store_binder range = store_binder_for(store, STATEMENT_LIST_RECENT_INCIDENTS);
    store_bind_integer(&range, restore->incidents_since.ns);
    struct store_reader row = store_reader_for(range.statement);
    while (read_next(&row)) {
        store_read_incident(&row, &incident);
        if (!row.malformed) {
            restore->incident(restore->context, &incident);
        }
    }
    return read_end(store, &row, error);
}

static bool restore_notices(struct store *store, const struct store_restore *restore,
                            struct error *error)
{
    struct incident incident;
    enum notice notice;
    int64_t number;
    struct store_reader row = store_reader_for(store->statements[STATEMENT_LIST_NOTICES]);
    while (read_next(&row)) {
        store_read_notice(&row, &number, &notice);
        store_read_incident(&row, &incident);
        if (!row.malformed) {
            restore->notice(restore->context, number, &incident, notice);
        }
    }
    return read_end(store, &row, error);
}

static bool restore_rows(struct store *store, const struct store_restore *restore,
                         const struct store_binder *range, struct error *error)
{
    struct probe_record record;
    struct store_reader row = store_reader_for(range->statement);
    while (read_next(&row)) {
        store_read_record(&row, &record);
        if (!row.malformed) {
            restore->probe(restore->context, &record);
        }
    }
    return read_end(store, &row, error);
}

static bool restore_path(struct store *store, const struct store_restore *restore, const char *peer,
                         enum direction direction, struct error *error)
{
    struct store_binder resolved = store_binder_for(store, STATEMENT_LIST_RESOLVED);
    store_bind_text(&resolved, peer);
    store_bind_text(&resolved, direction_name(direction));
    store_bind_integer(&resolved, restore->newest);
    struct store_binder in_flight = store_binder_for(store, STATEMENT_LIST_IN_FLIGHT);
    store_bind_text(&in_flight, peer);
    store_bind_text(&in_flight, direction_name(direction));
    return restore_rows(store, restore, &resolved, error) &&
           restore_rows(store, restore, &in_flight, error);
}

// Replaces the name by the next one in the rows, "" after the last.
static bool next_peer(struct store *store, char peer[SERVER_NAME_SIZE], struct error *error)
{
    struct store_binder key = store_binder_for(store, STATEMENT_NEXT_PEER);
    char after[SERVER_NAME_SIZE];
    text_copy(after, sizeof after, peer);
    store_bind_text(&key, after);
    struct store_reader row = store_reader_for(key.statement);
    peer[0] = '\0';
    while (read_next(&row)) {
        store_read_text(&row, peer, SERVER_NAME_SIZE);
    }
    return read_end(store, &row, error);
}

static bool restore_probes_of(struct store *store, const struct store_restore *restore,
                              const char *peer, struct error *error)
{
    return restore_path(store, restore, peer, OUTBOUND, error) &&
           restore_path(store, restore, peer, INBOUND, error);
}

// Of one peer, or (NULL) of all.
static bool restore_habits(struct store *store, const struct store_restore *restore,
                           const char *peer, struct error *error)
{
    char name[SERVER_NAME_SIZE];
    enum direction direction;
    struct habits habits;
    struct store_binder key = store_binder_for(store, STATEMENT_LIST_HABITS);
    store_bind_text(&key, peer);
    struct store_reader row = store_reader_for(key.statement);
    while (read_next(&row)) {
        store_read_text(&row, name, sizeof name);
        store_read_habits(&row, &direction, &habits);
        if (!row.malformed) {
            restore->habits(restore->context, name, direction, &habits);
        }
    }
    return read_end(store, &row, error);
}

bool store_restore_peer(struct store *store, const struct store_restore *restore, const char *peer,
                        struct error *error)
{
    return restore_habits(store, restore, peer, error) &&
           restore_probes_of(store, restore, peer, error);
}

static bool restore_probes(struct store *store, const struct store_restore *restore,
                           struct error *error)
{
    char peer[SERVER_NAME_SIZE] = "";
    bool done = next_peer(store, peer, error);
    while (done && peer[0] != '\0') {
        done = restore_probes_of(store, restore, peer, error) && next_peer(store, peer, error);
    }
    return done;
}

bool store_restore(struct store *store, const struct store_restore *restore, struct walltime *alive,
                   struct walltime *started, struct error *error)
{
    return get_mark(store, MARK_ALIVE, alive, error) &&
           get_mark(store, MARK_STARTED, started, error) && restore_slots(store, restore, error) &&
           restore_habits(store, restore, NULL, error) && restore_windows(store, restore, error) &&
           restore_acknowledged(store, restore, error) &&
           restore_incidents(store, restore, error) && restore_notices(store, restore, error) &&
           restore_probes(store, restore, error);
}

// ---- lists ----

// The index that has the least to skip: probes that are not on time are few.
static enum store_statement list_of(const struct store_query *query)
{
    if (query->troubled) {
        return STATEMENT_LIST_TROUBLED_PROBES;
    }
    if (query->verdict >= 0 && query->verdict != VERDICT_ON_TIME) {
        return STATEMENT_LIST_PROBES_WITH_VERDICT;
    }
    return query->peer != NULL ? STATEMENT_LIST_PROBES_OF_PEER : STATEMENT_LIST_PROBES;
}

// Where the row of the cursor stands among the newest. When retention has taken it, all after it is
// as old: nothing follows.
static bool find_cursor(struct store *store, int64_t cursor, int64_t *noted, struct error *error)
{
    struct store_binder key = store_binder_for(store, STATEMENT_GET_NOTED);
    store_bind_integer(&key, cursor);
    struct store_reader row = store_reader_for(key.statement);
    *noted = INT64_MIN;
    while (read_next(&row)) {
        *noted = store_read_integer(&row);
    }
    return read_end(store, &row, error);
}

static void bind_query(struct store_binder *list, const struct store_query *query, int64_t noted)
{
    struct span back = {-SENT_AFTER_NOTED.ns};
    store_bind_integer(list, noted);
    store_bind_integer(list, query->before == 0 ? INT64_MAX : query->before);
    store_bind_integer(list, walltime_add(query->since, back).ns);
    store_bind_integer(list, query->since.ns);
    store_bind_text(list,
                    query->direction < 0 ? NULL : direction_name((enum direction)query->direction));
    store_bind_integer(list, query->limit);
    store_bind_text(list, query->peer);
    store_bind_text(list, query->verdict < 0 ? NULL : verdict_name((enum verdict)query->verdict));
}

bool store_query_probes(struct store *store, const struct store_query *query,
                        bool (*each)(void *context, const struct store_probe *probe), void *context,
                        struct error *error)
{
    int64_t noted = INT64_MAX;
    struct store_probe probe;
    if (query->before != 0 && !find_cursor(store, query->before, &noted, error)) {
        return false;
    }
    struct store_binder list = store_binder_for(store, list_of(query));
    bind_query(&list, query, noted);
    struct store_reader row = store_reader_for(list.statement);
    while (read_next(&row)) {
        store_read_probe(&row, &probe);
        if (!row.malformed && !each(context, &probe)) {
            row.code = SQLITE_DONE;
            break;
        }
    }
    return read_end(store, &row, error);
}

size_t store_sample_latencies(struct store *store, const struct store_sample *sample, int64_t *out)
{
    size_t count = 0;
    struct store_binder range = store_binder_for(store, STATEMENT_SAMPLE_LATENCIES);
    store_bind_text(&range, sample->peer);
    store_bind_text(&range, direction_name(sample->direction));
    store_bind_integer(&range, sample->from.ns);
    store_bind_integer(&range, sample->until.ns);
    store_bind_integer(&range, sample->most);
    struct store_reader row = store_reader_for(range.statement);
    while (read_next(&row)) {
        out[count++] = store_read_integer(&row);
    }
    if (row.code != SQLITE_DONE) {
        store_fail(store, row.code);
    }
    sqlite3_reset(range.statement);
    return count;
}

bool store_query_incidents(struct store *store, struct walltime since, unsigned limit,
                           bool (*each)(void *context, const struct incident *incident),
                           void *context, struct error *error)
{
    struct incident incident;
    struct store_binder list = store_binder_for(store, STATEMENT_LIST_INCIDENTS);
    store_bind_integer(&list, since.ns);
    store_bind_integer(&list, limit);
    struct store_reader row = store_reader_for(list.statement);
    while (read_next(&row)) {
        store_read_incident(&row, &incident);
        if (!row.malformed && !each(context, &incident)) {
            row.code = SQLITE_DONE;
            break;
        }
    }
    return read_end(store, &row, error);
}
