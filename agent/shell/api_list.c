#include "shell/api_list.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "shell/api_certificate.h"
#include "shell/api_incident.h"
#include "shell/api_json.h"
#include "shell/api_window.h"

// ---- what the lists are made of ----

static size_t count_paths(const struct agent *agent)
{
    return agent_settings(agent)->peer_count * DIRECTIONS;
}

static json_t *path_item(const struct agent *agent, size_t index, struct moment now)
{
    enum direction direction = index % DIRECTIONS == 0 ? OUTBOUND : INBOUND;
    return api_json_path(agent_core(agent), (int)(index / DIRECTIONS), direction, now);
}

static size_t count_incidents(const struct agent *agent)
{
    return core_incidents(agent_core(agent))->count;
}

static json_t *incident_item(const struct agent *agent, size_t index, struct moment now)
{
    const struct incident *incident = core_incidents(agent_core(agent))->places[index];
    (void)now;
    return incident == NULL ? NULL : api_json_incident(agent_store(agent), incident);
}

static size_t count_windows(const struct agent *agent)
{
    return core_windows(agent_core(agent))->count;
}

static json_t *window_item(const struct agent *agent, size_t index, struct moment now)
{
    return api_json_window(agent, &core_windows(agent_core(agent))->items[index], now.wall,
                           API_WINDOW_LISTED);
}

static json_t *window_item_unless_over(const struct agent *agent, size_t index, struct moment now)
{
    const struct window *window = &core_windows(agent_core(agent))->items[index];
    struct span recovery = agent_settings(agent)->maintenance.recovery;
    return window_state_at(window, now.wall, recovery) == WINDOW_OVER
               ? NULL
               : api_json_window(agent, window, now.wall, API_WINDOW_LISTED);
}

static size_t count_mailboxes(const struct agent *agent)
{
    return agent_settings(agent)->mailbox_count;
}

static json_t *mailbox_item(const struct agent *agent, size_t index, struct moment now)
{
    (void)now;
    return api_json_mailbox(core_mailbox(agent_core(agent), (int)index));
}

static size_t count_certificates(const struct agent *agent)
{
    return core_certificate_count(agent_core(agent));
}

static json_t *certificate_item(const struct agent *agent, size_t index, struct moment now)
{
    return api_json_certificate(agent_core(agent), index, now);
}

const struct api_list API_LIST_PATHS = {"paths", count_paths, path_item};
const struct api_list API_LIST_INCIDENTS = {"incidents", count_incidents, incident_item};
const struct api_list API_LIST_MAINTENANCE = {"maintenance", count_windows,
                                              window_item_unless_over};
const struct api_list API_LIST_WINDOWS = {"maintenance", count_windows, window_item};
const struct api_list API_LIST_MAILBOXES = {"mailboxes", count_mailboxes, mailbox_item};
const struct api_list API_LIST_CERTIFICATES = {"certificates", count_certificates,
                                               certificate_item};

// ---- streaming them ----

struct listing {
    const struct agent *agent;
    struct moment now;
    json_t *head; // NULL once it is out
    const struct api_list *lists[API_LISTS_MAXIMUM + 1];
    size_t list;     // the one under way
    size_t index;    // its next item
    json_t *several; // items that came together, NULL when all are out
    size_t taken;    // of them
    bool preceded;   // a member is out, so a comma comes before the next
    bool opened;     // the list's name is out
    bool listed;     // an item of it is out
};

static void append_json(struct text *piece, const json_t *value)
{
    char *dumped = memory_checked(json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15)));
    text_append(piece, dumped);
    free(dumped);
}

// The head without its closing brace, so that the lists can follow.
static void append_head(struct listing *listing, struct text *piece)
{
    append_json(piece, listing->head);
    piece->data[--piece->length] = '\0';
    listing->preceded = json_object_size(listing->head) > 0;
    json_decref(listing->head);
    listing->head = NULL;
}

static void open_list(struct listing *listing, const struct api_list *list, struct text *piece)
{
    text_format(piece, "%s\"%s\":[", listing->preceded ? "," : "", list->name);
    listing->preceded = listing->opened = true;
    listing->listed = false;
    listing->index = 0;
}

static void append_item(struct listing *listing, const json_t *item, struct text *piece)
{
    text_append(piece, listing->listed ? "," : "");
    append_json(piece, item);
    listing->listed = true;
}

// One at a time even of several, for together they may not fit.
static void append_next(struct listing *listing, const struct api_list *list, struct text *piece)
{
    if (listing->several == NULL) {
        json_t *item = list->item(listing->agent, listing->index++, listing->now);
        if (!json_is_array(item)) {
            if (item != NULL) {
                append_item(listing, item, piece);
            }
            json_decref(item);
            return;
        }
        listing->several = item;
        listing->taken = 0;
    }
    append_item(listing, json_array_get(listing->several, listing->taken++), piece);
    if (listing->taken == json_array_size(listing->several)) {
        json_decref(listing->several);
        listing->several = NULL;
    }
}

static bool listing_next(void *state, struct text *piece)
{
    struct listing *listing = state;
    const struct api_list *list = listing->lists[listing->list];
    if (listing->head != NULL) {
        append_head(listing, piece);
    } else if (list == NULL) {
        text_append(piece, "}");
        return false;
    } else if (!listing->opened) {
        open_list(listing, list, piece);
    } else if (listing->several != NULL || listing->index < list->count(listing->agent)) {
        append_next(listing, list, piece);
    } else {
        text_append(piece, "]");
        listing->opened = false;
        listing->list++;
    }
    return true;
}

static void listing_end(void *state)
{
    struct listing *listing = state;
    json_decref(listing->head);
    json_decref(listing->several);
    free(listing);
}

void api_list_respond(const struct agent *agent, struct moment now, json_t *head,
                      const struct api_list *const *lists, struct http_response *response)
{
    struct listing *listing = memory_checked(calloc(1, sizeof *listing));
    listing->agent = agent;
    listing->now = now;
    listing->head = head;
    for (size_t i = 0; lists[i] != NULL; i++) {
        assert(i < API_LISTS_MAXIMUM);
        listing->lists[i] = lists[i];
    }
    struct http_stream stream = {listing_next, listing_end, listing, .filler = ' '};
    http_respond_stream(response, "application/json", &stream);
}
