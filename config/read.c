#include "config/read.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "config/keys.h"
#include "config/value.h"

static void set_defaults(const struct reading *reading, const struct section *section, char *base);
static void read_map(struct reading *reading, const struct section *section, const struct node *map,
                     char *base);

// The table's own defaults are written like anyone's; one that cannot be read is a bug in it.
static void set_default_value(const struct reading *reading, const struct key *key, void *field)
{
    bool none = key->fallback == NULL || key->fallback[0] == '\0';
    if (!none) {
        struct error error;
        bool good = value_read(key, key->fallback, reading->arena, field, &error);
        assert(good);
        (void)good;
    } else if (key_is_text(key->type)) {
        *(const char **)field = "";
    }
}

static struct key item_of(const struct key *list)
{
    return (struct key){.name = list->name,
                        .type = list->item,
                        .maximum =
                            list->item == KEY_PATH ? KEY_LIST_PATH_MAXIMUM : KEY_LIST_TEXT_MAXIMUM,
                        .fallback = list->fallback};
}

static void set_default_list(const struct reading *reading, const struct key *key, char *base)
{
    struct key item = item_of(key);
    if (key->fallback[0] == '\0') {
        return; // nothing in it
    }
    const char **only = arena_take(reading->arena, sizeof *only);
    set_default_value(reading, &item, only);
    *(const char *const **)(void *)(base + key->offset) = only;
    *(size_t *)(void *)(base + key->count_offset) = 1;
}

static void set_default(const struct reading *reading, const struct key *key, char *base)
{
    char *field = base + key->offset;
    if (key->inherits != 0) {
        memcpy(field, (const char *)reading->settings + key->inherits, key->holds->size);
    } else if (key->type == KEY_MAP || key->type == KEY_SHARED) {
        set_defaults(reading, key->holds, field);
    } else if (key->type == KEY_LIST) {
        set_default_list(reading, key, base);
    } else if (key->type != KEY_MAPS) {
        set_default_value(reading, key, field);
    }
}

static void set_defaults(const struct reading *reading, const struct section *section, char *base)
{
    for (size_t i = 0; i < section->count; i++) {
        set_default(reading, &section->keys[i], base);
    }
}

// Whether the node is of the kind that the key wants; otherwise that is a problem.
static bool expect_kind(struct reading *reading, const struct key *key, const struct node *node,
                        enum node_kind kind)
{
    if (node->kind == NODE_TEXT && node->text[0] == '\0') {
        problem_error(reading->problems, node->at, "%s: has no value", key->name);
        return false;
    }
    if (node->kind != kind) {
        problem_error(reading->problems, node->at, "%s: must be %s, not %s", key->name,
                      node_kind_name(kind), node_kind_name(node->kind));
        return false;
    }
    return true;
}

static void read_value(struct reading *reading, const struct key *key, const struct node *node,
                       void *field)
{
    struct error error;
    if (expect_kind(reading, key, node, NODE_TEXT) &&
        !value_read(key, node->text, reading->arena, field, &error)) {
        problem_error(reading->problems, node->at, "%s: %s", key->name, error.message);
    }
}

static bool expect_list(struct reading *reading, const struct key *key, const struct node *node)
{
    if (!expect_kind(reading, key, node, NODE_LIST)) {
        return false;
    }
    if ((int64_t)node->count < key->minimum) {
        problem_error(reading->problems, node->at, "%s: is empty", key->name);
        return false;
    }
    if ((int64_t)node->count > key->maximum) {
        problem_error(reading->problems, node->at, "%s: %zu members are more than %" PRId64,
                      key->name, node->count, key->maximum);
        return false;
    }
    return true;
}

static void read_list(struct reading *reading, const struct key *key, const struct node *list,
                      char *base)
{
    if (!expect_list(reading, key, list)) {
        return;
    }
    struct key item = item_of(key);
    const char **items = arena_take(reading->arena, list->count * sizeof *items);
    size_t count = 0;
    for (const struct node *node = list->first; node != NULL; node = node->next) {
        items[count] = "";
        read_value(reading, &item, node, &items[count++]);
    }
    *(const char *const **)(void *)(base + key->offset) = items;
    *(size_t *)(void *)(base + key->count_offset) = count;
}

// The n-th member of the list fills the n-th struct, even when it is not a map.
static void read_maps(struct reading *reading, const struct key *key, const struct node *list,
                      char *base)
{
    if (!expect_list(reading, key, list)) {
        return;
    }
    char *items = arena_take(reading->arena, list->count * key->holds->size);
    char *item = items;
    for (const struct node *node = list->first; node != NULL; node = node->next) {
        set_defaults(reading, key->holds, item);
        if (node->kind == NODE_MAP) {
            read_map(reading, key->holds, node, item);
        } else {
            problem_error(reading->problems, node->at, "%s: a member must be a map, not %s",
                          key->name, node_kind_name(node->kind));
        }
        item += key->holds->size;
    }
    *(void **)(void *)(base + key->offset) = items;
    *(size_t *)(void *)(base + key->count_offset) = list->count;
}

// A map that would be inherited whole starts anew when it is given: no password may travel to
// another host.
static void read_inner_map(struct reading *reading, const struct key *key, const struct node *map,
                           char *base)
{
    if (key->inherits != 0) {
        set_defaults(reading, key->holds, base + key->offset);
    }
    if (expect_kind(reading, key, map, NODE_MAP)) {
        read_map(reading, key->holds, map, base + key->offset);
    }
}

static void read_keys(struct reading *reading, const struct section *section,
                      const struct node *map, char *base)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct key *key = &section->keys[i];
        const struct node *node = node_member(map, key->name);
        if (key->type == KEY_SHARED) {
            read_keys(reading, key->holds, map, base + key->offset);
        } else if (node == NULL) {
            if (key->fallback == NULL && !reading->incomplete) {
                problem_error(reading->problems, map->at, "required key '%s' is missing",
                              key->name);
            }
        } else if (key->type == KEY_MAP) {
            read_inner_map(reading, key, node, base);
        } else if (key->type == KEY_MAPS) {
            read_maps(reading, key, node, base);
        } else if (key->type == KEY_LIST) {
            read_list(reading, key, node, base);
        } else {
            read_value(reading, key, node, base + key->offset);
        }
    }
}

static void report_unknown_keys(struct reading *reading, const struct section *section,
                                const struct node *map)
{
    for (const struct node *node = map->first; node != NULL; node = node->next) {
        if (key_find(section, node->key) != NULL) {
            continue;
        }
        const char *meant = key_suggest(section, node->key);
        struct quoted key = problem_quote(node->key);
        if (meant != NULL) {
            problem_error(reading->problems, node->key_at, "unknown key '%s' (did you mean '%s'?)",
                          key.text, meant);
        } else {
            problem_error(reading->problems, node->key_at, "unknown key '%s'", key.text);
        }
    }
}

static void read_map(struct reading *reading, const struct section *section, const struct node *map,
                     char *base)
{
    read_keys(reading, section, map, base);
    report_unknown_keys(reading, section, map);
}

void settings_read(struct reading *reading, const struct node *root)
{
    set_defaults(reading, &SETTINGS_SECTION, (char *)reading->settings);
    read_map(reading, &SETTINGS_SECTION, root, (char *)reading->settings);
}
