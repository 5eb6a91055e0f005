#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent_fixture.h"
#include "metrics_check.h"
#include "shell/metrics.h"
#include "shell/metrics_families.h"

static int setup(void **state)
{
    *state = agent_fixture_create(1);
    return 0;
}

static int teardown(void **state)
{
    agent_fixture_destroy(*state);
    return 0;
}

// A file that was read, and a name that does not answer any more.
static struct peer_source SOURCES[] = {
    {.name = (char[]){"/etc/mailflow/peers/a.json"}, .succeeded = WALL(80), .servers = 120},
    {.name = (char[]){"_mailflow._tcp.example.net"},
     .srv = true,
     .failing = true,
     .succeeded = WALL(60),
     .servers = 7},
};

// From malloc.
static char *render(struct agent *agent, enum metrics_format format)
{
    struct metrics_view view = {
        .core = agent->core,
        .now = MOMENT(100),
        .version = "1.2.3",
        .started = WALL(-50),
        .workers = agent_workers(agent),
        .exchanges = &agent->exchanges,
        .peer_sources = &(struct peer_sources){SOURCES, 2},
        .lists_agree = true,
        .alertmanager = agent->alertmanager,
        .ledger = {.entries = 12, .bytes = 4096, .commit_failures = 1},
        .reload_successful = agent->reload_successful,
        .process = {0.25, 8388608, 17, 1024},
    };
    struct metrics_cursor cursor = metrics_begin(&view, format);
    enum { ROOM = 1 << 20 };
    char *rendered = malloc(ROOM);
    struct text out = text_over(rendered, ROOM);
    while (metrics_next(&cursor, &out)) {
    }
    assert_false(out.truncated);
    return rendered;
}

static void fill_outbound(struct peer *peer)
{
    struct outbound *outbound = &peer->outbound;
    flights_add(&outbound->flights, &(struct probe_id){{1}}, WALL(40));
    flights_add(&outbound->flights, &(struct probe_id){{2}}, WALL(10));
    outbound->thinned = true;
    outbound->receipts_as_of = WALL(90);
    outbound->path.last_arrival = WALL(80);
    outbound->path.last_latency = SPAN_MS(1500);
    outbound->path.last_error = SPAN_MS(20);
}

static void fill_stats(struct peer_stats *stats, const struct histogram_edges *edges)
{
    stats->sent = 9;
    stats->send_failures = 2;
    stats->sends_uncertain = 1;
    stats->slots_missed = 3;
    stats->received = 4;
    stats->duplicates = 5;
    stats->arrived_after_loss = 1;
    stats->receipts_unknown = 3;
    stats->bounces[BOUNCE_FATE_STALE] = 2;
    stats->replies[REPLY_2XX] = 9;
    stats->replies[REPLY_DNS] = 2;
    stats->resolved[OUTBOUND][VERDICT_ON_TIME] = 6;
    stats->resolved[INBOUND][VERDICT_DRAINED] = 7;
    histogram_observe(&stats->latency[OUTBOUND], edges, 1.5);
    histogram_observe(&stats->latency[OUTBOUND], edges, 2926);
}

static void fill_exchanges(struct exchanges *exchanges)
{
    exchanges->peers[0].done = 5;
    exchanges->peers[0].failed = 2;
    exchanges->peers[0].received = 4;
    exchanges->peers[0].last_duration = SPAN_MS(7);
    exchanges->rejected[EXCHANGE_REJECTED_SIGNATURE] = 3;
}

static void fill_agent(struct agent *agent)
{
    struct agent_stats *stats = (struct agent_stats *)core_stats(agent->core);
    struct mailbox *mailbox = (struct mailbox *)core_mailbox(agent->core, 0);
    stats->rejected[REJECTED_SIGNATURE] = 1;
    stats->rejected[REJECTED_MISROUTED] = 8;
    stats->negative_latencies = 2;
    stats->windows_refused = 6;
    histogram_observe(&stats->legs[LEG_VISIBLE], &LEG_EDGES, 0.5);
    histogram_observe(&stats->slips, &LEG_EDGES, 0.004);
    mailbox->certificate = calloc(1, sizeof *mailbox->certificate);
    mailbox->certificate->certificate =
        (struct certificate){.seen = true, .verified = true, .expires = WALL(86400)};
    mailbox->readable = true;
    mailbox->complete = WALL(95);
    mailbox->errors = 3;
    mailbox->foreign_messages = 11;
}

static void fill(struct agent *agent)
{
    struct peer *peer = agent_fixture_peer(agent, 0);
    fill_outbound(peer);
    fill_stats(&peer->stats, core_histogram_edges(agent->core));
    peer->heard = WALL(85);
    clock_relation_observe(&peer->clock, OUTBOUND, SPAN_MS(3500), MOMENT(100).instant);
    clock_relation_observe(&peer->clock, INBOUND, SPAN_MS(-2500), MOMENT(100).instant);
    fill_agent(agent);
    fill_exchanges(&agent->exchanges);
    agent->alertmanager = (struct alertmanager_figures){.configured = true,
                                                        .answers = true,
                                                        .answered = WALL(95),
                                                        .failures = 2,
                                                        .windows = 1,
                                                        .unused = 3};
    struct window window = {.id = "w-1",
                            .revision = 1,
                            .server = "mx02",
                            .kind = WINDOW_EMERGENCY,
                            .begin = WALL(50),
                            .end = WALL(500)};
    core_restore_window(agent->core, &window);
    strcpy(window.id, "w-2");
    strcpy(window.server, "mx01"); // that mx02 does not know of
    core_restore_window(agent->core, &window);
    struct incident incident = {.id = 3,
                                .kind = INCIDENT_SILENT,
                                .severity = SEVERITY_CRITICAL,
                                .subject_text = "mx02->mx01",
                                .began = WALL(1),
                                .opened = WALL(2)};
    core_restore_incident(agent->core, &incident, MOMENT(3));
    struct incident overrun = {.id = 4,
                               .kind = INCIDENT_OVERRUN,
                               .severity = SEVERITY_CRITICAL,
                               .subject_text = "mx02",
                               .began = WALL(-1087),
                               .opened = WALL(2),
                               .aftermath = {.planned_end = WALL(-1087)}};
    core_restore_incident(agent->core, &overrun, MOMENT(3));
    ((struct incident_counts *)core_incident_counts(agent->core, INCIDENT_SLOW, SEVERITY_WARNING))
        ->flaps = 2;
}

static void test_everything_as_expected(void **state)
{
    struct agent *agent = *state;
    fill(agent);
    char *rendered = render(agent, METRICS_PROMETHEUS);
    char *expected = agent_fixture_read("metrics.expected");
    assert_string_equal(rendered, expected);
    free(rendered);
    free(expected);
}

// The names of a sample's labels but the edge of a bucket: "peer, direction".
static void append_label_names(const char *sample, struct text *out)
{
    size_t end = strcspn(sample, "\n");
    for (const char *at = strchr(sample, '{'); at != NULL && at < sample + end;
         at = strstr(at, "\",")) {
        at += *at == '{' ? 1 : 2;
        size_t length = strcspn(at, "=");
        if (strncmp(at, "le=", 3) != 0) {
            text_append(out, out->length > 0 ? ", " : "");
            text_append_bytes(out, at, length);
        }
    }
}

// The first sample behind the family's header; NULL when it has none here.
static const char *find_sample(const char *rendered, const char *name)
{
    char header[128];
    struct text text = TEXT_OVER(header);
    text_format(&text, "# TYPE %s ", name);
    const char *line = strstr(rendered, header);
    assert_non_null(line);
    line = strchr(line, '\n') + 1;
    return *line == '#' || *line == '\0' ? NULL : line;
}

static void test_labels_are_those_that_the_table_says(void **state)
{
    fill(*state);
    size_t compared = 0, place = 0;
    char *rendered = render(*state, METRICS_PROMETHEUS);
    for (; metric_family_at(place) != NULL; place++) {
        const struct metric_family *family = metric_family_at(place);
        const char *sample = find_sample(rendered, family->name);
        char names[128];
        struct text text = TEXT_OVER(names);
        if (sample != NULL) {
            append_label_names(sample, &text);
            assert_string_equal(names, family->labels);
            compared++;
        }
    }
    assert_true(compared + 3 >= place); // some need what this test has not
    free(rendered);
}

static void assert_valid(struct agent *agent)
{
    for (int format = METRICS_PROMETHEUS; format <= METRICS_OPENMETRICS; format++) {
        struct error error = {0};
        char *rendered = render(agent, (enum metrics_format)format);
        metrics_check(rendered, format == METRICS_OPENMETRICS, &error);
        assert_string_equal(error.message, "");
        free(rendered);
    }
}

static void test_valid_with_everything(void **state)
{
    fill(*state);
    assert_valid(*state);
}

static void test_valid_with_nothing(void **state)
{
    assert_valid(*state);
}

static void test_valid_without_peers(void **state)
{
    (void)state;
    struct agent *agent = agent_fixture_create(0);
    assert_valid(agent);
    agent_fixture_destroy(agent);
}

static void test_valid_with_many_peers(void **state)
{
    (void)state;
    struct agent *agent = agent_fixture_create(40);
    assert_valid(agent);
    agent_fixture_destroy(agent);
}

static void test_zero_is_exported_but_no_latency_without_arrival(void **state)
{
    char *rendered = render(*state, METRICS_PROMETHEUS);
    assert_non_null(strstr(rendered, "\nmailflow_probes_sent_total{peer=\"mx02\"} 0\n"));
    assert_non_null(strstr(rendered, "\nmailflow_last_arrival_timestamp_seconds"
                                     "{peer=\"mx02\",direction=\"inbound\"} 0\n"));
    assert_null(strstr(rendered, "\nmailflow_delivery_latency_last_seconds"));
    free(rendered);
}

// Each piece must fit into what the HTTP side has for one.
static void test_pieces_are_small(void **state)
{
    static char piece[16 * 1024];
    struct agent *agent = *state;
    fill(agent);
    struct histogram_edges *edges = (struct histogram_edges *)core_histogram_edges(agent->core);
    for (double edge = 0.123456789; edges->count < HISTOGRAM_EDGES_MAXIMUM; edge += 1) {
        histogram_edges_add(edges, edge);
    }
    struct metrics_view view = {.core = agent->core,
                                .now = MOMENT(0),
                                .version = "1",
                                .exchanges = &agent->exchanges,
                                .peer_sources = &(struct peer_sources){SOURCES, 2}};
    struct metrics_cursor cursor = metrics_begin(&view, METRICS_OPENMETRICS);
    for (bool more = true; more;) {
        struct text out = TEXT_OVER(piece);
        more = metrics_next(&cursor, &out);
        assert_false(out.truncated);
    }
}

// The checker itself must see what it is there for.
static void test_checker_refuses(void **state)
{
    static const struct {
        bool openmetrics;
        const char *text;
    } CASES[] = {
        {false, ""},
        {false, "# HELP a b\n# TYPE a gauge\na 1"},
        {false, "# HELP a b\n# TYPE a gauge\na 1\na 2\n"},
        {false, "# HELP a b\n# TYPE a gauge\na{x=\"1\"} 1\na{x=\"1\"} 2\n"},
        {false, "# HELP a b\n# TYPE a gauge\na 1\n# HELP a b\n# TYPE a gauge\na{x=\"1\"} 1\n"},
        {false, "# HELP a b\n# TYPE a gauge\nb 1\n"},
        {false, "# HELP a b\na 1\n"},
        {false, "# TYPE a gauge\na 1\n"},
        {false, "# HELP a b\n# TYPE a gauge\na NaN\n"},
        {false, "# HELP a b\n# TYPE a gauge\na x\n"},
        {false, "# HELP a b\n# TYPE a gauge\na{x=\"\\x\"} 1\n"},
        {false, "# HELP a b\n# TYPE a gauge\na{x=1} 1\n"},
        {false, "# HELP a b\n# TYPE a counter\na 1\n"},
        {false, "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n"},
        {false, "# HELP a b\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n"},
        {true, "# HELP a b\n# TYPE a gauge\na 1\n"},
        {true, "# HELP a_total b\n# TYPE a_total counter\na_total 1\n# EOF\n"},
        {true, "# HELP a b\n# TYPE a gauge\na 1\n# EOF\na 1\n"},
        {true, "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\n"
               "a_sum 1\na_count 1\n# EOF\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct error error = {0};
        assert_false(metrics_check(CASES[i].text, CASES[i].openmetrics, &error));
        assert_string_not_equal(error.message, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_everything_as_expected, setup, teardown),
        cmocka_unit_test_setup_teardown(test_labels_are_those_that_the_table_says, setup, teardown),
        cmocka_unit_test_setup_teardown(test_valid_with_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(test_valid_with_nothing, setup, teardown),
        cmocka_unit_test(test_valid_without_peers),
        cmocka_unit_test(test_valid_with_many_peers),
        cmocka_unit_test_setup_teardown(test_zero_is_exported_but_no_latency_without_arrival, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_pieces_are_small, setup, teardown),
        cmocka_unit_test(test_checker_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
