// Secrets out of files: passwords and mesh keys. A secret stands in a file of its own, never in the
// configuration, and what others may touch is no secret.
#ifndef MAILFLOW_CONFIG_SECRET_H
#define MAILFLOW_CONFIG_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { SECRET_SIZE = 512 };

struct secret {
    char bytes[SECRET_SIZE]; // NUL-terminated
    size_t length;
};

// Reads one. A path with a slash is absolute; a bare name is looked up in $CREDENTIALS_DIRECTORY
// (systemd.exec, LoadCredential) or, where that is not set, in the folder `beside`, which is "" or
// ends in a slash. One line end at the end is dropped. False with the reason, which names the file,
// when it is missing, unreadable, open to others, empty or too long.
bool secret_read(const char *path, const char *beside, struct secret *out, struct error *error);

// The same for a secret of several lines, such as a private key: all of its at most `maximum` bytes
// as they are, for the caller to wipe and free; NULL with the reason.
char *secret_read_whole(const char *path, const char *beside, size_t maximum, struct error *error);

// A bearer token (RFC 6750) of at most TOKEN_LENGTH bytes, blanks and line ends around it dropped,
// for the caller to wipe and free; NULL with the reason.
enum { TOKEN_LENGTH = 3072 };
char *secret_read_token(const char *path, const char *beside, struct error *error);

#endif
