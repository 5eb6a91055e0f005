#include "probes/submit/side_channel.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"

// Not poll(2), which is the library's (interpose.h).
static bool wait_for(const struct side_channel *channel, short events)
{
    struct span left = instant_since(channel->deadline, clock_now().instant);
    struct timespec wait = {left.ns / 1000000000, left.ns % 1000000000};
    struct pollfd polled = {.fd = channel->descriptor, .events = events};
    return left.ns > 0 && ppoll(&polled, 1, &wait, NULL) > 0;
}

// What to wait for before trying again, or 0 when there is nothing to wait for.
static short events_after(const struct side_channel *channel, int result)
{
    if (channel->tls == NULL) {
        return 0;
    }
    int why = SSL_get_error(channel->tls, result);
    return why == SSL_ERROR_WANT_READ ? POLLIN : why == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
}

bool side_channel_write(const struct side_channel *channel, const char *bytes, size_t count)
{
    size_t done = 0;
    while (done < count) {
        ERR_clear_error();
        errno = 0;
        ssize_t moved = channel->tls != NULL
                            ? SSL_write(channel->tls, bytes + done, (int)(count - done))
                            : send(channel->descriptor, bytes + done, count - done, MSG_NOSIGNAL);
        if (moved > 0) {
            done += (size_t)moved;
            continue;
        }
        bool again = channel->tls == NULL && (errno == EAGAIN || errno == EINTR);
        short events = again ? POLLOUT : events_after(channel, (int)moved);
        if (events == 0 || !wait_for(channel, events)) {
            return false;
        }
    }
    return true;
}

size_t side_channel_read(const struct side_channel *channel, char *out, size_t size)
{
    for (;;) {
        ERR_clear_error();
        errno = 0;
        ssize_t moved = channel->tls != NULL ? SSL_read(channel->tls, out, (int)size)
                                             : recv(channel->descriptor, out, size, 0);
        if (moved > 0) {
            return (size_t)moved;
        }
        bool again = channel->tls == NULL && moved < 0 && (errno == EAGAIN || errno == EINTR);
        short events = again ? POLLIN : events_after(channel, (int)moved);
        if (events == 0 || !wait_for(channel, events)) {
            return 0;
        }
    }
}
