// The inside of the agent, shared by agent.c (life, reading, asking), restore.c (the ledger, to the
// core), events.c (what happens, to the core), gather.c (what the core decides, into the ledger),
// deeds.c (and then to the world), agent_exchange.c (what is said from agent to agent),
// agent_origins.c (where windows come from), agent_lists.c (where peers come from) and
// agent_certificates.c (what was shown of them).
#ifndef MAILFLOW_SHELL_AGENT_INTERNAL_H
#define MAILFLOW_SHELL_AGENT_INTERNAL_H

#include "shell/agent.h"
#include "shell/announced.h"
#include "shell/calendars.h"
#include "shell/collectors.h"
#include "shell/discoveries.h"
#include "shell/exchanges.h"
#include "shell/fetcher.h"
#include "shell/greeters.h"
#include "shell/flags.h"
#include "shell/journal.h"
#include "shell/list_watch.h"
#include "shell/peer_sources.h"
#include "shell/sendings.h"
#include "shell/submitters.h"
#include "shell/tokens.h"
#include "shell/writes.h"

// What is done once the ledger has what it says.
enum deed_kind {
    DEED_SEND,
    DEED_DELETE,
    DEED_NOTIFY,
    DEED_SAY_WINDOW,
    DEED_SAY_ACKNOWLEDGED,
    DEED_SAY_PROBE,
    DEED_SAY_BOUNCE,
    DEED_SAY_DRAINED,
    DEED_SAY_COHORT,
    DEED_SAY_CLOCK,
    DEED_SAY_REFUSED,
    DEED_SAY_UNKNOWN,
    DEED_SAY_LOOP,
    DEED_SAY_ROUTE,
    DEED_EXCHANGE,
    DEED_GREET,
};

struct deed {
    enum deed_kind kind;
    union {
        struct {
            char peer[SERVER_NAME_SIZE];
            struct tag tag;
            bool recorded; // what is not in the ledger is not sent
        } send;
        struct {
            char mailbox[PROBE_MAILBOX_SIZE];
            char folder[PROBE_FOLDER_SIZE];
            uint32_t uid_validity;
            uint32_t uid;
        } message;
        struct {
            struct incident incident;
            enum notice notice;
            int64_t number;     // in the ledger, while it is owed
            bool perhaps_again; // an earlier run may have said it
        } notify;
        struct {
            struct window window;
            enum window_transition transition;
        } window;
        struct {
            char window[WINDOW_ID_SIZE];
            uint32_t revision;
        } acknowledged;
        struct probe_record probe;
        struct {
            char path[SUBJECT_TEXT_SIZE];
            struct probe_id probe;
            enum bounce_fate fate;
            struct bounce bounce;
        } bounce;
        struct drained drained;
        struct {
            char path[SUBJECT_TEXT_SIZE];
            struct cohort cohort;
        } cohort;
        struct span clock_step;
        struct {
            char peer[SERVER_NAME_SIZE];
            char reason[INCIDENT_CAUSE_SIZE];
        } refused;
        struct {
            char peer[SERVER_NAME_SIZE];
            unsigned count;
            struct probe_id first;
        } unknown;
        struct {
            char path[SUBJECT_TEXT_SIZE];
            char mailbox[PROBE_MAILBOX_SIZE];
            struct probe_id probe;
        } loop;
        struct {
            char path[SUBJECT_TEXT_SIZE];
            char window[WINDOW_ID_SIZE];
            char route[ROUTE_SIZE];
            char usual[ROUTE_SIZE];
        } route;
        char peer[SERVER_NAME_SIZE]; // DEED_EXCHANGE, DEED_GREET
    };
};

struct deeds {
    struct deed *items;
    size_t count;
    size_t room;
    bool pressing; // one of them does more than to note a probe or to delete its mail
};

struct agent {
    uv_loop_t *loop;
    char config_file[PROBE_PATH_SIZE];
    struct settings *settings;
    struct core *core;
    struct store *store;
    struct journal *journal;
    struct tokens *tokens;
    struct submitters *submitters;
    struct sendings *sendings;
    struct collectors *collectors;
    struct fetcher *fetcher;
    struct exchanges exchanges;
    struct greeters *greeters;
    struct calendars *calendars;
    struct flags *flags;
    struct discoveries *discoveries;
    struct list_watch list_watch;
    struct peer_sources peer_sources;
    char lists_refused[700]; // what is wrong with them together, "" when nothing
    struct alertmanager *alertmanager;
    struct agent_listener listener;
    struct walltime started;
    size_t restored; // probes, from the ledger
    bool reload_successful;
    struct actions actions;
    struct writes writes; // not committed yet
    struct deeds deeds;   // of this turn of the loop, and of those that wait for it
    struct announced_windows announced;
    struct deeds postponed; // until the ledger works again
    int64_t last_notice;    // the number of the newest in the ledger
    bool struck;            // notices that were said, since the last commit
    bool durable;           // the next commit must survive a power cut
    bool ledger_retry;      // this turn tries whether the ledger works again
    struct error ledger_failure;
    struct walltime alive; // last written
    uv_timer_t deadline;   // the core's next
    uv_timer_t second;     // chores
    uv_timer_t rest;       // until turns that can wait are settled at the latest
    uv_prepare_t settle;   // the end of a turn: commit, then the deeds
    unsigned open_handles;
    uv_work_t checkpoint;
    bool checkpointing;
    bool retaining; // old probes are left to delete
    void (*broken)(void *context);
    void *broken_context;
    char checkpoint_dir[PROBE_PATH_SIZE];
    unsigned seconds;    // since the start, for chores that are due less often
    unsigned generation; // of the settings
};

// ---- events.c ----

// Tells the core, gathers what it decides, and sets the timer for its next deadline.
void agent_feed(struct agent *agent, const struct event *event);
void agent_feed_time(struct agent *agent);
void agent_on_tokens(void *context); // they have changed
void agent_on_submitted(void *context, const char *peer, const struct probe_id *id,
                        const struct submit_outcome *outcome);
void agent_on_prober_died(void *context, const char *how);
void agent_on_report(void *context, int mailbox, const struct collect_report *report);

// ---- agent_origins.c ----

// Calendars, configured windows, flags and silences: what they want, compared with what is known,
// becomes windows.
void agent_start_origins(struct agent *agent, const char *probers);
void agent_configure_origins(struct agent *agent);
void agent_look_at_origins(struct agent *agent); // every second
void agent_stop_origins(struct agent *agent);

// ---- agent_lists.c ----

void agent_start_lists(struct agent *agent, const char *probers);
void agent_configure_lists(struct agent *agent);
void agent_look_at_lists(struct agent *agent); // every second
void agent_stop_lists(struct agent *agent);

// ---- agent.c ----

// Puts the settings, of the same server, into the place of those in force, which it destroys; says
// how the peers have changed.
void agent_adopt(struct agent *agent, struct settings *settings);

// ---- gather.c ----

// Writes what the actions say into the turn's transaction and remembers the deeds.
void agent_gather(struct agent *agent, const struct event *event);

// ---- deeds.c ----

// An empty one of this kind, to be filled in; good until the next is added.
struct deed *deeds_add(struct deeds *deeds, enum deed_kind kind);

// Commits the turn and does its deeds. False when the ledger could not take them.
bool agent_settle(struct agent *agent);

// The same at once or, when nobody waits for any of it, together with a turn that follows soon.
void agent_end_turn(struct agent *agent);

// Of a notice that is owed no more (journal_said), and the commit of that.
void agent_notice_said(void *agent, int64_t number);
void agent_settle_notices(struct agent *agent);

// ---- agent_exchange.c ----

// After every change of the settings.
void agent_configure_exchanges(struct agent *agent);

// An exchange with the peer is to begin, or cannot.
void agent_want_exchange(struct agent *agent, const char *peer);
void agent_refuse_exchange(struct agent *agent, const char *peer, const char *cause);

// Begins those for which there is room. Only when the ledger has what they will say.
void agent_serve_exchanges(struct agent *agent);

void agent_on_fetched(void *context, const char *peer, const struct fetch_outcome *outcome);
void agent_on_fetcher_died(void *context, const char *how);

// Whether the peer's mail server greets is to be found out.
void agent_ask_for_greeting(struct agent *agent, const char *peer);
void agent_on_greeted(void *context, const char *peer, const struct greet_outcome *outcome);

// ---- agent_certificates.c ----

// What was seen there; nothing, when it says that nothing was. The cause: why it does not verify.
void agent_feed_certificate(struct agent *agent, const struct certificate_endpoint *endpoint,
                            const struct certificate *certificate, const char *cause);

// Looks at the one that we show ourselves, after every change of the settings.
void agent_look_at_own_certificate(struct agent *agent);

// ---- restore.c ----

// Everything the ledger knows into the core; the number of probes, or -1 with a message.
int64_t agent_restore(struct agent *agent, struct moment now, struct error *error);

// The same for a peer that the configuration has taken up again.
void agent_restore_peer(struct agent *agent, const char *peer, struct moment now);

#endif
