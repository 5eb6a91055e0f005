// Incidents about whole servers, inside the core: what opens and closes them, what they hold up and
// leave behind. A server is a peer's index, or OWN_SERVER.
#ifndef MAILFLOW_CORE_SERVER_H
#define MAILFLOW_CORE_SERVER_H

#include "core/state.h"

// ---- server.c ----

const char *server_name(const struct core *core, int peer);
struct server_state *server_of(struct core *core, int peer);

// False when the name is no server of the mesh.
bool server_find(const struct core *core, const char *name, int *peer);

// The peers whose paths touch it: all for ours, else itself. [*first, *last).
void server_peers(const struct core *core, int peer, size_t *first, size_t *last);

// Outbound probes on its paths whose fate is open.
unsigned server_count_in_flight(const struct core *core, const struct incident *incident);

// Beside it, or beside any of the peers when it is ours.
bool server_has_agents(const struct core *core, int peer);

// Since the incident began mail has come through both ways.
bool server_has_resumed(const struct core *core, const struct incident *incident);

// A window of the server has held a notification back.
void server_count_suppressed(struct core *core, const char *server);

// A probe has arrived on one of the peer's paths: mail flows again, and what waited is credited.
void server_arrived(struct core *core, int peer, enum direction direction,
                    const struct probe_record *record, struct moment now);

// Any incident has opened or closed.
void server_opened(struct core *core, struct incident *incident, struct moment now);
void server_closed(struct core *core, const struct incident *incident, struct moment now);

// Another configuration, or the start: sets the timers.
void server_configure(struct core *core, struct moment now);

// ---- overrun.c ----

// Opens what is due, closes what a window that is active again has overtaken.
void overrun_follow(struct core *core, struct moment now);

// Whether the server greets is known: an open overrun says it.
void overrun_greeted(struct core *core, int peer, struct moment now);

// ---- down.c ----

// How long a server may take to greet, the way to us and back included.
#define GREETING_PATIENCE SPAN_SECONDS(30)

// Asks whether the server greets, within so long, unless that has been asked since then.
void down_ask(struct core *core, int peer, struct instant since, struct span patience,
              struct moment now);

// Inbound is silent: asks whether the server greets, and again while only its agent is unheard.
// Gives up an answer that is due.
void down_watch(struct core *core, int peer, struct moment now);
void down_greeted(struct core *core, int peer, bool greeted, const char *cause, struct moment now);

// Another agent's row, newer than what it was opened on, vouches for the server: a path is silent,
// and nobody has been told otherwise yet.
bool down_is_refuted(const struct core *core, const struct incident *incident, struct moment now);

// An answer is awaited that may make another incident of this one, or that it is to tell.
bool down_asks(const struct core *core, const struct incident *incident);

// ---- isolation.c ----

// The peer's probes go through our own relay.
bool isolation_own_relay(const struct core *core, int peer);

void isolation_submitted(struct core *core, int peer, const struct submit_outcome *outcome,
                         struct moment now);

// Our relay may be about to refuse everything: until then a path that is refused and a mailbox that
// cannot be read may be no troubles of their own. Now, when that is not so.
struct instant isolation_decides(const struct core *core, const struct incident *incident,
                                 struct moment now);

// The path counts as a sign of our isolation.
bool isolation_counts(const struct core *core, int peer, enum direction direction,
                      struct moment now);
bool isolation_is_open(const struct core *core);

void isolation_look(struct core *core, struct moment now);
void isolation_follow(struct core *core, struct moment now);

// ---- stuck.c ----

// `count` probes sent before `until`, of which this is the oldest, should have come by now.
void stuck_open(struct core *core, int peer, struct walltime until, unsigned count,
                const struct flight *oldest, struct moment now);

// Closes it when nothing of what it is about is in flight any more.
void stuck_check(struct core *core, int peer, struct moment now);

// ---- cohort.c ----

// Gathers what one flush brings on a path, and says it when it is complete.
void cohort_arrived(struct core *core, int peer, enum direction direction,
                    const struct probe_record *record, struct moment now);
void cohort_follow(struct core *core, int peer);

// ---- finding.c ----

void finding_lost(struct core *core, int peer, const struct flight *lost, struct moment now);
// Returns the incident that it belongs to.
int64_t finding_bounced(struct core *core, int peer, const struct flight *bounced,
                        const struct bounce *bounce, struct moment now);

// It is being notified: what it tells of is no news any more.
void finding_notified(struct incident *incident);

// The incident stays open for a day: whether mail to the peer comes back now, for nothing has
// arrived there since the last did.
bool finding_bounces(const struct core *core, int peer);

void finding_forged(struct core *core, struct moment now);

// Nothing has been added for so long that it is closed.
bool finding_is_over(const struct incident *incident, struct moment now);

// ---- clock_finding.c ----

// Looks at the clocks of both ends after an arrival, or an exchange, at that time.
void clock_finding_look(struct core *core, int peer, struct walltime at, struct moment now);

// Looks whether it is our own clock that differs from most of the peers'.
void clock_finding_follow(struct core *core, struct moment now);

#endif
