// What may, must and must not be said in a world, by its plan alone: which servers and paths were
// really in trouble, when, and which windows covered them. Knows nothing of how the core finds out.
#ifndef MAILFLOW_SIMULATION_ORACLE_H
#define MAILFLOW_SIMULATION_ORACLE_H

#include "simulation/plan.h"
#include "simulation/world.h"

// Holds the run's notifications against the plan; what is wrong is a failed check of the journal.
void oracle_check(struct world *world, const struct plan *plan);

// Of each window, by the number of its piece, the newest revision among the first `count` that were
// learned, of those this agent did; NULL where it knows none.
void oracle_known(const struct world *world, int node, size_t count,
                  const struct window *known[PIECES_MAXIMUM]);

// ---- oracle_ways.c ----

// What is said of the way that mail takes: exactly what follows from what every message carried,
// whatever became of the agent between two of them.
void oracle_check_ways(struct world *world, const struct plan *plan);

// ---- oracle_rules.c: the table of what a trouble may and must lead to ----

// A notification, by server numbers.
struct claim {
    enum incident_kind kind;
    int speaker;
    int from, to; // of a path; of a server or a mailbox `from` is the server, `to` -1
};

// The trouble may lead to the claim.
bool oracle_may(const struct piece *piece, const struct claim *claim);

// What an agent must say because of a trouble that nothing else stands beside.
struct duty {
    unsigned kinds; // one of them, a bit for each; 0: nothing
    int after;      // seconds of trouble from which on it must ...
    int within;     // ... and at most so many seconds after its beginning
};
struct duty oracle_duty(const struct plan *plan, const struct piece *piece, int speaker);

#endif
