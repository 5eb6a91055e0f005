// What the receiving server has found of a path's probes by SPF, DKIM and DMARC (RFC 8601), and
// whether that has turned. Pure.
//
// A method turns when it has passed and now does not. A server that cannot say for the moment
// (temperror) is believed only when it says so AUTH_UNSURE times in a row; a header that says
// nothing of a method says nothing. It has recovered after so many passes in a row; of one that
// nothing has been said of AUTH_UNTOLD times in a row nobody knows any more, and it is let go.
#ifndef MAILFLOW_CORE_AUTH_MEMORY_H
#define MAILFLOW_CORE_AUTH_MEMORY_H

#include <stdbool.h>

#include "probes/trace.h"

enum { AUTH_UNSURE = 3, AUTH_UNTOLD = 10, AUTH_JUDGED = AUTH_DMARC + 1 };

struct auth_memory {
    enum auth_result last[AUTH_METHODS]; // the newest that was not absent
    unsigned passed;                     // bits: has ever passed
    unsigned failing;                    // bits: has turned and not recovered
    unsigned passes[AUTH_JUDGED];        // in a row, of what has turned
    unsigned unsure[AUTH_JUDGED];        // temperrors in a row, up to AUTH_UNSURE
    unsigned untold[AUTH_JUDGED]; // of this run only: arrivals in a row that say nothing of it
};

// An arrival. `recovered_after`: so many passes in a row. True when it lets go what had turned, for
// nothing is said of it any more.
bool auth_memory_note(struct auth_memory *memory, const struct authentication *found,
                      unsigned recovered_after);

// The first method that fails in this very arrival and has turned; -1 for none.
int auth_memory_turned(const struct auth_memory *memory, const struct authentication *found);

#endif
