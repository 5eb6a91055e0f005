// Peers out of lists: files in file_sd format and kept answers of the DNS, templates and labels,
// what overlaps, what is broken, who is picked, and how many there may be.
#include "config_lists.h"

// ---- what is in a list ----

static void test_a_list_of_groups(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json",
                              "[\n"
                              " {\"targets\": [\"mx01.example.net:9925\",\n"
                              "              \"mx02.example.net:9925\"],\n"
                              "  \"labels\": {\"job\": \"mail\", \"__meta_x\": \"\"}},\n"
                              " {\"targets\":[\"192.0.2.7\"],\"labels\":{\n"
                              "  \"mailflow_server\":\"relay\",\"mailflow_address\":\"r@x.org\",\n"
                              "  \"mailflow_agent\":\"\",\"mailflow_mail_server\":\"[::1]:25\"}}\n"
                              "]\n");
    struct settings *settings =
        accept(MESH "defaults: {interval: 2m}\nrelay: {port: 2525}\n"
                    "peers_from: [{files: [\"@/peers/*.json\"], address: \"probe+{name}@{host}\",\n"
                    "  agent: \"https://{host}:{port}\", latency: {warning: 5s}}]\n");
    expect_peers(settings, "mx01 relay"); // and not ourselves
    const struct peer_settings *mx01 = peer(settings, "mx01"), *relay = peer(settings, "relay");
    assert_string_equal(mx01->address, "probe+mx01@mx01.example.net");
    assert_string_equal(mx01->agent, "https://mx01.example.net:9925");
    assert_string_equal(mx01->collect, "");
    assert_int_equal(mx01->relay.port, 2525);
    assert_int_equal(mx01->path.interval.ns, SPAN_MINUTES(2).ns);
    assert_int_equal(mx01->path.latency.warning.ns, SPAN_SECONDS(5).ns);
    assert_int_equal(mx01->path.latency.critical.ns, SPAN_MINUTES(5).ns);
    assert_string_equal(mx01->origin, placed("@/peers/a.json"));
    assert_int_equal(mx01->line, 2);
    assert_int_equal(mx01->reasons, PEER_LISTED);
    assert_string_equal(relay->address, "r@x.org");
    assert_string_equal(relay->agent, "");
    assert_string_equal(relay->mail_server, "[::1]:25");
    assert_int_equal(settings->mesh_count, 3);
    assert_false(settings->unlisted);
    settings_destroy(settings);
}

static void test_yaml_and_templates(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.yml",
                              "- targets: [a.example.net, a.example.org]\n"
                              "- targets: [\"[2001:db8::1]:9925\"]\n"
                              "  labels: {mailflow_server: six, mailflow_address: a@b}\n"
                              "- targets: [mx02.example]\n"
                              "  labels: {mailflow_server: mx02}\n");
    struct settings *settings =
        accept(MESH "peers_from: [{files: [\"@/peers/a.yml\"], name: \"{host}\",\n"
                    "  address: \"{label}@example.net\", agent: \"http://{host}\"}]\n");
    expect_peers(settings, "a-example-net a-example-org six");
    assert_string_equal(peer(settings, "six")->agent, "http://[2001:db8::1]");
    assert_string_equal(peer(settings, "a-example-org")->address, "a@example.net");
    settings_destroy(settings);
}

static void test_a_name_that_was_asked_for(void **state)
{
    (void)state;
    assert_int_equal(mkdir("state", 0700), 0);
    static const char YAML[] = MESH "state_dir: @/state\n"
                                    "peers_from: [{srv: _mailflow._tcp.example.net}]\n";
    struct settings *settings = accept(YAML);
    assert_string_equal(settings->lists[0].failure, "no answer is known yet");
    expect_peers(settings, "");
    assert_int_equal(mkdir("state/peers", 0700), 0);
    config_fixture_write_text(
        "state/peers/_mailflow._tcp.example.net.json",
        "[{\"targets\": [\"mx02.example.net:9925\", \"mx03.example.net:1\"]}]");
    settings = reread(settings, "");
    expect_peers(settings, "mx03");
    assert_string_equal(peer(settings, "mx03")->origin, "_mailflow._tcp.example.net");
    assert_int_equal(peer(settings, "mx03")->line, 0);
    settings_destroy(settings);
}

static void test_a_kept_answer_that_is_broken(void **state)
{
    (void)state;
    config_fixture_write_text("peers/s.example.json", "[{\"targets\": [\"mx03.x:1\",");
    struct settings *settings = load(
        MESH "state_dir: @\npeers_from: [{srv: s.example}]\n",
        "@/peers/s.example.json:2:1: warning: did not find expected node content while parsing "
        "a flow node: no peer comes of it until it can be read\n");
    expect_peers(settings, "");
    settings_destroy(settings);
}

static void test_configured_peers_win(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json",
                              "[{\"targets\": [\"mx02.x\", \"mx01.x\", \"mx03.x\", \"mx05.x\"]}]");
    struct settings *settings = accept(
        MESH "peers: [{name: mx03, address: own@mx03}, {name: mx04, address: own@mx04}]\n" FILES);
    expect_peers(settings, "mx03 mx04 mx01 mx05");
    assert_string_equal(peer(settings, "mx03")->address, "own@mx03");
    assert_string_equal(peer(settings, "mx03")->origin, MAIN_FILE);
    assert_int_equal(peer(settings, "mx03")->line, 4);
    assert_int_equal(peer(settings, "mx03")->reasons, PEER_CONFIGURED | PEER_LISTED);
    assert_int_equal(peer(settings, "mx04")->reasons, PEER_CONFIGURED);
    assert_true(settings_in_mesh(settings, "mx02") && settings_in_mesh(settings, "mx04"));
    assert_false(settings_in_mesh(settings, "mx06"));
    settings_destroy(settings);
}

static void test_the_same_server_in_two_lists_is_one(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json", "[{\"targets\": [\"mx01.x\", \"mx02.x\"]}]");
    config_fixture_write_text("peers/b.json", "[{\"targets\": [\"mx01.x\"]}]");
    struct settings *settings = accept(MESH FILES);
    expect_peers(settings, "mx01");
    assert_int_equal(settings->list_count, 2);
    settings_destroy(settings);
}

// ---- what is wrong ----

static void test_bad_sources(void **state)
{
    (void)state;
    static const struct {
        const char *source, *expected;
    } CASES[] = {
        {"{}", "4:14: a source of peers has `files` or `srv`, one of them\n"},
        {"{files: [/a], srv: b}", "4:33: a source of peers has `files` or `srv`, not both\n"},
        {"{files: [\"/etc/*/a.json\"]}",
         "4:23: files: only the last part of a path may be a pattern\n"},
        {"{srv: b, address: \"x@{hots}\"}",
         "4:32: address: what '{hots}' begins with is none of {label}, {host}, {name}, {port}\n"},
        {"{srv: b, name: \"{port}\"}",
         "4:29: name: what '{port}' begins with is none of {label}, {host}\n"},
        {"{srv: b, latency: {warning: 1h}}", "4:42: latency: warning is above critical\n"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char yaml[1024];
        snprintf(yaml, sizeof yaml, MESH "peers_from: [%s]\n", CASES[i].source);
        config_fixture_refuse(yaml, CASES[i].expected);
    }
    config_fixture_write_text("peers/a.json", "- targets: [mx02.x]");
    config_fixture_refuse(
        placed(MESH "peers_from: [{refresh: 0s, relay: {}, files: [\"@/peers/a.json\"]}]\n"),
        "4:24: refresh: 0s is out of range: 1s to 1d\n4:28: unknown key 'relay'\n");
}

static void test_bad_lists(void **state)
{
    (void)state;
    static const struct {
        const char *list, *expected;
    } CASES[] = {
        {"", ":1:1: it must be a list of groups, and is empty: where there is no server it is []"},
        {"{}",
         ":1:1: it must be a list of groups, and is empty: where there is no server it is []"},
        {"[{\"targets\": [\"a\"", ":2:1: did not find expected ',' or ']' while parsing a flow "
                                  "sequence"},
        {"a", ":1:1: it must be a list of groups, and is text: where there is no server it is []"},
        {"- a", ":1:3: a group must be a map, not text"},
        {"- labels: {}", ":1:3: targets: must be a list of hosts"},
        {"- targets: a", ":1:12: targets: must be a list of hosts"},
        {"- targets: [a]\n  lables: {}", ":2:3: unknown key 'lables': a group has targets and "
                                         "labels"},
        {"- targets: [a]\n  labels: b", ":2:11: labels: must be a map, not text"},
        {"- targets: [a]\n  labels: {mailflow_adress: b}",
         ":2:12: unknown label 'mailflow_adress' (did you mean 'mailflow_address'?)"},
        {"- targets: [a]\n  labels: {mailflow_server: []}",
         ":2:29: mailflow_server: must be text, not a list"},
        {"- targets: [a]\n  labels: {mailflow_server: a b}",
         ":2:29: mailflow_server: 'a b' is not a server name: 1 to 32 letters, digits, - and _"},
        {"- targets: [a]\n  labels: {mailflow_address: b}",
         ":2:30: mailflow_address: 'b' is not a mail address"},
        {"- targets: [[]]", ":1:13: a target must be text, not a list"},
        {"- targets: [\"a:b\"]", ":1:13: target: 'a:b' is neither a host nor host:port"},
        {"- targets: [192.0.2.1]", ":1:13: name: 192.0.2.1 makes no name: give it one with the "
                                   "label mailflow_server"},
        {"- targets: [a12345678901234567890123456789012.x]",
         ":1:13: name: is longer than 32 bytes"},
        {"- targets: [a.x, mx02]\n- targets: [b.x]\n  labels: {mailflow_server: a}",
         ":2:1: 'a' is another server than the one of this name at @/peers/a.json:1: probe@b.x "
         "here, probe@a.x there"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char expected[512];
        config_fixture_write_text("peers/a.json", CASES[i].list);
        snprintf(expected, sizeof expected, "@/peers/a.json%s\n", CASES[i].expected);
        assert_null(load(MESH FILES, expected));
    }
    config_fixture_write_text("peers/a.json", "- targets: [a]");
    assert_null(load(MESH "peers_from: [{files: [\"@/peers/a.json\"], agent: \"http://x:{port}\"}]",
                     "@/peers/a.json:1:13: agent: the target has no port for {port}\n"));
}

static void test_what_differs_is_said_with_both_places(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json", "[{\"targets\":\n[\"mx01.x\"]}]");
    config_fixture_write_text("peers/b.json", "[{\"targets\":\n\n[\"mx02.y\",\"mx01.y\"]}]");
    assert_null(load(MESH FILES, "@/peers/b.json:3:1: 'mx01' is another server than the one of "
                                 "this name at @/peers/a.json:2: probe@mx01.y here, probe@mx01.x "
                                 "there\n"));
    config_fixture_write_text("peers/b.json", "[{\"targets\":\n\n[\"mx02.y\",\"mx01.x\"]}]");
    assert_null(load(MESH "peers_from: [{files: [\"@/peers/a.json\"]}, {files: "
                          "[\"@/peers/b.json\"], interval: 5m}]\n",
                     "@/peers/b.json:3:1: 'mx01' is another server than the one of this name at "
                     "@/peers/a.json:2: its address is the same, other values differ\n"));
}

static void test_lists_that_are_not_there_may_come_later(void **state)
{
    (void)state;
    struct settings *settings =
        load(MESH "peers_from: [{files: [\"@/peers/*.json\", \"@/peers/a.yml\", \"@/no/*\"]}]\n",
             "@/peers/*.json: warning: no file matches: no peer comes of it until one does\n"
             "@/peers/a.yml: warning: No such file or directory: no peer comes of it until it can "
             "be read\n"
             "@/no/*: warning: No such file or directory: no peer comes of it until one does\n");
    expect_peers(settings, "");
    settings = reread(settings, ""); // what is known is not said again
    config_fixture_write_text("peers/a.yml", "- targets: [mx02.x, mx03.x]");
    config_fixture_write_text("peers/a.json", "- targets: [mx04.x]");
    settings = reread(settings, "");
    expect_peers(settings, "mx03 mx04");
    settings_destroy(settings);
}

static void test_a_server_that_is_in_no_list(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json", "- targets: [mx01.x]");
    struct settings *settings =
        load(MESH FILES, "@/peers/a.json: warning: this server, 'mx02', is in no list: the others "
                         "do not know that it is to be watched\n");
    assert_true(settings->unlisted);
    expect_peers(settings, "mx01");
    config_fixture_write_text("peers/a.json", "- targets: [mx01.x, mx03.x]");
    settings = reread(settings, ""); // it is known
    expect_peers(settings, "mx01 mx03");
    settings_destroy(settings);
}

// ---- fanout ----

static void test_fanout_picks(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json",
                              "- targets: [mx01.x, mx02.x, mx03.x, mx04.x, mx05.x, mx06.x, mx07.x, "
                              "mx08.x, mx09.x, mx10.x]");
    struct settings *settings =
        accept("server: mx01\n" KEYS MAILBOXES FILES
               "fanout: 2\nmaintenance: {windows: [{server: mx08, start: 2026-01-04T02:00, for: "
               "15m}]}\n"
               "peers: [{name: mx09, address: a@b}, {name: mx10, address: a@b}]\n");
    expect_peers(settings, "mx09 mx10 mx02 mx03 mx04 mx05 mx07"); // see test_rendezvous.c
    assert_int_equal(peer(settings, "mx09")->reasons, PEER_CONFIGURED);
    assert_int_equal(peer(settings, "mx10")->reasons, PEER_CONFIGURED | PEER_WATCHED);
    assert_int_equal(peer(settings, "mx02")->reasons, PEER_WATCHER);
    assert_int_equal(peer(settings, "mx07")->reasons, PEER_WATCHED);
    assert_true(settings_in_mesh(settings, "mx08"));
    uint8_t reasons[10];
    settings_pick_peers(settings, "mx02", reasons);
    assert_int_equal(reasons[0], PEER_WATCHED); // mx02 watches mx01
    assert_int_equal(reasons[1], 0);
    settings_destroy(settings);
}

static void test_windows_of_servers_that_lists_may_bring(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json", "- targets: [mx02.x, mx01.x]");
    struct settings *settings =
        load(MESH FILES "maintenance: {windows: [{server: mx03, start: 2026-01-04T02:00, for: "
                        "15m}]}\n",
             "mailflow.yaml:5:34: warning: server: 'mx03' is not in the mesh now: it is neither "
             "this server nor a peer nor in a list\n");
    settings_destroy(settings);
}

// ---- size ----

static void write_many(const char *path, unsigned count)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("[\n", file);
    for (unsigned i = 0; i < count; i++) {
        fprintf(file,
                "%s{\"targets\": [\"mx%05u.example.net:9925\"], \"labels\": {\"mailflow_address\": "
                "\"probe@mx%05u.example.net\", \"site\": \"a\"}}\n",
                i == 0 ? "" : ",", i, i);
    }
    fputs("]\n", file);
    fclose(file);
}

static void test_ten_thousand_servers(void **state)
{
    (void)state;
    enum { SERVERS = 10000 };
    write_many("peers/a.json", SERVERS);
    struct instant begin = clock_now().instant;
    struct settings *settings = accept("server: mx00007\n" KEYS MAILBOXES FILES "fanout: 4\n");
    struct span first = instant_since(clock_now().instant, begin);
    assert_int_equal(settings->mesh_count, SERVERS);
    assert_in_range(settings->peer_count, 4, 30);
    begin = clock_now().instant;
    settings = reread(settings, "");
    struct span again = instant_since(clock_now().instant, begin);
    printf("%d servers in a list: loaded in %.3f s, reread in %.3f s, %zu peers\n", SERVERS,
           span_seconds(first), span_seconds(again), settings->peer_count);
    assert_in_range(first.ns + again.ns, 0, SPAN_SECONDS(10).ns); // with sanitizers
    settings_destroy(settings);
    settings = accept("server: mx00007\n" KEYS MAILBOXES FILES);
    assert_int_equal(settings->peer_count, SERVERS - 1);
    settings_destroy(settings);
}

static void test_too_many_servers(void **state)
{
    (void)state;
    write_many("peers/a.json", 15000);
    write_many("peers/b.json", 15000);
    assert_null(load("server: mx00007\n" KEYS MAILBOXES FILES,
                     "@/peers/b.json:5002:15: more than 20000 servers in all lists\n"));
}

static void test_too_large_a_list(void **state)
{
    (void)state;
    FILE *file = fopen("peers/a.json", "w");
    assert_non_null(file);
    for (int i = 0; i < 8 * 1024 * 1024; i++) {
        fputc(' ', file);
    }
    fputs("[]", file);
    fclose(file);
    assert_null(load(MESH FILES, "@/peers/a.json: is longer than 8388608 bytes\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_list_of_groups),
        TEST(test_yaml_and_templates),
        TEST(test_a_name_that_was_asked_for),
        TEST(test_a_kept_answer_that_is_broken),
        TEST(test_configured_peers_win),
        TEST(test_the_same_server_in_two_lists_is_one),
        TEST(test_bad_sources),
        TEST(test_bad_lists),
        TEST(test_what_differs_is_said_with_both_places),
        TEST(test_lists_that_are_not_there_may_come_later),
        TEST(test_a_server_that_is_in_no_list),
        TEST(test_fanout_picks),
        TEST(test_windows_of_servers_that_lists_may_bring),
        TEST(test_ten_thousand_servers),
        TEST(test_too_many_servers),
        TEST(test_too_large_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
