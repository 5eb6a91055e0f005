// The latency histogram: its edges, where values fall, moving to other edges.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/stats.h"

static size_t edge_place(const struct histogram_edges *edges, double edge)
{
    size_t place = 0;
    while (place < edges->count && edges->of[place] < edge) {
        place++;
    }
    return place;
}

static void test_edges_are_sorted_and_unique(void **state)
{
    (void)state;
    struct histogram_edges edges;
    histogram_edges_reset(&edges);
    size_t fixed = edges.count;
    histogram_edges_add(&edges, 60);
    assert_int_equal(edges.count, fixed);
    histogram_edges_add(&edges, 90);
    histogram_edges_add(&edges, 0.01);
    histogram_edges_add(&edges, 1e9);
    assert_int_equal(edges.count, fixed + 3);
    for (size_t i = 1; i < edges.count; i++) {
        assert_true(edges.of[i - 1] < edges.of[i]);
    }
    for (int i = 0; i < 100; i++) {
        histogram_edges_add(&edges, 1000 + i);
    }
    assert_int_equal(edges.count, HISTOGRAM_EDGES_MAXIMUM);
}

static void test_an_edge_includes_its_value(void **state)
{
    (void)state;
    struct histogram_edges edges;
    struct histogram histogram = {0};
    histogram_edges_reset(&edges);
    histogram_observe(&histogram, &edges, 60);
    histogram_observe(&histogram, &edges, 60.001);
    histogram_observe(&histogram, &edges, 0);
    histogram_observe(&histogram, &edges, 432000.5);
    assert_int_equal(histogram_in_bucket(&histogram, edge_place(&edges, 60)), 1);
    assert_int_equal(histogram_in_bucket(&histogram, edge_place(&edges, 120)), 1);
    assert_int_equal(histogram_in_bucket(&histogram, 0), 1);
    assert_int_equal(histogram_in_bucket(&histogram, edges.count), 1);
    assert_int_equal(histogram.count, 4);
    assert_true(histogram.sum > 432120.5 && histogram.sum < 432120.6);
    histogram_free(&histogram);
    assert_int_equal(histogram_in_bucket(&histogram, 0), 0);
}

static void test_rebucketing_loses_nothing(void **state)
{
    (void)state;
    struct histogram_edges with, without;
    struct histogram histogram = {0};
    histogram_edges_reset(&without);
    histogram_edges_reset(&with);
    histogram_edges_add(&with, 90);
    for (int i = 0; i < 500; i++) {
        histogram_observe(&histogram, &with, i);
    }
    uint64_t to_60 = histogram_in_bucket(&histogram, edge_place(&with, 60));
    histogram_rebucket(&histogram, &with, &without);
    assert_int_equal(histogram.count, 500);
    assert_int_equal(histogram_in_bucket(&histogram, edge_place(&without, 60)), to_60);
    assert_int_equal(histogram_in_bucket(&histogram, edge_place(&without, 120)), 60); // 61 to 120
    histogram_rebucket(&histogram, &without, &with);
    uint64_t sum = 0;
    for (size_t i = 0; i <= with.count; i++) {
        sum += histogram_in_bucket(&histogram, i);
    }
    assert_int_equal(sum, 500);
    assert_int_equal(histogram_in_bucket(&histogram, edge_place(&with, 120)), 60);
    assert_int_equal(histogram_in_bucket(&histogram, edge_place(&with, 90)), 0);
    histogram_free(&histogram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges_are_sorted_and_unique),
        cmocka_unit_test(test_an_edge_includes_its_value),
        cmocka_unit_test(test_rebucketing_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
