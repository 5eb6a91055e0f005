// A good configuration: what it says, what it leaves to defaults, and what is made of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include <cmocka.h>

#include "base/clock.h"
#include "config/keys.h"
#include "config/reference.h"
#include "config_fixture.h"
#include "patience.h"
#include "probes/probe.h"

static const char MAIN_FILE[] = "mailflow.yaml";

static void test_the_least_gives_every_default(void **state)
{
    (void)state;
    struct settings *settings = config_fixture_accept(LEAST);
    assert_string_equal(settings->server, "mx02");
    assert_string_equal(settings->address, "probe@mx02.example");
    assert_string_equal(settings->state_dir, "/var/lib/mailflow");
    assert_int_equal(settings->retention.ns, SPAN_HOURS(30 * 24).ns);
    assert_int_equal(settings->http.listen_count, 1);
    assert_string_equal(settings->http.listen[0], "127.0.0.1:9925");
    assert_string_equal(settings->http.control, "/run/mailflow/control.sock");
    assert_int_equal(settings->syslog.facility, LOG_MAIL);
    assert_string_equal(settings->syslog.socket, "/dev/log");
    assert_int_equal(settings->maintenance.settle.ns, SPAN_MINUTES(5).ns);
    assert_int_equal(settings->maintenance.recovery.ns, SPAN_SECONDS(4900).ns);
    assert_int_equal(settings->incidents.hold.ns, 0);
    assert_int_equal(settings->incidents.reminder.ns, SPAN_HOURS(4).ns);
    assert_int_equal(settings->incidents.blind_after.ns, SPAN_MINUTES(2).ns);
    assert_int_equal(settings->incidents.refused_after, 3);
    assert_int_equal(settings->incidents.slow_late, 3);
    assert_int_equal(settings->incidents.slow_of, 5);
    assert_int_equal(settings->incidents.rerouted_after, 3);
    assert_int_equal(settings->incidents.close_after, 2);
    settings_destroy(settings);
}

static void test_the_least_gives_every_default_of_servers(void **state)
{
    (void)state;
    struct settings *settings = config_fixture_accept(LEAST);
    const struct mailbox_settings *mailbox = &settings->mailboxes[0];
    assert_int_equal(mailbox->port, 143);
    assert_int_equal(mailbox->tls, TLS_STARTTLS);
    assert_false(mailbox->insecure);
    assert_string_equal(mailbox->ca_file, "");
    assert_int_equal(mailbox->folder_count, 1);
    assert_string_equal(mailbox->folders[0], "INBOX");

    const struct peer_settings *peer = &settings->peers[0];
    assert_string_equal(peer->agent, "");
    assert_string_equal(peer->collect, "");
    assert_string_equal(peer->relay.host, "127.0.0.1");
    assert_int_equal(peer->relay.port, 25);
    assert_int_equal(peer->relay.tls, TLS_NONE);
    assert_string_equal(peer->relay.user, "");
    assert_string_equal(peer->relay.password, "");
    assert_int_equal(peer->path.interval.ns, SPAN_SECONDS(60).ns);
    assert_int_equal(peer->path.latency.warning.ns, SPAN_SECONDS(60).ns);
    assert_int_equal(peer->path.latency.critical.ns, SPAN_MINUTES(5).ns);
    assert_int_equal(peer->path.thin_after, 8);
    assert_int_equal(peer->path.thin_interval.ns, SPAN_MINUTES(15).ns);
    assert_int_equal(peer->path.queue_lifetime.ns, SPAN_HOURS(5 * 24 + 12).ns);
    settings_destroy(settings);
}

static void test_mailboxes_have_the_port_of_their_tls(void **state)
{
    (void)state;
    struct settings *settings = config_fixture_accept(
        SERVER KEYS PEERS "mailboxes:\n"
                          "- {name: a, host: a.x, user: a@x, " PASSWORD ", tls: implicit}\n"
                          "- {name: b, host: localhost, user: b, " PASSWORD ", tls: none}\n"
                          "- {name: c, host: c.x, user: c, " PASSWORD ", tls: none,\n"
                          "   insecure: true, port: 1143, folders: [INBOX, \"Junk \\\"x\\\"\"]}\n");
    assert_int_equal(settings->mailboxes[0].port, 993);
    assert_int_equal(settings->mailboxes[1].port, 143);
    assert_int_equal(settings->mailboxes[2].port, 1143);
    assert_string_equal(settings->mailboxes[2].folders[1], "Junk \"x\"");
    assert_string_equal(settings->address, "a@x");
    assert_int_equal(settings_find_mailbox(settings, "c"), 2);
    assert_int_equal(settings_find_mailbox(settings, "d"), -1);
    settings_destroy(settings);
}

// The order of the keys in the file does not matter; what a peer says itself comes before.
static void test_peers_inherit(void **state)
{
    (void)state;
    struct settings *settings =
        config_fixture_accept("peers:\n"
                              "- name: a\n"
                              "  address: a@x\n"
                              "- name: b\n"
                              "  address: b@x\n"
                              "  interval: 5m\n"
                              "  latency: {critical: 1h}\n"
                              "  thin_after: 2\n"
                              "  queue_lifetime: 2d\n"
                              "  agent: https://b.x:9925\n"
                              "  relay: {host: b.x, tls: starttls}\n" SERVER KEYS MAILBOXES
                              "defaults: {latency: {warning: 10s}, thin_interval: 30m}\n"
                              "relay: {port: 2525}\n");
    const struct peer_settings *a = &settings->peers[0];
    const struct peer_settings *b = &settings->peers[1];
    assert_int_equal(a->path.latency.warning.ns, SPAN_SECONDS(10).ns);
    assert_int_equal(a->path.latency.critical.ns, SPAN_MINUTES(5).ns);
    assert_int_equal(a->path.thin_interval.ns, SPAN_MINUTES(30).ns);
    assert_int_equal(a->relay.port, 2525);
    assert_int_equal(b->path.interval.ns, SPAN_MINUTES(5).ns);
    assert_int_equal(b->path.latency.warning.ns, SPAN_SECONDS(10).ns);
    assert_int_equal(b->path.latency.critical.ns, SPAN_HOURS(1).ns);
    assert_int_equal(b->path.thin_after, 2);
    assert_int_equal(b->path.queue_lifetime.ns, SPAN_HOURS(48).ns);
    assert_string_equal(b->agent, "https://b.x:9925");
    assert_string_equal(b->relay.host, "b.x");
    assert_int_equal(b->relay.port, 25);
    settings_destroy(settings);
}

static void expect_warning(const char *yaml, const char *expected)
{
    config_fixture_write_text(MAIN_FILE, yaml);
    struct config_problems problems;
    struct settings *settings = settings_load(MAIN_FILE, &problems);
    assert_non_null(settings);
    assert_string_equal(config_fixture_problems(&problems), expected);
    assert_int_equal(problems.errors, 0);
    settings_destroy(settings);
}

static void test_warnings_let_it_pass(void **state)
{
    (void)state;
    expect_warning(SERVER KEYS MAILBOXES,
                   "mailflow.yaml:1:1: warning: no peers: there is nothing to probe\n");
    expect_warning(SERVER KEYS MAILBOXES "peers: []\n",
                   "mailflow.yaml:4:8: warning: no peers: there is nothing to probe\n");
    expect_warning(LEAST "relay: {tls: starttls, insecure: true}\n",
                   "mailflow.yaml:5:34: warning: insecure: has no effect without tls: none\n");
}

// The whole of a file of the source tree, for the caller to free.
static char *read_source(const char *path)
{
    enum { LONGEST = 1 << 16 };
    FILE *file = fopen(config_fixture_source(path), "r");
    assert_non_null(file);
    char *text = calloc(1, LONGEST);
    assert_non_null(text);
    assert_in_range(fread(text, 1, LONGEST - 1, file), 1, LONGEST - 2);
    fclose(file);
    return text;
}

// A copy with every `from` replaced by `to`; the original is freed.
static char *replace_all(char *text, const char *from, const char *to)
{
    char *copy = NULL;
    size_t length;
    FILE *out = open_memstream(&copy, &length);
    assert_non_null(out);
    const char *at = text;
    for (const char *next; (next = strstr(at, from)) != NULL; at = next + strlen(from)) {
        fprintf(out, "%.*s%s", (int)(next - at), at, to);
    }
    fputs(at, out);
    fclose(out);
    free(text);
    return copy;
}

// Takes the comment sign off every line that has a key behind it.
static void uncomment_keys(char *text)
{
    for (char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        char *sign = line + strspn(line, " ");
        const char *key = sign + 1 + strspn(sign + 1, " ");
        key += strncmp(key, "- ", 2) == 0 ? 2 : 0;
        size_t length = strspn(key, "abcdefghijklmnopqrstuvwxyz_");
        if (sign[0] == '#' && sign[1] == ' ' && length > 0 && key[length] == ':') {
            memmove(sign, sign + 2, strlen(sign + 2) + 1);
        }
    }
}

// What its peers_from names. Only the first of two tests has to make the folders.
static void make_lists(void)
{
    mkdir("peers", 0700);
    mkdir("state", 0700);
    mkdir("state/peers", 0700);
    config_fixture_write_text("peers/a.json", "[{\"targets\": [\"mx07.example.net:9925\", "
                                              "\"mx02.example.net:9925\"]}]");
    config_fixture_write_text("state/peers/_mailflow._tcp.example.net.json",
                              "[{\"targets\": [\"mx08.example.net\"]}]");
}

// The example with its secrets made and their folder moved into the fixture.
static char *example(void)
{
    config_fixture_write("relay.password", "hunter2-relay", 13, 0600);
    config_fixture_write("probe.password", "hunter2-probe", 13, 0600);
    config_fixture_write("gmail.password", "hunter2-gmail", 13, 0600);
    config_fixture_write("ca.pem", "a certificate", 13, 0644);
    config_fixture_write_text("mx02.pem", "-----BEGIN CERTIFICATE-----\nA\n");
    config_fixture_write("mx02.key", "-----BEGIN PRIVATE KEY-----\nB\n", 30, 0600);
    config_fixture_write("http.token", "hunter2-hunter2-hunter2", 23, 0600);
    config_fixture_write_text("maintenance.ics", "");
    make_lists();
    char *text = replace_all(read_source("config/mailflow.yaml.example"), "/etc/mailflow",
                             config_fixture_directory());
    char state_dir[128];
    snprintf(state_dir, sizeof state_dir, "state_dir: %s/state", config_fixture_directory());
    text = replace_all(text, "# state_dir: /var/lib/mailflow", state_dir);
    return replace_all(text, "flags_dir: /var/lib/mailflow/maintenance", "flags_dir: /var/lib");
}

static char *print_effective(const struct settings *settings)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    settings_print_effective(settings, out);
    fclose(out);
    return text;
}

static void test_the_example_loads(void **state)
{
    (void)state;
    char *text = example();
    struct settings *settings = config_fixture_accept(text);
    assert_int_equal(settings->mailbox_count, 1);
    assert_string_equal(settings->mailboxes[0].password, "hunter2-probe");
    assert_int_equal(settings->peer_count, 1);
    assert_string_equal(settings->peers[0].agent, "");
    settings_destroy(settings);
    free(text);
}

// What is commented out in the example says "the default is": so it changes nothing but what has
// none.
static void test_the_example_loads_with_all_it_shows(void **state)
{
    (void)state;
    char *text = example();
    uncomment_keys(text);
    struct settings *settings = config_fixture_accept(text);
    assert_string_equal(settings->relay.user, "probe@mx02.example");
    assert_int_equal(settings->mailboxes[0].folder_count, 2);
    assert_int_equal(settings->mailboxes[1].port, 993);
    assert_string_equal(settings->http.certificate, "-----BEGIN CERTIFICATE-----\nA\n");
    assert_string_equal(settings->http.key, "-----BEGIN PRIVATE KEY-----\nB\n");
    assert_string_equal(settings->http.token, "hunter2-hunter2-hunter2");
    assert_string_equal(settings->peers[0].agent, "https://mx01.example:9925");
    assert_string_equal(settings->peers[0].mail_server, "mx01.example:25");
    assert_string_equal(settings->peers[1].collect, "gmail-box");
    assert_string_equal(settings->peers[1].relay.password, "hunter2-gmail");
    assert_int_equal(settings->peer_count, 4);
    assert_string_equal(settings->peers[2].name, "mx07");
    assert_string_equal(settings->peers[2].agent, "https://mx07.example.net:9925");
    assert_int_equal(settings->peers[2].path.interval.ns, SPAN_MINUTES(2).ns);
    assert_string_equal(settings->peers[3].address, "probe@mx08.example.net");
    assert_int_equal(settings->incidents.hold.ns, SPAN_SECONDS(60).ns);
    assert_int_equal(settings->maintenance.calendar_count, 1);
    assert_string_equal(settings->maintenance.flags_dir, "/var/lib");
    assert_int_equal(settings->maintenance.window_count, 1);
    assert_string_equal(settings->maintenance.windows[0].kind, "routine");
    settings_destroy(settings);
    free(text);
}

static void test_what_is_printed_loads_again(void **state)
{
    (void)state;
    char *text = example();
    uncomment_keys(text);
    struct settings *settings = config_fixture_accept(text);
    char *first = print_effective(settings);
    settings_destroy(settings);
    settings = config_fixture_accept(first);
    char *second = print_effective(settings);
    settings_destroy(settings);
    assert_string_equal(first, second);
    assert_null(strstr(first, "hunter2"));
    assert_null(strstr(first, "0123456789abcdef"));
    free(first);
    free(second);
    free(text);
}

static void test_the_effective_configuration(void **state)
{
    (void)state;
    struct settings *settings = config_fixture_accept(LEAST);
    char *text = print_effective(settings);
    assert_string_equal(text, "server: \"mx02\"\n"
                              "address: \"probe@mx02.example\"\n"
                              "state_dir: \"/var/lib/mailflow\"\n"
                              "retention: 30d\n"
                              "mesh_keys:\n"
                              "  - id: \"k1\"\n"
                              "    file: \"mesh.key\"\n"
                              "relay:\n"
                              "  host: \"127.0.0.1\"\n"
                              "  port: 25\n"
                              "  tls: none\n"
                              "  insecure: false\n"
                              "  oauth:\n"
                              "    token_command: []\n"
                              "    mechanism: \"auto\"\n"
                              "http:\n"
                              "  listen: [\"127.0.0.1:9925\"]\n"
                              "  control: \"/run/mailflow/control.sock\"\n"
                              "syslog:\n"
                              "  facility: mail\n"
                              "  socket: \"/dev/log\"\n"
                              "mailboxes:\n"
                              "  - name: \"local\"\n"
                              "    host: \"mx2\"\n"
                              "    port: 143\n"
                              "    tls: starttls\n"
                              "    insecure: false\n"
                              "    user: \"probe@mx02.example\"\n"
                              "    password_file: \"password\"\n"
                              "    oauth:\n"
                              "      token_command: []\n"
                              "      mechanism: \"auto\"\n"
                              "    folders: [\"INBOX\"]\n"
                              "defaults:\n"
                              "  interval: 1m\n"
                              "  latency:\n"
                              "    warning: 1m\n"
                              "    critical: 5m\n"
                              "  thin_after: 8\n"
                              "  thin_interval: 15m\n"
                              "  queue_lifetime: 132h\n"
                              "incidents:\n"
                              "  hold: 0s\n"
                              "  reminder: 4h\n"
                              "  blind_after: 2m\n"
                              "  isolated_after: 2m\n"
                              "  refused_after: 3\n"
                              "  slow_late: 3\n"
                              "  slow_of: 5\n"
                              "  rerouted_after: 3\n"
                              "  close_after: 2\n"
                              "  certificate_expires: 14d\n"
                              "maintenance:\n"
                              "  settle: 5m\n"
                              "  recovery: 4900s\n"
                              "  calendars: []\n"
                              "  windows: []\n"
                              "  alertmanager:\n"
                              "    urls: []\n"
                              "    matcher: \"mailflow_server\"\n"
                              "    interval: 15s\n"
                              "peers:\n"
                              "  - name: \"mx01\"\n"
                              "    address: \"probe@mx01.example\"\n"
                              "    relay:\n"
                              "      host: \"127.0.0.1\"\n"
                              "      port: 25\n"
                              "      tls: none\n"
                              "      insecure: false\n"
                              "      oauth:\n"
                              "        token_command: []\n"
                              "        mechanism: \"auto\"\n"
                              "    interval: 1m\n"
                              "    latency:\n"
                              "      warning: 1m\n"
                              "      critical: 5m\n"
                              "    thin_after: 8\n"
                              "    thin_interval: 15m\n"
                              "    queue_lifetime: 132h\n"
                              "peers_from: []\n"
                              "fanout: 0\n");
    settings_destroy(settings);
    free(text);
}

// config/REFERENCE.md is what the table says; meson.build tells how to make it anew.
static void test_the_reference_is_up_to_date(void **state)
{
    (void)state;
    char *checked_in = read_source("config/REFERENCE.md");
    char *generated = NULL;
    size_t length;
    FILE *out = open_memstream(&generated, &length);
    assert_non_null(out);
    reference_print(out);
    fclose(out);
    assert_string_equal(checked_in, generated);
    free(checked_in);
    free(generated);
}

static void test_ten_thousand_peers(void **state)
{
    (void)state;
    enum { PEER_COUNT = 10000 };
    FILE *file = fopen(MAIN_FILE, "w");
    assert_non_null(file);
    fputs(SERVER KEYS MAILBOXES "peers:\n", file);
    for (int i = 0; i < PEER_COUNT; i++) {
        fprintf(file, "- {name: p%d, address: probe@p%d.example, interval: 5m}\n", i, i);
    }
    fclose(file);
    struct config_problems problems;
    struct moment before = clock_now();
    struct settings *settings = settings_load(MAIN_FILE, &problems);
    struct span took = instant_since(clock_now().instant, before.instant);
    assert_string_equal(config_fixture_problems(&problems), "");
    assert_int_equal(settings->peer_count, PEER_COUNT);
    assert_ptr_equal(settings->peers[0].relay.host, settings->peers[PEER_COUNT - 1].relay.host);
    for (int i = 0; i < PEER_COUNT; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        assert_int_equal(settings_find_peer(settings, name), i);
    }
    assert_int_equal(settings_find_peer(settings, "p"), -1);
    assert_int_equal(settings_find_peer(settings, "p10000"), -1);
    settings_destroy(settings);
    assert_in_range(took.ns, 0, SPAN_SECONDS(1).ns * patience());
}

// What is accepted here goes into the bounded texts of a prober's job.
static void test_texts_fit_a_probers_job(void **state)
{
    (void)state;
    const struct section *relay = key_find(&SETTINGS_SECTION, "relay")->holds;
    const struct section *mailbox = key_find(&SETTINGS_SECTION, "mailboxes")->holds;
    const struct section *peer = key_find(&SETTINGS_SECTION, "peers")->holds;
    assert_in_range(key_find(relay, "host")->maximum, 1, PROBE_HOST_SIZE - 1);
    assert_in_range(key_find(relay, "ca_file")->maximum, 1, PROBE_PATH_SIZE - 1);
    assert_in_range(key_find(relay, "user")->maximum, 1, PROBE_USER_SIZE - 1);
    assert_in_range(key_find(mailbox, "name")->maximum, 1, PROBE_MAILBOX_SIZE - 1);
    assert_in_range(key_find(mailbox, "host")->maximum, 1, PROBE_HOST_SIZE - 1);
    assert_in_range(key_find(mailbox, "ca_file")->maximum, 1, PROBE_PATH_SIZE - 1);
    assert_in_range(key_find(mailbox, "user")->maximum, 1, PROBE_USER_SIZE - 1);
    assert_in_range(key_find(mailbox, "folders")->maximum, 1, PROBE_FOLDERS_MAXIMUM);
    assert_in_range(KEY_LIST_TEXT_MAXIMUM, 1, PROBE_FOLDER_SIZE - 1);
    assert_in_range(key_find(peer, "name")->maximum, 1, SERVER_NAME_SIZE - 1);
    assert_in_range(key_find(peer, "address")->maximum, 1, PROBE_ADDRESS_SIZE - 1);
    assert_in_range(key_find(&SETTINGS_SECTION, "address")->maximum, 1, PROBE_ADDRESS_SIZE - 1);
}

int main(void)
{
#define IN_FIXTURE(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(test_the_least_gives_every_default),
        IN_FIXTURE(test_the_least_gives_every_default_of_servers),
        IN_FIXTURE(test_mailboxes_have_the_port_of_their_tls),
        IN_FIXTURE(test_peers_inherit),
        IN_FIXTURE(test_warnings_let_it_pass),
        IN_FIXTURE(test_the_example_loads),
        IN_FIXTURE(test_the_example_loads_with_all_it_shows),
        IN_FIXTURE(test_what_is_printed_loads_again),
        IN_FIXTURE(test_the_effective_configuration),
        cmocka_unit_test(test_the_reference_is_up_to_date),
        IN_FIXTURE(test_ten_thousand_peers),
        cmocka_unit_test(test_texts_fit_a_probers_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
