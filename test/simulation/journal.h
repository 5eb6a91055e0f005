// What a run writes down: every notification, every transition of a window, what the script did,
// and at the end what became of every path's probes. It also checks, all the time, what must hold
// in every world; a check that fails makes the run fail.
#ifndef MAILFLOW_SIMULATION_JOURNAL_H
#define MAILFLOW_SIMULATION_JOURNAL_H

#include <stdbool.h>
#include <stdio.h>

#include "simulation/world.h"

// A notification that has been made.
struct spoken {
    struct instant at;
    int node;
    enum notice notice;
    struct incident incident;
};

// An agent came to know of a window, or of a change of it.
struct learned {
    struct instant at;
    int node;
    struct window window;
};

// What the world wrote into a message that an agent took for an arrival, and of which windows that
// agent knew.
struct passage {
    struct instant at;
    struct walltime wall; // of the agent's clock
    int node;
    int from;
    struct walltime sent;
    struct walltime arrived;
    char route[ROUTE_TEXT_SIZE];
    enum auth_result results[AUTH_METHODS];
    bool misplaced;
    size_t learned; // so many of what has been learned
};

// An agent has closed an incident, when so many passages had been.
struct closing {
    int node;
    int64_t incident;
    size_t passages;
};

struct journal {
    FILE *out;
    FILE *unread; // where the lines go that are not shown, NULL before the first
    bool trace;   // every probe too
    struct spoken *spoken;
    size_t spoken_count;
    struct learned *learned;
    size_t learned_count;
    struct passage *passages;
    size_t passage_count;
    struct closing *closings;
    size_t closing_count;
    unsigned failures;
};

void journal_free(struct journal *journal);

// Where this server's lines go.
FILE *journal_of(const struct world *world, int server);

void journal_notice(struct world *world, int node, const struct incident *incident,
                    enum notice notice);
void journal_passage(struct world *world, int node, const struct message *message,
                     const struct probe_record *record);
void journal_closed(struct world *world, int node, const struct incident *incident);
void journal_learned(struct world *world, int node, const struct window *window);
void journal_drained(struct world *world, int node, const struct drained *drained);
void journal_cohort(struct world *world, int node, int peer, enum direction direction,
                    const struct cohort *cohort);
void journal_window(struct world *world, int node, const struct window *window,
                    enum window_transition transition);
// Only where the scenario wants it: set acknowledgements 1.
void journal_acknowledged(struct world *world, int node, const struct action *action);
// How far the announcement of a window has come, and why not further.
void journal_acknowledgements(struct world *world, int node, const struct window *window);
void journal_clock(struct world *world, int node, struct span step);
void journal_route(struct world *world, int node, const struct action *action);
void journal_refused(struct world *world, int node, const char *reason);
void journal_script(struct world *world, const char *line);
void journal_kill(struct world *world, int node, enum kill_phase phase);
void journal_trace(struct world *world, int server, const char *what, const struct tag *tag);
// What a report of a probe came to.
void journal_bounce(struct world *world, int node, const struct action *action);

void journal_record(struct world *world, int node, const struct probe_record *record);
void journal_summary(struct world *world);

// Something that must hold in every world.
void journal_check(struct world *world, bool holds, int node, const char *otherwise);

#endif
