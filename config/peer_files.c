#include "config/peer_files.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static const char PATTERN[] = "*?[";

static bool is_pattern(const char *path)
{
    return strpbrk(path, PATTERN) != NULL;
}

bool peer_files_is_too_wide(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && path + strcspn(path, PATTERN) < slash;
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

// The directory with its slash, and the name.
static void add(struct peer_files *files, const char *directory, size_t length, const char *name)
{
    size_t size = strlen(name) + 1;
    char *path = memory_checked(malloc(length + size));
    memcpy(path, directory, length);
    memcpy(path + length, name, size);
    files->paths[files->count++] = path;
}

static bool add_matching(struct peer_files *files, DIR *directory, const char *pattern,
                         struct error *error)
{
    const char *name = strrchr(pattern, '/') + 1;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (fnmatch(name, entry->d_name, FNM_PERIOD) != 0) {
            continue;
        }
        if (files->count == PEER_FILES_MAXIMUM) {
            return error_set(error, "more than %d files match", PEER_FILES_MAXIMUM);
        }
        add(files, pattern, (size_t)(name - pattern), entry->d_name);
    }
    qsort(files->paths, files->count, sizeof *files->paths, compare_paths);
    return true;
}

static DIR *open_directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = memory_checked(strndup(path, (size_t)(slash - path) + 1));
    DIR *opened = opendir(directory);
    int failure = errno;
    free(directory);
    errno = failure;
    return opened;
}

bool peer_files_find(const char *path, struct peer_files *out, struct error *error)
{
    *out = (struct peer_files){memory_checked(calloc(PEER_FILES_MAXIMUM, sizeof *out->paths)), 0};
    if (!is_pattern(path)) {
        add(out, path, 0, path);
        return true;
    }
    DIR *directory = open_directory_of(path);
    bool found = directory != NULL ? add_matching(out, directory, path, error)
                                   : error_set(error, "%s", strerror(errno));
    if (directory != NULL) {
        closedir(directory);
    }
    if (!found) {
        peer_files_free(out);
    }
    return found;
}

bool peer_files_match(const char *path, const char *file)
{
    if (!is_pattern(path)) {
        return strcmp(path, file) == 0;
    }
    const char *pattern = strrchr(path, '/') + 1, *slash = strrchr(file, '/');
    return slash != NULL && slash - file == pattern - 1 - path &&
           strncmp(path, file, (size_t)(pattern - path)) == 0 &&
           fnmatch(pattern, slash + 1, FNM_PERIOD) == 0;
}

void peer_files_free(struct peer_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->paths[i]);
    }
    free(files->paths);
    *files = (struct peer_files){0};
}
