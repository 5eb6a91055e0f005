// The fields of a header section (RFC 5322 section 2.2), one after the other, where they stand.
#ifndef MAILFLOW_PROBES_COLLECT_HEADER_FIELD_H
#define MAILFLOW_PROBES_COLLECT_HEADER_FIELD_H

#include "probes/collect/bytes.h"

struct header_field {
    struct bytes name;
    struct bytes value; // with its folding
};

// The next field, taken off the front; lines that are no field are passed over. False at the blank
// line that ends the section, which is taken too, and at the end of the bytes.
bool header_field_take(struct bytes *section, struct header_field *field);

bool header_field_is(const struct header_field *field, const char *name);

#endif
