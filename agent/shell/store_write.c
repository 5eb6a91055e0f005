#include "base/text.h"
#include "shell/store_internal.h"

bool store_write_begin(struct store *store, enum store_statement which, struct store_binder *binder)
{
    if (store->corrupt) { // what is written now is gone at the next start
        store_fail(store, SQLITE_CORRUPT);
    }
    if (store->failure.message[0] != '\0') {
        return false;
    }
    if (!store->writing) {
        sqlite3_stmt *begin = store->statements[STATEMENT_BEGIN];
        int code = sqlite3_step(begin);
        sqlite3_reset(begin);
        if (code != SQLITE_DONE) {
            store_fail(store, code);
            return false;
        }
        store->writing = true;
    }
    *binder = store_binder_for(store, which);
    return true;
}

unsigned store_write_end(struct store *store, struct store_binder *binder)
{
    int code = sqlite3_step(binder->statement);
    if (code != SQLITE_DONE) {
        store_fail(store, code);
    }
    sqlite3_reset(binder->statement);
    return code == SQLITE_DONE ? (unsigned)sqlite3_changes(store->database) : 0;
}

// The same for a row of probes, which may be a new one: an update leaves the last row id alone.
static unsigned write_end_probe(struct store *store, struct store_binder *binder)
{
    sqlite3_set_last_insert_rowid(store->database, 0);
    unsigned written = store_write_end(store, binder);
    if (written > 0 && sqlite3_last_insert_rowid(store->database) != 0) {
        store->entries_written++;
    }
    return written;
}

// When this agent came to know of the probe, on its own clock.
static struct walltime noted(const struct probe_record *record)
{
    struct walltime own = record->direction == OUTBOUND ? record->planned : record->arrived;
    return walltime_known(own) ? own : record->sent;
}

static void bind_outcome_of_life(struct store_binder *row, const struct probe_record *record)
{
    bool arrived = walltime_known(record->arrived);
    const struct span spans[] = {record->latency, record->latency_error, record->excused};
    for (int i = 0; i < 3; i++) {
        if (arrived) {
            store_bind_integer(row, spans[i].ns);
        } else {
            store_bind_known(row, spans[i].ns);
        }
    }
}

static unsigned write_probe(struct store *store, enum store_statement which,
                            const struct probe_record *record)
{
    struct store_binder row;
    if (!store_write_begin(store, which, &row)) {
        return 0;
    }
    store_bind_integer(&row, noted(record).ns);
    store_bind_id(&row, &record->id);
    store_bind_text(&row, record->peer);
    store_bind_text(&row, direction_name(record->direction));
    store_bind_text(&row, probe_kind_name(record->kind));
    store_bind_text(&row, probe_state_name(record->state));
    store_bind_text(&row, verdict_name(record->verdict));
    store_bind_known(&row, record->slot);
    store_bind_known(&row, record->planned.ns);
    store_bind_known(&row, record->sent.ns);
    store_bind_known(&row, record->accepted.ns);
    store_bind_known(&row, record->arrived.ns);
    bind_outcome_of_life(&row, record);
    store_bind_known(&row, record->incident);
    store_bind_known(&row, record->next.ns);
    return write_end_probe(store, &row);
}

// Of the newest only, for it counts whatever our clock does between the two.
static void put_seen(struct store *store, const struct probe_record *record)
{
    struct store_binder row;
    if (store_write_begin(store, STATEMENT_PUT_SEEN, &row)) {
        store_bind_text(&row, record->peer);
        store_bind_known(&row, record->seen.ns);
        store_write_end(store, &row);
    }
}

void store_put_probe(struct store *store, const struct probe_record *record)
{
    bool begins = record->state == PROBE_SENDING || record->direction == INBOUND;
    bool known = !begins && (write_probe(store, STATEMENT_CHANGE_STATE, record) > 0 ||
                             write_probe(store, STATEMENT_CHANGE_VERDICT, record) > 0);
    if (!known) {
        write_probe(store, STATEMENT_PUT_PROBE, record);
    }
    if (record->direction == INBOUND) {
        put_seen(store, record);
    }
}

static void put_transcript(struct store *store, const struct probe_id *id, const char *lines)
{
    struct store_binder row;
    if (lines[0] == '\0' || !store_write_begin(store, STATEMENT_PUT_TRANSCRIPT, &row)) {
        return;
    }
    store_bind_id(&row, id);
    store_bind_text(&row, lines);
    if (store_write_end(store, &row) > 0 &&
        store_write_begin(store, STATEMENT_EXPIRE_TRANSCRIPTS, &row)) {
        store_bind_integer(&row, STORE_TRANSCRIPTS_MAXIMUM);
        store_write_end(store, &row);
    }
}

static unsigned write_outcome(struct store *store, enum store_statement which,
                              const struct probe_id *id, const struct submit_outcome *outcome)
{
    struct store_binder row;
    if (!store_write_begin(store, which, &row)) {
        return 0;
    }
    store_bind_id(&row, id);
    store_bind_integer(&row, outcome->code);
    store_bind_text(&row, outcome->reply);
    store_bind_text(&row, outcome->cause);
    store_bind_text(&row, outcome->queue_id);
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        store_bind_leg(&row, outcome->legs[i]);
    }
    store_bind_text(&row, reply_class_name(outcome->reply_class));
    return write_end_probe(store, &row);
}

void store_put_outcome(struct store *store, const struct probe_id *id,
                       const struct submit_outcome *outcome)
{
    if (write_outcome(store, STATEMENT_CHANGE_OUTCOME, id, outcome) == 0) {
        write_outcome(store, STATEMENT_PUT_OUTCOME, id, outcome);
    }
    put_transcript(store, id, outcome->transcript);
}

static unsigned write_message(struct store *store, enum store_statement which,
                              const struct probe_id *id, const struct collect_report *report)
{
    struct store_binder row;
    if (!store_write_begin(store, which, &row)) {
        return 0;
    }
    store_bind_id(&row, id);
    store_bind_text(&row, report->mailbox);
    store_bind_text(&row, report->folder);
    store_bind_integer(&row, report->uid_validity);
    store_bind_integer(&row, report->uid);
    store_bind_integer(&row, report->stripped);
    store_bind_known(&row, report->absent.wall.ns);
    store_bind_known(&row, report->asked.wall.ns);
    store_bind_known(&row, report->present.wall.ns);
    store_bind_known(&row, report->saved.ns);
    return write_end_probe(store, &row);
}

void store_put_message(struct store *store, const struct probe_id *id,
                       const struct collect_report *report)
{
    if (write_message(store, STATEMENT_CHANGE_MESSAGE, id, report) == 0) {
        write_message(store, STATEMENT_PUT_MESSAGE, id, report);
    }
}

void store_put_bounce(struct store *store, const struct probe_id *id, const struct bounce *bounce,
                      struct walltime reported)
{
    struct store_binder row;
    if (!store_write_begin(store, STATEMENT_PUT_BOUNCE, &row)) {
        return;
    }
    store_bind_id(&row, id);
    store_bind_text(&row, bounce_action_name(bounce->action));
    store_bind_text(&row, bounce->status);
    store_bind_text(&row, bounce->remote_mta);
    store_bind_text(&row, bounce->diagnostic);
    store_bind_text(&row, bounce->recipient);
    store_bind_integer(&row, reported.ns);
    store_write_end(store, &row);
}

static void bind_evidence(struct store_binder *row, const struct evidence *evidence)
{
    store_bind_integer(row, evidence->latency.ns);
    store_bind_integer(row, evidence->threshold.ns);
    store_bind_integer(row, evidence->late);
    store_bind_integer(row, evidence->of);
    store_bind_integer(row, evidence->oldest_age.ns);
    store_bind_integer(row, evidence->in_flight);
    store_bind_integer(row, evidence->failures);
    store_bind_id(row, evidence->has_probe ? &evidence->probe : NULL);
    store_bind_text(row, evidence->cause);
}

static void bind_aftermath(struct store_binder *row, const struct aftermath *aftermath)
{
    store_bind_text(row, aftermath->window);
    store_bind_text(row, window_kind_name(aftermath->window_kind));
    store_bind_known(row, aftermath->planned_end.ns);
    store_bind_known(row, aftermath->resumed[OUTBOUND].ns);
    store_bind_known(row, aftermath->resumed[INBOUND].ns);
    store_bind_text(row, aftermath->resumed_by);
    store_bind_integer(row, aftermath->drained);
    store_bind_integer(row, aftermath->lost);
    store_bind_integer(row, aftermath->in_flight);
    store_bind_integer(row, aftermath->suppressed);
    store_bind_integer(row, aftermath->longest.ns);
}

static void bind_cells(struct store_binder *row, const struct cells *cells)
{
    store_bind_text(row, culprit_name(cells->culprit));
    store_bind_integer(row, cells->seen_by);
    store_bind_integer(row, cells->of);
    store_bind_text(row, cells->paths);
}

static void bind_way(struct store_binder *row, const struct evidence *evidence)
{
    bool judged = evidence->result != AUTH_ABSENT;
    store_bind_text(row, evidence->hop.to);
    store_bind_text(row, evidence->hop.from);
    store_bind_known(row, evidence->hop.delay.ns);
    store_bind_text(row, evidence->route);
    store_bind_text(row, evidence->usual_route);
    store_bind_text(row, judged ? auth_method_name(evidence->method) : "");
    store_bind_text(row, auth_result_name(evidence->result));
}

// In words.
static void write_statuses(const struct evidence *evidence, struct text *out)
{
    for (size_t i = 0; i < STATUSES_KEPT && evidence->statuses[i][0] != '\0'; i++) {
        text_format(out, "%s%s", i > 0 ? " " : "", evidence->statuses[i]);
    }
}

void store_put_incident(struct store *store, const struct incident *incident)
{
    struct store_binder row;
    if (!store_write_begin(store, STATEMENT_PUT_INCIDENT, &row)) {
        return;
    }
    store_bind_integer(&row, incident->id);
    store_bind_text(&row, incident_kind_name(incident->kind));
    store_bind_text(&row, severity_name(incident->severity));
    store_bind_text(&row, incident->subject_text);
    store_bind_known(&row, incident->began.ns);
    store_bind_known(&row, incident->opened.ns);
    store_bind_known(&row, incident->closed.ns);
    store_bind_integer(&row, incident->notified);
    store_bind_known(&row, incident->notified_at.ns);
    store_bind_text(&row, incident->suppressed_by);
    bind_evidence(&row, &incident->evidence);
    store_bind_known(&row, incident->cause);
    store_bind_integer(&row, incident->flapping);
    bind_aftermath(&row, &incident->aftermath);
    bind_cells(&row, &incident->cells);
    bind_way(&row, &incident->evidence);
    char statuses[sizeof incident->evidence.statuses] = ""; // until the row is written
    struct text text = TEXT_OVER(statuses);
    write_statuses(&incident->evidence, &text);
    store_bind_text(&row, statuses);
    store_bind_text(&row, incident->ended);
    store_write_end(store, &row);
}

void store_put_notice(struct store *store, int64_t number, int64_t incident, enum notice notice)
{
    struct store_binder row;
    if (store_write_begin(store, STATEMENT_PUT_NOTICE, &row)) {
        store_bind_integer(&row, number);
        store_bind_integer(&row, incident);
        store_bind_text(&row, notice_name(notice));
        store_write_end(store, &row);
    }
}

void store_forget_notice(struct store *store, int64_t number)
{
    struct store_binder row;
    if (store_write_begin(store, STATEMENT_FORGET_NOTICE, &row)) {
        store_bind_integer(&row, number);
        store_write_end(store, &row);
    }
}

void store_keep_notices(struct store *store, unsigned newest)
{
    struct store_binder row;
    if (store_write_begin(store, STATEMENT_KEEP_NOTICES, &row)) {
        store_bind_integer(&row, newest);
        store_write_end(store, &row);
    }
}

void store_put_window(struct store *store, const struct window *window)
{
    struct store_binder row;
    if (!store_write_begin(store, STATEMENT_PUT_WINDOW, &row)) {
        return;
    }
    store_bind_text(&row, window->id);
    store_bind_integer(&row, window->revision);
    store_bind_text(&row, window->server);
    store_bind_text(&row, window_kind_name(window->kind));
    store_bind_integer(&row, window->cancelled);
    store_bind_integer(&row, window->begin.ns);
    store_bind_integer(&row, window->end.ns);
    store_bind_text(&row, window->by);
    store_bind_text(&row, window->reason);
    store_bind_text(&row, window_origin_name(window->origin));
    store_bind_known(&row, window->held_from.ns);
    store_bind_known(&row, window->held_until.ns);
    store_write_end(store, &row);
}

void store_put_acknowledged(struct store *store, const char *window, uint32_t revision,
                            const char *peer)
{
    struct store_binder row;
    if (store_write_begin(store, STATEMENT_PUT_ACKNOWLEDGED, &row)) {
        store_bind_text(&row, window);
        store_bind_text(&row, peer);
        store_bind_integer(&row, revision);
        store_write_end(store, &row);
    }
}

void store_put_slots(struct store *store, const char *peer, int64_t reserved)
{
    struct store_binder row;
    if (store_write_begin(store, STATEMENT_PUT_SLOTS, &row)) {
        store_bind_text(&row, peer);
        store_bind_integer(&row, reserved);
        store_write_end(store, &row);
    }
}

static void write_routes(const struct routes *routes, char *out, size_t size)
{
    struct text text = text_over(out, size);
    for (size_t i = 0; i < routes->count; i++) {
        text_append(&text, i == 0 ? "" : "\n");
        text_append(&text, routes->of[i]);
    }
}

void store_put_habits(struct store *store, const char *peer, enum direction direction,
                      const struct habits *habits)
{
    struct store_binder row;
    char known[ROUTES_LEARNED * ROUTE_SIZE], fresh[ROUTES_LEARNED * ROUTE_SIZE];
    if (!store_write_begin(store, STATEMENT_PUT_HABITS, &row)) {
        return;
    }
    write_routes(&habits->route.known, known, sizeof known);
    write_routes(&habits->route.fresh, fresh, sizeof fresh);
    store_bind_text(&row, peer);
    store_bind_text(&row, direction_name(direction));
    store_bind_text(&row, known);
    store_bind_text(&row, fresh);
    store_bind_integer(&row, habits->route.learned);
    for (int method = 0; method < AUTH_METHODS; method++) {
        store_bind_text(&row, auth_result_name(habits->auth.last[method]));
    }
    store_bind_integer(&row, habits->auth.passed);
    store_bind_integer(&row, habits->auth.failing);
    store_bind_integer(&row, habits->placement.recent);
    store_bind_integer(&row, habits->placement.count);
    store_bind_integer(&row, habits->route.strange);
    store_bind_integer(&row, habits->route.usual);
    store_bind_integer(&row, habits->route.expected);
    for (int method = 0; method < AUTH_JUDGED; method++) {
        store_bind_integer(&row, habits->auth.passes[method]);
    }
    for (int method = 0; method < AUTH_JUDGED; method++) {
        store_bind_integer(&row, habits->auth.unsure[method]);
    }
    store_bind_integer(&row, habits->placement.windows);
    store_write_end(store, &row);
}

static void put_mark(struct store *store, const char *name, struct walltime at)
{
    struct store_binder row;
    if (store_write_begin(store, STATEMENT_PUT_MARK, &row)) {
        store_bind_text(&row, name);
        store_bind_integer(&row, at.ns);
        store_write_end(store, &row);
    }
}

void store_put_alive(struct store *store, struct walltime now)
{
    put_mark(store, MARK_ALIVE, now);
}

void store_put_started(struct store *store, struct walltime now)
{
    put_mark(store, MARK_STARTED, now);
    put_mark(store, MARK_ALIVE, now);
}

static unsigned expire(struct store *store, enum store_statement which, struct walltime before,
                       unsigned limit)
{
    struct store_binder row;
    if (limit == 0 || !store_write_begin(store, which, &row)) {
        return 0;
    }
    store_bind_integer(&row, before.ns);
    store_bind_integer(&row, limit);
    return store_write_end(store, &row);
}

bool store_retain(struct store *store, struct walltime before, unsigned limit)
{
    unsigned probes = expire(store, STATEMENT_EXPIRE_PROBES, before, limit);
    unsigned incidents = expire(store, STATEMENT_EXPIRE_INCIDENTS, before, limit - probes);
    store->entries_written -= probes;
    struct store_binder row;
    if (expire(store, STATEMENT_EXPIRE_WINDOWS, before, limit) > 0 &&
        store_write_begin(store, STATEMENT_EXPIRE_ACKNOWLEDGED, &row)) {
        store_write_end(store, &row);
    }
    return probes + incidents >= limit;
}
