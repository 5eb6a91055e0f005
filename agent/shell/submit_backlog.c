#include "shell/submit_backlog.h"

#include <stdlib.h>

void submit_backlog_reset(struct submit_backlog *backlog)
{
    *backlog = (struct submit_backlog){.last = &backlog->first};
}

void submit_backlog_free(struct submit_backlog *backlog)
{
    while (backlog->first != NULL) {
        free(submit_backlog_take(backlog, &backlog->first));
    }
}

void submit_backlog_add(struct submit_backlog *backlog, struct submission *submission)
{
    submission->next = NULL;
    *backlog->last = submission;
    backlog->last = &submission->next;
    backlog->count++;
}

void submit_backlog_return(struct submit_backlog *backlog, struct submission *submission)
{
    submission->next = backlog->first;
    if (backlog->first == NULL) {
        backlog->last = &submission->next;
    }
    backlog->first = submission;
    backlog->count++;
}

struct submission *submit_backlog_take(struct submit_backlog *backlog, struct submission **at)
{
    struct submission *submission = *at;
    *at = submission->next;
    if (backlog->last == &submission->next) {
        backlog->last = at;
    }
    backlog->count--;
    return submission;
}
