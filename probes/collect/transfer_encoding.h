// Content-Transfer-Encoding (RFC 2045 section 6), undone in place: what is decoded is never longer.
#ifndef MAILFLOW_PROBES_COLLECT_TRANSFER_ENCODING_H
#define MAILFLOW_PROBES_COLLECT_TRANSFER_ENCODING_H

#include <stddef.h>

#include "probes/collect/bytes.h"

// Decodes what the name says, else leaves the bytes as they are; returns their new length. What is
// not of the encoding is passed over (base64) or kept (quoted-printable).
size_t transfer_decode(char *bytes, size_t length, struct bytes encoding);

#endif
