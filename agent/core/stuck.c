#include "core/server.h"
#include "core/trouble.h"

// Probes of ours to the server, sent in [from, until) and not heard of since.
static unsigned count_stuck(const struct core *core, int server, struct walltime from,
                            struct walltime until)
{
    unsigned count = 0;
    size_t first, last;
    server_peers(core, server, &first, &last);
    for (size_t peer = first; peer < last; peer++) {
        const struct flights *flights = &core->peers[peer].outbound.flights;
        for (size_t i = 0; i < flights->count && flights->items[i].sent.ns < until.ns; i++) {
            count += !flight_uncertain(&flights->items[i]) && flights->items[i].sent.ns >= from.ns;
        }
    }
    return count;
}

void stuck_open(struct core *core, int peer, struct walltime until, unsigned count,
                const struct flight *oldest, struct moment now)
{
    struct subject subject = subject_of_server(peer);
    struct incident *open = trouble_find(core, INCIDENT_STUCK, &subject);
    struct evidence evidence = {.in_flight = count,
                                .oldest_age = walltime_since(now.wall, oldest->sent),
                                .has_probe = true,
                                .probe = oldest->id};
    if (open != NULL) {
        open->evidence = evidence;
        open->aftermath.planned_end = walltime_later(open->aftermath.planned_end, until);
        open->began = walltime_earlier(open->began, oldest->sent);
        trouble_record(core, open);
        return;
    }
    struct aftermath aftermath = {.planned_end = until};
    trouble_open_after(core, INCIDENT_STUCK, &subject, oldest->sent, &evidence, &aftermath, now);
}

void stuck_check(struct core *core, int peer, struct moment now)
{
    struct subject subject = subject_of_server(peer);
    struct incident *open = trouble_find(core, INCIDENT_STUCK, &subject);
    if (open == NULL || open->closing) {
        return;
    }
    unsigned count = count_stuck(core, peer, open->began, open->aftermath.planned_end);
    open->evidence.in_flight = count;
    if (count == 0) {
        trouble_close_soon(core, open, now);
    }
}
