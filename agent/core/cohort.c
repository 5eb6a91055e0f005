#include "core/server.h"
#include "core/trouble.h"

void cohort_arrived(struct core *core, int peer, enum direction direction,
                    const struct probe_record *record, struct moment now)
{
    if (record->latency.ns <= core->peers[peer].settings->path.latency.warning.ns) {
        return;
    }
    struct cohort *cohort = &path_of(core, peer, direction)->cohort;
    if (cohort->count == 0) {
        *cohort = (struct cohort){
            .first_sent = record->sent, .last_sent = record->sent, .arrived = record->arrived};
        core_set_timer(core, peer, TIMER_COHORT, instant_add(now.instant, COHORT_SPAN));
    }
    cohort->count++;
    cohort->first_sent = walltime_earlier(cohort->first_sent, record->sent);
    cohort->last_sent = walltime_later(cohort->last_sent, record->sent);
}

void cohort_follow(struct core *core, int peer)
{
    for (int i = 0; i < DIRECTIONS; i++) {
        enum direction direction = (enum direction)i;
        struct cohort *cohort = &path_of(core, peer, direction)->cohort;
        if (cohort->count > 1) {
            struct action *action = core_act(core, ACTION_SAY_COHORT);
            action->cohort.peer = peer;
            action->cohort.direction = direction;
            action->cohort.cohort = *cohort;
        }
        cohort->count = 0;
    }
}
