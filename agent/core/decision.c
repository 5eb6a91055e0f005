#include "core/decision.h"

#include <stdlib.h>

const struct decision *decisions_get(const struct decisions *decisions, size_t place)
{
    if (place >= decisions->count || place >= DECISIONS_KEPT) {
        return NULL;
    }
    return &decisions->ring[(decisions->count - 1 - place) % DECISIONS_KEPT];
}

// The newest decision that began a flush which an arrival at this time belongs to.
static struct decision *open_cohort(struct decisions *decisions, struct walltime arrived)
{
    for (size_t i = 0; i < DECISIONS_KEPT && i < decisions->count; i++) {
        struct decision *decision = &decisions->ring[(decisions->count - 1 - i) % DECISIONS_KEPT];
        if (decision->verdict == VERDICT_LATE && decision->counts) {
            struct span apart = span_magnitude(walltime_since(arrived, decision->arrived));
            return apart.ns <= COHORT_SPAN.ns ? decision : NULL;
        }
    }
    return NULL;
}

void decisions_add(struct decisions *decisions, struct walltime arrived, struct span latency,
                   struct span error, struct span residual, enum verdict verdict)
{
    struct decision decision = {
        .arrived = arrived,
        .latency = (float)span_seconds(latency),
        .residual = (float)span_seconds(residual),
        .coarse = error.ns > COARSE_ERROR.ns && error.ns > latency.ns / 2,
        .verdict = verdict,
        .counts = verdict == VERDICT_ON_TIME || verdict == VERDICT_LATE,
    };
    struct decision *cohort = verdict == VERDICT_LATE ? open_cohort(decisions, arrived) : NULL;
    struct decision *place = &decisions->ring[decisions->count++ % DECISIONS_KEPT];
    if (cohort != NULL && decision.residual > cohort->residual) {
        cohort->residual = decision.residual;
    }
    if (cohort == place) { // it spoke for all of them and leaves: this one does from now on
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
            (decision->verdict != VERDICT_ON_TIME || decision->arrived.ns <= after.ns)) {
            break;
        }
        row += decision->counts;
    }
    return row;
}

void decisions_restart(struct decisions *decisions)
{
    for (size_t i = 0; i < DECISIONS_KEPT; i++) {
        decisions->ring[i].counts = false;
    }
}

static int compare_floats(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

static size_t gather_latencies(const struct decisions *decisions, bool coarse,
                               float latencies[DECISIONS_KEPT])
{
    size_t count = 0;
    const struct decision *decision;
    for (size_t i = 0; (decision = decisions_get(decisions, i)) != NULL; i++) {
        if (coarse || !decision->coarse) {
            latencies[count++] = decision->latency;
        }
    }
    return count;
}

double decisions_median(const struct decisions *decisions)
{
    float latencies[DECISIONS_KEPT];
    size_t count = gather_latencies(decisions, false, latencies);
    if (count == 0) {
        count = gather_latencies(decisions, true, latencies);
    }
    if (count == 0) {
        return -1;
    }
    qsort(latencies, count, sizeof latencies[0], compare_floats);
    return count % 2 == 1 ? (double)latencies[count / 2]
                          : ((double)latencies[count / 2 - 1] + (double)latencies[count / 2]) / 2;
}
