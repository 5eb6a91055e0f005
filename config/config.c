#include "config/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "config/document.h"
#include "config/file.h"
#include "config/keys.h"
#include "config/lists.h"
#include "config/problem.h"
#include "config/read.h"

enum { FILE_BYTES_MAXIMUM = 1024 * 1024, CONF_D_FILES_MAXIMUM = 100 };

// The files of one load, and what has been read of them so far.
struct loading {
    struct arena *arena; // of the nodes
    struct problem_list problems;
    struct config_file main;
    struct config_file directory; // conf.d
    struct config_file files[CONF_D_FILES_MAXIMUM];
    size_t file_count;
    size_t nodes;
    struct node *root;
    bool incomplete;
};

static void loading_fails(struct loading *loading, const struct config_file *file, const char *why)
{
    problem_error(&loading->problems, (struct place){.file = file}, "%s", why);
    loading->incomplete = true;
}

static void merge_maps(struct loading *loading, const struct section *section, struct node *into,
                       struct node *from);

static void merge_member(struct loading *loading, const struct section *section, struct node *into,
                         struct node *member)
{
    const struct key *key = key_find(section, member->key);
    struct node *there = key == NULL ? NULL : node_member(into, member->key);
    if (there == NULL) {
        node_append(into, member);
    } else if (key->type == KEY_MAP && there->kind == NODE_MAP && member->kind == NODE_MAP) {
        merge_maps(loading, key->holds, there, member);
    } else if (there->kind == NODE_LIST && member->kind == NODE_LIST) {
        for (struct node *item = member->first, *next; item != NULL; item = next) {
            next = item->next;
            item->next = NULL;
            node_append(there, item);
        }
    } else {
        problem_error(&loading->problems, member->key_at, "'%s' is given twice: first at %s:%u:%u",
                      key->name, there->key_at.file->path, there->key_at.line,
                      there->key_at.column);
    }
}

// Puts what a further file says beside what is there: maps merge, lists go on, a value given twice
// is an error.
static void merge_maps(struct loading *loading, const struct section *section, struct node *into,
                       struct node *from)
{
    for (struct node *member = from->first, *next; member != NULL; member = next) {
        next = member->next;
        member->next = NULL;
        merge_member(loading, section, into, member);
    }
}

static void merge_document(struct loading *loading, struct node *document)
{
    if (document->kind != NODE_MAP) {
        problem_error(&loading->problems, document->at, "the file must be a map of keys, not %s",
                      node_kind_name(document->kind));
        loading->incomplete = true;
    } else if (loading->root == NULL) {
        loading->root = document;
    } else {
        merge_maps(loading, &SETTINGS_SECTION, loading->root, document);
    }
}

static void load_file(struct loading *loading, const struct config_file *file)
{
    struct error error;
    struct stat what;
    size_t length;
    char *bytes = file_read(file->path, FILE_BYTES_MAXIMUM, &length, &what, &error);
    if (bytes == NULL) {
        loading_fails(loading, file, error.message);
        return;
    }
    struct node *document =
        document_parse(loading->arena, file, bytes, length, &loading->nodes, &loading->problems);
    free(bytes);
    if (document == NULL) {
        loading->incomplete = true;
    } else {
        merge_document(loading, document);
    }
}

bool config_exists(const char *file)
{
    return access(file, F_OK) == 0 || errno != ENOENT;
}

// That of somebody who has only installed it is missing: where it comes from is said with it.
static void load_main(struct loading *loading)
{
    if (!config_exists(loading->main.path)) {
        loading_fails(loading, &loading->main,
                      "No such file or directory. Nothing is set up yet? mailflowctl setup, or "
                      "mailflowctl join into a mesh that is there");
    } else {
        load_file(loading, &loading->main);
    }
}

// How much of the path stands before the file's name: nothing, or up to the last slash.
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash + 1 - path);
}

// The directory's first `length` bytes (its slash among them, if it has any) and the name.
static const char *join_path(struct arena *arena, const char *directory, size_t length,
                             const char *name)
{
    size_t size = strlen(name) + 1;
    char *path = arena_take(arena, length + size);
    memcpy(path, directory, length);
    memcpy(path + length, name, size);
    return path;
}

static bool names_yaml(const char *name)
{
    size_t length = strlen(name);
    return name[0] != '.' && length > strlen(".yaml") &&
           strcmp(name + length - strlen(".yaml"), ".yaml") == 0;
}

static int compare_files(const void *left, const void *right)
{
    const struct config_file *a = left;
    const struct config_file *b = right;
    return strcmp(a->path, b->path);
}

static void take_conf_d_names(struct loading *loading, DIR *directory)
{
    const char *path = loading->directory.path;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (!names_yaml(entry->d_name)) {
            continue;
        }
        if (loading->file_count == CONF_D_FILES_MAXIMUM) {
            loading_fails(loading, &loading->directory, "more than 100 files");
            return;
        }
        const char *slashed = join_path(loading->arena, path, strlen(path), "/");
        loading->files[loading->file_count++].path =
            join_path(loading->arena, slashed, strlen(slashed), entry->d_name);
    }
}

// Finds conf.d/*.yaml beside the main file, in the order of their names. That there is none is
// usual.
static void find_conf_d(struct loading *loading)
{
    const char *file = loading->main.path;
    loading->directory.path = join_path(loading->arena, file, folder_length(file), "conf.d");
    loading->directory.order = 1;
    DIR *directory = opendir(loading->directory.path);
    if (directory == NULL) {
        if (errno != ENOENT) {
            loading_fails(loading, &loading->directory, strerror(errno));
        }
        return;
    }
    take_conf_d_names(loading, directory);
    closedir(directory);
    qsort(loading->files, loading->file_count, sizeof loading->files[0], compare_files);
    for (unsigned i = 0; i < loading->file_count; i++) {
        loading->files[i].order = 2 + i;
    }
}

static void load_files(struct loading *loading)
{
    load_main(loading);
    find_conf_d(loading);
    for (size_t i = 0; i < loading->file_count; i++) {
        load_file(loading, &loading->files[i]);
    }
}

static struct settings *settings_create(void)
{
    struct arena *arena = arena_create(), *list_arena = arena_create();
    struct settings *settings = arena_take(list_arena, sizeof *settings);
    settings->arena = arena;
    settings->list_arena = list_arena;
    settings->sharers = arena_take(arena, sizeof *settings->sharers);
    *settings->sharers = 1;
    return settings;
}

static struct settings *settings_or_none(struct settings *settings,
                                         const struct config_problems *problems)
{
    if (problems->errors > 0) {
        settings_destroy(settings);
        return NULL;
    }
    return settings;
}

static struct settings *load(const char *file, bool secrets, const struct settings *before,
                             struct config_problems *problems)
{
    struct loading loading = {
        .arena = arena_create(),
        .problems = problem_list_over(problems),
        .main = {.path = file},
    };
    struct settings *settings = settings_create();
    load_files(&loading);
    if (loading.root != NULL) {
        struct reading reading = {
            .settings = settings,
            .before = before,
            .arena = settings->arena,
            .problems = &loading.problems,
            .incomplete = loading.incomplete,
            .beside = join_path(loading.arena, file, folder_length(file), ""),
            .secrets = secrets,
        };
        settings_read(&reading, loading.root);
        if (!loading.incomplete) {
            settings_check(&reading, loading.root);
        }
    }
    arena_destroy(loading.arena);
    return settings_or_none(settings, problems);
}

struct settings *settings_load(const char *file, struct config_problems *problems)
{
    return load(file, true, NULL, problems);
}

struct settings *settings_load_without_secrets(const char *file, struct config_problems *problems)
{
    return load(file, false, NULL, problems);
}

struct settings *settings_load_after(const char *file, const struct settings *before,
                                     struct config_problems *problems)
{
    return load(file, true, before, problems);
}

struct settings *settings_reread_lists(const struct settings *before,
                                       struct config_problems *problems)
{
    struct problem_list list = problem_list_over(problems);
    struct arena *list_arena = arena_create();
    struct settings *settings = arena_take(list_arena, sizeof *settings);
    *settings = *before;
    settings->list_arena = list_arena;
    ++*settings->sharers;
    lists_gather(settings, before, LISTS_REREAD, &list);
    return settings_or_none(settings, problems);
}

void settings_destroy(struct settings *settings)
{
    if (settings == NULL) {
        return;
    }
    if (--*settings->sharers == 0) {
        arena_destroy(settings->arena);
    }
    arena_destroy(settings->list_arena);
}

int settings_find_peer(const struct settings *settings, const char *name)
{
    size_t low = 0;
    size_t high = settings->peer_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t index = settings->peers_by_name[middle];
        int order = strcmp(name, settings->peers[index].name);
        if (order == 0) {
            return (int)index;
        }
        low = order > 0 ? middle + 1 : low;
        high = order < 0 ? middle : high;
    }
    return -1;
}

int settings_find_mailbox(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->mailbox_count; i++) {
        if (strcmp(name, settings->mailboxes[i].name) == 0) {
            return (int)i;
        }
    }
    return -1;
}
