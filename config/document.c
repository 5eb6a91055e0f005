#include "config/document.h"

#include <assert.h>
#include <string.h>
#include <yaml.h>

#include "base/error.h"

struct pending_key {
    const char *text; // NULL while the map waits for a key
    struct place at;
};

struct builder {
    struct arena *arena;
    const struct config_file *file;
    struct problem_list *problems;
    size_t nodes;
    unsigned documents;
    struct node *root;
    struct node *open[DOCUMENT_DEPTH_MAXIMUM]; // lists and maps not ended yet, outermost first
    struct pending_key keys[DOCUMENT_DEPTH_MAXIMUM];
    unsigned depth;
};

static struct place place_of(const struct builder *builder, yaml_mark_t mark)
{
    return (struct place){builder->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static bool builder_fails(struct builder *builder, struct place at, const char *why)
{
    problem_error(builder->problems, at, "%s", why);
    return false;
}

// The list or map that is open. Libyaml ends nothing that it did not begin.
static struct node *innermost(const struct builder *builder)
{
    assert(builder->depth > 0 && builder->open[builder->depth - 1] != NULL);
    return builder->open[builder->depth - 1];
}

// Takes a node that has begun: as a key, as a key's value, as an item, or as the whole.
static bool builder_place(struct builder *builder, struct node *node)
{
    if (builder->depth == 0) {
        builder->root = node;
        return true;
    }
    struct node *parent = innermost(builder);
    struct pending_key *key = &builder->keys[builder->depth - 1];
    if (parent->kind == NODE_MAP && key->text == NULL) {
        *key = (struct pending_key){node->text, node->at};
        return node->kind == NODE_TEXT || builder_fails(builder, node->at, "a key must be text");
    }
    if (parent->kind == NODE_MAP) {
        node->key = key->text;
        node->key_at = key->at;
        key->text = NULL;
    }
    node_append(parent, node);
    return true;
}

static struct node *builder_begin(struct builder *builder, enum node_kind kind, struct place at,
                                  const void *anchor, const void *tag)
{
    if (anchor != NULL || tag != NULL) {
        builder_fails(builder, at,
                      anchor != NULL ? "anchors (&) are not accepted here"
                                     : "tags (!) are not accepted here");
        return NULL;
    }
    if (++builder->nodes > DOCUMENT_NODES_MAXIMUM) {
        problem_error(builder->problems, at, "more than %d values", DOCUMENT_NODES_MAXIMUM);
        return NULL;
    }
    struct node *node = arena_take(builder->arena, sizeof *node);
    *node = (struct node){.kind = kind, .at = at, .text = ""};
    return node;
}

static bool builder_text(struct builder *builder, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    struct place at = place_of(builder, event->start_mark);
    struct node *node =
        builder_begin(builder, NODE_TEXT, at, event->data.scalar.anchor, event->data.scalar.tag);
    if (node == NULL) {
        return false;
    }
    if (strlen(value) != event->data.scalar.length) {
        return builder_fails(builder, at, "text with a NUL byte in it");
    }
    node->text = arena_copy_text(builder->arena, value);
    return builder_place(builder, node);
}

static bool builder_open(struct builder *builder, enum node_kind kind, struct place at,
                         const void *anchor, const void *tag)
{
    struct node *node = builder_begin(builder, kind, at, anchor, tag);
    if (node == NULL || !builder_place(builder, node)) {
        return false;
    }
    if (builder->depth == DOCUMENT_DEPTH_MAXIMUM) {
        problem_error(builder->problems, at, "nested more than %d deep", DOCUMENT_DEPTH_MAXIMUM);
        return false;
    }
    builder->keys[builder->depth].text = NULL;
    builder->open[builder->depth++] = node;
    return true;
}

static bool builder_take(struct builder *builder, const yaml_event_t *event)
{
    struct place at = place_of(builder, event->start_mark);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return builder->documents++ == 0 ||
               builder_fails(builder, at, "a second document: one file holds one");
    case YAML_ALIAS_EVENT:
        return builder_fails(builder, at, "aliases (*) are not accepted here");
    case YAML_SCALAR_EVENT:
        return builder_text(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        return builder_open(builder, NODE_LIST, at, event->data.sequence_start.anchor,
                            event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return builder_open(builder, NODE_MAP, at, event->data.mapping_start.anchor,
                            event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
        builder->depth--;
        return true;
    case YAML_MAPPING_END_EVENT:
        node_drop_repeated(innermost(builder), builder->arena, builder->problems);
        builder->depth--;
        return true;
    default:
        return true;
    }
}

// What libyaml's reader refuses (bad UTF-8, control bytes) it places by byte offset only.
static struct place place_of_offset(const struct config_file *file, const char *bytes,
                                    size_t offset)
{
    struct place at = {file, 1, 1};
    for (size_t i = 0; i < offset; i++) {
        bool continuation = ((unsigned char)bytes[i] & 0xC0) == 0x80;
        at.column += continuation ? 0 : 1;
        if (bytes[i] == '\n') {
            at.line++;
            at.column = 1;
        }
    }
    return at;
}

static void report_syntax(struct builder *builder, const yaml_parser_t *parser, const char *bytes,
                          size_t length)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        memory_checked(NULL);
    }
    if (parser->error == YAML_READER_ERROR) {
        size_t offset = parser->problem_offset < length ? parser->problem_offset : length;
        problem_error(builder->problems, place_of_offset(builder->file, bytes, offset), "%s",
                      parser->problem);
        return;
    }
    struct place at = place_of(builder, parser->problem_mark);
    size_t offset = parser->problem_mark.index;
    if (offset < length && bytes[offset] == '\t') {
        problem_error(builder->problems, at, "a tab: YAML is indented with blanks");
        return;
    }
    problem_error(builder->problems, at, "%s%s%s", parser->problem,
                  parser->context == NULL ? "" : " ",
                  parser->context == NULL ? "" : parser->context);
}

static bool builder_run(struct builder *builder, yaml_parser_t *parser, const char *bytes,
                        size_t length)
{
    bool good = true;
    bool ended = false;
    while (good && !ended) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            report_syntax(builder, parser, bytes, length);
            return false;
        }
        good = builder_take(builder, &event);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return good;
}

struct node *document_parse(struct arena *arena, const struct config_file *file, const char *bytes,
                            size_t length, size_t *nodes, struct problem_list *problems)
{
    struct builder builder = {.arena = arena, .file = file, .problems = problems, .nodes = *nodes};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        memory_checked(NULL);
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, length);
    bool good = builder_run(&builder, &parser, bytes, length);
    yaml_parser_delete(&parser);
    *nodes = builder.nodes;
    if (!good) {
        return NULL;
    }
    bool empty =
        builder.root == NULL || (builder.root->kind == NODE_TEXT && builder.root->text[0] == '\0');
    if (empty) {
        builder.root = arena_take(arena, sizeof *builder.root);
        *builder.root = (struct node){.kind = NODE_MAP, .at = {file, 1, 1}, .text = ""};
    }
    return builder.root;
}
