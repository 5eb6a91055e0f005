#include "base/clock.h"
#include "base/text.h"
#include "core/agenda.h"
#include "shell/agent_internal.h"

enum { CHANGES_AT_ONCE = 16 };

// Who speaks for the origin, where it does not say who wants it so: "calendar@mx02".
static void sign(const struct agent *agent, enum window_origin origin, struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        char *by = wanted->items[i].by;
        if (by[0] == '\0') {
            struct text text = text_over(by, WINDOW_BY_SIZE);
            text_format(&text, "%s@%s", window_origin_name(origin), agent->settings->server);
        }
    }
}

// Feeding a change changes what is known, so that the next call finds what is left.
static void reconcile(struct agent *agent, enum window_origin origin, struct wanted *wanted)
{
    struct window changes[CHANGES_AT_ONCE];
    size_t count = 0;
    size_t rounds = 0;
    sign(agent, origin, wanted);
    do {
        count = agenda_reconcile(core_windows(agent->core), origin, agent->settings->server,
                                 wanted->items, wanted->count, clock_now().wall, changes,
                                 CHANGES_AT_ONCE);
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

// The agent that announced a silence may be in the very maintenance that is about to change.
static void take_over_silences(struct agent *agent)
{
    struct wanted changed = {0};
    alertmanager_changes(agent->alertmanager, &changed);
    for (size_t i = 0; i < changed.count; i++) {
        struct event event = {.kind = EVENT_WINDOW};
        if (agenda_take_over(core_windows(agent->core), ORIGIN_ALERTMANAGER, &changed.items[i],
                             clock_now().wall, &event.window)) {
            agent_feed(agent, &event);
            agent->durable = true;
        }
    }
    wanted_free(&changed);
}

static void on_silences_changed(void *context)
{
    struct agent *agent = context;
    struct wanted wanted = {0};
    take_over_silences(agent);
    alertmanager_want(agent->alertmanager, core_windows(agent->core), &wanted);
    reconcile(agent, ORIGIN_ALERTMANAGER, &wanted);
    wanted_free(&wanted);
}

static void on_certificate(void *context, const struct certificate *certificate, const char *cause)
{
    agent_feed_certificate(context,
                           &(struct certificate_endpoint){CERTIFICATE_ALERTMANAGER, OWN_SERVER},
                           certificate, cause);
}

void agent_start_origins(struct agent *agent, const char *probers)
{
    static const struct calendars_handlers CALENDARS = {on_calendars_changed};
    static const struct flags_handlers FLAGS = {on_flags_changed};
    static const struct alertmanager_handlers ALERTMANAGER = {on_silences_changed, on_certificate};
    agent->calendars =
        calendars_create(agent->loop, probers, agent->settings, agent->journal, &CALENDARS, agent);
    agent->flags = flags_create(agent->loop, agent->settings, agent->journal, &FLAGS, agent);
    agent->alertmanager = alertmanager_create(agent->loop, probers, agent->settings, agent->journal,
                                              &ALERTMANAGER, agent);
}

void agent_configure_origins(struct agent *agent)
{
    calendars_configure(agent->calendars, agent->settings);
    flags_configure(agent->flags, agent->settings);
    alertmanager_configure(agent->alertmanager, agent->settings);
}

void agent_look_at_origins(struct agent *agent)
{
    calendars_look(agent->calendars, clock_now());
    flags_look(agent->flags);
    alertmanager_look(agent->alertmanager, clock_now());
}

void agent_stop_origins(struct agent *agent)
{
    calendars_destroy(agent->calendars);
    flags_destroy(agent->flags);
    alertmanager_destroy(agent->alertmanager);
}
