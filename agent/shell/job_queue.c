#include "shell/job_queue.h"

#include <stdlib.h>
#include <string.h>

void job_free(struct job *job)
{
    if (job != NULL) {
        explicit_bzero(job->line, strlen(job->line));
        free(job->line);
        free(job);
    }
}

void job_queue_init(struct job_queue *queue)
{
    *queue = (struct job_queue){.first = NULL, .last = &queue->first};
}

void job_queue_append(struct job_queue *queue, struct job *job)
{
    job->next = NULL;
    *queue->last = job;
    queue->last = &job->next;
    queue->count++;
}

void job_queue_return(struct job_queue *queue, struct job *job)
{
    job->next = queue->first;
    if (queue->first == NULL) {
        queue->last = &job->next;
    }
    queue->first = job;
    queue->count++;
}

// The one that this pointer of the queue points to.
static struct job *take(struct job_queue *queue, struct job **at)
{
    struct job *job = *at;
    *at = job->next;
    if (queue->last == &job->next) {
        queue->last = at;
    }
    queue->count--;
    return job;
}

struct job *job_queue_take_first(struct job_queue *queue)
{
    return queue->first != NULL ? take(queue, &queue->first) : NULL;
}

struct job *job_queue_take_runnable(struct job_queue *queue,
                                    bool (*may_run)(const struct job *job, void *context),
                                    void *context)
{
    for (struct job **at = &queue->first; *at != NULL; at = &(*at)->next) {
        if (may_run(*at, context)) {
            return take(queue, at);
        }
    }
    return NULL;
}

void job_queue_move_expired(struct job_queue *queue, struct instant now, struct job_queue *expired)
{
    struct job **at = &queue->first;
    while (*at != NULL) {
        if (instant_reached(now, (*at)->deadline)) {
            job_queue_append(expired, take(queue, at));
        } else {
            at = &(*at)->next;
        }
    }
}
