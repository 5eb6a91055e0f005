#include <string.h>
#include <syslog.h>

#include "shell/journal_line.h"

static const char *const STATES[] = {
    [WINDOW_CHANGED] = "CHANGED", [WINDOW_BEGINS] = "BEGIN", [WINDOW_ENDS] = "END"};

static const char *state_of(const struct window *window, enum window_transition transition)
{
    if (transition != WINDOW_CHANGED) {
        return STATES[transition];
    }
    return window->cancelled ? "CANCELLED" : window->revision > 1 ? "CHANGED" : "ANNOUNCED";
}

// Whether a calendar or a rule has it so, here or at a peer, and no operator since. Of such windows
// there may be hundreds, and nobody waits to hear of them.
static bool is_by_rule(const struct window *window)
{
    static const enum window_origin RULES[] = {ORIGIN_CALENDAR, ORIGIN_CONFIG};
    size_t who = strcspn(window->by, "@");
    for (size_t i = 0; window->origin != ORIGIN_OPERATOR && i < 2; i++) {
        const char *name = window_origin_name(RULES[i]);
        if (strlen(name) == who && strncmp(window->by, name, who) == 0) {
            return true;
        }
    }
    return false;
}

// Whoever announces a window asks to know who knows.
static void put_acknowledged(struct text *line, const struct window *window,
                             struct acknowledgement_count count)
{
    if (window->origin != ORIGIN_PEER) {
        text_format(line, " acknowledged=%u/%u", count.known, count.of);
    }
}

void journal_window(struct journal *journal, const struct window *window,
                    enum window_transition transition, struct acknowledgement_count acknowledged)
{
    JOURNAL_LINE(line);
    text_format(&line, "maintenance %s", state_of(window, transition));
    journal_put_text(&line, "server", window->server);
    journal_put_text(&line, "kind", window_kind_name(window->kind));
    journal_put_text(&line, "window", window->id);
    if (transition == WINDOW_CHANGED) {
        journal_put_time(&line, "begin", window->begin);
    }
    journal_put_time(&line, "end", window->end);
    journal_put_text(&line, "by", window->by);
    journal_put_text(&line, "reason", window->reason);
    put_acknowledged(&line, window, acknowledged);
    bool quiet = transition == WINDOW_CHANGED && is_by_rule(window);
    journal_say(journal, quiet ? LOG_INFO : LOG_NOTICE, &line);
}

void journal_acknowledged(struct journal *journal, const struct window *window,
                          struct acknowledgement_count acknowledged, struct span after)
{
    JOURNAL_LINE(line);
    text_append(&line, "maintenance ACKNOWLEDGED");
    journal_put_text(&line, "server", window->server);
    journal_put_text(&line, "kind", window_kind_name(window->kind));
    journal_put_text(&line, "window", window->id);
    text_format(&line, " revision=%u", window->revision);
    put_acknowledged(&line, window, acknowledged);
    if (after.ns > 0) {
        journal_put_seconds(&line, "after", after);
    }
    journal_say(journal, is_by_rule(window) ? LOG_INFO : LOG_NOTICE, &line);
}

void journal_window_refused(struct journal *journal, const char *peer, const char *reason)
{
    unsigned unsaid;
    if (!journal_passes(&journal->refused_windows, &unsaid)) {
        return;
    }
    JOURNAL_LINE(line);
    text_append(&line, "window REFUSED");
    journal_put_text(&line, "peer", peer);
    journal_put_text(&line, "reason", reason);
    text_format(&line, " more=%u", unsaid);
    journal_say(journal, LOG_WARNING, &line);
}

void journal_receipts_unknown(struct journal *journal, const char *peer, unsigned count,
                              const struct probe_id *one)
{
    unsigned unsaid;
    char id[PROBE_ID_TEXT];
    if (!journal_passes(&journal->unknown_receipts, &unsaid)) {
        return;
    }
    JOURNAL_LINE(line);
    text_append(&line, "receipts UNKNOWN");
    journal_put_text(&line, "peer", peer);
    text_format(&line, " count=%u probe=%s more=%u", count, probe_id_format(one, id), unsaid);
    journal_say(journal, LOG_WARNING, &line);
}

void journal_clock_stepped(struct journal *journal, const char *server, struct span step)
{
    JOURNAL_LINE(line);
    text_append(&line, "clock STEPPED");
    journal_put_text(&line, "server", server);
    journal_put_seconds(&line, "step", step);
    journal_put_text(&line, "consequence",
                     "latencies across it carry it as their error; windows that have begun last "
                     "until both readings of their end have passed");
    journal_say(journal, LOG_WARNING, &line);
}
