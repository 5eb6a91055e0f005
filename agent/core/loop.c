// Probes of ours that come back to a mailbox of ours on their way to a peer: forwarded or echoed.
// The peer's agent may share the mailbox and wait for them, so they are counted, left there as long
// as their fate is open, and said only when nothing tells that any of them reaches the peer.
#include <stdlib.h>

#include "base/error.h"
#include "core/state.h"

#define SAID_EVERY SPAN_HOURS(1)

// So many have come back, and the peer knows of none: they go nowhere else. (Where its agent reads
// this mailbox, too, it takes them from here, and says so.)
static bool is_nowhere_else(struct core *core, int peer)
{
    if (core->peers[peer].loop_count < LOOPS_KEPT) {
        return false;
    }
    for (size_t i = 0; i < LOOPS_KEPT; i++) {
        if (!fate_is_open(core, peer, &core->peers[peer].loops[i])) {
            return false;
        }
    }
    return true;
}

static void say(struct core *core, int peer, int mailbox, const struct probe_id *id,
                struct moment now)
{
    struct peer *state = &core->peers[peer];
    bool said =
        state->loop_said.ns != 0 && instant_since(now.instant, state->loop_said).ns < SAID_EVERY.ns;
    if (!said) {
        struct action *action = core_act(core, ACTION_SAY_LOOP);
        action->loop.peer = peer;
        action->loop.mailbox = mailbox;
        action->loop.probe = *id;
        state->loop_said = now.instant;
    }
}

void loop_found(struct core *core, int peer, int mailbox, const struct tag *tag, struct moment now)
{
    struct peer *state = &core->peers[peer];
    if (!fate_is_open(core, peer, &tag->id)) {
        core_act(core, ACTION_DELETE);
    }
    if (tag->sent.ns <= state->looped.ns) {
        return; // it has been told of before
    }
    state->looped = tag->sent;
    state->stats.loops++;
    if (state->loops == NULL) {
        state->loops = memory_checked(calloc(LOOPS_KEPT, sizeof *state->loops));
    }
    state->loops[state->loop_count++ % LOOPS_KEPT] = tag->id;
    if (is_nowhere_else(core, peer)) {
        say(core, peer, mailbox, &tag->id, now);
    }
}
