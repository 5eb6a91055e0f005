#include "shell/page_headline.h"

#include <inttypes.h>

#include "shell/page_paths.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"
#include "shell/page_windows.h"

struct headline {
    const struct agent *agent;
    const struct page_troubles *troubles;
    const struct window *window; // that is active, NULL for none
    struct page_unknown unknown;
    bool heard; // whether any probe has come yet
    struct moment now;
};

static bool has_heard(const struct agent *agent)
{
    size_t peers = agent_settings(agent)->peer_count;
    bool heard = peers == 0;
    for (size_t i = 0; i < peers && !heard; i++) {
        const struct peer *peer = core_peer(agent_core(agent), (int)i);
        heard = walltime_known(peer->outbound.path.last_arrival) ||
                walltime_known(peer->inbound.path.last_arrival);
    }
    return heard;
}

static enum page_tone tone_of(const struct headline *headline, bool ready)
{
    const struct page_troubles *troubles = headline->troubles;
    if (troubles->count > troubles->held_back) {
        return troubles->critical ? TONE_BAD : TONE_WARN;
    }
    if (!ready) {
        return TONE_WARN;
    }
    if (headline->unknown.count > 0 && headline->heard) {
        return TONE_WARN;
    }
    if (headline->window != NULL || troubles->count > 0) {
        return TONE_CALM;
    }
    return headline->heard ? TONE_GOOD : TONE_SOFT;
}

static void append_unknown_title(struct text *out, const struct headline *headline)
{
    const struct page_unknown *unknown = &headline->unknown;
    char path[SUBJECT_TEXT_SIZE];
    if (unknown->count > 1) {
        text_format(out, "Not known of %zu paths: whether mail flows", unknown->count);
        return;
    }
    core_path_text(agent_core(headline->agent), unknown->peer, unknown->direction, path);
    text_append(out, "Not known: whether mail flows ");
    page_append_path(out, path);
}

static void append_title(struct text *out, const struct headline *headline)
{
    if (headline->troubles->gravest != NULL) {
        page_append_trouble(out, headline->troubles->gravest);
    } else if (headline->unknown.count > 0 && headline->heard) {
        append_unknown_title(out, headline);
    } else if (headline->window != NULL) {
        page_append_escaped(out, headline->window->server);
        text_append(out, " is in maintenance, and nothing else is wrong");
    } else {
        text_append(out, !headline->heard                       ? "Nothing has come yet"
                         : page_paths_are_many(headline->agent) ? "No trouble is known"
                                                                : "Everything flows");
    }
}

// ---- troubles ----

static void append_other(struct text *out, const struct incident *incident, struct walltime now)
{
    text_append(out, "<li>");
    page_append_sign(out, page_tone_of_incident(incident));
    text_format(out, "<a href=\"#incident-%" PRId64 "\">", incident->id);
    page_append_trouble(out, incident);
    text_append(out, "</a> since ");
    page_append_time(out, incident->began, now);
    text_append(out, "</li>\n");
}

// Those that the title does not name, in the order of their cards.
static void append_others(struct text *out, const struct headline *headline)
{
    enum { SHOWN = 4 };
    const struct incidents *incidents = core_incidents(agent_core(headline->agent));
    size_t others = headline->troubles->count - 1, shown = 0;
    text_format(out, "<p>And %zu other trouble%s:</p>\n<ul class=\"others\">\n", others,
                others == 1 ? "" : "s");
    for (int rank = 0; rank < PAGE_TROUBLE_RANKS; rank++) {
        for (size_t i = 0; i < incidents->count && shown < SHOWN; i++) {
            const struct incident *incident = incidents->places[i];
            if (incident != NULL && incident != headline->troubles->gravest &&
                !page_trouble_is_folded(incidents, incident) &&
                page_trouble_rank(incident) == rank) {
                append_other(out, incident, headline->now.wall);
                shown++;
            }
        }
    }
    if (others > shown) {
        text_format(out, "<li>and %zu more</li>\n", others - shown);
    }
    text_append(out, "</ul>\n");
}

static void append_troubles(struct text *out, const struct headline *headline)
{
    const struct page_troubles *troubles = headline->troubles;
    text_append(out, "<p>Since ");
    page_append_time(out, troubles->gravest->began, headline->now.wall);
    text_append(out, "</p>\n");
    if (troubles->count > 1) {
        append_others(out, headline);
    }
    if (troubles->held_back > 0) {
        text_format(out, "<p>%zu of %s held back by maintenance: nobody was notified.</p>\n",
                    troubles->held_back, troubles->count == 1 ? "it is" : "them");
    }
}

// ---- maintenance ----

static void append_windows(struct text *out, const struct headline *headline)
{
    const struct window *window = headline->window;
    size_t others = page_windows_count_active(headline->agent, headline->now.wall) - 1;
    text_append(out, "<p>In maintenance: ");
    page_append_escaped(out, window->server);
    text_append(out, ", until ");
    page_append_time(out, window_until(window), headline->now.wall);
    if (window->reason[0] != '\0') {
        text_append(out, ": ");
        page_append_escaped(out, window->reason);
    }
    if (others > 0) {
        text_format(out, "; <a href=\"#maintenance\">and %zu more</a>", others);
    }
    text_append(out, "</p>\n");
}

// Of our own probes the peer's agent tells; of its own, the mailbox that we read.
static void append_unknown(struct text *out, const struct headline *headline)
{
    const struct page_unknown *unknown = &headline->unknown;
    const struct peer *peer = core_peer(agent_core(headline->agent), unknown->peer);
    if (unknown->direction == INBOUND) {
        text_append(out, "<p>No probe of ");
        page_append_escaped(out, peer->settings->name);
        text_append(out,
                    " has come lately, and none was due for so long that it must be missed.</p>\n");
        return;
    }
    text_append(out, "<p>");
    page_append_escaped(out, peer->settings->name);
    if (walltime_known(peer->outbound.receipts_as_of)) {
        text_append(out, " told last of what it has as of ");
        page_append_time(out, peer->outbound.receipts_as_of, headline->now.wall);
    } else {
        text_append(out, " has never told what it has of our probes");
    }
    if (peer->exchange.cause != NULL) {
        text_append(out, "; ");
        page_append_escaped(out, peer->exchange.cause);
    }
    text_append(out, ".</p>\n");
}

static void append_wellness(struct text *out, const struct headline *headline)
{
    if (headline->unknown.count > 0) {
        append_unknown(out, headline);
    }
    page_paths_summary(out, headline->agent, headline->now);
    if (headline->window == NULL) {
        text_append(out, "<p>No incident is open, no server is in maintenance.</p>\n");
    }
}

void page_append_headline(struct text *out, const struct agent *agent,
                          const struct page_troubles *troubles, struct moment now)
{
    char reason[256] = "";
    bool ready = agent_ready(agent, reason, sizeof reason);
    struct headline headline = {agent,
                                troubles,
                                page_windows_active(agent, now.wall),
                                page_paths_unknown(agent, now),
                                has_heard(agent),
                                now};
    enum page_tone tone = tone_of(&headline, ready);
    text_format(out, "<div class=\"headline %s\">\n<h1>", page_tone_class(tone));
    page_append_sign(out, tone);
    text_append(out, "<span>");
    append_title(out, &headline);
    text_append(out, "</span></h1>\n");
    if (troubles->count > 0) {
        append_troubles(out, &headline);
    }
    if (headline.window != NULL) {
        append_windows(out, &headline);
    }
    if (troubles->count == 0) {
        append_wellness(out, &headline);
    }
    if (!ready) {
        text_append(out, "<p class=\"warn\">Not ready: ");
        page_append_escaped(out, reason);
        text_append(out, "</p>\n");
    }
    text_append(out, "</div>\n");
}
