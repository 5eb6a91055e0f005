// What has come back for a request: taken, or which of many faults it has, in words.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "probes/exchange_reply.h"

static const struct mesh_keys OURS = {.count = 1,
                                      .keys = {{"k1", "0123456789abcdef", .secret_length = 16}}};
static const struct mesh_keys OTHERS = {.count = 1,
                                        .keys = {{"k9", "fedcba9876543210", .secret_length = 16}}};
static const struct walltime NOW = {INT64_C(1790000000) * 1000000000};

// A good reply but for what a case changes.
struct fault {
    const char *name;
    const char *body; // instead of the reply
    const char *from;
    const char *words;
    enum exchange_reply expected;
    int status;
    int late;  // by this many seconds; negative ahead of time
    bool bare; // of a signature
    bool other_key;
    bool other_nonce;
};

static const struct fault FAULTS[] = {
    {.name = "good", .expected = EXCHANGE_REPLY_GOOD},
    {.name = "just fresh", .late = 600, .expected = EXCHANGE_REPLY_GOOD},
    {.name = "just early", .late = -600, .expected = EXCHANGE_REPLY_GOOD},
    {.name = "behind",
     .late = 601,
     .expected = EXCHANGE_REPLY_STALE,
     .words = "its clock is 601 s behind ours: compare the clocks"},
    {.name = "ahead",
     .late = -601,
     .expected = EXCHANGE_REPLY_STALE,
     .words = "its clock is 601 s ahead of ours: compare the clocks"},
    {.name = "not signed",
     .bare = true,
     .expected = EXCHANGE_REPLY_UNSIGNED,
     .words = "its reply: not signed"},
    {.name = "another key",
     .other_key = true,
     .expected = EXCHANGE_REPLY_FORGED,
     .words = "its reply: signed with a key that is not ours"},
    {.name = "no JSON",
     .body = "<html>",
     .expected = EXCHANGE_REPLY_MALFORMED,
     .words = "its reply: not JSON at byte 1: '[' or '{' expected near '<'"},
    {.name = "from another",
     .from = "mx03",
     .expected = EXCHANGE_REPLY_ASTRAY,
     .words = "the reply is from mx03 to mx02"},
    {.name = "to another request",
     .other_nonce = true,
     .expected = EXCHANGE_REPLY_ASTRAY,
     .words = "the reply answers another request"},
    {.name = "refused in words",
     .status = 403,
     .body = "{\"detail\":\"no\\u0007 peer\"}",
     .expected = EXCHANGE_REPLY_REFUSAL,
     .words = "its agent answers 403: no\\x07 peer"},
    {.name = "refused without words",
     .status = 502,
     .body = "<html>",
     .expected = EXCHANGE_REPLY_REFUSAL,
     .words = "its agent answers 502"},
    {.name = "a refusal is signed by nobody",
     .status = 401,
     .bare = true,
     .expected = EXCHANGE_REPLY_REFUSAL,
     .words = "its agent answers 401"},
};

static void compose(const struct fault *fault, const struct probe_id *nonce, struct text *body)
{
    struct exchange_message reply;
    struct walltime made = walltime_subtract(NOW, SPAN_SECONDS(fault->late));
    exchange_message_compose_check(fault->from != NULL ? fault->from : "mx01", "mx02", made,
                                   &reply);
    reply.reply = true;
    reply.received = made;
    reply.in_reply_to = fault->other_nonce ? reply.nonce : *nonce;
    assert_true(exchange_message_write(&reply, body));
}

static void test_faults(void **state)
{
    (void)state;
    const struct probe_id nonce = {{1, 2, 3}};
    const struct exchange_request request = {"mx02", "mx01", &nonce};
    for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++) {
        const struct fault *fault = &FAULTS[i];
        char bytes[2000], signature[TAG_SIGNATURE_SIZE] = "";
        struct text body = TEXT_OVER(bytes), signed_as = TEXT_OVER(signature);
        struct exchange_message message;
        struct error error = {""};
        if (fault->body != NULL) {
            text_append(&body, fault->body);
        } else {
            compose(fault, &nonce, &body);
        }
        if (!fault->bare) {
            exchange_message_sign(bytes, body.length,
                                  fault->other_key ? &OTHERS.keys[0] : &OURS.keys[0], &signed_as);
        }
        const struct exchange_response response = {
            .status = fault->status != 0 ? fault->status : EXCHANGE_STATUS_ANSWERED,
            .signature = signature,
            .bytes = bytes,
            .length = body.length,
            .came = NOW};
        print_message("%s\n", fault->name);
        assert_int_equal(exchange_reply_read(&response, &request, &OURS, &message, &error),
                         fault->expected);
        if (fault->words == NULL) {
            assert_string_equal(message.from, "mx01");
        } else {
            assert_string_equal(error.message, fault->words);
        }
    }
}

// Whoever does not know the member leaves it away.
static void test_isolated(void **state)
{
    (void)state;
    char bytes[2000];
    struct text body = TEXT_OVER(bytes);
    struct exchange_message message, back;
    struct error error;
    exchange_message_compose_check("mx01", "mx02", NOW, &message);
    message.exchange.isolated = true;
    assert_true(exchange_message_write(&message, &body));
    assert_true(exchange_message_read(bytes, body.length, false, &back, &error));
    assert_true(back.exchange.isolated);
    char *member = strstr(bytes, "\"isolated\"");
    assert_non_null(member);
    member[1] = 'I';
    assert_true(exchange_message_read(bytes, body.length, false, &back, &error));
    assert_false(back.exchange.isolated);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_isolated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
