// The manual page of the configuration, printed from the table that reads it.
#ifndef MAILFLOW_CONFIG_REFERENCE_H
#define MAILFLOW_CONFIG_REFERENCE_H

#include <stdio.h>

// As Markdown; config/REFERENCE.md is this, checked in.
void reference_print(FILE *out);

#endif
