#include "shell/discoveries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "probes/discover.h"
#include "shell/child.h"

#define PATIENCE SPAN_SECONDS(10)
#define GRACE    SPAN_SECONDS(1)  // the program ends by itself at the deadline, we kill it after
#define RETRY    SPAN_SECONDS(30) // after a failure, or earlier where `refresh` says so

struct discovery {
    char name[PROBE_HOST_SIZE];
    struct span refresh;
    struct instant due;
};

// The servers that have been named so far, as they will stand in the list.
struct answer {
    FILE *out;
    char *list;
    size_t length;
    size_t count;
    bool done;
    char cause[PROBE_REPLY_SIZE];
};

// Lives on until its process has ended, even when it is destroyed before.
struct discoveries {
    uv_loop_t *loop;
    char program[PROBE_PATH_SIZE];
    struct discoveries_handlers handlers;
    void *context;
    struct discovery *items;
    size_t count;
    struct child *child; // at work for this name, at the longest until its deadline
    char asked[PROBE_HOST_SIZE];
    struct instant deadline;
    int64_t number;
    struct answer answer;
    bool destroyed;
};

static struct discovery *find(struct discovery *items, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(items[i].name, name) == 0) {
            return &items[i];
        }
    }
    return NULL;
}

// ---- one answer ----

static void answer_begin(struct answer *answer)
{
    *answer = (struct answer){0};
    answer->out = memory_checked(open_memstream(&answer->list, &answer->length));
    fputs("[{\"targets\": [", answer->out);
}

// A host has nothing in it that JSON would escape: mailflow-discover sees to that, and what it says
// otherwise is no list, which shows when it is read.
static void answer_take(struct answer *answer, const struct discover_line *line)
{
    switch (line->kind) {
    case DISCOVER_SERVER:
        fprintf(answer->out, "%s\n  \"%s:%u\"", answer->count++ == 0 ? "" : ",", line->host,
                (unsigned)line->port);
        break;
    case DISCOVER_DONE:
        answer->done = true;
        break;
    case DISCOVER_FAILED:
        text_copy(answer->cause, sizeof answer->cause, line->cause);
        break;
    }
}

static void answer_end(struct answer *answer)
{
    fputs("\n]}]\n", answer->out);
    fclose(answer->out);
}

// ---- asking ----

static void on_line(void *context, const char *text, size_t length)
{
    struct discoveries *all = context;
    struct discover_line line;
    struct error error;
    if (!discover_line_decode(text, length, &line, &error)) {
        text_copy(all->answer.cause, sizeof all->answer.cause, error.message);
    } else if (line.number == all->number) {
        answer_take(&all->answer, &line);
    }
}

static void free_all(struct discoveries *all)
{
    free(all->items);
    free(all);
}

static void conclude(struct discoveries *all, const char *how)
{
    struct answer *answer = &all->answer;
    struct discovery *item = find(all->items, all->count, all->asked);
    bool answered = answer->done && answer->cause[0] == '\0';
    answer_end(answer);
    if (!answered && answer->cause[0] == '\0') {
        bool late = instant_reached(clock_now().instant, all->deadline);
        text_copy(answer->cause, sizeof answer->cause, late ? "no answer within 10 s" : how);
    }
    if (item != NULL && !all->destroyed) {
        struct span again = answered ? item->refresh : span_shorter(item->refresh, RETRY);
        item->due = instant_add(clock_now().instant, again);
        if (answered) {
            all->handlers.found(all->context, all->asked, answer->list);
        } else {
            all->handlers.failed(all->context, all->asked, answer->cause);
        }
    }
    free(answer->list);
}

static void on_ended(void *context, const char *how)
{
    struct discoveries *all = context;
    char words[160];
    struct text text = TEXT_OVER(words);
    text_format(&text, "mailflow-discover %s", how);
    all->child = NULL;
    conclude(all, words);
    if (all->destroyed) {
        free_all(all);
    }
}

static void ask(struct discoveries *all, const char *name, struct instant now)
{
    static const struct child_handlers HANDLERS = {on_line, on_ended};
    struct discover_job job = {.number = ++all->number, .deadline = instant_add(now, PATIENCE)};
    all->deadline = job.deadline;
    struct error error;
    text_copy(job.name, sizeof job.name, name);
    text_copy(all->asked, sizeof all->asked, name);
    answer_begin(&all->answer);
    all->child = child_create(all->loop, all->program, &HANDLERS, all, &error);
    if (all->child == NULL) {
        conclude(all, error.message);
        return;
    }
    child_write(all->child, discover_job_encode(&job));
    child_finish(all->child);
}

void discoveries_look(struct discoveries *all, struct instant now)
{
    if (all->child != NULL && instant_reached(now, instant_add(all->deadline, GRACE))) {
        child_kill(all->child);
    }
    for (size_t i = 0; i < all->count && all->child == NULL; i++) {
        if (instant_reached(now, all->items[i].due)) {
            ask(all, all->items[i].name, now);
        }
    }
}

// ---- life ----

// A name that is new is asked for at once.
void discoveries_configure(struct discoveries *all, const struct settings *settings)
{
    struct discovery *items = memory_checked(calloc(settings->peers_from_count + 1, sizeof *items));
    size_t count = 0;
    for (size_t i = 0; i < settings->peers_from_count; i++) {
        const struct peer_source_settings *source = &settings->peers_from[i];
        if (source->srv[0] == '\0' || find(items, count, source->srv) != NULL) {
            continue;
        }
        const struct discovery *known = find(all->items, all->count, source->srv);
        struct discovery *item = &items[count++];
        text_copy(item->name, sizeof item->name, source->srv);
        item->refresh = source->refresh;
        item->due = known != NULL && known->refresh.ns == source->refresh.ns ? known->due
                                                                             : clock_now().instant;
    }
    free(all->items);
    all->items = items;
    all->count = count;
}

struct discoveries *discoveries_create(uv_loop_t *loop, const char *probers,
                                       const struct settings *settings,
                                       const struct discoveries_handlers *handlers, void *context)
{
    struct discoveries *all = memory_checked(calloc(1, sizeof *all));
    all->loop = loop;
    all->handlers = *handlers;
    all->context = context;
    struct text program = TEXT_OVER(all->program);
    text_format(&program, "%s/mailflow-discover", probers);
    discoveries_configure(all, settings);
    return all;
}

void discoveries_destroy(struct discoveries *all)
{
    all->destroyed = true;
    if (all->child == NULL) {
        free_all(all);
    } else {
        child_kill(all->child);
    }
}
