// What an operator asks of maintenance windows, from JSON to a window that is whole and makes
// sense, or a message that says what is wrong with it. Pure: nothing is put in place here.
#ifndef MAILFLOW_SHELL_WINDOW_REQUEST_H
#define MAILFLOW_SHELL_WINDOW_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "core/window.h"

#define WINDOW_ROUTINE_MAXIMUM   SPAN_HOURS(4) // unless forced
#define WINDOW_ROUTINE_DEFAULT   SPAN_MINUTES(15)
#define WINDOW_EMERGENCY_DEFAULT SPAN_HOURS(2)

// A new window but for its id: {"server"?, "kind"?, "begin"?, "duration_seconds"? or "end"?,
// "reason"?, "by"?, "force"?}. "by" is who asks, for it comes from here: what follows its last @ is
// replaced by this server's name.
bool window_request_new(const json_t *request, const struct settings *settings, struct walltime now,
                        struct window *out, struct error *error);

// Another end: {"end" or "extend_seconds", "by"?, "force"?}. `window` becomes its next revision, of
// whoever asks.
bool window_request_change(const json_t *request, const struct settings *settings,
                           struct walltime now, struct window *window, struct error *error);

// Who ends it: {"by"?}.
bool window_request_asker(const json_t *request, const struct settings *settings,
                          struct window *window, struct error *error);

// An announced one is cancelled, an active one ends now; false when it is over already.
bool window_request_end(struct walltime now, struct window *window, struct error *error);

#endif
