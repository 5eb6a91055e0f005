// What mailflowctl can do: one row per verb, and what its handler is given. The table stands in
// verbs.c; help, usage errors and suggestions are made from it.
#ifndef MAILFLOW_CTL_VERB_H
#define MAILFLOW_CTL_VERB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/client.h"
#include "ctl/options.h"
#include "ctl/terminal.h"

// Scripts rely on these. The verb `probe` is a monitoring plugin and has the plugins' codes:
// 0 ok, 1 warning, 2 critical, 3 unknown (plugin.h); whatever is no measurement is unknown, wrong
// usage too.
enum exit_code { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

struct context;

struct verb {
    const char *name;                      // one word, or two as in "maintenance begin"
    const char *arguments;                 // as shown in the usage line
    size_t least;                          // arguments at least ...
    size_t most;                           // ... and at most
    uint64_t options;                      // bits of enum option, beside the global ones
    const struct option_meaning *meanings; // where they differ from the usual; NULL = nowhere
    uint64_t required;                     // those of them that must be given
    bool needs_agent;                      // a client is ready when the handler is called
    bool secrets;                          // it has them in its memory: no core file may be written
    bool plugin;                           // failures are told as a monitoring plugin tells them
    int (*run)(struct context *context);
    const char *summary; // one line
    const char *help;    // paragraphs, an empty line between them
    const char *examples;
};

// What standard output has got, and what is told there in the end when that is nothing.
struct report {
    bool printed;    // JSON, or the beginning of it
    json_t *problem; // with --json: the first failure, as the API tells one (RFC 9457)
};

struct context {
    const struct verb *verb; // NULL until it is known
    const struct command *command;
    struct terminal terminal;
    struct client *client; // NULL unless the verb needs the agent
    struct report *report;
};

extern const struct verb VERBS[];
extern const size_t VERB_COUNT;

// The verb whose name the words begin with, or NULL; `words` is then the length of its name in
// words.
const struct verb *verb_find(const char *const *words, size_t count, size_t *used);

int verb_setup(struct context *context);
int verb_join(struct context *context);
int verb_invite(struct context *context);
int verb_status(struct context *context);
int verb_mesh(struct context *context);
int verb_probe(struct context *context);
int verb_explain(struct context *context);
int verb_history(struct context *context);
int verb_maintenance_begin(struct context *context);
int verb_maintenance_extend(struct context *context);
int verb_maintenance_end(struct context *context);
int verb_maintenance_cancel(struct context *context);
int verb_maintenance_list(struct context *context);
int verb_simulate(struct context *context);
int verb_peers(struct context *context);
int verb_check(struct context *context);
int verb_reload(struct context *context);
int verb_version(struct context *context);
int verb_complete(struct context *context);

#endif
