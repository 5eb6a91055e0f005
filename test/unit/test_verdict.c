// The verdict of an arrived probe, rule by rule. Times are seconds; windows and troubles belong to
// the path. Warning threshold 60 s, recovery 4900 s.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/verdict.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define AT(seconds)                                                                                \
    {                                                                                              \
        INT64_C(1000000000) * (1000000 + (seconds))                                                \
    }

static const struct verdict_window WINDOW[] = {{AT(1000), AT(2000), AT(2100)}};
static const struct verdict_window TWO[] = {{AT(1000), AT(2000), AT(2000)},
                                            {AT(10000), AT(11000), AT(11000)}};
static const struct verdict_trouble SILENT[] = {{AT(1000), AT(2000), 17, {0}, 6}};
static const struct verdict_trouble OPEN[] = {{AT(1000), {0}, 17, {0}, 6}};
static const struct verdict_trouble BOTH[] = {{AT(1000), AT(2000), 0, {0}, 12},
                                              {AT(1000), AT(2000), 17, {0}, 6}};
static const struct verdict_trouble CAUSE[] = {{AT(1000), AT(2000), 17, {0}, 6},
                                               {AT(1000), AT(2000), 18, {0}, 3}};

enum { NOTHING, IN_WINDOW, IN_TWO, IN_SILENT, IN_OPEN, IN_BOTH, IN_CAUSE };

static const struct verdict_row {
    const char *name;
    int64_t sent, arrived, error;
    int around;
    enum verdict verdict;
    int64_t excused, incident;
} CASES[] = {
    {"on time", 0, 60, 0, NOTHING, VERDICT_ON_TIME, 0, 0},
    {"late", 0, 61, 0, NOTHING, VERDICT_LATE, 0, 0},
    {"within the error nothing is late", 0, 61, 1, NOTHING, VERDICT_ON_TIME, 0, 0},
    {"negative is not late", 10, 0, 0, NOTHING, VERDICT_ON_TIME, 0, 0},
    {"on time inside a window stays on time", 1100, 1150, 0, IN_WINDOW, VERDICT_ON_TIME, 0, 0},
    {"sent inside, drained after", 1500, 4000, 0, IN_WINDOW, VERDICT_EXCUSED, 2500, 0},
    {"sent before, its wait lies inside", 950, 1500, 0, IN_WINDOW, VERDICT_EXCUSED, 500, 0},
    {"stuck before it began: late", 900, 1500, 0, IN_WINDOW, VERDICT_LATE, 500, 0},
    {"sent before mail resumed", 2050, 2500, 0, IN_WINDOW, VERDICT_EXCUSED, 450, 0},
    {"sent after mail resumed: late", 2100, 2500, 0, IN_WINDOW, VERDICT_LATE, 0, 0},
    {"beyond the recovery: the rest is late", 1500, 7000, 0, IN_WINDOW, VERDICT_LATE, 5400, 0},
    {"just within the recovery and threshold", 1500, 6960, 0, IN_WINDOW, VERDICT_EXCUSED, 5400, 0},
    {"over before the window began", 0, 999, 0, IN_WINDOW, VERDICT_LATE, 0, 0},
    {"through two windows: their union", 1500, 11500, 0, IN_TWO, VERDICT_LATE, 6900, 0},
    {"begun before an incident, came after it", 500, 2500, 0, IN_SILENT, VERDICT_DRAINED, 0, 17},
    {"begun inside an incident", 1500, 2500, 0, IN_SILENT, VERDICT_DRAINED, 0, 17},
    {"one recovery after its close", 1500, 6900, 0, IN_SILENT, VERDICT_DRAINED, 0, 17},
    {"later than that", 1500, 6901, 0, IN_SILENT, VERDICT_LATE, 0, 0},
    {"came before it began", 0, 999, 0, IN_SILENT, VERDICT_LATE, 0, 0},
    {"sent after its close", 2001, 2500, 0, IN_SILENT, VERDICT_LATE, 0, 0},
    {"it is still open", 1500, 90000, 0, IN_OPEN, VERDICT_DRAINED, 0, 17},
    {"the cause rather than its symptom", 1500, 2500, 0, IN_CAUSE, VERDICT_DRAINED, 0, 18},
    {"an incident rather than an interruption", 1500, 2500, 0, IN_BOTH, VERDICT_DRAINED, 0, 17},
};

static struct verdict_case case_of(const struct verdict_row *of)
{
    struct verdict_case life = {
        .sent = AT(of->sent),
        .arrived = AT(of->arrived),
        .latency = SPAN_SECONDS(of->arrived - of->sent),
        .error = SPAN_SECONDS(of->error),
        .warning = SPAN_SECONDS(60),
        .recovery = SPAN_SECONDS(4900),
        .windows = of->around == IN_TWO ? TWO : WINDOW,
        .window_count = of->around == IN_TWO ? 2 : of->around == IN_WINDOW,
        .troubles = of->around == IN_SILENT ? SILENT
                    : of->around == IN_OPEN ? OPEN
                    : of->around == IN_BOTH ? BOTH
                                            : CAUSE,
        .trouble_count = of->around >= IN_BOTH ? 2 : of->around >= IN_SILENT,
    };
    return life;
}

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct verdict_row *of = &CASES[i];
        struct verdict_case life = case_of(of);
        struct judgement judgement = verdict_judge(&life);
        if (judgement.verdict != of->verdict || judgement.incident != of->incident ||
            judgement.excused.ns != SPAN_SECONDS(of->excused).ns ||
            judgement.residual.ns != life.latency.ns - judgement.excused.ns) {
            fail_msg("%s: %s, excused %.0f, incident %ld", of->name,
                     verdict_name(judgement.verdict), span_seconds(judgement.excused),
                     (long)judgement.incident);
        }
    }
}

static void test_overlapping_windows_count_once(void **state)
{
    (void)state;
    const struct verdict_window windows[] = {{AT(1000), AT(2000), AT(2000)},
                                             {AT(1500), AT(2500), AT(2500)},
                                             {AT(1200), AT(1300), AT(1300)}};
    struct verdict_case life = {
        .sent = AT(1000),
        .arrived = AT(8000),
        .latency = SPAN_SECONDS(7000),
        .warning = SPAN_SECONDS(60),
        .recovery = SPAN_SECONDS(100),
        .windows = windows,
        .window_count = 3,
    };
    assert_int_equal(verdict_judge(&life).excused.ns, SPAN_SECONDS(1600).ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_overlapping_windows_count_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
