#include "core/verdict.h"

#include <stdbool.h>

static const char *const VERDICT_NAMES[VERDICTS] = {
    "open", "on_time", "late", "excused", "drained", "lost", "bounced",
};

const char *verdict_name(enum verdict verdict)
{
    return VERDICT_NAMES[verdict];
}

static bool touches(const struct verdict_case *life, struct walltime begin, struct walltime end)
{
    return life->sent.ns < end.ns && life->arrived.ns >= begin.ns;
}

static bool within_threshold(const struct verdict_case *life, struct span latency)
{
    return span_subtract(latency, life->error).ns <= life->warning.ns;
}

// The part of the life inside the union of [begin, end + recovery] of the windows that it touches.
// Walks the union from the life's beginning, always to the covering window that reaches furthest.
static struct span excused_part(const struct verdict_case *life)
{
    struct span excused = SPAN_ZERO;
    struct walltime at = life->sent;
    while (at.ns < life->arrived.ns) {
        struct walltime covered = at;
        struct walltime next_begin = life->arrived;
        for (size_t i = 0; i < life->window_count; i++) {
            const struct verdict_window *window = &life->windows[i];
            struct walltime until = walltime_add(window->end, life->recovery);
            if (!touches(life, window->begin, window->resumed) || until.ns <= at.ns) {
                continue;
            }
            if (window->begin.ns <= at.ns) {
                covered = walltime_later(covered, until);
            } else {
                next_begin = walltime_earlier(next_begin, window->begin);
            }
        }
        covered = walltime_earlier(covered, life->arrived);
        excused = span_add(excused, walltime_since(covered, at));
        at = covered.ns > at.ns ? covered : next_begin;
    }
    return excused;
}

// The trouble that already explains the delay, or NULL: part of the life lay in it, and the probe
// came within one recovery after it closed. Of several the first cause.
static const struct verdict_trouble *explaining_trouble(const struct verdict_case *life)
{
    const struct verdict_trouble *best = NULL;
    for (size_t i = 0; i < life->trouble_count; i++) {
        const struct verdict_trouble *trouble = &life->troubles[i];
        bool open = !walltime_known(trouble->closed);
        struct walltime closed = open ? life->arrived : trouble->closed;
        if (life->sent.ns <= closed.ns && life->arrived.ns >= trouble->began.ns &&
            life->arrived.ns <= walltime_add(closed, life->recovery).ns) {
            best = best == NULL || trouble->rank < best->rank ? trouble : best;
        }
    }
    return best;
}

struct judgement verdict_judge(const struct verdict_case *life)
{
    struct judgement judgement = {.verdict = VERDICT_ON_TIME, .residual = life->latency};
    if (within_threshold(life, life->latency)) {
        return judgement;
    }
    judgement.excused = excused_part(life);
    judgement.residual.ns -= judgement.excused.ns;
    if (judgement.excused.ns > 0 && within_threshold(life, judgement.residual)) {
        judgement.verdict = VERDICT_EXCUSED;
        return judgement;
    }
    const struct verdict_trouble *trouble = explaining_trouble(life);
    if (trouble != NULL) {
        judgement.verdict = VERDICT_DRAINED;
        judgement.incident = trouble->incident;
        return judgement;
    }
    judgement.verdict = VERDICT_LATE;
    return judgement;
}
