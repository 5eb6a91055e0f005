#include "probes/submit/interpose.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libesmtp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "probes/submit/watchdog.h"

// Hidden by some compiler option, they would not be found by the library.
#define VISIBLE __attribute__((visibility("default")))

enum { SEEN_GETADDRINFO = 1, SEEN_CONNECT = 2, SEEN_POLL = 4, SEEN_ALL = 7 };

static _Thread_local struct wire *current;
static _Thread_local unsigned *rehearsal; // what interpose_works has seen, NULL outside of it

void interpose_use(struct wire *wire)
{
    current = wire;
}

// The list changes hands here; libESMTP's freeaddrinfo gives it back.
static int hand_out_addresses(struct wire *wire, struct addrinfo **result)
{
    if (wire->addresses == NULL) {
        return EAI_NONAME;
    }
    free(wire->addresses->ai_canonname);
    wire->addresses->ai_canonname = memory_checked(strdup(wire->host));
    *result = wire->addresses;
    wire->addresses = NULL;
    for (const struct addrinfo *at = *result; at != NULL; at = at->ai_next) {
        wire->addresses_left++;
    }
    return 0;
}

VISIBLE int getaddrinfo(const char *restrict name, const char *restrict service,
                        const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    if (rehearsal != NULL) {
        *rehearsal |= SEEN_GETADDRINFO;
    }
    if (current != NULL) {
        return hand_out_addresses(current, result);
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, result);
}

// By its other name, which is not ours.
static int real_poll(struct pollfd *polled, nfds_t count, int timeout)
{
    struct timespec wait = {timeout / 1000, timeout % 1000 * 1000000L};
    return ppoll(polled, count, timeout < 0 ? NULL : &wait, NULL);
}

// Milliseconds until the deadline, rounded up, at most `timeout` (negative: none); 0 when past it.
static int time_left(struct instant deadline, int timeout)
{
    int64_t left = (instant_since(deadline, clock_now().instant).ns + 999999) / 1000000;
    left = left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : left;
    return timeout >= 0 && timeout < left ? timeout : (int)left;
}

static int poll_in_time(struct instant deadline, struct pollfd *polled, nfds_t count, int timeout)
{
    int ready;
    do {
        int left = time_left(deadline, timeout);
        ready = left == 0 && timeout != 0 ? 0 : real_poll(polled, count, left);
    } while (ready < 0 && errno == EINTR);
    return ready;
}

VISIBLE int poll(struct pollfd *polled, nfds_t count, int timeout)
{
    if (rehearsal != NULL) {
        *rehearsal |= SEEN_POLL;
        return 0;
    }
    if (current == NULL) {
        return real_poll(polled, count, timeout);
    }
    // Acknowledged late, what a server says in two parts (TLS tickets, then a reply) takes 40 ms
    // longer: its system holds the second back until the first is acknowledged. Who also polls for
    // writing does not wait.
    if (count == 1) {
        setsockopt(current->descriptor, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
    }
    int ready = poll_in_time(current->deadline, polled, count, timeout);
    if (ready == 2 && count == 2 && polled[0].fd == polled[1].fd &&
        (polled[1].revents & POLLOUT) != 0) {
        polled[0].revents = 0;
        ready = 1;
    }
    return ready;
}

// Waits for a connection under way; false with errno when it does not come to stand.
static bool await_connection(struct wire *wire, int descriptor, struct span share)
{
    struct pollfd polled = {.fd = descriptor, .events = POLLOUT};
    struct instant deadline = instant_add(clock_now().instant, share);
    if (poll_in_time(deadline, &polled, 1, -1) <= 0) {
        wire->connect_waited = share;
        errno = ETIMEDOUT;
        return false;
    }
    int cause = 0;
    socklen_t size = sizeof cause;
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &cause, &size);
    errno = cause;
    return cause == 0;
}

// Each address may use its share of the time that is left.
static bool connect_in_time(struct wire *wire, int descriptor, __CONST_SOCKADDR_ARG address,
                            socklen_t length)
{
    int (*real)(int, __CONST_SOCKADDR_ARG, socklen_t) = dlsym(RTLD_NEXT, "connect");
    struct span left = instant_since(wire->deadline, clock_now().instant);
    struct span share = {left.ns / (wire->addresses_left > 0 ? wire->addresses_left : 1)};
    wire->addresses_left--;
    wire->connect_waited = SPAN_ZERO;
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return real(descriptor, address, length) == 0 ||
           (errno == EINPROGRESS && await_connection(wire, descriptor, share));
}

VISIBLE int connect(int descriptor, __CONST_SOCKADDR_ARG address, socklen_t length)
{
    if (rehearsal != NULL) {
        *rehearsal |= SEEN_CONNECT;
        return 0;
    }
    if (current == NULL) {
        int (*real)(int, __CONST_SOCKADDR_ARG, socklen_t) = dlsym(RTLD_NEXT, "connect");
        return real(descriptor, address, length);
    }
    if (!connect_in_time(current, descriptor, address, length)) {
        current->connect_error = errno;
        return -1;
    }
    watchdog_guard(descriptor);
    current->descriptor = descriptor;
    return 0;
}

static void rehearse(struct wire *wire)
{
    smtp_session_t session = memory_checked(smtp_create_session());
    smtp_message_t message = memory_checked(smtp_add_message(session));
    smtp_set_server(session, "localhost:1");
    smtp_set_message_str(message, "");
    smtp_add_recipient(message, "nobody@localhost");
    interpose_use(wire);
    smtp_start_session(session);
    interpose_use(NULL);
    smtp_destroy_session(session);
}

bool interpose_works(void)
{
    unsigned seen = 0;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct wire wire = {.host = "localhost", .descriptor = -1};
    if (getaddrinfo("127.0.0.1", "1", &hints, &wire.addresses) != 0) {
        return false;
    }
    rehearsal = &seen;
    rehearse(&wire);
    rehearsal = NULL;
    if (wire.addresses != NULL) {
        freeaddrinfo(wire.addresses);
    }
    return seen == SEEN_ALL;
}
