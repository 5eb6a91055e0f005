#include "shell/calendar_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "shell/window_request.h"

enum { SERVERS_OF_AN_EVENT = 64 };

static struct calendar_source *create(enum window_origin origin, const struct calendar_job *job)
{
    struct calendar_source *source = memory_checked(calloc(1, sizeof *source));
    source->origin = origin;
    source->question = *job;
    source->due = true;
    return source;
}

struct calendar_source *calendar_source_of_file(const char *file)
{
    struct calendar_job job = {0};
    text_copy(job.file, sizeof job.file, file);
    struct calendar_source *source = create(ORIGIN_CALENDAR, &job);
    text_copy(source->name, sizeof source->name, file);
    source->job = calendar_job_encode(&job);
    return source;
}

// Whose window it is and why makes another source of it, too.
struct calendar_source *calendar_source_of_window(const struct window_settings *window,
                                                  size_t index)
{
    struct calendar_job job = {.length = window->length};
    text_copy(job.rule, sizeof job.rule, window->rrule);
    text_copy(job.start, sizeof job.start, window->start);
    text_copy(job.zone, sizeof job.zone, window->zone);
    struct calendar_source *source = create(ORIGIN_CONFIG, &job);
    struct text name = TEXT_OVER(source->name);
    text_format(&name, "maintenance.windows[%zu]", index);
    text_copy(source->server, sizeof source->server, window->server);
    text_copy(source->reason, sizeof source->reason, window->reason);
    window_kind_parse(window->kind, &source->kind);
    char *encoded = calendar_job_encode(&job);
    size_t size = strlen(encoded) + strlen(window->server) + strlen(window->kind) +
                  strlen(window->reason) + sizeof "   ";
    source->job = memory_checked(malloc(size));
    struct text whole = text_over(source->job, size);
    text_format(&whole, "%s%s %s %s", encoded, window->server, window->kind, window->reason);
    free(encoded);
    return source;
}

void calendar_source_destroy(struct calendar_source *source)
{
    wanted_free(&source->last.wanted);
    free(source->job);
    free(source);
}

// ---- the file ----

void calendar_source_look(struct calendar_source *source)
{
    if (source->question.file[0] == '\0') {
        return;
    }
    struct stat what;
    bool there = stat(source->question.file, &what) == 0;
    struct file_mark now = there ? file_mark_of(&what) : (struct file_mark){0};
    bool still = file_mark_equal(&now, &source->seen);
    source->seen = now;
    source->due = source->due || (still && !file_mark_equal(&now, &source->read));
}

// ---- what the program says ----

static void note(const struct calendar_source *source, struct journal *journal,
                 const struct calendar_line *line, const char *message, bool unusable,
                 struct calendar_reading *reading)
{
    if (notes_add(&reading->notes, &source->last.notes, line->uid, message, unusable)) {
        journal_calendar_event(journal, source->name, line->line, line->uid, message, unusable);
    }
}

static void note_nameless(const struct calendar_source *source, struct journal *journal,
                          const struct calendar_line *line, struct calendar_reading *reading)
{
    char message[CALENDAR_MESSAGE_SIZE];
    struct text text = TEXT_OVER(message);
    text_append(&text, "it names no server of the mesh");
    if (line->object_count > 0) {
        text_append(&text, " (X-MAINTNOTE-OBJECT-ID ");
        text_append(&text, line->objects[0]);
        text_append(&text, ")");
    }
    text_append(&text, ": name one in X-MAINTNOTE-OBJECT-ID, LOCATION, CATEGORIES or SUMMARY");
    note(source, journal, line, message, false, reading);
}

static void add_window(const struct calendar_source *source, const struct calendar_line *line,
                       const char *server, struct calendar_reading *reading)
{
    bool configured = source->origin == ORIGIN_CONFIG;
    struct window window = {
        .kind = configured        ? source->kind
                : line->emergency ? WINDOW_EMERGENCY
                                  : WINDOW_ROUTINE,
        .begin = line->begin,
        .end = line->end,
        .origin = source->origin,
    };
    text_copy(window.server, sizeof window.server, server);
    text_copy(window.reason, sizeof window.reason, configured ? source->reason : line->reason);
    wanted_id('c', configured ? source->question.rule : line->uid, server, line->begin, window.id);
    wanted_add(&reading->wanted, &window);
}

static void take_event(const struct calendar_source *source, const struct settings *settings,
                       struct journal *journal, const struct calendar_line *line,
                       struct calendar_reading *reading)
{
    const char *servers[SERVERS_OF_AN_EVENT];
    size_t count = wanted_servers(settings, line, servers, SERVERS_OF_AN_EVENT);
    for (size_t i = 0; i < count; i++) {
        add_window(source, line, servers[i], reading);
    }
    struct span length = walltime_since(line->end, line->begin);
    if (count == 0) {
        note_nameless(source, journal, line, reading);
    } else if (!line->emergency && length.ns > WINDOW_ROUTINE_MAXIMUM.ns) {
        note(source, journal, line,
             "it is long for routine maintenance (more than 4h): every alert of the server is held "
             "back for all of it",
             false, reading);
    }
}

void calendar_source_take(const struct calendar_source *source, const struct settings *settings,
                          struct journal *journal, const struct calendar_line *line,
                          struct calendar_reading *reading)
{
    struct text failure = TEXT_OVER(reading->failure);
    switch (line->kind) {
    case CALENDAR_OCCURRENCE:
        if (source->origin == ORIGIN_CONFIG) {
            add_window(source, line, source->server, reading);
        } else {
            take_event(source, settings, journal, line, reading);
        }
        break;
    case CALENDAR_PROBLEM:
        note(source, journal, line, line->message, true, reading);
        break;
    case CALENDAR_DONE:
        reading->done = true;
        break;
    case CALENDAR_FAILED:
        if (line->line > 0) {
            text_format(&failure, "line %u: ", line->line);
        }
        if (line->uid[0] != '\0') {
            text_format(&failure, "event %s: ", line->uid);
        }
        text_append(&failure, line->message);
        break;
    }
}

void calendar_source_conclude(struct calendar_source *source, struct journal *journal,
                              struct calendar_reading *reading)
{
    if (!reading->done) {
        if (strcmp(source->failure, reading->failure) != 0) {
            journal_calendar_unusable(journal, source->name, reading->failure);
        }
        text_copy(source->failure, sizeof source->failure, reading->failure);
        return;
    }
    if (source->failure[0] != '\0') {
        journal_calendar_usable(journal, source->name);
    }
    source->failure[0] = '\0';
    source->known = true;
    wanted_free(&source->last.wanted);
    source->last = *reading;
    reading->wanted = (struct wanted){0};
}

bool calendar_source_may_want(const struct calendar_source *source, const struct window *window)
{
    char id[WINDOW_ID_SIZE];
    if (!source->known) {
        return true;
    }
    for (size_t i = 0; i < source->last.notes.count; i++) {
        const struct note *note = &source->last.notes.items[i];
        wanted_id('c', note->subject, window->server, window->begin, id);
        if (note->unusable && strcmp(id, window->id) == 0) {
            return true;
        }
    }
    return false;
}
