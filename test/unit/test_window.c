// Maintenance windows: their states, their revisions, what they suppress.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/window.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define AT(seconds)  ((struct walltime){INT64_C(1000000000) * (seconds)})

static struct window window_of(const char *id, uint32_t revision, int64_t begin, int64_t end)
{
    struct window window = {.revision = revision, .begin = AT(begin), .end = AT(end)};
    text_copy(window.id, sizeof window.id, id);
    text_copy(window.server, sizeof window.server, "mx01");
    return window;
}

static void test_states(void **state)
{
    (void)state;
    static const struct state_case {
        int64_t now;
        enum window_state state;
        enum window_stage stage;
        bool suppresses;
    } cases[] = {
        {999, WINDOW_ANNOUNCED, STAGE_ANNOUNCED, false},
        {1000, WINDOW_ACTIVE, STAGE_BEGUN, true},
        {1999, WINDOW_ACTIVE, STAGE_BEGUN, true},
        {2000, WINDOW_RECOVERING, STAGE_ENDED, true},
        {2299, WINDOW_RECOVERING, STAGE_ENDED, true},
        {2300, WINDOW_RECOVERING, STAGE_SETTLED, false},
        {6899, WINDOW_RECOVERING, STAGE_SETTLED, false},
        {6900, WINDOW_OVER, STAGE_SETTLED, false},
    };
    struct window window = window_of("w-1", 1, 1000, 2000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct walltime now = AT(cases[i].now);
        assert_int_equal(window_state_at(&window, now, SPAN_SECONDS(4900)), cases[i].state);
        assert_int_equal(window_stage_at(&window, now, SPAN_SECONDS(300)), cases[i].stage);
        assert_int_equal(window_suppresses(&window, now, SPAN_SECONDS(300)), cases[i].suppresses);
    }
}

static void test_cancelled_before_it_began(void **state)
{
    (void)state;
    struct window window = window_of("w-1", 2, 1000, 1000);
    window.cancelled = true;
    for (int64_t now = 900; now < 1500; now += 50) {
        assert_int_equal(window_state_at(&window, AT(now), SPAN_SECONDS(4900)), WINDOW_OVER);
        assert_int_equal(window_stage_at(&window, AT(now), SPAN_SECONDS(300)), STAGE_SETTLED);
        assert_false(window_suppresses(&window, AT(now), SPAN_SECONDS(300)));
    }
}

static void test_only_a_higher_revision_replaces(void **state)
{
    (void)state;
    struct windows windows = {0};
    struct window first = window_of("w-1", 2, 1000, 2000);
    struct window same = window_of("w-1", 2, 1000, 9000);
    struct window lower = window_of("w-1", 1, 1000, 9000);
    struct window higher = window_of("w-1", 3, 1000, 3000);
    assert_non_null(windows_put(&windows, &first));
    windows_find(&windows, "w-1")->stage = STAGE_BEGUN;
    assert_null(windows_put(&windows, &same));
    assert_null(windows_put(&windows, &lower));
    assert_int_equal(windows_find(&windows, "w-1")->end.ns, AT(2000).ns);
    assert_non_null(windows_put(&windows, &higher));
    assert_int_equal(windows_find(&windows, "w-1")->end.ns, AT(3000).ns);
    assert_int_equal(windows_find(&windows, "w-1")->stage, STAGE_BEGUN);
    assert_int_equal(windows.count, 1);
    windows_free(&windows);
}

static void test_equal_revisions(void **state)
{
    (void)state;
    static const struct tie_case {
        const char *known_by;
        const char *by;
        int64_t end; // the known one's is 2000
        enum window_standing standing;
    } cases[] = {
        {"root@mx02", "root@mx03", 2000, WINDOW_SAME},
        {"root@mx02", "root@mx03", 2001, WINDOW_SAME}, // two clocks
        {"root@mx02", "root@mx02", 9000, WINDOW_SAME}, // one announcer, another clock since
        {"root@mx02", "eve@mx02", 9000, WINDOW_SAME},
        {"root@mx02", "root@mx03", 9000, WINDOW_NEWER},
        {"root@mx03", "root@mx02", 9000, WINDOW_OVERRULED},
        {"root@mx03", "root@mx01", 9000, WINDOW_NEWER}, // the window's own server
        {"root@mx01", "root@mx03", 9000, WINDOW_OVERRULED},
        {"", "root@mx03", 9000, WINDOW_NEWER},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct windows windows = {0};
        struct window known = window_of("w-1", 2, 1000, 2000);
        struct window other = window_of("w-1", 2, 1000, cases[i].end);
        text_copy(known.by, sizeof known.by, cases[i].known_by);
        text_copy(other.by, sizeof other.by, cases[i].by);
        assert_int_equal(windows_standing(&windows, &known), WINDOW_NEW);
        assert_non_null(windows_put(&windows, &known));
        assert_int_equal(windows_standing(&windows, &other), cases[i].standing);
        assert_int_equal(windows_put(&windows, &other) != NULL, cases[i].standing == WINDOW_NEWER);
        windows_free(&windows);
    }
}

static void test_what_is_sound(void **state)
{
    (void)state;
    static const struct sound_case {
        int64_t begin;
        int64_t end;
        bool cancelled;
        bool sound;
    } cases[] = {
        {1000, 2000, false, true},
        {1000, 1000, false, false},
        {2000, 1000, false, false},
        {1000, 1000, true, true},
        {1000, 1000 + 366 * 86400, false, true},
        {1000, 1001 + 366 * 86400, false, false},
        {400 * 86400, 400 * 86400 + 1, false, true},
        {400 * 86400 + 1, 400 * 86400 + 2, false, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct window window = window_of("w-1", 1, cases[i].begin, cases[i].end);
        window.cancelled = cases[i].cancelled;
        assert_int_equal(window_unsound(&window, AT(0)) == NULL, cases[i].sound);
    }
    assert_true(window_id_valid("w-aB_9"));
    assert_false(window_id_valid(""));
    assert_false(window_id_valid("w/1"));
    assert_false(window_id_valid("abcdefghijklmnopqrstuvwx"));
}

static void test_the_longest_suppresses(void **state)
{
    (void)state;
    struct windows windows = {0};
    struct window windows_put_in[] = {window_of("w-1", 1, 1000, 2000),
                                      window_of("w-2", 1, 1500, 4000),
                                      window_of("w-3", 1, 3000, 3500)};
    for (size_t i = 0; i < COUNT(windows_put_in); i++) {
        assert_non_null(windows_put(&windows, &windows_put_in[i]));
    }
    const struct span settle = SPAN_SECONDS(300);
    assert_null(windows_suppressing(&windows, "mx01", AT(999), settle));
    assert_null(windows_suppressing(&windows, "mx02", AT(1600), settle));
    assert_string_equal(windows_suppressing(&windows, "mx01", AT(1400), settle)->id, "w-1");
    assert_string_equal(windows_suppressing(&windows, "mx01", AT(1600), settle)->id, "w-2");
    assert_string_equal(windows_suppressing(&windows, "mx01", AT(3200), settle)->id, "w-2");
    windows_free(&windows);
}

static void test_bounded_and_forgotten(void **state)
{
    (void)state;
    struct windows windows = {0};
    for (int i = 0; i <= WINDOWS_MAXIMUM; i++) {
        char id[WINDOW_ID_SIZE];
        snprintf(id, sizeof id, "w-%d", i);
        struct window window = window_of(id, 1, i, i + 10);
        assert_int_equal(windows_put(&windows, &window) != NULL, i < WINDOWS_MAXIMUM);
    }
    windows_forget(&windows, AT(1000));
    assert_int_equal(windows.count, WINDOWS_MAXIMUM - 990);
    assert_null(windows_find(&windows, "w-989"));
    assert_non_null(windows_find(&windows, "w-990"));
    windows_free(&windows);
}

static void test_names(void **state)
{
    (void)state;
    enum window_kind kind;
    assert_true(window_kind_parse("routine", &kind) && kind == WINDOW_ROUTINE);
    assert_true(window_kind_parse("emergency", &kind) && kind == WINDOW_EMERGENCY);
    assert_false(window_kind_parse("holiday", &kind));
    assert_string_equal(window_state_name(WINDOW_RECOVERING), "recovering");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_cancelled_before_it_began),
        cmocka_unit_test(test_only_a_higher_revision_replaces),
        cmocka_unit_test(test_equal_revisions),
        cmocka_unit_test(test_what_is_sound),
        cmocka_unit_test(test_the_longest_suppresses),
        cmocka_unit_test(test_bounded_and_forgotten),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
