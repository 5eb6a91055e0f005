#include "shell/alertmanager.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "probes/fetch.h"
#include "probes/silence.h"
#include "shell/child.h"
#include "shell/notes.h"
#include "shell/window_request.h"

#define JOB_DEADLINE SPAN_SECONDS(8)
#define JOB_KILLED   SPAN_SECONDS(10) // it should have ended by itself

static const char SILENCES_PATH[] = "/api/v2/silences";

enum { FAILURE_SIZE = 900, CREATOR_SIZE = WINDOW_BY_SIZE - SERVER_NAME_SIZE - 16 };

// An answer under way, or the last whole one.
struct answer {
    struct wanted wanted;
    struct notes notes; // of silences, by id
    bool done;
    char failure[SILENCE_MESSAGE_SIZE]; // why not done
    struct certificate certificate;
};

// Lives on until its process has ended, even when it is destroyed before.
struct alertmanager {
    uv_loop_t *loop;
    char program[PROBE_PATH_SIZE];
    const struct settings *settings;
    struct journal *journal;
    struct alertmanager_handlers handlers;
    void *context;
    char asked[FETCH_URL_SIZE + FETCH_MATCHER_SIZE]; // whose answer `last` is: first URL, matcher
    struct instant due;                              // the next question
    size_t member;                                   // that is asked first
    size_t tried;                                    // of this question, without a good answer
    char failures[FAILURE_SIZE];                     // what they said instead
    bool failing;                                    // said
    struct child *child;                             // at work,
    struct instant killed_after;                     // at the longest until then,
    bool killed;
    bool unwanted; // on something that has changed since
    struct answer answer;
    struct answer last;
    struct wanted changed; // from the answer before to the last
    bool known;            // there has been one since we are running
    bool reconfigured;
    bool destroyed;
    struct alertmanager_figures figures;
};

// ---- what is configured ----

static const struct alertmanager_settings *configured(const struct alertmanager *alertmanager)
{
    return &alertmanager->settings->maintenance.alertmanager;
}

static size_t member_count(const struct alertmanager_settings *settings)
{
    return settings->url[0] != '\0' ? 1 : settings->url_count;
}

static const char *member_url(const struct alertmanager_settings *settings, size_t member)
{
    return settings->url[0] != '\0' ? settings->url : settings->urls[member];
}

// ---- what a silence amounts to ----

static void compose_by(const struct alertmanager *alertmanager, const struct silence_line *line,
                       char by[WINDOW_BY_SIZE])
{
    char creator[CREATOR_SIZE];
    struct text text = text_over(by, WINDOW_BY_SIZE);
    text_copy(creator, sizeof creator, line->creator);
    text_format(&text, "%s:%s@%s", window_origin_name(ORIGIN_ALERTMANAGER), creator,
                alertmanager->settings->server);
}

static void note(struct alertmanager *alertmanager, const struct silence_line *line,
                 const char *message, bool unusable)
{
    if (notes_add(&alertmanager->answer.notes, &alertmanager->last.notes, line->id, message,
                  unusable)) {
        journal_silence(alertmanager->journal, line->id, message, unusable);
    }
}

static void note_nameless(struct alertmanager *alertmanager, const struct silence_line *line)
{
    char message[NOTE_MESSAGE_SIZE];
    struct text text = TEXT_OVER(message);
    text_format(&text, "no server of the mesh is called %s", line->name);
    note(alertmanager, line, message, true);
}

// The silence's id makes the window's, so that it is the same one for every agent that reads it,
// whatever of the silence changes.
static void take_silence(struct alertmanager *alertmanager, const struct silence_line *line)
{
    const char *server = wanted_server(alertmanager->settings, line->name);
    struct window window = {
        .kind = WINDOW_ROUTINE,
        .begin = walltime_from_microseconds(walltime_microseconds(line->begin)),
        .end = walltime_from_microseconds(walltime_microseconds(line->end)),
        .origin = ORIGIN_ALERTMANAGER,
    };
    const char *unsound = window_unsound(&window, clock_now().wall);
    if (server == NULL) {
        note_nameless(alertmanager, line);
        return;
    }
    if (unsound != NULL) {
        note(alertmanager, line, unsound, true);
        return;
    }
    text_copy(window.server, sizeof window.server, server);
    text_copy(window.reason, sizeof window.reason,
              line->comment[0] == '\0' ? "silence" : line->comment);
    compose_by(alertmanager, line, window.by);
    wanted_id('a', line->id, server, WALLTIME_NONE, window.id);
    wanted_add(&alertmanager->answer.wanted, &window);
    if (walltime_since(window.end, window.begin).ns > WINDOW_ROUTINE_MAXIMUM.ns) {
        note(alertmanager, line,
             "it is long for routine maintenance (more than 4h): every alert of the server is held "
             "back for all of it",
             false);
    }
}

static void take_line(struct alertmanager *alertmanager, const struct silence_line *line)
{
    switch (line->kind) {
    case SILENCE_FOUND:
        take_silence(alertmanager, line);
        break;
    case SILENCE_PROBLEM:
        note(alertmanager, line, line->message, true);
        break;
    case SILENCES_DONE:
        alertmanager->answer.done = true;
        alertmanager->answer.certificate = line->certificate;
        break;
    case SILENCES_FAILED:
        alertmanager->answer.certificate = line->certificate;
        text_copy(alertmanager->answer.failure, sizeof alertmanager->answer.failure, line->message);
        break;
    }
}

static void on_line(void *context, const char *text, size_t length)
{
    struct alertmanager *alertmanager = context;
    struct silence_line line;
    struct error error;
    if (alertmanager->unwanted) {
        return;
    }
    if (silence_line_decode(text, length, &line, &error)) {
        take_line(alertmanager, &line);
    } else {
        text_copy(alertmanager->answer.failure, sizeof alertmanager->answer.failure, error.message);
    }
}

// ---- asking ----

static void ask(struct alertmanager *alertmanager, struct moment now);

static void note_changes(struct alertmanager *alertmanager, struct walltime now)
{
    const struct wanted *before = &alertmanager->last.wanted, *after = &alertmanager->answer.wanted;
    for (size_t i = 0; i < before->count; i++) {
        struct window window = before->items[i];
        const struct window *found = wanted_find(after, window.id);
        if (found != NULL && !window_equal(found, &window)) {
            wanted_add(&alertmanager->changed, found);
        } else if (found == NULL && window.begin.ns < now.ns && now.ns < window.end.ns) {
            window.end = now;
            wanted_add(&alertmanager->changed, &window);
        }
    }
}

static size_t count_unused(const struct notes *notes)
{
    size_t count = 0;
    for (size_t i = 0; i < notes->count; i++) {
        count += notes->items[i].unusable;
    }
    return count;
}

static void tell_certificate(struct alertmanager *alertmanager)
{
    const struct answer *answer = &alertmanager->answer;
    if (answer->certificate.seen) {
        alertmanager->handlers.certificate(alertmanager->context, &answer->certificate,
                                           answer->failure);
    }
}

static void take_answer(struct alertmanager *alertmanager, struct moment now)
{
    if (alertmanager->failing) {
        journal_alertmanager_usable(alertmanager->journal);
    }
    tell_certificate(alertmanager);
    note_changes(alertmanager, now.wall);
    wanted_free(&alertmanager->last.wanted);
    alertmanager->last = alertmanager->answer;
    alertmanager->answer.wanted = (struct wanted){0};
    alertmanager->known = true;
    alertmanager->failing = false;
    alertmanager->figures.answers = true;
    alertmanager->figures.answered = now.wall;
    alertmanager->figures.windows = alertmanager->last.wanted.count;
    alertmanager->figures.unused = count_unused(&alertmanager->last.notes);
    alertmanager->handlers.changed(alertmanager->context);
    wanted_free(&alertmanager->changed);
}

// The member has given no good answer: the next one is asked, if there is one that has not been.
static void try_next(struct alertmanager *alertmanager, const char *why, struct moment now)
{
    const struct alertmanager_settings *settings = configured(alertmanager);
    size_t count = member_count(settings);
    size_t said = strlen(alertmanager->failures);
    struct text more = text_over(alertmanager->failures + said, FAILURE_SIZE - said);
    text_format(&more, "%s%s: %s", said == 0 ? "" : "; ",
                member_url(settings, alertmanager->member), why);
    alertmanager->member = (alertmanager->member + 1) % count;
    if (++alertmanager->tried < count) {
        ask(alertmanager, now);
        return;
    }
    tell_certificate(alertmanager);
    if (!alertmanager->failing) {
        journal_alertmanager_unusable(alertmanager->journal, alertmanager->failures);
    }
    alertmanager->failing = true;
    alertmanager->figures.answers = false;
    alertmanager->figures.failures++;
}

static void conclude(struct alertmanager *alertmanager, const char *how)
{
    struct answer *answer = &alertmanager->answer;
    struct moment now = clock_now();
    if (alertmanager->unwanted) {
        alertmanager->unwanted = false;
    } else if (answer->done && answer->failure[0] == '\0') {
        take_answer(alertmanager, now);
    } else {
        char why[SILENCE_MESSAGE_SIZE];
        struct text text = TEXT_OVER(why);
        if (answer->failure[0] != '\0') {
            text_append(&text, answer->failure);
        } else {
            text_format(&text, "%s%s", how, alertmanager->killed ? " for it took too long" : "");
        }
        try_next(alertmanager, why, now);
    }
    wanted_free(&answer->wanted);
}

static void on_ended(void *context, const char *how)
{
    struct alertmanager *alertmanager = context;
    char words[160];
    struct text text = TEXT_OVER(words);
    text_format(&text, "mailflow-fetch %s", how);
    alertmanager->child = NULL;
    if (alertmanager->destroyed) {
        wanted_free(&alertmanager->answer.wanted);
        wanted_free(&alertmanager->last.wanted);
        free(alertmanager);
    } else {
        conclude(alertmanager, words);
    }
}

static void compose_job(const struct alertmanager *alertmanager, struct moment now,
                        struct fetch_job *job)
{
    const struct alertmanager_settings *settings = configured(alertmanager);
    struct text url = TEXT_OVER(job->url);
    job->number = 1;
    job->kind = FETCH_SILENCES;
    job->deadline = instant_add(now.instant, JOB_DEADLINE);
    text_append(&url, member_url(settings, alertmanager->member));
    while (url.length > 0 && url.data[url.length - 1] == '/') {
        url.data[--url.length] = '\0';
    }
    text_append(&url, SILENCES_PATH);
    text_copy(job->ca_file, sizeof job->ca_file, settings->ca_file);
    text_copy(job->matcher, sizeof job->matcher, settings->matcher);
}

static void ask(struct alertmanager *alertmanager, struct moment now)
{
    static const struct child_handlers HANDLERS = {on_line, on_ended};
    struct fetch_job job = {0};
    struct error error;
    compose_job(alertmanager, now, &job);
    wanted_free(&alertmanager->answer.wanted);
    alertmanager->answer = (struct answer){0};
    alertmanager->killed = false;
    alertmanager->killed_after = instant_add(now.instant, JOB_KILLED);
    alertmanager->child =
        child_create(alertmanager->loop, alertmanager->program, &HANDLERS, alertmanager, &error);
    if (alertmanager->child == NULL) {
        conclude(alertmanager, error.message);
        return;
    }
    child_write(alertmanager->child, fetch_job_encode(&job));
    child_finish(alertmanager->child);
}

void alertmanager_look(struct alertmanager *alertmanager, struct moment now)
{
    const struct alertmanager_settings *settings = configured(alertmanager);
    if (alertmanager->reconfigured) {
        alertmanager->reconfigured = false;
        alertmanager->handlers.changed(alertmanager->context);
    }
    if (alertmanager->child != NULL) {
        if (instant_reached(now.instant, alertmanager->killed_after)) {
            alertmanager->killed = true;
            child_kill(alertmanager->child);
        }
    } else if (member_count(settings) > 0 && instant_reached(now.instant, alertmanager->due)) {
        alertmanager->due = instant_add(now.instant, settings->interval);
        alertmanager->tried = 0;
        alertmanager->failures[0] = '\0';
        ask(alertmanager, now);
    }
}

// ---- what is wanted ----

void alertmanager_want(const struct alertmanager *alertmanager, const struct windows *known,
                       struct wanted *out)
{
    if (member_count(configured(alertmanager)) == 0) {
        return;
    }
    for (size_t i = 0; i < alertmanager->last.wanted.count; i++) {
        wanted_add(out, &alertmanager->last.wanted.items[i]);
    }
    for (size_t i = 0; i < known->count && !alertmanager->known; i++) {
        if (known->items[i].origin == ORIGIN_ALERTMANAGER && !window_void(&known->items[i])) {
            wanted_add(out, &known->items[i]);
        }
    }
}

void alertmanager_changes(const struct alertmanager *alertmanager, struct wanted *out)
{
    for (size_t i = 0; i < alertmanager->changed.count; i++) {
        wanted_add(out, &alertmanager->changed.items[i]);
    }
}

struct alertmanager_figures alertmanager_figures(const struct alertmanager *alertmanager)
{
    struct alertmanager_figures figures = alertmanager->figures;
    figures.configured = member_count(configured(alertmanager)) > 0;
    return figures;
}

// ---- life ----

// Of another Alertmanager nothing is known yet; of the same one the mesh may be another, so that it
// is asked at once.
void alertmanager_configure(struct alertmanager *alertmanager, const struct settings *settings)
{
    char asked[sizeof alertmanager->asked] = "";
    struct text text = TEXT_OVER(asked);
    alertmanager->settings = settings;
    if (member_count(configured(alertmanager)) > 0) {
        text_format(&text, "%s %s", member_url(configured(alertmanager), 0),
                    configured(alertmanager)->matcher);
    }
    if (strcmp(alertmanager->asked, asked) != 0) {
        text_copy(alertmanager->asked, sizeof alertmanager->asked, asked);
        wanted_free(&alertmanager->last.wanted);
        alertmanager->last = (struct answer){0};
        alertmanager->figures = (struct alertmanager_figures){0};
        alertmanager->known = false;
        alertmanager->failing = false;
    }
    alertmanager->member = 0;
    alertmanager->due = (struct instant){0};
    alertmanager->unwanted = alertmanager->child != NULL;
    alertmanager->reconfigured = true;
}

struct alertmanager *alertmanager_create(uv_loop_t *loop, const char *probers,
                                         const struct settings *settings, struct journal *journal,
                                         const struct alertmanager_handlers *handlers,
                                         void *context)
{
    struct alertmanager *alertmanager = memory_checked(calloc(1, sizeof *alertmanager));
    alertmanager->loop = loop;
    alertmanager->journal = journal;
    alertmanager->handlers = *handlers;
    alertmanager->context = context;
    struct text program = TEXT_OVER(alertmanager->program);
    text_format(&program, "%s/mailflow-fetch", probers);
    alertmanager_configure(alertmanager, settings);
    return alertmanager;
}

void alertmanager_destroy(struct alertmanager *alertmanager)
{
    alertmanager->destroyed = true;
    alertmanager->unwanted = true;
    if (alertmanager->child == NULL) {
        on_ended(alertmanager, "");
    } else {
        child_kill(alertmanager->child);
    }
}
