#include "probes/collect/expectation.h"

#include <string.h>

static struct expectation *find(struct expectations *expectations, const struct tag *tag)
{
    for (size_t i = 0; i < expectations->count; i++) {
        struct expectation *item = &expectations->items[i];
        if (strcmp(item->from, tag->from) == 0 && strcmp(item->to, tag->to) == 0) {
            return item;
        }
    }
    return NULL;
}

static void drop(struct expectations *expectations, struct expectation *which)
{
    *which = expectations->items[--expectations->count];
}

void expectations_note_arrival(struct expectations *expectations, const struct tag *tag,
                               struct moment arrived)
{
    struct expectation *raised = find(expectations, tag);
    if (raised != NULL) {
        if (tag->sent.ns < raised->sent.ns) {
            return;
        }
        drop(expectations, raised);
    }
    if (tag->next.ns <= 0 || expectations->count == EXPECTATIONS_MAXIMUM) {
        return;
    }
    struct span latency = span_longer(walltime_since(arrived.wall, tag->sent), SPAN_ZERO);
    struct span lead = span_add(span_shorter(latency, SPAN_SECONDS(1)), EXPECTATION_EARLY);
    raised = &expectations->items[expectations->count++];
    memcpy(raised->from, tag->from, sizeof raised->from);
    memcpy(raised->to, tag->to, sizeof raised->to);
    raised->sent = tag->sent;
    raised->due = instant_add(instant_add(arrived.instant, tag->next), (struct span){-lead.ns});
}

static void drop_expired(struct expectations *expectations, struct instant now)
{
    for (size_t i = 0; i < expectations->count;) {
        struct expectation *item = &expectations->items[i];
        if (instant_reached(now, instant_add(item->due, EXPECTATION_LIFE))) {
            drop(expectations, item);
        } else {
            i++;
        }
    }
}

struct instant expectations_next_look(struct expectations *expectations, struct instant looked,
                                      struct instant now)
{
    struct instant youngest = {INT64_MIN}, first = INSTANT_NEVER;
    drop_expired(expectations, now);
    for (size_t i = 0; i < expectations->count; i++) {
        struct instant due = expectations->items[i].due;
        if (instant_reached(now, due)) {
            youngest = instant_later(youngest, due);
        } else {
            first = instant_earlier(first, due);
        }
    }
    if (youngest.ns == INT64_MIN) {
        return first;
    }
    struct span age = {instant_since(now, youngest).ns / EXPECTATION_FRACTION};
    return instant_earlier(instant_add(looked, span_longer(age, EXPECTATION_SPACING)), first);
}
