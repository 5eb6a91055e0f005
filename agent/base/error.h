// Why we could not do our job, in words for the operator. The caller owns it (usually on its stack,
// zeroed); a callee writes it only when it fails, and each level may put its subject in front.
// How the *mail system* failed is not an error but a result: see probes/probe.h.
#ifndef MAILFLOW_BASE_ERROR_H
#define MAILFLOW_BASE_ERROR_H

#include <stdbool.h>

struct error {
    char message[512];
};

// Sets the message and returns false, so that `return error_set(...)` reads as what it does.
bool error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Puts "prefix: " in front of the message and returns false.
bool error_prefix(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Out of memory ends the process here, in one place: an agent that cannot allocate cannot judge.
void *memory_checked(void *pointer);

#endif
