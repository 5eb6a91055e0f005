// What the open incidents come to, in the words of somebody who is called at night: what is broken,
// whose fault it is as far as the agents can tell, and whether it is maintenance.
#ifndef MAILFLOW_SHELL_PAGE_TROUBLE_H
#define MAILFLOW_SHELL_PAGE_TROUBLE_H

#include "shell/agent.h"

// "mx01 is not back from its maintenance".
void page_append_trouble(struct text *out, const struct incident *incident);

void page_append_culprit(struct text *out, const struct agent *agent,
                         const struct incident *incident);
void page_append_maintenance(struct text *out, const struct agent *agent,
                             const struct incident *incident, struct walltime now);

// The lower, the graver: critical, other, held back by a window. Within a rank the first one stands
// first.
enum { PAGE_TROUBLE_RANKS = 3 };
int page_trouble_rank(const struct incident *incident);

// What the headline counts: incidents that no other one keeps quiet.
struct page_troubles {
    size_t count;
    size_t held_back; // of them, by a window
    bool critical;    // one of the others is
    const struct incident *gravest;
};
struct page_troubles page_troubles_count(const struct agent *agent);

// It stands in the card of another one.
bool page_trouble_is_folded(const struct incidents *incidents, const struct incident *incident);

#endif
