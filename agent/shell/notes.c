#include "shell/notes.h"

#include <string.h>

#include "base/text.h"

static bool has(const struct notes *notes, const char *subject, const char *message)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (strcmp(notes->items[i].subject, subject) == 0 &&
            strcmp(notes->items[i].message, message) == 0) {
            return true;
        }
    }
    return false;
}

bool notes_add(struct notes *notes, const struct notes *last, const char *subject,
               const char *message, bool unusable)
{
    if (notes->count == NOTES_MAXIMUM || has(notes, subject, message)) {
        return false;
    }
    struct note *note = &notes->items[notes->count++];
    text_copy(note->subject, sizeof note->subject, subject);
    text_copy(note->message, sizeof note->message, message);
    note->unusable = unusable;
    return !has(last, subject, message);
}
