#include "shell/page_life.h"

#include <math.h>
#include <string.h>

#include "base/answer.h"
#include "core/stats.h"
#include "shell/page_cell.h"
#include "shell/page_sign.h"
#include "shell/page_text.h"

static struct life_step *add(struct page_life *life, const char *name, struct walltime from,
                             struct walltime to)
{
    if (life->count == LIFE_STEPS_MAXIMUM) {
        life->left_out++;
        return NULL;
    }
    struct life_step *step = &life->steps[life->count++];
    *step = (struct life_step){.name = name, .from = from, .to = to, .error = {-1}};
    return step;
}

// ---- legs: each ends where the next begins, the last one with the server's acceptance ----

static struct span legs_together(const json_t *legs)
{
    struct span whole = SPAN_ZERO, leg;
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        if (answer_span(legs, leg_name(i), &leg)) {
            whole = span_add(whole, leg);
        }
    }
    return whole;
}

static void read_legs(struct page_life *life, const json_t *probe)
{
    const json_t *legs = json_object_get(probe, "legs");
    struct walltime accepted, at = life->from;
    struct span leg;
    if (answer_time(probe, "accepted", &accepted)) {
        at = walltime_subtract(accepted, legs_together(legs));
    }
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        if (answer_span(legs, leg_name(i), &leg)) {
            add(life, leg_name(i), at, walltime_add(at, leg));
            at = walltime_add(at, leg);
        }
    }
}

// ---- hops ----

static void append_part(struct text *out, const char *before, const char *value)
{
    if (value[0] != '\0') {
        text_append(out, out->length > 0 ? before : "");
        text_append(out, value);
    }
}

static void name_stations(struct life_step *step, const char *from, const char *to)
{
    struct text between = TEXT_OVER(step->between);
    append_part(&between, "", from);
    append_part(&between, " to ", to);
}

static void read_hop(struct page_life *life, const json_t *hop)
{
    struct walltime at;
    struct span delta = SPAN_ZERO;
    if (!answer_time(hop, "time", &at)) {
        return;
    }
    bool timed = answer_span(hop, "delta_seconds", &delta);
    struct walltime from = delta.ns > 0 ? walltime_subtract(at, delta) : at;
    struct life_step *step = add(life, "hop", from, at);
    if (step == NULL) {
        return;
    }
    step->foreign = true;
    struct text words = TEXT_OVER(step->words);
    name_stations(step, answer_text(hop, "from"), answer_text(hop, "by"));
    append_part(&words, "", answer_text(hop, "protocol"));
    append_part(&words, ", ", answer_text(hop, "tls"));
    append_part(&words, ", id ", answer_text(hop, "queue_id"));
    append_part(&words, ", ", answer_true(hop, "time_wrong") ? "its clock is wrong" : "");
    step->slowest = answer_true(hop, "slowest");
    if (!timed || !answer_span(hop, "delta_error_seconds", &step->error)) {
        step->error = (struct span){-1};
    }
}

// From the last server into the mailbox.
static void read_delivery(struct page_life *life, const json_t *probe)
{
    const json_t *delivery = json_object_get(probe, "delivery");
    struct walltime arrived;
    struct span delta;
    if (!answer_time(probe, "arrived", &arrived) ||
        !answer_span(delivery, "delta_seconds", &delta)) {
        return;
    }
    struct walltime from = delta.ns > 0 ? walltime_subtract(arrived, delta) : arrived;
    struct life_step *step = add(life, "delivery", from, arrived);
    if (step != NULL) {
        const json_t *hops = json_object_get(probe, "hops");
        const json_t *last = json_array_get(hops, json_array_size(hops) - 1);
        name_stations(step, answer_text(last, "by"), "the mailbox");
        step->foreign = true;
        step->slowest = answer_true(delivery, "slowest");
        answer_span(delivery, "delta_error_seconds", &step->error);
    }
}

static void read_hops(struct page_life *life, const json_t *probe)
{
    const json_t *hops = json_object_get(probe, "hops");
    int64_t more;
    for (size_t i = 0; i < json_array_size(hops); i++) {
        read_hop(life, json_array_get(hops, i));
    }
    if (answer_integer(probe, "hops_more", &more) && more > 0) {
        life->left_out += (size_t)more;
    }
    read_delivery(life, probe);
}

// ---- from the first server to the mailbox ----

static void read_transit(struct page_life *life, const json_t *probe)
{
    struct walltime from, arrived;
    bool handed_over = answer_time(probe, "accepted", &from) || answer_time(probe, "sent", &from);
    if (!handed_over) {
        return;
    }
    if (!answer_time(probe, "arrived", &arrived)) {
        return;
    }
    add(life, leg_name(LEG_TRANSIT), from, arrived);
}

static void read_visible(struct page_life *life, const json_t *probe)
{
    struct walltime arrived, present;
    if (answer_time(probe, "arrived", &arrived) && answer_time(probe, "present", &present) &&
        present.ns > arrived.ns) {
        add(life, leg_name(LEG_VISIBLE), arrived, present);
    }
}

void page_life_read(struct page_life *life, const json_t *probe, struct walltime now)
{
    static const char *const BEGINNINGS[] = {"planned", "sent"};
    struct walltime arrived;
    *life = (struct page_life){.from = now, .to = now};
    for (size_t i = 0; i < sizeof BEGINNINGS / sizeof BEGINNINGS[0]; i++) {
        struct walltime at;
        if (answer_time(probe, BEGINNINGS[i], &at)) {
            life->from = walltime_earlier(life->from, at);
        }
    }
    read_legs(life, probe);
    read_transit(life, probe);
    read_hops(life, probe);
    read_visible(life, probe);
    if (life->count > 0) {
        life->to = life->from;
    }
    bool over = answer_time(probe, "arrived", &arrived);
    life->to = over ? walltime_later(life->to, arrived) : life->to;
    for (size_t i = 0; i < life->count; i++) {
        if (over && life->steps[i].foreign) {
            continue; // a clock of others does not stretch what is known of it
        }
        life->from = walltime_earlier(life->from, life->steps[i].from);
        life->to = walltime_later(life->to, life->steps[i].to);
    }
}

const struct life_step *page_life_slowest(const struct page_life *life)
{
    for (size_t i = 0; i < life->count; i++) {
        if (life->steps[i].slowest) {
            return &life->steps[i];
        }
    }
    return NULL;
}

// ---- a row ----

// What a leg is, for those who read of it for the first time.
static const char *meaning_of(const char *name)
{
    static const char *const MEANINGS[LEGS] = {
        [LEG_DNS] = "the first server's name looked up",
        [LEG_CONNECT] = "connected to it",
        [LEG_TLS] = "TLS agreed upon",
        [LEG_AUTH] = "logged in",
        [LEG_SUBMIT] = "handed over, until it took it",
        [LEG_TRANSIT] = "the whole way from there into the mailbox",
        [LEG_VISIBLE] = "until this agent saw it there",
    };
    for (int i = 0; i < LEGS; i++) {
        if (strcmp(name, leg_name(i)) == 0) {
            return MEANINGS[i];
        }
    }
    return "";
}

static void append_bar(struct text *out, const struct page_life *life, const struct life_step *step)
{
    double whole = fmax(span_seconds(walltime_since(life->to, life->from)), 1e-6);
    double from = span_seconds(walltime_since(step->from, life->from)) / whole;
    double to = span_seconds(walltime_since(step->to, life->from)) / whole;
    from = fmin(fmax(from, 0), 1);
    double length = fmin(fmax(fmin(to, 1) - from, 0.004), 1);
    from = fmin(from, 1 - length);
    text_format(out,
                "<td class=\"bar\"><svg width=\"100%%\" height=\"12\" aria-hidden=\"true\">"
                "<rect class=\"%s\" x=\"%.2f%%\" width=\"%.2f%%\" height=\"12\" rx=\"2\"/>"
                "</svg></td>",
                step->slowest ? "warn" : "", 100 * from, 100 * length);
}

void page_life_append(struct text *out, const struct page_life *life, size_t number)
{
    const struct life_step *step = &life->steps[number];
    text_append(out, "<tr>");
    page_row_head(out, step->name);
    page_begin_cell(out, "At", "number");
    page_append_clock(out, step->from, life->from, 3);
    text_append(out, "</td>");
    page_begin_cell(out, "Took", "number");
    page_append_span(out, walltime_since(step->to, step->from));
    if (step->error.ns >= 0) {
        text_append(out, " <span class=\"soft\">&plusmn; ");
        page_append_span(out, step->error);
        text_append(out, "</span>");
    }
    text_append(out, "</td>");
    append_bar(out, life, step);
    page_begin_cell(out, "What", "words");
    if (step->slowest) {
        page_append_state(out, TONE_WARN, "the slowest");
        text_append(out, " ");
    }
    page_append_escaped(out, step->between);
    text_append(out, step->between[0] != '\0' && step->words[0] != '\0' ? ", " : "");
    page_append_escaped(out, step->words[0] != '\0' ? step->words : meaning_of(step->name));
    text_append(out, "</td></tr>\n");
}
