#include "core/acknowledgement.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

void acknowledgements_free(struct acknowledgements *acknowledgements)
{
    free(acknowledgements->items);
    *acknowledgements = (struct acknowledgements){0};
}

// The place of the first entry that is not before the window.
static size_t place_of(const struct acknowledgements *acknowledgements, const char *window)
{
    size_t low = 0, high = acknowledgements->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(acknowledgements->items[middle].window, window) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct acknowledgement *acknowledgements_find(const struct acknowledgements *acknowledgements,
                                                    const char *window)
{
    size_t place = place_of(acknowledgements, window);
    bool there = place < acknowledgements->count &&
                 strcmp(acknowledgements->items[place].window, window) == 0;
    return there ? &acknowledgements->items[place] : NULL;
}

struct acknowledgement *acknowledgements_of(struct acknowledgements *acknowledgements,
                                            const char *window)
{
    size_t count = acknowledgements->count, place = place_of(acknowledgements, window);
    if (place < count && strcmp(acknowledgements->items[place].window, window) == 0) {
        return &acknowledgements->items[place];
    }
    if ((count & (count - 1)) == 0) { // full at every power of two
        size_t size = (count == 0 ? 1 : count * 2) * sizeof *acknowledgements->items;
        acknowledgements->items = memory_checked(realloc(acknowledgements->items, size));
    }
    struct acknowledgement *made = &acknowledgements->items[place];
    memmove(made + 1, made, (count - place) * sizeof *made);
    acknowledgements->count++;
    *made = (struct acknowledgement){0};
    text_copy(made->window, sizeof made->window, window);
    return made;
}

void acknowledgements_forget(struct acknowledgements *acknowledgements,
                             const struct windows *windows)
{
    size_t kept = 0;
    for (size_t i = 0; i < acknowledgements->count; i++) {
        if (windows_find(windows, acknowledgements->items[i].window) != NULL) {
            acknowledgements->items[kept++] = acknowledgements->items[i];
        }
    }
    acknowledgements->count = kept;
}

uint32_t acknowledgements_revision(const struct acknowledgements *acknowledgements,
                                   const char *window)
{
    const struct acknowledgement *entry = acknowledgements_find(acknowledgements, window);
    return entry == NULL ? 0 : entry->known;
}

bool acknowledgements_cover(const struct acknowledgements *acknowledgements,
                            const struct window *window)
{
    return acknowledgements_revision(acknowledgements, window->id) >= window->revision;
}

bool acknowledgements_refused(const struct acknowledgements *acknowledgements,
                              const struct window *window)
{
    const struct acknowledgement *entry = acknowledgements_find(acknowledgements, window->id);
    return entry != NULL && entry->refused >= window->revision;
}
