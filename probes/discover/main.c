// mailflow-discover: asks the DNS which servers a name lists.
//
// Jobs come in on standard input, one JSON object a line (probes/discover.h), until it ends; for
// each go out a line a server, and one that says how it ended. Lines that are no jobs are answered
// on standard error, and with a failure where they have a number. What hangs beyond the deadline of
// its job, as the resolver may over TCP, ends by SIGALRM.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/json_read.h"
#include "base/text.h"
#include "probes/discover.h"
#include "probes/discover/service.h"
#include "probes/prober.h"
#include "probes/resolve.h"

static const struct prober_limits LIMITS = {.memory_bytes = 128u << 20, .descriptors = 32};

static struct service_server servers[SERVICE_SERVERS_MAXIMUM];

static void say(const char *message)
{
    fprintf(stderr, "mailflow-discover: %s\n", message);
}

// An agent that does not listen any more has no use for the rest either.
static void print_line(const struct discover_line *line)
{
    if (!prober_write_line(discover_line_encode(line))) {
        exit(EX_IOERR);
    }
}

static void print_failure(int64_t number, const char *cause)
{
    struct discover_line line = {.number = number, .kind = DISCOVER_FAILED};
    text_copy(line.cause, sizeof line.cause, cause);
    print_line(&line);
}

static void discover(const struct discover_job *job)
{
    size_t count;
    struct error error;
    if (!service_find(job->name, servers, &count, &error)) {
        print_failure(job->number, error.message);
        return;
    }
    struct discover_line line = {.number = job->number, .kind = DISCOVER_SERVER};
    for (size_t i = 0; i < count; i++) {
        text_copy(line.host, sizeof line.host, servers[i].host);
        line.port = servers[i].port;
        print_line(&line);
    }
    print_line(&(struct discover_line){.number = job->number, .kind = DISCOVER_DONE});
}

static void serve_line(const char *line, size_t length, timer_t alarm)
{
    struct discover_job job;
    struct error error;
    if (discover_job_decode(line, length, &job, &error)) {
        struct itimerspec at = {.it_value = {.tv_sec = job.deadline.ns / 1000000000,
                                             .tv_nsec = job.deadline.ns % 1000000000}};
        timer_settime(alarm, TIMER_ABSTIME, &at, NULL);
        discover(&job);
        timer_settime(alarm, 0, &(struct itimerspec){0}, NULL);
        return;
    }
    error_prefix(&error, "job");
    say(error.message);
    if (job.number > 0) {
        print_failure(job.number, error.message);
    }
}

int main(int count, char **arguments)
{
    char line[JSON_LINE_MAXIMUM];
    size_t length;
    struct error error;
    timer_t alarm;
    prober_begin();
    if (count > 1) {
        fprintf(stderr, "usage: %s < JOBS   (one JSON object a line)\n", arguments[0]);
        return EX_USAGE;
    }
    resolve_warm_up();
    if (timer_create(CLOCK_BOOTTIME, NULL, &alarm) != 0) { // SIGALRM, which ends the process
        fprintf(stderr, "mailflow-discover: timer: %s\n", strerror(errno));
        return EX_SOFTWARE;
    }
    if (!prober_confine(&LIMITS, &error)) {
        say(error.message);
        return EX_SOFTWARE;
    }
    while (prober_read_line(line, sizeof line, &length)) {
        if (length > 0) {
            serve_line(line, length, alarm);
        }
    }
    return EXIT_SUCCESS;
}
