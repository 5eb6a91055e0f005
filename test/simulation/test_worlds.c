// Random small worlds, each from its seed: what must hold in every one of them.
//
// The oracle knows from the plan what really went wrong: nothing is notified without a cause, nor
// inside a window, no cause stays unreported, what fired is over in the end. The journal's own
// checks hold as well: nothing said twice, verdicts given once and counted once, core and ledger
// agree.
//
// test_worlds [FIRST_SEED [COUNT]]. A world that fails is made as small as it still fails and
// printed as a scenario, with its journal and the command that runs it again.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "simulation/journal.h"
#include "simulation/oracle.h"
#include "simulation/plan.h"
#include "simulation/script.h"
#include "simulation/world.h"
#include "simulation/world_checks.h"

// Runs the plan; the caller frees the journal's text. False when a check has failed.
static bool run_plan(const struct plan *plan, char **text)
{
    char scenario[SCENARIO_SIZE];
    struct text out = TEXT_OVER(scenario);
    plan_write(plan, &out);
    size_t size = 0;
    struct journal journal = {.out = memory_checked(open_memstream(text, &size))};
    struct world *world = world_create(&journal);
    struct error error = {0};
    bool good = !out.truncated && script_read(world, scenario, &error);
    if (good) {
        world_run(world);
        journal_summary(world);
        oracle_check(world, plan);
        world_check(world, plan);
        good = journal.failures == 0;
    } else {
        fprintf(journal.out, "CHECK FAILED: %s\n", error.message);
    }
    world_destroy(world);
    fclose(journal.out);
    journal_free(&journal);
    return good;
}

// Which check failed first.
static void first_failure(const char *text, char out[160])
{
    const char *at = strstr(text, "CHECK FAILED");
    text_copy(out, 160, at == NULL ? "" : at);
    out[strcspn(out, "\n")] = '\0';
}

static bool fails_alike(const struct plan *plan, const char *failure)
{
    char *text = NULL, now[160];
    bool good = run_plan(plan, &text);
    first_failure(text, now);
    free(text);
    return !good && strcmp(now, failure) == 0;
}

// Drops every piece without which the same check still fails. A world whose troubles all lie inside
// windows keeps these, or it would be another world.
static void shrink(struct plan *plan, const char *failure)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct piece *piece = &plan->pieces[i];
        if (plan->mood == MOOD_COVERED && piece->kind == PIECE_WINDOW) {
            continue;
        }
        piece->dropped = true;
        piece->dropped = fails_alike(plan, failure);
        while (!piece->dropped && piece->change_count > 0) {
            piece->change_count--;
            if (!fails_alike(plan, failure)) {
                piece->change_count++;
                break;
            }
        }
    }
}

static void show_failure(struct plan *plan, const char *program, const char *failure)
{
    char scenario[SCENARIO_SIZE];
    struct text out = TEXT_OVER(scenario);
    char *text = NULL;
    shrink(plan, failure);
    plan_write(plan, &out);
    run_plan(plan, &text);
    fprintf(stderr, "# %s %" PRIu64 "\n%s# ---- its journal\n%s", program, plan->seed, scenario,
            text);
    free(text);
}

int main(int count, char **arguments)
{
    uint64_t first = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    uint64_t worlds = count > 2 ? strtoull(arguments[2], NULL, 10) : count > 1 ? 1 : 500;
    for (uint64_t seed = first; seed < first + worlds; seed++) {
        struct plan plan = plan_make(seed);
        char *text = NULL, failure[160];
        bool good = run_plan(&plan, &text);
        first_failure(text, failure);
        free(text);
        if (!good) {
            show_failure(&plan, arguments[0], failure);
            return 1;
        }
    }
    printf("%" PRIu64 " worlds\n", worlds);
    return 0;
}
