// The agent at work: feeds the core with what happens, performs what it decides, in that order and
// with the ledger in between. Everything runs in one thread, in one libuv loop.
//
// What the HTTP handlers may read and ask for stands here; they never touch core or ledger
// otherwise.
#ifndef MAILFLOW_SHELL_AGENT_H
#define MAILFLOW_SHELL_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "base/instant.h"
#include "config/config.h"
#include "core/core.h"
#include "shell/alertmanager.h"
#include "shell/exchange_message.h"
#include "shell/exchanges.h"
#include "shell/peer_sources.h"
#include "shell/store.h"

struct agent;

struct agent_options {
    const char *config_file;
    const char *probers; // directory of mailflow-submit and its siblings
    // Called from the loop when only a new start can help (the ledger was damaged meanwhile).
    void (*broken)(void *context);
    void *context;
};

// Opens the ledger, restores, starts the probers. Owns the settings from here on. NULL with a
// message when the agent cannot do its work at all.
struct agent *agent_create(uv_loop_t *loop, const struct agent_options *options,
                           struct settings *settings, struct error *error);

// Ends the probers and commits; the loop runs dry afterwards and the agent frees itself.
void agent_destroy(struct agent *agent);

// Whoever listens on the settings' addresses: takes over new ones, or says why it cannot and keeps
// the old ones. With it the agent is complete, and says that it has started.
struct agent_listener {
    bool (*take_over)(void *context, const struct settings *settings, struct error *error);
    void *context;
};
void agent_set_listener(struct agent *agent, const struct agent_listener *listener);

// ---- reading ----

const struct core *agent_core(const struct agent *agent);
const struct settings *agent_settings(const struct agent *agent);

// Moves on whenever other settings or peers come into force: an answer that is being streamed then
// ends short, so that none mixes two configurations.
const unsigned *agent_generation(const struct agent *agent);

struct store *agent_store(const struct agent *agent);
struct walltime agent_started(const struct agent *agent);

// Probers at work, those killed at their deadline so far, and the jobs waiting for one.
struct agent_workers {
    unsigned busy;
    uint64_t killed;
    unsigned waiting;
};
struct agent_workers agent_workers(const struct agent *agent);

// How the exchanges over HTTP stand.
const struct exchanges *agent_exchanges(const struct agent *agent);

// How the lists of peers stand, and whether they could be put together when they were last read.
const struct peer_sources *agent_peer_sources(const struct agent *agent);
bool agent_lists_agree(const struct agent *agent);

// How the Alertmanager whose silences are windows stands.
struct alertmanager_figures agent_alertmanager(const struct agent *agent);

// Whether the last reload was taken over (true before the first).
bool agent_reload_successful(const struct agent *agent);

// Ready: the ledger takes commits and every mailbox of ours has been read once.
bool agent_ready(const struct agent *agent, char *reason, size_t size);

// ---- asking; true when done and durable, else the error says why not ----

// Puts a window in place: a new one, or a higher revision of a known one.
bool agent_put_window(struct agent *agent, const struct window *window, struct error *error);

// Sends one probe now, outside the cadence.
bool agent_probe_by_hand(struct agent *agent, int peer, struct probe_id *id, struct error *error);

// Whether a peer's verified message is fresh; admits it at most once.
enum exchange_freshness agent_admit_exchange(struct agent *agent, int peer,
                                             const struct exchange_message *message,
                                             struct walltime now);

// Takes what an admitted message says, which was received then.
bool agent_take_exchange(struct agent *agent, int peer, const struct exchange_message *message,
                         struct walltime received, struct error *error);

// Counts and logs a request that was not taken.
void agent_reject_exchange(struct agent *agent, enum exchange_rejection reason, const char *cause);

// Reads the configuration again and takes it over whole, or keeps the old one and says every
// problem.
bool agent_reload(struct agent *agent, struct config_problems *problems);

#endif
