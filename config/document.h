// One YAML file as a tree of nodes that know where they stand.
//
// Of YAML only what a configuration needs: one document of maps, lists and text. Aliases, anchors
// and tags are refused. The tree is built from libyaml's events and not from its documents, which
// take 13 s for 80,000 anchors and 270 MB for 1 MiB of question marks (measured, 0.2.5).
#ifndef MAILFLOW_CONFIG_DOCUMENT_H
#define MAILFLOW_CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "config/problem.h"

enum {
    DOCUMENT_DEPTH_MAXIMUM = 16,
    DOCUMENT_NODES_MAXIMUM = 300000, // in all files together
};

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

// Maps hold every key once, in the order of the file (a repeated one is a problem and left out).
// Everything lives in the arena given.
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

// Parses the bytes and counts their nodes into *nodes. NULL with a problem when it is not good YAML
// to its end; repeated keys are problems, but not of that kind. An empty file is an empty map.
struct node *document_parse(struct arena *arena, const struct config_file *file, const char *bytes,
                            size_t length, size_t *nodes, struct problem_list *problems);

// The member of a map with this key, or NULL.
struct node *node_member(const struct node *map, const char *key);

// Puts a child that has no siblings yet at the end of a list or map.
void node_append(struct node *parent, struct node *child);

const char *node_kind_name(enum node_kind kind);

#endif
