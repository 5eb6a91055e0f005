#include "probes/submit/bearer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

// One line out and the reply to it in; false when the session is over.
static bool exchange(const struct side_channel *channel, struct dialogue *dialogue,
                     const char *line)
{
    char bytes[512];
    size_t length = strlen(line);
    if (!dialogue_write(dialogue, line, length, clock_now().instant) ||
        !side_channel_write(channel, line, length)) {
        return false;
    }
    while (!dialogue->answered) {
        size_t count = side_channel_read(channel, bytes, sizeof bytes);
        if (count == 0 || !dialogue_read(dialogue, bytes, count, clock_now().instant)) {
            return false;
        }
    }
    return dialogue->stop == STOP_NONE;
}

// RFC 4954, section 4: a longer initial response waits until it is asked for.
enum { COMMAND_LINE_MAXIMUM = 512 };

bool bearer_authenticate(const struct side_channel *channel, struct dialogue *dialogue,
                         const struct probe_endpoint *relay, char status[OAUTH_STATUS_SIZE])
{
    char response[OAUTH_RESPONSE_SIZE], line[OAUTH_RESPONSE_SIZE + 32];
    enum probe_oauth mechanism = oauth_choose(relay->oauth, dialogue_offers(dialogue, "XOAUTH2"),
                                              dialogue_offers(dialogue, "OAUTHBEARER"));
    if (mechanism == PROBE_OAUTH_NONE) {
        return true;
    }
    oauth_response(mechanism, relay, response);
    const char *name = oauth_mechanism_name(mechanism);
    snprintf(line, sizeof line, "AUTH %s %s\r\n", name, response);
    bool responded = strlen(line) <= COMMAND_LINE_MAXIMUM;
    if (!responded) {
        snprintf(line, sizeof line, "AUTH %s\r\n", name);
    }
    bool going = exchange(channel, dialogue, line);
    for (int i = 0; going && dialogue->code == 334 && i < 3; i++) {
        if (responded) {
            oauth_status(dialogue->reply + strlen("334 "), status);
        }
        snprintf(line, sizeof line, "%s\r\n", responded ? oauth_end(mechanism) : response);
        responded = true;
        going = exchange(channel, dialogue, line);
    }
    explicit_bzero(response, sizeof response);
    explicit_bzero(line, sizeof line);
    return going;
}
