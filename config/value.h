// One value of the configuration: from the text in the file into its field, and back.
#ifndef MAILFLOW_CONFIG_VALUE_H
#define MAILFLOW_CONFIG_VALUE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "config/keys.h"

// Reads a single value (any type before KEY_LIST) into the field; text goes into the arena. False
// with the reason, and the field as it was.
bool value_read(const struct key *key, const char *from, struct arena *arena, void *field,
                struct error *error);

// Appends the field's value as YAML.
void value_append(enum key_type type, const void *field, struct text *out);

// Appends the key's range in words ("1s to 1d", "at most 255 bytes"), nothing when it has none.
void value_append_range(const struct key *key, struct text *out);

// What a value of the type is called in the manual.
const char *value_type_name(enum key_type type);

#endif
