// Preloaded into an agent it kills it as it says a log line that has KILLED_AT_LINE in it: instead
// of that, or right after it where KILLED_AFTER is set.
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

ssize_t sendto(int descriptor, const void *bytes, size_t length, int flags,
               const struct sockaddr *address, socklen_t address_length)
{
    ssize_t (*real)(int descriptor, const void *bytes, size_t length, int flags,
                    const struct sockaddr *address, socklen_t address_length);
    *(void **)&real = dlsym(RTLD_NEXT, "sendto");
    const char *words = getenv("KILLED_AT_LINE");
    bool last = words != NULL && memmem(bytes, length, words, strlen(words)) != NULL;
    if (last && getenv("KILLED_AFTER") == NULL) {
        raise(SIGKILL);
    }
    ssize_t sent = real(descriptor, bytes, length, flags, address, address_length);
    if (last) {
        raise(SIGKILL);
    }
    return sent;
}
