// What the fuzzers share. Each is one program, fuzz_NAME.c: whatever its input is, nothing may
// crash, leak, hang or grow; and what was read must hold what its module promises of it (assert).
//
// The first byte of most inputs says what the rest is, so that one fuzzer serves a whole module.
#ifndef MAILFLOW_TEST_FUZZ_H
#define MAILFLOW_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/mesh_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

// Where there is one, libFuzzer calls it first.
int LLVMFuzzerInitialize(int *count, char ***arguments);

// Of every mesh here.
extern const struct mesh_keys FUZZ_KEYS;

// The bytes as a text from malloc, as large as it must be and no larger; it ends at the first NUL.
char *fuzz_text(const uint8_t *bytes, size_t size);

// The same bytes without a NUL behind them, so that reading past their end is seen.
char *fuzz_bytes(const uint8_t *bytes, size_t size);

#endif
