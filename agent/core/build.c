#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/server.h"
#include "core/trouble.h"

static void collect_edges(const struct settings *settings, struct histogram_edges *edges)
{
    histogram_edges_reset(edges);
    for (size_t i = 0; i < settings->peer_count; i++) {
        const struct latency_settings *latency = &settings->peers[i].path.latency;
        histogram_edges_add(edges, span_seconds(latency->warning));
        histogram_edges_add(edges, span_seconds(latency->critical));
    }
}

static void free_mailboxes(struct core *core)
{
    size_t count = core->settings == NULL ? 0 : core->settings->mailbox_count;
    for (size_t i = 0; i < count; i++) {
        free(core->mailboxes[i].certificate);
        free(core->mailboxes[i].flaps);
    }
    free(core->mailboxes);
}

static void adopt_mailboxes(struct core *core, const struct settings *settings, struct moment now)
{
    struct mailbox *mailboxes =
        memory_checked(calloc(settings->mailbox_count + 1, sizeof *mailboxes));
    for (size_t i = 0; i < settings->mailbox_count; i++) {
        int known = core->settings == NULL
                        ? -1
                        : settings_find_mailbox(core->settings, settings->mailboxes[i].name);
        mailboxes[i] =
            known >= 0 ? core->mailboxes[known] : (struct mailbox){.blind_since = now.instant};
        mailboxes[i].settings = &settings->mailboxes[i];
        mailboxes[i].foreign_collects = false;
        mailboxes[i].owner = OWN_SERVER;
        if (known >= 0) {
            core->mailboxes[known].certificate = NULL;
            core->mailboxes[known].flaps = NULL;
        }
    }
    for (size_t i = 0; i < settings->peer_count; i++) {
        if (settings->peers[i].collect[0] != '\0') {
            int mailbox = settings_find_mailbox(settings, settings->peers[i].collect);
            bool first = !mailboxes[mailbox].foreign_collects;
            mailboxes[mailbox].foreign_collects = true;
            mailboxes[mailbox].owner = first ? (int)i : mailboxes[mailbox].owner;
        }
    }
    free_mailboxes(core);
    core->mailboxes = mailboxes;
}

static void free_path(struct path *path)
{
    decisions_free(&path->decisions);
    free(path->troubles);
    free(path->resumptions);
    free(path->last_hop);
    free(path->habits);
    free(path->flaps);
}

static void free_peer(struct peer *peer)
{
    clock_relation_free(&peer->clock);
    for (int direction = 0; direction < DIRECTIONS; direction++) {
        histogram_free(&peer->stats.latency[direction]);
    }
    free_path(&peer->outbound.path);
    free_path(&peer->inbound.path);
    flights_free(&peer->outbound.flights);
    free(peer->outbound.sending);
    free(peer->outbound.lost);
    free(peer->outbound.delay);
    free(peer->inbound.unseen);
    free(peer->told.refused);
    free(peer->told.heard);
    free(peer->told.mail_cause);
    free(peer->exchange.cause);
    free(peer->greeting_cause);
    free(peer->loops);
    free(peer->row);
    free(peer->server.flaps);
    acknowledgements_free(&peer->told.theirs);
    free(peer->certificates[CERTIFICATE_RELAY]);
    free(peer->certificates[CERTIFICATE_AGENT]);
}

static void adopt_peers(struct core *core, const struct settings *settings)
{
    uint16_t kept = decisions_kept(settings->peer_count, settings->incidents.slow_of);
    struct peer *peers = memory_checked(calloc(settings->peer_count + 1, sizeof *peers));
    struct peer *before = core->peers;
    size_t before_count = core->settings == NULL ? 0 : core->settings->peer_count;
    for (size_t i = 0; i < settings->peer_count; i++) {
        const struct peer_settings *wanted = &settings->peers[i];
        int known = core->settings == NULL ? -1 : settings_find_peer(core->settings, wanted->name);
        if (known >= 0) {
            peers[i] = before[known];
            before[known] = (struct peer){0};
        }
        decisions_keep(&peers[i].outbound.path.decisions, kept);
        decisions_keep(&peers[i].inbound.path.decisions, kept);
        peers[i].settings = wanted;
        peers[i].collect =
            wanted->collect[0] == '\0' ? -1 : settings_find_mailbox(settings, wanted->collect);
    }
    for (size_t i = 0; i < before_count; i++) {
        free_peer(&before[i]);
    }
    free(before);
    core->peers = peers;
}

static bool resolve_server(const struct settings *settings, const char *text, struct subject *out)
{
    bool own = strcmp(text, settings->server) == 0;
    *out = subject_of_server(own ? OWN_SERVER : settings_find_peer(settings, text));
    return own || out->peer >= 0;
}

bool core_resolve_subject(const struct settings *settings, enum incident_kind kind,
                          const char *text, struct subject *out)
{
    if (incident_rule(kind)->subject == SUBJECT_SERVER) {
        return resolve_server(settings, text, out);
    }
    size_t own = strlen(settings->server);
    const char *arrow = strstr(text, "->");
    *out = (struct subject){.kind = SUBJECT_MAILBOX};
    if (arrow == NULL) {
        out->mailbox = settings_find_mailbox(settings, text);
        return out->mailbox >= 0;
    }
    out->kind = SUBJECT_PATH;
    bool outbound = (size_t)(arrow - text) == own && memcmp(text, settings->server, own) == 0;
    char peer[SUBJECT_TEXT_SIZE];
    text_copy(peer, sizeof peer, outbound ? arrow + 2 : text);
    if (!outbound) {
        peer[arrow - text] = '\0';
    }
    out->direction = outbound ? OUTBOUND : INBOUND;
    out->peer = settings_find_peer(settings, peer);
    return out->peer >= 0 && (outbound || strcmp(arrow + 2, settings->server) == 0);
}

static void adopt_incidents(struct core *core, const struct settings *settings, struct moment now)
{
    for (size_t i = 0; i < core->incidents.count; i++) {
        const struct incident *incident = core->incidents.places[i];
        struct subject subject;
        if (incident == NULL) {
            continue;
        }
        if (core_resolve_subject(settings, incident->kind, incident->subject_text, &subject)) {
            incidents_set_subject(&core->incidents, (uint32_t)i, &subject);
        } else {
            trouble_orphan(core, (uint32_t)i, now);
        }
    }
    flap_configure(core, settings);
}

static void adopt_histograms(struct core *core, const struct settings *settings)
{
    struct histogram_edges before = core->edges;
    collect_edges(settings, &core->edges);
    for (size_t i = 0; i < settings->peer_count; i++) {
        for (int direction = 0; direction < DIRECTIONS; direction++) {
            histogram_rebucket(&core->peers[i].stats.latency[direction], &before, &core->edges);
        }
    }
}

void core_configure(struct core *core, const struct settings *settings, struct moment now)
{
    adopt_mailboxes(core, settings, now);
    adopt_peers(core, settings);
    adopt_histograms(core, settings);
    adopt_incidents(core, settings, now);
    const struct settings *before = core->settings;
    core->settings = settings;
    way_configure(core, now);
    if (core->started) {
        core_resettle(core, before->maintenance.settle, now);
    }
    schedule_free(&core->peer_timers);
    schedule_free(&core->mailbox_timers);
    for (size_t i = 0; core->started && i < settings->peer_count; i++) {
        outbound_configure(core, (int)i, now);
        inbound_configure(core, (int)i, now);
        exchange_configure(core, (int)i, now);
    }
    if (core->started) {
        courier_resume(core, now);
        server_configure(core, now);
    }
    for (size_t i = 0; i < settings->mailbox_count; i++) {
        core_watch_mailbox(core, (int)i, now);
    }
}

struct core *core_create(const struct settings *settings, struct moment now, uint64_t seed)
{
    struct core *core = memory_checked(calloc(1, sizeof *core));
    core->random = random_stream_from(seed);
    core->last = now;
    core->promised = now.instant;
    core->window_due = INSTANT_NEVER;
    histogram_edges_reset(&core->edges);
    core_configure(core, settings, now);
    return core;
}

void core_destroy(struct core *core)
{
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        free_peer(&core->peers[i]);
    }
    free(core->peers);
    free_mailboxes(core);
    for (int i = 0; i < CERTIFICATE_PLACES; i++) {
        free(core->certificates[i]);
    }
    schedule_free(&core->peer_timers);
    schedule_free(&core->mailbox_timers);
    schedule_free(&core->incident_timers);
    schedule_free(&core->own_timers);
    windows_free(&core->windows);
    incidents_free(&core->incidents);
    free(core->own.flaps);
    free(core->flapping);
    for (int leg = 0; leg < LEGS; leg++) {
        histogram_free(&core->stats.legs[leg]);
    }
    histogram_free(&core->stats.slips);
    free(core);
}
