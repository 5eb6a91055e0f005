#include "shell/page_incidents.h"

#include <inttypes.h>

#include "shell/page_sign.h"
#include "shell/page_text.h"
#include "shell/page_trouble.h"
#include "shell/page_way.h"

enum { CHILDREN_SHOWN = 12, CARDS_SHOWN = 20, PLACES_A_PIECE = 256 };

// ---- evidence ----

static void append_because(struct text *out, const char *cause)
{
    if (cause[0] != '\0') {
        text_append(out, ": ");
        page_append_escaped(out, cause);
    }
}

struct occurrence {
    const struct agent *agent;
    const struct incident *incident;
    const struct evidence *evidence; // the incident's
    struct walltime now;
};

static void append_oldest_age(struct text *out, const struct occurrence *occurrence)
{
    page_append_span(out, occurrence->evidence->oldest_age);
}

static void append_in_flight(struct text *out, const struct occurrence *occurrence)
{
    text_format(out, "%u", occurrence->evidence->in_flight);
}

static void append_failures(struct text *out, const struct occurrence *occurrence)
{
    text_format(out, "%u", occurrence->evidence->failures);
}

static void append_late(struct text *out, const struct occurrence *occurrence)
{
    text_format(out, "%u of the last %u", occurrence->evidence->late, occurrence->evidence->of);
}

static void append_silent(struct text *out, const struct occurrence *occurrence)
{
    append_oldest_age(out, occurrence);
    text_append(out, ", more than ");
    page_append_span(out, occurrence->evidence->threshold);
}

static void append_slow(struct text *out, const struct occurrence *occurrence)
{
    const struct evidence *evidence = occurrence->evidence;
    append_late(out, occurrence);
    text_append(out, " took more than ");
    page_append_span(out, evidence->threshold);
    text_append(out, ", the last ");
    page_append_span(out, evidence->latency);
    if (evidence->hop.to[0] != '\0') {
        text_append(out, "; its slowest hop took ");
        page_append_slowest(out, &evidence->hop);
    }
}

static void append_overrun(struct text *out, const struct occurrence *occurrence)
{
    const struct aftermath *aftermath = &occurrence->incident->aftermath;
    page_append_escaped(out, aftermath->window);
    text_append(out, " ended ");
    page_append_span(out, walltime_since(occurrence->now, aftermath->planned_end));
    text_append(out, " ago, ");
    append_in_flight(out, occurrence);
}

static void append_clock(struct text *out, const struct occurrence *occurrence)
{
    page_append_span(out, occurrence->evidence->latency);
    text_append(out, " &plusmn; ");
    page_append_span(out, occurrence->evidence->threshold);
}

// With the last report: who said so, and by which status. Its words are the cause.
static void append_bounced(struct text *out, const struct occurrence *occurrence)
{
    const struct evidence *evidence = occurrence->evidence;
    struct store_bounce last;
    text_format(out, "%u probe%s came back", evidence->failures,
                evidence->failures == 1 ? "" : "s");
    if (!evidence->has_probe ||
        !store_get_bounce(agent_store(occurrence->agent), &evidence->probe, BOUNCE_FAILED, &last)) {
        return;
    }
    if (last.bounce.remote_mta[0] != '\0') {
        text_append(out, ", refused by ");
        page_append_escaped(out, last.bounce.remote_mta);
    }
    if (last.bounce.status[0] != '\0') {
        text_append(out, " with status ");
        page_append_escaped(out, last.bounce.status);
    }
}

static void append_routes(struct text *out, const struct occurrence *occurrence)
{
    page_append_route(out, occurrence->evidence->route);
    text_append(out, " instead of ");
    page_append_route(out, occurrence->evidence->usual_route);
}

static void append_authentication(struct text *out, const struct occurrence *occurrence)
{
    text_format(out, "%s used to pass, and now says %s",
                auth_method_name(occurrence->evidence->method),
                auth_result_name(occurrence->evidence->result));
}

static const struct {
    const char *before;
    void (*append)(struct text *out,
                   const struct occurrence *occurrence); // NULL: the words are all
    const char *after;
} EVIDENCE[INCIDENTS] = {
    [INCIDENT_ISOLATED] = {"this server is cut off", NULL, ""},
    [INCIDENT_BLIND] = {"of what comes to it nothing is known meanwhile", NULL, ""},
    [INCIDENT_OVERRUN] = {"maintenance ", append_overrun, " in flight"},
    [INCIDENT_DOWN] = {"nothing came for ", append_oldest_age, ""},
    [INCIDENT_UNHEARD] = {"nothing came for ", append_oldest_age, ", but its mail server greets"},
    [INCIDENT_REFUSED] = {"", append_failures, " submissions in a row failed"},
    [INCIDENT_BOUNCED] = {"", append_bounced, ""},
    [INCIDENT_SILENT] = {"nothing came for ", append_silent, ""},
    [INCIDENT_SLOW] = {"", append_slow, ""},
    [INCIDENT_STUCK] = {"", append_in_flight, " still in flight though the queues should be empty"},
    [INCIDENT_LOST] = {"", append_failures, " given up"},
    [INCIDENT_CERTIFICATE] = {"a certificate needs to be replaced", NULL, ""},
    [INCIDENT_REROUTED] = {"over ", append_routes, ""},
    [INCIDENT_UNAUTHENTICATED] = {"", append_authentication, ""},
    [INCIDENT_MISPLACED] = {"", append_late, " lay in another folder"},
    [INCIDENT_CLOCK] = {"its clock is off by ", append_clock, ""},
    [INCIDENT_FORGED] = {"", append_failures, " with a wrong signature"},
};

static void append_evidence(struct text *out, const struct agent *agent,
                            const struct incident *incident, struct walltime now)
{
    struct occurrence occurrence = {agent, incident, &incident->evidence, now};
    text_append(out, EVIDENCE[incident->kind].before);
    if (EVIDENCE[incident->kind].append != NULL) {
        EVIDENCE[incident->kind].append(out, &occurrence);
    }
    text_append(out, EVIDENCE[incident->kind].after);
    append_because(out, incident->evidence.cause);
}

// ---- who knows, what it explains ----

static void append_notified(struct text *out, const struct incident *incident, struct walltime now)
{
    if (incident->notified) {
        text_append(out, incident->flapping ? "as flapping, " : "");
        page_append_time(out, incident->notified_at, now);
    } else if (incident->suppressed_by[0] != '\0') {
        text_append(out, "held back by window ");
        page_append_escaped(out, incident->suppressed_by);
    } else {
        text_append(out, "not yet");
    }
}

static unsigned count_children(const struct incidents *incidents, int64_t cause)
{
    unsigned children = 0;
    for (size_t i = 0; i < incidents->count; i++) {
        children += incidents->places[i] != NULL && incidents->places[i]->cause == cause;
    }
    return children;
}

static void append_child(struct text *out, const struct incident *incident)
{
    text_append(out, "<li>");
    page_append_sign(out, page_tone_of_incident(incident));
    page_append_trouble(out, incident);
    text_append(out, "</li>");
}

static void append_children(struct text *out, const struct incidents *incidents, int64_t cause)
{
    unsigned children = count_children(incidents, cause), shown = 0;
    if (children == 0) {
        return;
    }
    text_format(out,
                "<details><summary>Explains %u other%s, kept quiet</summary>\n"
                "<ul class=\"folded\">",
                children, children == 1 ? "" : "s");
    for (size_t i = 0; i < incidents->count && shown < CHILDREN_SHOWN; i++) {
        const struct incident *incident = incidents->places[i];
        if (incident != NULL && incident->cause == cause) {
            append_child(out, incident);
            shown++;
        }
    }
    if (children > shown) {
        text_format(out, "<li class=\"soft\">and %u more</li>", children - shown);
    }
    text_append(out, "</ul></details>\n");
}

// ---- a card ----

// Of a server those of our paths that it is the other end of.
static void append_paths(struct text *out, const struct agent *agent,
                         const struct incident *incident)
{
    const struct subject *subject = &incident->subject;
    if (subject->kind == SUBJECT_PATH) {
        text_append(out, "<li>");
        page_append_path_link(out, incident->subject_text);
        text_append(out, "</li>");
    } else if (subject->kind == SUBJECT_SERVER && subject->peer >= 0) {
        for (int way = 0; way < DIRECTIONS; way++) {
            char path[SUBJECT_TEXT_SIZE];
            core_path_text(agent_core(agent), subject->peer, (enum direction)way, path);
            text_append(out, "<li>");
            page_append_path_link(out, path);
            text_append(out, "</li>");
        }
    }
}

static void append_links(struct text *out, const struct agent *agent,
                         const struct incident *incident)
{
    char id[PROBE_ID_TEXT];
    bool on_path = incident->subject.kind == SUBJECT_PATH;
    bool of_peer = incident->subject.kind == SUBJECT_SERVER && incident->subject.peer >= 0;
    if (!on_path && !of_peer && !incident->evidence.has_probe) {
        return;
    }
    text_append(out, "<ul class=\"links\">");
    append_paths(out, agent, incident);
    if (incident->evidence.has_probe) {
        text_format(out, "<li><a href=\"/probe?id=%s\">The probe that shows it</a></li>",
                    probe_id_format(&incident->evidence.probe, id));
    }
    text_append(out, "</ul>\n");
}

static void append_facts(struct text *out, const struct agent *agent,
                         const struct incident *incident, struct walltime now)
{
    text_append(out, "<dl>\n<div><dt>Since</dt><dd>");
    page_append_time(out, incident->began, now);
    text_append(out, "</dd></div>\n<div><dt>Whose fault</dt><dd>");
    page_append_culprit(out, agent, incident);
    text_append(out, "</dd></div>\n<div><dt>Maintenance</dt><dd>");
    page_append_maintenance(out, agent, incident, now);
    text_append(out, "</dd></div>\n<div><dt>Evidence</dt><dd>");
    append_evidence(out, agent, incident, now);
    text_append(out, "</dd></div>\n<div><dt>Notified</dt><dd>");
    append_notified(out, incident, now);
    text_append(out, "</dd></div>\n</dl>\n");
}

static void append_card(struct text *out, const struct agent *agent,
                        const struct incident *incident, struct walltime now)
{
    enum page_tone tone = page_tone_of_incident(incident);
    text_format(out, "<article class=\"trouble %s\" id=\"incident-%" PRId64 "\">\n<h2>",
                page_tone_class(tone), incident->id);
    page_append_sign(out, tone);
    text_append(out, "<span>");
    page_append_trouble(out, incident);
    text_format(out, "</span> <small>%s, %s</small></h2>\n", incident_kind_name(incident->kind),
                severity_name(incident->severity));
    append_facts(out, agent, incident, now);
    append_children(out, core_incidents(agent_core(agent)), incident->id);
    append_links(out, agent, incident);
    text_append(out, "</article>\n");
}

// ---- all of them, the gravest first ----

static bool append_rest(struct text *out, const struct page_cards *cards)
{
    if (cards->shown < cards->of) {
        text_format(out,
                    "<p class=\"soft\">and %zu more, see <a href=\"/api/v1/incidents\">all "
                    "incidents as JSON</a></p>\n",
                    cards->of - cards->shown);
    }
    return false;
}

bool page_incidents_next(struct text *out, const struct agent *agent, struct page_cards *cards,
                         struct moment now)
{
    const struct incidents *incidents = core_incidents(agent_core(agent));
    for (unsigned seen = 0; seen < PLACES_A_PIECE; seen++) {
        if (cards->place >= incidents->count) {
            if (++cards->pass == PAGE_TROUBLE_RANKS) {
                return append_rest(out, cards);
            }
            cards->place = 0;
            return true;
        }
        const struct incident *incident = incidents->places[cards->place++];
        if (incident != NULL && page_trouble_rank(incident) == cards->pass &&
            !page_trouble_is_folded(incidents, incident) && cards->shown < CARDS_SHOWN) {
            append_card(out, agent, incident, now.wall);
            cards->shown++;
            return true;
        }
    }
    return true;
}
