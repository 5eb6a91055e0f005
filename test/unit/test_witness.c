// What the agents tell each other of third servers: who vouches for whom, and our own row.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/row.h"
#include "core_fixture.h"

static void test_witnesses(void **state)
{
    (void)state;
    static const struct witness_case {
        const char *row; // of p1
        double age;
        int witness; // for p0
    } cases[] = {
        {"ok=p0 p2", 0, 1}, {"ok=p0", 119, 1},        {"ok=p0", 121, -1},
        {"ok=p2", 0, -1},   {"bad=p0; ok=p2", 0, -1}, {"", 0, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct core_fixture fixture;
        core_fixture_begin(&fixture, 3);
        core_fixture_hear(&fixture, 0, "", "ok=p0"); // nobody vouches for itself
        core_fixture_hear(&fixture, 1, "", cases[i].row);
        core_fixture_wait(&fixture, span_from_seconds(cases[i].age));
        assert_int_equal(core_witness(fixture.core, 0, fixture.now), cases[i].witness);
        core_fixture_end(&fixture);
    }
}

static void test_our_row(void **state)
{
    (void)state;
    struct core_fixture fixture;
    struct exchange said;
    core_fixture_begin(&fixture, 3);
    core_fixture_wait(&fixture, SPAN_SECONDS(10));
    struct collect_report report = core_fixture_report(&fixture, "p1", 1, SPAN_SECONDS(1));
    core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
    core_compose(fixture.core, 0, fixture.now, &said);
    assert_string_equal(said.row, "in-ok=p1");
    core_fixture_run(&fixture, SPAN_MINUTES(3), NULL, NULL);
    core_compose(fixture.core, 0, fixture.now, &said);
    assert_string_equal(said.row, "in-ok=p1");
    core_fixture_run(&fixture, SPAN_MINUTES(12), NULL, NULL);
    core_compose(fixture.core, 0, fixture.now, &said);
    for (const char *const *name = (const char *const[]){"p0", "p1", "p2", NULL}; *name != NULL;
         name++) {
        struct row_entry entry;
        assert_true(row_find(said.row, *name, &entry));
        assert_int_equal(entry.ways[INBOUND], ROW_BAD);
    }
    core_fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_witnesses),
        cmocka_unit_test(test_our_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
