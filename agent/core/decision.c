#include "core/decision.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"

enum {
    FIRST_ROOM = 4,
    KEPT_OF_ALL_PATHS = 64000, // one way
};

#define MICROSECONDS_MASK ((UINT64_C(1) << 56) - 1)

static_assert(sizeof(struct decision) == 16, "");

static void set_arrived(struct decision *decision, struct walltime at)
{
    uint64_t microseconds = at.ns > 0 ? (uint64_t)walltime_microseconds(at) : 0;
    decision->arrived = microseconds & MICROSECONDS_MASK;
}

struct walltime decision_arrived(const struct decision *decision)
{
    return (struct walltime){(int64_t)decision->arrived * 1000};
}

static uint16_t most_kept(const struct decisions *decisions)
{
    return decisions->kept == 0 ? DECISIONS_KEPT : decisions->kept;
}

uint16_t decisions_kept(size_t peers, unsigned looked_at)
{
    size_t share = peers == 0 ? DECISIONS_KEPT : KEPT_OF_ALL_PATHS / peers;
    size_t least = looked_at > DECISIONS_KEPT_LEAST ? looked_at : DECISIONS_KEPT_LEAST;
    share = share > least ? share : least;
    return (uint16_t)(share < DECISIONS_KEPT ? share : DECISIONS_KEPT);
}

// Moves the newest to a ring of this room, in their order.
static void move(struct decisions *decisions, uint16_t room)
{
    struct decision *ring = memory_checked(malloc(room * sizeof *ring));
    uint32_t count = 0;
    for (size_t place = room; place > 0; place--) {
        const struct decision *decision = decisions_get(decisions, place - 1);
        if (decision != NULL) {
            ring[count++] = *decision;
        }
    }
    free(decisions->ring);
    decisions->ring = ring;
    decisions->room = room;
    decisions->count = count;
}

void decisions_keep(struct decisions *decisions, uint16_t kept)
{
    decisions->kept = kept;
    if (decisions->room > kept) {
        move(decisions, kept);
    }
}

void decisions_free(struct decisions *decisions)
{
    free(decisions->ring);
    *decisions = (struct decisions){.kept = decisions->kept};
}

static void make_room(struct decisions *decisions)
{
    uint16_t most = most_kept(decisions);
    if (decisions->count >= decisions->room && decisions->room < most) {
        int room = decisions->room == 0 ? FIRST_ROOM : decisions->room * 2;
        move(decisions, room < most ? (uint16_t)room : most);
    }
}

const struct decision *decisions_get(const struct decisions *decisions, size_t place)
{
    if (place >= decisions->count || place >= decisions->room) {
        return NULL;
    }
    return &decisions->ring[(decisions->count - 1 - place) % decisions->room];
}

// The newest decision that began a flush which an arrival at this time belongs to.
static struct decision *open_cohort(struct decisions *decisions, struct walltime arrived)
{
    for (size_t i = 0; i < decisions->room && i < decisions->count; i++) {
        struct decision *decision = &decisions->ring[(decisions->count - 1 - i) % decisions->room];
        if (decision->verdict == VERDICT_LATE && decision->counts) {
            struct span apart = span_magnitude(walltime_since(arrived, decision_arrived(decision)));
            return apart.ns <= COHORT_SPAN.ns ? decision : NULL;
        }
    }
    return NULL;
}

void decisions_add(struct decisions *decisions, struct walltime arrived, struct span latency,
                   struct span error, struct span residual, enum verdict verdict)
{
    struct decision decision = {
        .latency = (float)span_seconds(latency),
        .residual = (float)span_seconds(residual),
        .coarse = error.ns > COARSE_ERROR.ns && error.ns > latency.ns / 2,
        .verdict = verdict,
        .counts = verdict == VERDICT_ON_TIME || verdict == VERDICT_LATE,
    };
    set_arrived(&decision, arrived);
    make_room(decisions);
    assert(decisions->room > 0);
    struct decision *place = &decisions->ring[decisions->count % decisions->room];
    struct decision *cohort = verdict == VERDICT_LATE ? open_cohort(decisions, arrived) : NULL;
    decisions->count++;
    if (cohort != NULL && decision.residual > cohort->residual) {
        cohort->residual = decision.residual;
    }
    if (cohort != NULL &&
        cohort == place) { // it spoke for all of them and leaves: this one does from now on
        decision.residual = cohort->residual;
    } else if (cohort != NULL) {
        decision.counts = false;
    }
    *place = decision;
}

unsigned decisions_above(const struct decisions *decisions, unsigned of, struct span threshold)
{
    unsigned above = 0;
    const struct decision *decision;
    for (size_t i = 0; of > 0 && (decision = decisions_get(decisions, i)) != NULL; i++) {
        if (decision->counts) {
            above += decision->verdict == VERDICT_LATE &&
                     (double)decision->residual > span_seconds(threshold);
            of--;
        }
    }
    return above;
}

unsigned decisions_on_time_since(const struct decisions *decisions, struct walltime after)
{
    unsigned row = 0;
    const struct decision *decision;
    for (size_t i = 0; (decision = decisions_get(decisions, i)) != NULL; i++) {
        if (decision->counts &&
            (decision->verdict != VERDICT_ON_TIME || decision_arrived(decision).ns <= after.ns)) {
            break;
        }
        row += decision->counts;
    }
    return row;
}

void decisions_restart(struct decisions *decisions)
{
    for (size_t i = 0; i < decisions->room && i < decisions->count; i++) {
        decisions->ring[i].counts = false;
    }
}

void decisions_step(struct decisions *decisions, struct span step)
{
    for (size_t i = 0; i < decisions->room && i < decisions->count; i++) {
        struct decision *decision = &decisions->ring[i];
        set_arrived(decision, walltime_add(decision_arrived(decision), step));
    }
}

static int compare_floats(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

// How far a latency is from telling how long mail takes: 0 well, 1 nobody saw it arrive, 2 it
// waited for work on a server to end.
static int doubt_of(const struct decision *decision)
{
    bool waited = decision->verdict == VERDICT_EXCUSED || decision->verdict == VERDICT_DRAINED;
    return waited ? 2 : decision->coarse;
}

static size_t gather_latencies(const struct decisions *decisions, int doubt,
                               float latencies[DECISIONS_KEPT])
{
    size_t count = 0;
    const struct decision *decision;
    for (size_t i = 0; (decision = decisions_get(decisions, i)) != NULL; i++) {
        if (doubt_of(decision) <= doubt) {
            latencies[count++] = decision->latency;
        }
    }
    return count;
}

double decisions_median(const struct decisions *decisions)
{
    float latencies[DECISIONS_KEPT];
    size_t count = 0;
    for (int doubt = 0; doubt <= 2 && count == 0; doubt++) {
        count = gather_latencies(decisions, doubt, latencies);
    }
    if (count == 0) {
        return -1;
    }
    qsort(latencies, count, sizeof latencies[0], compare_floats);
    return count % 2 == 1 ? (double)latencies[count / 2]
                          : ((double)latencies[count / 2 - 1] + (double)latencies[count / 2]) / 2;
}
