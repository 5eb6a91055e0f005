// The silences of an Alertmanager, asked for every `interval` by mailflow-fetch, one short-lived
// process at a time: those whose configured matcher names a server of the mesh are windows of it.
//
// The members of a cluster know the same silences, so that the first good answer counts; the member
// that gave it is asked first the next time. While none gives one, the windows last known stand,
// for being unable to read that a silence has ended is no reason to end its window. That is said
// once, and once more when it is over.
#ifndef MAILFLOW_SHELL_ALERTMANAGER_H
#define MAILFLOW_SHELL_ALERTMANAGER_H

#include <uv.h>

#include "base/instant.h"
#include "config/config.h"
#include "probes/certificate.h"
#include "shell/journal.h"
#include "shell/wanted.h"

struct alertmanager;

struct alertmanager_handlers {
    // What is wanted may have changed: ask alertmanager_want.
    void (*changed)(void *context);

    // What was shown over TLS by the one whose answer counts, or by the last when none does; why it
    // does not verify, if it does not. Both for the duration of the call.
    void (*certificate)(void *context, const struct certificate *certificate, const char *cause);
};

// The settings must outlive it or the next alertmanager_configure.
struct alertmanager *alertmanager_create(uv_loop_t *loop, const char *probers,
                                         const struct settings *settings, struct journal *journal,
                                         const struct alertmanager_handlers *handlers,
                                         void *context);
void alertmanager_configure(struct alertmanager *alertmanager, const struct settings *settings);

// Asks when it is time to; to be called every second.
void alertmanager_look(struct alertmanager *alertmanager, struct moment now);

// Adds the windows of all silences; as long as there has been no good answer yet, those that are
// known.
void alertmanager_want(const struct alertmanager *alertmanager, const struct windows *known,
                       struct wanted *out);

// Adds the windows whose silences have changed, or ended before their time, from the answer before
// to the last one, as they are now.
void alertmanager_changes(const struct alertmanager *alertmanager, struct wanted *out);

struct alertmanager_figures {
    bool configured;
    bool answers;             // the last question had a good answer
    struct walltime answered; // the last that had
    uint64_t failures;        // questions that no member answered
    size_t windows;           // of the silences last read
    size_t unused;            // silences of the matcher of which no window comes
};
struct alertmanager_figures alertmanager_figures(const struct alertmanager *alertmanager);

// Ends the process, if there is one. Returns at once; the loop runs dry afterwards.
void alertmanager_destroy(struct alertmanager *alertmanager);

#endif
