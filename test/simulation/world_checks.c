#include "simulation/world_checks.h"

#include <string.h>

#include "simulation/journal.h"

static const struct ledger *ledger_of(const struct world *world, const char *server)
{
    return &world->servers[world_find_server(world, server)].node.ledger;
}

// What arrived was sent, and what is said to have arrived has.
static void check_rows(struct world *world)
{
    for (int i = 0; i < world->server_count; i++) {
        const struct ledger *ledger = &world->servers[i].node.ledger;
        for (size_t k = 0; k < ledger->row_count; k++) {
            const struct probe_record *record = &ledger->rows[k].record;
            const struct row *theirs = ledger_find(ledger_of(world, record->peer), &record->id);
            bool told = record->direction == OUTBOUND && record->state == PROBE_ARRIVED;
            journal_check(world, record->direction == OUTBOUND || theirs != NULL, i,
                          "a probe arrived that nobody sent");
            bool bounced = record->direction == OUTBOUND && record->state == PROBE_BOUNCED;
            journal_check(world, !bounced || theirs == NULL, i, "it came back, and arrived");
            journal_check(world, !told || (theirs != NULL && theirs->record.direction == INBOUND),
                          i, "a receipt for a probe that did not arrive");
        }
    }
}

// Of one kind and subject there is one at a time.
static void check_incidents(struct world *world)
{
    for (int i = 0; i < world->server_count; i++) {
        const struct ledger *ledger = &world->servers[i].node.ledger;
        for (size_t k = 1; k < ledger->incident_count; k++) {
            const struct incident *later = &ledger->incidents[k];
            for (size_t j = 0; j < k; j++) {
                const struct incident *earlier = &ledger->incidents[j];
                bool same = earlier->kind == later->kind &&
                            strcmp(earlier->subject_text, later->subject_text) == 0;
                bool over = walltime_known(earlier->closed);
                journal_check(world, !same || over, i, "an incident opened twice");
            }
        }
    }
}

// The last retry of what waited for it, and the way of the receipt.
enum { LAST_RETRY = 4400, RECEIPT = 1000 };

static bool everything_comes(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct piece *piece = &plan->pieces[i];
        if (!piece->dropped && piece_is_trouble(piece) &&
            (piece->kind == PIECE_LOSE || piece->to > plan->length - LAST_RETRY - RECEIPT)) {
            return false;
        }
    }
    return true;
}

// Where nothing vanishes, what was sent long ago has arrived and its sender knows, unless a crash
// has kept it from going out.
static void check_nothing_lost(struct world *world, const struct plan *plan)
{
    for (int i = 0; i < world->server_count && everything_comes(plan); i++) {
        const struct node *agent = &world->servers[i].node;
        struct walltime before = {world_moment(world, i).wall.ns -
                                  SPAN_SECONDS(LAST_RETRY + RECEIPT).ns};
        for (size_t k = 0; k < agent->ledger.row_count && !agent->crashed; k++) {
            const struct row *row = &agent->ledger.rows[k];
            journal_check(world, !ledger_row_open(row) || row->record.planned.ns > before.ns, i,
                          "a probe of long ago is still in flight");
        }
    }
}

// ---- windows ----

// Troubles are over, and whoever was away has heard from everybody since.
static bool well_again(const struct plan *plan)
{
    int last = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct piece *piece = &plan->pieces[i];
        for (int k = 0; k < piece->change_count; k++) {
            last = piece->changes[k].at > last ? piece->changes[k].at : last;
        }
        int end = piece->kind == PIECE_WINDOW ? piece->announced : piece->to;
        last = end > last && !piece->dropped ? end : last;
    }
    return last + LAST_RETRY < plan->length;
}

static bool same_window(const struct window *a, const struct window *b)
{
    return a->revision == b->revision && a->cancelled == b->cancelled &&
           a->begin.ns == b->begin.ns && a->end.ns == b->end.ns && strcmp(a->by, b->by) == 0;
}

static void check_window(struct world *world, int node, const struct window *window)
{
    for (int i = 0; i < world->server_count; i++) {
        const struct node *other = &world->servers[i].node;
        const struct window *theirs =
            other->core == NULL ? window : windows_find(core_windows(other->core), window->id);
        journal_check(world, theirs != NULL, i, "does not know a window that another knows");
        journal_check(world, theirs == NULL || same_window(window, theirs), i,
                      "has another window of this name than another");
    }
    const struct core *core = world->servers[node].node.core;
    const char *announcer = strrchr(window->by, '@');
    bool ours = announcer != NULL && strcmp(announcer + 1, world->servers[node].name) == 0;
    struct acknowledgement_count count = core_acknowledgement_count(core, window);
    journal_check(world, !ours || count.known == count.of, node, "not acknowledged by all");
}

static void check_windows(struct world *world, const struct plan *plan)
{
    for (int i = 0; i < world->server_count && well_again(plan); i++) {
        const struct core *core = world->servers[i].node.core;
        for (size_t k = 0; core != NULL && k < core_windows(core)->count; k++) {
            check_window(world, i, &core_windows(core)->items[k]);
        }
    }
}

void world_check(struct world *world, const struct plan *plan)
{
    check_rows(world);
    check_incidents(world);
    check_nothing_lost(world, plan);
    check_windows(world, plan);
}
