#include "ctl/live_token.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/prober_child.h"
#include "probes/endpoint.h"

#define TO_RUN SPAN_SECONDS(20)

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

static bool run_command(const char *probers, struct token_job *job, char out[PROBE_TOKEN_SIZE],
                        struct error *error)
{
    struct prober_child child;
    const char *line;
    size_t length;
    job->number = 1;
    job->deadline = instant_add(clock_now().instant, TO_RUN);
    bool good = prober_child_ask(&child, probers, "mailflow-token", token_job_encode(job),
                                 job->deadline, &line, &length, error) &&
                take_token(line, length, out, error);
    explicit_bzero(child.bytes, sizeof child.bytes);
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
