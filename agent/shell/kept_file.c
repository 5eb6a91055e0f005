#include "shell/kept_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "config/file.h"

enum { PATH_SIZE = 1024, LARGEST = 1024 * 1024 };

static bool make_directory(const char *path, struct error *error)
{
    char directory[PATH_SIZE];
    text_copy(directory, sizeof directory, path);
    *strrchr(directory, '/') = '\0';
    return mkdir(directory, 0750) == 0 || errno == EEXIST ||
           error_set(error, "%s: %s", directory, strerror(errno));
}

static bool write_whole(int file, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t written = write(file, text, left);
        if (written < 0) {
            return false;
        }
        text += written;
        left -= (size_t)written;
    }
    return fsync(file) == 0;
}

bool kept_file_write(const char *path, const char *text, struct error *error)
{
    char beside[PATH_SIZE];
    struct text name = TEXT_OVER(beside);
    text_format(&name, "%s.new", path);
    if (name.truncated) {
        return error_set(error, "%s: the name is too long", path);
    }
    if (!make_directory(path, error)) {
        return false;
    }
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool written = file >= 0 && write_whole(file, text);
    int failure = errno;
    if (file >= 0) {
        close(file);
    }
    if (written && rename(beside, path) == 0) {
        return true;
    }
    failure = written ? errno : failure;
    unlink(beside);
    return error_set(error, "%s: %s", beside, strerror(failure));
}

char *kept_file_read(const char *path)
{
    struct error error;
    struct stat what;
    size_t length;
    return file_read(path, LARGEST, &length, &what, &error);
}
