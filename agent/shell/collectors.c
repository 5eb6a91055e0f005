#include "shell/collectors.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "shell/child.h"
#include "probes/endpoint.h"

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_LAST_MS = 60000,
    SILENT_UP_MS = 90000,    // readable: a complete check every 30 s, and one command may take 20 s
    SILENT_DOWN_MS = 300000, // not readable: attempts are a minute apart and may take minutes
};

// Lives until its process has ended and its timer is closed; `all` is NULL once it is let go.
struct collector {
    struct collectors *all;
    struct child *child; // NULL between two lives
    char mailbox[PROBE_MAILBOX_SIZE];
    char *watch; // the command's line without the token; equal lines are equal settings
    struct token_source *source;  // NULL: a password
    char token[PROBE_TOKEN_SIZE]; // what the process has
    bool awaits_token;            // to start with, or instead of one that was refused
    bool retried;                 // with another token, since it was up
    bool withholds;
    struct collect_report refusal; // if so: to be told when no other token does better
    uv_timer_t timer; // between two lives until the next, during one until silence means death
    struct collect_report trace; // of the arrival that comes next
    uint64_t retry_ms;
    bool stuck; // killed for its silence
    // A mailbox that can be opened may still be one that cannot be read: where that failed before
    // all had been read, `up` is believed only when all has been read.
    bool unproven; // up, and not all has been read since
    bool doubted;
    struct collect_report up; // while it is doubted
    bool timer_closed;
};

struct collectors {
    uv_loop_t *loop;
    char program[PROBE_PATH_SIZE];
    struct collectors_handlers handlers;
    void *context;
    const struct settings *settings;
    struct tokens *tokens;
    struct collector **each; // one for each mailbox of the settings, in their order
    size_t count;
};

static void tell(struct collector *collector, const struct collect_report *report)
{
    struct collectors *all = collector->all;
    int mailbox = settings_find_mailbox(all->settings, collector->mailbox);
    all->handlers.report(all->context, mailbox, report);
}

static void report_down(struct collector *collector, const char *cause)
{
    struct collect_report report = {.kind = COLLECT_DOWN};
    text_copy(report.mailbox, sizeof report.mailbox, collector->mailbox);
    text_copy(report.cause, sizeof report.cause, cause);
    tell(collector, &report);
}

static void doubt_unproven(struct collector *collector)
{
    collector->doubted = collector->doubted || collector->unproven;
    collector->unproven = false;
}

// What is to be handed on instead of it: nothing of an `up` that is doubted, and that first of all
// when the doubt is over.
static bool believe(struct collector *collector, const struct collect_report *report)
{
    struct collectors *all = collector->all;
    if (report->kind == COLLECT_DOWN) {
        doubt_unproven(collector);
    } else if (report->kind == COLLECT_UP) {
        collector->unproven = true;
        collector->up = *report;
        return !collector->doubted;
    } else if (report->kind == COLLECT_COMPLETE) {
        bool relieved = collector->doubted && collector->unproven;
        collector->unproven = false;
        collector->retry_ms = RETRY_FIRST_MS;
        if (relieved) {
            collector->doubted = false;
            int mailbox = settings_find_mailbox(all->settings, collector->mailbox);
            all->handlers.report(all->context, mailbox, &collector->up);
        }
    }
    return true;
}

static void start(struct collector *collector);

static void on_timer(uv_timer_t *timer)
{
    struct collector *collector = timer->data;
    if (collector->child == NULL) {
        start(collector);
        return;
    }
    collector->stuck = true;
    child_kill(collector->child);
}

// Another sign of life: the next is due within this time.
static void expect_life(struct collector *collector, bool readable)
{
    uint64_t patience = readable ? SILENT_UP_MS : SILENT_DOWN_MS;
    uv_timer_start(&collector->timer, on_timer, patience, 0);
}

static bool same_message(const struct collect_report *a, const struct collect_report *b)
{
    return a->uid == b->uid && a->uid_validity == b->uid_validity &&
           strcmp(a->folder, b->folder) == 0;
}

// The way of a message comes in the line before its arrival; together they are one report. False
// for half of one.
static bool complete_report(struct collector *collector, struct collect_report *report)
{
    if (report->kind == COLLECT_TRACE) {
        collector->trace = *report;
        return false;
    }
    if (report->kind == COLLECT_ARRIVAL && collector->trace.kind == COLLECT_TRACE &&
        same_message(report, &collector->trace)) {
        report->trace = collector->trace.trace;
    }
    collector->trace.kind = COLLECT_DOWN;
    return true;
}

// The line that tells a prober what to watch, for the caller to free.
static char *describe(const struct settings *settings, const struct mailbox_settings *mailbox,
                      const char *token)
{
    struct collect_command watch = {.kind = COLLECT_WATCH, .keys = settings->mesh_keys};
    text_copy(watch.mailbox, sizeof watch.mailbox, mailbox->name);
    text_copy(watch.authserv_id, sizeof watch.authserv_id, mailbox->authserv_id);
    endpoint_of_mailbox(mailbox, &watch.endpoint);
    text_copy(watch.endpoint.token, sizeof watch.endpoint.token, token);
    for (size_t i = 0; i < mailbox->folder_count && i < PROBE_FOLDERS_MAXIMUM; i++) {
        text_copy(watch.folders[watch.folder_count++], PROBE_FOLDER_SIZE, mailbox->folders[i]);
    }
    char *line = collect_command_encode(&watch);
    explicit_bzero(&watch, sizeof watch);
    return line;
}

static void say_watch(struct collector *collector)
{
    const struct settings *settings = collector->all->settings;
    int mailbox = settings_find_mailbox(settings, collector->mailbox);
    child_write(collector->child,
                describe(settings, &settings->mailboxes[mailbox], collector->token));
}

// ---- tokens ----

// The newest token into `out`, "" where a password is used.
static enum token_answer get_token(struct collector *collector, char out[PROBE_TOKEN_SIZE],
                                   struct error *error)
{
    struct collectors *all = collector->all;
    int mailbox = settings_find_mailbox(all->settings, collector->mailbox);
    const struct oauth_settings *oauth = &all->settings->mailboxes[mailbox].oauth;
    out[0] = '\0';
    if (!endpoint_has_token(oauth)) {
        return TOKEN_HAD;
    }
    collector->source = tokens_find(all->tokens, oauth, error);
    enum token_answer answer =
        collector->source == NULL ? TOKEN_NONE : token_get(collector->source, out, error);
    collector->awaits_token = answer == TOKEN_AWAITED;
    return answer;
}

static void tell_refusal(struct collector *collector, const char *cause)
{
    if (collector->withholds) {
        char before[PROBE_REPLY_SIZE];
        text_copy(before, sizeof before, collector->refusal.cause);
        struct text text = TEXT_OVER(collector->refusal.cause);
        text_format(&text, "%s%s%s", before, cause[0] == '\0' ? "" : "; ", cause);
        collector->withholds = false;
        tell(collector, &collector->refusal);
    }
}

// What the process has may have been replaced: by somebody who keeps a file fresh, or because it
// has ended, or was refused.
static void try_another_token(struct collector *collector)
{
    char token[PROBE_TOKEN_SIZE];
    struct error error;
    switch (get_token(collector, token, &error)) {
    case TOKEN_AWAITED:
        break;
    case TOKEN_NONE:
        tell_refusal(collector, error.message);
        break;
    case TOKEN_HAD:
        if (strcmp(token, collector->token) == 0) {
            tell_refusal(collector, "");
        } else if (collector->child != NULL) {
            text_copy(collector->token, sizeof collector->token, token);
            say_watch(collector);
        }
        explicit_bzero(token, sizeof token);
        break;
    }
}

// Whether to tell of it only when another token does no better.
static bool withhold(struct collector *collector, const struct collect_report *report)
{
    collector->withholds = false;
    if (!report->token_refused || collector->source == NULL) {
        return false;
    }
    token_was_refused(collector->source, collector->token);
    if (collector->retried && !collector->awaits_token) {
        return false;
    }
    collector->retried = true;
    collector->withholds = true;
    collector->refusal = *report;
    return true;
}

static void note_login(struct collector *collector)
{
    collector->retried = collector->withholds = false;
    if (collector->source != NULL) {
        token_was_good(collector->source, collector->token);
    }
}

static void on_line(void *context, const char *line, size_t length)
{
    struct collector *collector = context;
    struct collect_report report = {0};
    struct error error;
    if (collector->all == NULL) {
        return;
    }
    if (!collect_report_decode(line, length, &report, &error)) {
        report_down(collector, error.message);
        child_kill(collector->child);
        return;
    }
    expect_life(collector, report.kind != COLLECT_DOWN);
    if (report.kind == COLLECT_UP) {
        note_login(collector);
    }
    bool down = report.kind == COLLECT_DOWN;
    if (believe(collector, &report) && complete_report(collector, &report) &&
        !(down && withhold(collector, &report))) {
        tell(collector, &report);
    }
    if (down && collector->all != NULL) {
        try_another_token(collector);
    }
}

static void free_when_over(struct collector *collector)
{
    if (collector->all == NULL && collector->child == NULL && collector->timer_closed) {
        free(collector->watch);
        explicit_bzero(collector, sizeof *collector);
        free(collector);
    }
}

static void start_later(struct collector *collector)
{
    uv_timer_start(&collector->timer, on_timer, collector->retry_ms, 0);
    collector->retry_ms *= 2;
    if (collector->retry_ms > RETRY_LAST_MS) {
        collector->retry_ms = RETRY_LAST_MS;
    }
}

static void on_ended(void *context, const char *how)
{
    struct collector *collector = context;
    collector->child = NULL;
    if (collector->all == NULL) {
        free_when_over(collector);
        return;
    }
    char cause[PROBE_REPLY_SIZE];
    struct text text = TEXT_OVER(cause);
    text_format(&text, "mailflow-collect %s%s", how,
                collector->stuck ? " for it had said nothing for too long" : "");
    collector->stuck = false;
    doubt_unproven(collector);
    report_down(collector, cause);
    start_later(collector);
}

static void start(struct collector *collector)
{
    static const struct child_handlers HANDLERS = {on_line, on_ended};
    struct collectors *all = collector->all;
    struct error error;
    enum token_answer answer = get_token(collector, collector->token, &error);
    if (answer == TOKEN_AWAITED) {
        return;
    }
    collector->child = answer == TOKEN_HAD
                           ? child_create(all->loop, all->program, &HANDLERS, collector, &error)
                           : NULL;
    if (collector->child == NULL) {
        report_down(collector, error.message);
        start_later(collector);
        return;
    }
    say_watch(collector);
    expect_life(collector, false);
}

void collectors_look_again(struct collectors *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct collector *collector = all->each[i];
        if (collector->awaits_token && collector->child == NULL) {
            start(collector);
        } else if (collector->awaits_token) {
            try_another_token(collector);
        }
    }
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct collector *collector = timer->data;
    collector->timer_closed = true;
    free_when_over(collector);
}

static void let_go(struct collector *collector)
{
    collector->all = NULL;
    uv_close((uv_handle_t *)&collector->timer, on_timer_closed);
    if (collector->child != NULL) {
        child_kill(collector->child);
    }
}

static struct collector *create_one(struct collectors *all, const char *mailbox, char *watch,
                                    struct token_source *source)
{
    struct collector *collector = memory_checked(calloc(1, sizeof *collector));
    collector->all = all;
    collector->watch = watch;
    collector->source = source;
    text_copy(collector->mailbox, sizeof collector->mailbox, mailbox);
    collector->retry_ms = RETRY_FIRST_MS;
    uv_timer_init(all->loop, &collector->timer);
    collector->timer.data = collector;
    uv_timer_start(&collector->timer, on_timer, 0, 0); // from the loop, not from our caller
    return collector;
}

// The collector that watches exactly this already, taken out of the list; NULL when there is none.
static struct collector *take_unchanged(struct collectors *all, const char *watch,
                                        const struct token_source *source)
{
    for (size_t i = 0; i < all->count; i++) {
        struct collector *collector = all->each[i];
        if (collector != NULL && collector->source == source &&
            strcmp(collector->watch, watch) == 0) {
            all->each[i] = NULL;
            return collector;
        }
    }
    return NULL;
}

void collectors_configure(struct collectors *all, const struct settings *settings)
{
    struct collector **each = memory_checked(calloc(settings->mailbox_count + 1, sizeof *each));
    for (size_t i = 0; i < settings->mailbox_count; i++) {
        const struct mailbox_settings *mailbox = &settings->mailboxes[i];
        struct error error; // is told when the collector starts
        char *watch = describe(settings, mailbox, "");
        struct token_source *source = endpoint_has_token(&mailbox->oauth)
                                          ? tokens_find(all->tokens, &mailbox->oauth, &error)
                                          : NULL;
        each[i] = take_unchanged(all, watch, source);
        if (each[i] == NULL) {
            each[i] = create_one(all, mailbox->name, watch, source);
        } else {
            free(watch);
        }
    }
    for (size_t i = 0; i < all->count; i++) {
        if (all->each[i] != NULL) {
            let_go(all->each[i]);
        }
    }
    free(all->each);
    all->each = each;
    all->count = settings->mailbox_count;
    all->settings = settings;
}

struct collectors *collectors_create(uv_loop_t *loop, const char *probers, struct tokens *tokens,
                                     const struct settings *settings,
                                     const struct collectors_handlers *handlers, void *context)
{
    struct collectors *all = memory_checked(calloc(1, sizeof *all));
    all->loop = loop;
    all->tokens = tokens;
    all->handlers = *handlers;
    all->context = context;
    struct text program = TEXT_OVER(all->program);
    text_format(&program, "%s/mailflow-collect", probers);
    collectors_configure(all, settings);
    return all;
}

void collectors_delete(struct collectors *all, const char *mailbox, const char *folder,
                       uint32_t uid_validity, uint32_t uid)
{
    int index = settings_find_mailbox(all->settings, mailbox);
    if (index < 0 || all->each[index]->child == NULL) {
        return; // it is reported again when the mailbox is read again
    }
    struct collect_command command = {
        .kind = COLLECT_DELETE, .uid_validity = uid_validity, .uids = {uid}, .uid_count = 1};
    text_copy(command.mailbox, sizeof command.mailbox, mailbox);
    text_copy(command.folder, sizeof command.folder, folder);
    child_write(all->each[index]->child, collect_command_encode(&command));
}

void collectors_destroy(struct collectors *all)
{
    for (size_t i = 0; i < all->count; i++) {
        let_go(all->each[i]);
    }
    free(all->each);
    free(all);
}
