#include "shell/smoke.h"

#include <stdlib.h>
#include <string.h>

#include "core/decision.h"

const struct smoke_range SMOKE_RANGE[SMOKE_RANGES] = {
    {"1h", {3600000000000}, {60000000000}},        {"6h", {21600000000000}, {300000000000}},
    {"24h", {86400000000000}, {900000000000}},     {"7d", {604800000000000}, {3600000000000}},
    {"30d", {2592000000000000}, {21600000000000}},
};

static const unsigned PERCENT[SMOKE_QUANTILES] = {5, 25, 50, 75, 95};

const struct smoke_range *smoke_range_default(void)
{
    return smoke_range_find("24h");
}

const struct smoke_range *smoke_range_find(const char *name)
{
    for (size_t i = 0; i < SMOKE_RANGES; i++) {
        if (strcmp(SMOKE_RANGE[i].name, name) == 0) {
            return &SMOKE_RANGE[i];
        }
    }
    return NULL;
}

// Buckets begin at whole multiples of their length, so that they are the same at every look.
void smoke_begin(struct smoke *smoke, const char *peer, enum direction direction,
                 const struct smoke_range *range, struct walltime now)
{
    struct walltime from = walltime_subtract(now, range->length);
    from.ns -= from.ns % range->bucket.ns;
    *smoke = (struct smoke){
        .peer = peer, .direction = direction, .range = range, .from = from, .to = now};
}

// ---- buckets ----

static int compare_latencies(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

// Between two of the sorted latencies, as far on as it lies between their ranks.
static struct span quantile_of(const int64_t *latencies, size_t count, unsigned percent)
{
    size_t rank = (count - 1) * percent, below = rank / 100;
    int64_t low = latencies[below], high = latencies[below + (rank % 100 > 0)];
    return (struct span){low + (int64_t)((double)(high - low) * (double)(rank % 100) / 100)};
}

static void summarize(struct smoke_bucket *bucket, int64_t *latencies, size_t count)
{
    bucket->count = (unsigned)count;
    if (count == 0) {
        return;
    }
    qsort(latencies, count, sizeof *latencies, compare_latencies);
    for (int i = 0; i < SMOKE_QUANTILES; i++) {
        bucket->quantiles[i] = quantile_of(latencies, count, PERCENT[i]);
    }
}

// From the beginning of every slice, so that a full bucket is sampled all along.
static void gather_bucket(struct smoke *smoke, struct store *store)
{
    int64_t latencies[SMOKE_SLICES * SMOKE_SLICE_PROBES];
    size_t count = 0;
    struct smoke_bucket *bucket = &smoke->buckets[smoke->bucket_count];
    struct span slice = {smoke->range->bucket.ns / SMOKE_SLICES};
    bucket->at =
        walltime_add(smoke->from, span_times(smoke->range->bucket, (int64_t)smoke->bucket_count));
    for (int i = 0; i < SMOKE_SLICES; i++) {
        struct walltime from = walltime_add(bucket->at, span_times(slice, i));
        struct store_sample sample = {.peer = smoke->peer,
                                      .direction = smoke->direction,
                                      .from = from,
                                      .until = walltime_add(from, slice),
                                      .most = SMOKE_SLICE_PROBES};
        count += store_sample_latencies(store, &sample, latencies + count);
    }
    summarize(bucket, latencies, count);
    smoke->bucket_count++;
}

// ---- marks ----

static unsigned severity_of(enum verdict verdict)
{
    static const unsigned SEVERITIES_OF[VERDICTS] = {
        [VERDICT_EXCUSED] = 1, [VERDICT_DRAINED] = 2, [VERDICT_LATE] = 3,
        [VERDICT_BOUNCED] = 4, [VERDICT_LOST] = 5,
    };
    return SEVERITIES_OF[verdict];
}

static bool is_of_flush(const struct smoke_mark *mark, const struct probe_record *record)
{
    return mark->latency.ns > 0 && walltime_known(record->arrived) &&
           span_magnitude(walltime_since(mark->at, record->arrived)).ns <= COHORT_SPAN.ns;
}

static void join(struct smoke_mark *mark, const struct probe_record *record)
{
    mark->count++;
    mark->first_sent = walltime_earlier(mark->first_sent, record->sent);
    mark->last_sent = walltime_later(mark->last_sent, record->sent);
    if (severity_of(record->verdict) > severity_of(mark->verdict)) {
        mark->verdict = record->verdict;
    }
    if (record->latency.ns > mark->latency.ns) {
        mark->latency = record->latency;
        mark->probe = record->id;
    }
}

static bool take_mark(void *context, const struct store_probe *probe)
{
    struct smoke *smoke = context;
    const struct probe_record *record = &probe->record;
    struct smoke_mark *last = smoke->mark_count == 0 ? NULL : &smoke->marks[smoke->mark_count - 1];
    struct walltime sent = walltime_known(record->sent) ? record->sent : record->planned;
    bool arrived = walltime_known(record->arrived);
    if (last != NULL && is_of_flush(last, record)) {
        join(last, record);
    } else if (smoke->mark_count == SMOKE_MARKS_MAXIMUM) {
        smoke->more_marks = true;
        return false;
    } else {
        smoke->marks[smoke->mark_count++] = (struct smoke_mark){
            .verdict = record->verdict,
            .at = arrived ? record->arrived : sent,
            .count = 1,
            .first_sent = sent,
            .last_sent = sent,
            .latency = arrived ? record->latency : SPAN_ZERO,
            .probe = record->id,
        };
    }
    smoke->troubled++;
    return true;
}

static void gather_marks(struct smoke *smoke, struct store *store)
{
    enum { TAKEN_MAXIMUM = 1000 };
    struct error error;
    struct store_query query = {.peer = smoke->peer,
                                .direction = (int)smoke->direction,
                                .verdict = -1,
                                .troubled = true,
                                .since = smoke->from,
                                .limit = TAKEN_MAXIMUM};
    store_query_probes(store, &query, take_mark, smoke, &error);
    smoke->more_marks = smoke->more_marks || smoke->troubled == TAKEN_MAXIMUM;
}

// ---- all of it ----

bool smoke_gather(struct smoke *smoke, struct store *store)
{
    struct walltime next =
        walltime_add(smoke->from, span_times(smoke->range->bucket, (int64_t)smoke->bucket_count));
    if (next.ns <= smoke->to.ns && smoke->bucket_count < SMOKE_BUCKETS_MAXIMUM) {
        gather_bucket(smoke, store);
        return true;
    }
    gather_marks(smoke, store);
    return false;
}

static void extend(struct span *least, struct span *greatest, struct span from, struct span to)
{
    bool first = greatest->ns == 0;
    *least = first ? from : span_shorter(*least, from);
    *greatest = span_longer(*greatest, to);
}

// On a logarithmic scale only what is above nothing has a place.
bool smoke_extent(const struct smoke *smoke, struct span *least, struct span *greatest)
{
    *least = *greatest = SPAN_ZERO;
    for (size_t i = 0; i < smoke->bucket_count; i++) {
        const struct smoke_bucket *bucket = &smoke->buckets[i];
        if (bucket->count > 0 && bucket->quantiles[SMOKE_P5].ns > 0) {
            extend(least, greatest, bucket->quantiles[SMOKE_P5], bucket->quantiles[SMOKE_P95]);
        }
    }
    for (size_t i = 0; i < smoke->mark_count; i++) {
        if (smoke->marks[i].latency.ns > 0) {
            extend(least, greatest, smoke->marks[i].latency, smoke->marks[i].latency);
        }
    }
    return greatest->ns > 0;
}
