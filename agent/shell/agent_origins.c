#include "base/clock.h"
#include "base/text.h"
#include "core/agenda.h"
#include "shell/agent_internal.h"

enum { CHANGES_AT_ONCE = 16 };

// Who speaks for the origin: "calendar@mx02".
static void compose_by(const struct agent *agent, enum window_origin origin,
                       char by[WINDOW_BY_SIZE])
{
    struct text text = text_over(by, WINDOW_BY_SIZE);
    text_format(&text, "%s@%s", window_origin_name(origin), agent->settings->server);
}

// Feeding a change changes what is known, so that the next call finds what is left.
static void reconcile(struct agent *agent, enum window_origin origin, const struct wanted *wanted)
{
    char by[WINDOW_BY_SIZE];
    struct window changes[CHANGES_AT_ONCE];
    size_t count = 0;
    size_t rounds = 0;
    compose_by(agent, origin, by);
    do {
        count = agenda_reconcile(core_windows(agent->core), origin, by, wanted->items,
                                 wanted->count, clock_now().wall, changes, CHANGES_AT_ONCE);
        for (size_t i = 0; i < count; i++) {
            struct event event = {.kind = EVENT_WINDOW, .window = changes[i]};
            agent_feed(agent, &event);
            agent->durable = true;
        }
        // What the core does not take in (its table is full) would come again for ever.
    } while (count == CHANGES_AT_ONCE && ++rounds < WINDOWS_MAXIMUM / CHANGES_AT_ONCE);
}

static void on_calendars_changed(void *context)
{
    static const enum window_origin ORIGINS[] = {ORIGIN_CONFIG, ORIGIN_CALENDAR};
    struct agent *agent = context;
    for (size_t i = 0; i < 2; i++) {
        struct wanted wanted = {0};
        calendars_want(agent->calendars, ORIGINS[i], core_windows(agent->core), &wanted);
        reconcile(agent, ORIGINS[i], &wanted);
        wanted_free(&wanted);
    }
}

static void on_flags_changed(void *context)
{
    struct agent *agent = context;
    struct wanted wanted = {0};
    flags_want(agent->flags, core_windows(agent->core), &wanted);
    reconcile(agent, ORIGIN_FLAG, &wanted);
    wanted_free(&wanted);
}

void agent_start_origins(struct agent *agent, const char *probers)
{
    static const struct calendars_handlers CALENDARS = {on_calendars_changed};
    static const struct flags_handlers FLAGS = {on_flags_changed};
    agent->calendars =
        calendars_create(agent->loop, probers, agent->settings, agent->journal, &CALENDARS, agent);
    agent->flags = flags_create(agent->loop, agent->settings, agent->journal, &FLAGS, agent);
}

void agent_configure_origins(struct agent *agent)
{
    calendars_configure(agent->calendars, agent->settings);
    flags_configure(agent->flags, agent->settings);
}

void agent_look_at_origins(struct agent *agent)
{
    calendars_look(agent->calendars, clock_now());
    flags_look(agent->flags);
}

void agent_stop_origins(struct agent *agent)
{
    calendars_destroy(agent->calendars);
    flags_destroy(agent->flags);
}
