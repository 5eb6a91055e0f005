// A date and time as mail has it (RFC 5322 section 3.3, and what section 4.3 says of older mail):
// years of two or three digits, names of zones, comments anywhere. Pure, iterative.
#ifndef MAILFLOW_PROBES_COLLECT_MAIL_DATE_H
#define MAILFLOW_PROBES_COLLECT_MAIL_DATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"

// "Jan" and so on, without case, to 1 to 12; 0 for anything else.
int mail_month(const char *name, size_t length);

// None for what is no date, a day that the calendar has not, or a year before 1970 or after 2199.
struct walltime mail_date_read(const char *from, size_t length);

#endif
