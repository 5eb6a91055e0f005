// An agent for the tests of the HTTP side: shell/agent.h with a real core and a real ledger, but no
// probers and no loop of its own. What a test wants to be known is put into core and ledger by it.
#ifndef MAILFLOW_TEST_AGENT_FIXTURE_H
#define MAILFLOW_TEST_AGENT_FIXTURE_H

#include "shell/agent.h"

// 2026-09-21T14:13:20Z and so many seconds.
#define WALL(seconds)   ((struct walltime){(1790000000 + (int64_t)(seconds)) * 1000000000})
#define MOMENT(seconds) ((struct moment){{(1000 + (int64_t)(seconds)) * 1000000000}, WALL(seconds)})

struct agent {
    char directory[64];
    struct settings *settings;
    unsigned generation; // of the settings
    struct core *core;
    struct store *store;
    struct agent_listener listener;
    struct exchanges exchanges;
    struct alertmanager_figures alertmanager;
    struct settings *next; // what a reload finds; NULL: a file with an error in it
    bool reload_successful;
    bool refuses_probe;
    bool ledger_fails;
    const char *not_ready; // NULL when it is
};

// A server "mx01" with so many peers, "mx02" and on, and the mailbox "local", as of MOMENT(0).
struct agent *agent_fixture_create(size_t peers);
void agent_fixture_destroy(struct agent *agent);

// Settings by themselves, with other addresses; for a reload.
struct settings *agent_fixture_settings(size_t peers, const char *directory,
                                        const char *const *listen, size_t listen_count);

// The core's peers, to be written by the test.
struct peer *agent_fixture_peer(struct agent *agent, int peer);

// A file of test/unit, from malloc.
char *agent_fixture_read(const char *name);

// The whole of a streamed answer, or the body; from malloc.
struct http_response;
char *agent_fixture_take_body(struct http_response *response);

// Gives back what a response owns.
void agent_fixture_clear(struct http_response *response);

#endif
