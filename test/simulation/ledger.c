#include "simulation/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void ledger_free(struct ledger *ledger)
{
    free(ledger->rows);
    free(ledger->index);
    free(ledger->incidents);
    free(ledger->windows);
    free(ledger->acknowledged);
    free(ledger->slots);
    free(ledger->habits);
    *ledger = (struct ledger){0};
}

// Room for one more item of a list that only grows.
static void *grown(void *list, size_t count, size_t size)
{
    bool full = (count & (count - 1)) == 0; // at every power of two
    return full ? memory_checked(realloc(list, (count == 0 ? 1 : count * 2) * size)) : list;
}

static size_t index_start(const struct ledger *ledger, const struct probe_id *id)
{
    uint64_t hash;
    memcpy(&hash, id->bytes, sizeof hash);
    return (size_t)(hash % ledger->index_room);
}

static uint32_t *index_place(const struct ledger *ledger, const struct probe_id *id)
{
    size_t at = index_start(ledger, id);
    while (ledger->index[at] != 0 &&
           !probe_id_equal(&ledger->rows[ledger->index[at] - 1].record.id, id)) {
        at = (at + 1) % ledger->index_room;
    }
    return &ledger->index[at];
}

static void index_grow(struct ledger *ledger)
{
    if (ledger->index_room > ledger->row_count * 2) {
        return;
    }
    free(ledger->index);
    ledger->index_room = ledger->row_count * 4 + 61;
    ledger->index = memory_checked(calloc(ledger->index_room, sizeof *ledger->index));
    for (size_t i = 0; i < ledger->row_count; i++) {
        *index_place(ledger, &ledger->rows[i].record.id) = (uint32_t)i + 1;
    }
}

struct row *ledger_find(const struct ledger *ledger, const struct probe_id *id)
{
    uint32_t place = ledger->index_room == 0 ? 0 : *index_place(ledger, id);
    return place == 0 ? NULL : &ledger->rows[place - 1];
}

bool ledger_row_open(const struct row *row)
{
    return row->record.state == PROBE_SENDING || row->record.state == PROBE_ACCEPTED ||
           row->record.state == PROBE_UNCERTAIN;
}

static struct slots_row *slots_of(struct ledger *ledger, const char *peer)
{
    for (size_t i = 0; i < ledger->slots_count; i++) {
        if (strcmp(ledger->slots[i].peer, peer) == 0) {
            return &ledger->slots[i];
        }
    }
    ledger->slots = grown(ledger->slots, ledger->slots_count, sizeof *ledger->slots);
    struct slots_row *row = &ledger->slots[ledger->slots_count++];
    *row = (struct slots_row){.reserved = 0};
    text_copy(row->peer, sizeof row->peer, peer);
    return row;
}

struct row *ledger_put_probe(struct ledger *ledger, const struct probe_record *record)
{
    struct row *row = ledger_find(ledger, &record->id);
    if (row == NULL) {
        index_grow(ledger);
        ledger->rows = grown(ledger->rows, ledger->row_count, sizeof *ledger->rows);
        row = &ledger->rows[ledger->row_count++];
        *row = (struct row){.record = *record};
        *index_place(ledger, &record->id) = (uint32_t)ledger->row_count;
    } else {
        struct probe_record before = row->record;
        ledger->rewritten += row->resolved > 0 && before.verdict != record->verdict &&
                             before.verdict != VERDICT_LOST && before.verdict != VERDICT_BOUNCED;
        row->record = *record;
        row->record.kind = before.kind;
        row->record.slot = before.slot;
        row->record.planned = before.planned;
        if (walltime_known(before.accepted)) {
            row->record.accepted = before.accepted;
        }
    }
    if (!ledger_row_open(row) && row->resolved == 0) {
        row->resolved = ++ledger->resolutions;
    }
    if (record->direction == INBOUND) {
        slots_of(ledger, record->peer)->seen = record->seen;
    }
    return row;
}

void ledger_put_incident(struct ledger *ledger, const struct incident *incident)
{
    for (size_t i = 0; i < ledger->incident_count; i++) {
        if (ledger->incidents[i].id == incident->id) {
            ledger->incidents[i] = *incident;
            return;
        }
    }
    ledger->incidents = grown(ledger->incidents, ledger->incident_count, sizeof *ledger->incidents);
    ledger->incidents[ledger->incident_count++] = *incident;
}

void ledger_put_window(struct ledger *ledger, const struct window *window)
{
    for (size_t i = 0; i < ledger->window_count; i++) {
        if (strcmp(ledger->windows[i].id, window->id) == 0) {
            ledger->windows[i] = *window;
            return;
        }
    }
    ledger->windows = grown(ledger->windows, ledger->window_count, sizeof *ledger->windows);
    ledger->windows[ledger->window_count++] = *window;
}

void ledger_put_acknowledged(struct ledger *ledger, const char *window, uint32_t revision,
                             const char *peer)
{
    for (size_t i = 0; i < ledger->acknowledged_count; i++) {
        struct acknowledged_row *row = &ledger->acknowledged[i];
        if (strcmp(row->window, window) == 0 && strcmp(row->peer, peer) == 0) {
            row->revision = revision;
            return;
        }
    }
    ledger->acknowledged =
        grown(ledger->acknowledged, ledger->acknowledged_count, sizeof *ledger->acknowledged);
    struct acknowledged_row *row = &ledger->acknowledged[ledger->acknowledged_count++];
    *row = (struct acknowledged_row){.revision = revision};
    text_copy(row->window, sizeof row->window, window);
    text_copy(row->peer, sizeof row->peer, peer);
}

void ledger_put_slots(struct ledger *ledger, const char *peer, int64_t reserved)
{
    slots_of(ledger, peer)->reserved = reserved;
}

void ledger_put_habits(struct ledger *ledger, const char *peer, enum direction direction,
                       const struct habits *habits)
{
    struct habits_row *row = NULL;
    for (size_t i = 0; i < ledger->habits_count; i++) {
        bool same = strcmp(ledger->habits[i].peer, peer) == 0;
        row = same && ledger->habits[i].direction == direction ? &ledger->habits[i] : row;
    }
    if (row == NULL) {
        ledger->habits = grown(ledger->habits, ledger->habits_count, sizeof *ledger->habits);
        row = &ledger->habits[ledger->habits_count++];
    }
    *row = (struct habits_row){.direction = direction, .habits = *habits};
    text_copy(row->peer, sizeof row->peer, peer);
}

enum arrival_known ledger_find_arrival(const struct ledger *ledger, const struct probe_id *id,
                                       uint64_t message)
{
    const struct row *row = ledger_find(ledger, id);
    if (row == NULL || row->message == 0) {
        return ARRIVAL_NEW;
    }
    return row->message == message ? ARRIVAL_SAME : ARRIVAL_DUPLICATE;
}

// How many resolved rows of the same path are newer.
static bool among_newest(const struct ledger *ledger, size_t place, unsigned newest)
{
    const struct probe_record *record = &ledger->rows[place].record;
    unsigned newer = 0;
    for (size_t i = ledger->row_count; i > 0 && newer < newest; i--) {
        const struct row *other = &ledger->rows[i - 1];
        newer += other->resolved > ledger->rows[place].resolved &&
                 other->record.direction == record->direction &&
                 strcmp(other->record.peer, record->peer) == 0;
    }
    return newer < newest;
}

// Its sender may not have been told of it before the last run ended; a flush brings many at once.
static bool untold(const struct ledger *ledger, const struct probe_record *record)
{
    return record->direction == INBOUND && record->arrived.ns > ledger->alive.ns - SPAN_HOURS(1).ns;
}

// When a row was last heard of, as the store orders them.
static int64_t row_time(const struct row *row)
{
    const struct probe_record *record = &row->record;
    return walltime_known(record->arrived) ? record->arrived.ns
           : walltime_known(record->sent)  ? record->sent.ns
                                           : record->planned.ns;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = *(const struct row *const *)a, *right = *(const struct row *const *)b;
    int64_t order = row_time(left) - row_time(right);
    return order != 0 ? (order > 0) - (order < 0) : (left > right) - (left < right);
}

// Open ones and the newest of each path, of one peer or (NULL) of all. One that was being handed
// over when the last run ended may have gone out: nobody knows.
static void restore_probes(struct ledger *ledger, struct core *core, const char *peer)
{
    struct row **chosen = memory_checked(malloc((ledger->row_count + 1) * sizeof *chosen));
    size_t count = 0;
    for (size_t i = 0; i < ledger->row_count; i++) {
        struct probe_record *record = &ledger->rows[i].record;
        if (peer != NULL && strcmp(record->peer, peer) != 0) {
            continue;
        }
        if (record->state == PROBE_SENDING) {
            record->state = PROBE_UNCERTAIN;
            record->sent = record->planned;
        }
        if (ledger_row_open(&ledger->rows[i]) || untold(ledger, record) ||
            among_newest(ledger, i, DECISIONS_KEPT)) {
            chosen[count++] = &ledger->rows[i];
        }
    }
    qsort(chosen, count, sizeof *chosen, compare_rows);
    for (size_t i = 0; i < count; i++) {
        core_restore_probe(core, &chosen[i]->record);
    }
    free(chosen);
}

// The open ones, and those whose end is so near that what they held up may still arrive.
static void restore_incidents(const struct ledger *ledger, struct core *core, struct moment now)
{
    struct walltime since = walltime_add(now.wall, (struct span){-SPAN_HOURS(24).ns});
    core_restore_last_incident(core, (int64_t)ledger->incident_count);
    for (size_t i = 0; i < ledger->incident_count; i++) {
        const struct incident *incident = &ledger->incidents[i];
        if (!walltime_known(incident->closed) || incident->closed.ns > since.ns) {
            core_restore_incident(core, incident, now);
        }
    }
}

// Of one peer, or (NULL) of all.
static void restore_habits(const struct ledger *ledger, struct core *core, const char *only)
{
    for (size_t i = 0; i < ledger->habits_count; i++) {
        const struct habits_row *row = &ledger->habits[i];
        int peer = settings_find_peer(core_settings(core), row->peer);
        if (peer >= 0 && (only == NULL || strcmp(only, row->peer) == 0)) {
            core_restore_habits(core, peer, row->direction, &row->habits);
        }
    }
}

static void restore_slots(const struct ledger *ledger, struct core *core)
{
    for (size_t i = 0; i < ledger->slots_count; i++) {
        int peer = settings_find_peer(core_settings(core), ledger->slots[i].peer);
        if (peer >= 0) {
            core_restore_slots(core, peer, ledger->slots[i].reserved);
            core_restore_seen(core, peer, ledger->slots[i].seen);
        }
    }
}

void ledger_restore(struct ledger *ledger, struct core *core, struct moment now)
{
    restore_habits(ledger, core, NULL);
    for (size_t i = 0; i < ledger->window_count; i++) {
        core_restore_window(core, &ledger->windows[i]);
    }
    for (size_t i = 0; i < ledger->acknowledged_count; i++) {
        const struct acknowledged_row *row = &ledger->acknowledged[i];
        core_restore_acknowledged(core, row->window, row->revision, row->peer);
    }
    restore_incidents(ledger, core, now);
    restore_slots(ledger, core);
    restore_probes(ledger, core, NULL);
    if (core_start(core, now, ledger->alive, ledger->started)) {
        ledger->started = now.wall;
    }
    ledger->alive = now.wall;
}

void ledger_restore_peer(struct ledger *ledger, struct core *core, const char *peer)
{
    restore_habits(ledger, core, peer);
    restore_probes(ledger, core, peer);
}
