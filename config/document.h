// One YAML file as a tree of nodes.
//
// Of YAML only what a configuration needs: one document of maps, lists and text. Aliases, anchors
// and tags are refused. The tree is built from libyaml's events and not from its documents, which
// take 13 s for 80,000 anchors and 270 MB for 1 MiB of question marks (measured, 0.2.5).
#ifndef MAILFLOW_CONFIG_DOCUMENT_H
#define MAILFLOW_CONFIG_DOCUMENT_H

#include <stddef.h>

#include "base/arena.h"
#include "config/node.h"
#include "config/problem.h"

enum {
    DOCUMENT_DEPTH_MAXIMUM = 16,
    DOCUMENT_NODES_MAXIMUM = 300000, // in all files together
};

// Parses the bytes into a tree in the arena, and adds its nodes to *nodes. NULL with a problem when
// it is not good YAML to its end; repeated keys are problems, but not of that kind. An empty file
// is an empty map.
struct node *document_parse(struct arena *arena, const struct config_file *file, const char *bytes,
                            size_t length, size_t *nodes, struct problem_list *problems);

#endif
