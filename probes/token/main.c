// mailflow-token: runs a command that prints a bearer token.
//
// Jobs come in on standard input, one JSON object a line (probes/token.h), until it ends; for each
// goes out one outcome. Lines that are no jobs are answered on standard error, and with an outcome
// where they have a number.
//
// Of all probers it alone may start programs: so it speaks to no server, and the probers that do
// are handed the token by the agent. It has no filter of system calls, for the command would
// inherit it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/json_read.h"
#include "base/text.h"
#include "probes/prober.h"
#include "probes/token.h"
#include "probes/token/answer.h"
#include "probes/token/command.h"

static void say(const char *message)
{
    fprintf(stderr, "mailflow-token: %s\n", message);
}

// An agent that does not listen any more has no use for the rest either.
static void print_outcome(const struct token_outcome *outcome)
{
    if (!prober_write_line(token_outcome_encode(outcome))) {
        exit(EX_IOERR);
    }
}

static void fail(const char *program, const struct error *error, const char *words,
                 struct token_outcome *out)
{
    struct text cause = TEXT_OVER(out->cause);
    text_append_escaped(&cause, program);
    text_format(&cause, "%s%s", program[0] == '\0' ? "" : ": ", error->message);
    if (words[0] != '\0') {
        text_append(&cause, ": ");
        answer_append_words(&cause, words);
    }
}

static void run(const struct token_job *job)
{
    static struct command_output output;
    struct token_outcome outcome = {.number = job->number, .lifetime = {-1}};
    struct error error;
    if (!command_run(job, &output, &error) ||
        !answer_read(output.bytes, output.length, &outcome, &error)) {
        fail(job->words[0], &error, output.words, &outcome);
    }
    print_outcome(&outcome);
    explicit_bzero(&outcome, sizeof outcome);
    explicit_bzero(&output, sizeof output);
}

static void serve_line(const char *line, size_t length)
{
    struct token_job job;
    struct error error;
    if (token_job_decode(line, length, &job, &error)) {
        run(&job);
        return;
    }
    struct token_outcome outcome = {.number = job.number, .lifetime = {-1}};
    error_prefix(&error, "job");
    say(error.message);
    fail("", &error, "", &outcome);
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
    if (!command_prepare(&error)) {
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
