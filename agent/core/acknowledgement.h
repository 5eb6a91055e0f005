// What one peer is known to know of our windows: for each, the highest revision that it has
// acknowledged and the one that it has refused. Only windows that we know ourselves are kept, so
// the table is no longer than theirs.
#ifndef MAILFLOW_CORE_ACKNOWLEDGEMENT_H
#define MAILFLOW_CORE_ACKNOWLEDGEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/announcement.h"
#include "core/window.h"

struct acknowledgement {
    char window[WINDOW_ID_SIZE];
    uint32_t known;   // revision, 0 for none
    uint32_t refused; // likewise
    char why[ANNOUNCED_WHY_SIZE];
};

struct acknowledgements {
    struct acknowledgement *items; // owned, ascending by window
    size_t count;
};

void acknowledgements_free(struct acknowledgements *acknowledgements);

// NULL when nothing is known of the window.
const struct acknowledgement *acknowledgements_find(const struct acknowledgements *acknowledgements,
                                                    const char *window);

// The revision of the window that has been acknowledged, 0 for none.
uint32_t acknowledgements_revision(const struct acknowledgements *acknowledgements,
                                   const char *window);

// The window as it is now has been acknowledged, or refused.
bool acknowledgements_cover(const struct acknowledgements *acknowledgements,
                            const struct window *window);
bool acknowledgements_refused(const struct acknowledgements *acknowledgements,
                              const struct window *window);

// The entry of the window, made when there is none.
struct acknowledgement *acknowledgements_of(struct acknowledgements *acknowledgements,
                                            const char *window);

// Drops what is about windows that are no longer known.
void acknowledgements_forget(struct acknowledgements *acknowledgements,
                             const struct windows *windows);

#endif
