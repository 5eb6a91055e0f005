#include "shell/sendings.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

struct sending {
    struct sending *next;
    struct submit_job job;
    struct token_source *source;
    bool waits;                    // for a token; else the submitters have it
    bool again;                    // for the second time
    struct submit_outcome refusal; // then that of the first
};

struct sendings {
    struct submitters *submitters;
    struct tokens *tokens;
    void (*refused)(void *context, const char *peer, const struct probe_id *id,
                    const struct submit_outcome *outcome);
    void *context;
    struct sending *first;
};

struct sendings *sendings_create(struct submitters *submitters, struct tokens *tokens,
                                 void (*refused)(void *context, const char *peer,
                                                 const struct probe_id *id,
                                                 const struct submit_outcome *outcome),
                                 void *context)
{
    struct sendings *all = memory_checked(calloc(1, sizeof *all));
    *all = (struct sendings){submitters, tokens, refused, context, NULL};
    return all;
}

static void forget(struct sendings *all, struct sending *sending)
{
    struct sending **at = &all->first;
    while (*at != sending) {
        at = &(*at)->next;
    }
    *at = sending->next;
    explicit_bzero(sending, sizeof *sending);
    free(sending);
}

void sendings_destroy(struct sendings *all)
{
    while (all->first != NULL) {
        forget(all, all->first);
    }
    free(all);
}

// In words what the relay said first, when it was asked before.
static void add_cause(struct submit_outcome *outcome, const char *cause)
{
    char before[sizeof outcome->cause];
    text_copy(before, sizeof before, outcome->cause);
    struct text text = TEXT_OVER(outcome->cause);
    text_format(&text, "%s%s%s", before, before[0] == '\0' ? "" : "; ", cause);
}

static struct submit_outcome outcome_without_token(void)
{
    struct submit_outcome outcome = {.result = SUBMIT_REFUSED, .reply_class = REPLY_LOCAL};
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        outcome.legs[i] = (struct span){-1};
    }
    return outcome;
}

// Hands it over as soon as there is a token. False with the reason when there will be none, or none
// but the one that was refused.
static bool proceed(struct sendings *all, struct sending *sending, struct error *error)
{
    char token[PROBE_TOKEN_SIZE];
    enum token_answer answer = token_get(sending->source, token, error);
    sending->waits = answer == TOKEN_AWAITED;
    if (answer == TOKEN_AWAITED) {
        return true;
    }
    if (answer == TOKEN_NONE) {
        return false;
    }
    if (sending->again && strcmp(sending->job.relay.token, token) == 0) {
        error->message[0] = '\0';
        return false;
    }
    text_copy(sending->job.relay.token, sizeof sending->job.relay.token, token);
    explicit_bzero(token, sizeof token);
    submitters_submit(all->submitters, &sending->job);
    return true;
}

static void end_in_vain(struct sendings *all, struct sending *sending, const struct error *error)
{
    struct submit_outcome outcome = sending->again ? sending->refusal : outcome_without_token();
    char peer[SERVER_NAME_SIZE];
    struct probe_id id = sending->job.tag.id;
    text_copy(peer, sizeof peer, sending->job.tag.to);
    if (error->message[0] != '\0') {
        add_cause(&outcome, error->message);
    }
    forget(all, sending);
    all->refused(all->context, peer, &id, &outcome);
}

void sendings_give(struct sendings *all, struct submit_job *job, const struct oauth_settings *oauth)
{
    struct error error;
    if (job->relay.oauth == PROBE_OAUTH_NONE) {
        submitters_submit(all->submitters, job);
        return;
    }
    struct sending *sending = memory_checked(calloc(1, sizeof *sending));
    sending->job = *job;
    sending->next = all->first;
    all->first = sending;
    sending->source = tokens_find(all->tokens, oauth, &error);
    if (sending->source == NULL || !proceed(all, sending, &error)) {
        end_in_vain(all, sending, &error);
    }
}

static struct sending *find(const struct sendings *all, const struct probe_id *id)
{
    struct sending *sending = all->first;
    while (sending != NULL && !probe_id_equal(&sending->job.tag.id, id)) {
        sending = sending->next;
    }
    return sending;
}

bool sendings_try_again(struct sendings *all, const struct probe_id *id,
                        struct submit_outcome *outcome)
{
    struct error error;
    struct sending *sending = find(all, id);
    if (sending == NULL) {
        return false;
    }
    if (outcome->token_refused) {
        token_was_refused(sending->source, sending->job.relay.token);
    } else if (outcome->legs[LEG_AUTH].ns >= 0) {
        token_was_good(sending->source, sending->job.relay.token);
    }
    if (outcome->token_refused && !sending->again) {
        sending->again = true;
        sending->refusal = *outcome;
        if (proceed(all, sending, &error)) {
            return true;
        }
        if (error.message[0] != '\0') {
            add_cause(outcome, error.message);
        }
    }
    forget(all, sending);
    return false;
}

void sendings_look_again(struct sendings *all)
{
    struct sending *next;
    for (struct sending *sending = all->first; sending != NULL; sending = next) {
        struct error error;
        next = sending->next;
        if (sending->waits && !proceed(all, sending, &error)) {
            end_in_vain(all, sending, &error);
        }
    }
}
