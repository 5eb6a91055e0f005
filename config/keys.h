// The one table of configuration keys. It is what reads, checks, prints and documents them: a key
// is one row in keys.c and one field in config.h.
#ifndef MAILFLOW_CONFIG_KEYS_H
#define MAILFLOW_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_type {
    // Texts, by what they must look like.
    KEY_TEXT,
    KEY_SERVER_NAME,
    KEY_LABEL,
    KEY_KEY_ID,
    KEY_HOST,
    KEY_ADDRESS,
    KEY_URL,
    KEY_LISTEN,
    KEY_HOST_PORT,
    KEY_PATH,
    KEY_LOCAL_TIME,
    KEY_ZONE,
    KEY_RECURRENCE,
    KEY_WINDOW_KIND,
    KEY_ALERT_LABEL,
    KEY_OAUTH_MECHANISM,
    KEY_CA_FILE,
    KEY_SECRET_FILE,
    // Other single values.
    KEY_BOOLEAN,
    KEY_PORT,
    KEY_NUMBER,
    KEY_SPAN,
    KEY_TLS,
    KEY_FACILITY,
    // What holds other values.
    KEY_LIST,   // of texts of type `item`
    KEY_MAP,    // the keys of `holds`
    KEY_MAPS,   // a list of such maps
    KEY_SHARED, // not a key of its own: every key of `holds` stands here as well
};

struct key {
    const char *name;
    enum key_type type;
    enum key_type item;
    const struct section *holds;
    size_t offset;        // of its field in the section's struct
    size_t count_offset;  // of the field that counts the members of a list
    size_t inherits;      // peers: the offset in struct settings of what holds when it is absent
    const char *fallback; // as it would be written; "" = none, NULL = the key is required
    const char *derived;  // the default in words, where it depends on other keys
    int64_t minimum;      // of numbers; of spans, in ns; of lists, the members
    int64_t maximum;      // likewise; of texts, the bytes
    const char *help;     // one sentence
    const char *example;  // where the default is none
};

// The keys of one map, and the struct that they fill.
struct section {
    const struct key *keys;
    size_t count;
    size_t size;
};

extern const struct section SETTINGS_SECTION;
extern const struct section PEER_SECTION;

// Bytes of one text in a list, and of one path.
enum { KEY_LIST_TEXT_MAXIMUM = 128, KEY_LIST_PATH_MAXIMUM = 255 };

// Whether its field is a `const char *`.
static inline bool key_is_text(enum key_type type)
{
    return type <= KEY_SECRET_FILE;
}

// The row of a key in a section, shared ones included, or NULL.
const struct key *key_find(const struct section *section, const char *name);

// The key of the section that was probably meant: at most two edits away. NULL when none is.
const char *key_suggest(const struct section *section, const char *name);

#endif
