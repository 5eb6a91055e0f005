#include "core/replay.h"

#include "core/state.h"

void core_replay(struct core *core)
{
    core->replayed = true;
}

bool core_replay_sending(struct core *core, int peer, const struct probe_record *record,
                         struct moment now)
{
    struct outbound *outbound = &core->peers[peer].outbound;
    if (outbound->sending_count == SENDING_MAXIMUM) {
        return false;
    }
    *fate_add_sending(outbound) = (struct sending){
        .id = record->id, .kind = record->kind, .slot = record->slot, .planned = now.wall};
    return true;
}

void core_replay_started(struct core *core, struct moment now)
{
    core->watch_floor = instant_add(now.instant, core->settings->maintenance.settle);
}
