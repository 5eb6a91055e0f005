#include "shell/api_hops.h"

#include "base/error.h"
#include "core/arrival.h"
#include "core/hops.h"
#include "probes/json_values.h"
#include "shell/api_json.h"

static void write_delta(json_t *object, const struct hops *hops, size_t place)
{
    const struct hop_delta *delta = &hops->of[place];
    api_json_span_if(object, "delta_seconds", delta->known, delta->delta);
    api_json_span_if(object, "delta_error_seconds", delta->known, delta->error);
    json_write_boolean(object, "slowest", hops->slowest == (int)place);
    json_write_boolean(object, "time_wrong", delta->known && !delta->believed);
}

static json_t *hop_to_json(const struct hop *hop, const struct hops *hops, size_t place)
{
    json_t *object = memory_checked(json_object());
    api_json_text_if(object, "from", hop->from);
    api_json_text_if(object, "from_seen", hop->seen);
    api_json_text_if(object, "by", hop->by);
    api_json_text_if(object, "protocol", hop->protocol);
    api_json_text_if(object, "tls", hop->tls);
    api_json_text_if(object, "queue_id", hop->queue_id);
    api_json_time(object, "time", hop->time);
    write_delta(object, hops, place);
    return object;
}

// How far `sent` may be off is what of the latency's error is not the arrival's.
static void measure(const struct trace *trace, const struct store_probe *probe, struct hops *out)
{
    const struct probe_record *record = &probe->record;
    const struct arrival_sight seen = {probe->absent, probe->asked, probe->present, probe->saved};
    struct arrival arrival = arrival_estimate(&seen, record->sent);
    struct span sent_error = span_subtract(record->latency_error, arrival.error);
    hops_measure(trace, record->sent, span_longer(sent_error, SPAN_ZERO), record->arrived,
                 arrival.error, out);
}

static json_t *hops_to_json(const struct trace *trace, const struct hops *hops)
{
    json_t *array = memory_checked(json_array());
    for (size_t i = 0; i < trace->count; i++) {
        json_array_append_new(array, hop_to_json(&trace->hops[i], hops, i));
    }
    return array;
}

static json_t *delivery_to_json(const struct trace *trace, const struct hops *hops)
{
    json_t *object = memory_checked(json_object());
    write_delta(object, hops, trace->count);
    return object;
}

// Where it waited longest: with what a postmaster looks for in the logs of that server. `skipped`:
// hops between the two of whose times nothing can be told.
static json_t *slowest_to_json(const struct trace *trace, const struct hops *hops)
{
    struct slowest_hop slowest;
    if (hops->slowest < 0) {
        return json_null();
    }
    size_t place = (size_t)hops->slowest;
    const struct hop_delta *delta = &hops->of[place];
    const struct hop *before = hops_before(trace, hops, place);
    json_t *object = memory_checked(json_object());
    hops_name_slowest(trace, hops, &slowest);
    api_json_text_if(object, "hop", slowest.to);
    api_json_text_if(object, "hop_from", slowest.from);
    api_json_text_if(object, "queue_id", before == NULL ? "" : before->queue_id);
    api_json_span(object, "delay_seconds", delta->delta);
    api_json_span(object, "error_seconds", delta->error);
    json_write_integer(object, "skipped", (json_int_t)(place - delta->from));
    return object;
}

// Of what arrived elsewhere, and is known by a receipt alone, the receiver knows the way.
static bool known_elsewhere(const struct trace *trace, const struct store_probe *probe)
{
    return trace->count == 0 && probe->record.direction == OUTBOUND &&
           walltime_known(probe->record.arrived) && probe->mailbox[0] == '\0';
}

static json_t *route_to_json(const struct trace *trace, bool rerouted)
{
    char route[ROUTE_SIZE], *rest;
    json_t *hosts = memory_checked(json_array());
    trace_route(trace, route);
    for (char *host = strtok_r(route, " ", &rest); host != NULL;
         host = strtok_r(NULL, " ", &rest)) {
        json_array_append_new(hosts, api_json_text(host));
    }
    json_t *object = memory_checked(json_object());
    json_write_object(object, "hosts", hosts);
    json_write_boolean(object, "changed", rerouted);
    return object;
}

static json_t *authentication_to_json(const struct authentication *from)
{
    json_t *object = memory_checked(json_object());
    json_t *reasons = memory_checked(json_object());
    json_write_text(object, "authserv_id", from->authserv_id);
    for (int i = 0; i < AUTH_METHODS; i++) {
        const char *method = auth_method_name((enum auth_method)i);
        api_json_text_if(object, method, auth_result_name(from->results[i]));
        if (from->reasons[i][0] != '\0') {
            json_write_text(reasons, method, from->reasons[i]);
        }
    }
    json_write_object(object, "reasons", reasons);
    return object;
}

void api_json_write_way(json_t *object, const struct agent *agent, const struct store_probe *probe)
{
    struct trace trace;
    struct hops hops;
    bool rerouted;
    store_get_trace(agent_store(agent), &probe->record.id, &trace, &rerouted);
    measure(&trace, probe, &hops);
    bool known = trace.count > 0, judged = trace.authentication.authserv_id[0] != '\0';
    json_write_object(object, "hops", hops_to_json(&trace, &hops));
    json_write_integer(object, "hops_more", trace.more);
    json_write_boolean(object, "hops_cut", trace.cut);
    json_write_object(object, "delivery", known ? delivery_to_json(&trace, &hops) : json_null());
    json_write_object(object, "slowest", slowest_to_json(&trace, &hops));
    api_json_text_if(object, "way_known_at",
                     known_elsewhere(&trace, probe) ? probe->record.peer : "");
    json_write_object(object, "route", known ? route_to_json(&trace, rerouted) : json_null());
    json_write_object(object, "authentication",
                      judged ? authentication_to_json(&trace.authentication) : json_null());
}
