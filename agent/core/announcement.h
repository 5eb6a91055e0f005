// The value of Mailflow-Maintenance: windows, those of the reader's that the writer knows, and
// those that it has refused.
//
//   Mailflow-Maintenance: w=ID/REVISION/SERVER/KIND/BEGIN/END/BY/REASON; ack=ID/REVISION;
//       no=ID/REVISION/WHY
//
// Times in unix microseconds of the writer's clock; KIND is r (routine) or e (emergency), with a c
// behind it when cancelled; BY, REASON and WHY percent-encoded. Items are in the order of their
// importance, and what does not fit is left out: it comes with a later probe. An item whose name is
// not known belongs to a later version and is passed over.
#ifndef MAILFLOW_CORE_ANNOUNCEMENT_H
#define MAILFLOW_CORE_ANNOUNCEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "core/window.h"

enum announced_kind { ANNOUNCED_WINDOW, ANNOUNCED_KNOWN, ANNOUNCED_REFUSED };

enum { ANNOUNCED_REASON_MAXIMUM = 80, ANNOUNCED_WHY_SIZE = 48 };

struct announced {
    enum announced_kind kind;
    struct window window;         // of the others only id and revision
    char why[ANNOUNCED_WHY_SIZE]; // refused
};

// Each appends one item, or nothing and returns false when it does not fit.
bool announcement_add_window(struct text *out, const struct window *window);
bool announcement_add_known(struct text *out, const char *window, uint32_t revision);
bool announcement_add_refused(struct text *out, const char *window, uint32_t revision,
                              const char *why);

// Takes the next item off the text. False at its end and, with a message, at an item that is
// malformed; the caller zeroes the error.
bool announcement_next(const char **at, struct announced *out, struct error *error);

#endif
