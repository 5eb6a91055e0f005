// Bearer tokens: out of a file that somebody keeps fresh, or from a command that prints one.
//
// Why they live here, in the agent, and not in the probers that use them: probers are replaced at
// any time, several share one account, and their filter kills whoever starts a program. So a prober
// of its own, mailflow-token, runs the command, killed with all it has started when it takes too
// long; the agent keeps what it said, in memory only, and hands it on as a credential of a job.
//
// A source is a file or a command; who has the same words shares it. A command runs when there is
// no token, when the one there is ends (a little before that), and when one that had been good is
// refused. After a failure, or a token that never was good, it rests: a second, twice as long each
// time, a minute at most. What it said last stands until then, so that an account that is locked is
// not asked for at every probe.
#ifndef MAILFLOW_SHELL_TOKENS_H
#define MAILFLOW_SHELL_TOKENS_H

#include <uv.h>

#include "config/config.h"
#include "probes/probe.h"

enum { TOKEN_SOURCES_MAXIMUM = 16384, TOKEN_COMMANDS_MAXIMUM = 8 }; // the latter at a time

struct tokens;
struct token_source; // good as long as the tokens are

enum token_answer {
    TOKEN_HAD,     // it is in `out`
    TOKEN_AWAITED, // the command runs, for half a minute at most; `changed` is called after it
    TOKEN_NONE,    // it is in `error` why
};

// `home` is the working place of the commands ($HOME).
struct tokens *tokens_create(uv_loop_t *loop, const char *probers, const char *home,
                             void (*changed)(void *context), void *context);

// Ends every command. Returns at once; the loop runs dry afterwards.
void tokens_destroy(struct tokens *tokens);

// Where the token of these settings comes from; NULL with the reason.
struct token_source *tokens_find(struct tokens *tokens, const struct oauth_settings *oauth,
                                 struct error *error);

enum token_answer token_get(struct token_source *source, char out[PROBE_TOKEN_SIZE],
                            struct error *error);

// What a server said to the token; of one that is not the newest it does not matter.
void token_was_good(struct token_source *source, const char *token);
void token_was_refused(struct token_source *source, const char *token);

#endif
