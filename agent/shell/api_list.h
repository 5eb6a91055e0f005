// JSON objects with long lists in them, streamed item by item: status, paths, maintenance.
#ifndef MAILFLOW_SHELL_API_LIST_H
#define MAILFLOW_SHELL_API_LIST_H

#include <jansson.h>
#include <stddef.h>

#include "shell/agent.h"
#include "shell/http_message.h"

struct api_list {
    const char *name;
    size_t (*count)(const struct agent *agent);
    // NULL leaves the item out, an array is several items, at least one.
    json_t *(*item)(const struct agent *agent, size_t index, struct moment now);
};

extern const struct api_list API_LIST_PATHS;
extern const struct api_list API_LIST_INCIDENTS;   // open ones
extern const struct api_list API_LIST_MAINTENANCE; // not over
extern const struct api_list API_LIST_WINDOWS;     // all that are known, by the same name
extern const struct api_list API_LIST_MAILBOXES;
extern const struct api_list API_LIST_CERTIFICATES; // that have been seen

enum { API_LISTS_MAXIMUM = 5 };

// Answers with the members of `head` (taken over) followed by the lists, at most API_LISTS_MAXIMUM,
// ended by NULL.
void api_list_respond(const struct agent *agent, struct moment now, json_t *head,
                      const struct api_list *const *lists, struct http_response *response);

#endif
