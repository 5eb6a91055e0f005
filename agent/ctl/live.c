#include "ctl/live.h"

#include <string.h>

#include "base/text.h"
#include "ctl/interrupt.h"
#include "ctl/live_mailbox.h"
#include "ctl/live_peer.h"
#include "ctl/live_recipient.h"
#include "ctl/live_relay.h"

struct trial {
    const struct settings *settings;
    const struct live_options *options;
    struct live_mailbox own; // stays open
    struct live_count count;
};

static void tell(struct trial *trial, const struct live_result *result)
{
    trial->count.tried++;
    trial->count.failed += result->good ? 0 : 1;
    if (trial->options->results == NULL) {
        live_result_print(result, trial->options->terminal);
    } else {
        json_array_append_new(trial->options->results, live_result_to_json(result));
    }
}

// The mailbox in which what is sent to our own address arrives.
static const struct mailbox_settings *own_mailbox(const struct settings *settings)
{
    size_t i = 0;
    while (i < settings->mailbox_count &&
           !text_equal_ignoring_case(settings->mailboxes[i].user, settings->address)) {
        i++;
    }
    return &settings->mailboxes[i < settings->mailbox_count ? i : 0];
}

static void try_mailboxes(struct trial *trial)
{
    const struct settings *settings = trial->settings;
    const struct mailbox_settings *own = own_mailbox(settings);
    for (size_t i = 0; i < settings->mailbox_count && !interrupt_noted(); i++) {
        const struct mailbox_settings *mailbox = &settings->mailboxes[i];
        struct live_mailbox other = {.readable = false};
        struct live_mailbox *tried = mailbox == own ? &trial->own : &other;
        struct live_result result = {0};
        live_mailbox_open(tried, trial->options->probers, settings, mailbox, &result);
        if (tried == &other) {
            live_mailbox_close(&other);
        }
        tell(trial, &result);
    }
}

static bool is_same_token(const struct oauth_settings *a, const struct oauth_settings *b)
{
    bool same = strcmp(a->token_file, b->token_file) == 0 &&
                strcmp(a->mechanism, b->mechanism) == 0 &&
                a->token_command_count == b->token_command_count;
    for (size_t i = 0; same && i < a->token_command_count; i++) {
        same = strcmp(a->token_command[i], b->token_command[i]) == 0;
    }
    return same;
}

static bool is_same_relay(const struct relay_settings *a, const struct relay_settings *b)
{
    return strcmp(a->host, b->host) == 0 && a->port == b->port && a->tls == b->tls &&
           strcmp(a->ca_file, b->ca_file) == 0 && strcmp(a->user, b->user) == 0 &&
           strcmp(a->password_file, b->password_file) == 0 && is_same_token(&a->oauth, &b->oauth);
}

// Those of all peers that this relay, which works, is to hand over to.
static void try_recipients(struct trial *trial, const struct relay_settings *relay)
{
    const struct settings *settings = trial->settings;
    if (!live_recipient_can_try(relay)) {
        return;
    }
    for (size_t i = 0; i < settings->peer_count && !interrupt_noted(); i++) {
        struct live_result result = {0};
        if (is_same_relay(&settings->peers[i].relay, relay)) {
            live_recipient_try(trial->options->probers, settings, &settings->peers[i],
                               trial->options->peers, &result);
            tell(trial, &result);
        }
    }
}

static void try_relay(struct trial *trial, const char *name, const struct relay_settings *relay)
{
    struct live_result result = {0};
    if (trial->options->leave_nothing && !trial->own.readable) {
        return;
    }
    live_relay_try(name, trial->options->probers, trial->settings, relay, &trial->own,
                   trial->options->patience, &result);
    tell(trial, &result);
    if (result.good) {
        try_recipients(trial, relay);
    }
}

// Whether the relay of this peer has been tried as that of all, or of an earlier peer.
static bool is_tried(const struct settings *settings, size_t peer)
{
    bool tried = is_same_relay(&settings->peers[peer].relay, &settings->relay);
    for (size_t i = 0; i < peer && !tried; i++) {
        tried = is_same_relay(&settings->peers[peer].relay, &settings->peers[i].relay);
    }
    return tried;
}

static void try_relays(struct trial *trial)
{
    const struct settings *settings = trial->settings;
    if (!interrupt_noted()) {
        try_relay(trial, "relay", &settings->relay);
    }
    for (size_t i = 0; i < settings->peer_count && !interrupt_noted(); i++) {
        char name[64];
        struct text text = TEXT_OVER(name);
        if (!is_tried(settings, i)) {
            text_format(&text, "relay of %s", settings->peers[i].name);
            try_relay(trial, name, &settings->peers[i].relay);
        }
    }
}

// Of a peer without an agent we have the mailbox and the relay, and those have been tried.
static void try_peer(struct trial *trial, const struct peer_settings *peer)
{
    if (peer->collect[0] == '\0') {
        struct live_result result = {0};
        live_peer_try_mail_server(trial->options->probers, peer, &result);
        tell(trial, &result);
    }
    if (peer->agent[0] != '\0' && !interrupt_noted()) {
        struct live_result result = {0};
        live_peer_try_agent(trial->settings, peer, &result);
        tell(trial, &result);
    }
}

struct live_count live_try(const struct settings *settings, const struct live_options *options)
{
    struct trial trial = {.settings = settings, .options = options};
    try_mailboxes(&trial);
    try_relays(&trial);
    live_mailbox_close(&trial.own);
    for (size_t i = 0; options->peers && i < settings->peer_count && !interrupt_noted(); i++) {
        try_peer(&trial, &settings->peers[i]);
    }
    return trial.count;
}
