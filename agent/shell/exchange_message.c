#include "shell/exchange_message.h"

#include <string.h>

#include "base/random.h"
#include "base/text.h"

static bool is_blind(const struct core *core)
{
    for (size_t i = 0; i < core_settings(core)->mailbox_count; i++) {
        const struct mailbox *mailbox = core_mailbox(core, (int)i);
        if (!mailbox->readable && !mailbox->foreign_collects) {
            return true;
        }
    }
    return false;
}

static bool is_draining(const struct core *core, struct walltime now)
{
    const struct settings *settings = core_settings(core);
    const struct windows *windows = core_windows(core);
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->items[i];
        if (strcmp(window->server, settings->server) == 0 &&
            window_state_at(window, now, settings->maintenance.recovery) == WINDOW_RECOVERING) {
            return true;
        }
    }
    return false;
}

void exchange_message_compose(const struct core *core, int peer, struct moment now,
                              struct exchange_message *out)
{
    const struct settings *settings = core_settings(core);
    *out = (struct exchange_message){.time = now.wall};
    text_copy(out->from, sizeof out->from, settings->server);
    text_copy(out->to, sizeof out->to, settings->peers[peer].name);
    random_bytes(&out->nonce, sizeof out->nonce);
    out->blind = is_blind(core);
    out->draining = is_draining(core, now.wall);
    core_compose(core, peer, now, &out->exchange);
}
