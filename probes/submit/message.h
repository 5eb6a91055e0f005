// The message of one probe (RFC 5322): the signed tag for the peer's collector, a few lines for a
// human who comes across it. Pure: the same job makes the same bytes.
//
// Lines end in CR LF. The Mailflow- headers are folded at their blanks only, so that unfolding
// gives back what was signed. All of it is at most MESSAGE_SIZE bytes; without lists it is
// about 1.3 KiB.
#ifndef MAILFLOW_PROBES_SUBMIT_MESSAGE_H
#define MAILFLOW_PROBES_SUBMIT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "probes/probe.h"

enum { MESSAGE_SIZE = 4096 };

// Composes and signs; tag->sent is the instant at which the content starts. False when the lists of
// the job do not fit.
bool message_compose(const struct submit_job *job, const struct tag *tag, struct text *out,
                     struct error *error);

// Whether it would succeed, whenever the content starts; composes only where that is in doubt.
bool message_can_be_composed(const struct submit_job *job, struct error *error);

#endif
