// Waiting until every peer that is to know of a maintenance window knows it: which does, after how
// long, and why the others do not.
#ifndef MAILFLOW_CTL_ACKNOWLEDGEMENTS_H
#define MAILFLOW_CTL_ACKNOWLEDGEMENTS_H

#include <jansson.h>

#include "base/instant.h"
#include "base/text.h"
#include "ctl/verb.h"

// Asks for these windows (an array of the agent's answers) again and again until all peers know all
// of them, or --wait is over. The windows become the last answers, with one member more:
// "acknowledged_after_seconds", an object of peers. `asked` is when the operator asked for them.
//
// People are told of every peer as it comes; on a terminal a line below says who is still awaited.
// EXIT_DONE when all know, else EXIT_REFUSED after saying who does not and why. The last answers
// are for the caller to print where JSON is wanted.
int acknowledgements_await(const struct context *context, json_t *windows, struct instant asked);

// Whether --wait was given, and not as 0.
bool acknowledgements_wanted(const struct command *command);

// Where nobody waits: that peers are being told of these windows, if any is.
void acknowledgements_print_hint(const json_t *windows);

// "2/3", "by us" when another agent asks the peers, "-" when none is to know; "" when it is not
// said.
void acknowledgements_append_count(const json_t *window, struct text *out);

// How long to wait before asking again: so short at first that nobody waits for us, and never more
// than a fiftieth of what has passed.
struct span acknowledgements_pause(struct span passed);

#endif
