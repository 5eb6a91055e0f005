// mailflow-submit: hands probes over to mail servers (SMTP, by libESMTP).
//
// Jobs come in on standard input, one JSON object a line (probes/probe.h), until it ends; for each,
// two lines go out: when its content starts, and its outcome. Lines that are no jobs are answered
// on standard error, and with an outcome where they have a number.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/json_read.h"
#include "base/text.h"
#include "probes/probe.h"
#include "probes/prober.h"
#include "probes/resolve.h"
#include "probes/submit/interpose.h"
#include "probes/submit/session.h"
#include "probes/submit/watchdog.h"
#include "probes/tls.h"

static const struct prober_limits LIMITS = {.memory_bytes = 256u << 20, .descriptors = 32};

static void say(const char *message)
{
    fprintf(stderr, "mailflow-submit: %s\n", message);
}

// An agent that does not listen any more has no use for the rest either.
static void print_outcome(const struct submit_outcome *outcome)
{
    if (!prober_write_line(submit_outcome_encode(outcome))) {
        exit(EX_IOERR);
    }
}

static void on_content_started(void *context, const struct submit_outcome *so_far)
{
    (void)context;
    print_outcome(so_far);
}

static void refuse_line(int64_t number, const char *reason)
{
    struct submit_outcome outcome = {
        .number = number, .result = SUBMIT_REFUSED, .reply_class = REPLY_5XX};
    struct text cause = TEXT_OVER(outcome.cause);
    text_format(&cause, "job: %s", reason);
    say(outcome.cause);
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        outcome.legs[i] = (struct span){-1};
    }
    if (number > 0) {
        print_outcome(&outcome);
    }
}

static void serve_line(const char *line, size_t length)
{
    static const struct session_observer OBSERVER = {.content_started = on_content_started};
    struct submit_job job;
    struct submit_outcome outcome;
    struct error error;
    if (submit_job_decode(line, length, &job, &error)) {
        session_run(&job, &OBSERVER, &outcome);
        print_outcome(&outcome);
    } else {
        refuse_line(job.number, error.message);
    }
    explicit_bzero(&job, sizeof job);
}

static void serve(void)
{
    char line[JSON_LINE_MAXIMUM];
    size_t length;
    while (prober_read_line(line, sizeof line, &length)) {
        if (length > 0) {
            serve_line(line, length);
        }
        explicit_bzero(line, sizeof line);
    }
}

static bool warm_up(struct error *error)
{
    // libESMTP takes client certificates from there, and frees them twice.
    setenv("HOME", "/nonexistent", 1);
    unsetenv("XDG_CONFIG_HOME");
    tls_warm_up();
    resolve_warm_up();
    session_warm_up();
    if (!interpose_works()) {
        return error_set(error, "this build is unusable: libESMTP's calls to getaddrinfo, connect "
                                "and poll do not arrive in it, so nothing would end in time");
    }
    return watchdog_start(error);
}

int main(int count, char **arguments)
{
    prober_begin();
    struct error error;
    if (count > 1) {
        fprintf(stderr, "usage: %s < JOBS   (one JSON object a line)\n", arguments[0]);
        return EX_USAGE;
    }
    if (!warm_up(&error) || !prober_confine(&LIMITS, &error)) {
        say(error.message);
        return EX_SOFTWARE;
    }
    serve();
    return EXIT_SUCCESS;
}
