// Submissions that wait for a process of the pool (submitters.h), oldest first.
//
// Thousands may wait: of what is to be done only the line is kept that says it to a process.
#ifndef MAILFLOW_SHELL_JOB_QUEUE_H
#define MAILFLOW_SHELL_JOB_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/probe_id.h"
#include "base/tag_codec.h"

struct job {
    struct job *next;
    int64_t number;
    struct instant deadline;
    char peer[SERVER_NAME_SIZE];
    struct probe_id id;
    uint32_t relay; // its place in relays.h
    char *line;     // owned, from malloc
};

// NULL is none. The line has secrets in it and is wiped.
void job_free(struct job *job);

// Owns the jobs in it.
struct job_queue {
    struct job *first;
    struct job **last; // where the next one goes
    unsigned count;
};

void job_queue_init(struct job_queue *queue);

void job_queue_append(struct job_queue *queue, struct job *job);

// Before all others: it was taken out, and cannot be done after all.
void job_queue_return(struct job_queue *queue, struct job *job);

// The job is the caller's then; NULL when there is none.
struct job *job_queue_take_first(struct job_queue *queue);

// As job_queue_take_first, of those that may run.
struct job *job_queue_take_runnable(struct job_queue *queue,
                                    bool (*may_run)(const struct job *job, void *context),
                                    void *context);

// Moves those whose deadline has come, in their order, to the end of another queue.
void job_queue_move_expired(struct job_queue *queue, struct instant now, struct job_queue *expired);

#endif
