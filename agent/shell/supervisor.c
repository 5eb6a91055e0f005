#include "shell/supervisor.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/number.h"

void supervisor_tell(const char *state)
{
    const char *place = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = place != NULL ? strlen(place) : 0;
    if (length == 0 || length > sizeof address.sun_path) {
        return;
    }
    memcpy(address.sun_path, place, length);
    if (place[0] == '@') { // an abstract one
        address.sun_path[0] = '\0';
    }
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0) {
        sendto(descriptor, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
        close(descriptor);
    }
}

static bool read_number(const char *name, int64_t most, int64_t *out)
{
    const char *value = getenv(name);
    return value != NULL && number_parse(value, 1, most, out);
}

// WATCHDOG_PID says for whom it is: another's environment may have been handed on to us.
bool supervisor_watches(struct span *patience)
{
    int64_t microseconds, process;
    if (!read_number("WATCHDOG_USEC", INT64_MAX / 1000, &microseconds) ||
        (getenv("WATCHDOG_PID") != NULL &&
         !(read_number("WATCHDOG_PID", INT32_MAX, &process) && process == getpid()))) {
        return false;
    }
    *patience = (struct span){microseconds * 1000};
    return true;
}
