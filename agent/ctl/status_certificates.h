// The certificates that need to be replaced, for `status`.
#ifndef MAILFLOW_CTL_STATUS_CERTIFICATES_H
#define MAILFLOW_CTL_STATUS_CERTIFICATES_H

#include <jansson.h>

#include "base/instant.h"
#include "ctl/terminal.h"

// Prints nothing when all that have been seen are good.
void status_certificates(const json_t *certificates, struct walltime now,
                         const struct terminal *terminal);

#endif
