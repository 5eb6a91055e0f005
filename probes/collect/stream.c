#include "probes/collect/stream.h"

#include <errno.h>
#include <libetpan/mailstream_low.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "probes/collect/reports.h"
#include "probes/resolve.h"
#include "probes/tls.h"

struct stream {
    int descriptor;
    SSL_CTX *context;
    SSL *tls;
    struct tls_verification verification;
    const char *command;
    struct span timeout;
    struct instant deadline;
    size_t budget;
    size_t budget_left;
    struct wire_guard guard;
    struct error failure;
    bool refused;
};

static bool has_failed(const struct stream *stream)
{
    return stream->failure.message[0] != '\0';
}

static bool poll_until(int descriptor, short events, struct instant deadline)
{
    reports_flush();
    for (;;) {
        struct span left = instant_since(deadline, clock_now().instant);
        if (left.ns <= 0) {
            return false;
        }
        struct timespec wait = {left.ns / 1000000000, left.ns % 1000000000};
        struct pollfd polled = {.fd = descriptor, .events = events};
        if (ppoll(&polled, 1, &wait, NULL) > 0) {
            return true;
        }
    }
}

static bool stream_wait(struct stream *stream, short events)
{
    if (poll_until(stream->descriptor, events, stream->deadline)) {
        return true;
    }
    char shown[32];
    struct text text = TEXT_OVER(shown);
    span_append(stream->timeout, &text);
    return error_set(&stream->failure, "no answer to %s within %s", stream->command, shown);
}

// What to wait for before trying again, or 0 when the session is over (the reason is set).
static short tls_events(struct stream *stream, int result)
{
    switch (SSL_get_error(stream->tls, result)) {
    case SSL_ERROR_WANT_READ:
        return POLLIN;
    case SSL_ERROR_WANT_WRITE:
        return POLLOUT;
    case SSL_ERROR_ZERO_RETURN:
        error_set(&stream->failure, "the server closed the connection");
        return 0;
    default:
        error_set(&stream->failure, "connection lost%s%s", errno != 0 ? ": " : "",
                  errno != 0 ? strerror(errno) : "");
        return 0;
    }
}

// One read or write, of either kind: a count, or 0 with *events set to what to wait for.
static ssize_t transfer(struct stream *stream, void *to, const void *from, size_t size,
                        short *events)
{
    errno = 0;
    *events = 0;
    ssize_t moved;
    if (stream->tls != NULL) {
        ERR_clear_error();
        int result = to != NULL ? SSL_read(stream->tls, to, (int)size)
                                : SSL_write(stream->tls, from, (int)size);
        moved = result;
        *events = result > 0 ? 0 : tls_events(stream, result);
    } else {
        moved = to != NULL ? recv(stream->descriptor, to, size, 0)
                           : send(stream->descriptor, from, size, MSG_NOSIGNAL);
        if (moved < 0 && (errno == EAGAIN || errno == EINTR)) {
            *events = to != NULL ? POLLIN : POLLOUT;
        } else if (moved <= 0) {
            error_set(&stream->failure,
                      moved == 0 ? "the server closed the connection" : "connection lost: %s",
                      strerror(errno));
        }
    }
    return *events != 0 ? 0 : moved;
}

static ssize_t transfer_in_time(struct stream *stream, void *to, const void *from, size_t size)
{
    short events = 0;
    while (!has_failed(stream)) {
        ssize_t moved = transfer(stream, to, from, size, &events);
        if (moved > 0) {
            return moved;
        }
        if (!has_failed(stream)) {
            stream_wait(stream, events);
        }
    }
    return -1;
}

static ssize_t on_read(mailstream_low *low, void *to, size_t size)
{
    struct stream *stream = low->data;
    // Nothing follows a BYE but the end, which some servers keep one waiting for.
    if (!has_failed(stream) && stream->guard.bye[0] != '\0') {
        error_set(&stream->failure, "the server ended the connection");
    }
    if (!has_failed(stream) && stream->budget_left == 0) {
        error_set(&stream->failure, "more than %zu bytes in answer to %s", stream->budget,
                  stream->command);
        stream->refused = true;
    }
    ssize_t got =
        transfer_in_time(stream, to, NULL, size < stream->budget_left ? size : stream->budget_left);
    if (got <= 0) {
        return -1;
    }
    stream->budget_left -= (size_t)got;
    if (!wire_guard_feed(&stream->guard, to, (size_t)got, &stream->failure)) {
        stream->refused = true;
        return -1;
    }
    return got;
}

static ssize_t on_write(mailstream_low *low, const void *from, size_t size)
{
    return transfer_in_time(low->data, NULL, from, size);
}

static int on_close(mailstream_low *low)
{
    (void)low;
    return 0;
}

static int on_get_descriptor(mailstream_low *low)
{
    return stream_descriptor(low->data);
}

static void on_free(mailstream_low *low)
{
    free(low);
}

static void on_cancel(mailstream_low *low)
{
    (void)low;
}

static mailstream_low_driver driver = {
    .mailstream_read = on_read,
    .mailstream_write = on_write,
    .mailstream_close = on_close,
    .mailstream_get_fd = on_get_descriptor,
    .mailstream_free = on_free,
    .mailstream_cancel = on_cancel,
};

mailstream_low *stream_as_low(struct stream *stream)
{
    return memory_checked(mailstream_low_new(stream, &driver));
}

static bool connect_until(int descriptor, const struct addrinfo *address, struct instant deadline)
{
    if (connect(descriptor, address->ai_addr, address->ai_addrlen) == 0) {
        return true;
    }
    if (errno != EINPROGRESS) {
        return false;
    }
    if (!poll_until(descriptor, POLLOUT, deadline)) {
        errno = ETIMEDOUT;
        return false;
    }
    int cause = 0;
    socklen_t size = sizeof cause;
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &cause, &size);
    errno = cause;
    return cause == 0;
}

static int connect_address(const struct addrinfo *address, struct instant deadline)
{
    int descriptor =
        socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (descriptor < 0) {
        return -1;
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect_until(descriptor, address, deadline)) {
        return descriptor;
    }
    int cause = errno;
    close(descriptor);
    errno = cause;
    return -1;
}

static int connect_any(const struct addrinfo *addresses, struct instant deadline)
{
    int64_t left = 0;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
        left++;
    }
    int descriptor = -1;
    for (const struct addrinfo *at = addresses; at != NULL && descriptor < 0; at = at->ai_next) {
        struct instant now = clock_now().instant;
        struct span share = {instant_since(deadline, now).ns / left--};
        descriptor = connect_address(at, instant_add(now, share));
    }
    return descriptor;
}

struct stream *stream_connect(const char *host, uint16_t port, struct span timeout,
                              struct instant *resolved, struct error *error)
{
    struct instant deadline = instant_add(clock_now().instant, timeout);
    struct addrinfo *addresses;
    *resolved = (struct instant){0};
    reports_flush();
    if (!resolve_host(host, port, deadline, &addresses, error)) {
        return NULL;
    }
    *resolved = clock_now().instant;
    int descriptor = connect_any(addresses, deadline);
    int cause = errno;
    freeaddrinfo(addresses);
    if (descriptor < 0) {
        error_set(error, "%s", strerror(cause));
        return NULL;
    }
    struct stream *stream = memory_checked(calloc(1, sizeof *stream));
    stream->descriptor = descriptor;
    text_copy(stream->verification.host, sizeof stream->verification.host, host);
    return stream;
}

void stream_destroy(struct stream *stream)
{
    if (stream == NULL) {
        return;
    }
    SSL_free(stream->tls);
    SSL_CTX_free(stream->context);
    close(stream->descriptor);
    free(stream);
}

void stream_expect(struct stream *stream, const char *command, struct span timeout, size_t budget)
{
    stream->command = command;
    stream->timeout = timeout;
    stream->deadline = instant_add(clock_now().instant, timeout);
    stream->budget = budget;
    stream->budget_left = budget;
}

static bool shake_hands(struct stream *stream)
{
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int result = SSL_connect(stream->tls);
        if (result == 1) {
            return true;
        }
        int kind = SSL_get_error(stream->tls, result);
        if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE) {
            struct text reason = TEXT_OVER(stream->failure.message);
            tls_describe_failure(&stream->verification, &reason);
            return false;
        }
        if (!stream_wait(stream, kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) {
            return false;
        }
    }
}

bool stream_start_tls(struct stream *stream, const char *ca_file, struct error *error)
{
    stream->context = tls_context_create(ca_file, &stream->verification, error);
    if (stream->context == NULL) {
        return false;
    }
    SSL *tls = memory_checked(SSL_new(stream->context));
    SSL_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    memory_checked(SSL_set_fd(tls, stream->descriptor) == 1 ? tls : NULL);
    stream->tls = tls;
    return shake_hands(stream) || error_set(error, "%s", stream->failure.message);
}

struct certificate stream_certificate(const struct stream *stream)
{
    return stream->verification.certificate;
}

const char *stream_failure(const struct stream *stream)
{
    return stream->failure.message;
}

bool stream_was_refused(const struct stream *stream)
{
    return stream->refused;
}

const struct wire_guard *stream_guard(const struct stream *stream)
{
    return &stream->guard;
}

int stream_descriptor(const struct stream *stream)
{
    return stream->descriptor;
}

bool stream_has_pending(const struct stream *stream)
{
    return stream->tls != NULL && SSL_pending(stream->tls) > 0;
}
