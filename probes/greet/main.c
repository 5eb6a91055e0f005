// mailflow-greet: connects to a mail server and sees whether it greets.
//
// Jobs come in on standard input, one JSON object a line (probes/greet.h), until it ends; for each,
// one outcome goes out. Lines that are no jobs are answered on standard error, and with an outcome
// where they have a number.
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/json_read.h"
#include "base/text.h"
#include "probes/greet.h"
#include "probes/greet/greeting.h"
#include "probes/greet/mail_exchanger.h"
#include "probes/prober.h"
#include "probes/resolve.h"

static const struct prober_limits LIMITS = {.memory_bytes = 128u << 20, .descriptors = 32};

static void say(const char *message)
{
    fprintf(stderr, "mailflow-greet: %s\n", message);
}

// An agent that does not listen any more has no use for the rest either.
static void print_outcome(const struct greet_outcome *outcome)
{
    if (!prober_write_line(greet_outcome_encode(outcome))) {
        exit(EX_IOERR);
    }
}

static void greet(const struct greet_job *job, struct greet_outcome *outcome)
{
    struct error error = {0};
    text_copy(outcome->server, sizeof outcome->server, job->host);
    outcome->greeted = (!job->domain || mail_exchanger_find(job->host, outcome->server, &error)) &&
                       greeting_await(outcome->server, job, outcome->refusal, &error);
    if (!outcome->greeted) {
        text_copy(outcome->cause, sizeof outcome->cause, error.message);
    }
}

static void serve_line(const char *line, size_t length)
{
    struct greet_job job;
    struct error error;
    bool valid = greet_job_decode(line, length, &job, &error);
    struct greet_outcome outcome = {.number = job.number};
    if (valid) {
        greet(&job, &outcome);
    } else {
        struct text cause = TEXT_OVER(outcome.cause);
        text_format(&cause, "job: %s", error.message);
        say(outcome.cause);
    }
    if (job.number > 0) {
        print_outcome(&outcome);
    }
}

int main(int count, char **arguments)
{
    char line[JSON_LINE_MAXIMUM];
    size_t length;
    struct error error;
    prober_begin();
    if (count > 1) {
        fprintf(stderr, "usage: %s < JOBS   (one JSON object a line)\n", arguments[0]);
        return EX_USAGE;
    }
    resolve_warm_up();
    if (!prober_confine(&LIMITS, &error)) {
        say(error.message);
        return EX_SOFTWARE;
    }
    while (prober_read_line(line, sizeof line, &length)) {
        if (length > 0) {
            serve_line(line, length);
        }
    }
    return EXIT_SUCCESS;
}
