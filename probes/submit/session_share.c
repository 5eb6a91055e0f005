// A job that waits for the same relay goes into the session of the one before.
#include "base/clock.h"
#include "probes/submit/job.h"
#include "probes/submit/message.h"
#include "probes/submit/session_internal.h"

// The job that may go on in this session, NULL when there is none.
static const struct submit_job *next_to_share(struct session *session)
{
    struct error error;
    const struct dialogue *dialogue = &session->dialogue;
    if (dialogue->stage != STAGE_CONTENT || !dialogue->answered || dialogue->code / 100 != 2 ||
        dialogue->surplus || dialogue->stop != STOP_NONE ||
        session->messages == SESSION_MESSAGES_MAXIMUM) {
        return NULL;
    }
    const struct submit_job *job = session->observer->waiting(session->observer->context);
    bool may = job != NULL && job_shares_relay(job, session->job) &&
               !instant_reached(clock_now().instant, job_deadline(job)) &&
               message_can_be_composed(job, &error);
    return may ? job : NULL;
}

void session_begin_job(struct session *session)
{
    const struct submit_job *job = session->job;
    session->messages++;
    session->deadline = job_deadline(job);
    session->wire.deadline = session->deadline;
    session->tag = job->tag;
    session->content_length = 0;
    session->outcome = (struct submit_outcome){.number = job->number};
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        session->outcome.legs[i] = (struct span){-1};
    }
}

void session_share(struct session *session)
{
    const struct session_observer *observer = session->observer;
    const struct submit_job *next = next_to_share(session);
    if (next == NULL) {
        return;
    }
    session_conclude(session);
    if (session->outcome.result != SUBMIT_ACCEPTED) {
        return; // it is judged again at the end
    }
    observer->ended(observer->context, &session->outcome);
    *session->job = *next;
    observer->taken(observer->context);
    session_begin_job(session);
    dialogue_next_message(&session->dialogue, clock_now().instant);
    dialogue_note(&session->dialogue, "in the session of earlier probes", clock_now().instant);
    session_arm_watchdog(session);
    session_create_envelope(session);
}

// What a server refuses in a session that was not this job's may be the session's doing (too many
// messages, a connection it has had enough of): nothing is in flight, so the job is done again in a
// session of its own, and only that counts.
bool session_must_repeat(const struct session *session)
{
    return session->messages > 1 && session->outcome.result == SUBMIT_REFUSED &&
           !instant_reached(clock_now().instant, session->deadline);
}
