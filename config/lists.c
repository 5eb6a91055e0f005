#include "config/lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "config/list_file.h"
#include "config/mesh.h"
#include "config/peer_files.h"

enum { LISTS_MAXIMUM = 1024, ORDER_OF_LISTS = 1000 }; // behind conf.d

struct gathering {
    struct settings *settings;
    const struct settings *before;
    enum lists_occasion occasion;
    struct problem_list *problems;
    struct peer_list *lists;
    size_t list_count;
    struct listed_servers servers;
};

// A place in a list, for as long as a problem is told of it.
static struct config_file file_of(const char *path, size_t list)
{
    return (struct config_file){path, ORDER_OF_LISTS + (unsigned)list};
}

static const struct peer_list *find_before(const struct gathering *gathering,
                                           const struct peer_list *list)
{
    const struct settings *before = gathering->before;
    for (size_t i = 0; before != NULL && i < before->list_count; i++) {
        if (before->lists[i].srv == list->srv && strcmp(before->lists[i].name, list->name) == 0) {
            return &before->lists[i];
        }
    }
    return NULL;
}

// ---- a list that cannot be read ----

static void keep_servers(struct gathering *gathering, const struct peer_list *last)
{
    const struct settings *before = gathering->before;
    struct arena *arena = gathering->settings->list_arena;
    uint32_t index = (uint32_t)(last - before->lists);
    for (size_t i = 0; i < before->listed_count; i++) {
        struct listed_server server = before->listed[i];
        if (server.list == index) {
            server.name = arena_copy_text(arena, server.name);
            server.address = arena_copy_text(arena, server.address);
            server.agent = arena_copy_text(arena, server.agent);
            server.mail_server = arena_copy_text(arena, server.mail_server);
            server.list = (uint32_t)gathering->list_count;
            listed_servers_add(&gathering->servers, &server);
        }
    }
}

// What is wrong with a list, by which it is recognised as said already.
static const char *words_of(struct gathering *gathering, const struct config_problem *problem)
{
    char words[sizeof problem->file + sizeof problem->message + 32];
    struct text text = TEXT_OVER(words);
    config_problem_format(problem, &text);
    return arena_copy_text(gathering->settings->list_arena, words);
}

// The last list stands, and that is said when it is news.
static void stand_by(struct gathering *gathering, struct peer_list *list,
                     const struct peer_list *last, const struct config_problem *problem)
{
    struct config_file file = file_of(problem->file, gathering->list_count);
    size_t first = gathering->servers.count;
    keep_servers(gathering, last);
    list->failure = words_of(gathering, problem);
    if (strcmp(last->failure, list->failure) != 0) {
        struct place at = {&file, problem->line, problem->column};
        size_t count = gathering->servers.count - first;
        problem_warning(gathering->problems, at, "%s; the %zu server%s last read from it stand%s",
                        problem->message, count, count == 1 ? "" : "s", count == 1 ? "s" : "");
    }
}

// Nothing is known of it yet. A name is asked for again, so that no agent need refuse to start.
static void do_without(struct gathering *gathering, struct peer_list *list,
                       const struct config_problems *found)
{
    bool absent = access(list->file, F_OK) != 0 && errno == ENOENT;
    struct config_file file = file_of(list->file, gathering->list_count);
    list->failure =
        list->srv && absent ? "no answer is known yet" : words_of(gathering, &found->items[0]);
    for (size_t i = 0; i < found->count && !(list->srv && absent); i++) {
        const struct config_problem *problem = &found->items[i];
        struct place at = {&file, problem->line, problem->column};
        if (absent || list->srv || gathering->occasion == LISTS_REREAD) {
            problem_warning(gathering->problems, at, "%s: no peer comes of it until it can be read",
                            problem->message);
        } else {
            problem_error(gathering->problems, at, "%s", problem->message);
        }
    }
}

// ---- every list ----

static void read_list(struct gathering *gathering, struct peer_list *list)
{
    struct settings *settings = gathering->settings;
    struct config_problems found = {0};
    struct problem_list problems = problem_list_over(&found);
    struct config_file file = file_of(list->file, gathering->list_count);
    const struct peer_list *last = find_before(gathering, list);
    size_t first = gathering->servers.count;
    list->failure = "";
    if (!list_file_read(list, (uint32_t)gathering->list_count, &file,
                        &settings->peers_from[list->source], settings->list_arena,
                        &gathering->servers, &problems)) {
        gathering->servers.count = first;
        if (last != NULL) {
            stand_by(gathering, list, last, &found.items[0]);
        } else {
            do_without(gathering, list, &found);
        }
    }
    list->count = gathering->servers.count - first;
}

static struct peer_list *next_list(struct gathering *gathering, const struct peer_list *like)
{
    if (gathering->list_count == LISTS_MAXIMUM) {
        struct config_file file = file_of(like->name, LISTS_MAXIMUM);
        problem_error(gathering->problems, (struct place){.file = &file}, "more than %d lists",
                      LISTS_MAXIMUM);
        return NULL;
    }
    struct peer_list *list = &gathering->lists[gathering->list_count];
    *list = *like;
    return list;
}

static void add_file(struct gathering *gathering, uint32_t source, const char *path)
{
    const char *name = arena_copy_text(gathering->settings->list_arena, path);
    struct peer_list *list =
        next_list(gathering, &(struct peer_list){.name = name, .file = name, .source = source});
    if (list != NULL) {
        read_list(gathering, list);
        gathering->list_count++;
    }
}

// A pattern that finds nothing any more: its directory may be away, but not all of the mesh.
static void keep_pattern(struct gathering *gathering, uint32_t source, const char *pattern,
                         const char *why)
{
    struct config_problem problem = {0};
    struct config_file file = file_of(pattern, gathering->list_count);
    size_t kept = gathering->list_count;
    text_copy(problem.file, sizeof problem.file, pattern);
    text_copy(problem.message, sizeof problem.message, why);
    const struct settings *before = gathering->before;
    for (size_t i = 0; before != NULL && i < before->list_count; i++) {
        if (!before->lists[i].srv && peer_files_match(pattern, before->lists[i].name)) {
            const char *name =
                arena_copy_text(gathering->settings->list_arena, before->lists[i].name);
            struct peer_list *list = next_list(
                gathering, &(struct peer_list){.name = name, .file = name, .source = source});
            if (list == NULL) {
                return;
            }
            size_t first = gathering->servers.count;
            stand_by(gathering, list, &before->lists[i], &problem);
            list->count = gathering->servers.count - first;
            gathering->list_count++;
        }
    }
    if (gathering->list_count == kept && gathering->occasion == LISTS_FIRST) {
        problem_warning(gathering->problems, (struct place){.file = &file},
                        "%s: no peer comes of it until one does", why);
    }
}

static void add_files(struct gathering *gathering, uint32_t source, const char *path)
{
    struct peer_files files = {0};
    struct error error = {"no file matches"};
    bool found = peer_files_find(path, &files, &error);
    for (size_t i = 0; i < files.count; i++) {
        add_file(gathering, source, files.paths[i]);
    }
    if (files.count == 0) {
        keep_pattern(gathering, source, path, error.message);
    }
    if (found) {
        peer_files_free(&files);
    }
}

// Where the agent keeps the last answer.
static const char *kept_file(const struct settings *settings, const char *name)
{
    size_t size = strlen(settings->state_dir) + strlen(name) + sizeof "/peers/.json";
    char *file = arena_take(settings->list_arena, size);
    struct text text = text_over(file, size);
    text_format(&text, "%s/peers/%s.json", settings->state_dir, name);
    return file;
}

static void add_srv(struct gathering *gathering, uint32_t source, const char *name)
{
    const char *file = kept_file(gathering->settings, name);
    struct peer_list *list = next_list(
        gathering, &(struct peer_list){.name = name, .file = file, .source = source, .srv = true});
    if (list != NULL) {
        read_list(gathering, list);
        gathering->list_count++;
    }
}

static void read_lists(struct gathering *gathering)
{
    struct settings *settings = gathering->settings;
    gathering->lists = arena_take(settings->list_arena, LISTS_MAXIMUM * sizeof *gathering->lists);
    for (uint32_t i = 0; i < settings->peers_from_count; i++) {
        const struct peer_source_settings *source = &settings->peers_from[i];
        for (size_t k = 0; k < source->file_count; k++) {
            add_files(gathering, i, source->files[k]);
        }
        if (source->srv[0] != '\0') {
            add_srv(gathering, i, source->srv);
        }
    }
    settings->lists = gathering->lists;
    settings->list_count = gathering->list_count;
}

// ---- one mesh of them ----

static bool same_path(const struct path_settings *a, const struct path_settings *b)
{
    return a->interval.ns == b->interval.ns && a->latency.warning.ns == b->latency.warning.ns &&
           a->latency.critical.ns == b->latency.critical.ns && a->thin_after == b->thin_after &&
           a->thin_interval.ns == b->thin_interval.ns &&
           a->queue_lifetime.ns == b->queue_lifetime.ns;
}

static const struct peer_source_settings *source_of(const struct settings *settings,
                                                    const struct listed_server *server)
{
    return &settings->peers_from[settings->lists[server->list].source];
}

static bool same_server(const struct settings *settings, const struct listed_server *a,
                        const struct listed_server *b)
{
    return strcmp(a->address, b->address) == 0 && strcmp(a->agent, b->agent) == 0 &&
           strcmp(a->mail_server, b->mail_server) == 0 &&
           same_path(&source_of(settings, a)->path, &source_of(settings, b)->path);
}

static void append_place(const struct settings *settings, const struct listed_server *server,
                         struct text *out)
{
    text_append(out, settings->lists[server->list].name);
    if (server->line > 0) {
        text_format(out, ":%u", server->line);
    }
}

static void report_conflict(struct gathering *gathering, const struct listed_server *first,
                            const struct listed_server *second)
{
    const struct settings *settings = gathering->settings;
    char words[300];
    struct text where = TEXT_OVER(words);
    struct config_file file = file_of(settings->lists[second->list].name, second->list);
    struct place at = {&file, second->line, second->line > 0 ? 1 : 0};
    append_place(settings, first, &where);
    bool address = strcmp(first->address, second->address) != 0;
    problem_error(gathering->problems, at,
                  "'%s' is another server than the one of this name at %s: %s%s%s%s", second->name,
                  words, address ? second->address : "its address is the same, other values differ",
                  address ? " here, " : "", address ? first->address : "", address ? " there" : "");
}

// By name; of equal ones the first of the lists.
static int compare_servers(const void *left, const void *right)
{
    const struct listed_server *a = left;
    const struct listed_server *b = right;
    int order = strcmp(a->name, b->name);
    if (order == 0 && a->list != b->list) {
        order = a->list < b->list ? -1 : 1;
    }
    return order != 0 ? order : a->line < b->line ? -1 : a->line > b->line;
}

static void build_mesh(struct gathering *gathering)
{
    struct settings *settings = gathering->settings;
    struct listed_servers *all = &gathering->servers;
    size_t size = (all->count + 1) * sizeof *all->items;
    struct listed_server *listed = arena_take(settings->list_arena, size);
    struct listed_server *mesh = arena_take(settings->list_arena, size);
    size_t count = 0;
    if (all->count > 0) {
        qsort(all->items, all->count, sizeof *all->items, compare_servers);
        memcpy(listed, all->items, all->count * sizeof *listed);
    }
    for (size_t i = 0; i < all->count; i++) {
        const struct listed_server *server = &all->items[i];
        if (count == 0 || strcmp(mesh[count - 1].name, server->name) != 0) {
            mesh[count++] = *server;
        } else if (!same_server(settings, &mesh[count - 1], server)) {
            report_conflict(gathering, &mesh[count - 1], server);
        }
    }
    settings->listed = listed;
    settings->listed_count = all->count;
    settings->mesh = mesh;
    settings->mesh_count = count;
}

static void look_for_ourselves(struct gathering *gathering)
{
    struct settings *settings = gathering->settings;
    settings->unlisted =
        settings->mesh_count > 0 && settings_find_listed(settings, settings->server) < 0;
    if (settings->unlisted && (gathering->before == NULL || !gathering->before->unlisted)) {
        struct config_file file = file_of(settings->lists[0].name, 0);
        problem_warning(gathering->problems, (struct place){.file = &file},
                        "this server, '%s', is in no list: the others do not know that it is to be "
                        "watched",
                        settings->server);
    }
}

void lists_gather(struct settings *settings, const struct settings *before,
                  enum lists_occasion occasion, struct problem_list *problems)
{
    struct gathering gathering = {
        .settings = settings, .before = before, .occasion = occasion, .problems = problems};
    read_lists(&gathering);
    build_mesh(&gathering);
    free(gathering.servers.items);
    look_for_ourselves(&gathering);
    mesh_join_peers(settings);
}
