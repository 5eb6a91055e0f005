// What goes on with incidents, inside the core: they open and close (trouble.c), are kept quiet
// under their cause (fold.c), are said or held back (notify.c), and are not said turn by turn when
// they flap (flap.c). To the operator: config/OPERATING.md, "Alerts".
#ifndef MAILFLOW_CORE_TROUBLE_H
#define MAILFLOW_CORE_TROUBLE_H

#include "core/state.h"

// ---- trouble.c ----

struct subject subject_of_path(int peer, enum direction direction);
struct subject subject_of_server(int peer); // or OWN_SERVER
struct subject subject_of_mailbox(int mailbox);

struct incident *trouble_find(const struct core *core, enum incident_kind kind,
                              const struct subject *subject);
struct incident *trouble_find_id(const struct core *core, int64_t id);

// Opens one that is not open. The incident stays where it is while it is open.
struct incident *trouble_open(struct core *core, enum incident_kind kind,
                              const struct subject *subject, enum severity severity,
                              struct walltime began, const struct evidence *evidence,
                              struct moment now);

// With the severity of its kind and what is known of its aftermath from the beginning.
struct incident *trouble_open_after(struct core *core, enum incident_kind kind,
                                    const struct subject *subject, struct walltime began,
                                    const struct evidence *evidence,
                                    const struct aftermath *aftermath, struct moment now);

// A worse severity notifies once more; new evidence replaces the old.
void trouble_worsen(struct core *core, struct incident *incident, enum severity severity,
                    const struct evidence *evidence, struct moment now);

// There is news of it: if it was notified, it is once more.
void trouble_renew(struct core *core, struct incident *incident, struct moment now);

// Closes it if it is open and has been for the minimum hold; a recovery is announced only when the
// incident was.
void trouble_close(struct core *core, enum incident_kind kind, const struct subject *subject,
                   struct moment now);

// Closes it when it has been open for the minimum hold.
void trouble_close_in_time(struct core *core, struct incident *incident, struct moment now);

// Closes it at its next turn, at once: any number may close together and actions are bounded.
void trouble_close_soon(struct core *core, struct incident *incident, struct moment now);

// Its timer: close, notify, remind, or wait for a window or a cause to end.
void trouble_due(struct core *core, uint32_t place, struct moment now);
void trouble_set_timer(struct core *core, const struct incident *incident, struct instant due);

// Suppression for a server has ended: what opened meanwhile and was not announced closes unheard
// and is judged anew from what comes after.
void trouble_judge_anew(struct core *core, const char *server, struct moment now);

// The configuration no longer has its subject: closes it.
void trouble_orphan(struct core *core, uint32_t place, struct moment now);

bool trouble_touches(const struct core *core, const struct subject *subject, const char *server);

// How long its subject takes to show itself once: the minimum hold of an incident.
struct span trouble_interval(const struct core *core, const struct incident *incident);

// Writes the incident's row.
void trouble_record(struct core *core, struct incident *incident);

// Lets the paths that it is about judge by it what it holds up, from when it began.
void trouble_explain(struct core *core, const struct incident *incident);

// ---- bounce.c ----

// Why mail to the peer waits, in the words of the server that has it; "" when none has said.
const char *bounce_delay_words(const struct core *core, int peer, enum direction direction);

// A probe was on time: what was said before explains nothing that comes now.
void bounce_forget_delay(struct core *core, int peer, enum direction direction);

// ---- fold.c ----

// The open incident that keeps this one quiet, the first cause of all; NULL for none.
struct incident *fold_find_cause(const struct core *core, const struct incident *symptom);

// It says nothing of whether mail flows: a clock that is off, a forger, mail that comes another way
// than it used to, or is found wanting, or is put elsewhere. Nothing explains it, it explains
// nothing, and its end is no fresh start for what does. (A certificate has to do with it when it
// does not verify: certificate.c knows.)
bool fold_stands_alone(enum incident_kind kind);

// Puts it under its cause: what it has notified the cause has, from now on.
void fold_under(struct incident *cause, struct incident *symptom);

// Takes what it explains under it, when it opens, and lets it go, when it closes: what is over
// closes unheard, the rest may notify when mail has had time to settle.
void fold_gather(struct core *core, struct incident *cause, struct moment now);
void fold_release(struct core *core, const struct incident *cause, struct moment now);

// What a cause has kept quiet would not open again: mail flows.
bool fold_is_over(struct core *core, const struct incident *symptom, struct moment now);

// ---- cells.c ----

// What we and the rows of the others say now of the incident's server: its cells.
void cells_gather(const struct core *core, struct incident *incident, struct moment now);

// ---- certificate.c ----

// What a prober has seen of an endpoint; `reason` when it does not verify.
void certificate_seen(struct core *core, const struct certificate_endpoint *endpoint,
                      const struct certificate *certificate, const char *reason, struct moment now);

// The same for the relay that the peer's probes go through.
void certificate_submitted(struct core *core, int peer, const struct submit_outcome *outcome,
                           struct moment now);

// Looks at all of them again: time alone brings the end nearer, and one that closed with a window
// is judged anew.
void certificate_follow(struct core *core, struct moment now);
void certificate_closed(struct core *core, struct moment now);

// How long its incident waits for an outage to speak of it, and the open one that does, or NULL.
struct span certificate_hold(const struct core *core, const struct incident *incident);
struct incident *certificate_find_cause(const struct core *core, const struct incident *incident);

// ---- notify.c ----

// How long it waits, before it notifies, for its cause to show.
struct span notify_hold(const struct core *core, const struct incident *incident);

// It is time to say it, unless a cause, a window or another agent speaks for it.
void notify_due(struct core *core, struct incident *incident, struct moment now);
void notify_closed(struct core *core, const struct incident *incident);
void notify_say(struct core *core, const struct incident *incident, enum notice notice);

// ---- flap.c ----

// How the notification of an incident is said, now that it has opened once more.
enum flap_turn { FLAP_SAY, FLAP_SAY_FLAPPING, FLAP_SAY_NOTHING };
enum flap_turn flap_notify(struct core *core, struct incident *incident, struct moment now);

// It has opened, or closed: if it flaps, the hour of quiet begins anew.
void flap_turned(struct core *core, struct incident *incident, struct moment now);

// Says what has stayed as it is for an hour.
void flap_follow(struct core *core, struct moment now);

// Another configuration: what has no subject any more flaps no more.
void flap_configure(struct core *core, const struct settings *settings);

// An incident of an earlier run, open or closed.
void flap_restore(struct core *core, const struct incident *incident, struct moment now);

#endif
