// What the statements share: their words, and reading those as servers and durations. The table of
// all statements is in statement.c; those about paths and windows have files of their own.
#ifndef MAILFLOW_SIMULATION_STATEMENT_WORDS_H
#define MAILFLOW_SIMULATION_STATEMENT_WORDS_H

#include "base/error.h"
#include "simulation/world.h"

enum { WORDS_MAXIMUM = 80 };

// The words after the first one.
struct words {
    char *of[WORDS_MAXIMUM];
    int count;
};

bool words_find_server(const struct world *world, const char *name, int *server,
                       struct error *error);
bool words_parse_span(const char *word, struct span *span, struct error *error);

// ---- statement_paths.c ----

bool say_cut(struct world *world, const struct words *words, struct error *error);
bool say_mend(struct world *world, const struct words *words, struct error *error);
bool say_agent(struct world *world, const struct words *words, struct error *error);
bool say_sever(struct world *world, const struct words *words, struct error *error);
bool say_rejoin(struct world *world, const struct words *words, struct error *error);
bool say_delay(struct world *world, const struct words *words, struct error *error);
bool say_replay(struct world *world, const struct words *words, struct error *error);
bool say_lose(struct world *world, const struct words *words, struct error *error);
bool say_duplicate(struct world *world, const struct words *words, struct error *error);
bool say_defer(struct world *world, const struct words *words, struct error *error);
bool say_refuse(struct world *world, const struct words *words, struct error *error);
bool say_bounce(struct world *world, const struct words *words, struct error *error);
bool say_uncertain(struct world *world, const struct words *words, struct error *error);
bool say_probe(struct world *world, const struct words *words, struct error *error);

// ---- statement_certificates.c ----

bool say_certificate(struct world *world, const struct words *words, struct error *error);

// ---- statement_ways.c ----

bool say_route(struct world *world, const struct words *words, struct error *error);
bool say_skew(struct world *world, const struct words *words, struct error *error);
bool say_auth(struct world *world, const struct words *words, struct error *error);
bool say_folder(struct world *world, const struct words *words, struct error *error);

// Does one thing to every link that the first word, a path, means.
bool words_each_link(struct world *world, const struct words *words, struct error *error,
                     bool (*visit)(struct world *world, int from, int to, const struct words *words,
                                   struct error *error));

// ---- statement_windows.c ----

bool say_maintenance(struct world *world, const struct words *words, struct error *error);
bool say_extend(struct world *world, const struct words *words, struct error *error);
bool say_end(struct world *world, const struct words *words, struct error *error);
bool say_cancel(struct world *world, const struct words *words, struct error *error);
bool say_acknowledged(struct world *world, const struct words *words, struct error *error);

#endif
