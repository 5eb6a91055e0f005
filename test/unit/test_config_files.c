// The files that a configuration is made of: conf.d, what is no good file, what is no good YAML,
// and what is meant to hurt.
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

#include "base/clock.h"
#include "config_fixture.h"
#include "patience.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char MAIN_FILE[] = "mailflow.yaml";

static void test_conf_d_goes_on_where_the_main_file_ends(void **state)
{
    (void)state;
    assert_int_equal(mkdir("conf.d", 0700), 0);
    config_fixture_write_text("conf.d/20-peers.yaml", "peers: [{name: c, address: c@x}]\n"
                                                      "relay: {port: 2525}\n"
                                                      "defaults: {latency: {critical: 10m}}\n");
    config_fixture_write_text("conf.d/10-peers.yaml", "peers: [{name: b, address: b@x}]\n"
                                                      "syslog: {facility: local0}\n");
    config_fixture_write_text("conf.d/30-empty.yaml", "# nothing yet\n");
    config_fixture_write_text("conf.d/.hidden.yaml", "nonsense\n");
    config_fixture_write_text("conf.d/readme.txt", "nonsense\n");
    struct settings *settings =
        config_fixture_accept(SERVER KEYS MAILBOXES "peers: [{name: a, address: a@x}]\n"
                                                    "defaults: {latency: {warning: 2m}}\n"
                                                    "relay: {host: localhost}\n");
    assert_int_equal(settings->peer_count, 3);
    assert_string_equal(settings->peers[0].name, "a");
    assert_string_equal(settings->peers[1].name, "b");
    assert_string_equal(settings->peers[2].name, "c");
    assert_string_equal(settings->peers[0].relay.host, "localhost");
    assert_int_equal(settings->peers[0].relay.port, 2525);
    assert_int_equal(settings->peers[0].path.latency.warning.ns, SPAN_MINUTES(2).ns);
    assert_int_equal(settings->peers[0].path.latency.critical.ns, SPAN_MINUTES(10).ns);
    assert_int_equal(settings_find_peer(settings, "c"), 2);
    settings_destroy(settings);
}

static void test_conf_d_problems_name_their_file(void **state)
{
    (void)state;
    assert_int_equal(mkdir("conf.d", 0700), 0);
    config_fixture_write_text(MAIN_FILE, LEAST "relay: {port: 25}\nhttp: x\n");
    config_fixture_write_text("conf.d/b.yaml", "relay: {port: 26, hots: x}\nserver: other\n"
                                               "http: {}\npeers: {}\nodd: 1\n");
    config_fixture_write_text("conf.d/a.yaml", "peers: [{name: mx01, address: a@b}]\n");
    config_fixture_refuse_file(
        "mailflow.yaml:6:7: http: must be a map, not text\n"
        "conf.d/a.yaml:1:16: name: a second peer is called 'mx01'\n"
        "conf.d/b.yaml:1:9: 'port' is given twice: first at mailflow.yaml:5:9\n"
        "conf.d/b.yaml:1:19: unknown key 'hots' (did you mean 'host'?)\n"
        "conf.d/b.yaml:2:1: 'server' is given twice: first at mailflow.yaml:1:1\n"
        "conf.d/b.yaml:3:1: 'http' is given twice: first at mailflow.yaml:6:1\n"
        "conf.d/b.yaml:4:1: 'peers' is given twice: first at mailflow.yaml:4:1\n"
        "conf.d/b.yaml:5:1: unknown key 'odd'\n");
}

// What stands in a file that cannot be read is not called missing.
static void test_one_bad_file_hides_no_other(void **state)
{
    (void)state;
    assert_int_equal(mkdir("conf.d", 0700), 0);
    assert_int_equal(mkdir("conf.d/a.yaml", 0700), 0);
    assert_int_equal(symlink("b.yaml", "conf.d/b.yaml"), 0);
    assert_int_equal(symlink("nowhere", "conf.d/c.yaml"), 0);
    assert_int_equal(mkfifo("conf.d/d.yaml", 0600), 0);
    config_fixture_write_text("conf.d/e.yaml", "mailboxes: [\n");
    config_fixture_write_text("conf.d/f.yaml", "- a list\n");
    config_fixture_write_text("conf.d/g.yaml", "defaults: {interval: 5}\n");
    config_fixture_write_text(MAIN_FILE, SERVER);
    config_fixture_refuse_file(
        "conf.d/a.yaml: is a directory, not a file\n"
        "conf.d/b.yaml: Too many levels of symbolic links\n"
        "conf.d/c.yaml: No such file or directory\n"
        "conf.d/d.yaml: is not a regular file\n"
        "conf.d/e.yaml:2:1: did not find expected node content while parsing a flow node\n"
        "conf.d/f.yaml:1:1: the file must be a map of keys, not a list\n"
        "conf.d/g.yaml:1:22: interval: '5' has no unit: write 5s, 5m, ...\n");
}

// Whatever a file is called or says, its problems are plain UTF-8 of one line.
static void test_messages_are_harmless(void **state)
{
    (void)state;
    assert_int_equal(mkdir("conf.d", 0700), 0);
    config_fixture_write_text("conf.d/a\xFF\n.yaml", "server: a\n\"\\e[31m\": 1\n");
    config_fixture_write_text("conf.d/z.yaml", "server: a\n");
    config_fixture_write_text(MAIN_FILE, KEYS MAILBOXES PEERS);
    config_fixture_refuse_file("conf.d/a\\xff\\n.yaml:2:1: unknown key '\\x1b[31m'\n"
                               "conf.d/z.yaml:1:1: 'server' is given twice: first at "
                               "conf.d/a\\xff\\n.yaml:1:1\n");
}

static void test_main_files_that_are_none(void **state)
{
    (void)state;
    config_fixture_refuse_file(
        "mailflow.yaml: No such file or directory. Nothing is set up yet? "
        "mailflowctl setup, or mailflowctl join into a mesh that is there\n");
    assert_int_equal(mkdir(MAIN_FILE, 0700), 0);
    config_fixture_refuse_file("mailflow.yaml: is a directory, not a file\n");
    assert_int_equal(rmdir(MAIN_FILE), 0);
    assert_int_equal(symlink(MAIN_FILE, MAIN_FILE), 0);
    config_fixture_refuse_file("mailflow.yaml: Too many levels of symbolic links\n");
    assert_int_equal(unlink(MAIN_FILE), 0);
    config_fixture_write_text("conf.d", "");
    config_fixture_write_text(MAIN_FILE, LEAST);
    config_fixture_refuse_file("conf.d: Not a directory\n");
}

static void test_too_many_files(void **state)
{
    (void)state;
    assert_int_equal(mkdir("conf.d", 0700), 0);
    for (int i = 0; i <= 100; i++) {
        char path[32];
        snprintf(path, sizeof path, "conf.d/%d.yaml", i);
        config_fixture_write_text(path, "");
    }
    config_fixture_write_text(MAIN_FILE, LEAST);
    config_fixture_refuse_file("conf.d: more than 100 files\n");
}

static void test_bad_yaml(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *problem;
    } CASES[] = {
        {"server: mx02\n\trelay: {}\n", "2:1: a tab: YAML is indented with blanks\n"},
        {"server: [\n", "2:1: did not find expected node content while parsing a flow node\n"},
        {"server: 'mx02\n", "2:1: found unexpected end of stream while scanning a quoted scalar\n"},
        {"server: mx02: b\n", "1:13: mapping values are not allowed in this context\n"},
        {"server: mx02\n peers: []\n", "2:7: mapping values are not allowed in this context\n"},
        {"a: b\n- c\n", "2:1: did not find expected key while parsing a block mapping\n"},
        {"mx02\n", "1:1: the file must be a map of keys, not text\n"},
        {"- mx02\n", "1:1: the file must be a map of keys, not a list\n"},
        {"a: b\n---\nc: d\n", "2:1: a second document: one file holds one\n"},
        {"a: &x b\n", "1:4: anchors (&) are not accepted here\n"},
        {"a: &x {}\n", "1:4: anchors (&) are not accepted here\n"},
        {"a: *x\n", "1:4: aliases (*) are not accepted here\n"},
        {"a: !!int 5\n", "1:4: tags (!) are not accepted here\n"},
        {"a: !x [1]\n", "1:4: tags (!) are not accepted here\n"},
        {"? [a]\n: b\n", "1:3: a key must be text\n"},
        {"a: \"b\\0c\"\n", "1:4: text with a NUL byte in it\n"},
        {"a: \xC3\xA4\nbb: \xFF\n", "2:5: invalid leading UTF-8 octet\n"},
        {"a: \xC3\xA4 \xC3\n", "1:7: invalid trailing UTF-8 octet\n"},
        {"a: \x1B[31m\n", "1:4: control characters are not allowed\n"},
        {"\xFF\xFE\x61\x00", "1:1: invalid leading UTF-8 octet\n"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        config_fixture_refuse(CASES[i].yaml, CASES[i].problem);
    }
}

static void test_a_nul_byte(void **state)
{
    (void)state;
    config_fixture_write(MAIN_FILE, "a: b\nc: \0d\n", 11, 0600);
    config_fixture_refuse_file("mailflow.yaml:2:4: control characters are not allowed\n");
}

// One pattern over and over, to just below the size at which a file is refused unread.
static void write_repeated(const char *head, const char *pattern)
{
    size_t limit = 1024 * 1024;
    char *bytes = malloc(limit);
    assert_non_null(bytes);
    size_t length = strlen(head);
    memcpy(bytes, head, length);
    while (length + strlen(pattern) <= limit) {
        memcpy(bytes + length, pattern, strlen(pattern));
        length += strlen(pattern);
    }
    config_fixture_write(MAIN_FILE, bytes, length, 0600);
    free(bytes);
}

// Each is a megabyte that would take minutes or much memory if it were read to its end.
static void test_what_is_meant_to_hurt_is_refused_quickly(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        const char *pattern;
        const char *problem;
    } CASES[] = {
        {"", "[", "mailflow.yaml:1:17: nested more than 16 deep\n"},
        {"", "{a: ", "mailflow.yaml:1:65: nested more than 16 deep\n"},
        {"", "- ", "mailflow.yaml:1:33: nested more than 16 deep\n"},
        {"", "? ", "mailflow.yaml:1:3: a key must be text\n"},
        {"", "- &a x\n", "mailflow.yaml:1:3: anchors (&) are not accepted here\n"},
        {"peers: [", "a,", "mailflow.yaml:1:600003: more than 300000 values\n"},
        {"peers: [", "[],", "mailflow.yaml:1:900000: more than 300000 values\n"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        write_repeated(CASES[i].head, CASES[i].pattern);
        struct moment before = clock_now();
        config_fixture_refuse_file(CASES[i].problem);
        struct span took = instant_since(clock_now().instant, before.instant);
        assert_in_range(took.ns, 0, SPAN_SECONDS(5).ns * patience());
    }
}

static void test_large_files_are_refused_unread(void **state)
{
    (void)state;
    config_fixture_write_text(MAIN_FILE, LEAST);
    assert_int_equal(truncate(MAIN_FILE, 10 * 1024 * 1024), 0);
    config_fixture_refuse_file("mailflow.yaml: is longer than 1048576 bytes\n");
}

// 100,000 keys of one map, all unknown, every other repeated: each is counted, the first are told.
static void test_a_map_of_many_keys(void **state)
{
    (void)state;
    enum { KEYS_WRITTEN = 50000 };
    FILE *file = fopen(MAIN_FILE, "w");
    assert_non_null(file);
    for (int i = 0; i < KEYS_WRITTEN; i++) {
        fprintf(file, "k%05d: 1\n", i);
    }
    for (int i = KEYS_WRITTEN; i-- > 0;) {
        fprintf(file, "k%05d: 1\n", i);
    }
    fclose(file);
    struct config_problems problems;
    assert_null(settings_load(MAIN_FILE, &problems));
    assert_int_equal(problems.count, CONFIG_PROBLEMS_MAXIMUM);
    assert_int_equal(problems.errors, 3 + 2 * KEYS_WRITTEN);
    assert_string_equal(problems.items[0].message, "required key 'server' is missing");
    assert_string_equal(problems.items[3].message, "unknown key 'k00000'");
    assert_int_equal(problems.items[63].line, 60);
}

int main(void)
{
#define IN_FIXTURE(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(test_conf_d_goes_on_where_the_main_file_ends),
        IN_FIXTURE(test_conf_d_problems_name_their_file),
        IN_FIXTURE(test_one_bad_file_hides_no_other),
        IN_FIXTURE(test_messages_are_harmless),
        IN_FIXTURE(test_main_files_that_are_none),
        IN_FIXTURE(test_too_many_files),
        IN_FIXTURE(test_bad_yaml),
        IN_FIXTURE(test_a_nul_byte),
        IN_FIXTURE(test_what_is_meant_to_hurt_is_refused_quickly),
        IN_FIXTURE(test_large_files_are_refused_unread),
        IN_FIXTURE(test_a_map_of_many_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
