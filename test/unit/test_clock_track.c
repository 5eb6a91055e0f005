// Two clocks and what round trips over HTTP tell of their difference.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "core/clock_offset.h"

#define US(n) ((struct span){INT64_C(1000) * (n)})

// The peer's clock, as it truly is.
struct truth {
    struct span offset; // at the beginning
    double drift;
};

static struct span offset_at(const struct truth *truth, struct instant at)
{
    struct span since = instant_since(at, (struct instant){0});
    return span_add(truth->offset, clock_drifted(since, truth->drift));
}

static struct walltime ours(struct instant at)
{
    return (struct walltime){1000000000000 + at.ns};
}

static struct walltime theirs(const struct truth *truth, struct instant at)
{
    return walltime_add(ours(at), offset_at(truth, at));
}

// A round trip that ends at this instant.
static struct clock_reading read(const struct truth *truth, struct instant end, struct span there,
                                 struct span served, struct span back)
{
    struct instant replied = {end.ns - back.ns};
    struct instant received = {replied.ns - served.ns};
    struct instant requested = {received.ns - there.ns};
    struct round_trip trip = {ours(requested), theirs(truth, received), theirs(truth, replied),
                              ours(end)};
    struct clock_reading reading;
    assert_true(clock_reading_take(&trip, end, &reading));
    return reading;
}

static void assert_within(const struct clock_estimate *estimate, struct span truth)
{
    assert_true(estimate->known);
    assert_true(span_magnitude(span_subtract(estimate->offset, truth)).ns <= estimate->error.ns);
}

static struct span some(struct random_stream *random, struct span most)
{
    return (struct span){(int64_t)(random_stream_next(random) % (uint64_t)most.ns)};
}

static void test_one_round_trip(void **state)
{
    (void)state;
    struct truth truth = {US(90000000), 0};
    struct clock_track track = {0};
    struct clock_reading reading = read(&truth, (struct instant){0}, US(300), US(50), US(500));
    assert_true(clock_track_observe(&track, &reading));
    struct clock_estimate estimate = clock_track_estimate(&track, (struct instant){0});
    assert_within(&estimate, truth.offset);
    assert_in_range(estimate.error.ns, US(399).ns, US(401).ns);
    assert_true(estimate.drift == 0);
}

// An hour of a probe a minute, over ways that take what they like: the truth is always within the
// error, and in the end the error is small and the drift is known.
static void test_the_truth_lies_within(void **state)
{
    (void)state;
    struct random_stream random = random_stream_from(7);
    for (int round = 0; round < 500; round++) {
        struct truth truth = {span_subtract(some(&random, SPAN_HOURS(2)), SPAN_HOURS(1)),
                              (random_stream_fraction(&random) - 0.5) * 2 * CLOCK_DRIFT_MOST};
        struct clock_track track = {0};
        struct instant now = {0};
        struct clock_estimate estimate = {0};
        for (int i = 0; i < 60; i++) {
            now = instant_add(now, span_add(SPAN_SECONDS(50), some(&random, SPAN_SECONDS(20))));
            struct span slow = random_stream_next(&random) % 4 == 0 ? SPAN_SECONDS(3) : US(900);
            struct clock_reading reading = read(&truth, now, span_add(US(200), some(&random, slow)),
                                                US(100), span_add(US(200), some(&random, slow)));
            assert_true(clock_track_observe(&track, &reading));
            estimate = clock_track_estimate(&track, now);
            assert_within(&estimate, offset_at(&truth, now));
        }
        assert_true(estimate.error.ns < US(10000).ns);
        double beside = estimate.drift - truth.drift;
        assert_true(beside < 2e-6 && beside > -2e-6);
        struct instant later = instant_add(now, SPAN_HOURS(1)); // the exchanges have ceased
        estimate = clock_track_estimate(&track, later);
        assert_within(&estimate, offset_at(&truth, later));
        assert_true(estimate.error.ns < US(200000).ns);
    }
}

static void test_a_long_round_trip_takes_nothing_away(void **state)
{
    (void)state;
    struct truth truth = {US(1000), 0};
    struct clock_track track = {0};
    struct instant now = {SPAN_SECONDS(10).ns};
    struct clock_reading good = read(&truth, now, US(200), US(10), US(200));
    clock_track_observe(&track, &good);
    struct instant later = instant_add(now, SPAN_SECONDS(30));
    struct clock_reading poor = read(&truth, later, SPAN_SECONDS(2), US(10), US(200));
    assert_true(clock_track_observe(&track, &poor));
    struct clock_estimate estimate = clock_track_estimate(&track, later);
    assert_true(estimate.error.ns < US(5000).ns);
}

// A clock that is slewed no longer drifts as it did: what it was known by is forgotten.
static void test_another_rate(void **state)
{
    (void)state;
    struct truth truth = {SPAN_ZERO, 0};
    struct clock_track track = {0};
    struct instant now = {0};
    for (int i = 0; i < 30; i++) {
        now = instant_add(now, SPAN_MINUTES(1));
        struct clock_reading reading = read(&truth, now, US(200), US(10), US(200));
        assert_true(clock_track_observe(&track, &reading));
    }
    struct instant from = now;
    truth.drift = 500e-6;
    unsigned contradictions = 0;
    for (int i = 0; i < 10; i++) {
        now = instant_add(now, SPAN_MINUTES(1));
        truth.offset = clock_drifted(instant_since((struct instant){0}, from), truth.drift);
        struct clock_reading reading = read(&truth, now, US(200), US(10), US(200));
        contradictions += !clock_track_observe(&track, &reading);
        struct clock_estimate estimate = clock_track_estimate(&track, now);
        assert_within(&estimate, offset_at(&truth, now));
    }
    assert_true(contradictions > 0);
}

static void test_what_is_no_round_trip(void **state)
{
    (void)state;
    struct clock_reading reading;
    const struct round_trip lies[] = {
        {{1000}, {2000}, {1500}, {3000}}, // answered before it came
        {{1000}, {1500}, {9000}, {2000}}, // served for longer than it took
        {{2000}, {5000}, {6000}, {1000}}, // back before it was sent
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        assert_false(clock_reading_take(&lies[i], (struct instant){0}, &reading));
    }
    static const int64_t edges[] = {INT64_MIN, 0, INT64_MAX};
    for (int i = 0; i < 81; i++) { // no overflow, whatever a peer says
        struct round_trip trip = {
            {edges[i % 3]}, {edges[i / 3 % 3]}, {edges[i / 9 % 3]}, {edges[i / 27]}};
        struct clock_relation relation = {0};
        if (clock_reading_take(&trip, (struct instant){0}, &reading)) {
            clock_relation_exchanged(&relation, &reading);
            clock_relation_exchanged(&relation, &reading);
            assert_true(clock_relation_error(&relation, (struct instant){INT64_MAX}).ns >= 0);
        }
        clock_relation_free(&relation);
    }
}

// Mail bounds the offset to seconds, an exchange to less than a millisecond.
static void test_mail_and_exchanges(void **state)
{
    (void)state;
    struct clock_relation relation = {0};
    struct truth truth = {US(90000000), 0};
    struct instant now = {0};
    clock_relation_observe(&relation, INBOUND, US(-87000000), now);
    clock_relation_observe(&relation, OUTBOUND, US(95000000), now);
    struct clock_estimate by_mail = clock_relation_estimate(&relation, now);
    assert_within(&by_mail, truth.offset);
    assert_int_equal(by_mail.error.ns, US(4000000).ns);
    struct clock_reading reading = read(&truth, now, US(300), US(50), US(300));
    assert_true(clock_relation_exchanged(&relation, &reading));
    struct clock_estimate estimate = clock_relation_estimate(&relation, now);
    assert_within(&estimate, truth.offset);
    assert_true(estimate.error.ns < US(400).ns);
    assert_int_equal(clock_relation_correction(&relation, now).ns, estimate.offset.ns);

    truth.offset = SPAN_ZERO; // put right
    reading = read(&truth, now, US(300), US(50), US(300));
    assert_false(clock_relation_exchanged(&relation, &reading));
    estimate = clock_relation_estimate(&relation, now);
    assert_within(&estimate, truth.offset);
    assert_int_equal(clock_relation_correction(&relation, now).ns, 0);
    clock_relation_free(&relation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_round_trip),
        cmocka_unit_test(test_the_truth_lies_within),
        cmocka_unit_test(test_a_long_round_trip_takes_nothing_away),
        cmocka_unit_test(test_another_rate),
        cmocka_unit_test(test_what_is_no_round_trip),
        cmocka_unit_test(test_mail_and_exchanges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
