#include "shell/list_watch.h"

#include <sys/stat.h>

#include "base/random.h"
#include "base/rendezvous.h"
#include "config/peer_files.h"
#include "shell/file_mark.h"

enum { RETRY_LOOKS = 30 };

static uint64_t add(uint64_t sum, uint64_t value)
{
    return random_mix(sum + random_mix(value));
}

static uint64_t add_file(uint64_t sum, const char *path)
{
    struct stat what;
    struct file_mark mark = stat(path, &what) == 0 ? file_mark_of(&what) : (struct file_mark){0};
    sum = add(sum, rendezvous_hash(path));
    sum = add(sum, mark.device);
    sum = add(sum, mark.inode);
    sum = add(sum, (uint64_t)mark.size);
    sum = add(sum, (uint64_t)mark.written.ns);
    return add(sum, (uint64_t)mark.changed.ns);
}

static uint64_t add_files(uint64_t sum, const char *pattern)
{
    struct peer_files files;
    struct error error;
    if (!peer_files_find(pattern, &files, &error)) {
        return add(sum, 0);
    }
    for (size_t i = 0; i < files.count; i++) {
        sum = add_file(sum, files.paths[i]);
    }
    peer_files_free(&files);
    return sum;
}

static bool failing(const struct settings *settings)
{
    bool found = false;
    for (size_t i = 0; !found && i < settings->list_count; i++) {
        found = !settings->lists[i].srv && settings->lists[i].failure[0] != '\0';
    }
    return found;
}

bool list_watch_look(struct list_watch *watch, const struct settings *settings)
{
    uint64_t now = 1;
    for (size_t i = 0; i < settings->peers_from_count; i++) {
        const struct peer_source_settings *source = &settings->peers_from[i];
        for (size_t k = 0; k < source->file_count; k++) {
            now = add_files(now, source->files[k]);
        }
    }
    bool retry = ++watch->looks >= RETRY_LOOKS && failing(settings);
    bool due = now == watch->seen && (now != watch->read || retry);
    watch->seen = now;
    if (due) {
        watch->read = now;
        watch->looks = 0;
    }
    return due;
}
