#include "replay/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "probes/json_values.h"

static const char *const SIDE_NAMES[TALLY_SIDES] = {"recorded", "simulated"};

void tally_free(struct tally *tally)
{
    for (int side = 0; side < TALLY_SIDES; side++) {
        free(tally->incidents[side].items);
    }
}

static bool counts(const struct tally *tally, const struct probe_record *record)
{
    struct walltime sent = walltime_known(record->sent) ? record->sent : record->planned;
    return record->verdict != VERDICT_OPEN && sent.ns >= tally->since.ns;
}

void tally_add_probe(struct tally *tally, enum tally_side side, const struct probe_record *record)
{
    if (counts(tally, record)) {
        tally->verdicts[side][record->direction][record->verdict]++;
    }
}

void tally_take_loss(struct tally *tally, enum tally_side side, const struct probe_record *record)
{
    uint64_t *lost = &tally->verdicts[side][record->direction][VERDICT_LOST];
    if (counts(tally, record) && *lost > 0) {
        --*lost;
    }
}

void tally_put_incident(struct tally *tally, enum tally_side side, const struct incident *incident)
{
    struct tally_incidents *list = &tally->incidents[side];
    for (size_t i = list->count; i > 0 && list->items[i - 1].id >= incident->id; i--) {
        if (list->items[i - 1].id == incident->id) {
            list->items[i - 1] = *incident;
            return;
        }
    }
    if ((list->count & (list->count - 1)) == 0) { // full at every power of two
        size_t room = list->count == 0 ? 1 : list->count * 2;
        list->items = memory_checked(realloc(list->items, room * sizeof *list->items));
    }
    list->items[list->count++] = *incident;
}

// ---- what is told of it ----

void tally_write_time(json_t *object, const char *name, struct walltime at)
{
    char shown[40];
    struct text text = TEXT_OVER(shown);
    if (!walltime_known(at)) {
        json_write_object(object, name, json_null());
        return;
    }
    walltime_append_rfc3339(at, &text);
    json_write_text(object, name, shown);
}

static bool told(const struct tally *tally, const struct incident *incident)
{
    bool lasted = !walltime_known(incident->closed) || incident->closed.ns >= tally->since.ns;
    return lasted && (incident->notified || incident->suppressed_by[0] != '\0');
}

static json_t *verdicts_to_json(const struct tally *tally, enum tally_side side,
                                enum direction direction)
{
    json_t *object = memory_checked(json_object());
    for (int verdict = VERDICT_OPEN + 1; verdict < VERDICTS; verdict++) {
        json_write_integer(object, verdict_name((enum verdict)verdict),
                           (int64_t)tally->verdicts[side][direction][verdict]);
    }
    return object;
}

static void write_side(const struct tally *tally, enum tally_side side, json_t *object)
{
    const struct tally_incidents *list = &tally->incidents[side];
    int64_t notified = 0, suppressed = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool shown = told(tally, &list->items[i]);
        notified += shown && list->items[i].notified;
        suppressed += shown && list->items[i].suppressed_by[0] != '\0';
    }
    json_t *verdicts = memory_checked(json_object());
    for (int direction = 0; direction < DIRECTIONS; direction++) {
        json_write_object(verdicts, direction_name((enum direction)direction),
                          verdicts_to_json(tally, side, (enum direction)direction));
    }
    json_t *member = memory_checked(json_object());
    json_write_integer(member, "notified", notified);
    json_write_integer(member, "suppressed", suppressed);
    json_write_object(member, "verdicts", verdicts);
    json_write_object(object, SIDE_NAMES[side], member);
}

static json_t *incident_to_json(const struct incident *incident)
{
    if (incident == NULL) {
        return json_null();
    }
    json_t *object = memory_checked(json_object());
    json_write_text(object, "severity", severity_name(incident->severity));
    tally_write_time(object, "opened", incident->opened);
    tally_write_time(object, "closed", incident->closed);
    tally_write_time(object, "notified",
                     incident->notified ? incident->notified_at : WALLTIME_NONE);
    if (incident->suppressed_by[0] == '\0') {
        json_write_object(object, "suppressed_by", json_null());
    } else {
        json_write_text(object, "suppressed_by", incident->suppressed_by);
    }
    return object;
}

static bool overlap(const struct incident *a, const struct incident *b)
{
    return (!walltime_known(a->closed) || a->closed.ns >= b->began.ns) &&
           (!walltime_known(b->closed) || b->closed.ns >= a->began.ns);
}

// The first of these that is the same and has no counterpart yet.
static size_t find_counterpart(const struct tally_incidents *list, const bool *taken,
                               const struct incident *incident)
{
    size_t i = 0;
    while (i < list->count && (taken[i] || list->items[i].kind != incident->kind ||
                               strcmp(list->items[i].subject_text, incident->subject_text) != 0 ||
                               !overlap(&list->items[i], incident))) {
        i++;
    }
    return i;
}

// One incident on both sides; NULL where it was not.
struct pair {
    const struct incident *sides[TALLY_SIDES];
};

static const struct incident *either(const struct pair *pair)
{
    return pair->sides[SIDE_RECORDED] != NULL ? pair->sides[SIDE_RECORDED]
                                              : pair->sides[SIDE_SIMULATED];
}

static int compare_pairs(const void *a, const void *b)
{
    int64_t first = either(a)->opened.ns, second = either(b)->opened.ns;
    return first < second ? -1 : first > second ? 1 : 0;
}

static void write_pair(const struct tally *tally, const struct pair *pair, json_t *list)
{
    bool shown = false;
    json_t *object = memory_checked(json_object());
    json_write_text(object, "kind", incident_kind_name(either(pair)->kind));
    json_write_text(object, "subject", either(pair)->subject_text);
    for (int side = 0; side < TALLY_SIDES; side++) {
        shown = shown || (pair->sides[side] != NULL && told(tally, pair->sides[side]));
        json_write_object(object, SIDE_NAMES[side], incident_to_json(pair->sides[side]));
    }
    if (shown) {
        json_array_append(list, object);
    }
    json_decref(object);
}

// All incidents of both sides, the same ones together; returns how many.
static size_t make_pairs(const struct tally *tally, struct pair *pairs)
{
    const struct tally_incidents *recorded = &tally->incidents[SIDE_RECORDED];
    const struct tally_incidents *simulated = &tally->incidents[SIDE_SIMULATED];
    bool *taken = memory_checked(calloc(recorded->count + 1, sizeof *taken));
    size_t count = 0;
    for (size_t i = 0; i < simulated->count; i++) {
        size_t place = find_counterpart(recorded, taken, &simulated->items[i]);
        taken[place] = true;
        pairs[count].sides[SIDE_SIMULATED] = &simulated->items[i];
        pairs[count++].sides[SIDE_RECORDED] =
            place < recorded->count ? &recorded->items[place] : NULL;
    }
    for (size_t i = 0; i < recorded->count; i++) {
        if (!taken[i]) {
            pairs[count++] = (struct pair){.sides[SIDE_RECORDED] = &recorded->items[i]};
        }
    }
    free(taken);
    return count;
}

static json_t *pairs_to_json(const struct tally *tally)
{
    size_t room = tally->incidents[SIDE_RECORDED].count + tally->incidents[SIDE_SIMULATED].count;
    struct pair *pairs = memory_checked(calloc(room + 1, sizeof *pairs));
    json_t *list = memory_checked(json_array());
    size_t count = make_pairs(tally, pairs);
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        write_pair(tally, &pairs[i], list);
    }
    free(pairs);
    return list;
}

void tally_write(const struct tally *tally, json_t *object)
{
    for (int side = 0; side < TALLY_SIDES; side++) {
        write_side(tally, (enum tally_side)side, object);
    }
    json_write_object(object, "incidents", pairs_to_json(tally));
}
