#include "simulation/journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const char *const SUBJECTS[] = {
    [SUBJECT_PATH] = "path", [SUBJECT_MAILBOX] = "mailbox", [SUBJECT_SERVER] = "server"};

void journal_free(struct journal *journal)
{
    free(journal->spoken);
    free(journal->learned);
    free(journal->passages);
    free(journal->closings);
    if (journal->unread != NULL) {
        fclose(journal->unread);
    }
    journal->spoken = NULL;
    journal->learned = NULL;
    journal->passages = NULL;
    journal->closings = NULL;
    journal->unread = NULL;
}

FILE *journal_of(const struct world *world, int server)
{
    struct journal *journal = world->journal;
    if (server < 0 || world->shown < 0 || world->shown == server) {
        return journal->out;
    }
    if (journal->unread == NULL) {
        journal->unread = memory_checked(fopen("/dev/null", "w"));
    }
    return journal->unread;
}

static void write_head(const struct world *world, int server, FILE *out)
{
    int64_t ms = world->now.ns / 1000000;
    fprintf(out, "%02" PRId64 ":%02d:%02d.%03d %s ", ms / 3600000, (int)(ms / 60000 % 60),
            (int)(ms / 1000 % 60), (int)(ms % 1000),
            server < 0 ? "--" : world->servers[server].name);
}

// Returns where the rest of the line goes.
static FILE *begin_line(const struct world *world, int server)
{
    FILE *out = journal_of(world, server);
    write_head(world, server, out);
    return out;
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

static void print_overrun(FILE *out, const struct incident *incident)
{
    const struct aftermath *aftermath = &incident->aftermath;
    fprintf(out, " kind=%s window=%s", window_kind_name(aftermath->window_kind), aftermath->window);
    print_clock(out, "planned_end", aftermath->planned_end);
    fprintf(out, " late_by=%.0fs",
            span_seconds(walltime_since(incident->opened, aftermath->planned_end)));
}

// How late, how long, how many.
static void print_figures(FILE *out, enum incident_kind kind, const struct evidence *evidence)
{
    double latency = span_seconds(evidence->latency), age = span_seconds(evidence->oldest_age);
    double threshold = span_seconds(evidence->threshold);
    if (kind == INCIDENT_SLOW) {
        fprintf(out, " latency=%.1fs threshold=%.0fs late=%u/%u", latency, threshold,
                evidence->late, evidence->of);
    } else if (kind == INCIDENT_SILENT) {
        fprintf(out, " oldest_age=%.0fs threshold=%.0fs", age, threshold);
    } else if (kind == INCIDENT_DOWN || kind == INCIDENT_UNHEARD) {
        fprintf(out, " oldest_age=%.0fs", age);
    } else if (kind == INCIDENT_CLOCK) {
        fprintf(out, " offset=%.1fs error=%.1fs", latency, threshold);
    } else if (kind == INCIDENT_CERTIFICATE) {
        fprintf(out, " days_left=%.0f", latency / 86400);
    } else if (kind == INCIDENT_ISOLATED || kind == INCIDENT_MISPLACED) {
        fprintf(out, " %s=%u/%u", kind == INCIDENT_ISOLATED ? "bad" : "misplaced", evidence->late,
                evidence->of);
    }
}

static void print_failures(FILE *out, enum incident_kind kind, unsigned failures)
{
    static const char *const NAMES[INCIDENTS] = {[INCIDENT_REFUSED] = "failures",
                                                 [INCIDENT_BOUNCED] = "bounced",
                                                 [INCIDENT_LOST] = "lost",
                                                 [INCIDENT_FORGED] = "tags"};
    if (NAMES[kind] != NULL) {
        fprintf(out, " %s=%u", NAMES[kind], failures);
    }
}

static void print_evidence(FILE *out, const struct incident *incident)
{
    const struct evidence *evidence = &incident->evidence;
    print_figures(out, incident->kind, evidence);
    print_failures(out, incident->kind, evidence->failures);
    if (incident->kind == INCIDENT_OVERRUN) {
        print_overrun(out, incident);
    } else if (incident->kind == INCIDENT_REROUTED) {
        fprintf(out, " route=\"%s\" usual=\"%s\"", evidence->route, evidence->usual_route);
    } else if (incident->kind == INCIDENT_UNAUTHENTICATED) {
        fprintf(out, " method=%s result=%s", auth_method_name(evidence->method),
                auth_result_name(evidence->result));
    } else if (incident->kind == INCIDENT_SLOW && evidence->hop.to[0] != '\0') {
        fprintf(out, " hop=%s hop_delay=%.0fs hop_from=%s", evidence->hop.to,
                span_seconds(evidence->hop.delay), evidence->hop.from);
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
    if (incident->end != END_WELL) {
        fprintf(out, " reason=%s", incident_end_name(incident->end));
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
    if (incident->ended[0] != '\0') {
        fprintf(out, " ends=%s", incident->ended);
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
        bool same = earlier->incident.severity == incident->severity &&
                    memcmp(earlier->incident.evidence.statuses, incident->evidence.statuses,
                           sizeof incident->evidence.statuses) == 0;
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
    check_not_said(world, node, incident, notice);
    remember(world, node, incident, notice);
    FILE *out = begin_line(world, node);
    fprintf(out, "%s %s severity=%s %s=%s", incident_kind_name(incident->kind), notice_name(notice),
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

void journal_passage(struct world *world, int node, const struct message *message,
                     const struct probe_record *record)
{
    struct journal *journal = world->journal;
    journal->passages = grown(journal->passages, journal->passage_count, sizeof *journal->passages);
    struct passage *passage = &journal->passages[journal->passage_count++];
    *passage = (struct passage){.at = world->now,
                                .wall = world_moment(world, node).wall,
                                .node = node,
                                .from = message->from,
                                .sent = record->sent,
                                .arrived = record->arrived,
                                .misplaced = strcmp(message->marks.folder, "Junk") == 0,
                                .learned = journal->learned_count};
    memcpy(passage->route, message->marks.routes[0], sizeof passage->route);
    memcpy(passage->results, message->marks.results, sizeof passage->results);
}

void journal_closed(struct world *world, int node, const struct incident *incident)
{
    struct journal *journal = world->journal;
    if (walltime_known(incident->closed)) {
        journal->closings =
            grown(journal->closings, journal->closing_count, sizeof *journal->closings);
        journal->closings[journal->closing_count++] =
            (struct closing){node, incident->id, journal->passage_count};
    }
}

void journal_window(struct world *world, int node, const struct window *window,
                    enum window_transition transition)
{
    if (transition == WINDOW_CHANGED || transition == WINDOW_HELD) {
        return;
    }
    FILE *out = begin_line(world, node);
    fprintf(out, "maintenance %s server=%s kind=%s window=%s\n",
            transition == WINDOW_BEGINS ? "BEGIN" : "END", window->server,
            window_kind_name(window->kind), window->id);
}

void journal_acknowledged(struct world *world, int node, const struct action *action)
{
    if (world->parameters.acknowledgements > 0) {
        FILE *out = begin_line(world, node);
        fprintf(out, "%s knows window %s, revision %" PRIu32 "\n", action->acknowledged.peer,
                action->acknowledged.window, action->acknowledged.revision);
    }
}

void journal_acknowledgements(struct world *world, int node, const struct window *window)
{
    const struct core *core = world->servers[node].node.core;
    struct acknowledgement_count count = core_acknowledgement_count(core, window);
    FILE *out = begin_line(world, node);
    struct instant end = world_time_at(world, node, window->end);
    fprintf(out, "window %s, revision %" PRIu32 " by %s, until %.0fs%s, acknowledged=%u/%u\n",
            window->id, window->revision, window->by, (double)end.ns / 1e9,
            window->cancelled ? ", cancelled" : "", count.known, count.of);
    for (size_t i = 0; i < core_settings(core)->peer_count; i++) {
        char why[200];
        if (core_acknowledges(core, window, (int)i) &&
            core_acknowledgement(core, window, (int)i, why, sizeof why) != ACKNOWLEDGED) {
            begin_line(world, node);
            fprintf(out, "  not by %s: %s\n", core_settings(core)->peers[i].name, why);
        }
    }
}

void journal_clock(struct world *world, int node, struct span step)
{
    FILE *out = begin_line(world, node);
    fprintf(out, "its clock has stepped by %+.0fs\n", span_seconds(step));
}

void journal_route(struct world *world, int node, const struct action *action)
{
    char path[SUBJECT_TEXT_SIZE];
    struct node *agent = &world->servers[node].node;
    const char *peer = agent->settings->peers[action->route.peer].name;
    agent->routes_told[world_find_server(world, peer)]++;
    FILE *out = begin_line(world, node);
    core_path_text(world->servers[node].node.core, action->route.peer, action->route.direction,
                   path);
    fprintf(out, "route CHANGED path=%s route=\"%s\" usual=\"%s\" window=%s\n", path,
            action->route.route, action->route.usual, action->route.window);
}

void journal_refused(struct world *world, int node, const char *reason)
{
    FILE *out = begin_line(world, node);
    fprintf(out, "refused: %s\n", reason);
}

void journal_drained(struct world *world, int node, const struct drained *drained)
{
    FILE *out = begin_line(world, node);
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
    char path[SUBJECT_TEXT_SIZE];
    core_path_text(world->servers[node].node.core, peer, direction, path);
    FILE *out = begin_line(world, node);
    fprintf(out, "cohort ARRIVED path=%s count=%u", path, cohort->count);
    print_clock(out, "first_sent", cohort->first_sent);
    print_clock(out, "last_sent", cohort->last_sent);
    print_clock(out, "arrived", cohort->arrived);
    fputc('\n', out);
}

void journal_script(struct world *world, const char *line)
{
    FILE *out = begin_line(world, -1);
    fprintf(out, "%s\n", line);
}

void journal_kill(struct world *world, int node, enum kill_phase phase)
{
    static const char *const PHASES[KILL_PHASES] = {
        [KILL_BEFORE_COMMIT] = "before its rows were written",
        [KILL_BEFORE_DEEDS] = "between rows and deeds",
        [KILL_AMID_DEEDS] = "amid its deeds",
    };
    FILE *out = begin_line(world, node);
    fprintf(out, "killed %s\n", PHASES[phase]);
}

void journal_trace(struct world *world, int server, const char *what, const struct tag *tag)
{
    if (!world->journal->trace) {
        return;
    }
    char id[PROBE_ID_TEXT];
    FILE *out = begin_line(world, server);
    fprintf(out, "  %s %s->%s %s slot=%" PRId64 " next=%.3f id=%.6s\n", what, tag->from, tag->to,
            probe_kind_name(tag->kind), tag->slot, span_seconds(tag->next),
            probe_id_format(&tag->id, id));
}

void journal_bounce(struct world *world, int node, const struct action *action)
{
    if (!world->journal->trace) {
        return;
    }
    char id[PROBE_ID_TEXT], path[SUBJECT_TEXT_SIZE];
    core_path_text(world->servers[node].node.core, action->bounce.peer, OUTBOUND, path);
    FILE *out = begin_line(world, node);
    fprintf(out, "  reported %s %s id=%.6s\n", path, bounce_fate_name(action->bounce.fate),
            probe_id_format(&action->bounce.probe, id));
}

void journal_record(struct world *world, int node, const struct probe_record *record)
{
    if (!world->journal->trace) {
        return;
    }
    char id[PROBE_ID_TEXT];
    FILE *out = begin_line(world, node);
    fprintf(out, "  %s %s %s %s latency=%.3f excused=%.3f incident=%" PRId64 " id=%.6s\n",
            direction_name(record->direction), record->peer, probe_state_name(record->state),
            verdict_name(record->verdict), span_seconds(record->latency),
            span_seconds(record->excused), record->incident, probe_id_format(&record->id, id));
}

void journal_check(struct world *world, bool holds, int node, const char *otherwise)
{
    if (!holds) {
        write_head(world, node, world->journal->out);
        fprintf(world->journal->out, "CHECK FAILED: %s\n", otherwise);
        world->journal->failures++;
    }
}
