// Problems that open, may notify, and close. Here: their kinds, their values and the list of those
// that are open. When they open, fold and notify is decided in trouble.c.
#ifndef MAILFLOW_CORE_INCIDENT_H
#define MAILFLOW_CORE_INCIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/probe_id.h"
#include "base/tag_codec.h"
#include "core/cells.h"
#include "core/hops.h"
#include "core/stats.h"
#include "core/window.h"
#include "probes/bounce.h"

// In the order of cause before symptom: an open one keeps those after it, on its subject, quiet.
// (An overrun of our own server stands before all.)
enum incident_kind {
    INCIDENT_ISOLATED,
    INCIDENT_BLIND,
    INCIDENT_OVERRUN,
    INCIDENT_DOWN,
    INCIDENT_UNHEARD,
    INCIDENT_REFUSED,
    INCIDENT_BOUNCED,
    INCIDENT_SILENT,
    INCIDENT_SLOW,
    INCIDENT_STUCK,
    INCIDENT_LOST,
    INCIDENT_CERTIFICATE,
    INCIDENT_REROUTED,
    INCIDENT_UNAUTHENTICATED,
    INCIDENT_MISPLACED,
    INCIDENT_CLOCK,
    INCIDENT_FORGED,
    INCIDENTS
};
const char *incident_kind_name(enum incident_kind kind);
bool incident_kind_parse(const char *name, enum incident_kind *out);

enum severity { SEVERITY_WARNING, SEVERITY_CRITICAL, SEVERITIES };
const char *severity_name(enum severity severity);
bool severity_parse(const char *name, enum severity *out);

// What is said of an incident. A flapping one notifies once as such; when it has stayed open or
// closed for long enough, that is said as NOTICE_FIRING or NOTICE_RESOLVED.
enum notice {
    NOTICE_FIRING,
    NOTICE_FLAPPING,
    NOTICE_REMINDER,
    NOTICE_SUPPRESSED,
    NOTICE_RESOLVED,
    NOTICES
};
const char *notice_name(enum notice notice);
bool notice_parse(const char *name, enum notice *out);

enum subject_kind { SUBJECT_PATH, SUBJECT_MAILBOX, SUBJECT_SERVER, SUBJECT_GONE };

// The peer of a subject that is our own server.
enum { OWN_SERVER = -1 };

// What an incident is about. The indices are the configuration's and change with a reload; the text
// ("mx02->mx01", a mailbox's name, "mx01") is what is stored and shown.
struct subject {
    enum subject_kind kind;
    int peer; // of a path; of a server, OWN_SERVER for ours
    enum direction direction;
    int mailbox;
};

enum { SUBJECT_TEXT_SIZE = 80, INCIDENT_CAUSE_SIZE = 160, STATUSES_KEPT = 6, ENDED_SIZE = 64 };

// What the operator is told beside kind and subject. Which fields mean something depends on kind.
// The cause of an overrun that a window which is active again has closed.
#define OVERRUN_EXTENDED "extended"

struct evidence {
    struct span latency;    // slow; certificate: how long it is good for; clock: how far it is
                            // ahead, of ours or, if ours, of theirs ...
    struct span threshold;  // slow, silent; clock: ... and how far that may be off
    unsigned late;          // slow: so many ...
    unsigned of;            // ... of the last so many; isolated: bad peers of those that count
    struct span oldest_age; // silent, blind, down, unheard, stuck: for how long
    unsigned in_flight;     // silent, overrun, down, unheard, stuck
    unsigned failures;      // refused, isolated: submissions, lost, bounced: probes, forged: tags
    bool has_probe;
    struct probe_id probe;
    struct slowest_hop hop;       // slow: of that probe, where its way says so
    char route[ROUTE_SIZE];       // rerouted: over which it came ...
    char usual_route[ROUTE_SIZE]; // ... and what the path was known to take
    enum auth_method method;      // unauthenticated: what did not pass ...
    enum auth_result result;      // ... and what came of it
    // bounced: each that was notified, once, the newest last; "" where there are no more
    char statuses[STATUSES_KEPT][BOUNCE_STATUS_SIZE];
    char cause[INCIDENT_CAUSE_SIZE]; // words of a server or a prober, not yet escaped
};

// What an outage leaves behind: when mail came through again, and what had waited for it.
struct aftermath {
    char window[WINDOW_ID_SIZE]; // overrun: that ended
    enum window_kind window_kind;
    struct walltime planned_end;         // overrun: of the window; stuck: what was sent before it
    struct walltime resumed[DIRECTIONS]; // first arrivals since it began; none yet
    char resumed_by[SUBJECT_TEXT_SIZE];  // the path of the later one, once it closed by them
    unsigned drained;                    // waiting probes that have come, whatever their verdict
    unsigned lost;
    unsigned in_flight;  // when it closed
    unsigned suppressed; // notifications held back by the window or by this incident
    struct span longest; // raw latency of those that drained
};

// Why an unauthenticated or misplaced is over: all is well again, nothing is said of it any more,
// or the configuration does not ask for it any more.
enum incident_end { END_WELL, END_UNTOLD, END_UNSET, INCIDENT_ENDS };
const char *incident_end_name(enum incident_end end); // "" for END_WELL

struct incident {
    int64_t id;
    int64_t cause; // the incident that keeps it quiet, or whose closing spoke for it; 0 for none
    enum incident_kind kind;
    enum severity severity;
    struct subject subject;
    char subject_text[SUBJECT_TEXT_SIZE];
    struct walltime began;  // of the trouble: the first unanswered slot
    struct walltime opened; // when it was found
    struct instant opened_at;
    struct walltime closed; // none while open
    bool closing;           // will be closed at its next turn
    bool notified;
    bool renewed; // since it was notified: is to be notified once more
    struct walltime notified_at;
    char suppressed_by[WINDOW_ID_SIZE]; // the last window that held its notification back
    bool flapping;                      // opens too often: its turns are not said one by one
    char ended[ENDED_SIZE]; // the numbers of those that had been said, and end with it: "1,2"
    struct aftermath aftermath;
    struct evidence evidence;
    struct cells cells;
    // Of this run only, not stored.
    struct walltime
        last; // bounced, lost, forged: the newest of what it adds up; restored: its opening
    char status[BOUNCE_STATUS_SIZE]; // bounced: of the newest
    bool unwritten;                  // its cause has changed since its row was written
    bool hushed;                     // its cause has counted it among what it keeps quiet
    enum incident_end end;
};

struct incident_rule {
    const char *name;
    enum subject_kind subject;
    enum severity severity;
    bool held;        // waits for its cause before it notifies
    struct span kept; // adds up single events, and stays open for so long after the last
};
const struct incident_rule *incident_rule(enum incident_kind kind);

// The open ones. Places are stable while an incident is open and are reused afterwards. Found by
// subject and by id in constant time.
struct incidents {
    struct incident **places; // owned, as is all below
    size_t count;             // of places, the free ones (NULL) included
    int64_t last_id;
    struct incident_links *links; // as many as places
    struct incident_heads *heads; // of the chains, a power of two
    size_t head_count;
    uint32_t free; // the first free place plus one
};

void incidents_free(struct incidents *incidents);

// Takes a copy; assigns an id unless it has one already.
uint32_t incidents_add(struct incidents *incidents, const struct incident *incident);
void incidents_remove(struct incidents *incidents, uint32_t place);

// Its subject has another index, or is gone.
void incidents_set_subject(struct incidents *incidents, uint32_t place,
                           const struct subject *subject);

bool subject_equal(const struct subject *a, const struct subject *b);

// The place of the open incident of this kind and subject, or -1.
int64_t incidents_find(const struct incidents *incidents, enum incident_kind kind,
                       const struct subject *subject);

// The place of the open incident with this id, or -1.
int64_t incidents_find_id(const struct incidents *incidents, int64_t id);

#endif
