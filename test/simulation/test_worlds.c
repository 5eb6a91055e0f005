// Random small worlds, each from its seed: what must hold in every one of them.
//
// In a calm world (delays below the threshold, doubled and replayed messages, a deferred one now
// and then, restarts and crashes of agents) nothing is notified. In a world whose troubles all lie
// inside windows nothing is notified either. In a wild one nothing is notified without a trouble
// that touches its subject, nor inside a window. The journal's own checks hold in all of them:
// nothing said twice, verdicts given once and counted once, core and ledger agree.
//
// test_worlds [FIRST_SEED [COUNT]]; a failure prints the seed, the scenario and its journal.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "simulation/journal.h"
#include "simulation/script.h"
#include "simulation/world.h"

enum mood { CALM, IN_WINDOWS, WILD, MOODS };

enum { LENGTH = 9000, TROUBLES_MAXIMUM = 24 };

// How long after a trouble it may still be heard of: the last retry, silence, settle, hold.
enum { AFTERMATH = 4300 + 900 + 300 + 600 };

struct trouble {
    int from, to; // seconds
    int server;
    int other; // of a path; -1 for the whole server
};

struct plan {
    uint64_t seed;
    enum mood mood;
    int servers;
    int patience; // seconds: what is still slow after this is slow indeed
    struct trouble troubles[TROUBLES_MAXIMUM];
    size_t count;
    struct random_stream random;
    char scenario[8192];
    struct text text;
};

static int pick(struct plan *plan, int least, int most)
{
    return least + (int)(random_stream_next(&plan->random) % (uint64_t)(most - least + 1));
}

static void line(struct plan *plan, const char *format, ...)
{
    char formatted[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(formatted, sizeof formatted, format, arguments);
    va_end(arguments);
    text_format(&plan->text, "%s\n", formatted);
}

// ---- calm ----

static void plan_noise(struct plan *plan)
{
    for (int at = 600; at < LENGTH - 600; at += pick(plan, 200, 900)) {
        int a = pick(plan, 1, plan->servers), b = a % plan->servers + 1;
        switch (pick(plan, 0, 5)) {
        case 0:
            line(plan, "at %ds duplicate mx%d->mx%d %d", at, a, b, pick(plan, 1, 3));
            break;
        case 1:
            line(plan, "at %ds replay mx%d->mx%d", at, a, b);
            break;
        case 2:
            line(plan, "at %ds restart mx%d", at, a);
            break;
        case 3:
            line(plan, "at %ds kill mx%d", at, a);
            break;
        case 4:
            line(plan, "at %ds probe mx%d->mx%d", at, a, b);
            break;
        default:
            line(plan, "at %ds uncertain mx%d->mx%d 1 arrives", at, a, b);
        }
    }
    for (int at = 900; at < LENGTH - 600; at += 2500) {
        line(plan, "at %ds defer mx1->mx2 1", at);
    }
}

// ---- troubles ----

static void plan_trouble(struct plan *plan, int from, int to)
{
    int server = pick(plan, 1, plan->servers), other = server % plan->servers + 1;
    int kind = pick(plan, 0, to + 200 < plan->patience ? 7 : 6);
    plan->troubles[plan->count++] = (struct trouble){from, to, server, kind >= 5 ? other : -1};
    static const char *const PARTS[] = {"smtp", "imap", "agent"};
    if (kind <= 1) {
        line(plan, "at %ds stop mx%d", from, server);
        line(plan, "at %ds start mx%d", to, server);
    } else if (kind <= 3) {
        const char *part = PARTS[pick(plan, 0, 2)];
        line(plan, "at %ds down mx%d %s", from, server, part);
        line(plan, "at %ds up mx%d %s", to, server, part);
    } else if (kind == 4) {
        line(plan, "at %ds freeze mx%d %ds", from, server, to - from);
    } else if (kind == 5) {
        line(plan, "at %ds cut mx%d->mx%d", from, server, other);
        line(plan, "at %ds mend mx%d->mx%d", to, server, other);
    } else if (kind == 6) {
        line(plan, "at %ds cut mx%d<->mx%d", from, server, other);
        line(plan, "at %ds mend mx%d<->mx%d", to, server, other);
    } else {
        line(plan, "at %ds delay mx%d->mx%d %ds", from, server, other, pick(plan, 61, 200));
        line(plan, "at %ds delay mx%d->mx%d 1s", to, server, other);
    }
}

static void plan_wild(struct plan *plan)
{
    for (int at = pick(plan, 300, 1500); at < LENGTH - 1500 && plan->count < TROUBLES_MAXIMUM;) {
        int to = at + pick(plan, 20, 1800);
        plan_trouble(plan, at, to);
        at = to + pick(plan, 30, 1500);
    }
    if (pick(plan, 0, 1) == 0) {
        line(plan, "at %ds maintenance w-1 mx%d for %ds", pick(plan, 200, 4000),
             pick(plan, 1, plan->servers), pick(plan, 300, 3000));
    }
    plan_noise(plan);
}

// A window of the troubled server and troubles one after the other inside of it. A path's trouble
// belongs to either end.
static void plan_windows(struct plan *plan)
{
    int begin = pick(plan, 600, 1800), length = pick(plan, 600, 3000);
    int at = begin + 30;
    plan->patience = begin + length;
    while (at < begin + length - 60 && plan->count < TROUBLES_MAXIMUM) {
        int to = at + pick(plan, 30, 900);
        to = to < begin + length + 200 ? to : begin + length + 200; // settle is for this
        plan_trouble(plan, at, to);
        at = to + pick(plan, 30, 400);
    }
    for (int i = 1; i <= plan->servers; i++) {
        line(plan, "at %ds maintenance w-%d mx%d for %ds", begin, i, i, length);
    }
}

static void plan_world(struct plan *plan, uint64_t seed)
{
    static const char *const INTERVALS[] = {"20s", "60s", "60s", "2m", "5m"};
    *plan = (struct plan){.seed = seed, .random = random_stream_from(seed)};
    plan->text = TEXT_OVER(plan->scenario);
    plan->patience = LENGTH;
    plan->mood = (enum mood)(seed % MOODS);
    plan->servers = pick(plan, 0, 4) == 0 ? 3 : 2;
    line(plan, "servers mx1 mx2 %s", plan->servers == 3 ? "mx3" : "");
    line(plan, "seed %" PRIu64, seed);
    line(plan, "set interval %s", INTERVALS[pick(plan, 0, 4)]);
    line(plan, "delay *->* 100ms to %ds", pick(plan, 1, 40));
    line(plan, "set width %ds", pick(plan, 1, 5));
    line(plan, "set saved %d", pick(plan, 0, 1));
    line(plan, "run %ds", LENGTH);
    if (plan->mood == CALM) {
        plan_noise(plan);
    } else if (plan->mood == IN_WINDOWS) {
        plan_windows(plan);
    } else {
        plan_wild(plan);
    }
}

// ---- what must hold ----

static bool touches(const struct trouble *trouble, const struct spoken *spoken)
{
    char server[16], other[16];
    snprintf(server, sizeof server, "mx%d", trouble->server);
    snprintf(other, sizeof other, "mx%d", trouble->other);
    const char *subject = spoken->incident.subject_text;
    return spoken->incident.kind == INCIDENT_BLIND || strstr(subject, server) != NULL ||
           (trouble->other > 0 && strstr(subject, other) != NULL);
}

static bool has_cause(const struct plan *plan, const struct spoken *spoken)
{
    int64_t at = spoken->at.ns / SPAN_SECONDS(1).ns;
    for (size_t i = 0; i < plan->count; i++) {
        const struct trouble *trouble = &plan->troubles[i];
        if (trouble->from <= at && at <= trouble->to + AFTERMATH && touches(trouble, spoken)) {
            return true;
        }
    }
    return false;
}

// A window that the agent knows and that touches the subject.
static bool inside_window(const struct world *world, const struct spoken *spoken)
{
    const struct ledger *ledger = &world->servers[spoken->node].node.ledger;
    struct walltime at = {WORLD_EPOCH.ns + spoken->at.ns};
    for (size_t i = 0; i < ledger->window_count; i++) {
        const struct window *window = &ledger->windows[i];
        bool own = spoken->incident.kind == INCIDENT_BLIND &&
                   strcmp(window->server, world->servers[spoken->node].name) == 0;
        bool ours = own || strstr(spoken->incident.subject_text, window->server) != NULL;
        if (ours && window_suppresses(window, at, world->parameters.maintenance.settle)) {
            return true;
        }
    }
    return false;
}

static void check_notices(struct world *world, const struct plan *plan)
{
    const struct journal *journal = world->journal;
    for (size_t i = 0; i < journal->spoken_count; i++) {
        const struct spoken *spoken = &journal->spoken[i];
        if (spoken->notice == NOTICE_FIRING || spoken->notice == NOTICE_REMINDER) {
            journal_check(world, plan->mood == WILD, spoken->node, "notified in a peaceful world");
            journal_check(world, has_cause(plan, spoken), spoken->node, "notified without a cause");
            journal_check(world, !inside_window(world, spoken), spoken->node,
                          "notified inside a window");
        }
    }
}

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
            journal_check(world, !told || (theirs != NULL && theirs->record.direction == INBOUND),
                          i, "a receipt for a probe that did not arrive");
        }
    }
}

// Where nothing vanishes, what was sent long ago has arrived and its sender knows, unless a crash
// has kept it from going out.
static void check_nothing_lost(struct world *world, const struct plan *plan)
{
    struct span enough = SPAN_SECONDS(plan->mood == CALM ? 1500 : 5400);
    bool few = world->parameters.path.interval.ns >= SPAN_MINUTES(1).ns;
    for (int i = 0; i < world->server_count && plan->mood != WILD && few; i++) {
        const struct node *agent = &world->servers[i].node;
        struct walltime before = {world_moment(world, i).wall.ns - enough.ns};
        for (size_t k = 0; k < agent->ledger.row_count && !agent->crashed; k++) {
            const struct row *row = &agent->ledger.rows[k];
            journal_check(world, !ledger_row_open(row) || row->record.planned.ns > before.ns, i,
                          "a probe of long ago is still in flight");
        }
    }
}

static bool run_world(const struct plan *plan)
{
    char *text = NULL;
    size_t size = 0;
    struct journal journal = {.out = memory_checked(open_memstream(&text, &size))};
    struct world *world = world_create(&journal);
    struct error error = {0};
    bool good = script_read(world, plan->scenario, &error);
    if (good) {
        world_run(world);
        journal_summary(world);
        check_notices(world, plan);
        check_rows(world);
        check_nothing_lost(world, plan);
        good = journal.failures == 0;
    }
    fclose(journal.out);
    if (!good) {
        fprintf(stderr, "seed %" PRIu64 " fails: %s\n%s---\n%s", plan->seed, error.message,
                plan->scenario, text);
    }
    world_destroy(world);
    journal_free(&journal);
    free(text);
    return good;
}

int main(int count, char **arguments)
{
    uint64_t first = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    uint64_t worlds = count > 2 ? strtoull(arguments[2], NULL, 10) : count > 1 ? 1 : 2000;
    for (uint64_t seed = first; seed < first + worlds; seed++) {
        struct plan plan;
        plan_world(&plan, seed);
        if (plan.text.truncated || !run_world(&plan)) {
            return 1;
        }
    }
    printf("%" PRIu64 " worlds\n", worlds);
    return 0;
}
