#include "shell/api_latency.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "probes/json_values.h"
#include "shell/api_json.h"
#include "shell/path_query.h"

enum latency_stage { STAGE_HEAD, STAGE_BUCKETS, STAGE_MARKS, STAGE_WINDOWS, STAGE_DONE };

struct latency {
    struct agent *agent;
    struct path_query query;
    struct smoke smoke;
    bool gathered;
    enum latency_stage stage;
    size_t index; // of this stage's next item
    bool preceded;
};

static json_t *head_to_json(const struct latency *latency)
{
    const struct core *core = agent_core(latency->agent);
    const struct smoke *smoke = &latency->smoke;
    char path[SUBJECT_TEXT_SIZE];
    json_t *object = memory_checked(json_object());
    core_path_text(core, latency->query.peer, smoke->direction, path);
    json_write_text(object, "path", path);
    json_write_text(object, "direction", direction_name(smoke->direction));
    api_json_time(object, "from", smoke->from);
    api_json_time(object, "to", smoke->to);
    api_json_span(object, "bucket_seconds", smoke->range->bucket);
    api_json_span(object, "warning_seconds",
                  core_peer(core, latency->query.peer)->settings->path.latency.warning);
    return object;
}

static json_t *bucket_to_json(const struct smoke_bucket *bucket)
{
    static const char *const NAMES[SMOKE_QUANTILES] = {"p5", "p25", "p50", "p75", "p95"};
    json_t *object = memory_checked(json_object());
    api_json_time(object, "at", bucket->at);
    json_write_integer(object, "count", bucket->count);
    for (int i = 0; i < SMOKE_QUANTILES; i++) {
        api_json_span_if(object, NAMES[i], bucket->count > 0, bucket->quantiles[i]);
    }
    return object;
}

static json_t *mark_to_json(const struct smoke_mark *mark)
{
    char id[PROBE_ID_TEXT];
    json_t *object = memory_checked(json_object());
    api_json_time(object, "at", mark->at);
    json_write_text(object, "verdict", verdict_name(mark->verdict));
    json_write_integer(object, "count", mark->count);
    api_json_time(object, "first_sent", mark->first_sent);
    api_json_time(object, "last_sent", mark->last_sent);
    api_json_span_if(object, "latency_seconds", mark->latency.ns > 0, mark->latency);
    json_write_text(object, "probe", probe_id_format(&mark->probe, id));
    return object;
}

static json_t *window_to_json(const struct window *window)
{
    json_t *object = memory_checked(json_object());
    json_write_text(object, "id", window->id);
    json_write_text(object, "server", window->server);
    json_write_text(object, "kind", window_kind_name(window->kind));
    api_json_time(object, "begin", window_from(window));
    api_json_time(object, "end", window_until(window));
    return object;
}

// The next item of the stage, NULL when this one is not meant.
static json_t *item_of(const struct latency *latency)
{
    const struct smoke *smoke = &latency->smoke;
    if (latency->stage == STAGE_BUCKETS) {
        return bucket_to_json(&smoke->buckets[latency->index]);
    }
    if (latency->stage == STAGE_MARKS) {
        return mark_to_json(&smoke->marks[latency->index]);
    }
    const struct window *window = &core_windows(agent_core(latency->agent))->items[latency->index];
    bool shown = path_query_shows(agent_settings(latency->agent), &latency->query, window,
                                  smoke->from, smoke->to);
    return shown ? window_to_json(window) : NULL;
}

static size_t count_of(const struct latency *latency)
{
    const struct smoke *smoke = &latency->smoke;
    return latency->stage == STAGE_BUCKETS ? smoke->bucket_count
           : latency->stage == STAGE_MARKS ? smoke->mark_count
                                           : core_windows(agent_core(latency->agent))->count;
}

static void append_json(struct text *out, json_t *value)
{
    char *dumped = memory_checked(json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15)));
    text_append(out, dumped);
    free(dumped);
    json_decref(value);
}

static void append_item(struct text *out, struct latency *latency)
{
    json_t *item = item_of(latency);
    latency->index++;
    if (item != NULL) {
        text_append(out, latency->preceded ? "," : "");
        append_json(out, item);
        latency->preceded = true;
    }
}

static void next_stage(struct text *out, struct latency *latency)
{
    static const char *const OPENINGS[] = {
        [STAGE_HEAD] = ",\"buckets\":[",
        [STAGE_BUCKETS] = "],\"marks\":[",
        [STAGE_MARKS] = "],\"windows\":[",
        [STAGE_WINDOWS] = "]}",
    };
    text_append(out, OPENINGS[latency->stage]);
    latency->stage = (enum latency_stage)(latency->stage + 1);
    latency->index = 0;
    latency->preceded = false;
}

static bool latency_next(void *state, struct text *out)
{
    struct latency *latency = state;
    if (!latency->gathered) {
        latency->gathered = !smoke_gather(&latency->smoke, agent_store(latency->agent));
    } else if (latency->stage == STAGE_HEAD) {
        append_json(out, head_to_json(latency));
        out->data[--out->length] = '\0'; // the lists go inside
        next_stage(out, latency);
    } else if (latency->index < count_of(latency)) {
        append_item(out, latency);
    } else {
        next_stage(out, latency);
    }
    return latency->stage != STAGE_DONE;
}

void api_read_latency(struct agent *agent, const struct http_request *request,
                      struct http_response *response)
{
    struct error error;
    struct path_query query;
    const struct settings *settings = agent_settings(agent);
    if (!path_query_read(request, "path", settings, &query, &error)) {
        http_respond_problem(response, 400, "%s", error.message);
        return;
    }
    struct latency *latency = memory_checked(calloc(1, sizeof *latency));
    latency->agent = agent;
    latency->query = query;
    smoke_begin(&latency->smoke, settings->peers[query.peer].name, query.direction, query.range,
                request->now.wall);
    struct http_stream stream = {latency_next, free, latency, .filler = ' '};
    http_respond_stream(response, "application/json", &stream);
}
