#include "config/node.h"

#include <stdlib.h>
#include <string.h>

const char *node_kind_name(enum node_kind kind)
{
    static const char *const NAMES[] = {"text", "a list", "a map"};
    return NAMES[kind];
}

void node_append(struct node *parent, struct node *child)
{
    if (parent->last == NULL) {
        parent->first = child;
    } else {
        parent->last->next = child;
    }
    parent->last = child;
    parent->count++;
}

struct node *node_member(const struct node *map, const char *key)
{
    struct node *member = map != NULL && map->kind == NODE_MAP ? map->first : NULL;
    while (member != NULL && strcmp(member->key, key) != 0) {
        member = member->next;
    }
    return member;
}

struct place node_place(const struct node *map, const char *key)
{
    const struct node *member = node_member(map, key);
    return member == NULL ? map->at : member->at;
}

struct member {
    struct node *node;
    size_t order; // in the file
};

static int compare_members(const void *left, const void *right)
{
    const struct member *a = left;
    const struct member *b = right;
    int order = strcmp(a->node->key, b->node->key);
    return order != 0 ? order : a->order < b->order ? -1 : 1;
}

// The members in the order of their keys, so that a map of 100,000 of them is no trap.
static struct member *sorted_members(struct arena *arena, const struct node *map)
{
    struct member *members = arena_take(arena, map->count * sizeof *members);
    size_t count = 0;
    for (struct node *node = map->first; node != NULL; node = node->next) {
        members[count] = (struct member){node, count};
        count++;
    }
    qsort(members, count, sizeof *members, compare_members);
    return members;
}

// Takes out the members that have lost their key.
static void drop_keyless(struct node *map)
{
    struct node *member = map->first;
    map->first = map->last = NULL;
    map->count = 0;
    while (member != NULL) {
        struct node *next = member->next;
        member->next = NULL;
        if (member->key != NULL) {
            node_append(map, member);
        }
        member = next;
    }
}

void node_drop_repeated(struct node *map, struct arena *arena, struct problem_list *problems)
{
    struct member *members = sorted_members(arena, map);
    const struct node *kept = NULL;
    for (size_t i = 0; i < map->count; i++) {
        struct node *member = members[i].node;
        if (kept == NULL || strcmp(member->key, kept->key) != 0) {
            kept = member;
            continue;
        }
        problem_error(problems, member->key_at, "repeated key '%s' (first at line %u)",
                      problem_quote(member->key).text, kept->key_at.line);
        member->key = NULL;
    }
    drop_keyless(map);
}
