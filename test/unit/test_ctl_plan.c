// What setup writes is a configuration that the agent reads, and it says what was answered.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "config_fixture.h"
#include "ctl/plan.h"

#define PASSWORD_BYTES "hunter2\n"

static struct plan plan_of_least(void)
{
    struct plan plan = {
        .server = "mx01",
        .imap = {.host = "mx01.example", .tls = PROBE_TLS_STARTTLS, .user = "probe@mx01.example"},
    };
    plan_set_relay(&plan, "127.0.0.1");
    plan_make_key(&plan);
    return plan;
}

// Writes the configuration and its secrets as setup would, and loads it. Problems fail the test.
static struct settings *load(const struct plan *plan)
{
    char *yaml = NULL;
    size_t size;
    struct config_problems problems = {0};
    FILE *out = open_memstream(&yaml, &size);
    plan_print(plan, out);
    fclose(out);
    config_fixture_write("mesh.key", (const char *)plan->key.secret, plan->key.secret_length, 0600);
    config_fixture_write("probe.password", PASSWORD_BYTES, strlen(PASSWORD_BYTES), 0600);
    config_fixture_write("relay.password", "relayed\n", strlen("relayed\n"), 0600);
    config_fixture_write("mailflow.yaml", yaml, size, 0644);
    free(yaml);
    struct settings *settings = settings_load("mailflow.yaml", &problems);
    if (settings == NULL) {
        fail_msg("%s", config_fixture_problems(&problems));
    }
    return settings;
}

static void the_least(void **state)
{
    (void)state;
    struct plan plan = plan_of_least();
    struct settings *settings = load(&plan);
    const struct mailbox_settings *mailbox = &settings->mailboxes[0];
    assert_string_equal(settings->server, "mx01");
    assert_string_equal(settings->address, "probe@mx01.example");
    assert_string_equal(settings->state_dir, "/var/lib/mailflow");
    assert_int_equal(settings->mesh_keys.count, 1);
    assert_string_equal(settings->mesh_keys.keys[0].id, "k1");
    assert_int_equal(settings->mesh_keys.keys[0].secret_length, 44); // 32 bytes in base64
    assert_memory_equal(settings->mesh_keys.keys[0].secret, plan.key.secret, 44);
    assert_int_equal(settings->mailbox_count, 1);
    assert_string_equal(mailbox->host, "mx01.example");
    assert_int_equal(mailbox->port, 143);
    assert_int_equal(mailbox->tls, TLS_STARTTLS);
    assert_string_equal(mailbox->user, "probe@mx01.example");
    assert_string_equal(mailbox->password, "hunter2");
    assert_string_equal(mailbox->ca_file, "");
    assert_string_equal(mailbox->folders[0], "INBOX");
    assert_string_equal(settings->relay.host, "127.0.0.1");
    assert_int_equal(settings->relay.port, 25);
    assert_int_equal(settings->relay.tls, TLS_NONE);
    assert_string_equal(settings->http.listen[0], "127.0.0.1:9925");
    assert_string_equal(settings->http.url, "");
    assert_int_equal(settings->peer_count, 0);
    settings_destroy(settings);
}

static struct plan plan_of_most(void)
{
    static const struct mesh_server OTHERS[] = {
        {"mx02", "probe@mx02.example", "https://mx02.example:9925"},
        {"mx03", "probe@mx03.example", ""},
    };
    struct plan plan = plan_of_least();
    config_fixture_write_text("ca.pem", "authority\n");
    text_copy(plan.address, sizeof plan.address, "probe@mail.example");
    plan_set_imap(&plan, "[2001:db8::1]:1993");
    plan.imap.tls = PROBE_TLS_IMPLICIT;
    text_copy(plan.imap.user, sizeof plan.imap.user, "p\"ro\\be: #\xc3\xa5");
    struct text authority = TEXT_OVER(plan.imap.ca_file);
    text_format(&authority, "%s/ca.pem", config_fixture_directory());
    text_copy(plan.folders[0], sizeof plan.folders[0], "INBOX");
    text_copy(plan.folders[1], sizeof plan.folders[1], "Junk [mail]");
    plan.folder_count = 2;
    plan_set_relay(&plan, "relay.example:587");
    text_copy(plan.relay.ca_file, sizeof plan.relay.ca_file, plan.imap.ca_file);
    text_copy(plan.relay.user, sizeof plan.relay.user, "relayer");
    text_copy(plan.relay.password, sizeof plan.relay.password, "relayed");
    text_copy(plan.url, sizeof plan.url, "http://mx01.example:8080");
    text_copy(plan.state_dir, sizeof plan.state_dir, "/srv/mail flow");
    text_copy(plan.control, sizeof plan.control, "/srv/control.sock");
    memcpy(plan.peers, OTHERS, sizeof OTHERS);
    plan.peer_count = 2;
    return plan;
}

static void the_most(void **state)
{
    (void)state;
    struct plan plan = plan_of_most();
    struct settings *settings = load(&plan);
    const struct mailbox_settings *mailbox = &settings->mailboxes[0];
    assert_string_equal(settings->address, "probe@mail.example");
    assert_string_equal(settings->state_dir, "/srv/mail flow");
    assert_string_equal(mailbox->host, "2001:db8::1");
    assert_int_equal(mailbox->port, 1993);
    assert_int_equal(mailbox->tls, TLS_IMPLICIT);
    assert_string_equal(mailbox->user, plan.imap.user);
    assert_string_equal(mailbox->ca_file, plan.imap.ca_file);
    assert_int_equal(mailbox->folder_count, 2);
    assert_string_equal(mailbox->folders[1], "Junk [mail]");
    assert_string_equal(settings->relay.host, "relay.example");
    assert_int_equal(settings->relay.port, 587);
    assert_int_equal(settings->relay.tls, TLS_STARTTLS); // another machine
    assert_string_equal(settings->relay.ca_file, plan.imap.ca_file);
    assert_string_equal(settings->relay.user, "relayer");
    assert_string_equal(settings->relay.password, "relayed");
    assert_string_equal(settings->http.control, "/srv/control.sock");
    assert_string_equal(settings->http.url, "http://mx01.example:8080");
    assert_int_equal(settings->http.listen_count, 1);
    assert_string_equal(settings->http.listen[0], "0.0.0.0:8080");
    assert_int_equal(settings->peer_count, 2);
    assert_string_equal(settings->peers[0].name, "mx02");
    assert_string_equal(settings->peers[0].address, "probe@mx02.example");
    assert_string_equal(settings->peers[0].agent, "https://mx02.example:9925");
    assert_string_equal(settings->peers[1].agent, "");
    settings_destroy(settings);
}

static void the_mailbox_password_serves_the_relay(void **state)
{
    (void)state;
    struct plan plan = plan_of_most();
    plan.relay.password[0] = '\0';
    struct settings *settings = load(&plan);
    assert_string_equal(settings->relay.user, "relayer");
    assert_string_equal(settings->relay.password, "hunter2");
    settings_destroy(settings);
}

static void addresses_to_listen_on_are_taken_as_given(void **state)
{
    (void)state;
    struct plan plan = plan_of_least();
    text_copy(plan.url, sizeof plan.url, "https://mx01.example");
    struct settings *settings = load(&plan);
    assert_string_equal(settings->http.listen[0], "127.0.0.1:9925"); // something stands before it
    settings_destroy(settings);
    text_copy(plan.listen[0], sizeof plan.listen[0], "127.0.0.1:9925");
    text_copy(plan.listen[1], sizeof plan.listen[1], "[::1]:9926");
    plan.listen_count = 2;
    settings = load(&plan);
    assert_int_equal(settings->http.listen_count, 2);
    assert_string_equal(settings->http.listen[1], "[::1]:9926");
    settings_destroy(settings);
}

static void peers_of_a_file_of_their_own(void **state)
{
    (void)state;
    struct plan plan = plan_of_most();
    FILE *out = fopen("peers.yaml", "we");
    plan_print_peers(plan.peers, 2, out);
    fclose(out);
    plan.peer_count = 0;
    assert_int_equal(system("mkdir conf.d && mv peers.yaml conf.d/peers.yaml"), 0);
    struct settings *settings = load(&plan);
    assert_int_equal(settings->peer_count, 2);
    assert_int_equal(settings_find_peer(settings, "mx03"), 1);
    settings_destroy(settings);
}

static void two_keys_differ(void **state)
{
    (void)state;
    struct plan first = plan_of_least(), second = plan_of_least();
    assert_memory_not_equal(first.key.secret, second.key.secret, 44);
}

// What the machine suggests can be written as it is.
static void a_plan_begins_with_this_machine(void **state)
{
    (void)state;
    struct plan plan;
    plan_begin(&plan);
    assert_string_equal(plan.relay.host, "127.0.0.1");
    assert_int_equal(plan.relay.tls, PROBE_TLS_NONE);
    assert_memory_equal(plan.imap.user, "probe@", strlen("probe@"));
    assert_string_equal(plan.imap.user + strlen("probe@"), plan.imap.host);
    assert_true(plan.server[0] == '\0' || server_name_valid(plan.server));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, config_fixture_enter, config_fixture_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_least),
        TEST(the_most),
        TEST(the_mailbox_password_serves_the_relay),
        TEST(addresses_to_listen_on_are_taken_as_given),
        TEST(peers_of_a_file_of_their_own),
        TEST(two_keys_differ),
        TEST(a_plan_begins_with_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
