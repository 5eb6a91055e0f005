// What can be told of the certificate that our listeners show: whom it is for, and when it, or one
// of those that it comes with, ends. Read with GnuTLS, which libmicrohttpd brings along.
#ifndef MAILFLOW_SHELL_OWN_CERTIFICATE_H
#define MAILFLOW_SHELL_OWN_CERTIFICATE_H

#include "probes/certificate.h"

// Of a PEM file's content: ours first. `seen` when there is one; it counts as verified, which is
// for those to say who come.
void own_certificate_read(const char *pem, struct certificate *out);

#endif
