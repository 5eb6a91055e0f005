// The names of `peers_from` that the DNS is asked for: one short-lived mailflow-discover process at
// a time, for each name when its time has come.
#ifndef MAILFLOW_SHELL_DISCOVERIES_H
#define MAILFLOW_SHELL_DISCOVERIES_H

#include <uv.h>

#include "base/instant.h"
#include "config/config.h"

struct discoveries;

struct discoveries_handlers {
    // The servers that the name has now, as a list (config/list_file.h) in JSON.
    void (*found)(void *context, const char *name, const char *list);
    // Why there is no answer that can be used.
    void (*failed)(void *context, const char *name, const char *cause);
};

// Takes copies out of the settings.
struct discoveries *discoveries_create(uv_loop_t *loop, const char *probers,
                                       const struct settings *settings,
                                       const struct discoveries_handlers *handlers, void *context);
void discoveries_configure(struct discoveries *discoveries, const struct settings *settings);

// Asks for what is due; to be called every second.
void discoveries_look(struct discoveries *discoveries, struct instant now);

// Returns at once; the loop runs dry afterwards.
void discoveries_destroy(struct discoveries *discoveries);

#endif
