#include "simulation/journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const char *const NOTICES[] = {
    [NOTICE_FIRING] = "FIRING",     [NOTICE_FLAPPING] = "FLAPPING",
    [NOTICE_REMINDER] = "REMINDER", [NOTICE_SUPPRESSED] = "SUPPRESSED",
    [NOTICE_RESOLVED] = "RESOLVED",
};

static const char *const SUBJECTS[] = {
    [SUBJECT_PATH] = "path", [SUBJECT_MAILBOX] = "mailbox", [SUBJECT_SERVER] = "server"};

void journal_free(struct journal *journal)
{
    free(journal->spoken);
    free(journal->learned);
    journal->spoken = NULL;
    journal->learned = NULL;
}

static void begin_line(const struct world *world, int server)
{
    int64_t ms = world->now.ns / 1000000;
    fprintf(world->journal->out, "%02" PRId64 ":%02d:%02d.%03d %s ", ms / 3600000,
            (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000),
            server < 0 ? "--" : world->servers[server].name);
}

static void print_clock(FILE *out, const char *name, struct walltime at)
{
    char words[40];
    struct text text = TEXT_OVER(words);
    walltime_append_seconds(at, &text);
    fprintf(out, " %s=%s", name, words);
}

static void print_culprit(FILE *out, const struct cells *cells)
{
    if (cells->culprit != CULPRIT_UNKNOWN) {
        fprintf(out, " culprit=%s", culprit_name(cells->culprit));
    }
    if (cells->of > 1) {
        fprintf(out, " seen_by=%u/%u", cells->seen_by, cells->of);
    }
    if (cells->paths[0] != '\0') {
        fprintf(out, " cells=\"%s\"", cells->paths);
    }
}

static void print_evidence(FILE *out, const struct incident *incident)
{
    const struct evidence *evidence = &incident->evidence;
    switch (incident->kind) {
    case INCIDENT_SLOW:
        fprintf(out, " latency=%.1fs threshold=%.0fs late=%u/%u", span_seconds(evidence->latency),
                span_seconds(evidence->threshold), evidence->late, evidence->of);
        break;
    case INCIDENT_SILENT:
        fprintf(out, " oldest_age=%.0fs threshold=%.0fs", span_seconds(evidence->oldest_age),
                span_seconds(evidence->threshold));
        break;
    case INCIDENT_REFUSED:
        fprintf(out, " failures=%u", evidence->failures);
        break;
    case INCIDENT_OVERRUN:
        fprintf(out, " kind=%s window=%s", window_kind_name(incident->aftermath.window_kind),
                incident->aftermath.window);
        print_clock(out, "planned_end", incident->aftermath.planned_end);
        fprintf(out, " late_by=%.0fs",
                span_seconds(walltime_since(incident->opened, incident->aftermath.planned_end)));
        break;
    case INCIDENT_ISOLATED:
        fprintf(out, " bad=%u/%u", evidence->late, evidence->of);
        break;
    case INCIDENT_DOWN:
    case INCIDENT_UNHEARD:
        fprintf(out, " oldest_age=%.0fs", span_seconds(evidence->oldest_age));
        break;
    case INCIDENT_LOST:
        fprintf(out, " lost=%u", evidence->failures);
        break;
    case INCIDENT_CLOCK:
        fprintf(out, " offset=%.1fs error=%.1fs", span_seconds(evidence->latency),
                span_seconds(evidence->threshold));
        break;
    case INCIDENT_FORGED:
        fprintf(out, " tags=%u", evidence->failures);
        break;
    case INCIDENT_BLIND:
    case INCIDENT_STUCK:
    case INCIDENTS:
        break;
    }
    if (evidence->in_flight > 0) {
        fprintf(out, " in_flight=%u", evidence->in_flight);
    }
    print_culprit(out, &incident->cells);
    if (evidence->cause[0] != '\0') {
        fprintf(out, " cause=\"%s\"", evidence->cause);
    }
}

static void print_aftermath(FILE *out, const struct incident *incident)
{
    const struct aftermath *aftermath = &incident->aftermath;
    bool extended = strcmp(incident->evidence.cause, OVERRUN_EXTENDED) == 0;
    if (incident->kind == INCIDENT_OVERRUN && (extended || aftermath->resumed_by[0] == '\0')) {
        fprintf(out, " reason=%s", extended ? OVERRUN_EXTENDED : "");
    } else if (incident->kind == INCIDENT_OVERRUN) {
        struct walltime resumed =
            walltime_later(aftermath->resumed[OUTBOUND], aftermath->resumed[INBOUND]);
        print_clock(out, "planned_end", aftermath->planned_end);
        print_clock(out, "resumed", resumed);
        fprintf(out, " overran=%.0fs",
                span_seconds(walltime_since(resumed, aftermath->planned_end)));
    } else {
        fprintf(out, " lasted=%.0fs",
                span_seconds(walltime_since(incident->closed, incident->began)));
    }
    fprintf(out, " drained=%u", aftermath->drained);
    if (incident_rule(incident->kind)->subject == SUBJECT_SERVER) {
        fprintf(out, " lost=%u suppressed=%u longest=%.0fs", aftermath->lost, aftermath->suppressed,
                span_seconds(aftermath->longest));
    }
    if (aftermath->resumed_by[0] != '\0') {
        fprintf(out, " resumed_by=%s", aftermath->resumed_by);
    }
    if (aftermath->in_flight > 0) {
        fprintf(out, " in_flight=%u", aftermath->in_flight);
    }
}

// A cause has closed since, and spoken for what it kept quiet (or flaps, and does not say when it
// closes): that may be said again.
static bool ended_with_cause(const struct journal *journal, size_t since,
                             const struct incident *symptom)
{
    for (size_t i = since + 1; i < journal->spoken_count; i++) {
        const struct spoken *spoken = &journal->spoken[i];
        bool cause =
            spoken->incident.kind < symptom->kind || spoken->incident.kind == INCIDENT_OVERRUN;
        bool end = spoken->notice == NOTICE_RESOLVED || spoken->notice == NOTICE_FLAPPING;
        if (spoken->node == journal->spoken[since].node && end && cause) {
            return true;
        }
    }
    return false;
}

// A restart or a crash must not make an agent repeat itself, nor give a number to two incidents.
static void check_not_said(struct world *world, int node, const struct incident *incident,
                           enum notice notice)
{
    const struct journal *journal = world->journal;
    for (size_t i = 0; i < journal->spoken_count; i++) {
        const struct spoken *earlier = &journal->spoken[i];
        if (earlier->node != node || earlier->incident.id != incident->id) {
            continue;
        }
        journal_check(world, earlier->incident.kind == incident->kind, node,
                      "one number for two incidents");
        bool same = earlier->incident.severity == incident->severity;
        bool again = earlier->notice == notice &&
                     (notice == NOTICE_RESOLVED ||
                      (notice == NOTICE_FIRING && same && !world->servers[node].node.crashed &&
                       !ended_with_cause(journal, i, incident)));
        journal_check(world, !again, node, "said twice");
        journal_check(world, earlier->notice != NOTICE_RESOLVED, node, "said after its end");
    }
}

// Room for one more item of a list that only grows.
static void *grown(void *list, size_t count, size_t size)
{
    bool full = (count & (count - 1)) == 0; // at every power of two
    return full ? memory_checked(realloc(list, (count == 0 ? 1 : count * 2) * size)) : list;
}

static void remember(struct world *world, int node, const struct incident *incident,
                     enum notice notice)
{
    struct journal *journal = world->journal;
    journal->spoken = grown(journal->spoken, journal->spoken_count, sizeof *journal->spoken);
    journal->spoken[journal->spoken_count++] = (struct spoken){world->now, node, notice, *incident};
}

void journal_notice(struct world *world, int node, const struct incident *incident,
                    enum notice notice)
{
    FILE *out = world->journal->out;
    check_not_said(world, node, incident, notice);
    remember(world, node, incident, notice);
    begin_line(world, node);
    fprintf(out, "%s %s severity=%s %s=%s", incident_kind_name(incident->kind), NOTICES[notice],
            severity_name(incident->severity), SUBJECTS[incident_rule(incident->kind)->subject],
            incident->subject_text);
    if (notice == NOTICE_RESOLVED) {
        print_aftermath(out, incident);
    } else {
        print_evidence(out, incident);
    }
    fprintf(out, " incident=%" PRId64, incident->id);
    if (notice == NOTICE_SUPPRESSED) {
        fprintf(out, " maintenance=%s", incident->suppressed_by);
    }
    fputc('\n', out);
}

void journal_learned(struct world *world, int node, const struct window *window)
{
    struct journal *journal = world->journal;
    journal->learned = grown(journal->learned, journal->learned_count, sizeof *journal->learned);
    journal->learned[journal->learned_count++] = (struct learned){world->now, node, *window};
}

void journal_window(struct world *world, int node, const struct window *window,
                    enum window_transition transition)
{
    if (transition == WINDOW_CHANGED || transition == WINDOW_HELD) {
        return;
    }
    begin_line(world, node);
    fprintf(world->journal->out, "maintenance %s server=%s kind=%s window=%s\n",
            transition == WINDOW_BEGINS ? "BEGIN" : "END", window->server,
            window_kind_name(window->kind), window->id);
}

void journal_acknowledged(struct world *world, int node, const struct action *action)
{
    if (world->parameters.acknowledgements > 0) {
        begin_line(world, node);
        fprintf(world->journal->out, "%s knows window %s, revision %" PRIu32 "\n",
                action->acknowledged.peer, action->acknowledged.window,
                action->acknowledged.revision);
    }
}

void journal_acknowledgements(struct world *world, int node, const struct window *window)
{
    const struct core *core = world->servers[node].node.core;
    struct acknowledgement_count count = core_acknowledgement_count(core, window);
    begin_line(world, node);
    struct instant end = world_time_at(world, node, window->end);
    fprintf(world->journal->out,
            "window %s, revision %" PRIu32 " by %s, until %.0fs%s, acknowledged=%u/%u\n",
            window->id, window->revision, window->by, (double)end.ns / 1e9,
            window->cancelled ? ", cancelled" : "", count.known, count.of);
    for (size_t i = 0; i < core_settings(core)->peer_count; i++) {
        char why[200];
        if (core_acknowledges(core, window, (int)i) &&
            core_acknowledgement(core, window, (int)i, why, sizeof why) != ACKNOWLEDGED) {
            begin_line(world, node);
            fprintf(world->journal->out, "  not by %s: %s\n", core_settings(core)->peers[i].name,
                    why);
        }
    }
}

void journal_clock(struct world *world, int node, struct span step)
{
    begin_line(world, node);
    fprintf(world->journal->out, "its clock has stepped by %+.0fs\n", span_seconds(step));
}

void journal_refused(struct world *world, int node, const char *reason)
{
    begin_line(world, node);
    fprintf(world->journal->out, "refused: %s\n", reason);
}

void journal_drained(struct world *world, int node, const struct drained *drained)
{
    FILE *out = world->journal->out;
    begin_line(world, node);
    fprintf(out, "drain DONE server=%s", drained->server);
    if (drained->window[0] != '\0') {
        fprintf(out, " window=%s", drained->window);
    }
    if (drained->incident != 0) {
        fprintf(out, " incident=%" PRId64, drained->incident);
    }
    fprintf(out, " arrived=%u lost=%u", drained->arrived, drained->lost);
    if (drained->in_flight > 0) {
        fprintf(out, " in_flight=%u", drained->in_flight);
    }
    fprintf(out, " longest=%.0fs\n", span_seconds(drained->longest));
}

void journal_cohort(struct world *world, int node, int peer, enum direction direction,
                    const struct cohort *cohort)
{
    FILE *out = world->journal->out;
    char path[SUBJECT_TEXT_SIZE];
    core_path_text(world->servers[node].node.core, peer, direction, path);
    begin_line(world, node);
    fprintf(out, "cohort ARRIVED path=%s count=%u", path, cohort->count);
    print_clock(out, "first_sent", cohort->first_sent);
    print_clock(out, "last_sent", cohort->last_sent);
    print_clock(out, "arrived", cohort->arrived);
    fputc('\n', out);
}

void journal_script(struct world *world, const char *line)
{
    begin_line(world, -1);
    fprintf(world->journal->out, "%s\n", line);
}

void journal_kill(struct world *world, int node, enum kill_phase phase)
{
    static const char *const PHASES[KILL_PHASES] = {
        [KILL_BEFORE_COMMIT] = "before its rows were written",
        [KILL_BEFORE_DEEDS] = "between rows and deeds",
        [KILL_AMID_DEEDS] = "amid its deeds",
    };
    begin_line(world, node);
    fprintf(world->journal->out, "killed %s\n", PHASES[phase]);
}

void journal_trace(struct world *world, int server, const char *what, const struct tag *tag)
{
    if (!world->journal->trace) {
        return;
    }
    char id[PROBE_ID_TEXT];
    begin_line(world, server);
    fprintf(world->journal->out, "  %s %s->%s %s slot=%" PRId64 " next=%.3f id=%.6s\n", what,
            tag->from, tag->to, probe_kind_name(tag->kind), tag->slot, span_seconds(tag->next),
            probe_id_format(&tag->id, id));
}

void journal_record(struct world *world, int node, const struct probe_record *record)
{
    if (!world->journal->trace) {
        return;
    }
    char id[PROBE_ID_TEXT];
    begin_line(world, node);
    fprintf(world->journal->out,
            "  %s %s %s %s latency=%.3f excused=%.3f incident=%" PRId64 " id=%.6s\n",
            direction_name(record->direction), record->peer, probe_state_name(record->state),
            verdict_name(record->verdict), span_seconds(record->latency),
            span_seconds(record->excused), record->incident, probe_id_format(&record->id, id));
}

void journal_check(struct world *world, bool holds, int node, const char *otherwise)
{
    if (!holds) {
        begin_line(world, node);
        fprintf(world->journal->out, "CHECK FAILED: %s\n", otherwise);
        world->journal->failures++;
    }
}

// ---- the summary ----

struct path_sums {
    unsigned states[PROBE_STATES];
    unsigned verdicts[VERDICTS];
    unsigned total;
    unsigned open;
};

static struct path_sums sum_path(const struct ledger *ledger, const char *peer,
                                 enum direction direction)
{
    struct path_sums sums = {0};
    for (size_t i = 0; i < ledger->row_count; i++) {
        const struct probe_record *record = &ledger->rows[i].record;
        if (record->direction == direction && strcmp(record->peer, peer) == 0) {
            sums.total++;
            sums.states[record->state]++;
            sums.verdicts[record->verdict]++;
            sums.open += ledger_row_open(&ledger->rows[i]);
        }
    }
    return sums;
}

static void print_some(FILE *out, const char *name, uint64_t count)
{
    if (count > 0) {
        fprintf(out, " %s=%" PRIu64, name, count);
    }
}

static void print_verdicts(FILE *out, const struct path_sums *sums)
{
    for (int i = VERDICT_ON_TIME; i < VERDICTS; i++) {
        print_some(out, verdict_name((enum verdict)i), sums->verdicts[i]);
    }
    print_some(out, "in_flight", sums->open);
    fputc('\n', out);
}

// What the core has counted is what the ledger holds; a crash between the two is the exception, and
// what arrived after all when it had been counted as lost.
static void check_counts(struct world *world, int node, int peer, enum direction direction,
                         const struct path_sums *sums)
{
    const struct node *agent = &world->servers[node].node;
    int index =
        agent->core == NULL ? -1 : settings_find_peer(agent->settings, world->servers[peer].name);
    bool put_right = index >= 0 && core_peer(agent->core, index)->stats.arrived_after_loss > 0;
    for (int i = VERDICT_ON_TIME; i < VERDICTS && !agent->crashed && !put_right; i++) {
        uint64_t counted = agent->resolved[peer][direction][i];
        counted += index < 0 ? 0 : core_peer(agent->core, index)->stats.resolved[direction][i];
        journal_check(world, counted == sums->verdicts[i], node,
                      "the core and the ledger differ on how many had a verdict");
    }
}

static void summarise_outbound(struct world *world, int node, int peer)
{
    FILE *out = world->journal->out;
    const struct node *agent = &world->servers[node].node;
    const char *name = world->servers[peer].name;
    int index = agent->core == NULL ? -1 : settings_find_peer(agent->settings, name);
    const struct peer *state = index < 0 ? NULL : core_peer(agent->core, index);
    struct path_sums sums = sum_path(&agent->ledger, name, OUTBOUND);
    uint64_t missed = agent->missed[peer] + (state == NULL ? 0 : state->stats.slots_missed);
    fprintf(out, "%s->%s, says its sender: sent=%u", world->servers[node].name, name,
            sums.total - sums.states[PROBE_REFUSED]);
    print_some(out, "refused", sums.states[PROBE_REFUSED]);
    print_some(out, "missed", missed);
    print_verdicts(out, &sums);
    check_counts(world, node, peer, OUTBOUND, &sums);
    if (state != NULL) {
        journal_check(world,
                      state->outbound.flights.count + state->outbound.sending_count == sums.open,
                      node, "the core and the ledger differ on what is in flight");
    }
}

static void summarise_inbound(struct world *world, int node, int peer)
{
    FILE *out = world->journal->out;
    const struct node *agent = &world->servers[node].node;
    const char *name = world->servers[peer].name;
    int index = agent->core == NULL ? -1 : settings_find_peer(agent->settings, name);
    struct path_sums sums = sum_path(&agent->ledger, name, INBOUND);
    uint64_t duplicates = agent->duplicates[peer];
    duplicates += index < 0 ? 0 : core_peer(agent->core, index)->stats.duplicates;
    fprintf(out, "%s->%s, says its receiver: received=%u", name, world->servers[node].name,
            sums.total);
    print_some(out, "duplicates", duplicates);
    print_verdicts(out, &sums);
    check_counts(world, node, peer, INBOUND, &sums);
}

static void summarise_node(struct world *world, int node)
{
    const struct node *agent = &world->servers[node].node;
    journal_check(world, agent->ledger.rewritten == 0, node, "a verdict was changed");
    uint64_t negative = agent->negative;
    negative += agent->core == NULL ? 0 : core_stats(agent->core)->negative_latencies;
    if (negative > 0) {
        fprintf(world->journal->out, "%s: negative latencies=%" PRIu64 "\n",
                world->servers[node].name, negative);
    }
    for (size_t i = 0; i < agent->ledger.incident_count; i++) {
        const struct incident *incident = &agent->ledger.incidents[i];
        if (!walltime_known(incident->closed)) {
            fprintf(world->journal->out, "%s: still open: %s %s, %s\n", world->servers[node].name,
                    incident_kind_name(incident->kind), incident->subject_text,
                    incident->notified ? "notified" : "not notified");
        }
    }
}

void journal_summary(struct world *world)
{
    for (int i = 0; i < world->server_count; i++) {
        for (int k = 0; k < world->server_count; k++) {
            if (i == k || !world_are_peers(world, i, k)) {
                continue;
            }
            if (!world->servers[i].agentless) {
                summarise_outbound(world, i, k);
            }
            if (!world->servers[i].agentless && !world->servers[k].agentless) {
                summarise_inbound(world, k, i);
            }
        }
    }
    for (int i = 0; i < world->server_count; i++) {
        summarise_node(world, i);
    }
}
