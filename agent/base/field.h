// Lists of fields as they stand in our headers: "name=value; name=value".
#ifndef MAILFLOW_BASE_FIELD_H
#define MAILFLOW_BASE_FIELD_H

#include <stdbool.h>

enum { FIELD_SIZE = 64 };

// Copies the value of the field with this name. False when it is missing, longer than a field may
// be, or there twice.
bool field_find(const char *list, const char *name, char value[FIELD_SIZE]);

#endif
