#include "core/certificate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "core/server.h"
#include "core/trouble.h"

#define LOOK_AGAIN SPAN_MINUTES(59) // time alone brings the end nearer
#define LOOK_SOON  SPAN_SECONDS(1)  // after one has closed with its window
#define OUTAGE_LAG SPAN_SECONDS(5)  // until what follows from a refusal has been decided
#define ONE_DAY    SPAN_HOURS(24)

enum {
    JUDGED_PER_STEP = 16, // each may write, fold and say
    OWN_PLACES = CERTIFICATE_PLACES - CERTIFICATE_HTTP,
};

static const char *const PLACE_NAMES[CERTIFICATE_PLACES] = {"relay", "agent", "mailbox", "http",
                                                            "alertmanager"};
static const char *const STATE_NAMES[CERTIFICATE_STATES] = {"unseen", "good", "expiring",
                                                            "refused"};

const char *certificate_place_name(enum certificate_place place)
{
    return PLACE_NAMES[place];
}

const char *certificate_state_name(enum certificate_state state)
{
    return STATE_NAMES[state];
}

// ---- endpoints ----

static const struct relay_settings *relay_of(const struct core *core, int index)
{
    return index == OWN_SERVER ? &core->settings->relay : &core->peers[index].settings->relay;
}

static bool is_https(const char *url)
{
    return strncmp(url, "https:", strlen("https:")) == 0;
}

static bool asks_over_https(const struct alertmanager_settings *settings)
{
    bool found = is_https(settings->url);
    for (size_t i = 0; i < settings->url_count; i++) {
        found = found || is_https(settings->urls[i]);
    }
    return found;
}

// Whether TLS is spoken there, so that there is a certificate to see.
static bool is_expected(const struct core *core, const struct certificate_endpoint *endpoint)
{
    switch (endpoint->place) {
    case CERTIFICATE_RELAY:
        return relay_of(core, endpoint->index)->tls != TLS_NONE &&
               (endpoint->index == OWN_SERVER || !isolation_own_relay(core, endpoint->index));
    case CERTIFICATE_AGENT:
        return is_https(core->peers[endpoint->index].settings->agent);
    case CERTIFICATE_MAILBOX:
        return core->mailboxes[endpoint->index].settings->tls != TLS_NONE;
    case CERTIFICATE_HTTP:
        return core->settings->http.certificate_file[0] != '\0';
    case CERTIFICATE_ALERTMANAGER:
        return asks_over_https(&core->settings->maintenance.alertmanager);
    case CERTIFICATE_PLACES:
        break;
    }
    return false;
}

size_t core_certificate_count(const struct core *core)
{
    return 1 + 2 * core->settings->peer_count + core->settings->mailbox_count + OWN_PLACES;
}

struct certificate_endpoint core_certificate_endpoint(const struct core *core, size_t index)
{
    size_t peers = core->settings->peer_count;
    if (index <= peers) {
        int peer = index == 0 ? OWN_SERVER : (int)index - 1;
        return (struct certificate_endpoint){CERTIFICATE_RELAY, peer};
    }
    index -= 1 + peers;
    if (index < peers) {
        return (struct certificate_endpoint){CERTIFICATE_AGENT, (int)index};
    }
    index -= peers;
    if (index < core->settings->mailbox_count) {
        return (struct certificate_endpoint){CERTIFICATE_MAILBOX, (int)index};
    }
    index -= core->settings->mailbox_count;
    return (struct certificate_endpoint){CERTIFICATE_HTTP + (enum certificate_place)index,
                                         OWN_SERVER};
}

const char *core_certificate_name(const struct core *core,
                                  const struct certificate_endpoint *endpoint)
{
    return endpoint->place == CERTIFICATE_MAILBOX ? core->mailboxes[endpoint->index].settings->name
                                                  : server_name(core, endpoint->index);
}

int core_certificate_server(const struct core *core, const struct certificate_endpoint *endpoint)
{
    return endpoint->place == CERTIFICATE_MAILBOX ? core->mailboxes[endpoint->index].owner
                                                  : endpoint->index;
}

static struct certificate_sight **place_of(struct core *core,
                                           const struct certificate_endpoint *endpoint)
{
    if (endpoint->place == CERTIFICATE_MAILBOX) {
        return &core->mailboxes[endpoint->index].certificate;
    }
    return endpoint->index == OWN_SERVER
               ? &core->certificates[endpoint->place]
               : &core->peers[endpoint->index].certificates[endpoint->place];
}

static const struct certificate_sight *sight_of(const struct core *core,
                                                const struct certificate_endpoint *endpoint)
{
    return *place_of((struct core *)core, endpoint); // which nobody writes to
}

const struct certificate_sight *core_certificate(const struct core *core,
                                                 const struct certificate_endpoint *endpoint)
{
    return is_expected(core, endpoint) ? sight_of(core, endpoint) : NULL;
}

enum certificate_state core_certificate_state(const struct core *core,
                                              const struct certificate_endpoint *endpoint,
                                              struct moment now)
{
    const struct certificate_sight *sight = core_certificate(core, endpoint);
    if (sight == NULL) {
        return CERTIFICATE_UNSEEN;
    }
    struct span left = walltime_since(sight->certificate.expires, now.wall);
    return !sight->certificate.verified                                 ? CERTIFICATE_REFUSED
           : left.ns < core->settings->incidents.certificate_expires.ns ? CERTIFICATE_EXPIRING
                                                                        : CERTIFICATE_GOOD;
}

// ---- what is wrong with those of a server ----

struct finding {
    unsigned unseen;
    unsigned expiring;
    unsigned refused;
    unsigned unspoken; // of the refused: no outage speaks of it
    struct certificate_endpoint worst;
    struct incident *outage; // that speaks of one
    struct span patience;    // how long until an outage speaks of all
};

// The outage that follows from one that does not verify.
static struct incident *find_outage(const struct core *core,
                                    const struct certificate_endpoint *endpoint)
{
    struct subject subject = subject_of_server(OWN_SERVER);
    struct incident *isolated = trouble_find(core, INCIDENT_ISOLATED, &subject);
    if (endpoint->place == CERTIFICATE_MAILBOX) {
        subject = subject_of_mailbox(endpoint->index);
        return trouble_find(core, INCIDENT_BLIND, &subject);
    }
    if (endpoint->place != CERTIFICATE_RELAY || endpoint->index == OWN_SERVER) {
        return endpoint->place == CERTIFICATE_RELAY ? isolated : NULL;
    }
    subject = subject_of_path(endpoint->index, OUTBOUND);
    return trouble_find(core, INCIDENT_REFUSED, &subject);
}

// How long that takes to open: what goes over HTTP has none.
static struct span outage_patience(const struct core *core,
                                   const struct certificate_endpoint *endpoint)
{
    const struct incident_settings *incidents = &core->settings->incidents;
    if (endpoint->place == CERTIFICATE_MAILBOX) {
        return span_add(incidents->blind_after, OUTAGE_LAG);
    }
    if (endpoint->place != CERTIFICATE_RELAY) {
        return SPAN_ZERO;
    }
    bool own = endpoint->index == OWN_SERVER;
    struct span interval =
        own ? core_shortest_interval(core) : core->peers[endpoint->index].settings->path.interval;
    struct span refusals = {interval.ns * incidents->refused_after};
    return span_add(own ? span_longer(incidents->isolated_after, refusals) : refusals, OUTAGE_LAG);
}

static bool is_worse(const struct core *core, const struct certificate_endpoint *endpoint,
                     enum certificate_state state, const struct finding *than)
{
    if (than->refused + than->expiring == 0 || state == CERTIFICATE_REFUSED) {
        return than->refused == 0;
    }
    return than->refused == 0 && sight_of(core, endpoint)->certificate.expires.ns <
                                     sight_of(core, &than->worst)->certificate.expires.ns;
}

static void add_to(struct finding *finding, const struct core *core,
                   const struct certificate_endpoint *endpoint, struct moment now)
{
    enum certificate_state state = core_certificate_state(core, endpoint, now);
    if (state == CERTIFICATE_UNSEEN) {
        finding->unseen++;
    }
    if (state == CERTIFICATE_UNSEEN || state == CERTIFICATE_GOOD) {
        return;
    }
    if (is_worse(core, endpoint, state, finding)) {
        finding->worst = *endpoint;
    }
    if (state == CERTIFICATE_EXPIRING) {
        finding->expiring++;
        return;
    }
    struct incident *outage = find_outage(core, endpoint);
    finding->refused++;
    finding->unspoken += outage == NULL;
    finding->outage = finding->outage != NULL ? finding->outage : outage;
    finding->patience = span_longer(finding->patience, outage_patience(core, endpoint));
}

static struct finding look_at(const struct core *core, int server, struct moment now)
{
    struct finding finding = {0};
    struct certificate_endpoint endpoint = {CERTIFICATE_RELAY, server};
    if (is_expected(core, &endpoint)) {
        add_to(&finding, core, &endpoint, now);
    }
    endpoint.place = CERTIFICATE_AGENT;
    if (server != OWN_SERVER && is_expected(core, &endpoint)) {
        add_to(&finding, core, &endpoint, now);
    }
    for (int i = 0; server == OWN_SERVER && i < OWN_PLACES; i++) {
        endpoint.place = CERTIFICATE_HTTP + (enum certificate_place)i;
        if (is_expected(core, &endpoint)) {
            add_to(&finding, core, &endpoint, now);
        }
    }
    endpoint.place = CERTIFICATE_MAILBOX;
    for (size_t i = 0; i < core->settings->mailbox_count; i++) {
        endpoint.index = (int)i;
        if (core->mailboxes[i].owner == server && is_expected(core, &endpoint)) {
            add_to(&finding, core, &endpoint, now);
        }
    }
    return finding;
}

// ---- words ----

static void append_time_left(struct span left, struct text *out)
{
    int64_t days = span_magnitude(left).ns / ONE_DAY.ns;
    int64_t hours = span_magnitude(left).ns / SPAN_HOURS(1).ns;
    int64_t count = days >= 2 ? days : hours;
    const char *unit = days >= 2 ? "day" : "hour";
    text_format(out, left.ns < 0 ? "expired %" PRId64 " %s%s ago" : "expires in %" PRId64 " %s%s",
                count, unit, count == 1 ? "" : "s");
}

static void append_place(const struct core *core, const struct certificate_endpoint *endpoint,
                         struct text *out)
{
    const struct relay_settings *relay;
    switch (endpoint->place) {
    case CERTIFICATE_RELAY:
        relay = relay_of(core, endpoint->index);
        text_format(out, "relay %s:%u: ", relay->host, relay->port);
        break;
    case CERTIFICATE_AGENT:
        text_format(out, "agent %s: ", core->peers[endpoint->index].settings->agent);
        break;
    case CERTIFICATE_MAILBOX:
        text_format(out, "mailbox %s: ", core->mailboxes[endpoint->index].settings->name);
        break;
    case CERTIFICATE_HTTP:
        text_append(out, "http.certificate_file: ");
        break;
    case CERTIFICATE_ALERTMANAGER:
        text_append(out, "alertmanager: ");
        break;
    case CERTIFICATE_PLACES:
        break;
    }
}

static struct evidence describe(const struct core *core,
                                const struct certificate_endpoint *endpoint, struct moment now)
{
    const struct certificate_sight *sight = sight_of(core, endpoint);
    const char *authority = sight->certificate.authority;
    struct span left = walltime_since(sight->certificate.expires, now.wall);
    struct evidence evidence = {.latency = left};
    struct text cause = TEXT_OVER(evidence.cause);
    append_place(core, endpoint, &cause);
    if (sight->certificate.verified) {
        text_format(&cause, "certificate %s%s%s", authority[0] == '\0' ? "" : "of its authority ",
                    authority, authority[0] == '\0' ? "" : " ");
        append_time_left(left, &cause);
    } else {
        text_append(&cause, sight->reason);
    }
    return evidence;
}

// ---- the incident ----

static void renew(struct core *core, struct incident *open, const struct evidence *evidence)
{
    bool changed = strcmp(open->evidence.cause, evidence->cause) != 0;
    open->evidence = *evidence;
    open->unwritten = open->unwritten || changed;
    if (changed) {
        trouble_record(core, open);
    }
}

// Opens, renews or closes what is to be said of the server's certificates. An incident of an
// earlier run may be about one that has not been seen since.
static void judge_server(struct core *core, int server, struct moment now)
{
    struct subject subject = subject_of_server(server);
    struct incident *open = trouble_find(core, INCIDENT_CERTIFICATE, &subject);
    struct finding finding = look_at(core, server, now);
    if (finding.expiring + finding.refused > 0) {
        struct evidence evidence = describe(core, &finding.worst, now);
        if (open != NULL) {
            renew(core, open, &evidence);
        } else {
            trouble_open(core, INCIDENT_CERTIFICATE, &subject,
                         incident_rule(INCIDENT_CERTIFICATE)->severity, now.wall, &evidence, now);
        }
    } else if (open != NULL && (finding.unseen == 0 || open->opened_at.ns > core->begun.ns)) {
        trouble_close(core, INCIDENT_CERTIFICATE, &subject, now);
    }
}

void certificate_seen(struct core *core, const struct certificate_endpoint *endpoint,
                      const struct certificate *certificate, const char *reason, struct moment now)
{
    if (!certificate->seen || !is_expected(core, endpoint)) {
        return;
    }
    struct certificate_sight **sight = place_of(core, endpoint);
    if (*sight == NULL) {
        *sight = memory_checked(calloc(1, sizeof **sight));
    }
    (*sight)->certificate = *certificate;
    (*sight)->at = now.wall;
    text_copy((*sight)->reason, sizeof(*sight)->reason, certificate->verified ? "" : reason);
    judge_server(core, core_certificate_server(core, endpoint), now);
}

void certificate_submitted(struct core *core, int peer, const struct submit_outcome *outcome,
                           struct moment now)
{
    struct certificate_endpoint endpoint = {CERTIFICATE_RELAY,
                                            isolation_own_relay(core, peer) ? OWN_SERVER : peer};
    certificate_seen(core, &endpoint, &outcome->certificate, outcome->cause, now);
}

// Whether there is something to judge: one that has been seen, or an incident of the server about
// one that is not wanted any more.
static bool is_due(const struct core *core, const struct certificate_endpoint *endpoint)
{
    struct subject subject = subject_of_server(endpoint->index);
    return core_certificate(core, endpoint) != NULL ||
           (endpoint->place == CERTIFICATE_RELAY &&
            trouble_find(core, INCIDENT_CERTIFICATE, &subject) != NULL);
}

void certificate_follow(struct core *core, struct moment now)
{
    size_t count = core_certificate_count(core);
    for (int judged = 0; judged < JUDGED_PER_STEP && core->certificate_at < count;
         core->certificate_at++) {
        struct certificate_endpoint at = core_certificate_endpoint(core, core->certificate_at);
        if (is_due(core, &at)) {
            judge_server(core, core_certificate_server(core, &at), now);
            judged++;
        }
    }
    bool done = core->certificate_at >= count;
    core->certificate_at = done ? 0 : core->certificate_at;
    schedule_set(&core->own_timers, OWN_CERTIFICATE,
                 instant_add(now.instant, done ? LOOK_AGAIN : SPAN_ZERO));
}

void certificate_closed(struct core *core, struct moment now)
{
    core->certificate_at = 0;
    schedule_set(&core->own_timers, OWN_CERTIFICATE, instant_add(now.instant, LOOK_SOON));
}

struct span certificate_hold(const struct core *core, const struct incident *incident)
{
    struct finding finding = look_at(core, incident->subject.peer, core->last);
    return finding.expiring > 0 ? SPAN_ZERO : finding.patience;
}

struct incident *certificate_find_cause(const struct core *core, const struct incident *incident)
{
    struct finding finding = look_at(core, incident->subject.peer, core->last);
    if (finding.expiring + finding.refused == 0) { // not seen yet in this run
        return incident->cause == 0 ? NULL : trouble_find_id(core, incident->cause);
    }
    return finding.expiring > 0 || finding.unspoken > 0 ? NULL : finding.outage;
}
