// Windows on their way between agents: what a peer is told, what it is known to know, and what is
// taken from what it announces.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/announcement.h"
#include "core/state.h"

// One message may change so much; what it says beyond that comes again with the next one.
enum { TAKEN_MAXIMUM = 40 };

// An upcoming window is told so long before; an operator's at once, because he waits for it, as he
// does for the word of those who know it.
#define TOLD_AHEAD SPAN_HOURS(7 * 24)

// The end of a window is told for so long to those who do not know of it, and acknowledged.
#define TOLD_AFTER SPAN_HOURS(24)

// ---- what the peer is told ----

struct candidate {
    const struct window *window;
    int rank; // the lower the more important
};

static bool is_over(const struct core *core, const struct window *window, struct walltime now)
{
    return window_state_at(window, now, core->settings->maintenance.recovery) == WINDOW_OVER;
}

static bool matters(const struct core *core, const struct window *window, bool known,
                    struct walltime now)
{
    bool can_wait = window->origin != ORIGIN_OPERATOR && !known;
    if (can_wait && walltime_since(window->begin, now).ns > TOLD_AHEAD.ns) {
        return false;
    }
    return !is_over(core, window, now) || walltime_since(now, window->end).ns < TOLD_AFTER.ns;
}

// Somebody may be waiting for what he has ordered: no calendar's backlog goes before it.
static int rank_of(const struct peer *peer, const struct window *window, bool known,
                   struct walltime now, struct span recovery)
{
    static const int BY_STATE[] = {
        [WINDOW_ACTIVE] = 0, [WINDOW_ANNOUNCED] = 1, [WINDOW_RECOVERING] = 2, [WINDOW_OVER] = 3};
    int rank = BY_STATE[window_state_at(window, now, recovery)];
    return rank + (window->origin == ORIGIN_OPERATOR ? 0 : 4) +
           (acknowledgements_refused(&peer->told.theirs, window) ? 8 : 0) + (known ? 16 : 0);
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;
    if (one->rank != other->rank) {
        return one->rank - other->rank;
    }
    int64_t begins = one->window->begin.ns, other_begins = other->window->begin.ns;
    return begins != other_begins ? (begins > other_begins) - (begins < other_begins)
                                  : strcmp(one->window->id, other->window->id);
}

// Those that the peer does not know come first; returns how many they are in `unknown`.
static size_t gather_candidates(const struct core *core, const struct peer *peer,
                                struct walltime now, struct candidate of[WINDOWS_MAXIMUM],
                                size_t *unknown)
{
    size_t count = 0;
    *unknown = 0;
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *window = &core->windows.items[i];
        bool known = acknowledgements_cover(&peer->told.theirs, window);
        if (matters(core, window, known, now)) {
            int rank = rank_of(peer, window, known, now, core->settings->maintenance.recovery);
            of[count++] = (struct candidate){window, rank};
            *unknown += !known;
        }
    }
    if (count > 1) {
        qsort(of, count, sizeof *of, compare_candidates);
    }
    return count;
}

static void add_refusals(const struct peer *peer, struct text *out)
{
    for (size_t i = 0; i < REFUSED_KEPT && i < peer->told.refused_count; i++) {
        const struct acknowledgement *ours = &peer->told.refused[i];
        announcement_add_refused(out, ours->window, ours->refused, ours->why);
    }
}

static size_t place_among_heard(const struct told *told, const char *window)
{
    size_t place = 0;
    while (place < told->heard_count && strcmp(told->heard[place], window) != 0) {
        place++;
    }
    return place;
}

// What the peer told last it waits for: ahead of everything else, whatever there is to say.
static void add_heard(const struct core *core, const struct peer *peer, struct text *out)
{
    for (size_t i = 0; i < peer->told.heard_count; i++) {
        const struct window *window = windows_find(&core->windows, peer->told.heard[i]);
        if (window != NULL && acknowledgements_cover(&peer->told.theirs, window)) {
            announcement_add_known(out, window->id, window->revision);
        }
    }
}

// Not always from the first one on: where there are too many, each has its turn.
static void add_known(const struct told *told, const struct candidate *of, size_t count,
                      struct walltime now, struct text *out)
{
    size_t first = count == 0 ? 0 : (size_t)(now.ns / SPAN_SECONDS(1).ns) % count;
    for (size_t i = 0; i < count; i++) {
        const struct window *window = of[(first + i) % count].window;
        if (place_among_heard(told, window->id) == told->heard_count) {
            announcement_add_known(out, window->id, window->revision);
        }
    }
}

void courier_compose(const struct core *core, int peer, struct moment now, struct text *out)
{
    enum { MARK_SIZE = 44, MARKS_RESERVED = 300 };
    struct candidate of[WINDOWS_MAXIMUM];
    const struct peer *state = &core->peers[peer];
    size_t unknown, count = gather_candidates(core, state, now.wall, of, &unknown);
    add_heard(core, state, out);
    size_t size = out->size;
    size_t marks = (count - unknown) * MARK_SIZE;
    out->size -= marks < MARKS_RESERVED ? marks : MARKS_RESERVED;
    for (size_t i = 0; i < unknown; i++) {
        announcement_add_window(out, of[i].window);
    }
    out->size = size;
    add_refusals(state, out);
    add_known(&state->told, of + unknown, count - unknown, now.wall, out);
    for (size_t i = unknown; i < count && !is_over(core, of[i].window, now.wall); i++) {
        announcement_add_window(out, of[i].window); // once more: its ledger may have been lost
    }
}

bool courier_owes(const struct core *core, int peer, struct moment now)
{
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *window = &core->windows.items[i];
        if (core_acknowledges(core, window, peer) &&
            !acknowledgements_cover(&core->peers[peer].told.theirs, window) &&
            matters(core, window, false, now.wall)) {
            return true;
        }
    }
    return false;
}

void courier_send(struct core *core, struct moment now)
{
    core->announced = now.wall;
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        if (core->peers[i].collect < 0) {
            outbound_tell_now(core, (int)i, PROBE_ANNOUNCE, now);
            exchange_owe(core, (int)i, now);
        }
    }
}

void courier_resume(struct core *core, struct moment now)
{
    core->announced = now.wall;
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        if (courier_owes(core, (int)i, now)) {
            outbound_tell_now(core, (int)i, PROBE_ANNOUNCE, now);
            exchange_owe(core, (int)i, now);
        }
    }
}

bool courier_done_since(const struct core *core, struct walltime at)
{
    return walltime_known(at) && at.ns >= core->announced.ns;
}

void courier_submitted(struct core *core, int peer, const struct submit_outcome *outcome)
{
    struct told *told = &core->peers[peer].told;
    if (outcome->result == SUBMIT_REFUSED) {
        text_keep(&told->mail_cause, EXCHANGE_CAUSE_SIZE,
                  outcome->reply[0] != '\0' ? outcome->reply : outcome->cause);
    } else {
        text_keep(&told->mail_cause, EXCHANGE_CAUSE_SIZE, "");
        told->mailed = outcome->sent.wall;
        if (!courier_done_since(core, told->mailed_first)) {
            told->mailed_first = told->mailed;
        }
    }
}

// ---- what the peer says ----

// The peer has this revision of a window of ours, or of one that it or another has told us of: only
// the first is worth writing down.
static void note_known(struct core *core, int peer, const struct window *window, uint32_t revision)
{
    struct acknowledgement *entry = acknowledgements_of(&core->peers[peer].told.theirs, window->id);
    entry->known = revision;
    if (!core_acknowledges(core, window, peer)) {
        return;
    }
    struct action *action = core_act(core, ACTION_ACKNOWLEDGED);
    action->acknowledged.revision = revision;
    text_copy(action->acknowledged.window, WINDOW_ID_SIZE, window->id);
    text_copy(action->acknowledged.peer, SERVER_NAME_SIZE, core->peers[peer].settings->name);
}

// As above, but it may have had a higher one before: mail overtakes mail.
static void note_at_least(struct core *core, int peer, const struct window *window,
                          uint32_t revision)
{
    if (revision > acknowledgements_revision(&core->peers[peer].told.theirs, window->id)) {
        note_known(core, peer, window, revision);
    }
}

static bool refused_before(const struct told *told, const struct window *window)
{
    for (size_t i = 0; i < REFUSED_KEPT && i < told->refused_count; i++) {
        if (told->refused[i].refused == window->revision &&
            strcmp(told->refused[i].window, window->id) == 0) {
            return true;
        }
    }
    return false;
}

// Once for each revision, however often the peer repeats it.
static void refuse(struct core *core, int peer, const struct window *window, const char *why)
{
    struct told *told = &core->peers[peer].told;
    if (refused_before(told, window)) {
        return;
    }
    if (told->refused == NULL) {
        told->refused = memory_checked(calloc(REFUSED_KEPT, sizeof *told->refused));
    }
    struct acknowledgement *entry = &told->refused[told->refused_count++ % REFUSED_KEPT];
    *entry = (struct acknowledgement){.refused = window->revision};
    text_copy(entry->window, sizeof entry->window, window->id);
    text_copy(entry->why, sizeof entry->why, why);
    core->stats.windows_refused++;
    struct action *action = core_act(core, ACTION_SAY_REFUSED);
    action->refused.peer = peer;
    struct text text = TEXT_OVER(action->refused.reason);
    text_format(&text, "window %s by %s: %s", window->id, window->by, why);
}

static void refuse_malformed(struct core *core, int peer, const char *words)
{
    core->stats.windows_refused++;
    struct action *action = core_act(core, ACTION_SAY_REFUSED);
    action->refused.peer = peer;
    text_copy(action->refused.reason, sizeof action->refused.reason, words);
}

// A new or changed window of the peer's: true when it is news to us.
static bool take_news(struct core *core, int peer, const struct window *window, struct moment now)
{
    char why[ANNOUNCED_WHY_SIZE];
    struct text text = TEXT_OVER(why);
    const char *unsound = window_unsound(window, now.wall);
    const struct window *known = windows_find(&core->windows, window->id);
    uint32_t revision = known == NULL ? 0 : known->revision;
    if (!settings_in_mesh(core->settings, window->server)) {
        text_format(&text, "no server %s here", window->server);
    } else if (unsound != NULL) {
        text_append(&text, unsound);
    } else if (window->revision - revision > WINDOW_REVISIONS_AT_ONCE) {
        text_format(&text, "revision %" PRIu32 " after %" PRIu32, window->revision, revision);
    } else if (!maintenance_learn(core, window, now)) {
        text_format(&text, "%d windows already", WINDOWS_MAXIMUM);
    } else {
        const struct window *learned = windows_find(&core->windows, window->id);
        note_at_least(core, peer, learned, learned->revision);
        return true;
    }
    // What it only hands on may well be about a server of its own mesh.
    if (strcmp(window_announcer(window), core->peers[peer].settings->name) == 0) {
        refuse(core, peer, window, why);
    }
    return false;
}

static bool take_window(struct core *core, int peer, const struct window *announced,
                        struct moment now)
{
    struct window window = *announced;
    const struct window *known = windows_find(&core->windows, window.id);
    struct span clocks = clock_relation_correction(&core->peers[peer].clock, now.instant);
    window.origin = ORIGIN_PEER;
    window.begin = walltime_subtract(window.begin, clocks);
    window.end = walltime_subtract(window.end, clocks);
    switch (windows_standing(&core->windows, &window)) {
    case WINDOW_NEW:
    case WINDOW_NEWER:
        return take_news(core, peer, &window, now);
    case WINDOW_SAME:
    case WINDOW_STALE:
        note_at_least(core, peer, known, window.revision);
        break;
    case WINDOW_OVERRULED: // it has another one of this revision: ours is still to be told
        if (acknowledgements_revision(&core->peers[peer].told.theirs, known->id) ==
            window.revision) {
            note_known(core, peer, known, window.revision - 1);
        }
        break;
    }
    return false;
}

// Puts the window at this place of what was heard last, wherever it stood there.
static void note_heard(struct told *told, const char *window, size_t place)
{
    size_t from = place_among_heard(told, window);
    if (place >= HEARD_KEPT || from < place) {
        return;
    }
    if (told->heard == NULL) {
        told->heard = memory_checked(calloc(HEARD_KEPT, sizeof *told->heard));
    }
    if (from == told->heard_count && told->heard_count < HEARD_KEPT) {
        told->heard_count++;
    }
    from = from < HEARD_KEPT ? from : HEARD_KEPT - 1;
    memmove(told->heard + place + 1, told->heard + place, (from - place) * sizeof *told->heard);
    text_copy(told->heard[place], sizeof *told->heard, window);
}

static void take_mark(struct core *core, int peer, const struct announced *item)
{
    const struct window *known = windows_find(&core->windows, item->window.id);
    uint32_t revision = item->window.revision;
    if (known == NULL) {
        return;
    }
    if (item->kind == ANNOUNCED_REFUSED) {
        struct acknowledgement *entry =
            acknowledgements_of(&core->peers[peer].told.theirs, known->id);
        entry->refused = revision;
        text_copy(entry->why, sizeof entry->why, item->why);
    } else {
        note_at_least(core, peer, known, revision);
    }
}

bool courier_take(struct core *core, int peer, const char *announcement, struct moment now)
{
    bool news = false;
    size_t windows = 0;
    size_t room = core->actions->count + TAKEN_MAXIMUM;
    struct announced item;
    struct error error = {0};
    while (core->actions->count < room && announcement_next(&announcement, &item, &error)) {
        if (item.kind == ANNOUNCED_WINDOW) {
            note_heard(&core->peers[peer].told, item.window.id, windows++);
            news = take_window(core, peer, &item.window, now) || news;
        } else {
            take_mark(core, peer, &item);
        }
    }
    if (error.message[0] != '\0') {
        refuse_malformed(core, peer, error.message);
    }
    return news;
}

void courier_forget(struct core *core)
{
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        acknowledgements_forget(&core->peers[i].told.theirs, &core->windows);
    }
}

void core_restore_acknowledged(struct core *core, const char *window, uint32_t revision,
                               const char *peer)
{
    int index = core_find_peer(core, peer);
    if (index >= 0 && windows_find(&core->windows, window) != NULL) {
        acknowledgements_of(&core->peers[index].told.theirs, window)->known = revision;
    }
}
