// Received headers as the servers of this world write them, their dates, and what is none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "probes/collect/mail_date.h"
#include "probes/collect/received.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int64_t seconds_of(const char *date)
{
    return mail_date_read(date, strlen(date)).ns / 1000000000;
}

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        const char *date;
        int64_t seconds;
    } CASES[] = {
        {"Thu, 26 Nov 2026 15:00:00 +0000", 1795705200},
        {"26 Nov 2026 15:00:00 -0000", 1795705200},
        {" Thu , 26 Nov 2026 16:00:00 +0100 (CET)", 1795705200},
        {"Thu, 26 Nov 2026 16:00 +0100", 1795705200},
        {"Thu, 26 Nov 2026 11:30:00 -0330", 1795705200},
        {"Thu, 26 nov 26 15:00:00 GMT", 1795705200},  // section 4.3: 00 to 49
        {"Thu, 26 Nov 126 15:00:00 GMT", 1795705200}, // three digits count from 1900
        {"Fri, 26 Nov 99 15:00:00 GMT", 943628400},
        {"26 Nov 2026 10:00:00 EST", 1795705200},
        {"26 Nov 2026 08:00:00 PDT", 1795705200},
        {"26 Nov 2026 15:00:00 Z", 1795705200},
        {"26 Nov 2026 15:00:00 A", 1795705200}, // the military had them the wrong way round
        {"26 Nov 2026 15:00:00 CEST", 1795705200},
        {"26 Nov 2026 15:00:00 UT", 1795705200},
        {"26 Nov 2026 15:00:00", 1795705200},
        {"(a (b) \\) c)26(x)Nov(y)2026(z)15:00:00(w)+0000", 1795705200},
        {"29 Feb 2028 00:00:00 +0000", 1835395200},
        {"26 Nov 2026 14:59:60 +0000", 1795705200},
        {"6 Nov 2026 5:00:00 +0000", 1793941200},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        if (seconds_of(CASES[i].date) != CASES[i].seconds) {
            fail_msg("%s is %lld", CASES[i].date, (long long)seconds_of(CASES[i].date));
        }
    }
}

static void test_what_is_no_date(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "",
        "yesterday",
        "Thu, 26 Foo 2026 15:00:00 +0000",
        "Thu, 31 Nov 2026 15:00:00 +0000",
        "29 Feb 2026 15:00:00 +0000",
        "0 Nov 2026 15:00:00 +0000",
        "26 Nov 2026 24:00:00 +0000",
        "26 Nov 2026 15:60:00 +0000",
        "26 Nov 2026 15:00:61 +0000",
        "26 Nov 2026 15:00:00 +2460",
        "26 Nov 2026 15:00:00 +01",
        "26 Nov 2026 15:00:00 +01000",
        "26 Nov 2026 15:00:00 +0100 more",
        "26 Nov 2026 15.00.00 +0100",
        "26 Nov 02026 15:00:00 +0100",
        "26 Nov 6 15:00:00 +0100",
        "26 Nov 1969 15:00:00 +0000",
        "26 Nov 55 15:00:00 +0000", // 1955
        "26 Nov 2200 15:00:00 +0000",
        "99999999999999999999 Nov 2026 15:00:00 +0000",
        "26 Nov 2026 15:00:00 +0000 a b c d e f g h i j",
        "26 Nov 2026 15:00:00 EST5EDT",
        "\x01 Nov 2026 15:00:00 +0000",
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        if (seconds_of(CASES[i]) != 0) {
            fail_msg("'%s' is %lld", CASES[i], (long long)seconds_of(CASES[i]));
        }
    }
}

#define AT     "; Thu, 26 Nov 2026 15:00:00 +0000"
#define AT_UTC 1795705200

static const struct received_case {
    const char *value;
    struct hop hop; // but for its time
    int64_t seconds;
} CASES[] = {
    // Postfix
    {" from mx01.example (mx01.example [10.77.0.11])\r\n"
     "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\r\n"
     "\t key-exchange X25519 server-signature ECDSA (P-256))\r\n"
     "\t(No client certificate requested)\r\n"
     "\tby mx02.example (Postfix) with ESMTPS id 4F7A2C1\r\n"
     "\tfor <probe@mx02.example>" AT " (UTC)",
     {"mx01.example",
      "mx01.example [10.77.0.11]",
      "mx02.example",
      "ESMTPS",
      "TLSv1.3 TLS_AES_256_GCM_SHA384",
      "4F7A2C1",
      {0}},
     AT_UTC},
    {"by mx02.example (Postfix, from userid 1000) id 4F7A2C1" AT,
     {.by = "mx02.example", .queue_id = "4F7A2C1"},
     AT_UTC},
    {"from unknown (unknown [10.0.0.1]) by mx02.example (Postfix) with SMTP id 9" AT,
     {"unknown", "unknown [10.0.0.1]", "mx02.example", "SMTP", "", "9", {0}},
     AT_UTC},
    // Exim, three ages of it
    {"from mx01.example ([10.0.0.1]:40012 helo=foo) by mx02.example with esmtps "
     "(TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256) (Exim 4.92) "
     "(envelope-from <a@b>) id 1kQ-0001-7c for c@d" AT,
     {"mx01.example",
      "[10.0.0.1]:40012",
      "mx02.example",
      "esmtps",
      "TLSv1.3 ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM",
      "1kQ-0001-7c",
      {0}},
     AT_UTC},
    {"from mx01.example ([10.0.0.1]) by mx02.example with esmtps  (TLS1.3) tls "
     "TLS_AES_256_GCM_SHA384 (Exim 4.96) (envelope-from <a@b>) id 1oX-7c-2B for c@d" AT,
     {"mx01.example",
      "[10.0.0.1]",
      "mx02.example",
      "esmtps",
      "TLSv1.3 TLS_AES_256_GCM_SHA384",
      "1oX-7c-2B",
      {0}},
     AT_UTC},
    {"from [10.0.0.1] (helo=foo) by mx02.example with esmtpsa (TLSv1.2:ECDHE-RSA:128) id 7" AT,
     {"[10.0.0.1]", "[10.0.0.1]", "mx02.example", "esmtpsa", "TLSv1.2 ECDHE-RSA", "7", {0}},
     AT_UTC},
    // Exchange
    {"from A.example.com (2603:10a6::1) by B.example.com (2603:10a6::2) with Microsoft SMTP Server "
     "(version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.7784.18" AT,
     {"A.example.com",
      "2603:10a6::1",
      "B.example.com",
      "Microsoft SMTP Server",
      "TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
      "15.20.7784.18",
      {0}},
     AT_UTC},
    {"from A (10.1.1.1) by B (10.1.1.2) with Microsoft SMTP Server (TLS) id 14.3.1; "
     "Thu, 26 Nov 2026 16:00:00 +0100",
     {"A", "10.1.1.1", "B", "Microsoft SMTP Server", "TLS", "14.3.1", {0}},
     AT_UTC},
    {"from A ([::1]) by A ([fe80::1%12]) with mapi id 15.20" AT,
     {"A", "[::1]", "A", "mapi", "", "15.20", {0}},
     AT_UTC},
    // Gmail
    {"from mail-wr1-f44.google.com (mail-wr1-f44.google.com. [209.85.221.44])\r\n"
     "        by mx.google.com with ESMTPS id ffacd0b85a97d-38b\r\n"
     "        for <someone@gmail.com>\r\n"
     "        (version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256 bits=128/128);\r\n"
     "        Thu, 26 Nov 2026 07:00:00 -0800 (PST)",
     {"mail-wr1-f44.google.com",
      "mail-wr1-f44.google.com. [209.85.221.44]",
      "mx.google.com",
      "ESMTPS",
      "TLSv1.3 TLS_AES_128_GCM_SHA256",
      "ffacd0b85a97d-38b",
      {0}},
     AT_UTC},
    {"by 2002:a05:6e02:1aa4:b0:3a7 with SMTP id l4csp1234" AT,
     {.by = "2002:a05:6e02:1aa4:b0:3a7", .protocol = "SMTP", .queue_id = "l4csp1234"},
     AT_UTC},
    // Sendmail, qmail, Dovecot
    {"from mx01.example (mx01.example [10.0.0.1]) by mx02.example (8.17.1/8.17.1) with ESMTPS id "
     "4AQF0012 (version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NO)" AT,
     {"mx01.example",
      "mx01.example [10.0.0.1]",
      "mx02.example",
      "ESMTPS",
      "TLSv1.3 TLS_AES_256_GCM_SHA384",
      "4AQF0012",
      {0}},
     AT_UTC},
    {"(qmail 1234 invoked from network); 26 Nov 2026 15:00:00 -0000", {.by = ""}, AT_UTC},
    {"from unknown (HELO mx01) (10.0.0.1)\n  by mx02 with SMTP; 26 Nov 2026 15:00:00 -0000",
     {"unknown", "10.0.0.1", "mx02", "SMTP", "", "", {0}},
     AT_UTC},
    {"from mx01.example (HELO mx01) (someone@10.0.0.1) by mx02 with SMTP" AT,
     {"mx01.example", "someone@10.0.0.1", "mx02", "SMTP", "", "", {0}},
     AT_UTC},
    {"from mx01 (EHLO mx01) (unverified) (2001:db8::1) (10.0.0.1) by mx02" AT,
     {.from = "mx01", .seen = "2001:db8::1", .by = "mx02"},
     AT_UTC},
    {"from mx01 (helo=mx01) by mx02" AT, {.from = "mx01", .by = "mx02"}, AT_UTC},
    {"from mx02.example\r\n\tby mx02.example with LMTP\r\n\tid aBcD/eF+g (envelope-from <a@b>)" AT,
     {"mx02.example", "", "mx02.example", "LMTP", "", "aBcD/eF+g", {0}},
     AT_UTC},
    // odd ones
    {"", {.by = ""}, 0},
    {";;;", {.by = ""}, 0},
    {"from by.example by from.example", {.from = "by.example", .by = "from.example"}, 0},
    {"from a by b; no date", {.from = "a", .by = "b"}, 0},
    {"from a by b; nonsense; 26 Nov 2026 15:00:00 +0000", {.from = "a", .by = "b"}, AT_UTC},
    {"from a by b with UTF8SMTPS id 1" AT,
     {.from = "a", .by = "b", .protocol = "UTF8SMTPS", .tls = "TLS", .queue_id = "1"},
     AT_UTC},
    {"from \"a\\\"\x01\x7f\xff<i>\" by <b>" AT,
     {.from = "a/'?"
              "?"
              "?<i>",
      .by = "<b>"},
     AT_UTC},
    {"from a (((((b) by c" AT,
     {.from = "a", .seen = "((((b) by c; Thu, 26 Nov 2026 15:00:00 +0000"},
     0},
};

static void test_what_servers_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct hop *expected = &CASES[i].hop;
        struct hop hop;
        memset(&hop, 0x55, sizeof hop);
        received_read(CASES[i].value, strlen(CASES[i].value), &hop);
        print_message("%.40s\n", CASES[i].value);
        assert_string_equal(hop.from, expected->from);
        assert_string_equal(hop.seen, expected->seen);
        assert_string_equal(hop.by, expected->by);
        assert_string_equal(hop.protocol, expected->protocol);
        assert_string_equal(hop.tls, expected->tls);
        assert_string_equal(hop.queue_id, expected->queue_id);
        assert_int_equal(hop.time.ns, CASES[i].seconds * 1000000000);
    }
}

static void test_nesting_and_length_are_bounded(void **state)
{
    (void)state;
    static char value[100000];
    struct hop hop;
    memset(value, '(', sizeof value);
    received_read(value, sizeof value, &hop);
    assert_int_equal(hop.time.ns, 0);
    memset(value, 'x', sizeof value);
    memcpy(value, "from ", 5);
    memcpy(value + 50000, " by ", 4);
    memcpy(value + 70000, " with ", 6);
    memcpy(value + 90000, " id ", 4);
    received_read(value, sizeof value, &hop);
    assert_int_equal(strlen(hop.from), HOP_HOST_SIZE - 1);
    assert_int_equal(strlen(hop.by), HOP_HOST_SIZE - 1);
    assert_int_equal(strlen(hop.protocol), HOP_PROTOCOL_SIZE - 1);
    assert_int_equal(strlen(hop.queue_id), HOP_QUEUE_ID_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_what_is_no_date),
        cmocka_unit_test(test_what_servers_write),
        cmocka_unit_test(test_nesting_and_length_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
