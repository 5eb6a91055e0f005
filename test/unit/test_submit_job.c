// Which jobs may go into one session, and until when.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "probes/submit/job.h"

static struct submit_job job, other;

static int set_up(void **state)
{
    (void)state;
    memset(&job, 0, sizeof job);
    job = (struct submit_job){
        .number = 1,
        .deadline = {5000000000},
        .relay = {.host = "mx01.example", .port = 25, .user = "probe", .password = "secret"},
        .ehlo = "mx02.example",
        .sender = "probe@mx02.example",
        .recipient = "probe@mx01.example",
    };
    other = job;
    return 0;
}

static void test_other_peers_share_a_relay(void **state)
{
    (void)state;
    other.number = 2;
    other.deadline = (struct instant){9000000000};
    strcpy(other.recipient, "probe@mx03.example");
    assert_true(job_shares_relay(&job, &other));
}

static void test_whatever_else_differs_separates(void **state)
{
    (void)state;
    char *const words[] = {other.relay.host,     other.relay.ca_file, other.relay.user,
                           other.relay.password, other.relay.token,   other.ehlo};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        words[i][0] = '!';
        assert_false(job_shares_relay(&job, &other));
        other = job;
    }
    other.relay.port = 587;
    assert_false(job_shares_relay(&job, &other));
    other = job;
    other.relay.tls = PROBE_TLS_STARTTLS;
    assert_false(job_shares_relay(&job, &other));
    other = job;
    other.relay.oauth = PROBE_OAUTH_XOAUTH2;
    assert_false(job_shares_relay(&job, &other));
}

static void test_a_session_ends_before_the_job_must(void **state)
{
    (void)state;
    assert_true(job_deadline(&job).ns < job.deadline.ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_other_peers_share_a_relay, set_up),
        cmocka_unit_test_setup(test_whatever_else_differs_separates, set_up),
        cmocka_unit_test_setup(test_a_session_ends_before_the_job_must, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
