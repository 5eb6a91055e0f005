// How far what we announce has come with the peers, in words for the operator who waits for them.
#include <string.h>

#include "core/state.h"

bool core_acknowledges(const struct core *core, const struct window *window, int peer)
{
    const struct peer *state = &core->peers[peer];
    return window->origin != ORIGIN_PEER && state->collect < 0 &&
           strcmp(state->settings->name, window->server) != 0;
}

bool core_acknowledged(const struct core *core, const struct window *window, int peer)
{
    return acknowledgements_cover(&core->peers[peer].told.theirs, window);
}

static double seconds_ago(const struct core *core, struct walltime at)
{
    return span_seconds(walltime_since(core->last.wall, at));
}

static void say_http(const struct core *core, const struct peer *peer, struct text *out)
{
    const struct exchanging *exchange = &peer->exchange;
    if (peer->settings->agent[0] == '\0') {
        return;
    }
    if (exchange->failures > 0) {
        text_format(out, "HTTP: %s; ", text_kept(exchange->cause));
    } else if (exchange->under_way && courier_done_since(core, exchange->asked)) {
        text_format(out, "HTTP: asked %.0f s ago; ", seconds_ago(core, exchange->asked));
    } else if (courier_done_since(core, exchange->exchanged)) {
        text_format(out, "HTTP: told %.0f s ago; ", seconds_ago(core, exchange->exchanged));
    }
}

static void say_mail(const struct core *core, const struct told *told, struct text *out)
{
    if (told->mail_cause != NULL) {
        text_format(out, "mail: our relay refuses: %s", told->mail_cause);
    } else if (courier_done_since(core, told->mailed)) {
        text_format(out, "mail: handed over %.0f s ago, not answered yet",
                    seconds_ago(core, told->mailed_first));
    } else {
        text_append(out, "mail: not handed over yet");
    }
}

static void append_age(const struct core *core, struct walltime at, struct text *out)
{
    double seconds = seconds_ago(core, at);
    if (seconds < 120) {
        text_format(out, "%.0f s", seconds);
    } else if (seconds < 7200) {
        text_format(out, "%.0f m", seconds / 60);
    } else {
        text_format(out, "%.0f h", seconds / 3600);
    }
}

// What may explain it: whether the peer is there at all, and whether work on it goes on, too.
static void say_standing(const struct core *core, const struct peer *peer, struct text *out)
{
    if (walltime_known(peer->heard)) {
        text_append(out, "; last heard ");
        append_age(core, peer->heard, out);
        text_append(out, " ago");
    } else {
        text_append(out, "; never heard");
    }
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *window = &core->windows.items[i];
        if (strcmp(window->server, peer->settings->name) == 0 &&
            window_state_at(window, core->last.wall, core->settings->maintenance.recovery) ==
                WINDOW_ACTIVE) {
            text_append(out, "; in maintenance itself until ");
            walltime_append_seconds(window_until(window), out);
            return;
        }
    }
}

enum acknowledgement_state core_acknowledgement(const struct core *core,
                                                const struct window *window, int peer, char *why,
                                                size_t size)
{
    const struct peer *state = &core->peers[peer];
    const struct acknowledgement *entry = acknowledgements_find(&state->told.theirs, window->id);
    struct text text = text_over(why, size);
    if (acknowledgements_cover(&state->told.theirs, window)) {
        return ACKNOWLEDGED;
    }
    if (acknowledgements_refused(&state->told.theirs, window)) {
        text_format(&text, "refuses the window: %s", entry->why);
        return ACKNOWLEDGEMENT_REFUSED;
    }
    say_http(core, state, &text);
    say_mail(core, &state->told, &text);
    say_standing(core, state, &text);
    return ACKNOWLEDGEMENT_AWAITED;
}

struct acknowledgement_count core_acknowledgement_count(const struct core *core,
                                                        const struct window *window)
{
    struct acknowledgement_count count = {0};
    size_t peers = window->origin == ORIGIN_PEER ? 0 : core->settings->peer_count;
    int its_own = settings_find_peer(core->settings, window->server);
    for (size_t i = 0; i < peers; i++) {
        if (core->peers[i].collect < 0 && (int)i != its_own) {
            count.of++;
            count.known += core_acknowledged(core, window, (int)i);
        }
    }
    return count;
}
