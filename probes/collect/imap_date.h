// The two dates by which an IMAP server knows when a message came, to the second: INTERNALDATE
// (RFC 3501), which a move to another folder keeps, and SAVEDATE (RFC 8514), which is when it came
// into this folder. libEtPan does not know the latter; it is taught here.
#ifndef MAILFLOW_PROBES_COLLECT_IMAP_DATE_H
#define MAILFLOW_PROBES_COLLECT_IMAP_DATE_H

#include <stddef.h>

#include "base/instant.h"

struct mailimap_date_time; // libEtPan's
struct mailimap_msg_att_item;

// WALLTIME_NONE for a date that is none, or outside of 1990 to 2200.
struct walltime imap_date_read(const struct mailimap_date_time *date);

// Lets libEtPan understand SAVEDATE in answers to FETCH; once per process.
void imap_date_teach(void);

// The item's SAVEDATE, WALLTIME_NONE when it is another item or NIL.
struct walltime imap_date_saved(const struct mailimap_msg_att_item *item);

#endif
