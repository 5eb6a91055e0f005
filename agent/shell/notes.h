// What was said of the parts of something that is read again and again (the events of a calendar,
// the silences of an Alertmanager): each is said at the first reading that finds it, and not again
// while the readings after it find it, too.
#ifndef MAILFLOW_SHELL_NOTES_H
#define MAILFLOW_SHELL_NOTES_H

#include <stdbool.h>
#include <stddef.h>

enum { NOTES_MAXIMUM = 64, NOTE_SUBJECT_SIZE = 256, NOTE_MESSAGE_SIZE = 512 };

struct note {
    char subject[NOTE_SUBJECT_SIZE]; // the event's UID, the silence's id
    char message[NOTE_MESSAGE_SIZE];
    bool unusable; // not merely worth a word
};

// Of one reading.
struct notes {
    struct note items[NOTES_MAXIMUM];
    size_t count;
};

// Keeps the note; true when it is to be said, for `last`, the reading before, has not had it.
bool notes_add(struct notes *notes, const struct notes *last, const char *subject,
               const char *message, bool unusable);

#endif
