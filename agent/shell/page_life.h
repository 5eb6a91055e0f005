// The life of one probe as a timeline: a step for each leg of the submission, one for the whole
// way and its hops within it, and how much of the whole each took. Made of what the API tells of
// the probe.
#ifndef MAILFLOW_SHELL_PAGE_LIFE_H
#define MAILFLOW_SHELL_PAGE_LIFE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"
#include "base/text.h"

enum { LIFE_STEPS_MAXIMUM = 64, LIFE_WORDS_SIZE = 192, LIFE_BETWEEN_SIZE = 144 };

struct life_step {
    const char *name;                // "connect"
    char between[LIFE_BETWEEN_SIZE]; // the stations of a hop, not yet escaped, as are ...
    char words[LIFE_WORDS_SIZE];     // ... the words beside it
    struct walltime from;
    struct walltime to;
    struct span error; // of a hop's duration; negative when it is not known
    bool slowest;
    bool foreign; // between clocks of others
};

struct page_life {
    struct walltime from;
    struct walltime to;
    struct life_step steps[LIFE_STEPS_MAXIMUM];
    size_t count;
    size_t left_out; // hops
};

// The probe as /api/v1/probes/ID tells it; steps of which no time is known are left out.
void page_life_read(struct page_life *life, const json_t *probe, struct walltime now);

// The hop that took longest, as far as its times allow to say so; NULL otherwise.
const struct life_step *page_life_slowest(const struct page_life *life);

// The row of one step; the date only where it is another one than that of the beginning.
void page_life_append(struct text *out, const struct page_life *life, size_t step);

#endif
