#include "config/list_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "config/document.h"
#include "config/file.h"
#include "config/keys.h"
#include "config/target.h"
#include "config/value.h"

static const char LABELS_OF_OURS[] = "mailflow_";

enum label { LABEL_SERVER, LABEL_ADDRESS, LABEL_AGENT, LABEL_MAIL_SERVER, LABELS };

static const char *const LABEL_NAMES[LABELS] = {"mailflow_server", "mailflow_address",
                                                "mailflow_agent", "mailflow_mail_server"};

// One file that is being read.
struct list_reader {
    uint32_t index; // of the list
    bool srv;
    const struct peer_source_settings *source;
    struct arena *arena;
    struct listed_servers *servers;
    struct problem_list *problems;
    const struct node *labels[LABELS]; // of the group; NULL where it has none
};

void listed_servers_add(struct listed_servers *servers, const struct listed_server *server)
{
    if (servers->count == servers->room) {
        servers->room = servers->room == 0 ? 64 : 2 * servers->room;
        size_t size = servers->room * sizeof *servers->items;
        servers->items = memory_checked(realloc(servers->items, size));
    }
    servers->items[servers->count++] = *server;
}

// ---- one target ----

// What the label says, or else what the template makes of the target, as a value of this key of a
// peer.
static bool derive(struct list_reader *reader, enum label label, const char *key,
                   const char *template, enum template_kind kind, const struct node *node,
                   const struct target *target, const char **out)
{
    char made[1024];
    struct text text = TEXT_OVER(made);
    struct error error;
    const struct node *given = reader->labels[label];
    *out = "";
    if (given != NULL) {
        node = given;
        text_append(&text, given->text);
    } else if (!template_expand(template, kind, target, &text, &error)) {
        problem_error(reader->problems, node->at, "%s: %s", key, error.message);
        return false;
    }
    if (made[0] == '\0' && label > LABEL_ADDRESS) {
        return true; // none
    }
    bool good = value_read(key_find(&PEER_SECTION, key), made, reader->arena, out, &error);
    if (!good) {
        problem_error(reader->problems, node->at, "%s: %s", given == NULL ? key : given->key,
                      error.message);
    }
    return good;
}

static void read_target(struct list_reader *reader, const struct node *node)
{
    const struct peer_source_settings *source = reader->source;
    struct listed_server server = {.list = reader->index, .line = reader->srv ? 0 : node->at.line};
    struct target target;
    struct error error;
    if (node->kind != NODE_TEXT) {
        problem_error(reader->problems, node->at, "a target must be text, not %s",
                      node_kind_name(node->kind));
        return;
    }
    if (!target_parse(node->text, &target, &error)) {
        problem_error(reader->problems, node->at, "target: %s", error.message);
        return;
    }
    bool named = derive(reader, LABEL_SERVER, "name", source->name, TEMPLATE_NAME, node, &target,
                        &server.name);
    target.name = server.name;
    if (named &&
        derive(reader, LABEL_ADDRESS, "address", source->address, TEMPLATE_ADDRESS, node, &target,
               &server.address) &&
        derive(reader, LABEL_AGENT, "agent", source->agent, TEMPLATE_AGENT, node, &target,
               &server.agent) &&
        derive(reader, LABEL_MAIL_SERVER, "mail_server", "", TEMPLATE_AGENT, node, &target,
               &server.mail_server)) {
        listed_servers_add(reader->servers, &server);
    }
}

// ---- groups ----

static bool is_ours(const char *label)
{
    return strncmp(label, LABELS_OF_OURS, strlen(LABELS_OF_OURS)) == 0;
}

static void take_label(struct list_reader *reader, const struct node *label)
{
    enum label which = LABEL_SERVER;
    while (which < LABELS && strcmp(label->key, LABEL_NAMES[which]) != 0) {
        which++;
    }
    if (which == LABELS) {
        const char *meant = suggest_nearest(label->key, LABEL_NAMES, LABELS);
        problem_error(reader->problems, label->key_at, "unknown label '%s'%s%s%s",
                      problem_quote(label->key).text, meant == NULL ? "" : " (did you mean '",
                      meant == NULL ? "" : meant, meant == NULL ? "" : "'?)");
    } else if (label->kind != NODE_TEXT) {
        problem_error(reader->problems, label->at, "%s: must be text, not %s", label->key,
                      node_kind_name(label->kind));
    } else {
        reader->labels[which] = label;
    }
}

static void read_labels(struct list_reader *reader, const struct node *labels)
{
    if (labels->kind != NODE_MAP) {
        problem_error(reader->problems, labels->at, "labels: must be a map, not %s",
                      node_kind_name(labels->kind));
        return;
    }
    for (const struct node *label = labels->first; label != NULL; label = label->next) {
        if (is_ours(label->key)) {
            take_label(reader, label);
        }
    }
}

static void read_group(struct list_reader *reader, const struct node *group)
{
    const struct node *targets = node_member(group, "targets");
    const struct node *labels = node_member(group, "labels");
    memset(reader->labels, 0, sizeof reader->labels);
    if (group->kind != NODE_MAP) {
        problem_error(reader->problems, group->at, "a group must be a map, not %s",
                      node_kind_name(group->kind));
        return;
    }
    for (const struct node *member = group->first; member != NULL; member = member->next) {
        if (member != targets && member != labels) {
            problem_error(reader->problems, member->key_at,
                          "unknown key '%s': a group has targets and labels",
                          problem_quote(member->key).text);
        }
    }
    if (labels != NULL) {
        read_labels(reader, labels);
    }
    if (targets == NULL || targets->kind != NODE_LIST) {
        problem_error(reader->problems, targets == NULL ? group->at : targets->at,
                      "targets: must be a list of hosts");
        return;
    }
    for (const struct node *node = targets->first; node != NULL; node = node->next) {
        read_target(reader, node);
        if (reader->servers->count > LISTED_SERVERS_MAXIMUM) {
            problem_error(reader->problems, node->at, "more than %d servers in all lists",
                          LISTED_SERVERS_MAXIMUM);
            return;
        }
    }
}

static void read_groups(struct list_reader *reader, const struct node *groups)
{
    if (groups->kind != NODE_LIST) {
        problem_error(reader->problems, groups->at,
                      "it must be a list of groups, and is %s: where there is no server it is []",
                      groups->kind == NODE_MAP && groups->count == 0
                          ? "empty"
                          : node_kind_name(groups->kind));
        return;
    }
    for (const struct node *group = groups->first;
         group != NULL && reader->servers->count <= LISTED_SERVERS_MAXIMUM; group = group->next) {
        read_group(reader, group);
    }
}

bool list_file_read(const struct peer_list *list, uint32_t index, const struct config_file *file,
                    const struct peer_source_settings *source, struct arena *arena,
                    struct listed_servers *servers, struct problem_list *problems)
{
    struct error error;
    struct stat what;
    size_t length, nodes = 0;
    char *bytes = file_read(file->path, LIST_BYTES_MAXIMUM, &length, &what, &error);
    if (bytes == NULL) {
        problem_error(problems, (struct place){.file = file}, "%s", error.message);
        return false;
    }
    struct arena *nodes_arena = arena_create();
    struct node *groups = document_parse(nodes_arena, file, bytes, length, &nodes, problems);
    free(bytes);
    if (groups != NULL) {
        struct list_reader reader = {index, list->srv, source, arena, servers, problems, {NULL}};
        read_groups(&reader, groups);
    }
    arena_destroy(nodes_arena);
    return problems->found->errors == 0;
}
