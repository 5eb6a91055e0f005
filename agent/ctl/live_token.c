#include "ctl/live_token.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/prober_child.h"
#include "probes/endpoint.h"

#define TO_RUN SPAN_SECONDS(20)
#define GRACE  SPAN_SECONDS(2) // the prober keeps its deadline by itself, and cleans up

static bool take_token(const char *line, size_t length, char out[PROBE_TOKEN_SIZE],
                       struct error *error)
{
    struct token_outcome outcome;
    if (!token_outcome_decode(line, length, &outcome, error)) {
        return false;
    }
    text_copy(out, PROBE_TOKEN_SIZE, outcome.token);
    explicit_bzero(outcome.token, sizeof outcome.token);
    return out[0] != '\0' || error_set(error, "token_command: %s", outcome.cause);
}

// When we are interrupted, the command and what it has started must end, too.
static void let_clean_up(struct prober_child *child)
{
    struct pollfd its_end = {.fd = child->output};
    kill(child->pid, SIGTERM);
    poll(&its_end, 1, (int)(GRACE.ns / 1000000));
}

static bool run_command(const char *probers, struct token_job *job, char out[PROBE_TOKEN_SIZE],
                        struct error *error)
{
    struct prober_child child;
    const char *line;
    size_t length;
    job->number = 1;
    job->deadline = instant_add(clock_now().instant, TO_RUN);
    if (!prober_child_start(&child, probers, "mailflow-token", error)) {
        return false;
    }
    prober_child_write(&child, token_job_encode(job));
    bool told = prober_child_read(&child, instant_add(job->deadline, GRACE), &line, &length, error);
    bool good = told && take_token(line, length, out, error);
    if (!told) {
        let_clean_up(&child);
    }
    prober_child_stop(&child);
    return good;
}

bool live_token_get(const char *probers, const struct settings *settings,
                    const struct oauth_settings *oauth, char out[PROBE_TOKEN_SIZE],
                    struct error *error)
{
    struct token_job job = {0};
    out[0] = '\0';
    if (!endpoint_has_token(oauth)) {
        return true;
    }
    if (oauth->token_command_count == 0) {
        return endpoint_read_token(oauth->token_file, out, error);
    }
    return endpoint_of_command(oauth, settings->state_dir, &job, error) &&
           run_command(probers, &job, out, error);
}
