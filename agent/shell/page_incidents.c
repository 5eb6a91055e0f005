#include "shell/page_incidents.h"

#include "shell/page_cell.h"
#include "shell/page_text.h"

enum { CHILDREN_SHOWN = 8 };

size_t page_incidents_count(const struct agent *agent)
{
    return core_incidents(agent_core(agent))->count;
}

static bool is_kept_quiet(const struct incidents *incidents, const struct incident *incident)
{
    return incident->cause != 0 && incidents_find_id(incidents, incident->cause) >= 0;
}

size_t page_incidents_causes(const struct agent *agent)
{
    const struct incidents *incidents = core_incidents(agent_core(agent));
    size_t causes = 0;
    for (size_t i = 0; i < incidents->count; i++) {
        const struct incident *incident = incidents->places[i];
        causes += incident != NULL && !is_kept_quiet(incidents, incident);
    }
    return causes;
}

// ---- evidence ----

static void append_because(struct text *out, const char *cause)
{
    if (cause[0] != '\0') {
        text_append(out, ": ");
        page_append_escaped(out, cause);
    }
}

static void append_silence(struct text *out, const struct evidence *evidence)
{
    text_append(out, "nothing came for ");
    page_append_span(out, evidence->oldest_age);
}

static void append_slow(struct text *out, const struct evidence *evidence)
{
    text_format(out, "%u of the last %u took more than ", evidence->late, evidence->of);
    page_append_span(out, evidence->threshold);
    text_append(out, ", the last ");
    page_append_span(out, evidence->latency);
}

static void append_overrun(struct text *out, const struct incident *incident, struct walltime now)
{
    const struct aftermath *aftermath = &incident->aftermath;
    text_append(out, "maintenance ");
    page_append_escaped(out, aftermath->window);
    text_append(out, " ended ");
    page_append_span(out, walltime_since(now, aftermath->planned_end));
    text_format(out, " ago, %u in flight", incident->evidence.in_flight);
}

static void append_clock(struct text *out, const struct evidence *evidence)
{
    text_append(out, "its clock is off by ");
    page_append_span(out, evidence->latency);
    text_append(out, " &plusmn; ");
    page_append_span(out, evidence->threshold);
}

// What the others see of it.
static void append_cells(struct text *out, const struct cells *cells)
{
    if (cells->of > 1) {
        text_format(out, "; %u of %u agents see it", cells->seen_by, cells->of);
    }
    if (cells->paths[0] != '\0') {
        text_append(out, " <span class=\"soft\">(");
        page_append_escaped(out, cells->paths);
        text_append(out, ")</span>");
    }
}

static void append_evidence(struct text *out, const struct incident *incident, struct walltime now)
{
    const struct evidence *evidence = &incident->evidence;
    switch (incident->kind) {
    case INCIDENT_BLIND:
        text_append(out, "cannot be read");
        break;
    case INCIDENT_REFUSED:
        text_format(out, "%u submissions in a row failed", evidence->failures);
        break;
    case INCIDENT_SILENT:
        append_silence(out, evidence);
        text_append(out, ", more than ");
        page_append_span(out, evidence->threshold);
        break;
    case INCIDENT_DOWN:
        append_silence(out, evidence);
        break;
    case INCIDENT_UNHEARD:
        append_silence(out, evidence);
        text_append(out, ", but its mail server greets");
        break;
    case INCIDENT_SLOW:
        append_slow(out, evidence);
        break;
    case INCIDENT_OVERRUN:
        append_overrun(out, incident, now);
        break;
    case INCIDENT_ISOLATED:
        text_append(out, "this server is cut off");
        break;
    case INCIDENT_STUCK:
        text_format(out, "%u still in flight though the queues should be empty",
                    evidence->in_flight);
        break;
    case INCIDENT_BOUNCED:
        text_format(out, "%u came back", evidence->failures);
        break;
    case INCIDENT_LOST:
        text_format(out, "%u given up", evidence->failures);
        break;
    case INCIDENT_CLOCK:
        append_clock(out, evidence);
        break;
    case INCIDENT_FORGED:
        text_format(out, "%u with a wrong signature", evidence->failures);
        break;
    case INCIDENTS:
        break;
    }
    append_because(out, evidence->cause);
    append_cells(out, &incident->cells);
}

// ---- who knows, what it explains ----

static void append_notified(struct text *out, const struct incident *incident)
{
    if (incident->notified) {
        text_append(out, incident->flapping ? "yes, as flapping" : "yes");
    } else if (incident->suppressed_by[0] != '\0') {
        text_append(out, "held back by ");
        page_append_escaped(out, incident->suppressed_by);
    } else {
        text_append(out, "not yet");
    }
}

static void append_children(struct text *out, const struct agent *agent, int64_t cause)
{
    const struct incidents *incidents = core_incidents(agent_core(agent));
    unsigned children = 0;
    for (size_t i = 0; i < incidents->count; i++) {
        const struct incident *incident = incidents->places[i];
        if (incident != NULL && incident->cause == cause && children++ < CHILDREN_SHOWN) {
            text_format(out, "%s%s ", children == 1 ? "" : ", ",
                        incident_kind_name(incident->kind));
            page_append_escaped(out, incident->subject_text);
        }
    }
    if (children > CHILDREN_SHOWN) {
        text_format(out, " and %u more", children - CHILDREN_SHOWN);
    }
}

void page_incidents_row(struct text *out, const struct agent *agent, size_t index,
                        struct moment now)
{
    const struct incidents *incidents = core_incidents(agent_core(agent));
    const struct incident *incident = incidents->places[index];
    if (incident == NULL || is_kept_quiet(incidents, incident)) {
        return;
    }
    text_append(out, "<tr>");
    page_cell(out, "Incident", incident->severity == SEVERITY_CRITICAL ? "bad" : "warn",
              incident_kind_name(incident->kind));
    page_cell(out, "Severity", "", severity_name(incident->severity));
    page_cell(out, "Subject", "", incident->subject_text);
    page_time_cell(out, "Since", incident->began, now.wall);
    page_begin_cell(out, "Evidence", "");
    append_evidence(out, incident, now.wall);
    text_append(out, "</td>");
    page_begin_cell(out, "Notified", "");
    append_notified(out, incident);
    text_append(out, "</td>");
    page_begin_cell(out, "Explains", "soft");
    append_children(out, agent, incident->id);
    text_append(out, "</td></tr>\n");
}
