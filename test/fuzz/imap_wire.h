// An IMAP server for a fuzzer: the collector's connection without a network, on a clock of its own.
//
// The linker puts this in place of what resolves, connects, sends, receives, waits, tells the time
// and prints. Bytes come off the script in pieces of all sizes; its end is the end of the
// connection. A byte 1 in the script stands for the tag of the last command, so that a script need
// not know it; a byte 2 ends what is there now: it comes when the collector next waits.
#ifndef MAILFLOW_TEST_FUZZ_IMAP_WIRE_H
#define MAILFLOW_TEST_FUZZ_IMAP_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"

enum imap_wire_byte { IMAP_WIRE_TAG = 1, IMAP_WIRE_WAIT = 2 };

void imap_wire_begin(const uint8_t *script, size_t size);

// The clock stands there from now on.
void imap_wire_advance(struct instant to);

// How often a connection was made.
unsigned imap_wire_connections(void);

#endif
