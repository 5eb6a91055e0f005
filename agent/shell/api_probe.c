#include "shell/api_probe.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "probes/json_values.h"
#include "shell/api_json.h"

// ---- times ----

static json_t *legs_to_json(const struct store_probe *probe)
{
    const struct probe_record *record = &probe->record;
    json_t *object = memory_checked(json_object());
    for (int leg = 0; leg < SUBMIT_LEGS; leg++) {
        api_json_span_if(object, leg_name(leg), probe->legs[leg].ns >= 0, probe->legs[leg]);
    }
    bool whole = walltime_known(record->accepted) && walltime_known(record->arrived);
    api_json_span_if(object, leg_name(LEG_TRANSIT), whole,
                     walltime_since(record->arrived, record->accepted));
    return object;
}

static void write_life(json_t *object, const struct probe_record *record)
{
    bool arrived = walltime_known(record->arrived);
    api_json_time(object, "planned", record->planned);
    api_json_time(object, "sent", record->sent);
    api_json_time(object, "accepted", record->accepted);
    api_json_time(object, "arrived", record->arrived);
    api_json_span_if(object, "latency_seconds", arrived, record->latency);
    api_json_span_if(object, "latency_error_seconds", arrived, record->latency_error);
    api_json_span_if(object, "excused_seconds", arrived, record->excused);
}

// ---- windows ----

// Of either end, and [begin, end + recovery] has a part of the life.
static json_t *windows_to_json(const struct agent *agent, const struct probe_record *record,
                               struct walltime now)
{
    const struct settings *settings = agent_settings(agent);
    const struct windows *windows = core_windows(agent_core(agent));
    struct walltime sent = walltime_known(record->sent) ? record->sent : record->planned;
    struct walltime last = walltime_known(record->arrived) ? record->arrived : now;
    json_t *ids = memory_checked(json_array());
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->items[i];
        struct walltime over = walltime_add(window->end, settings->maintenance.recovery);
        bool ours = strcmp(window->server, settings->server) == 0;
        if ((ours || strcmp(window->server, record->peer) == 0) && !window_void(window) &&
            window->begin.ns <= last.ns && sent.ns < over.ns) {
            json_array_append_new(ids, api_json_text(window->id));
        }
    }
    return ids;
}

// ---- the rule, in words ----

static void append_against_threshold(struct text *out, const struct probe_record *record,
                                     struct span warning)
{
    struct span residual = {record->latency.ns - record->excused.ns};
    text_append(out, "latency ");
    span_append_seconds(record->latency, out);
    if (record->excused.ns > 0) {
        text_append(out, ", less ");
        span_append_seconds(record->excused, out);
        text_append(out, " excused by windows, is ");
        span_append_seconds(residual, out);
    }
    text_append(out, residual.ns > warning.ns ? ", above " : ", within ");
    span_append_seconds(warning, out);
    if (residual.ns > warning.ns && residual.ns <= warning.ns + record->latency_error.ns) {
        text_append(out, " by no more than its error, ");
        span_append_seconds(record->latency_error, out);
    }
}

static void append_explained(struct text *out, const struct probe_record *record)
{
    if (record->incident != 0) {
        text_format(out, ": incident %" PRId64 " held it up and had been reported",
                    record->incident);
    } else {
        text_append(out, ": this agent could not see meanwhile");
    }
}

static void append_open(struct text *out, enum probe_state state)
{
    static const char *const WORDS[PROBE_STATES] = {
        [PROBE_SENDING] = "it is being handed over",
        [PROBE_ACCEPTED] = "it is in flight",
        [PROBE_REFUSED] = "no server took it over: nothing is in flight",
        [PROBE_UNCERTAIN] = "the last reply was lost: it may arrive",
        [PROBE_ARRIVED] = "it has arrived",
        [PROBE_BOUNCED] = "it came back",
        [PROBE_LOST] = "it was given up",
    };
    text_append(out, WORDS[state]);
}

// Settings as they are now: those at the time of the verdict are not kept.
static void append_rule(struct text *out, const struct probe_record *record,
                        const struct path_settings *path)
{
    switch (record->verdict) {
    case VERDICT_OPEN:
        append_open(out, record->state);
        break;
    case VERDICT_ON_TIME:
    case VERDICT_EXCUSED:
        append_against_threshold(out, record, path->latency.warning);
        break;
    case VERDICT_DRAINED:
        append_against_threshold(out, record, path->latency.warning);
        append_explained(out, record);
        break;
    case VERDICT_LATE:
        append_against_threshold(out, record, path->latency.warning);
        text_append(out, ", and neither window nor incident explains it");
        break;
    case VERDICT_LOST:
        text_append(out, "it has not arrived within ");
        span_append(path->queue_lifetime, out);
        break;
    case VERDICT_BOUNCED:
        text_append(out, "a server reported that it could not be delivered");
        break;
    case VERDICTS:
        break;
    }
}

static void write_rule(json_t *object, const struct agent *agent, const struct probe_record *record)
{
    char words[256];
    struct text rule = TEXT_OVER(words);
    const struct settings *settings = agent_settings(agent);
    int peer = settings_find_peer(settings, record->peer);
    append_rule(&rule, record, peer < 0 ? &settings->defaults : &settings->peers[peer].path);
    json_write_text(object, "rule", words);
}

// ---- all of it ----

static void write_identity(json_t *object, const struct probe_record *record, const char *server)
{
    bool outbound = record->direction == OUTBOUND;
    char id[PROBE_ID_TEXT], path[SUBJECT_TEXT_SIZE];
    struct text path_text = TEXT_OVER(path);
    text_format(&path_text, "%s->%s", outbound ? server : record->peer,
                outbound ? record->peer : server);
    json_write_text(object, "id", probe_id_format(&record->id, id));
    json_write_text(object, "path", path);
    json_write_text(object, "direction", direction_name(record->direction));
    json_write_text(object, "kind", probe_kind_name(record->kind));
    json_write_object(object, "slot", record->slot == 0 ? json_null() : json_integer(record->slot));
    json_write_text(object, "state", probe_state_name(record->state));
    json_write_text(object, "verdict", verdict_name(record->verdict));
}

json_t *api_json_probe(const struct agent *agent, const struct store_probe *probe,
                       struct walltime now)
{
    const struct probe_record *record = &probe->record;
    json_t *object = memory_checked(json_object());
    write_identity(object, record, agent_settings(agent)->server);
    write_life(object, record);
    api_json_null(object, "clock");
    json_write_object(object, "legs", legs_to_json(probe));
    api_json_text_if(object, "smtp_reply", probe->reply);
    api_json_text_if(object, "error_cause", probe->cause);
    api_json_text_if(object, "queue_id", probe->queue_id);
    json_write_object(object, "hops", json_array());
    json_write_object(object, "windows", windows_to_json(agent, record, now));
    write_rule(object, agent, record);
    json_write_object(object, "incident",
                      record->incident == 0 ? json_null() : json_integer(record->incident));
    return object;
}
