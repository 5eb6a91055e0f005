#include "shell/http.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "shell/http_door.h"
#include "shell/http_socket.h"

enum { LISTENER_HANDLES = 3 };        // poll, timer, again
#define LEAVING_GRACE SPAN_SECONDS(1) // for the answers under way of a listener that goes

struct listener {
    struct listener *next;
    struct http *http;
    char address[256];
    bool control;
    struct http_socket_file file;         // of the control socket
    uint8_t identity[SHA256_DIGEST_SIZE]; // of certificate and key
    struct http_door *door;
    uv_poll_t poll;
    uv_timer_t timer;
    uv_idle_t again; // a timer of 0 ms set in its own callback would keep the loop from turning
    unsigned open_handles;
    bool unwanted;
    struct instant ends; // INSTANT_NEVER until that has been seen to
};

struct http {
    uv_loop_t *loop;
    struct agent *agent;
    struct listener *listeners;
    bool ending;
};

// ---- a listener in the loop ----

static void on_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    struct http *http = listener->http;
    if (--listener->open_handles > 0) {
        return;
    }
    struct listener **place = &http->listeners;
    while (*place != listener) {
        place = &(*place)->next;
    }
    *place = listener->next;
    free(listener);
    if (http->ending && http->listeners == NULL) {
        free(http);
    }
}

static void listener_stop(struct listener *listener)
{
    uv_close((uv_handle_t *)&listener->poll, on_closed);
    uv_close((uv_handle_t *)&listener->timer, on_closed);
    uv_close((uv_handle_t *)&listener->again, on_closed);
    http_door_close(listener->door);
}

// Nobody new gets in; the file of a control socket is gone.
static void listener_refuse(struct listener *listener)
{
    http_door_shut(listener->door);
    if (listener->control) {
        http_socket_remove_control(listener->address, &listener->file);
    }
}

static void on_timer(uv_timer_t *timer);
static void on_again(uv_idle_t *again);

static void listener_wait(struct listener *listener, struct instant now)
{
    struct instant due = instant_earlier(http_door_due(listener->door, now), listener->ends);
    uv_idle_stop(&listener->again);
    uv_timer_stop(&listener->timer);
    if (instant_reached(now, due)) {
        uv_idle_start(&listener->again, on_again);
    } else if (due.ns != INSTANT_NEVER.ns) {
        int64_t ms = (instant_since(due, now).ns + 999999) / 1000000;
        uv_timer_start(&listener->timer, on_timer, (uint64_t)ms, 0);
    }
}

static void listener_run(struct listener *listener)
{
    http_door_run(listener->door);
    struct instant now = clock_now().instant;
    if (listener->unwanted && listener->ends.ns == INSTANT_NEVER.ns) {
        listener->ends = instant_add(now, LEAVING_GRACE);
        listener_refuse(listener);
    }
    if (instant_reached(now, listener->ends)) {
        listener_stop(listener);
    } else {
        listener_wait(listener, now);
    }
}

static void on_timer(uv_timer_t *timer)
{
    listener_run(timer->data);
}

static void on_again(uv_idle_t *again)
{
    listener_run(again->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    listener_run(poll->data);
}

// Behind the open socket of a listener; false with a message that it cannot be served.
static bool listener_start(struct listener *listener, int descriptor,
                           const struct http_settings *settings, struct error *error)
{
    struct http *http = listener->http;
    struct http_door_rules rules = {
        .agent = http->agent,
        .may_write = listener->control,
        .certificate = listener->control ? "" : settings->certificate,
        .key = listener->control ? "" : settings->key,
    };
    listener->door = http_door_open(descriptor, &rules);
    if (listener->door == NULL) {
        close(descriptor);
        return error_set(error,
                         rules.certificate[0] == '\0'
                             ? "%s: cannot serve HTTP there (too many open files?)"
                             : "%s: cannot serve HTTPS there: do http.certificate_file and "
                               "http.key_file belong together?",
                         listener->address);
    }
    listener->open_handles = LISTENER_HANDLES;
    listener->poll.data = listener->timer.data = listener->again.data = listener;
    uv_poll_init(http->loop, &listener->poll, http_door_descriptor(listener->door));
    uv_timer_init(http->loop, &listener->timer);
    uv_idle_init(http->loop, &listener->again);
    uv_poll_start(&listener->poll, UV_READABLE, on_poll);
    return true;
}

static const char *port_of(const char *address)
{
    return strrchr(address, ':');
}

// 127.0.0.1 and 0.0.0.0 cannot both have a port, not even while one gives way to the other.
static void explain_own(const struct http *http, const char *address, struct error *error)
{
    for (const struct listener *at = http->listeners; at != NULL; at = at->next) {
        if (!at->control && strcmp(port_of(at->address), port_of(address)) == 0) {
            error_set(error,
                      "%s: this agent itself listens on %s, so that this change takes a restart",
                      address, at->address);
        }
    }
}

// The newest at the address that is to stay.
static struct listener *find(struct http *http, const char *address)
{
    struct listener *listener = http->listeners;
    while (listener != NULL && (listener->unwanted || strcmp(listener->address, address) != 0)) {
        listener = listener->next;
    }
    return listener;
}

static int listener_open(struct listener *listener, struct error *error)
{
    const struct listener *before = find(listener->http, listener->address);
    if (listener->control) {
        return http_socket_open_control(listener->address, &listener->file, error);
    }
    if (before != NULL) {
        return http_door_share(before->door);
    }
    int descriptor = http_socket_open(listener->address, error);
    if (descriptor < 0 && errno == EADDRINUSE) {
        explain_own(listener->http, listener->address, error);
    }
    return descriptor;
}

// What a listener shows of itself: another certificate takes another listener.
static void identify(const struct http_settings *settings, uint8_t out[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, strlen(settings->certificate) + 1, (const uint8_t *)settings->certificate);
    sha256_update(&hash, strlen(settings->key), (const uint8_t *)settings->key);
    sha256_digest(&hash, SHA256_DIGEST_SIZE, out);
}

static bool add_listener(struct http *http, const struct http_settings *settings,
                         const char *address, bool control, struct error *error)
{
    struct listener *listener = memory_checked(calloc(1, sizeof *listener));
    listener->http = http;
    listener->control = control;
    listener->ends = INSTANT_NEVER;
    identify(settings, listener->identity);
    text_copy(listener->address, sizeof listener->address, address);
    int descriptor = listener_open(listener, error);
    if (descriptor < 0 || !listener_start(listener, descriptor, settings, error)) {
        free(listener);
        return false;
    }
    listener->next = http->listeners;
    http->listeners = listener;
    return true;
}

// ---- all of them ----

// A listener that no settings want any more goes at its next run, never in the midst of one.
static void dismiss(struct listener *listener)
{
    listener->unwanted = true;
    uv_idle_start(&listener->again, on_again);
}

static bool wanted(const struct listener *listener, const struct http_settings *settings)
{
    uint8_t identity[SHA256_DIGEST_SIZE];
    if (listener->control) {
        return strcmp(settings->control, listener->address) == 0;
    }
    bool found = false;
    for (size_t i = 0; !found && i < settings->listen_count; i++) {
        found = strcmp(settings->listen[i], listener->address) == 0;
    }
    identify(settings, identity);
    return found && memcmp(identity, listener->identity, sizeof identity) == 0;
}

static bool add_missing(struct http *http, const struct http_settings *settings,
                        struct error *error)
{
    bool added = true;
    for (size_t i = 0; added && i < settings->listen_count; i++) {
        const struct listener *there = find(http, settings->listen[i]);
        added = (there != NULL && wanted(there, settings)) ||
                add_listener(http, settings, settings->listen[i], false, error);
    }
    return added && (find(http, settings->control) != NULL ||
                     add_listener(http, settings, settings->control, true, error));
}

bool http_reconfigure(struct http *http, const struct settings *settings, struct error *error)
{
    struct listener *before = http->listeners;
    if (!add_missing(http, &settings->http, error)) {
        for (struct listener *at = http->listeners; at != before; at = at->next) {
            dismiss(at);
        }
        return false;
    }
    for (struct listener *at = http->listeners; at != NULL; at = at->next) {
        if (!at->unwanted && !wanted(at, &settings->http)) {
            dismiss(at);
        }
    }
    return true;
}

struct http *http_create(uv_loop_t *loop, const struct settings *settings, struct agent *agent,
                         struct error *error)
{
    struct http *http = memory_checked(calloc(1, sizeof *http));
    http->loop = loop;
    http->agent = agent;
    if (!http_reconfigure(http, settings, error)) {
        http_destroy(http);
        return NULL;
    }
    return http;
}

void http_destroy(struct http *http)
{
    http->ending = true;
    if (http->listeners == NULL) {
        free(http);
        return;
    }
    for (struct listener *at = http->listeners; at != NULL; at = at->next) {
        if (!uv_is_closing((uv_handle_t *)&at->poll)) {
            listener_refuse(at);
            listener_stop(at);
        }
    }
}
