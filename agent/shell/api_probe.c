#include "shell/api_probe.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "probes/json_values.h"
#include "shell/api_bounce.h"
#include "shell/api_hops.h"
#include "shell/api_incident.h"
#include "shell/api_json.h"

// ---- finding one ----

enum { PREFIX_LEAST = 6 };

int api_find_probe(struct agent *agent, const char *id, struct store_probe *out,
                   struct error *error)
{
    struct probe_id least, greatest, whole;
    if (strlen(id) < PREFIX_LEAST || !probe_id_parse_prefix(id, &least, &greatest)) {
        error_set(error,
                  "a probe's id has 26 characters of A-Z and 2-7; give at least its first %d",
                  PREFIX_LEAST);
        return 400;
    }
    unsigned found = store_find_probe(agent_store(agent), &least, &greatest, &whole);
    if (found > 1) {
        error_set(error, "several probes have ids that begin with %s", id);
        return 409;
    }
    if (found == 0 || !store_get_probe(agent_store(agent), &whole, out)) {
        error_set(error, "the ledger has no probe with this id (any more)");
        return 404;
    }
    return 200;
}

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

static struct walltime sent_of(const struct probe_record *record)
{
    return walltime_known(record->sent) ? record->sent : record->planned;
}

static struct walltime last_of(const struct probe_record *record, struct walltime now)
{
    return walltime_known(record->arrived) ? record->arrived : now;
}

static struct walltime recovered(const struct agent *agent, const struct window *window)
{
    return walltime_add(window->end, agent_settings(agent)->maintenance.recovery);
}

// Of either end, and [begin, end + recovery] has a part of the life.
static bool touches(const struct agent *agent, const struct window *window,
                    const struct probe_record *record, struct walltime now)
{
    bool ours = strcmp(window->server, agent_settings(agent)->server) == 0;
    return (ours || strcmp(window->server, record->peer) == 0) && !window_void(window) &&
           window->begin.ns <= last_of(record, now).ns &&
           sent_of(record).ns < recovered(agent, window).ns;
}

static json_t *windows_to_json(const struct agent *agent, const struct probe_record *record,
                               struct walltime now)
{
    const struct windows *windows = core_windows(agent_core(agent));
    json_t *ids = memory_checked(json_array());
    for (size_t i = 0; i < windows->count; i++) {
        if (touches(agent, &windows->items[i], record, now)) {
            json_array_append_new(ids, api_json_text(windows->items[i].id));
        }
    }
    return ids;
}

// The recovery is ours: that of a peer's queue stands in its tags and is not kept.
static json_t *consulted_to_json(const struct agent *agent, const struct window *window,
                                 const struct probe_record *record, struct walltime now)
{
    struct walltime over = recovered(agent, window);
    struct walltime from = walltime_later(window->begin, sent_of(record));
    struct walltime to = walltime_earlier(over, last_of(record, now));
    json_t *object = memory_checked(json_object());
    json_write_text(object, "id", window->id);
    json_write_text(object, "server", window->server);
    json_write_text(object, "kind", window_kind_name(window->kind));
    api_json_time(object, "begin", window->begin);
    api_json_time(object, "end", window->end);
    api_json_time(object, "recovered", over);
    api_json_span_if(object, "covers_seconds", true, walltime_since(to, from));
    return object;
}

// ---- the rule, in words ----

static void append_against_threshold(struct text *out, const struct probe_record *record,
                                     struct span warning)
{
    struct span residual = span_subtract(record->latency, record->excused);
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
    if (residual.ns > warning.ns && residual.ns <= span_add(warning, record->latency_error).ns) {
        text_append(out, " by no more than its error, ");
        span_append_seconds(record->latency_error, out);
    }
}

static void append_explained(struct text *out, const struct probe_record *record)
{
    if (record->incident != 0) {
        text_format(out, ": incident %" PRId64 " held it up and is recorded", record->incident);
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
        text_append(out,
                    ", and as far as this server knows neither window nor incident explains it");
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
    api_json_text_if(
        object, "reply_class",
        probe->reply_class < 0 ? "" : reply_class_name((enum reply_class)probe->reply_class));
    api_json_text_if(object, "smtp_reply", probe->reply);
    api_json_text_if(object, "error_cause", probe->cause);
    api_json_text_if(object, "queue_id", probe->queue_id);
    json_write_object(object, "hops", json_array()); // of one probe alone, below
    api_json_text_if(object, "folder", probe->folder);
    json_write_object(object, "windows", windows_to_json(agent, record, now));
    write_rule(object, agent, record);
    json_write_object(object, "incident",
                      record->incident == 0 ? json_null() : json_integer(record->incident));
    return object;
}

static void write_seen(json_t *object, const struct store_probe *probe)
{
    api_json_time(object, "absent", probe->absent);
    api_json_time(object, "asked", probe->asked);
    api_json_time(object, "present", probe->present);
    api_json_time(object, "saved", probe->saved);
    api_json_text_if(object, "mailbox", probe->mailbox);
    json_write_boolean(object, "stripped", probe->stripped);
}

static void write_clock(json_t *object, const struct agent *agent, const char *name,
                        struct moment now)
{
    int peer = settings_find_peer(agent_settings(agent), name);
    struct clock_estimate estimate = {0};
    if (peer >= 0) {
        estimate = core_clock(agent_core(agent), peer, now);
    }
    if (estimate.known) {
        json_t *clock = memory_checked(json_object());
        api_json_span_if(clock, "offset_seconds", true, estimate.offset);
        api_json_span_if(clock, "error_seconds", true, estimate.error);
        json_write_object(object, "clock", clock);
    }
}

static void write_transcript(json_t *object, const struct agent *agent,
                             const struct probe_record *record)
{
    char lines[TRANSCRIPT_SIZE];
    struct transcript_line line;
    json_t *transcript = memory_checked(json_array());
    store_get_transcript(agent_store(agent), &record->id, lines);
    for (const char *at = lines; transcript_next(&at, &line);) {
        json_t *member = memory_checked(json_object());
        api_json_span(member, "at_seconds", line.at);
        json_write_text(member, "from", transcript_side_name(line.side));
        json_write_text(member, "text", line.text);
        json_array_append_new(transcript, member);
    }
    json_write_object(object, "transcript", transcript);
}

// Why nothing may be heard of its arrival, though it came.
static void write_agent_trouble(json_t *object, const struct agent *agent,
                                const struct probe_record *record)
{
    int peer = settings_find_peer(agent_settings(agent), record->peer);
    bool awaited = record->direction == OUTBOUND && record->state == PROBE_ACCEPTED && peer >= 0;
    api_json_text_if(object, "agent_trouble",
                     awaited ? text_kept(core_peer(agent_core(agent), peer)->exchange.cause) : "");
}

// What `incident` names; null when retention has taken it.
static void write_explained_by(json_t *object, const struct agent *agent,
                               const struct probe_record *record)
{
    struct incident incident;
    bool found = record->incident != 0 &&
                 store_get_incident(agent_store(agent), record->incident, &incident);
    json_write_object(object, "explained_by",
                      found ? api_json_incident(agent_store(agent), &incident) : json_null());
}

json_t *api_json_probe_whole(const struct agent *agent, const struct store_probe *probe,
                             struct moment now)
{
    const struct probe_record *record = &probe->record;
    const struct windows *windows = core_windows(agent_core(agent));
    json_t *object = api_json_probe(agent, probe, now.wall);
    json_t *consulted = memory_checked(json_array());
    for (size_t i = 0; i < windows->count; i++) {
        if (touches(agent, &windows->items[i], record, now.wall)) {
            json_array_append_new(consulted,
                                  consulted_to_json(agent, &windows->items[i], record, now.wall));
        }
    }
    json_write_object(object, "windows_consulted", consulted);
    write_seen(object, probe);
    write_transcript(object, agent, record);
    api_json_write_way(object, agent, probe);
    write_clock(object, agent, record->peer, now);
    write_agent_trouble(object, agent, record);
    write_explained_by(object, agent, record);
    api_json_bounces(object, agent_store(agent), &record->id);
    return object;
}
