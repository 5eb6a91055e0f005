// Probes that wait for a process of the pool (submitters.h), oldest first. Thousands may wait on a
// busy machine: of each there is what tells its job, which is composed when a process takes it.
#ifndef MAILFLOW_SHELL_SUBMIT_BACKLOG_H
#define MAILFLOW_SHELL_SUBMIT_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/tag_codec.h"

struct submission {
    struct submission *next;
    int64_t number;
    struct instant deadline;
    struct tag tag;
    uint32_t relay; // of relays.h
};

// Owns what waits in it. `last` is the place of the next one.
struct submit_backlog {
    struct submission *first;
    struct submission **last;
    unsigned count;
};

void submit_backlog_reset(struct submit_backlog *backlog); // to none
void submit_backlog_free(struct submit_backlog *backlog);

void submit_backlog_add(struct submit_backlog *backlog, struct submission *submission);
void submit_backlog_return(struct submit_backlog *backlog, struct submission *submission);

// Takes out the one that `at`, `first` or the `next` of one in it, points to.
struct submission *submit_backlog_take(struct submit_backlog *backlog, struct submission **at);

#endif
