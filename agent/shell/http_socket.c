#include "shell/http_socket.h"

#include <errno.h>
#include <libgen.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/rights.h"
#include "base/text.h"

// The backlog is what a crowd may queue up in between two turns of the loop: when it is full,
// whoever else comes is heard a second later only. The kernel bounds it (net.core.somaxconn).
//
// Who has said nothing yet is not even let in (clients speak first, with TLS, too): those who come
// to be silent take no place, and who has been let in is answered at once, not shown out before.
enum { BACKLOG = 4096, SILENT_SECONDS = 10, ADDRESS_SIZE = 128 };

// Closes the socket and returns -1, so that `return give_up(...)` reads as what it does.
static int give_up(int descriptor, int number)
{
    close(descriptor);
    errno = number;
    return -1;
}

// ---- TCP ----

// The host without its brackets, and the port behind the last colon.
static bool split(const char *address, char host[ADDRESS_SIZE], const char **port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || !text_copy(host, ADDRESS_SIZE, address)) {
        return false;
    }
    *port = colon + 1;
    host[colon - address] = '\0';
    size_t length = strlen(host);
    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        memmove(host, host + 1, length - 1);
    }
    return true;
}

static void explain_bind(const char *address, const char *port, int number, struct error *error)
{
    if (number == EADDRINUSE) {
        error_set(error,
                  "%s: address already in use: another program listens there; find it with "
                  "ss -ltnp 'sport = :%s' and stop it, or change http.listen",
                  address, port);
    } else if (number == EADDRNOTAVAIL) {
        error_set(error, "%s: no network interface of this machine has this address", address);
    } else if (number == EACCES) {
        error_set(error, "%s: ports below 1024 need privileges; choose a higher one", address);
    } else {
        error_set(error, "%s: cannot listen: %s", address, strerror(number));
    }
}

int http_socket_open(const char *address, struct error *error)
{
    char host[ADDRESS_SIZE];
    const char *port;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found;
    if (!split(address, host, &port) || getaddrinfo(host, port, &hints, &found) != 0) {
        error_set(error, "%s: not an address to listen on: write 127.0.0.1:9925 or [::1]:9925",
                  address);
        errno = EINVAL;
        return -1;
    }
    int on = 1, silent = SILENT_SECONDS;
    int descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        error_set(error, "%s: no socket: %s", address, strerror(errno));
        freeaddrinfo(found);
        return -1;
    }
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT, &silent, sizeof silent);
    if (found->ai_family == AF_INET6) {
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    bool bound = bind(descriptor, found->ai_addr, found->ai_addrlen) == 0 &&
                 listen(descriptor, BACKLOG) == 0;
    int number = errno;
    freeaddrinfo(found);
    if (!bound) {
        explain_bind(address, port, number, error);
        return give_up(descriptor, number);
    }
    return descriptor;
}

// ---- the control socket ----

// Whether somebody answers on the socket file.
static bool answered(const struct sockaddr_un *name)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool refused = connect(descriptor, (const struct sockaddr *)name, sizeof *name) != 0 &&
                   errno == ECONNREFUSED;
    close(descriptor);
    return !refused;
}

// Makes way at the path: removes a socket that nobody listens on any more.
static bool make_way(const struct sockaddr_un *name, struct error *error)
{
    struct stat there;
    if (lstat(name->sun_path, &there) != 0) {
        return true; // bind says what is wrong, if anything is
    }
    if (!S_ISSOCK(there.st_mode)) {
        return error_set(error,
                         "%s: exists and is not a socket, so it is left alone; move it "
                         "away or change http.control",
                         name->sun_path);
    }
    if (answered(name)) {
        return error_set(error,
                         "%s: socket already in use: another mailflowd answers there; stop it or "
                         "change http.control",
                         name->sun_path);
    }
    if (unlink(name->sun_path) != 0) {
        return error_set(error, "%s: cannot remove the stale socket: %s", name->sun_path,
                         strerror(errno));
    }
    return true;
}

static void explain_control(const char *path, int number, struct error *error)
{
    char directory[sizeof((struct sockaddr_un *)NULL)->sun_path], user[RIGHTS_USER_SIZE];
    text_copy(directory, sizeof directory, path);
    rights_own_user(user);
    if (number == ENOENT || number == ENOTDIR) {
        error_set(error,
                  "%s: the directory %s does not exist; create it, owned by the agent's user (%s), "
                  "or change http.control",
                  path, dirname(directory), user);
    } else if (number == EACCES) {
        error_set(error, "%s: cannot listen: %s; the agent's user (%s) must be able to write %s",
                  path, strerror(number), user, dirname(directory));
    } else {
        error_set(error, "%s: cannot listen: %s", path, strerror(number));
    }
}

// The mode is narrow before the file exists and widened afterwards: it is never open to others.
static bool bind_control(int descriptor, const struct sockaddr_un *name,
                         struct http_socket_file *file)
{
    struct stat made;
    if (fchmod(descriptor, S_IRUSR | S_IWUSR) != 0 ||
        bind(descriptor, (const struct sockaddr *)name, sizeof *name) != 0 ||
        lstat(name->sun_path, &made) != 0) {
        return false;
    }
    *file = (struct http_socket_file){made.st_dev, made.st_ino};
    return chmod(name->sun_path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) == 0 &&
           listen(descriptor, BACKLOG) == 0;
}

int http_socket_open_control(const char *path, struct http_socket_file *file, struct error *error)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (!text_copy(name.sun_path, sizeof name.sun_path, path)) {
        error_set(error, "%s: the path of a socket has at most %zu bytes", path,
                  sizeof name.sun_path - 1);
        return -1;
    }
    if (!make_way(&name, error)) {
        return -1;
    }
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        error_set(error, "%s: no socket: %s", path, strerror(errno));
        return -1;
    }
    if (!bind_control(descriptor, &name, file)) {
        int number = errno;
        explain_control(path, number, error);
        return give_up(descriptor, number);
    }
    return descriptor;
}

void http_socket_remove_control(const char *path, const struct http_socket_file *file)
{
    struct stat there;
    if (lstat(path, &there) == 0 && there.st_dev == file->device && there.st_ino == file->inode) {
        unlink(path);
    }
}
