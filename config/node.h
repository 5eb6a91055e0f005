// A tree of maps, lists and text in which everything knows where it stands in the files.
//
// Nodes live in an arena and point to each other freely. A map holds every key once, in the order
// of the file.
#ifndef MAILFLOW_CONFIG_NODE_H
#define MAILFLOW_CONFIG_NODE_H

#include <stddef.h>

#include "base/arena.h"
#include "config/problem.h"

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    struct place at;
    struct place key_at; // members of a map
    const char *key;
    const char *text; // NODE_TEXT
    struct node *first;
    struct node *last;
    struct node *next;
    size_t count; // members of a list or map
};

const char *node_kind_name(enum node_kind kind);

// Puts a child that has no siblings yet at the end of a list or map.
void node_append(struct node *parent, struct node *child);

// The member of a map with this key, or NULL; of what is no map (or NULL) there is none.
struct node *node_member(const struct node *map, const char *key);

// Where the key stands, or the map that lacks it.
struct place node_place(const struct node *map, const char *key);

// Takes every key out of the map but the first of its name, and tells of each.
void node_drop_repeated(struct node *map, struct arena *arena, struct problem_list *problems);

#endif
