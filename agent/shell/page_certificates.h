// The table of the certificates that the servers we speak TLS with have shown.
#ifndef MAILFLOW_SHELL_PAGE_CERTIFICATES_H
#define MAILFLOW_SHELL_PAGE_CERTIFICATES_H

#include "shell/agent.h"

size_t page_certificates_count(const struct agent *agent);

// Nothing for a place where no TLS is spoken, or where none has been seen yet.
void page_certificates_row(struct text *out, const struct agent *agent, size_t index,
                           struct moment now);

#endif
