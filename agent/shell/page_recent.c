#include "shell/page_recent.h"

#include "shell/page_cell.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"

enum { READ_MAXIMUM = 60, SHOWN_MAXIMUM = 8 };
#define LOOK_BACK SPAN_HOURS(24)

struct recent {
    struct text *out;
    struct walltime now;
    unsigned shown;
};

static void append_resumed(struct text *out, const struct incident *incident, struct walltime now)
{
    const struct aftermath *aftermath = &incident->aftermath;
    struct walltime resumed =
        walltime_later(aftermath->resumed[OUTBOUND], aftermath->resumed[INBOUND]);
    if (aftermath->resumed_by[0] == '\0') {
        return;
    }
    text_append(out, "mail resumed ");
    page_append_clock(out, resumed, now, 0);
    if (incident->kind == INCIDENT_OVERRUN) {
        text_append(out, ", overran by ");
        page_append_span(out, walltime_since(resumed, aftermath->planned_end));
    }
    text_append(out, ", ");
}

// What it left behind.
static void append_outcome(struct text *out, const struct incident *incident, struct walltime now)
{
    const struct aftermath *aftermath = &incident->aftermath;
    append_resumed(out, incident, now);
    text_format(out, "%u drained, %u lost", aftermath->drained, aftermath->lost);
    if (aftermath->longest.ns > 0) {
        text_append(out, ", the longest after ");
        page_append_span(out, aftermath->longest);
    }
}

static void append_row(struct text *out, const struct incident *incident, struct walltime now)
{
    text_append(out, "<tr><th scope=\"row\" class=\"words\">");
    page_append_state(out, TONE_SOFT, incident_kind_name(incident->kind));
    text_append(out, " ");
    page_append_path(out, incident->subject_text);
    text_append(out, "</th>");
    page_time_cell(out, "Closed", incident->closed, now);
    page_span_cell(out, "Lasted", true, walltime_since(incident->closed, incident->began));
    page_begin_cell(out, "Outcome", "");
    append_outcome(out, incident, now);
    text_append(out, "</td>");
    page_cell(out, "Notified", "", incident->notified ? "yes" : "no");
    text_append(out, "</tr>\n");
}

static bool take(void *context, const struct incident *incident)
{
    struct recent *recent = context;
    if (!walltime_known(incident->closed) || incident->cause != 0) {
        return true;
    }
    if (recent->shown++ == 0) {
        text_append(recent->out,
                    "<table><caption>Incidents that closed within the last day; those that "
                    "another one explained are left out.</caption>\n<thead><tr>"
                    "<th scope=\"col\">Incident</th><th scope=\"col\">Closed</th>"
                    "<th scope=\"col\" class=\"number\">Lasted</th><th scope=\"col\">Outcome</th>"
                    "<th scope=\"col\">Notified</th></tr></thead>\n<tbody>\n");
    }
    append_row(recent->out, incident, recent->now);
    return recent->shown < SHOWN_MAXIMUM;
}

void page_append_recent(struct text *out, const struct agent *agent, struct moment now)
{
    struct error error = {0};
    struct recent recent = {.out = out, .now = now.wall};
    struct walltime since = walltime_subtract(now.wall, LOOK_BACK);
    bool read =
        store_query_incidents(agent_store(agent), since, READ_MAXIMUM, take, &recent, &error);
    text_append(out, recent.shown > 0 ? "</tbody>\n</table>\n" : "");
    if (!read) {
        text_append(out, "<p class=\"warn\">The ledger cannot be read.</p>\n");
    } else if (recent.shown == 0) {
        text_append(out, "<p class=\"soft\">None within the last day.</p>\n");
    }
}
