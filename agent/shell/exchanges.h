// Where the exchanges over HTTP stand: with each peer of the settings, and what has been counted.
// Plain values; agent_exchange.c does what they say.
#ifndef MAILFLOW_SHELL_EXCHANGES_H
#define MAILFLOW_SHELL_EXCHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/probe_id.h"
#include "config/config.h"
#include "probes/fetch.h"
#include "shell/exchange_guard.h"

// Peers whose agents let the last exchange run out of time may hold only a part of the jobs.
enum { EXCHANGE_SUSPECTS_MAXIMUM = FETCH_JOBS_MAXIMUM / 4 };

// Why a request was not taken.
enum exchange_rejection {
    EXCHANGE_REJECTED_SIGNATURE,
    EXCHANGE_REJECTED_MALFORMED,
    EXCHANGE_REJECTED_UNKNOWN_PEER,
    EXCHANGE_REJECTED_MISROUTED, // meant for another server
    EXCHANGE_REJECTED_STALE,
    EXCHANGE_REJECTED_REPLAYED,
    EXCHANGE_REJECTIONS
};
const char *exchange_rejection_name(enum exchange_rejection of);

struct exchange_peer {
    const char *name;      // of the settings
    bool wanted;           // to be begun as soon as there is room
    int64_t running;       // the job under way, 0 for none
    struct probe_id nonce; // of its request
    struct moment begun;
    bool blind;    // as its agent last said: it cannot read a mailbox ...
    bool draining; // ... and its queue still recovers from a window
    bool suspect;
    bool failing; // and it has been said
    struct exchange_guard guard;
    uint64_t done;             // requests of ours that were answered
    uint64_t failed;           // and that were not
    uint64_t received;         // requests of the peer that were taken
    struct span last_duration; // of the last one done
};

struct exchanges {
    struct exchange_peer *peers; // owned, in the order of the settings
    size_t count;
    size_t next;     // whose turn it is
    unsigned wanted; // peers
    unsigned suspects_running;
    struct walltime started;
    uint64_t rejected[EXCHANGE_REJECTIONS];
};

// Peers keep their state by their names; the settings before these may go after that.
void exchanges_configure(struct exchanges *exchanges, const struct settings *settings);
void exchanges_free(struct exchanges *exchanges);

void exchanges_want(struct exchanges *exchanges, int peer);

// The next peer whose exchange may begin while so many jobs are running, or -1.
int exchanges_next(const struct exchanges *exchanges, unsigned running);

void exchanges_begun(struct exchanges *exchanges, int peer, int64_t number,
                     const struct probe_id *nonce, struct moment now);

// Ends the one under way. `in_time`: there was an answer, or a quick refusal.
void exchanges_ended(struct exchanges *exchanges, int peer, bool in_time);

#endif
