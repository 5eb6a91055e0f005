#include "ctl/incident_words.h"

#include "base/answer.h"
#include "ctl/format.h"

// Words that follow each other, parted by commas.
struct words {
    const json_t *evidence;
    struct text *out;
    const char *comma;
};

static void part(struct words *words)
{
    text_append(words->out, words->comma);
    words->comma = ", ";
}

static void add_text(struct words *words, const char *before, const char *member)
{
    const char *shown = answer_text(words->evidence, member);
    if (shown[0] != '\0') {
        part(words);
        text_append(words->out, before);
        text_append(words->out, shown);
    }
}

static void add_count(struct words *words, const char *member, const char *after)
{
    int64_t count = 0;
    int64_t of = 0;
    if (!answer_integer(words->evidence, member, &count)) {
        return;
    }
    bool of_some = answer_integer(words->evidence, "of", &of);
    part(words);
    text_format(words->out, "%lld", (long long)count);
    if (of_some) {
        text_format(words->out, " of %lld", (long long)of);
    }
    text_append(words->out, after);
}

static void add_span(struct words *words, const char *before, const char *member)
{
    struct span span;
    if (answer_span(words->evidence, member, &span)) {
        part(words);
        text_append(words->out, before);
        format_latency(span, words->out);
    }
}

static void add_hop(struct words *words)
{
    const char *hop = answer_text(words->evidence, "hop");
    struct span delay;
    if (hop[0] != '\0' && answer_span(words->evidence, "hop_delay_seconds", &delay)) {
        part(words);
        text_append(words->out, "hop ");
        text_append(words->out, hop);
        text_append(words->out, " took ");
        format_latency(delay, words->out);
    }
}

// At a receiver nothing is in flight that it knows of.
static void add_silence(struct words *words)
{
    int64_t in_flight;
    if (answer_integer(words->evidence, "in_flight", &in_flight) && in_flight > 0) {
        add_count(words, "in_flight", " in flight");
        add_span(words, "oldest ", "oldest_age_seconds");
    } else {
        add_span(words, "nothing came for ", "oldest_age_seconds");
    }
}

// What a server said of it, or where it went, is all there is to say; else the figures.
static void add_evidence(struct words *words)
{
    add_text(words, "", "cause");
    add_text(words, "via ", "route");
    add_text(words, "usually ", "usual_route");
    add_text(words, "", "method");
    add_text(words, "now ", "result");
    add_text(words, "", "reason");
    add_count(words, "misplaced", " misplaced");
    add_text(words, "folder ", "folder");
    add_count(words, "late", " late");
    add_span(words, "last ", "latency_seconds");
    add_hop(words);
    if (answer_text(words->evidence, "cause")[0] == '\0') {
        add_count(words, "lost", " lost");
        add_silence(words);
    }
}

static const json_t *find(const json_t *incidents, int64_t id)
{
    for (size_t i = 0; i < json_array_size(incidents); i++) {
        int64_t other;
        const json_t *incident = json_array_get(incidents, i);
        if (answer_integer(incident, "id", &other) && other == id) {
            return incident;
        }
    }
    return NULL;
}

void incident_words_culprit(const json_t *incident, const char *comma, struct text *out)
{
    const json_t *cells = json_object_get(incident, "cells");
    const char *culprit = answer_text(cells, "culprit"), *paths = answer_text(cells, "paths");
    if (culprit[0] != '\0') {
        text_format(out, "%sculprit %s", comma, culprit);
    }
    if (paths[0] != '\0') {
        text_format(out, " (%s)", paths);
    }
}

void incident_words(const json_t *incident, const json_t *incidents, struct text *out)
{
    int64_t id;
    struct words words = {json_object_get(incident, "evidence"), out, ""};
    const json_t *cause = answer_integer(incident, "cause", &id) ? find(incidents, id) : NULL;
    if (cause != NULL) {
        text_append(out, answer_text(cause, "kind"));
        text_append(out, " ");
        text_append(out, answer_text(cause, "subject"));
    } else {
        add_evidence(&words);
        incident_words_culprit(incident, words.comma, out);
    }
}
