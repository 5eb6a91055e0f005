// Messages on their way: handed over, queued, tried, delayed, lost, doubled, stored.
//
// A sender's queue tries at once and then as Postfix does: after retry_first, then after as long as
// the message has waited, at most retry_last, each rounded up to the next run of the queue.
#ifndef MAILFLOW_SIMULATION_MAIL_H
#define MAILFLOW_SIMULATION_MAIL_H

#include "simulation/world.h"

enum submission {
    SUBMISSION_ACCEPTED,
    SUBMISSION_REJECTED,
    SUBMISSION_NO_SERVER,
    SUBMISSION_UNCERTAIN_ARRIVES,
    SUBMISSION_UNCERTAIN_VANISHES
};

void message_free(struct message *message);
struct message *message_copy(const struct message *message);
void messages_free(struct messages *messages);
void messages_add(struct messages *messages, struct message *message);
void messages_remove(struct messages *messages, size_t place); // hands the message to the caller

// What becomes of a submission that starts now.
enum submission mail_submit(struct world *world, int from, int to);

// The content goes out: stamps `sent`, queues what the server takes over, and tells the agent
// later.
void mail_take_content(struct world *world, struct message *message, enum submission submission);
void mail_run_queue(struct world *world, int server);
void mail_deliver(struct world *world, struct message *message);

// A report of what became of a message comes into its sender's mailbox.
void mail_return(struct world *world, struct message *message, enum report report);

// Everything in the queue is tried now.
void mail_flush(struct world *world, int server);

// Puts another copy of the last delivered message, if there is one, into the mailbox.
void mail_replay(struct world *world, int from, int to);

#endif
