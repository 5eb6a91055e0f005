// Secrets out of files: who may have access, what may be in them, and systemd's credentials.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/secret.h"
#include "config_fixture.h"
#include "probes/probe.h"

_Static_assert((int)SECRET_SIZE == (int)PROBE_PASSWORD_SIZE,
               "what is read here must fit a prober's job");

static const char *in_fixture(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", config_fixture_directory(), name);
    return path;
}

static void expect_secret(const char *bytes, size_t length, mode_t mode, const char *expected)
{
    struct secret secret;
    struct error error = {""};
    config_fixture_write("secret", bytes, length, mode);
    assert_true(secret_read(in_fixture("secret"), "", &secret, &error));
    assert_int_equal(secret.length, strlen(expected));
    assert_string_equal(secret.bytes, expected);
}

// `complaint` follows the path, unless it is whole.
static void expect_complaint(const char *path, const char *complaint)
{
    struct secret secret;
    struct error error;
    char whole[512];
    snprintf(whole, sizeof whole, "%s%s", complaint[0] == ':' ? path : "", complaint);
    assert_false(secret_read(path, "", &secret, &error));
    assert_string_equal(error.message, whole);
}

static void test_one_line_end_is_dropped(void **state)
{
    (void)state;
    expect_secret("secret", 6, 0600, "secret");
    expect_secret("secret\n", 7, 0600, "secret");
    expect_secret("secret\r\n", 8, 0600, "secret");
    expect_secret("secret\n\n", 8, 0600, "secret\n");
    expect_secret(" two words \n", 12, 0600, " two words ");
}

static void test_owner_and_group_may_have_access(void **state)
{
    (void)state;
    expect_secret("secret", 6, 0400, "secret");
    expect_secret("secret", 6, 0640, "secret");
    expect_secret("secret", 6, 0770, "secret");
}

static void test_others_may_not(void **state)
{
    (void)state;
    config_fixture_write("secret", "secret", 6, 0644);
    expect_complaint(in_fixture("secret"), ": is open to others (mode 0644): chmod 0600 it");
    config_fixture_write("secret", "secret", 6, 0602);
    expect_complaint(in_fixture("secret"), ": is open to others (mode 0602): chmod 0600 it");
    config_fixture_write("secret", "secret", 6, 0601);
    expect_complaint(in_fixture("secret"), ": is open to others (mode 0601): chmod 0600 it");
}

static void test_files_that_are_no_secret(void **state)
{
    (void)state;
    expect_complaint(in_fixture("nowhere"), ": No such file or directory");
    assert_int_equal(mkdir("folder", 0700), 0);
    expect_complaint(in_fixture("folder"), ": is a directory, not a file");
    assert_int_equal(mkfifo("fifo", 0600), 0);
    expect_complaint(in_fixture("fifo"), ": is not a regular file");
    expect_complaint("/dev/null", ": is not a regular file");
    assert_int_equal(symlink("loop", "loop"), 0);
    expect_complaint(in_fixture("loop"), ": Too many levels of symbolic links");
}

static void test_unreadable_files(void **state)
{
    (void)state;
    enum { NOBODY = 65534 };
    uid_t self = geteuid();
    config_fixture_write("secret", "secret", 6, self == 0 ? 0600 : 0);
    assert_int_equal(chmod(".", 0755), 0);
    if (self == 0) {
        assert_int_equal(seteuid(NOBODY), 0);
    }
    struct secret secret;
    struct error error;
    bool read = secret_read(in_fixture("secret"), "", &secret, &error);
    assert_int_equal(seteuid(self), 0);
    assert_false(read);
    assert_non_null(strstr(error.message, "/secret: Permission denied to user "));
    assert_non_null(strstr(error.message, ": start anew as root, or let the agent's user read it"));
}

static void test_lengths(void **state)
{
    (void)state;
    char longest[SECRET_SIZE + 2];
    memset(longest, 'x', sizeof longest);
    longest[SECRET_SIZE - 1] = '\0';
    expect_secret(longest, SECRET_SIZE - 1, 0600, longest);
    longest[SECRET_SIZE - 1] = 'x';
    config_fixture_write("secret", longest, SECRET_SIZE, 0600);
    expect_complaint(in_fixture("secret"), ": is longer than 511 bytes");
    config_fixture_write("secret", longest, SECRET_SIZE + 2, 0600);
    expect_complaint(in_fixture("secret"), ": is longer than 513 bytes");
    config_fixture_write("secret", "", 0, 0600);
    expect_complaint(in_fixture("secret"), ": is empty");
    config_fixture_write("secret", "\n", 1, 0600);
    expect_complaint(in_fixture("secret"), ": is empty");
}

static void test_bare_names_are_credentials(void **state)
{
    (void)state;
    struct secret secret;
    struct error error;
    assert_true(secret_read("password", "", &secret, &error));
    assert_string_equal(secret.bytes, "secret");
    expect_complaint("./password", "'./password' is neither an absolute path nor a bare name");
}

static void test_bare_names_outside_of_systemd(void **state)
{
    (void)state;
    struct secret secret;
    struct error error;
    config_fixture_write("beside", "another", 7, 0600);
    assert_true(secret_read("beside", "/nowhere/", &secret, &error));
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_true(secret_read("beside", "", &secret, &error));
    assert_string_equal(secret.bytes, "another");
    assert_true(secret_read("beside", in_fixture(""), &secret, &error));
    assert_false(secret_read("beside", "/nowhere/", &secret, &error));
    assert_string_equal(error.message, "/nowhere/beside: No such file or directory");

    struct config_problems problems;
    config_fixture_write_text("mailflow.yaml", LEAST);
    assert_int_equal(chdir("/"), 0);
    struct settings *settings = settings_load(in_fixture("mailflow.yaml"), &problems);
    assert_string_equal(config_fixture_problems(&problems), "");
    assert_string_equal(settings->mailboxes[0].password, "secret");
    settings_destroy(settings);
}

// Everything else is checked as ever.
static void test_secrets_may_be_left_out(void **state)
{
    (void)state;
    struct config_problems problems;
    assert_int_equal(unlink("password"), 0);
    assert_int_equal(unlink("mesh.key"), 0);
    config_fixture_write_text("mailflow.yaml", LEAST);
    struct settings *settings = settings_load_without_secrets("mailflow.yaml", &problems);
    assert_non_null(settings);
    assert_string_equal(settings->mailboxes[0].password, "");
    assert_int_equal(settings->mesh_keys.keys[0].secret_length, 0);
    settings_destroy(settings);
    config_fixture_write_text("mailflow.yaml", LEAST "odd: 1\n");
    assert_null(settings_load_without_secrets("mailflow.yaml", &problems));
    assert_string_equal(config_fixture_problems(&problems),
                        "mailflow.yaml:5:1: unknown key 'odd'\n");
}

static void test_secrets_reach_the_settings(void **state)
{
    (void)state;
    config_fixture_write("relay", "of the relay\n", 13, 0600);
    config_fixture_write("longest.key",
                         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\0", 64,
                         0600);
    struct settings *settings = config_fixture_accept(
        SERVER "mesh_keys: [{id: k2, file: longest.key}, {id: k1, file: mesh.key}]\n" MAILBOXES
               "peers:\n"
               "- {name: a, address: a@x}\n"
               "- {name: b, address: b@x, relay: {}}\n"
               "relay: {user: u, password_file: relay}\n");
    assert_string_equal(settings->mailboxes[0].password, "secret");
    assert_string_equal(settings->relay.password, "of the relay");
    assert_ptr_equal(settings->peers[0].relay.password, settings->relay.password);
    assert_string_equal(settings->peers[1].relay.password, "");
    assert_string_equal(settings->peers[1].relay.user, "");
    assert_int_equal(settings->mesh_keys.count, 2);
    assert_string_equal(settings->mesh_keys.keys[0].id, "k2");
    assert_int_equal(settings->mesh_keys.keys[0].secret_length, 64);
    assert_int_equal(settings->mesh_keys.keys[0].secret[63], 0);
    assert_int_equal(settings->mesh_keys.keys[1].secret_length, 16);
    assert_memory_equal(settings->mesh_keys.keys[1].secret, "0123456789abcdef", 16);
    settings_destroy(settings);
}

static void test_bad_secrets_are_problems_of_the_configuration(void **state)
{
    (void)state;
    config_fixture_write("short", "0123456789abcde\n", 16, 0600);
    config_fixture_write("nul", "a\0b", 3, 0600);
    config_fixture_write("open", "secret", 6, 0604);
    config_fixture_refuse(
        SERVER "mesh_keys: [{id: k1, file: short}]\n"
               "mailboxes: [{name: m, host: mx2, user: a@x, password_file: nul}]\n"
               "peers: [{name: a, address: a@x, relay: {user: u, password_file: open}}]\n",
        "2:28: file: short: the key has 15 bytes, not 16 to 64\n"
        "3:60: password_file: nul: has a NUL byte in it\n"
        "4:65: password_file: @/open: is open to others (mode 0604): chmod 0600 it\n");
}

static void refuse_http(const char *keys, const char *expected)
{
    char yaml[2048];
    snprintf(yaml, sizeof yaml, LEAST "http:\n  certificate_file: %s\n%s", in_fixture("good.pem"),
             keys);
    config_fixture_refuse(yaml, expected);
}

// None of what is in them is quoted.
static void test_certificate_key_and_token(void **state)
{
    (void)state;
    config_fixture_write_text("good.pem", "-----BEGIN CERTIFICATE-----\nA\n");
    config_fixture_write("good.key", "-----BEGIN EC PRIVATE KEY-----\n", 31, 0600);
    config_fixture_write("open.key", "-----BEGIN EC PRIVATE KEY-----\n", 31, 0604);
    config_fixture_write("no.key", "hunter2", 7, 0600);
    config_fixture_write("short", "fifteen-bytes-x\n", 16, 0600);
    config_fixture_write("words", "hunter2 hunter2 hunter2", 23, 0600);
    refuse_http("  key_file: open.key\n",
                "7:13: key_file: @/open.key: is open to others (mode 0604): chmod 0600 it\n");
    refuse_http("  key_file: nowhere\n", "7:13: key_file: @/nowhere: No such file or directory\n");
    refuse_http("  key_file: no.key\n", "7:13: key_file: there is no 'PRIVATE KEY-----' in it\n");
    refuse_http("  key_file: good.key\n  token_file: short\n",
                "8:15: token_file: the token has 15 bytes, at least 16 are needed: openssl rand "
                "-hex 32\n");
    refuse_http("  key_file: good.key\n  token_file: words\n",
                "8:15: token_file: the token must be one word of visible ASCII\n");
    refuse_http("", "6:21: certificate_file: needs a key_file\n");
    config_fixture_write_text("good.pem", "hunter2");
    refuse_http("  key_file: good.key\n",
                "6:21: certificate_file: there is no '-----BEGIN CERTIFICATE-----' in it\n");
}

static void test_authorities_are_looked_at(void **state)
{
    (void)state;
    config_fixture_refuse(LEAST "relay: {tls: starttls, ca_file: /nowhere/ca.pem}\n",
                          "5:33: ca_file: /nowhere/ca.pem: No such file or directory\n");
    config_fixture_refuse(LEAST "relay: {tls: starttls, ca_file: ca.pem}\n",
                          "5:33: ca_file: 'ca.pem' is not an absolute path\n");
}

int main(void)
{
#define IN_FIXTURE(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(test_one_line_end_is_dropped),
        IN_FIXTURE(test_owner_and_group_may_have_access),
        IN_FIXTURE(test_others_may_not),
        IN_FIXTURE(test_files_that_are_no_secret),
        IN_FIXTURE(test_unreadable_files),
        IN_FIXTURE(test_lengths),
        IN_FIXTURE(test_bare_names_are_credentials),
        IN_FIXTURE(test_bare_names_outside_of_systemd),
        IN_FIXTURE(test_secrets_may_be_left_out),
        IN_FIXTURE(test_secrets_reach_the_settings),
        IN_FIXTURE(test_bad_secrets_are_problems_of_the_configuration),
        IN_FIXTURE(test_certificate_key_and_token),
        IN_FIXTURE(test_authorities_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
