// Memory that is given back all at once: what one configuration snapshot is made of.
#ifndef MAILFLOW_BASE_ARENA_H
#define MAILFLOW_BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_create(void);

// Wiped first: the passwords of a snapshot are among it.
void arena_destroy(struct arena *arena);

// Zeroed, aligned for anything, never NULL.
void *arena_take(struct arena *arena, size_t size);

// A copy that lives as long as the arena.
const char *arena_copy_text(struct arena *arena, const char *text);

#endif
