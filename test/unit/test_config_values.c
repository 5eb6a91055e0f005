// Every kind of bad value, each with the exact message and place that the operator gets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define HALF "0123456789012345678901234567890123456789012345678901234567890123"

struct bad {
    const char *yaml;
    const char *problems;
};

static void refuse_all(const struct bad *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        config_fixture_refuse(cases[i].yaml, cases[i].problems);
    }
}

static void test_keys(void **state)
{
    (void)state;
    static const struct bad CASES[] = {
        {LEAST "intervall: 5s\n", "5:1: unknown key 'intervall'\n"},
        {LEAST "defaults: {intervall: 5s}\n",
         "5:12: unknown key 'intervall' (did you mean 'interval'?)\n"},
        {LEAST "defaults:\n  latency:\n    critcal: 5s\n",
         "7:5: unknown key 'critcal' (did you mean 'critical'?)\n"},
        {LEAST "sevrer: mx02\n", "5:1: unknown key 'sevrer' (did you mean 'server'?)\n"},
        {LEAST "\"a\\tb\": 1\n", "5:1: unknown key 'a\\tb'\n"},
        {LEAST HALF HALF ": 1\n", "5:1: unknown key '" HALF "012345678901...'\n"},
        {LEAST "peers_around: x\n", "5:1: unknown key 'peers_around'\n"},
        {LEAST "maintenance: {calendar: [/a]}\n",
         "5:15: unknown key 'calendar' (did you mean 'calendars'?)\n"},
        {LEAST "http: {colour: /a}\n", "5:8: unknown key 'colour'\n"},
        {LEAST "mesh_keys: []\n", "5:1: repeated key 'mesh_keys' (first at line 2)\n"},
        {LEAST "a: 1\na: 2\na: 3\n", "5:1: unknown key 'a'\n"
                                     "6:1: repeated key 'a' (first at line 5)\n"
                                     "7:1: repeated key 'a' (first at line 5)\n"},
        {LEAST "defaults: {interval: 5s, interval: 6s}\n",
         "5:26: repeated key 'interval' (first at line 5)\n"},
        {KEYS MAILBOXES PEERS, "1:1: required key 'server' is missing\n"},
        {SERVER MAILBOXES PEERS, "1:1: required key 'mesh_keys' is missing\n"},
        {SERVER KEYS PEERS, "1:1: required key 'mailboxes' is missing\n"},
        {SERVER KEYS "mailboxes: [{name: a}]\n" PEERS,
         "3:13: required key 'host' is missing\n"
         "3:13: required key 'user' is missing\n"
         "3:13: required key 'password_file' is missing\n"},
        {SERVER KEYS MAILBOXES "peers: [{}]\n", "4:9: required key 'name' is missing\n"
                                                "4:9: required key 'address' is missing\n"},
        {"", "1:1: required key 'server' is missing\n"
             "1:1: required key 'mesh_keys' is missing\n"
             "1:1: required key 'mailboxes' is missing\n"
             "1:1: warning: no peers: there is nothing to probe\n"},
    };
    refuse_all(CASES, COUNT(CASES));
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct bad CASES[] = {
        {LEAST "relay: 127.0.0.1\n", "5:8: relay: must be a map, not text\n"},
        {LEAST "relay: [127.0.0.1]\n", "5:8: relay: must be a map, not a list\n"},
        {LEAST "relay:\n", "5:7: relay: has no value\n"},
        {LEAST "state_dir: \"\"\n", "5:12: state_dir: has no value\n"},
        {LEAST "state_dir: [/a]\n", "5:12: state_dir: must be text, not a list\n"},
        {LEAST "retention: {d: 30}\n", "5:12: retention: must be text, not a map\n"},
        {LEAST "http: {listen: \"127.0.0.1:9925\"}\n", "5:16: listen: must be a list, not text\n"},
        {LEAST "http: {listen: [[a]]}\n", "5:17: listen: must be text, not a list\n"},
        {SERVER KEYS MAILBOXES "peers: {name: mx01}\n",
         "4:8: peers: must be a list, not a map\n"
         "4:8: warning: no peers: there is nothing to probe\n"},
        {SERVER KEYS MAILBOXES "peers: [mx01]\n", "4:9: peers: a member must be a map, not text\n"},
        {SERVER KEYS "mailboxes: []\n" PEERS, "3:12: mailboxes: is empty\n"},
        {SERVER "mesh_keys: []\n" MAILBOXES PEERS, "2:12: mesh_keys: is empty\n"},
        {SERVER KEYS "mailboxes: [{name: local, host: mx2, user: probe@mx02.example, " PASSWORD
                     ", folders: []}]\n" PEERS,
         "3:98: folders: is empty\n"},
        {SERVER KEYS "mailboxes: [{name: local, host: mx2, user: probe@mx02.example, " PASSWORD
                     ", folders: [1, 2, 3, 4, 5, 6, 7, 8, 9]}]\n" PEERS,
         "3:98: folders: 9 members are more than 8\n"},
    };
    refuse_all(CASES, COUNT(CASES));
}

static void test_numbers_and_durations(void **state)
{
    (void)state;
    static const struct bad CASES[] = {
        {LEAST "defaults: {interval: 15}\n",
         "5:22: interval: '15' has no unit: write 15s, 15m, ...\n"},
        {LEAST "defaults: {interval: 15sec}\n",
         "5:22: interval: '15sec' is not a duration: write 250ms, 15s, 30m, 4h or 5d\n"},
        {LEAST "defaults: {interval: -15s}\n",
         "5:22: interval: '-15s' is not a duration: write 250ms, 15s, 30m, 4h or 5d\n"},
        {LEAST "defaults: {interval: 1h30m}\n",
         "5:22: interval: '1h30m' is not a duration: write 250ms, 15s, 30m, 4h or 5d\n"},
        {LEAST "defaults: {interval: 999ms}\n",
         "5:22: interval: 999ms is out of range: 1s to 1d\n"},
        {LEAST "defaults: {interval: 25h}\n", "5:22: interval: 25h is out of range: 1s to 1d\n"},
        {LEAST "retention: 23h\n", "5:12: retention: 23h is out of range: 1d to 3650d\n"},
        {LEAST "incidents: {hold: 61m}\n", "5:19: hold: 61m is out of range: 0s to 1h\n"},
        {LEAST "defaults: {thin_after: 0}\n", "5:24: thin_after: 0 is out of range: 1 to 1000\n"},
        {LEAST "defaults: {thin_after: 8.5}\n", "5:24: thin_after: '8.5' is not a whole number\n"},
        {LEAST "defaults: {thin_after: -}\n", "5:24: thin_after: '-' is not a whole number\n"},
        {LEAST "relay: {port: 0}\n", "5:15: port: 0 is out of range: 1 to 65535\n"},
        {LEAST "relay: {port: -25}\n", "5:15: port: -25 is out of range: 1 to 65535\n"},
        {LEAST "relay: {port: 65536}\n", "5:15: port: 65536 is out of range: 1 to 65535\n"},
        {LEAST "relay: {port: 99999999999999999999}\n",
         "5:15: port: 99999999999999999999 is out of range: 1 to 65535\n"},
        {LEAST "relay: {port: 12x}\n", "5:15: port: '12x' is not a whole number\n"},
        {LEAST "relay: {port: smtp}\n", "5:15: port: 'smtp' is not a whole number\n"},
    };
    refuse_all(CASES, COUNT(CASES));
}

static void test_words(void **state)
{
    (void)state;
    static const struct bad CASES[] = {
        {LEAST "relay: {insecure: yes}\n", "5:19: insecure: 'yes' is neither true nor false\n"},
        {LEAST "relay: {tls: ssl}\n", "5:14: tls: 'ssl' is none of implicit, starttls, none\n"},
        {LEAST "relay: {tls: implicit}\n", "5:14: tls: libESMTP speaks no implicit TLS: use port "
                                           "587 with starttls, or as GUIDE.md has "
                                           "it a Postfix in between\n"},
        {LEAST "syslog: {facility: email}\n",
         "5:20: facility: 'email' is no syslog facility: write mail, daemon, local0, ...\n"},
    };
    refuse_all(CASES, COUNT(CASES));
}

static void test_names(void **state)
{
    (void)state;
    static const struct bad CASES[] = {
        {"server: mx02.example\n" KEYS MAILBOXES PEERS,
         "1:9: server: 'mx02.example' is not a server name: 1 to 32 letters, digits, - and _\n"},
        {"server: m\xC3\xA4x\n" KEYS MAILBOXES PEERS,
         "1:9: server: 'm\xC3\xA4x' is not a server name: 1 to 32 letters, digits, - and _\n"},
        {"server: a2345678901234567890123456789012x\n" KEYS MAILBOXES PEERS,
         "1:9: server: is longer than 32 bytes\n"},
        {SERVER KEYS MAILBOXES "peers: [{name: mx/1, address: a@b}]\n",
         "4:16: name: 'mx/1' is not a server name: 1 to 32 letters, digits, - and _\n"},
        {SERVER KEYS MAILBOXES "peers: [{name: mx02, address: a@b}]\n",
         "4:16: name: 'mx02' is this server itself\n"},
        {SERVER KEYS MAILBOXES "peers: [{name: p, address: a@b}, {name: q, address: a@b},\n"
                               "  {name: p, address: a@b}]\n",
         "5:10: name: a second peer is called 'p'\n"},
        {SERVER "mesh_keys: [{id: k.1, file: mesh.key}]\n" MAILBOXES PEERS,
         "2:18: id: 'k.1' is not a key id: 1 to 16 letters, digits, - and _\n"},
        {SERVER "mesh_keys: [{id: k1, file: mesh.key}, {id: k1, file: mesh.key}]\n" MAILBOXES PEERS,
         "2:44: id: a second key is called 'k1'\n"},
        {SERVER KEYS "mailboxes: [{name: .x, host: mx2, user: a@b, " PASSWORD "}]\n" PEERS,
         "3:20: name: '.x' is not a name of letters, digits, - _ and . in between\n"},
        {SERVER KEYS "mailboxes:\n"
                     "- {name: x, host: mx2, user: a@b, " PASSWORD "}\n"
                     "- {name: x, host: mx2, user: a@b, " PASSWORD "}\n" PEERS,
         "5:10: name: a second mailbox is called 'x'\n"},
        {SERVER KEYS MAILBOXES "peers: [{name: p, address: a@b, collect: lokal}]\n",
         "4:42: collect: no mailbox is called 'lokal'\n"},
        {SERVER KEYS MAILBOXES
         "peers: [{name: p, address: a@b, collect: local, agent: \"http://p\"}]\n",
         "4:42: collect: is for a peer without an agent, but this one has one\n"},
    };
    refuse_all(CASES, COUNT(CASES));
}

static void test_texts(void **state)
{
    (void)state;
    static const struct bad CASES[] = {
        {LEAST "address: probe\n", "5:10: address: 'probe' is not a mail address\n"},
        {LEAST "address: \"a\\nb@c\"\n", "5:10: address: has a control character in it\n"},
        {SERVER KEYS "mailboxes: [{name: x, host: mx2, user: probe, " PASSWORD "}]\n" PEERS,
         "3:40: user: 'probe' is not a mail address, so that 'address' is required\n"},
        {SERVER KEYS MAILBOXES "peers: [{name: p, address: \"@b\"}]\n",
         "4:28: address: '@b' is not a mail address\n"},
        {LEAST "relay: {host: \"a b\"}\n",
         "5:15: host: 'a b' is neither a host name nor an address\n"},
        {LEAST "relay: {host: \"[::1]\"}\n",
         "5:15: host: '[::1]' is neither a host name nor an address\n"},
        {LEAST "relay: {host: 127.0.0.256}\n",
         "5:15: host: '127.0.0.256' is neither a host name nor an address\n"},
        {SERVER KEYS MAILBOXES "peers: [{name: p, address: a@b, agent: \"ftp://p\"}]\n",
         "4:40: agent: 'ftp://p' is not https://host:port or http://host:port\n"},
        {LEAST "http: {listen: [\"9925\"]}\n",
         "5:17: listen: '9925' is not an address to listen on: write 127.0.0.1:9925 or "
         "[::1]:9925\n"},
        {LEAST "http: {listen: [\"127.0.0.1:1\", \"127.0.0.1:1\"]}\n",
         "5:16: listen: 127.0.0.1:1 is there twice\n"},
        {LEAST "state_dir: state\n", "5:12: state_dir: 'state' is not an absolute path\n"},
        {LEAST "http: {control: control.sock}\n",
         "5:17: control: 'control.sock' is not an absolute path\n"},
        {LEAST "http: {control: /" HALF HALF "}\n", "5:17: control: is longer than 107 bytes\n"},
        {LEAST "relay: {user: " HALF HALF HALF HALF ", " PASSWORD "}\n",
         "5:15: user: is longer than 255 bytes\n"},
    };
    refuse_all(CASES, COUNT(CASES));
}

static void test_what_one_value_does_not_show(void **state)
{
    (void)state;
    static const struct bad CASES[] = {
        {LEAST "relay: {host: mx.example}\n",
         "5:8: tls: none to mx.example, which is another machine: use starttls, or set insecure: "
         "true\n"},
        {LEAST "relay: {host: 192.0.2.1, tls: none, insecure: false}\n",
         "5:31: tls: none to 192.0.2.1, which is another machine: use starttls, or set insecure: "
         "true\n"},
        {SERVER KEYS MAILBOXES "peers: [{name: p, address: a@b, relay: {host: \"2001:db8::1\"}}]\n",
         "4:40: tls: none to 2001:db8::1, which is another machine: use starttls, or set insecure: "
         "true\n"},
        {SERVER KEYS "mailboxes: [{name: x, host: mx, tls: none, user: a@b, " PASSWORD "}]\n" PEERS,
         "3:38: tls: none to mx, which is another machine: use starttls, or set insecure: true\n"},
        {LEAST "relay: {user: a}\n", "5:15: user: needs a password_file\n"},
        {LEAST "relay: {" PASSWORD "}\n", "5:24: password_file: needs a user\n"},
        {LEAST "defaults: {latency: {warning: 301s}}\n",
         "5:31: latency: warning is above critical\n"},
        {LEAST "defaults: {latency: {critical: 59s}}\n",
         "5:21: latency: warning is above critical\n"},
        {SERVER KEYS MAILBOXES "peers: [{name: p, address: a@b, latency: {warning: 6m}}]\n",
         "4:52: latency: warning is above critical\n"},
        {LEAST "retention: 1d\n",
         "5:12: retention: is shorter than queue_lifetime (132h): a probe would be forgotten while "
         "its mail is still under way\n"},
        {LEAST "retention: 2d\ndefaults: {queue_lifetime: 3d}\n",
         "6:28: queue_lifetime: is longer than retention: a probe would be forgotten while its "
         "mail is still under way\n"},
        {LEAST "incidents: {slow_late: 6}\n", "5:24: slow_late: is above slow_of\n"},
        {LEAST "maintenance: {settle: 2h}\n", "5:14: recovery: is below settle\n"},
        {LEAST "http: {key_file: x}\n", "5:18: key_file: needs a certificate_file\n"},
        {LEAST "http: {token_file: x}\n",
         "5:20: token_file: needs a certificate_file: a token never goes in the clear\n"},
        {LEAST "http: {listen: [\"[::1]:1\", \"[::1]:1\"]}\n",
         "5:16: listen: [::1]:1 is there twice\n"},
    };
    refuse_all(CASES, COUNT(CASES));
}

// Errors and a warning of every phase, found in another order than that of the file.
static void test_all_at_once_in_the_order_of_the_file(void **state)
{
    (void)state;
    config_fixture_refuse("peers: []\n"
                          "relay: {port: x, tsl: none}\n"
                          "relay: {}\n"
                          "mailboxes: [{name: x, host: mx2, user: u, password_file: nowhere}]\n"
                          "defaults: {latency: {warning: 6m}, interval: 1}\n"
                          "server: 'mx.1'\n",
                          "1:1: required key 'mesh_keys' is missing\n"
                          "1:8: warning: no peers: there is nothing to probe\n"
                          "2:15: port: 'x' is not a whole number\n"
                          "2:18: unknown key 'tsl' (did you mean 'tls'?)\n"
                          "3:1: repeated key 'relay' (first at line 2)\n"
                          "4:40: user: 'u' is not a mail address, so that 'address' is required\n"
                          "4:58: password_file: @/nowhere: No such file or directory\n"
                          "5:31: latency: warning is above critical\n"
                          "5:46: interval: '1' has no unit: write 1s, 1m, ...\n"
                          "6:9: server: 'mx.1' is not a server name: 1 to 32 letters, digits, - "
                          "and _\n");
}

int main(void)
{
#define IN_FIXTURE(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(test_keys),
        IN_FIXTURE(test_kinds),
        IN_FIXTURE(test_numbers_and_durations),
        IN_FIXTURE(test_words),
        IN_FIXTURE(test_names),
        IN_FIXTURE(test_texts),
        IN_FIXTURE(test_what_one_value_does_not_show),
        IN_FIXTURE(test_all_at_once_in_the_order_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
