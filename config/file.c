#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The caller closes the descriptor; -1 with the reason.
static int file_open(const char *path, struct stat *what, struct error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0 || fstat(descriptor, what) != 0) {
        error_set(error, "%s", strerror(errno));
    } else if (S_ISDIR(what->st_mode)) {
        error_set(error, "is a directory, not a file");
    } else if (!S_ISREG(what->st_mode)) {
        error_set(error, "is not a regular file");
    } else {
        return descriptor;
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return -1;
}

// Reads to the end or one byte past the maximum, whichever comes first; false on a failed read.
static bool read_to_end(int descriptor, char *bytes, size_t maximum, size_t *length)
{
    *length = 0;
    while (*length <= maximum) {
        ssize_t got = read(descriptor, bytes + *length, maximum + 1 - *length);
        if (got == 0) {
            return true;
        }
        if (got < 0 && errno != EINTR) {
            return false;
        }
        *length += got > 0 ? (size_t)got : 0;
    }
    return true;
}

bool file_readable(const char *path, struct error *error)
{
    struct stat what;
    int descriptor = file_open(path, &what, error);
    if (descriptor < 0) {
        return false;
    }
    close(descriptor);
    return true;
}

bool file_executable(const char *path, struct error *error)
{
    struct stat what;
    if (stat(path, &what) != 0 || access(path, X_OK) != 0) {
        return error_set(error, "%s", strerror(errno));
    }
    return S_ISREG(what.st_mode) || error_set(error, "is not a regular file");
}

char *file_read(const char *path, size_t maximum, size_t *length, struct stat *what,
                struct error *error)
{
    int descriptor = file_open(path, what, error);
    if (descriptor < 0) {
        return NULL;
    }
    char *bytes = memory_checked(malloc(maximum + 2));
    bool read = read_to_end(descriptor, bytes, maximum, length);
    int failure = errno;
    close(descriptor);
    if (read && *length <= maximum) {
        bytes[*length] = '\0';
        return bytes;
    }
    if (read) {
        error_set(error, "is longer than %zu bytes", maximum);
    } else {
        error_set(error, "%s", strerror(failure));
    }
    free(bytes);
    return NULL;
}
