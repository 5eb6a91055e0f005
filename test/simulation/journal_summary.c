// What became of every path's probes, at the end of a run.
#include <inttypes.h>
#include <string.h>

#include "simulation/journal.h"

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
    FILE *out = journal_of(world, node);
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
    for (int fate = BOUNCE_FATE_DELAYED; state != NULL && fate < BOUNCE_FATES; fate++) {
        char told[32];
        snprintf(told, sizeof told, "told_%s", bounce_fate_name((enum bounce_fate)fate));
        print_some(out, told, state->stats.bounces[fate]); // since the agent last began
    }
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
    FILE *out = journal_of(world, node);
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
    FILE *out = journal_of(world, node);
    const struct node *agent = &world->servers[node].node;
    journal_check(world, agent->ledger.rewritten == 0, node, "a verdict was changed");
    uint64_t negative = agent->negative;
    negative += agent->core == NULL ? 0 : core_stats(agent->core)->negative_latencies;
    if (negative > 0) {
        fprintf(out, "%s: negative latencies=%" PRIu64 "\n", world->servers[node].name, negative);
    }
    for (size_t i = 0; i < agent->ledger.incident_count; i++) {
        const struct incident *incident = &agent->ledger.incidents[i];
        if (!walltime_known(incident->closed)) {
            fprintf(out, "%s: still open: %s %s, %s\n", world->servers[node].name,
                    incident_kind_name(incident->kind), incident->subject_text,
                    incident->notified ? "notified" : "not notified");
        }
    }
}

// Of those whose lines are not shown: how often each kind was said, and by how many of them.
static void count_the_others(struct world *world)
{
    const struct journal *journal = world->journal;
    for (int kind = 0; kind < INCIDENTS; kind++) {
        for (int notice = 0; notice <= NOTICE_RESOLVED; notice++) {
            unsigned lines = 0, agents = 0;
            uint64_t counted = 0; // a bit for each agent
            for (size_t i = 0; i < journal->spoken_count; i++) {
                const struct spoken *spoken = &journal->spoken[i];
                if (spoken->node != world->shown && (int)spoken->incident.kind == kind &&
                    (int)spoken->notice == notice) {
                    lines++;
                    agents += (counted >> spoken->node & 1) == 0;
                    counted |= UINT64_C(1) << spoken->node;
                }
            }
            if (lines > 0) {
                fprintf(journal->out, "others: %s %s lines=%u agents=%u\n",
                        incident_kind_name((enum incident_kind)kind),
                        notice_name((enum notice)notice), lines, agents);
            }
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
    if (world->shown >= 0) {
        count_the_others(world);
    }
}
