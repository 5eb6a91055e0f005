#include "shell/flags.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "shell/file_mark.h"
#include "shell/flag_file.h"

enum { FILES_MAXIMUM = 256, SETTLE_MS = 50 }; // an editor's renaming is over by then

// One file of the directory, whether it can be used or not.
struct flag {
    char name[NAME_MAX + 1];
    const char *server;    // of the settings; NULL where there is no window
    struct file_mark read; // by the last reading
    struct flag_file said;
    bool seen; // at the look under way
};

struct flags {
    uv_loop_t *loop;
    const struct settings *settings;
    struct journal *journal;
    struct flags_handlers handlers;
    void *context;
    uv_fs_event_t watch;
    uv_timer_t settle;
    char directory[PROBE_PATH_SIZE]; // "" = none
    char watched[PROBE_PATH_SIZE];   // likewise
    unsigned open_handles;
    struct flag *items;
    size_t count;
    bool changed; // at the look under way
    bool crowded; // said
    int failure;  // errno, said
};

// ---- one file ----

static struct flag *find(struct flags *flags, const char *name)
{
    for (size_t i = 0; i < flags->count; i++) {
        if (strcmp(flags->items[i].name, name) == 0) {
            return &flags->items[i];
        }
    }
    return NULL;
}

static struct flag *add(struct flags *flags, const char *name)
{
    size_t size = (flags->count + 1) * sizeof *flags->items;
    flags->items = memory_checked(realloc(flags->items, size));
    struct flag *flag = &flags->items[flags->count++];
    *flag = (struct flag){.server = NULL};
    text_copy(flag->name, sizeof flag->name, name);
    return flag;
}

static void complain(struct flags *flags, const struct flag *flag, const char *problem)
{
    char file[PROBE_PATH_SIZE + NAME_MAX + 2];
    struct text text = TEXT_OVER(file);
    text_format(&text, "%s/%s", flags->directory, flag->name);
    journal_flag(flags->journal, file, problem, flag->server != NULL);
}

static void read_content(struct flags *flags, struct flag *flag, int file)
{
    // Written in the future means written now, by another clock.
    struct walltime written = walltime_earlier(flag->read.written, clock_now().wall);
    char bytes[FLAG_FILE_MAXIMUM + 1];
    struct flag_problems problems = {.count = 0};
    ssize_t length = file < 0 ? -1 : read(file, bytes, sizeof bytes);
    if (length < 0) {
        char problem[128];
        struct text text = TEXT_OVER(problem);
        text_format(&text, "it cannot be read: %s: only its name counts", strerror(errno));
        complain(flags, flag, problem);
    }
    flag_file_read(bytes, length < 0 ? 0 : (size_t)length, written, &LOCAL_TIME_HERE, &flag->said,
                   &problems);
    for (size_t i = 0; i < problems.count; i++) {
        complain(flags, flag, problems.items[i]);
    }
}

static void read_flag(struct flags *flags, struct flag *flag, int directory,
                      const struct stat *what)
{
    flag->server = NULL;
    if (!S_ISREG(what->st_mode)) {
        complain(flags, flag, "it is not a regular file: a flag is a file named like a server");
        return;
    }
    flag->server = wanted_server(flags->settings, flag->name);
    if (flag->server == NULL || strcmp(flag->server, flag->name) != 0) {
        char problem[128];
        struct text text = TEXT_OVER(problem);
        text_format(&text, "no server of the mesh is called so%s%s%s",
                    flag->server == NULL ? "" : ": did you mean ",
                    flag->server == NULL ? "" : flag->server, flag->server == NULL ? "" : "?");
        flag->server = NULL;
        complain(flags, flag, problem);
        return;
    }
    int file = openat(directory, flag->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    read_content(flags, flag, file);
    if (file >= 0) {
        close(file);
    }
}

static void look_at(struct flags *flags, int directory, const char *name)
{
    struct stat what;
    if (fstatat(directory, name, &what, 0) != 0) {
        return; // gone again
    }
    struct flag *flag = find(flags, name);
    flag = flag != NULL ? flag : add(flags, name);
    flag->seen = true;
    struct file_mark now = file_mark_of(&what);
    if (file_mark_equal(&now, &flag->read)) {
        return;
    }
    flag->read = now;
    read_flag(flags, flag, directory, &what);
    flags->changed = true;
}

// ---- the directory ----

static void drop_unseen(struct flags *flags)
{
    size_t kept = 0;
    for (size_t i = 0; i < flags->count; i++) {
        if (flags->items[i].seen) {
            flags->items[kept++] = flags->items[i];
        }
    }
    flags->changed = flags->changed || kept != flags->count;
    flags->count = kept;
}

static void look_at_each(struct flags *flags, DIR *directory)
{
    size_t files = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL && files <= FILES_MAXIMUM) {
        if (!flag_file_ignored(entry->d_name) && ++files <= FILES_MAXIMUM) {
            look_at(flags, dirfd(directory), entry->d_name);
        }
    }
    if (files > FILES_MAXIMUM && !flags->crowded) {
        journal_flag(flags->journal, flags->directory,
                     "more than 256 files: the others are not looked at", false);
    }
    flags->crowded = files > FILES_MAXIMUM;
}

// A directory that is not there has no flags; one that cannot be read keeps those it had.
static void cannot_open(struct flags *flags, int failure)
{
    if (failure == ENOENT) {
        drop_unseen(flags);
    } else if (failure != flags->failure) {
        char problem[128];
        struct text text = TEXT_OVER(problem);
        text_format(&text, "it cannot be read: %s: the flags last seen in it stand",
                    strerror(failure));
        journal_flag(flags->journal, flags->directory, problem, false);
    }
    flags->failure = failure;
}

static void on_settled(uv_timer_t *timer)
{
    flags_look(timer->data);
}

static void on_changed(uv_fs_event_t *watch, const char *name, int events, int status)
{
    struct flags *flags = watch->data;
    (void)name;
    (void)events;
    (void)status;
    uv_timer_start(&flags->settle, on_settled, SETTLE_MS, 0);
}

static void unwatch(struct flags *flags)
{
    uv_fs_event_stop(&flags->watch);
    flags->watched[0] = '\0';
}

// Without the kernel's help there is a look every second.
static void watch(struct flags *flags, const char *directory)
{
    if (strcmp(flags->watched, directory) != 0) {
        unwatch(flags);
        if (uv_fs_event_start(&flags->watch, on_changed, directory, 0) == 0) {
            text_copy(flags->watched, sizeof flags->watched, directory);
        }
    }
}

void flags_look(struct flags *flags)
{
    const char *path = flags->directory;
    DIR *directory = path[0] == '\0' ? NULL : opendir(path);
    int failure = path[0] == '\0' ? ENOENT : errno;
    for (size_t i = 0; i < flags->count; i++) {
        flags->items[i].seen = false;
    }
    if (directory == NULL) {
        unwatch(flags);
        cannot_open(flags, failure);
    } else {
        watch(flags, path);
        look_at_each(flags, directory);
        closedir(directory);
        drop_unseen(flags);
        flags->failure = 0;
    }
    if (flags->changed) {
        flags->changed = false;
        flags->handlers.changed(flags->context);
    }
}

// ---- what is wanted ----

// The begin of the window that the flag goes on with: known, of a flag, and lasting when the file
// was written.
static struct walltime begin_of(const struct flag *flag, const struct windows *known)
{
    char id[WINDOW_ID_SIZE];
    for (size_t i = 0; i < known->count; i++) {
        const struct window *window = &known->items[i];
        wanted_id('f', "flag", flag->server, window->begin, id);
        if (strcmp(window->id, id) == 0 && window->begin.ns <= flag->said.written.ns &&
            flag->said.written.ns <= window->end.ns) {
            return window->begin;
        }
    }
    return walltime_from_microseconds(walltime_microseconds(flag->said.written));
}

void flags_want(const struct flags *flags, const struct windows *known, struct wanted *out)
{
    for (size_t i = 0; i < flags->count; i++) {
        const struct flag *flag = &flags->items[i];
        if (flag->server == NULL || flag->said.end.ns <= flag->said.written.ns) {
            continue;
        }
        struct window window = {
            .begin = begin_of(flag, known),
            .end = flag->said.end,
            .kind = flag->said.kind,
            .origin = ORIGIN_FLAG,
        };
        text_copy(window.server, sizeof window.server, flag->server);
        text_copy(window.reason, sizeof window.reason, flag->said.reason);
        wanted_id('f', "flag", flag->server, window.begin, window.id);
        wanted_add(out, &window);
    }
}

// ---- life ----

// In the same directory every file is read anew, for the mesh may be another one.
void flags_configure(struct flags *flags, const struct settings *settings)
{
    const char *directory = settings->maintenance.flags_dir;
    flags->settings = settings;
    flags->changed = true;
    flags->count = strcmp(flags->directory, directory) == 0 ? flags->count : 0;
    text_copy(flags->directory, sizeof flags->directory, directory);
    for (size_t i = 0; i < flags->count; i++) {
        flags->items[i].read = (struct file_mark){0};
        flags->items[i].server = wanted_server(settings, flags->items[i].name);
    }
}

struct flags *flags_create(uv_loop_t *loop, const struct settings *settings,
                           struct journal *journal, const struct flags_handlers *handlers,
                           void *context)
{
    struct flags *flags = memory_checked(calloc(1, sizeof *flags));
    flags->loop = loop;
    flags->journal = journal;
    flags->handlers = *handlers;
    flags->context = context;
    uv_fs_event_init(loop, &flags->watch);
    uv_timer_init(loop, &flags->settle);
    flags->watch.data = flags->settle.data = flags;
    flags->open_handles = 2;
    flags_configure(flags, settings);
    return flags;
}

static void on_closed(uv_handle_t *handle)
{
    struct flags *flags = handle->data;
    if (--flags->open_handles == 0) {
        free(flags->items);
        free(flags);
    }
}

void flags_destroy(struct flags *flags)
{
    uv_close((uv_handle_t *)&flags->watch, on_closed);
    uv_close((uv_handle_t *)&flags->settle, on_closed);
}
