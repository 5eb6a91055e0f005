#include "ctl/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

enum { FOLDER_MODE = 0750 };

static bool join(char path[PATH_MAX], const char *folder, const char *name)
{
    struct text text = text_over(path, PATH_MAX);
    text_format(&text, "%s/%s", folder, name);
    return !text.truncated;
}

void staging_draft(const struct staging *staging, const char *name, char path[PATH_MAX])
{
    join(path, staging->draft, name);
}

// The agent runs as a user of its own where it was installed with one.
static bool make_folder(struct staging *staging, struct error *error)
{
    const struct group *agents = getgrnam("mailflow");
    if (mkdir(staging->folder, FOLDER_MODE) != 0) {
        return errno == EEXIST || error_set(error, "%s: %s", staging->folder, strerror(errno));
    }
    staging->made_folder = true;
    bool owned = agents == NULL || geteuid() != 0 || chown(staging->folder, 0, agents->gr_gid) == 0;
    return (owned && chmod(staging->folder, FOLDER_MODE) == 0) || // whatever the umask
           error_set(error, "%s: %s", staging->folder, strerror(errno));
}

bool staging_begin(struct staging *staging, const char *beside, struct error *error)
{
    const char *slash = strrchr(beside, '/');
    struct text folder = TEXT_OVER(staging->folder);
    staging->count = 0;
    staging->made_folder = false;
    staging->draft[0] = '\0';
    text_append_bytes(&folder, slash == NULL ? "." : beside,
                      slash == NULL     ? 1
                      : slash == beside ? 1
                                        : (size_t)(slash - beside));
    if (folder.truncated || !join(staging->draft, staging->folder, ".setup-XXXXXX")) {
        return error_set(error, "%s: the path is too long", beside);
    }
    if (!make_folder(staging, error)) {
        staging->draft[0] = '\0';
        return false;
    }
    if (mkdtemp(staging->draft) == NULL) {
        error_set(error, "cannot write to %s: %s%s", staging->folder, strerror(errno),
                  errno == EACCES ? " (run this as root)" : "");
        staging->draft[0] = '\0';
        staging_abandon(staging);
        return false;
    }
    return staging_keep(staging, "conf.d", error);
}

static bool write_whole(int descriptor, const char *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t wrote = write(descriptor, bytes + done, length - done);
        if (wrote < 0 && errno != EINTR) {
            return false;
        }
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return fsync(descriptor) == 0;
}

static bool begin_file(struct staging *staging, const char *name, char path[PATH_MAX],
                       struct error *error)
{
    return (staging->count < STAGING_FILES_MAXIMUM && join(path, staging->draft, name) &&
            text_copy(staging->files[staging->count].name, STAGING_NAME_SIZE, name)) ||
           error_set(error, "%s: the path is too long", name);
}

bool staging_write(struct staging *staging, const char *name, mode_t mode, const char *bytes,
                   size_t length, struct error *error)
{
    char path[PATH_MAX];
    if (!begin_file(staging, name, path, error)) {
        return false;
    }
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) {
        return error_set(error, "%s: %s", path, strerror(errno));
    }
    staging->files[staging->count++].kept = false;
    bool good = write_whole(descriptor, bytes, length) && fchmod(descriptor, mode) == 0;
    int failure = errno;
    close(descriptor);
    return good || error_set(error, "%s: %s", path, strerror(failure));
}

bool staging_keep(struct staging *staging, const char *name, struct error *error)
{
    char path[PATH_MAX], target[PATH_MAX];
    if (!begin_file(staging, name, path, error) || !join(target, "..", name)) {
        return false;
    }
    staging->files[staging->count++].kept = true;
    return symlink(target, path) == 0 || error_set(error, "%s: %s", path, strerror(errno));
}

// link(2) refuses where there is something, rename(2) replaces it.
static bool move(const struct staging *staging, const char *name, bool replace, struct error *error)
{
    char from[PATH_MAX], to[PATH_MAX];
    join(from, staging->draft, name);
    join(to, staging->folder, name);
    bool moved = replace ? rename(from, to) == 0 : link(from, to) == 0;
    return moved || error_set(error, "%s: %s", to, strerror(errno));
}

static void remove_first(const struct staging *staging, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];
        join(path, staging->folder, staging->files[i].name);
        if (!staging->files[i].kept) {
            unlink(path);
        }
    }
}

static void sync_folder(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
}

bool staging_commit(struct staging *staging, bool replace, struct error *error)
{
    bool good = true;
    for (size_t i = 0; i < staging->count && good; i++) {
        const struct staged_file *file = &staging->files[i];
        good = file->kept || move(staging, file->name, replace, error);
        if (!good && !replace) {
            remove_first(staging, i);
        }
    }
    staging->made_folder = staging->made_folder && !good;
    sync_folder(staging->folder);
    staging_abandon(staging);
    return good;
}

void staging_take_back(const struct staging *staging)
{
    remove_first(staging, staging->count);
}

void staging_abandon(struct staging *staging)
{
    char path[PATH_MAX];
    if (staging->draft[0] != '\0') {
        for (size_t i = 0; i < staging->count; i++) {
            join(path, staging->draft, staging->files[i].name);
            unlink(path);
        }
        rmdir(staging->draft);
    }
    if (staging->made_folder) {
        rmdir(staging->folder);
    }
    staging->draft[0] = '\0';
    staging->made_folder = false;
}
