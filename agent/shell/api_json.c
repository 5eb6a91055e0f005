#include "shell/api_json.h"

#include "base/error.h"
#include "base/text.h"
#include "probes/json_values.h"

json_t *api_json_text(const char *value)
{
    json_t *holder = memory_checked(json_object());
    json_write_text(holder, "value", value);
    json_t *text = json_incref(json_object_get(holder, "value"));
    json_decref(holder);
    return text;
}

void api_json_null(json_t *object, const char *name)
{
    json_write_object(object, name, json_null());
}

void api_json_time(json_t *object, const char *name, struct walltime value)
{
    char text[40];
    struct text out = TEXT_OVER(text);
    if (!walltime_known(value)) {
        api_json_null(object, name);
        return;
    }
    walltime_append_rfc3339(value, &out);
    json_write_text(object, name, text);
}

void api_json_span(json_t *object, const char *name, struct span value)
{
    json_write_object(object, name, json_real(span_seconds(value)));
}

void api_json_span_if(json_t *object, const char *name, bool known, struct span value)
{
    json_write_object(object, name, known ? json_real(span_seconds(value)) : json_null());
}

void api_json_text_if(json_t *object, const char *name, const char *value)
{
    if (value[0] == '\0') {
        api_json_null(object, name);
    } else {
        json_write_text(object, name, value);
    }
}

// ---- a path ----

// What is kept for the median has no more digits than these.
static struct span to_microseconds(double seconds)
{
    return (struct span){(int64_t)(seconds * 1e6 + 0.5) * 1000};
}

static void write_latency(json_t *object, const struct path *path)
{
    bool arrived = walltime_known(path->last_arrival);
    double median = decisions_median(&path->decisions);
    api_json_span_if(object, "last_latency_seconds", arrived, path->last_latency);
    api_json_span_if(object, "last_latency_error_seconds", arrived, path->last_error);
    api_json_span_if(object, "median_latency_seconds", median >= 0, to_microseconds(median));
    api_json_time(object, "last_sent", path->last_sent);
    api_json_time(object, "last_arrival", path->last_arrival);
}

json_t *api_json_path(const struct core *core, int peer, enum direction direction,
                      struct moment now)
{
    const struct peer *state = core_peer(core, peer);
    const struct flights *flights = &state->outbound.flights;
    bool outbound = direction == OUTBOUND;
    bool flying = outbound && flights->count > 0;
    char text[SUBJECT_TEXT_SIZE];
    core_path_text(core, peer, direction, text);

    json_t *object = memory_checked(json_object());
    json_write_text(object, "path", text);
    json_write_text(object, "peer", state->settings->name);
    json_write_text(object, "direction", direction_name(direction));
    json_write_text(object, "state", path_state_name(core_path_state(core, peer, direction, now)));
    write_latency(object, outbound ? &state->outbound.path : &state->inbound.path);
    json_write_integer(object, "in_flight", outbound ? (int64_t)flights->count : 0);
    api_json_time(object, "oldest_in_flight_sent", flying ? flights->items[0].sent : WALLTIME_NONE);
    api_json_time(object, "receipts_as_of",
                  outbound ? state->outbound.receipts_as_of : WALLTIME_NONE);
    api_json_text_if(object, "agent_trouble", outbound ? text_kept(state->exchange.cause) : "");
    json_write_boolean(object, "thinned", outbound && state->outbound.thinned);
    api_json_span(object, "interval_seconds",
                  !outbound                 ? state->inbound.sender_interval
                  : state->outbound.thinned ? state->settings->path.thin_interval
                                            : state->settings->path.interval);
    return object;
}

// ---- a mailbox ----

json_t *api_json_mailbox(const struct mailbox *mailbox)
{
    json_t *object = memory_checked(json_object());
    json_write_text(object, "name", mailbox->settings->name);
    json_write_boolean(object, "readable", mailbox->readable);
    api_json_text_if(object, "cause", mailbox->cause);
    api_json_time(object, "last_collect", mailbox->complete);
    json_write_integer(object, "foreign_messages", mailbox->foreign_messages);
    return object;
}
