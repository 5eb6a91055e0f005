#include "config/secret.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rights.h"
#include "config/file.h"

// Where the secret stands; false with the reason when that cannot be told.
static bool secret_locate(const char *path, const char *beside, char *out, size_t size,
                          struct error *error)
{
    bool bare = strchr(path, '/') == NULL;
    if (!bare && path[0] != '/') {
        return error_set(error, "'%s' is neither an absolute path nor a bare name", path);
    }
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    bool given = credentials != NULL && credentials[0] == '/';
    const char *folder = !bare ? "" : given ? credentials : beside;
    int length = snprintf(out, size, "%s%s%s", folder, bare && given ? "/" : "", path);
    return length < (int)size || error_set(error, "the path of '%s' is too long", path);
}

static bool secret_take(const char *bytes, size_t length, struct secret *out, struct error *error)
{
    if (length > 0 && bytes[length - 1] == '\n') {
        length--;
    }
    if (length > 0 && bytes[length - 1] == '\r') {
        length--;
    }
    if (length == 0) {
        return error_set(error, "is empty");
    }
    if (length >= sizeof out->bytes) {
        return error_set(error, "is longer than %zu bytes", sizeof out->bytes - 1);
    }
    memcpy(out->bytes, bytes, length);
    out->bytes[length] = '\0';
    out->length = length;
    return true;
}

// Who started the agent as root could read it; a reload is read by whom it has become.
static void explain_denial(const char *place, struct error *error)
{
    char user[RIGHTS_USER_SIZE];
    if (geteuid() != 0 && eaccess(place, R_OK) != 0 && errno == EACCES) {
        rights_own_user(user);
        error_set(error,
                  "Permission denied to user %s: start anew as root, or let the agent's user read "
                  "it and its folder",
                  user);
    }
}

// What others may touch is no secret.
static char *secret_load(const char *place, size_t maximum, size_t *length, struct error *error)
{
    struct stat what;
    char *bytes = file_read(place, maximum, length, &what, error);
    if (bytes == NULL) {
        explain_denial(place, error);
    } else if ((what.st_mode & 0007) != 0) {
        error_set(error, "is open to others (mode %04o): chmod 0600 it",
                  (unsigned)what.st_mode & 07777);
        explicit_bzero(bytes, *length);
        free(bytes);
        return NULL;
    }
    return bytes;
}

static bool secret_read_at(const char *place, struct secret *out, struct error *error)
{
    size_t length;
    char *bytes = secret_load(place, sizeof out->bytes + 1, &length, error);
    if (bytes == NULL) {
        return false;
    }
    bool good = secret_take(bytes, length, out, error);
    explicit_bzero(bytes, length);
    free(bytes);
    return good;
}

bool secret_read(const char *path, const char *beside, struct secret *out, struct error *error)
{
    char place[PATH_MAX];
    return secret_locate(path, beside, place, sizeof place, error) &&
           (secret_read_at(place, out, error) || error_prefix(error, "%s", place));
}

char *secret_read_whole(const char *path, const char *beside, size_t maximum, struct error *error)
{
    char place[PATH_MAX];
    size_t length;
    if (!secret_locate(path, beside, place, sizeof place, error)) {
        return NULL;
    }
    char *bytes = secret_load(place, maximum, &length, error);
    if (bytes == NULL) {
        error_prefix(error, "%s", place);
    }
    return bytes;
}

// Letters, digits and what RFC 6750 (section 2.1) has besides.
static bool is_token(const char *bytes, size_t length)
{
    static const char BYTES[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~+/=";
    return length > 0 && strspn(bytes, BYTES) == length;
}

char *secret_read_token(const char *path, const char *beside, struct error *error)
{
    char *bytes = secret_read_whole(path, beside, TOKEN_LENGTH + 2, error);
    if (bytes == NULL) {
        return NULL;
    }
    size_t before = strspn(bytes, " \t\r\n");
    size_t length = strcspn(bytes + before, " \t\r\n");
    bool alone = bytes[before + length + strspn(bytes + before + length, " \t\r\n")] == '\0';
    memmove(bytes, bytes + before, length);
    memset(bytes + length, 0, before);
    bytes[length] = '\0';
    if (!alone || length > TOKEN_LENGTH || !is_token(bytes, length)) {
        error_set(error, "%s: is %s", path,
                  length == 0 ? "empty" : "no bearer token (RFC 6750): one word of ASCII");
        explicit_bzero(bytes, length);
        free(bytes);
        return NULL;
    }
    return bytes;
}
