// What hosts, addresses, listeners and URLs must look like.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/keys.h"
#include "config/syntax.h"

#define LABEL63 "a23456789012345678901234567890123456789012345678901234567890123"

static void expect_all(bool (*valid)(const char *), const char *const *texts, bool expected)
{
    for (; *texts != NULL; texts++) {
        if (valid(*texts) != expected) {
            fail_msg("'%s' is %s", *texts, expected ? "refused" : "accepted");
        }
    }
}

#define EXPECT(valid, expected, ...)                                                               \
    expect_all(valid, (const char *const[]){__VA_ARGS__, NULL}, expected)

static void test_hosts(void **state)
{
    (void)state;
    EXPECT(syntax_host, true, "mx01", "mx01.example", "MX-1.example.org", "_x.example", "3com.x",
           "127.0.0.1", "::1", "2001:db8::25", LABEL63 ".x", "1.2.3.4.example");
    EXPECT(syntax_host, false, "", ".", "a.", ".a", "a..b", "-a", "a-", "a b", "a/b", "a:25",
           "[::1]", "1.2.3", "1.2.3.4.5", "256.1.1.1", "a\nb", "\xC3\xA4.x", LABEL63 "4.x",
           LABEL63 "." LABEL63 "." LABEL63 "." LABEL63);
}

static void test_mail_addresses(void **state)
{
    (void)state;
    EXPECT(syntax_address, true, "probe@mx01.example", "a.b+c@x", "o'neil@x.y", "a@localhost",
           LABEL63 "4@x");
    EXPECT(syntax_address, false, "", "@", "a", "a@", "@x", "a b@x", "a@b@c", ".a@x", "a.@x",
           "a..b@x", "a@x..y", "<a@x>", "\"a b\"@x", "a@[127.0.0.1]", "a@x\n", "a@x y",
           LABEL63 "45@x", "\xC3\xA4@x");
}

static void test_listeners(void **state)
{
    (void)state;
    EXPECT(syntax_listen, true, "127.0.0.1:9925", "0.0.0.0:80", "[::]:9925", "[::1]:65535",
           "127.0.0.1:0");
    EXPECT(syntax_listen, false, "", ":9925", "127.0.0.1", "127.0.0.1:", "localhost:9925",
           "::1:9925", "[::1]", "[::1]9925", "[127.0.0.1]:1", "[::1:9925", "127.0.0.1:65536",
           "127.0.0.1:-1", "127.0.0.1:1x", "127.0.0.1:123456", " 127.0.0.1:1", "127.0.0.1:+1");
}

static void test_servers(void **state)
{
    (void)state;
    EXPECT(syntax_host_port, true, "mx01.example", "mx01.example:25", "192.0.2.1", "192.0.2.1:587",
           "[::1]", "[2001:db8::1]:2525");
    EXPECT(syntax_host_port, false, "", ":25", "mx01:", "mx01:0", "mx01:65536", "mx01:x", "::1",
           "[::1", "[mx01]:25", "mx 01", "smtp://mx01", "mx01:25:25");
}

static void check_split(const char *from, const char *host, uint16_t port)
{
    char found[256] = "";
    uint16_t number = 25;
    host_port_split(from, found, sizeof found, &number);
    assert_string_equal(found, host);
    assert_int_equal(number, port);
}

static void test_servers_taken_apart(void **state)
{
    (void)state;
    check_split("mx01.example", "mx01.example", 25);
    check_split("mx01.example:2525", "mx01.example", 2525);
    check_split("[2001:db8::1]", "2001:db8::1", 25);
    check_split("[2001:db8::1]:65535", "2001:db8::1", 65535);
}

static void test_urls(void **state)
{
    (void)state;
    EXPECT(syntax_url, true, "https://mx01.example", "https://mx01.example:9925",
           "http://127.0.0.1:9925/", "https://[2001:db8::1]:9925", "https://[::1]/a/b-c_d.e~f");
    EXPECT(syntax_url, false, "", "mx01.example", "ftp://x", "https:/x", "https://", "https:///a",
           "https://:9925", "https://x:0", "https://x:65536", "https://x:", "https://u:p@x",
           "https://u@x", "https://x?q", "https://x/?q", "https://x/#f", "https://x y",
           "https://[x]", "https://[::1", "https://::1/", "HTTPS://x", "https://x/\n");
}

static void test_names(void **state)
{
    (void)state;
    EXPECT(syntax_label, true, "local", "gmail-box", "a.b", "1", "_");
    EXPECT(syntax_label, false, "", ".", ".a", "a.", "a b", "a/b", "a\"", "\xC3\xA4");
    EXPECT(syntax_key_id, true, "k1", "2026-01_a", "abcdefghijklmnop");
    EXPECT(syntax_key_id, false, "", "k.1", "abcdefghijklmnopq");
    EXPECT(syntax_absolute_path, true, "/", "/a b");
    EXPECT(syntax_absolute_path, false, "", "a", "./a");
}

static void test_this_machine(void **state)
{
    (void)state;
    EXPECT(host_is_loopback, true, "127.0.0.1", "127.255.0.1", "::1", "localhost", "LocalHost");
    EXPECT(host_is_loopback, false, "", "128.0.0.1", "::2", "localhost.example", "127.0.0.1.x",
           "0.0.0.0", "::");
}

static void test_suggestions(void **state)
{
    (void)state;
    static const struct {
        const char *written;
        const char *meant;
    } CASES[] = {
        {"sever", "server"}, {"servers", "server"}, {"retnetion", "retention"},
        {"per", "peers"},    {"pers", "peers"},     {"http2", "http"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_string_equal(key_suggest(&SETTINGS_SECTION, CASES[i].written), CASES[i].meant);
    }
    assert_null(key_suggest(&SETTINGS_SECTION, ""));
    assert_null(key_suggest(&SETTINGS_SECTION, "interval"));
    assert_null(key_suggest(&SETTINGS_SECTION, LABEL63));
    const struct section *peer = key_find(&SETTINGS_SECTION, "peers")->holds;
    assert_string_equal(key_suggest(peer, "intervall"), "interval");
    assert_string_equal(key_suggest(peer, "adress"), "address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_mail_addresses),
        cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_servers_taken_apart),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_this_machine),
        cmocka_unit_test(test_suggestions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
