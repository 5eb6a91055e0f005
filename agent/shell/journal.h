// Every line that the agent says to its operator: one typed function a line. Wording, severity, key
// order and rate live here only.
//
// Lines go to syslog as datagrams that never block. While nobody listens there they wait, bounded,
// and are said late rather than never; what does not fit is counted and said too.
#ifndef MAILFLOW_SHELL_JOURNAL_H
#define MAILFLOW_SHELL_JOURNAL_H

#include <stdbool.h>

#include "config/config.h"
#include "core/core.h"

struct journal;

// Opens no connection: a syslog socket that is missing now may be there later.
struct journal *journal_create(const struct settings *settings);
void journal_configure(struct journal *journal, const struct settings *settings);
void journal_destroy(struct journal *journal);

// Tries again what could not be said; to be called now and then.
void journal_flush(struct journal *journal);

// Called with `owed` of each incident_notice, within any call that says or flushes, as soon as its
// own line was taken, or was dropped and is counted as such.
typedef void journal_said(void *context, int64_t owed);
void journal_on_said(struct journal *journal, journal_said *said, void *context);

// ---- incidents and maintenance ----

// What is said of an incident. `smtp` is the last reply of a server on the path, "" when there is
// none to tell; `bounce` is what the probe came back with, NULL when it did not or that is not
// known; `perhaps_again`: whether it has been said already nobody knows; `owed`: its number in the
// ledger, from 1.
struct incident_notice {
    const struct incident *incident;
    enum notice notice;
    int64_t owed;
    bool perhaps_again;
    const char *smtp;
    const struct bounce *bounce;
};
void journal_incident(struct journal *journal, const struct incident_notice *said);

// What an outage or a window held up has come.
void journal_drained(struct journal *journal, const struct drained *drained);

// One flush brought so many probes.
void journal_cohort(struct journal *journal, const struct cohort *cohort, const char *path);

void journal_window(struct journal *journal, const struct window *window,
                    enum window_transition transition, struct acknowledgement_count acknowledged);

// Every peer knows this revision; `after`: since it was announced, zero when that was before our
// start.
void journal_acknowledged(struct journal *journal, const struct window *window,
                          struct acknowledgement_count acknowledged, struct span after);

// A peer announces a window that is none.
void journal_window_refused(struct journal *journal, const char *peer, const char *reason);

// A peer has receipts for probes that we have not sent: so many in one message, one of them.
void journal_receipts_unknown(struct journal *journal, const char *peer, unsigned count,
                              const struct probe_id *one);

// A probe of ours has come back to a mailbox of ours instead of, or beside, going to the peer.
void journal_loop(struct journal *journal, const char *path, const char *mailbox,
                  const struct probe_id *probe);

// Probes of a path come another way than they use to, within a window that lets them.
void journal_route_changed(struct journal *journal, const char *path, const char *route,
                           const char *usual, const char *window);

// Our own clock was set.
void journal_clock_stepped(struct journal *journal, const char *server, struct span step);

// ---- where windows come from ----

// A calendar, or a window of the configuration, of which nothing can be used; and when it can.
void journal_calendar_unusable(struct journal *journal, const char *source, const char *problem);
void journal_calendar_usable(struct journal *journal, const char *source);

// One event: `unusable`, or merely worth a word. `line` and `uid` 0 and "" where there is none.
void journal_calendar_event(struct journal *journal, const char *source, unsigned line,
                            const char *uid, const char *problem, bool unusable);

// No member of the Alertmanager's cluster gives an answer that can be used; and when one does.
void journal_alertmanager_unusable(struct journal *journal, const char *problem);
void journal_alertmanager_usable(struct journal *journal);

// One silence: `unusable`, or merely worth a word.
void journal_silence(struct journal *journal, const char *id, const char *problem, bool unusable);

// `counts`: the flag is one all the same.
void journal_flag(struct journal *journal, const char *file, const char *problem, bool counts);

// ---- where peers come from ----

// A name whose answer is of no use; `servers` of the last one stand. And when it is again, or a
// file.
void journal_peers_unusable(struct journal *journal, const char *source, const char *problem,
                            size_t servers);
void journal_peers_usable(struct journal *journal, const char *source);

// The lists contradict each other.
void journal_peers_refused(struct journal *journal, size_t errors);

// `added` of the peers are new, `removed` others are none any more.
void journal_peers_changed(struct journal *journal, const struct settings *settings, size_t added,
                           size_t removed);

// ---- probes, at debug ----

void journal_probe(struct journal *journal, const struct probe_record *record, const char *path);

// A server's report of a probe of ours, and what it came to.
void journal_bounce(struct journal *journal, const char *path, const struct probe_id *probe,
                    enum bounce_fate fate, const struct bounce *bounce);

// ---- the agent itself ----

void journal_started(struct journal *journal, const char *version, const struct settings *settings,
                     size_t restored_probes);
void journal_stopped(struct journal *journal);
void journal_ledger_kept_aside(struct journal *journal, const char *kept);
void journal_ledger_failed(struct journal *journal, const char *reason);
void journal_ledger_works_again(struct journal *journal);
void journal_prober_died(struct journal *journal, const char *program, const char *how);
void journal_mailbox_down(struct journal *journal, const char *mailbox, const char *cause);
void journal_mailbox_up(struct journal *journal, const char *mailbox);
// "" when exchanges with the peer work again.
void journal_exchange(struct journal *journal, const char *peer, const char *cause);
void journal_exchange_rejected(struct journal *journal, const char *reason, const char *cause);
void journal_rejected(struct journal *journal, const char *mailbox, const char *reason,
                      const char *cause);
void journal_reloaded(struct journal *journal, const struct settings *settings);
void journal_reload_problem(struct journal *journal, const struct config_problem *problem);
void journal_reload_refused(struct journal *journal, size_t errors);

#endif
