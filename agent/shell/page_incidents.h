// The cards of open incidents. One that another keeps quiet gets none of its own but stands folded
// in that of its cause. Only so many are shown, the gravest first.
#ifndef MAILFLOW_SHELL_PAGE_INCIDENTS_H
#define MAILFLOW_SHELL_PAGE_INCIDENTS_H

#include "shell/agent.h"

// Where the writing of the cards stands; of: how many there are in all.
struct page_cards {
    size_t of;
    size_t shown;
    size_t place;
    int pass; // the rank
};

// Appends the next card, or nothing; false when all are out.
bool page_incidents_next(struct text *out, const struct agent *agent, struct page_cards *cards,
                         struct moment now);

#endif
