#include "probes/greet/greeting.h"

#include <string.h>

#include "base/text.h"
#include "probes/greet/envelope.h"
#include "probes/greet/wire.h"
#include "probes/resolve.h"

enum { ADDRESSES_MAXIMUM = 4 };

static bool converse(struct wire *wire, const struct greet_envelope *envelope,
                     char refusal[PROBE_REPLY_SIZE], struct error *error)
{
    char line[WIRE_LINE_SIZE], shown[160];
    struct text words = TEXT_OVER(shown);
    if (!wire_read_line(wire, line, error)) {
        return false;
    }
    text_append_escaped(&words, line);
    bool good = strncmp(line, "220", strlen("220")) == 0 || error_set(error, "it says: %s", shown);
    bool asks = envelope->recipient[0] != '\0';
    if (good && asks) {
        good = envelope_try(wire, line, envelope, refusal, error);
    } else if (asks) {
        text_copy(refusal, PROBE_REPLY_SIZE, shown);
    }
    wire_say(wire, "QUIT");
    return good;
}

bool greeting_await(const char *host, const struct greet_job *job, char refusal[PROBE_REPLY_SIZE],
                    struct error *error)
{
    struct addrinfo *addresses;
    bool greeted = false;
    int tried = 0;
    if (!resolve_host(host, job->port, job->deadline, &addresses, error)) {
        return false;
    }
    for (const struct addrinfo *at = addresses; at != NULL && !greeted && tried < ADDRESSES_MAXIMUM;
         at = at->ai_next, tried++) {
        struct wire wire;
        if (wire_open(&wire, at, job->deadline, error)) {
            greeted = converse(&wire, &job->envelope, refusal, error);
            wire_close(&wire);
        }
    }
    freeaddrinfo(addresses);
    return greeted || error_prefix(error, "%s", host);
}
