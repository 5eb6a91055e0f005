// One list of servers out of its file, in Prometheus' file_sd format: a list of groups
// {targets: [host, host:port, ...], labels: {...}}, in YAML, of which JSON is a part.
#ifndef MAILFLOW_CONFIG_LIST_FILE_H
#define MAILFLOW_CONFIG_LIST_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "config/config.h"
#include "config/problem.h"

enum {
    LIST_BYTES_MAXIMUM = 8 * 1024 * 1024,
    LISTED_SERVERS_MAXIMUM = 20000, // in all lists
};

// Grows as they are read.
struct listed_servers {
    struct listed_server *items;
    size_t count;
    size_t room;
};

void listed_servers_add(struct listed_servers *servers, const struct listed_server *server);

// Adds the servers of the list, which is the index-th; their texts go into the arena. False with
// every problem; what it has added then is the caller's to take away.
bool list_file_read(const struct peer_list *list, uint32_t index, const struct config_file *file,
                    const struct peer_source_settings *source, struct arena *arena,
                    struct listed_servers *servers, struct problem_list *problems);

#endif
