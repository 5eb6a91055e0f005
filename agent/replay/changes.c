#include "replay/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "probes/json_values.h"

enum { CHANGES_LISTED = 20 };

// A verdict, small: there are two for every probe of a ledger.
struct judged {
    struct probe_id id;
    struct walltime sent;
    uint32_t number; // in the order of noting
    int peer;
    uint8_t direction;
    uint8_t side;
    uint8_t verdict;
};

void changes_free(struct changes *changes)
{
    free(changes->items);
}

void changes_note(struct changes *changes, enum tally_side side, int peer,
                  const struct probe_record *record)
{
    struct walltime sent = walltime_known(record->sent) ? record->sent : record->planned;
    if (record->verdict == VERDICT_OPEN || sent.ns < changes->since.ns || peer < 0) {
        return;
    }
    if ((changes->count & (changes->count - 1)) == 0) { // full at every power of two
        size_t room = changes->count == 0 ? 1 : changes->count * 2;
        changes->items = memory_checked(realloc(changes->items, room * sizeof *changes->items));
    }
    changes->items[changes->count] = (struct judged){
        .id = record->id,
        .sent = sent,
        .number = (uint32_t)changes->count,
        .peer = peer,
        .direction = (uint8_t)record->direction,
        .side = (uint8_t)side,
        .verdict = (uint8_t)record->verdict,
    };
    changes->count++;
}

static int compare_numbers(int64_t first, int64_t second)
{
    return first < second ? -1 : first > second ? 1 : 0;
}

static int compare_probes(const struct judged *a, const struct judged *b)
{
    int order = memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
    return order != 0 ? order : compare_numbers(a->direction, b->direction);
}

static int compare_by_probe(const void *a, const void *b)
{
    const struct judged *first = a, *second = b;
    int order = compare_probes(first, second);
    order = order != 0 ? order : compare_numbers(first->side, second->side);
    return order != 0 ? order : compare_numbers(first->number, second->number);
}

// A probe's two verdicts, which differ.
struct change {
    const struct judged *sides[TALLY_SIDES];
};

static int compare_by_time(const void *a, const void *b)
{
    const struct judged *first = ((const struct change *)a)->sides[SIDE_RECORDED];
    const struct judged *second = ((const struct change *)b)->sides[SIDE_RECORDED];
    int order = compare_numbers(first->sent.ns, second->sent.ns);
    return order != 0 ? order : compare_probes(first, second);
}

// Of the sorted verdicts; the caller gives the list back.
static struct change *find_changes(const struct changes *changes, size_t *count)
{
    struct change *found = memory_checked(calloc(changes->count / 2 + 1, sizeof *found));
    *count = 0;
    for (size_t i = 0; i < changes->count;) {
        const struct judged *first = &changes->items[i];
        struct change change = {0};
        for (; i < changes->count && compare_probes(first, &changes->items[i]) == 0; i++) {
            change.sides[changes->items[i].side] = &changes->items[i];
        }
        const struct judged *recorded = change.sides[SIDE_RECORDED];
        const struct judged *simulated = change.sides[SIDE_SIMULATED];
        if (recorded != NULL && simulated != NULL && recorded->verdict != simulated->verdict) {
            found[(*count)++] = change;
        }
    }
    return found;
}

static json_t *change_to_json(const struct change *change, const struct settings *settings)
{
    char id[PROBE_ID_TEXT];
    const struct judged *recorded = change->sides[SIDE_RECORDED];
    const struct judged *simulated = change->sides[SIDE_SIMULATED];
    json_t *object = memory_checked(json_object());
    json_write_text(object, "id", probe_id_format(&recorded->id, id));
    json_write_text(object, "peer", settings->peers[recorded->peer].name);
    json_write_text(object, "direction", direction_name((enum direction)recorded->direction));
    tally_write_time(object, "sent", recorded->sent);
    json_write_text(object, "recorded", verdict_name((enum verdict)recorded->verdict));
    json_write_text(object, "simulated", verdict_name((enum verdict)simulated->verdict));
    return object;
}

void changes_write(struct changes *changes, const struct settings *settings, json_t *object)
{
    size_t count = 0;
    if (changes->count > 0) {
        qsort(changes->items, changes->count, sizeof *changes->items, compare_by_probe);
    }
    struct change *found = find_changes(changes, &count);
    qsort(found, count, sizeof *found, compare_by_time);
    json_t *list = memory_checked(json_array());
    for (size_t i = 0; i < count && i < CHANGES_LISTED; i++) {
        json_array_append_new(list, change_to_json(&found[i], settings));
    }
    json_write_integer(object, "changed", (int64_t)count);
    json_write_object(object, "changes", list);
    free(found);
}
