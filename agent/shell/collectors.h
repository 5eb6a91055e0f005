// The mailflow-collect processes, one for each mailbox, so that one server that hangs keeps nobody
// else from being read. A process that ends is started again, with growing patience; one that gives
// no sign of life is killed and replaced. A login whose token is refused is tried once more with
// another, if there is one, before it is told. A mailbox that was never read to its end before
// that, or before it failed, is not reported as up again until it has been: what only opens is not
// readable.
#ifndef MAILFLOW_SHELL_COLLECTORS_H
#define MAILFLOW_SHELL_COLLECTORS_H

#include <uv.h>

#include "config/config.h"
#include "probes/probe.h"
#include "shell/tokens.h"

struct collectors;

struct collectors_handlers {
    void (*report)(void *context, int mailbox, const struct collect_report *report);
};

// The settings must outlive the collectors or the next collectors_configure. A prober that cannot
// be started or dies is reported as COLLECT_DOWN with the reason.
struct collectors *collectors_create(uv_loop_t *loop, const char *probers, struct tokens *tokens,
                                     const struct settings *settings,
                                     const struct collectors_handlers *handlers, void *context);

// A token has come, or will not.
void collectors_look_again(struct collectors *collectors);

// Takes over other settings: processes of mailboxes that did not change go on.
void collectors_configure(struct collectors *collectors, const struct settings *settings);

// Deletes one message whose arrival is recorded.
void collectors_delete(struct collectors *collectors, const char *mailbox, const char *folder,
                       uint32_t uid_validity, uint32_t uid);

// Ends every process. Returns at once; the loop runs dry afterwards.
void collectors_destroy(struct collectors *collectors);

#endif
