#include "probes/greet/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

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

bool wire_open(struct wire *wire, const struct addrinfo *address, struct instant deadline,
               struct error *error)
{
    *wire = (struct wire){.descriptor = open_connection(address, deadline, error),
                          .deadline = deadline};
    return wire->descriptor >= 0;
}

void wire_close(struct wire *wire)
{
    close(wire->descriptor);
}

static bool take_line(struct wire *wire, char line[WIRE_LINE_SIZE])
{
    char *end = memchr(wire->bytes, '\n', wire->length);
    if (end == NULL) {
        return false;
    }
    size_t length = (size_t)(end - wire->bytes);
    struct text text = text_over(line, WIRE_LINE_SIZE);
    text_append_bytes(&text, wire->bytes, length);
    line[strcspn(line, "\r")] = '\0';
    wire->length -= length + 1;
    memmove(wire->bytes, end + 1, wire->length);
    return true;
}

bool wire_read_line(struct wire *wire, char line[WIRE_LINE_SIZE], struct error *error)
{
    while (!take_line(wire, line)) {
        if (wire->length == sizeof wire->bytes) {
            return error_set(error, "it does not end its line");
        }
        if (!await(wire->descriptor, POLLIN, wire->deadline)) {
            return error_set(error, "it takes the connection, but says nothing");
        }
        ssize_t got = recv(wire->descriptor, wire->bytes + wire->length,
                           sizeof wire->bytes - wire->length, 0);
        if (got <= 0) {
            return error_set(error, "it takes the connection and closes it");
        }
        wire->length += (size_t)got;
    }
    return true;
}

void wire_say(const struct wire *wire, const char *line)
{
    char said[2 * WIRE_LINE_SIZE];
    struct text text = TEXT_OVER(said);
    text_format(&text, "%s\r\n", line);
    send(wire->descriptor, said, text.length, MSG_NOSIGNAL);
}
