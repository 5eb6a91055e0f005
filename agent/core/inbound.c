#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/arrival.h"
#include "core/server.h"
#include "core/trouble.h"

bool inbound_readable(const struct core *core)
{
    for (size_t i = 0; i < core->settings->mailbox_count; i++) {
        if (!core->mailboxes[i].foreign_collects && !core->mailboxes[i].read) {
            return false;
        }
    }
    return true;
}

static void schedule_watch(struct core *core, int peer, struct moment now)
{
    const struct peer *state = &core->peers[peer];
    struct subject subject = subject_of_path(peer, INBOUND);
    struct instant due = INSTANT_NEVER;
    if (state->collect < 0 && inbound_readable(core) &&
        trouble_find(core, INCIDENT_SILENT, &subject) == NULL) {
        struct instant from = path_watched_from(core, peer, state->inbound.path.watch_from, now);
        due = instant_add(from, path_silence_limit(state, state->inbound.sender_interval));
        due = instant_later(due, instant_add(now.instant, SPAN_MS(1)));
    }
    core_set_timer(core, peer, TIMER_SILENCE, due);
}

void inbound_configure(struct core *core, int peer, struct moment now)
{
    struct peer *state = &core->peers[peer];
    struct inbound *inbound = &state->inbound;
    if (inbound->sender_interval.ns == 0) {
        inbound->sender_interval = state->settings->path.interval;
    }
    if (inbound->path.watch_from.ns == 0) {
        inbound->path.watch_from = now.instant; // never heard: counts from here
    }
    schedule_watch(core, peer, now);
}

static struct span watched_age(const struct core *core, int peer, struct moment now)
{
    struct instant watch_from = core->peers[peer].inbound.path.watch_from;
    return instant_since(now.instant, path_watched_from(core, peer, watch_from, now));
}

bool inbound_is_silent(const struct core *core, int peer, struct moment now)
{
    const struct peer *state = &core->peers[peer];
    struct span limit = path_silence_limit(state, state->inbound.sender_interval);
    return state->collect < 0 && inbound_readable(core) &&
           watched_age(core, peer, now).ns > limit.ns;
}

void inbound_watch(struct core *core, int peer, struct moment now)
{
    const struct peer *state = &core->peers[peer];
    const struct inbound *inbound = &state->inbound;
    struct subject subject = subject_of_path(peer, INBOUND);
    bool open = trouble_find(core, INCIDENT_SILENT, &subject) != NULL;
    if (!open && inbound_is_silent(core, peer, now)) {
        struct evidence evidence = {.threshold =
                                        path_silence_limit(state, inbound->sender_interval),
                                    .oldest_age = watched_age(core, peer, now)};
        struct walltime began = moment_wall_at(now, inbound->path.watch_from);
        trouble_open(core, INCIDENT_SILENT, &subject, incident_rule(INCIDENT_SILENT)->severity,
                     began, &evidence, now);
    }
    schedule_watch(core, peer, now);
}

void inbound_keep_receipt(struct inbound *inbound, const struct receipt *receipt,
                          struct walltime told)
{
    if (inbound->unseen_count == UNSEEN_RECEIPTS_MAXIMUM) {
        inbound->unseen_count--;
        memmove(inbound->unseen, inbound->unseen + 1,
                inbound->unseen_count * sizeof *inbound->unseen);
    }
    // Room for one more: of each of many peers there are few.
    size_t size = (inbound->unseen_count + 1) * sizeof *inbound->unseen;
    inbound->unseen = memory_checked(realloc(inbound->unseen, size));
    told = walltime_later(told, inbound->seen_by_peer);
    if (inbound->unseen_count > 0) {
        told = walltime_later(told, inbound->unseen[inbound->unseen_count - 1].place);
    }
    struct walltime place = walltime_later(receipt->arrived, walltime_add(told, SPAN_MS(1)));
    inbound->unseen[inbound->unseen_count++] = (struct unseen){place, *receipt};
}

void inbound_drop_receipts(struct inbound *inbound, struct walltime seen)
{
    size_t gone = 0;
    inbound->seen_by_peer = walltime_later(inbound->seen_by_peer, seen);
    while (gone < inbound->unseen_count && inbound->unseen[gone].place.ns <= seen.ns) {
        gone++;
    }
    if (gone > 0) {
        inbound->unseen_count -= gone;
        memmove(inbound->unseen, inbound->unseen + gone,
                inbound->unseen_count * sizeof *inbound->unseen);
    }
}

// From when on the next probe of the sender is missing, by what this one says of its cadence. The
// sender's clock may step: slots only grow, and nothing was sent after it was seen, nor before what
// had come already, though the clock that a straggler was stamped by may since have gone. A probe
// that lost its headers on the way does not say when the next one is due: the cadence goes on as it
// was.
static void follow_cadence(struct inbound *inbound, const struct tag *tag, struct walltime sent,
                           struct span next, struct moment now)
{
    bool newer = tag->kind == PROBE_SLOT ? tag->slot > inbound->newest_slot
                                         : sent.ns > inbound->path.last_sent.ns;
    if (!newer) {
        return;
    }
    if (tag->kind == PROBE_SLOT) {
        inbound->newest_slot = tag->slot;
        inbound->sender_interval = next;
    }
    sent = walltime_earlier(walltime_later(sent, inbound->path.last_sent), now.wall);
    struct instant due = moment_instant_at(now, walltime_add(sent, next));
    inbound->path.watch_from = path_skip_gap(&inbound->path, due);
}

// Before a probe of ours is due, the peer may wait for more receipts than go into one.
static void tell_in_time(struct core *core, int peer, struct moment now)
{
    if (++core->peers[peer].inbound.untold >= RECEIPTS_MAXIMUM * 3 / 4) {
        outbound_owe_receipts(core, peer, now);
    }
}

// An announcement is waited for at the other end, and so is a word that we know a window.
static void answer(struct core *core, int peer, const struct tag *tag, enum verdict verdict,
                   bool was_silent, bool news, struct moment now)
{
    if (tag->kind == PROBE_ANSWER) {
        return;
    }
    if (tag->kind == PROBE_HAND || tag->kind == PROBE_ANNOUNCE || news) {
        outbound_tell_now(core, peer, PROBE_ANSWER, now);
    } else if (was_silent || verdict != VERDICT_ON_TIME) {
        outbound_owe(core, peer, PROBE_ANSWER, now);
    }
}

// Slots are sent in their order: one that says it was sent before an earlier one tells that the
// sender's clock has been put back.
static void notice_step_back(struct core *core, int peer, const struct tag *tag, struct moment now)
{
    struct inbound *inbound = &core->peers[peer].inbound;
    if (tag->kind != PROBE_SLOT || tag->slot <= inbound->newest_slot) {
        return;
    }
    struct span step = walltime_since(tag->sent, inbound->slot_sent);
    bool back = walltime_known(inbound->slot_sent) && step.ns < -CLOCK_STEP_LEAST.ns;
    if (back && !clock_relation_is_tracked(&core->peers[peer].clock, now.instant)) {
        clock_relation_step(&core->peers[peer].clock, step);
    }
    inbound->slot_sent = tag->sent;
}

// An error of that size is a step that the sender tells of, until we have noticed it.
static bool tells_step(const struct tag *tag)
{
    return tag->error.ns >= CLOCK_STEP_LEAST.ns;
}

static void note_claims(struct clock_relation *clock, struct span theirs, struct span ours)
{
    bool both = theirs.ns > 0 && ours.ns > 0;
    clock->claimed = both ? span_add(theirs, ours) : SPAN_ZERO;
}

// What an arrival tells of the two clocks: the correction of times of the peer's, and their error.
// A straggler that contradicts what newer mail or an exchange has shown was sent before the peer's
// clock stepped.
static struct span relate_clocks(struct core *core, int peer, const struct tag *tag,
                                 struct span shown, struct moment now, struct span *correction)
{
    struct clock_relation *clock = &core->peers[peer].clock;
    bool newest = tag->kind == PROBE_SLOT && tag->slot > core->peers[peer].inbound.newest_slot;
    struct span contradiction = clock_relation_contradiction(clock, INBOUND, shown, now.instant);
    *correction = SPAN_ZERO;
    if (contradiction.ns > 0 && (!newest || clock_relation_is_tracked(clock, now.instant))) {
        return contradiction;
    }
    notice_step_back(core, peer, tag, now);
    note_claims(clock, tag->error, core->clock_error);
    clock_relation_observe(clock, INBOUND, shown, now.instant);
    *correction = clock_relation_correction(clock, now.instant);
    return clock_relation_error(clock, now.instant);
}

// The first probes of a peer that has never told us of one of ours: as long as neither kernel
// vouches for its clock, all of the latency may be the difference of the two.
static struct span doubt(const struct peer *peer, struct span shown, struct instant now)
{
    enum { FIRST_PROBES = 5 };
    bool heard_of = walltime_known(peer->outbound.path.last_arrival) || peer->clock.claimed.ns > 0;
    bool first = !heard_of && peer->clock.ways[INBOUND].count <= FIRST_PROBES;
    bool known = clock_relation_estimate(&peer->clock, now).known;
    return first && !known ? span_longer(shown, SPAN_ZERO) : SPAN_ZERO;
}

// When the sender wrote what the probe carries, as far as its latency can be believed.
static struct instant written_at(const struct probe_record *record, struct moment now)
{
    struct walltime sent = walltime_subtract(record->arrived, record->latency);
    return moment_instant_at(now, walltime_earlier(sent, now.wall));
}

// As long as nothing tells of the two clocks, all that is known is that it was sent before it came.
static struct walltime sent_at_latest(const struct core *core, int peer,
                                      const struct probe_record *record, struct span unsure,
                                      struct moment now)
{
    struct clock_estimate clock = core_clock(core, peer, now);
    return clock.known ? walltime_add(record->sent, unsure) : record->arrived;
}

// The arrival as our clock has it, and how far the two clocks leave that open. Of the clocks the
// longest that it can have taken tells, for that is sure.
static struct probe_record record_of(struct core *core, int peer,
                                     const struct collect_report *report, struct moment now,
                                     struct arrival *arrival, struct span *unsure)
{
    const struct tag *tag = &report->tag;
    struct walltime latest = arrival_reported(report, tag->sent).latest;
    struct span clocks, longest = walltime_since(latest, tag->sent);
    struct span error = relate_clocks(core, peer, tag, longest, now, &clocks);
    error = span_longer(error, doubt(&core->peers[peer], longest, now.instant));
    *unsure = tells_step(tag) ? span_add(tag->error, error) : error;
    struct walltime sent = walltime_subtract(tag->sent, clocks);
    *arrival = arrival_reported(report, sent);
    struct probe_record record = {
        .id = tag->id,
        .direction = INBOUND,
        .kind = tag->kind,
        .slot = tag->slot,
        .next = tag->next,
        .sent = sent,
        .arrived = arrival->at,
        .latency = walltime_since(arrival->at, sent),
        .latency_error = span_add(arrival->error, *unsure),
    };
    text_copy(record.peer, SERVER_NAME_SIZE, tag->from);
    return record;
}

// What the peer says of windows and of other servers; true when a window is news.
static bool take_words(struct core *core, int peer, const struct collect_report *report,
                       const struct probe_record *record, struct moment now)
{
    witness_take(core, peer, report->row, written_at(record, now));
    return courier_take(core, peer, report->maintenance, now);
}

// False when there are none that can be read.
static bool read_receipts(const struct collect_report *report, struct receipts *out)
{
    struct error error;
    return report->receipts[0] != '\0' && receipts_parse(report->receipts, out, &error);
}

// Until when all that arrived has been seen, for what was found long after may not have been.
static struct walltime arrivals_seen(const struct inbound *inbound, struct walltime arrived,
                                     struct walltime seen)
{
    struct walltime earliest = walltime_earlier(seen, arrived);
    for (size_t i = 0; i < inbound->unseen_count; i++) {
        if (inbound->unseen[i].place.ns > seen.ns) {
            earliest = walltime_earlier(earliest, inbound->unseen[i].receipt.arrived);
        }
    }
    return earliest;
}

void inbound_arrived(struct core *core, int peer, const struct collect_report *report,
                     struct moment now)
{
    struct inbound *inbound = &core->peers[peer].inbound;
    const struct tag *tag = &report->tag;
    struct arrival arrival;
    struct span unsure;
    struct receipts receipts;
    struct probe_record record = record_of(core, peer, report, now, &arrival, &unsure);
    bool tells = read_receipts(report, &receipts);
    struct walltime seen = tells ? fate_seen(&receipts, now) : WALLTIME_NONE;
    record.seen = arrivals_seen(inbound, record.arrived, seen);
    struct subject subject = subject_of_path(peer, INBOUND);
    bool was_silent = trouble_find(core, INCIDENT_SILENT, &subject) != NULL;
    core->peers[peer].stats.received++;
    core->peers[peer].passed[INBOUND] = now.instant;
    histogram_observe(&core->stats.legs[LEG_VISIBLE], &LEG_EDGES,
                      span_seconds(walltime_since(arrival.latest, arrival.earliest)));
    follow_cadence(inbound, tag, sent_at_latest(core, peer, &record, unsure, now),
                   report->stripped ? inbound->sender_interval : tag->next, now);

    bool news = take_words(core, peer, report, &record, now);
    struct way way = {record.sent, unsure, arrival};
    way_arrived(core, peer, INBOUND, report, &way, now);
    struct span recovery = tag->drain.ns > 0 ? tag->drain : core->settings->maintenance.recovery;
    struct judgement judgement = path_arrived(core, peer, INBOUND, &record, recovery, now);
    cohort_arrived(core, peer, INBOUND, &record, now);
    core_act(core, ACTION_RECORD_PROBE)->probe = record;
    struct receipt receipt = {record.id, record.arrived,
                              span_add(arrival.error, clock_step_error(core, peer, now))};
    inbound_keep_receipt(inbound, &receipt, core_collected(core));
    outbound_heard(core, peer, now);
    if (tells) {
        fate_receipts(core, peer, &receipts, now);
    }
    answer(core, peer, tag, judgement.verdict, was_silent, news, now);
    tell_in_time(core, peer, now);
    schedule_watch(core, peer, now);
}
