// mailflow-submit: hands probes over to mail servers (SMTP, by libESMTP).
//
// Jobs come in on standard input, one JSON object a line (probes/probe.h), until it ends; they are
// done in their order, and those already there for the same relay share a session (session.h). For
// each, two lines go out: when its content starts (again, should it be repeated), and its outcome.
// Lines that are no jobs are answered on standard error, and with an outcome where they have a
// number.
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

// What is done next, read ahead where it is there already: a job, or a line that is none.
struct backlog {
    struct submit_job job;
    bool filled;
    bool refused;
    struct error reason;
};

static void on_content_started(void *context, const struct submit_outcome *so_far)
{
    (void)context;
    print_outcome(so_far);
}

static void on_ended(void *context, const struct submit_outcome *outcome)
{
    (void)context;
    print_outcome(outcome);
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

static void take_line(struct backlog *backlog, const char *line, size_t length)
{
    backlog->filled = submit_job_decode(line, length, &backlog->job, &backlog->reason);
    backlog->refused = !backlog->filled;
}

// False at the end of the input.
static bool read_job(struct backlog *backlog)
{
    char line[JSON_LINE_MAXIMUM];
    size_t length;
    bool read = prober_read_line(line, sizeof line, &length);
    if (read && length > 0) {
        take_line(backlog, line, length);
    }
    explicit_bzero(line, sizeof line);
    return read;
}

static const struct submit_job *find_waiting(void *context)
{
    struct backlog *backlog = context;
    while (!backlog->filled && !backlog->refused && prober_has_line() && read_job(backlog)) {
    }
    return backlog->filled ? &backlog->job : NULL;
}

static void drop_taken(void *context)
{
    struct backlog *backlog = context;
    explicit_bzero(backlog, sizeof *backlog);
}

static void serve(void)
{
    struct backlog backlog = {.filled = false};
    const struct session_observer observer = {
        .content_started = on_content_started,
        .ended = on_ended,
        .waiting = find_waiting,
        .taken = drop_taken,
        .context = &backlog,
    };
    while (backlog.filled || backlog.refused || read_job(&backlog)) {
        if (backlog.refused) {
            refuse_line(backlog.job.number, backlog.reason.message);
            drop_taken(&backlog);
        } else if (backlog.filled) {
            struct submit_job job = backlog.job;
            drop_taken(&backlog);
            session_run(&job, &observer);
            explicit_bzero(&job, sizeof job);
        }
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
