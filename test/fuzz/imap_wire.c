#include "imap_wire.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json_read.h"
#include "probes/probe.h"

static struct {
    const uint8_t *script;
    size_t left;
    char tag[12];        // of the last command
    const char *pending; // what is left of it to be received
    struct instant now;
    unsigned connections;
    unsigned pieces;
} wire;

void imap_wire_begin(const uint8_t *script, size_t size)
{
    memset(&wire, 0, sizeof wire);
    wire.script = script;
    wire.left = size;
    wire.pending = "";
    wire.now = (struct instant){SPAN_SECONDS(1000).ns};
}

void imap_wire_advance(struct instant to)
{
    wire.now = to.ns > wire.now.ns ? to : wire.now;
}

unsigned imap_wire_connections(void)
{
    return wire.connections;
}

// ---- in place of base/clock.h and probes/resolve.h ----

struct moment __wrap_clock_now(void);
struct moment __wrap_clock_now(void)
{
    wire.now = instant_add(wire.now, SPAN_MS(1)); // whoever waits for a deadline reaches it
    return (struct moment){wire.now, {wire.now.ns + SPAN_HOURS(490000).ns}};
}

bool __wrap_resolve_host(const char *host, uint16_t port, struct instant deadline,
                         struct addrinfo **out, struct error *error);
bool __wrap_resolve_host(const char *host, uint16_t port, struct instant deadline,
                         struct addrinfo **out, struct error *error)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    (void)host, (void)port, (void)deadline;
    return getaddrinfo("127.0.0.1", "143", &hints, out) == 0 || error_set(error, "no address");
}

// ---- in place of the system's calls ----

int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
    (void)family, (void)type, (void)protocol;
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
    (void)descriptor, (void)address, (void)length;
    wire.connections++;
    return 0;
}

static bool waits(void)
{
    return wire.pending[0] == '\0' && wire.left > 0 && wire.script[0] == IMAP_WIRE_WAIT;
}

// A piece of the script, up to what is special in it.
static size_t take_script(uint8_t *to, size_t size)
{
    size_t room = 1 + wire.pieces++ * 7 % 61;
    size_t count = 0;
    size = size < room ? size : room;
    while (count < size && wire.left > 0 && wire.script[0] != IMAP_WIRE_TAG &&
           wire.script[0] != IMAP_WIRE_WAIT) {
        to[count++] = *wire.script++;
        wire.left--;
    }
    return count;
}

ssize_t __wrap_recv(int descriptor, void *to, size_t size, int flags);
ssize_t __wrap_recv(int descriptor, void *to, size_t size, int flags)
{
    (void)descriptor, (void)flags;
    if (waits()) {
        errno = EAGAIN;
        return -1;
    }
    if (wire.pending[0] == '\0' && wire.left > 0 && wire.script[0] == IMAP_WIRE_TAG) {
        wire.script++;
        wire.left--;
        wire.pending = wire.tag;
    }
    if (wire.pending[0] != '\0') {
        *(char *)to = *wire.pending++;
        return 1;
    }
    return (ssize_t)take_script(to, size);
}

// A command begins with its tag; what follows a literal does not.
ssize_t __wrap_send(int descriptor, const void *from, size_t size, int flags);
ssize_t __wrap_send(int descriptor, const void *from, size_t size, int flags)
{
    (void)descriptor, (void)flags;
    size_t digits = 0;
    const char *bytes = from;
    while (digits < size && digits + 1 < sizeof wire.tag && bytes[digits] >= '0' &&
           bytes[digits] <= '9') {
        digits++;
    }
    if (digits > 0) {
        memcpy(wire.tag, bytes, digits);
        wire.tag[digits] = '\0';
        wire.pending = "";
    }
    return (ssize_t)size;
}

// Waiting is what makes the next piece come.
int __wrap_ppoll(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask);
int __wrap_ppoll(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask)
{
    (void)timeout, (void)mask;
    if (waits()) {
        wire.script++;
        wire.left--;
    }
    polled->revents = polled->events;
    return (int)count;
}

int __wrap_poll(struct pollfd *polled, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *polled, nfds_t count, int timeout)
{
    (void)timeout;
    polled->revents = waits() ? 0 : polled->events;
    return waits() ? 0 : (int)count;
}

static void take_report(const char *line, size_t size)
{
    static struct collect_report report;
    struct error error;
    assert(size <= JSON_LINE_MAXIMUM);
    memset(&report, 0, sizeof report);
    assert(collect_report_decode(line, size, &report, &error));
}

// What is reported are lines that the agent can read. The fuzzer itself writes, too.
ssize_t __real_write(int descriptor, const void *bytes, size_t size);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size)
{
    if (descriptor != STDOUT_FILENO) {
        return __real_write(descriptor, bytes, size);
    }
    const char *line = bytes, *end = line + size;
    assert(size > 0 && end[-1] == '\n');
    while (line < end) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        take_report(line, (size_t)(line_end - line));
        line = line_end + 1;
    }
    return (ssize_t)size;
}
