// What is known of one folder of a mailbox, over all its connections. Plain values, no I/O.
#ifndef MAILFLOW_PROBES_COLLECT_FOLDER_H
#define MAILFLOW_PROBES_COLLECT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"
#include "probes/probe.h"

enum { FOLDER_DOOMED_MAXIMUM = 512, FOLDER_SUSPECTS_MAXIMUM = 2048 };

struct folder {
    char name[PROBE_FOLDER_SIZE];
    bool readable;
    uint32_t uid_validity;
    uint32_t next_uid;     // messages below it have been reported
    uint32_t read_singly;  // messages up to here are fetched one by one
    uint32_t exists;       // messages in it ...
    uint32_t ours;         // ... and how many of them are probes
    struct moment checked; // everything there at that time has been reported; zero: not read yet
    uint32_t doomed[FOLDER_DOOMED_MAXIMUM];
    size_t doomed_count;
    uint32_t suspects[FOLDER_SUSPECTS_MAXIMUM]; // no probes; to be looked into, the newest last
    size_t suspect_count;
    uint32_t suspect_broke; // looking into it has broken the connection once
};

struct folder folder_of(const char *name);

// To be read anew, everything known of it forgotten.
void folder_forget(struct folder *folder, uint32_t uid_validity);

// Adds to what is to be deleted; forgets the folder when there is no room.
void folder_doom(struct folder *folder, const uint32_t *uids, size_t count);

// The first `count` doomed messages are dealt with.
void folder_drop_doomed(struct folder *folder, size_t count);

// Adds one that is to be looked into. Those that have waited longest make room: what came last is
// most likely about what is still in flight.
void folder_suspect(struct folder *folder, uint32_t uid);

bool folder_is_doomed(const struct folder *folder, uint32_t uid);

#endif
