#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shell/metrics_text.h"

static char buffer[4096];

static struct metric_writer writer_of(struct text *out, enum metrics_format format,
                                      const char *name)
{
    *out = TEXT_OVER(buffer);
    return (struct metric_writer){out, format, name};
}

static void test_accept_decides_the_format(void **state)
{
    static const struct {
        const char *accept;
        enum metrics_format format;
    } CASES[] = {
        {"", METRICS_PROMETHEUS},
        {"*/*", METRICS_PROMETHEUS},
        {"text/plain", METRICS_PROMETHEUS},
        {"application/openmetrics-text", METRICS_OPENMETRICS},
        {"APPLICATION/OpenMetrics-Text; version=1.0.0", METRICS_OPENMETRICS},
        {"application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/"
         "*;q=0.1",
         METRICS_OPENMETRICS},
        {"text/plain;version=0.0.4;q=0.9, application/openmetrics-text;version=1.0.0;q=0.4",
         METRICS_PROMETHEUS},
        {"application/openmetrics-text;q=0", METRICS_PROMETHEUS},
        {"application/openmetrics-text;q=", METRICS_PROMETHEUS},
        {"application/openmetrics-texture", METRICS_PROMETHEUS},
        {",,;;,  application/openmetrics-text ,", METRICS_OPENMETRICS},
        {"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", METRICS_PROMETHEUS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_int_equal(metrics_format_accepted(CASES[i].accept), CASES[i].format);
    }
}

static void test_family_is_named_as_the_format_wants(void **state)
{
    struct text out;
    (void)state;
    struct metric_writer writer = writer_of(&out, METRICS_PROMETHEUS, "a_sent_total");
    metric_write_header(&writer, METRIC_COUNTER, "Sent.");
    assert_string_equal(buffer, "# HELP a_sent_total Sent.\n# TYPE a_sent_total counter\n");
    writer = writer_of(&out, METRICS_OPENMETRICS, "a_sent_total");
    metric_write_header(&writer, METRIC_COUNTER, "Sent.");
    assert_string_equal(buffer, "# HELP a_sent Sent.\n# TYPE a_sent counter\n");
    writer = writer_of(&out, METRICS_PROMETHEUS, "a_build_info");
    metric_write_header(&writer, METRIC_INFO, "Version.");
    assert_string_equal(buffer, "# HELP a_build_info Version.\n# TYPE a_build_info gauge\n");
    writer = writer_of(&out, METRICS_OPENMETRICS, "a_build_info");
    metric_write_header(&writer, METRIC_INFO, "Version.");
    assert_string_equal(buffer, "# HELP a_build Version.\n# TYPE a_build info\n");
}

static void test_help_is_escaped_as_the_format_wants(void **state)
{
    struct text out;
    (void)state;
    struct metric_writer writer = writer_of(&out, METRICS_PROMETHEUS, "a");
    metric_write_header(&writer, METRIC_GAUGE, "a \\ \"b\"\nc");
    assert_string_equal(buffer, "# HELP a a \\\\ \"b\"\\nc\n# TYPE a gauge\n");
    writer = writer_of(&out, METRICS_OPENMETRICS, "a");
    metric_write_header(&writer, METRIC_GAUGE, "a \\ \"b\"\nc");
    assert_string_equal(buffer, "# HELP a a \\\\ \\\"b\\\"\\nc\n# TYPE a gauge\n");
}

static void test_labels_are_escaped(void **state)
{
    struct text out;
    struct metric_labels labels = {{{"one", "a\"b\\c\nd"}, {"two", ""}, {"three", "\xc3\xa5"}}};
    (void)state;
    struct metric_writer writer = writer_of(&out, METRICS_PROMETHEUS, "a");
    metric_write_count(&writer, &labels, UINT64_MAX);
    assert_string_equal(buffer, "a{one=\"a\\\"b\\\\c\\nd\",two=\"\",three=\"\xc3\xa5\"} "
                                "18446744073709551615\n");
}

static void test_spans_are_exact(void **state)
{
    static const struct {
        int64_t ns;
        const char *line;
    } CASES[] = {
        {0, "a 0\n"},
        {1, "a 0.000000001\n"},
        {1500000000, "a 1.5\n"},
        {-250000000, "a -0.25\n"},
        {10000000000, "a 10\n"},
        {1790000000123456789, "a 1790000000.123456789\n"},
        {INT64_MIN, "a -9223372036.854775808\n"},
    };
    struct text out;
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct metric_writer writer = writer_of(&out, METRICS_PROMETHEUS, "a");
        metric_write_span(&writer, METRIC_NO_LABELS, (struct span){CASES[i].ns});
        assert_string_equal(buffer, CASES[i].line);
    }
}

static void write_histogram(const struct metric_writer *writer, const struct metric_labels *labels,
                            const struct histogram *histogram, const struct histogram_edges *edges)
{
    struct metric_edges texts;
    metric_edges_write(&texts, edges, writer->format);
    metric_write_histogram(writer, labels, histogram, &texts);
}

static void test_histogram_is_cumulative(void **state)
{
    struct text out;
    struct histogram_edges edges = {.of = {0.05, 1, 432000}, .count = 3};
    struct histogram histogram = {0};
    struct metric_labels labels = {{{"leg", "tls"}}};
    (void)state;
    histogram_observe(&histogram, &edges, 0.05);
    histogram_observe(&histogram, &edges, 0.7);
    histogram_observe(&histogram, &edges, 0.8);
    histogram_observe(&histogram, &edges, 500000);
    struct metric_writer writer = writer_of(&out, METRICS_PROMETHEUS, "a");
    write_histogram(&writer, &labels, &histogram, &edges);
    assert_string_equal(buffer, "a_bucket{leg=\"tls\",le=\"0.05\"} 1\n"
                                "a_bucket{leg=\"tls\",le=\"1\"} 3\n"
                                "a_bucket{leg=\"tls\",le=\"432000\"} 3\n"
                                "a_bucket{leg=\"tls\",le=\"+Inf\"} 4\n"
                                "a_sum{leg=\"tls\"} 500001.55\n"
                                "a_count{leg=\"tls\"} 4\n");
    writer = writer_of(&out, METRICS_OPENMETRICS, "a");
    write_histogram(&writer, METRIC_NO_LABELS, &histogram, &edges);
    assert_string_equal(buffer, "a_bucket{le=\"0.05\"} 1\n"
                                "a_bucket{le=\"1.0\"} 3\n"
                                "a_bucket{le=\"432000.0\"} 3\n"
                                "a_bucket{le=\"+Inf\"} 4\n"
                                "a_sum 500001.55\n"
                                "a_count 4\n");
    histogram_free(&histogram);
}

static void test_exemplar_stands_at_its_bucket(void **state)
{
    struct text out;
    struct histogram_edges edges = {.of = {0.05, 1}, .count = 2};
    struct histogram histogram = {
        .exemplar = {.probe = {{0xFF}}, .value = 0.7, .at = {1790000000123000000}}};
    (void)state;
    histogram_observe(&histogram, &edges, 0.7);
    struct metric_writer writer = writer_of(&out, METRICS_OPENMETRICS, "a");
    write_histogram(&writer, METRIC_NO_LABELS, &histogram, &edges);
    assert_string_equal(buffer,
                        "a_bucket{le=\"0.05\"} 0\n"
                        "a_bucket{le=\"1.0\"} 1 # {probe=\"74AAAAAAAAAAAAAAAAAAAAAAAA\"} 0.7 "
                        "1790000000.123\n"
                        "a_bucket{le=\"+Inf\"} 1\n"
                        "a_sum 0.7\n"
                        "a_count 1\n");
    histogram.exemplar.value = 2;
    writer = writer_of(&out, METRICS_OPENMETRICS, "a");
    write_histogram(&writer, METRIC_NO_LABELS, &histogram, &edges);
    assert_non_null(strstr(buffer, "le=\"+Inf\"} 1 # {probe="));
    writer = writer_of(&out, METRICS_PROMETHEUS, "a");
    write_histogram(&writer, METRIC_NO_LABELS, &histogram, &edges);
    assert_null(strstr(buffer, "#")); // 0.0.4 has none
    histogram_free(&histogram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept_decides_the_format),
        cmocka_unit_test(test_family_is_named_as_the_format_wants),
        cmocka_unit_test(test_help_is_escaped_as_the_format_wants),
        cmocka_unit_test(test_labels_are_escaped),
        cmocka_unit_test(test_spans_are_exact),
        cmocka_unit_test(test_histogram_is_cumulative),
        cmocka_unit_test(test_exemplar_stands_at_its_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
