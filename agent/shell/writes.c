#include "shell/writes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum write_kind {
    WRITE_PROBE,
    WRITE_OUTCOME,
    WRITE_MESSAGE,
    WRITE_BOUNCE,
    WRITE_TRACE,
    WRITE_INCIDENT,
    WRITE_NOTICE,
    WRITE_NOTICE_SAID,
    WRITE_WINDOW,
    WRITE_ACKNOWLEDGED,
    WRITE_SLOTS,
    WRITE_HABITS
};

// Of a collect_report what the ledger keeps, a tenth of it.
struct message {
    char mailbox[PROBE_MAILBOX_SIZE];
    char folder[PROBE_FOLDER_SIZE];
    uint32_t uid_validity;
    uint32_t uid;
    bool stripped;
    struct moment absent;
    struct moment asked;
    struct moment present;
    struct walltime saved;
};

struct write {
    enum write_kind kind;
    struct probe_id id; // outcome, message, bounce, trace
    union {
        struct probe_record probe;
        struct submit_outcome *outcome; // owned
        struct message message;
        struct {
            struct bounce *of; // owned
            struct walltime reported;
        } bounce;
        struct {
            char *text; // owned
            bool rerouted;
        } trace;
        struct incident *incident; // owned
        struct {
            int64_t number;
            int64_t incident;
            enum notice notice;
        } owed;
        struct window window;
        struct {
            char window[WINDOW_ID_SIZE];
            uint32_t revision;
            char peer[SERVER_NAME_SIZE];
        } acknowledged;
        struct {
            char peer[SERVER_NAME_SIZE];
            int64_t reserved;
        } slots;
        struct {
            char peer[SERVER_NAME_SIZE];
            enum direction direction;
            struct habits *of; // owned
        } habits;
    };
};

static void put_message(struct store *store, const struct write *write)
{
    const struct message *message = &write->message;
    struct collect_report report = {
        .kind = COLLECT_ARRIVAL,
        .uid_validity = message->uid_validity,
        .uid = message->uid,
        .stripped = message->stripped,
        .absent = message->absent,
        .asked = message->asked,
        .present = message->present,
        .saved = message->saved,
    };
    text_copy(report.mailbox, sizeof report.mailbox, message->mailbox);
    text_copy(report.folder, sizeof report.folder, message->folder);
    store_put_message(store, &write->id, &report);
}

static void perform(struct store *store, const struct write *write)
{
    switch (write->kind) {
    case WRITE_PROBE:
        store_put_probe(store, &write->probe);
        break;
    case WRITE_OUTCOME:
        store_put_outcome(store, &write->id, write->outcome);
        break;
    case WRITE_MESSAGE:
        put_message(store, write);
        break;
    case WRITE_BOUNCE:
        store_put_bounce(store, &write->id, write->bounce.of, write->bounce.reported);
        break;
    case WRITE_TRACE:
        store_put_trace(store, &write->id, write->trace.text, write->trace.rerouted);
        break;
    case WRITE_INCIDENT:
        store_put_incident(store, write->incident);
        break;
    case WRITE_NOTICE:
        store_put_notice(store, write->owed.number, write->owed.incident, write->owed.notice);
        break;
    case WRITE_NOTICE_SAID:
        store_forget_notice(store, write->owed.number);
        break;
    case WRITE_WINDOW:
        store_put_window(store, &write->window);
        break;
    case WRITE_ACKNOWLEDGED:
        store_put_acknowledged(store, write->acknowledged.window, write->acknowledged.revision,
                               write->acknowledged.peer);
        break;
    case WRITE_SLOTS:
        store_put_slots(store, write->slots.peer, write->slots.reserved);
        break;
    case WRITE_HABITS:
        store_put_habits(store, write->habits.peer, write->habits.direction, write->habits.of);
        break;
    }
}

static void put(struct writes *writes, struct store *store, const struct write *write)
{
    if (writes->count == writes->room) {
        writes->room = writes->room == 0 ? 16 : writes->room * 2;
        writes->items =
            memory_checked(realloc(writes->items, writes->room * sizeof *writes->items));
    }
    writes->items[writes->count++] = *write;
    if (!writes->waiting) {
        perform(store, write);
    }
}

// For a write to own: what is large, and of few writes.
static void *copy_of(const void *value, size_t size)
{
    return memcpy(memory_checked(malloc(size)), value, size);
}

void writes_put_probe(struct writes *writes, struct store *store, const struct probe_record *record)
{
    struct write write = {.kind = WRITE_PROBE, .probe = *record};
    put(writes, store, &write);
}

void writes_put_outcome(struct writes *writes, struct store *store, const struct probe_id *id,
                        const struct submit_outcome *outcome)
{
    struct write write = {.kind = WRITE_OUTCOME, .id = *id};
    write.outcome = copy_of(outcome, sizeof *outcome);
    put(writes, store, &write);
}

void writes_put_message(struct writes *writes, struct store *store,
                        const struct collect_report *report)
{
    struct write write = {.kind = WRITE_MESSAGE, .id = report->tag.id};
    struct message *message = &write.message;
    text_copy(message->mailbox, sizeof message->mailbox, report->mailbox);
    text_copy(message->folder, sizeof message->folder, report->folder);
    message->uid_validity = report->uid_validity;
    message->uid = report->uid;
    message->stripped = report->stripped;
    message->absent = report->absent;
    message->asked = report->asked;
    message->present = report->present;
    message->saved = report->saved;
    put(writes, store, &write);
}

void writes_put_bounce(struct writes *writes, struct store *store, const struct probe_id *id,
                       const struct bounce *bounce, struct walltime reported)
{
    struct write write = {.kind = WRITE_BOUNCE, .id = *id, .bounce = {.reported = reported}};
    write.bounce.of = copy_of(bounce, sizeof *bounce);
    put(writes, store, &write);
}

void writes_put_trace(struct writes *writes, struct store *store, const struct probe_id *id,
                      const struct trace *trace, bool rerouted)
{
    json_t *object = trace_to_json(trace);
    struct write write = {.kind = WRITE_TRACE, .id = *id, .trace = {.rerouted = rerouted}};
    write.trace.text = memory_checked(json_dumps(object, JSON_COMPACT));
    json_decref(object);
    put(writes, store, &write);
}

void writes_put_incident(struct writes *writes, struct store *store,
                         const struct incident *incident)
{
    struct write write = {.kind = WRITE_INCIDENT};
    write.incident = copy_of(incident, sizeof *incident);
    put(writes, store, &write);
}

void writes_put_notice(struct writes *writes, struct store *store, int64_t number, int64_t incident,
                       enum notice notice)
{
    struct write write = {.kind = WRITE_NOTICE, .owed = {number, incident, notice}};
    put(writes, store, &write);
}

void writes_forget_notice(struct writes *writes, struct store *store, int64_t number)
{
    struct write write = {.kind = WRITE_NOTICE_SAID, .owed = {.number = number}};
    put(writes, store, &write);
}

void writes_put_window(struct writes *writes, struct store *store, const struct window *window)
{
    struct write write = {.kind = WRITE_WINDOW, .window = *window};
    put(writes, store, &write);
}

void writes_put_acknowledged(struct writes *writes, struct store *store, const char *window,
                             uint32_t revision, const char *peer)
{
    struct write write = {.kind = WRITE_ACKNOWLEDGED, .acknowledged = {.revision = revision}};
    text_copy(write.acknowledged.window, sizeof write.acknowledged.window, window);
    text_copy(write.acknowledged.peer, sizeof write.acknowledged.peer, peer);
    put(writes, store, &write);
}

void writes_put_slots(struct writes *writes, struct store *store, const char *peer,
                      int64_t reserved)
{
    struct write write = {.kind = WRITE_SLOTS, .slots = {.reserved = reserved}};
    text_copy(write.slots.peer, sizeof write.slots.peer, peer);
    put(writes, store, &write);
}

void writes_put_habits(struct writes *writes, struct store *store, const char *peer,
                       enum direction direction, const struct habits *habits)
{
    struct write write = {.kind = WRITE_HABITS, .habits = {.direction = direction}};
    text_copy(write.habits.peer, sizeof write.habits.peer, peer);
    write.habits.of = copy_of(habits, sizeof *habits);
    put(writes, store, &write);
}

bool writes_full(const struct writes *writes)
{
    return writes->waiting && writes->count >= WRITES_MAXIMUM;
}

enum store_arrival writes_find_arrival(const struct writes *writes,
                                       const struct collect_report *report)
{
    for (size_t i = 0; i < writes->count; i++) {
        const struct write *write = &writes->items[i];
        const struct message *message = &write->message;
        if (write->kind == WRITE_MESSAGE && probe_id_equal(&write->id, &report->tag.id)) {
            bool same = message->uid == report->uid &&
                        message->uid_validity == report->uid_validity &&
                        strcmp(message->folder, report->folder) == 0 &&
                        strcmp(message->mailbox, report->mailbox) == 0;
            return same ? STORE_ARRIVAL_SAME : STORE_ARRIVAL_DUPLICATE;
        }
    }
    return STORE_ARRIVAL_NEW;
}

void writes_repeat(const struct writes *writes, struct store *store)
{
    for (size_t i = 0; i < writes->count; i++) {
        perform(store, &writes->items[i]);
    }
}

// What a write owns beside itself.
static void *owned_by(const struct write *write)
{
    switch (write->kind) {
    case WRITE_OUTCOME:
        return write->outcome;
    case WRITE_BOUNCE:
        return write->bounce.of;
    case WRITE_TRACE:
        return write->trace.text;
    case WRITE_INCIDENT:
        return write->incident;
    case WRITE_HABITS:
        return write->habits.of;
    default:
        return NULL;
    }
}

static void forget_all(struct writes *writes)
{
    for (size_t i = 0; i < writes->count; i++) {
        free(owned_by(&writes->items[i]));
    }
    writes->count = 0;
}

void writes_forget(struct writes *writes)
{
    forget_all(writes);
    if (writes->room > WRITES_MAXIMUM / 8) {
        writes_free(writes);
    }
}

void writes_free(struct writes *writes)
{
    forget_all(writes);
    free(writes->items);
    *writes = (struct writes){.waiting = writes->waiting};
}
