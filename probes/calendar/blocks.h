// A calendar file (RFC 5545), cut into the pieces that are handed to libical one by one: its events
// and its time zones. So what is wrong in one piece spoils no other, every piece has its line, and
// libical, which nests as deep as its input does, sees nothing that nests deeper than it must.
#ifndef MAILFLOW_PROBES_CALENDAR_BLOCKS_H
#define MAILFLOW_PROBES_CALENDAR_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "probes/calendar.h"

enum { BLOCK_DEPTH_MAXIMUM = 6 }; // VCALENDAR, VEVENT, VALARM, and some air

enum block_kind { BLOCK_EVENT, BLOCK_ZONE };

struct block {
    enum block_kind kind;
    unsigned line;    // of its BEGIN, from 1
    const char *text; // unfolded, from BEGIN to END; not terminated
    size_t length;
    size_t calendar; // which of the file's
};

// What a VCALENDAR says of all that is in it.
struct block_calendar {
    bool cancelled;                // METHOD:CANCEL
    char zone[CALENDAR_ZONE_SIZE]; // X-WR-TIMEZONE, of times that name none
};

struct blocks {
    char *text; // owned, as are the two lists; the items point into it
    struct block *items;
    size_t count;
    struct block_calendar *calendars;
    size_t calendar_count;
};

// Takes the bytes (from malloc, terminated) over. False when they are not a whole calendar, with
// the reason and its line; blocks_free is due either way.
bool blocks_cut(struct blocks *blocks, char *bytes, size_t length, unsigned *line,
                struct error *error);

void blocks_free(struct blocks *blocks);

// The file's bytes, for the caller to free; NULL with the reason.
char *blocks_read_file(const char *path, size_t *length, struct error *error);

#endif
