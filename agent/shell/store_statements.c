#include "shell/store_internal.h"

// In the order in which store_row.c reads them.
#define RECORD                                                                                     \
    "id, peer, direction, kind, state, verdict, slot, planned, sent, accepted, arrived, latency, " \
    "latency_error, excused, incident, next"
#define PROBE                                                                                      \
    "row, " RECORD                                                                                 \
    ", reply_class, code, reply, cause, queue_id, leg_dns, leg_connect, leg_tls, leg_auth, "       \
    "leg_submit, mailbox, folder, uid_validity, uid, stripped, absent, asked, present, saved"
#define INCIDENT                                                                                   \
    "id, kind, severity, subject, began, opened, closed, notified, notified_at, suppressed_by, "   \
    "latency, threshold, late, of, oldest_age, in_flight, failures, probe, cause, cause_id, "      \
    "flapping, window, window_kind, planned_end, resumed_outbound, resumed_inbound, resumed_by, "  \
    "drained, lost, left_in_flight, suppressed, longest, culprit, seen_by, seen_of, cells, hop, "  \
    "hop_from, hop_delay, route, usual_route, method, result, "                                    \
    "statuses, ended"
#define BOUNCE "action, status, remote_mta, diagnostic, recipient, reported"
#define HABITS                                                                                     \
    "peer, direction, known, fresh, learned, spf, dkim, dmarc, arc, passed, failing, misplaced, "  \
    "placed, strange, usual, expected, spf_passes, dkim_passes, dmarc_passes, spf_unsure, "        \
    "dkim_unsure, dmarc_unsure, in_windows"
#define WINDOW                                                                                     \
    "id, revision, server, kind, cancelled, begin, end, by, reason, origin, held_from, held_until"

// As the partial index probes_open has it, or it would not be used.
#define IN_FLIGHT "(state = 'sending' OR state = 'accepted' OR state = 'uncertain')"

// Nanoseconds. So long a peer may not have been told what has arrived; a flush brings many at once.
#define UNTOLD "3600000000000"

// What changes of a row that is there, with the parameters of its INSERT: of the life of a probe
// all but who it is, what is known of its submission, and of its message. An UPDATE leaves alone
// the indices of columns that it does not name; an INSERT that ends in an update opens all of them.
#define LIFE                                                                                       \
    " slot = coalesce(?8, slot), planned = coalesce(?9, planned), sent = coalesce(?10, sent),"     \
    " accepted = coalesce(?11, accepted), arrived = coalesce(?12, arrived),"                       \
    " latency = coalesce(?13, latency), latency_error = coalesce(?14, latency_error),"             \
    " excused = coalesce(?15, excused), incident = coalesce(?16, incident),"                       \
    " next = coalesce(?17, next)"
#define OUTCOME                                                                                    \
    " code = ?2, reply = ?3, cause = ?4, queue_id = ?5, leg_dns = ?6, leg_connect = ?7,"           \
    " leg_tls = ?8, leg_auth = ?9, leg_submit = ?10, reply_class = ?11"
#define MESSAGE                                                                                    \
    " mailbox = ?2, folder = ?3, uid_validity = ?4, uid = ?5, stripped = ?6, absent = ?7,"         \
    " asked = ?8, present = ?9, saved = ?10"

// What lists have in common: ?1, ?2 the cursor, ?3 the least `noted`, ?4 since, ?5 direction or
// NULL, ?6 the limit, ?7 peer, ?8 verdict or NULL.
#define LIST(index, filter)                                                                        \
    "SELECT " PROBE " FROM probes INDEXED BY " index                                               \
    " WHERE (noted, row) < (?1, ?2) AND noted >= ?3 AND coalesce(sent, planned, noted) >= ?4"      \
    " AND (?5 IS NULL OR direction = ?5) AND " filter " ORDER BY noted DESC, row DESC LIMIT ?6"

// A table of texts, broken where SQL breaks.
// clang-format off
static const char *const SQL[STATEMENTS] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",

    // `noted` stays as the first record says, unless evidence came first.
    [STATEMENT_PUT_PROBE] =
        "INSERT INTO probes (noted, " RECORD ") VALUES"
        " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
        " ON CONFLICT (id) DO UPDATE SET"
        " noted = CASE peer WHEN '' THEN ?1 ELSE noted END,"
        " kind = CASE kind WHEN '' THEN ?5 ELSE kind END,"
        " peer = ?3, direction = ?4, state = ?6, verdict = ?7," LIFE,
    [STATEMENT_CHANGE_STATE] =
        "UPDATE probes SET state = ?6," LIFE " WHERE id = ?2 AND peer = ?3 AND verdict = ?7",
    [STATEMENT_CHANGE_VERDICT] =
        "UPDATE probes SET state = ?6, verdict = ?7," LIFE " WHERE id = ?2 AND peer = ?3",
    [STATEMENT_PUT_OUTCOME] =
        "INSERT INTO probes (id, code, reply, cause, queue_id, leg_dns, leg_connect,"
        " leg_tls, leg_auth, leg_submit, reply_class)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        " ON CONFLICT (id) DO UPDATE SET" OUTCOME,
    [STATEMENT_CHANGE_OUTCOME] = "UPDATE probes SET" OUTCOME " WHERE id = ?1",
    [STATEMENT_PUT_TRANSCRIPT] =
        "INSERT OR REPLACE INTO transcripts (probe, lines) VALUES (?1, ?2)",
    [STATEMENT_PUT_MESSAGE] =
        "INSERT INTO probes (id, mailbox, folder, uid_validity, uid, stripped, absent,"
        " asked, present, saved) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        " ON CONFLICT (id) DO UPDATE SET" MESSAGE,
    [STATEMENT_CHANGE_MESSAGE] = "UPDATE probes SET" MESSAGE " WHERE id = ?1",
    [STATEMENT_PUT_BOUNCE] =
        "INSERT OR REPLACE INTO bounces (probe, " BOUNCE ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [STATEMENT_PUT_TRACE] =
        "INSERT INTO traces (row, trace, rerouted, course) SELECT row, ?2, ?3,"
        " (SELECT id FROM courses WHERE digest = ?4) FROM probes WHERE id = ?1"
        " ON CONFLICT (row) DO UPDATE SET trace = ?2, rerouted = ?3, course = excluded.course",
    [STATEMENT_PUT_COURSE] =
        "INSERT INTO courses (digest, course) SELECT ?2, ?3"
        " WHERE EXISTS (SELECT 1 FROM probes WHERE id = ?1) ON CONFLICT (digest) DO NOTHING",
    [STATEMENT_PUT_INCIDENT] =
        "INSERT OR REPLACE INTO incidents (" INCIDENT
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
        " ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25,"
        " ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36,"
        " ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44, ?45)",
    [STATEMENT_PUT_NOTICE] =
        "INSERT OR REPLACE INTO notices (row, incident, notice) VALUES (?1, ?2, ?3)",
    [STATEMENT_FORGET_NOTICE] = "DELETE FROM notices WHERE row = ?1",
    [STATEMENT_KEEP_NOTICES] =
        "DELETE FROM notices WHERE incident NOT IN (SELECT id FROM incidents)"
        " OR row NOT IN (SELECT row FROM notices ORDER BY row DESC LIMIT ?1)",
    [STATEMENT_PUT_WINDOW] = "INSERT OR REPLACE INTO windows (" WINDOW ")"
                             " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [STATEMENT_PUT_ACKNOWLEDGED] =
        "INSERT INTO acknowledgements (window, peer, revision) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (window, peer) DO UPDATE SET revision = max(revision, excluded.revision)",
    [STATEMENT_PUT_SLOTS] =
        "INSERT INTO slots (peer, reserved) VALUES (?1, ?2)"
        " ON CONFLICT (peer) DO UPDATE SET reserved = max(reserved, excluded.reserved)",
    [STATEMENT_PUT_SEEN] = "UPDATE slots SET seen = ?2 WHERE peer = ?1",
    [STATEMENT_PUT_HABITS] =
        "INSERT OR REPLACE INTO habits (" HABITS ")"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
        " ?19, ?20, ?21, ?22, ?23)",
    [STATEMENT_PUT_MARK] = "INSERT OR REPLACE INTO marks (name, at) VALUES (?1, ?2)",

    [STATEMENT_EXPIRE_PROBES] =
        "DELETE FROM probes WHERE row IN (SELECT row FROM probes INDEXED BY probes_by_time"
        " WHERE noted < ?1 AND NOT " IN_FLIGHT " ORDER BY noted LIMIT ?2)",
    [STATEMENT_EXPIRE_TRANSCRIPTS] =
        "DELETE FROM transcripts WHERE row <= (SELECT max(row) FROM transcripts) - ?1",
    [STATEMENT_EXPIRE_INCIDENTS] =
        "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents"
        " WHERE closed < ?1 ORDER BY id LIMIT ?2)",
    // A window is not forgotten before the last probe that may touch it is resolved.
    [STATEMENT_EXPIRE_WINDOWS] =
        "DELETE FROM windows WHERE id IN (SELECT id FROM windows WHERE max(begin, end) < "
        "?1 AND"
        " max(begin, end) < coalesce((SELECT min(noted) FROM probes INDEXED BY probes_open"
        " WHERE " IN_FLIGHT "), ?1) LIMIT ?2)",

    [STATEMENT_EXPIRE_ACKNOWLEDGED] =
        "DELETE FROM acknowledgements WHERE window NOT IN (SELECT id FROM windows)",

    [STATEMENT_COUNT_PROBES] = "SELECT count(*) FROM probes",
    [STATEMENT_COUNT_SUPPRESSED] =
        "SELECT count(*) FROM incidents WHERE suppressed_by = ?1 AND suppressed_by <> ''",
    [STATEMENT_GET_TRACE] =
        "SELECT trace, rerouted, courses.course FROM probes JOIN traces USING (row)"
        " LEFT JOIN courses ON courses.id = traces.course WHERE probes.id = ?1",
    [STATEMENT_GET_MARK] = "SELECT at FROM marks WHERE name = ?1",
    [STATEMENT_GET_LAST_INCIDENT] =
        "SELECT seq FROM sqlite_sequence WHERE name = 'incidents'",
    [STATEMENT_GET_LOCATION] =
        "SELECT arrived, mailbox, folder, uid_validity, uid FROM probes WHERE id = ?1",
    [STATEMENT_GET_PROBE] = "SELECT " PROBE " FROM probes WHERE id = ?1 AND peer <> ''",
    [STATEMENT_GET_TRANSCRIPT] = "SELECT lines FROM transcripts WHERE probe = ?1",
    [STATEMENT_GET_BOUNCE] =
        "SELECT " BOUNCE " FROM bounces WHERE probe = ?1 AND action = ?2",
    [STATEMENT_FIND_PROBE] =
        "SELECT id FROM probes WHERE id >= ?1 AND id <= ?2 AND peer <> '' LIMIT 2",
    [STATEMENT_GET_NOTED] = "SELECT noted FROM probes WHERE row = ?1",
    [STATEMENT_NEXT_PEER] =
        "SELECT peer FROM probes INDEXED BY probes_by_peer WHERE peer > ?1"
        " ORDER BY peer LIMIT 1",
    // Asked for every path: an IN with more than two values would make a table each time.
    [STATEMENT_LIST_RESOLVED] =
        "SELECT " RECORD " FROM probes WHERE row IN ("
        "SELECT row FROM (SELECT row FROM probes INDEXED BY probes_by_peer WHERE peer = ?1"
        " AND direction = ?2 AND verdict <> 'open' AND verdict <> 'lost' AND verdict <> 'bounced'"
        " ORDER BY noted DESC LIMIT ?3)"
        " UNION ALL SELECT row FROM probes INDEXED BY probes_by_peer WHERE peer = ?1"
        " AND direction = ?2 AND direction = 'inbound'"
        " AND noted > (SELECT at FROM marks WHERE name = 'alive') - " UNTOLD ")"
        " AND NOT " IN_FLIGHT " ORDER BY coalesce(arrived, noted), row",
    // Out of the index as they are to be: there may be half a million.
    [STATEMENT_LIST_IN_FLIGHT] =
        "SELECT " RECORD " FROM probes INDEXED BY probes_open"
        " WHERE peer = ?1 AND direction = ?2 AND " IN_FLIGHT " ORDER BY noted",
    [STATEMENT_LIST_HABITS] = "SELECT " HABITS " FROM habits WHERE ?1 IS NULL OR peer = ?1",
    [STATEMENT_LIST_SLOTS] = "SELECT peer, reserved, seen FROM slots",
    [STATEMENT_LIST_WINDOWS] = "SELECT " WINDOW " FROM windows WHERE max(begin, end) > ?1"
                               " ORDER BY begin, id",
    [STATEMENT_LIST_ACKNOWLEDGED] = "SELECT window, revision, peer FROM acknowledgements",
    [STATEMENT_GET_INCIDENT] = "SELECT " INCIDENT " FROM incidents WHERE id = ?1",
    [STATEMENT_LIST_RECENT_INCIDENTS] =
        "SELECT " INCIDENT " FROM incidents"
        " WHERE closed IS NULL OR closed >= ?1 ORDER BY id",
    [STATEMENT_LIST_NOTICES] =
        "SELECT notices.row, notice, " INCIDENT " FROM notices JOIN incidents ON id = incident"
        " ORDER BY notices.row",
    [STATEMENT_LIST_INCIDENTS] =
        "SELECT " INCIDENT " FROM incidents"
        " WHERE closed IS NULL OR closed >= ?1 ORDER BY id DESC LIMIT ?2",
    [STATEMENT_LIST_PROBES] =
        LIST("probes_by_time", "(?8 IS NULL OR verdict = ?8) AND peer <> ''"),
    [STATEMENT_LIST_PROBES_OF_PEER] =
        LIST("probes_by_peer", "peer = ?7 AND (?8 IS NULL OR verdict = ?8)"),
    [STATEMENT_LIST_PROBES_WITH_VERDICT] =
        LIST("probes_by_verdict", "verdict = ?8 AND verdict <> 'on_time' AND peer <> '' "
                                  "AND (?7 IS NULL OR peer = ?7)"),
    [STATEMENT_LIST_TROUBLED_PROBES] =
        LIST("probes_troubled", "peer = ?7 AND verdict NOT IN ('open', 'on_time') "
                                "AND (?8 IS NULL OR verdict = ?8)"),
    [STATEMENT_SAMPLE_LATENCIES] =
        "SELECT latency FROM probes INDEXED BY probes_by_peer WHERE peer = ?1 AND direction = ?2"
        " AND noted >= ?3 AND noted < ?4 AND verdict IN ('on_time', 'late')"
        " ORDER BY noted LIMIT ?5",
};
// clang-format on

bool store_statements_prepare(struct store *store, struct error *error)
{
    for (int i = 0; i < STATEMENTS; i++) {
        int code = sqlite3_prepare_v3(store->database, SQL[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &store->statements[i], NULL);
        if (code == SQLITE_ERROR) { // a table, column or index is not there
            code = SQLITE_CORRUPT;
        }
        if (code != SQLITE_OK) {
            return store_explain(store, code, error);
        }
    }
    return true;
}

void store_statements_finalize(struct store *store)
{
    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
}
