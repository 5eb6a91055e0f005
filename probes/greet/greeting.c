#include "probes/greet/greeting.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "probes/resolve.h"

enum { LINE_SIZE = 512, ADDRESSES_MAXIMUM = 4 }; // RFC 5321 section 4.5.3.1.5

static bool await(int descriptor, short events, struct instant deadline)
{
    struct pollfd polled = {.fd = descriptor, .events = events};
    struct span left = instant_since(deadline, clock_now().instant);
    return left.ns > 0 && poll(&polled, 1, (int)(left.ns / 1000000) + 1) > 0;
}

// The connected socket, or -1 with the reason.
static int open_connection(const struct addrinfo *address, struct instant deadline,
                           struct error *error)
{
    int failure = 0;
    socklen_t size = sizeof failure;
    int descriptor =
        socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (descriptor < 0) {
        error_set(error, "no socket: %s", strerror(errno));
        return -1;
    }
    if (connect(descriptor, address->ai_addr, address->ai_addrlen) == 0) {
        return descriptor;
    }
    if (errno != EINPROGRESS) {
        failure = errno;
    } else if (!await(descriptor, POLLOUT, deadline)) {
        failure = ETIMEDOUT;
    } else {
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size);
    }
    if (failure == 0) {
        return descriptor;
    }
    close(descriptor);
    error_set(error, "cannot connect: %s", strerror(failure));
    return -1;
}

// The first line without its end; false with the reason.
static bool read_line(int descriptor, struct instant deadline, char line[LINE_SIZE],
                      struct error *error)
{
    size_t length = 0;
    while (length < LINE_SIZE - 1) {
        if (!await(descriptor, POLLIN, deadline)) {
            return error_set(error, "it takes the connection, but says nothing");
        }
        ssize_t got = recv(descriptor, line + length, LINE_SIZE - 1 - length, 0);
        if (got <= 0) {
            return error_set(error, "it takes the connection and closes it");
        }
        length += (size_t)got;
        line[length] = '\0';
        if (strchr(line, '\n') != NULL) {
            line[strcspn(line, "\r\n")] = '\0';
            return true;
        }
    }
    return error_set(error, "it does not end its first line");
}

static bool converse(int descriptor, struct instant deadline, struct error *error)
{
    static const char QUIT[] = "QUIT\r\n";
    char line[LINE_SIZE] = "", shown[160];
    struct text words = TEXT_OVER(shown);
    if (!read_line(descriptor, deadline, line, error)) {
        return false;
    }
    send(descriptor, QUIT, strlen(QUIT), MSG_NOSIGNAL);
    text_append_escaped(&words, line);
    return strncmp(line, "220", strlen("220")) == 0 || error_set(error, "it says: %s", shown);
}

bool greeting_await(const char *host, uint16_t port, struct instant deadline, struct error *error)
{
    struct addrinfo *addresses;
    bool greeted = false;
    int tried = 0;
    if (!resolve_host(host, port, deadline, &addresses, error)) {
        return false;
    }
    for (const struct addrinfo *at = addresses; at != NULL && !greeted && tried < ADDRESSES_MAXIMUM;
         at = at->ai_next, tried++) {
        int descriptor = open_connection(at, deadline, error);
        if (descriptor >= 0) {
            greeted = converse(descriptor, deadline, error);
            close(descriptor);
        }
    }
    freeaddrinfo(addresses);
    return greeted || error_prefix(error, "%s", host);
}
