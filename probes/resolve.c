#include "probes/resolve.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum { THREAD_STACK = 512 * 1024 };

// Shared by the thread that asks and the one that waits; the last to let go frees it.
struct lookup {
    pthread_mutex_t lock;
    int done; // an eventfd(2)
    char host[256];
    char port[8];
    bool finished;
    bool abandoned;
    int result;
    struct addrinfo *addresses;
};

static const struct addrinfo HINTS = {
    .ai_family = AF_UNSPEC,
    .ai_socktype = SOCK_STREAM,
    .ai_flags = AI_ADDRCONFIG,
};

static void lookup_destroy(struct lookup *lookup)
{
    if (lookup->addresses != NULL) {
        freeaddrinfo(lookup->addresses);
    }
    close(lookup->done);
    pthread_mutex_destroy(&lookup->lock);
    free(lookup);
}

static void *lookup_run(void *argument)
{
    struct lookup *lookup = argument;
    struct addrinfo *addresses = NULL;
    int result = getaddrinfo(lookup->host, lookup->port, &HINTS, &addresses);
    pthread_mutex_lock(&lookup->lock);
    lookup->finished = true;
    lookup->result = result;
    lookup->addresses = addresses;
    bool abandoned = lookup->abandoned;
    eventfd_write(lookup->done, 1);
    pthread_mutex_unlock(&lookup->lock);
    if (abandoned) {
        lookup_destroy(lookup);
    }
    return NULL;
}

// The thread takes no signals: they are for the one that knows what to do with them.
static bool lookup_start(struct lookup *lookup)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&thread, &attributes, lookup_run, lookup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return result == 0;
}

static bool await(int descriptor, struct instant deadline)
{
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};
    struct span left;
    while ((left = instant_since(deadline, clock_now().instant)).ns > 0) {
        struct timespec wait = {.tv_sec = left.ns / 1000000000, .tv_nsec = left.ns % 1000000000};
        if (ppoll(&polled, 1, &wait, NULL) > 0) {
            return true;
        }
    }
    return false;
}

// True when the answer came in time; otherwise the lookup belongs to its thread from now on.
static bool lookup_wait(struct lookup *lookup, struct instant deadline)
{
    await(lookup->done, deadline);
    pthread_mutex_lock(&lookup->lock);
    bool finished = lookup->finished;
    lookup->abandoned = !finished;
    pthread_mutex_unlock(&lookup->lock);
    return finished;
}

static bool numeric_host(const char *host, const char *port, struct addrinfo **out)
{
    struct addrinfo hints = HINTS;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    return getaddrinfo(host, port, &hints, out) == 0;
}

static struct lookup *lookup_create(const char *host, const char *port)
{
    struct lookup *lookup = memory_checked(calloc(1, sizeof *lookup));
    pthread_mutex_init(&lookup->lock, NULL);
    lookup->done = eventfd(0, EFD_CLOEXEC);
    text_copy(lookup->host, sizeof lookup->host, host);
    text_copy(lookup->port, sizeof lookup->port, port);
    return lookup;
}

static bool look_up(const char *host, const char *port, struct instant deadline,
                    struct addrinfo **out, struct error *error)
{
    struct instant begin = clock_now().instant;
    struct lookup *lookup = lookup_create(host, port);
    if (lookup->done < 0 || !lookup_start(lookup)) {
        lookup_destroy(lookup);
        return error_set(error, "no thread to look it up in: %s", strerror(errno));
    }
    if (!lookup_wait(lookup, deadline)) {
        return error_set(error, "no answer from the resolver within %.1f s",
                         span_seconds(instant_since(clock_now().instant, begin)));
    }
    int result = lookup->result;
    *out = lookup->addresses;
    lookup->addresses = NULL;
    lookup_destroy(lookup);
    return result == 0 || error_set(error, "%s", gai_strerror(result));
}

bool resolve_host(const char *host, uint16_t port, struct instant deadline, struct addrinfo **out,
                  struct error *error)
{
    char service[8];
    snprintf(service, sizeof service, "%" PRIu16, port);
    return numeric_host(host, service, out) || look_up(host, service, deadline, out, error) ||
           error_prefix(error, "%s", host);
}

// The services in the "hosts:" line of nsswitch.conf are shared objects, which getaddrinfo loads
// when it comes to them: loaded here, it finds them by their names.
static void load_name_services(const char *line)
{
    char name[64], library[96];
    int used;
    while (sscanf(line, " %63[^] \t\n[]%n", name, &used) == 1) {
        snprintf(library, sizeof library, "libnss_%s.so.2", name);
        dlopen(library, RTLD_LAZY);
        line += used;
        line += strspn(line, " \t");
        line += *line == '[' ? strcspn(line, "]") + 1 : 0;
    }
}

void resolve_warm_up(void)
{
    char line[512];
    FILE *services = fopen("/etc/nsswitch.conf", "re");
    while (services != NULL && fgets(line, sizeof line, services) != NULL) {
        if (strncmp(line, "hosts:", 6) == 0) {
            load_name_services(line + 6);
        }
    }
    if (services != NULL) {
        fclose(services);
    }
    struct addrinfo *addresses;
    if (getaddrinfo("localhost", "25", &HINTS, &addresses) == 0) {
        freeaddrinfo(addresses);
    }
}
