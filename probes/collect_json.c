// The lines of mailflow-collect. A command has its verb under "command", a report its kind under
// "report"; each has the members that belong to its kind and no others are looked at.
#include "probes/json_values.h"

#include <ctype.h>

#include "base/text.h"

static const char *const COMMAND_NAMES[] = {"watch", "unwatch", "delete"};
static const char *const REPORT_NAMES[] = {"up",      "down",     "complete", "trace",
                                           "arrival", "rejected", "bounce"};
static const char *const LEG_NAMES[COLLECT_LEGS] = {"dns", "connect", "tls", "login"};
static const char *const REJECTION_NAMES[REJECTIONS] = {"signature", "malformed", "too_big"};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

const char *rejection_name(enum rejection of)
{
    return REJECTION_NAMES[of];
}

const char *collect_leg_name(enum collect_leg leg)
{
    return LEG_NAMES[leg];
}

static bool is_plain(const char *text)
{
    while (*text != '\0' && !iscntrl((unsigned char)*text)) {
        text++;
    }
    return *text == '\0';
}

// ---- commands ----

static void append(json_t *array, json_t *element)
{
    memory_checked(element);
    memory_checked(json_array_append_new(array, element) == 0 ? array : NULL);
}

static void write_watch(json_t *object, const struct collect_command *command)
{
    json_t *folders = memory_checked(json_array());
    for (size_t i = 0; i < command->folder_count; i++) {
        append(folders, json_string(command->folders[i]));
    }
    json_write_endpoint(object, "endpoint", &command->endpoint);
    json_write_object(object, "folders", folders);
    json_write_keys(object, "keys", &command->keys);
    json_write_text(object, "authserv_id", command->authserv_id);
}

static void write_delete(json_t *object, const struct collect_command *command)
{
    json_t *uids = memory_checked(json_array());
    for (size_t i = 0; i < command->uid_count; i++) {
        append(uids, json_integer(command->uids[i]));
    }
    json_write_text(object, "folder", command->folder);
    json_write_integer(object, "uid_validity", command->uid_validity);
    json_write_object(object, "uids", uids);
}

char *collect_command_encode(const struct collect_command *command)
{
    json_t *object = memory_checked(json_object());
    json_write_text(object, "command", COMMAND_NAMES[command->kind]);
    json_write_text(object, "mailbox", command->mailbox);
    if (command->kind == COLLECT_WATCH) {
        write_watch(object, command);
    } else if (command->kind == COLLECT_DELETE) {
        write_delete(object, command);
    }
    return json_line_finish(object);
}

static bool read_uint32(const json_t *object, const char *name, uint32_t *out, struct error *error)
{
    int64_t number;
    if (!json_read_integer(object, name, 0, UINT32_MAX, &number, error)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static bool read_folders(const json_t *object, struct collect_command *out, struct error *error)
{
    const json_t *folders;
    if (!json_read_array(object, "folders", PROBE_FOLDERS_MAXIMUM, &folders, error)) {
        return false;
    }
    out->folder_count = json_array_size(folders);
    if (out->folder_count == 0) {
        return error_set(error, "\"folders\" is empty");
    }
    for (size_t i = 0; i < out->folder_count; i++) {
        const char *name = json_string_value(json_array_get(folders, i));
        if (name == NULL || name[0] == '\0' || !is_plain(name) ||
            !text_copy(out->folders[i], sizeof out->folders[i], name)) {
            return error_set(error, "\"folders\" %zu is not a folder's name", i);
        }
    }
    return true;
}

static bool read_uids(const json_t *object, struct collect_command *out, struct error *error)
{
    const json_t *uids;
    if (!json_read_array(object, "uids", COLLECT_UIDS_MAXIMUM, &uids, error)) {
        return false;
    }
    out->uid_count = json_array_size(uids);
    for (size_t i = 0; i < out->uid_count; i++) {
        const json_t *uid = json_array_get(uids, i);
        int64_t number = json_is_integer(uid) ? json_integer_value(uid) : 0;
        if (number < 1 || number > UINT32_MAX) {
            return error_set(error, "\"uids\" %zu is not a UID", i);
        }
        out->uids[i] = (uint32_t)number;
    }
    return true;
}

static bool read_command(const json_t *object, struct collect_command *out, struct error *error)
{
    int kind;
    if (!json_read_choice(object, "command", COMMAND_NAMES, COUNT_OF(COMMAND_NAMES), &kind,
                          error) ||
        !json_read_plain(object, "mailbox", out->mailbox, sizeof out->mailbox, error)) {
        return false;
    }
    out->kind = (enum collect_command_kind)kind;
    switch (out->kind) {
    case COLLECT_WATCH:
        return json_read_endpoint(object, "endpoint", &out->endpoint, error) &&
               read_folders(object, out, error) &&
               json_read_keys(object, "keys", &out->keys, error) &&
               json_read_plain(object, "authserv_id", out->authserv_id, sizeof out->authserv_id,
                               error);
    case COLLECT_DELETE:
        return json_read_plain(object, "folder", out->folder, sizeof out->folder, error) &&
               read_uint32(object, "uid_validity", &out->uid_validity, error) &&
               read_uids(object, out, error);
    default:
        return true;
    }
}

bool collect_command_decode(const char *line, size_t length, struct collect_command *out,
                            struct error *error)
{
    *out = (struct collect_command){0};
    json_t *object = json_read_line(line, length, error);
    bool valid = object != NULL && read_command(object, out, error);
    json_decref(object);
    return valid;
}

// ---- reports ----

static void write_place(json_t *object, const struct collect_report *report)
{
    json_write_text(object, "folder", report->folder);
    json_write_integer(object, "uid_validity", report->uid_validity);
    json_write_integer(object, "uid", report->uid);
}

static void write_arrival(json_t *object, const struct collect_report *report)
{
    write_place(object, report);
    json_write_moment(object, "absent", report->absent);
    json_write_moment(object, "asked", report->asked);
    json_write_moment(object, "present", report->present);
    json_write_integer(object, "saved", report->saved.ns);
    json_write_boolean(object, "stripped", report->stripped);
    json_write_tag(object, "tag", &report->tag);
    json_write_text(object, "maintenance", report->maintenance);
    json_write_text(object, "receipts", report->receipts);
    json_write_text(object, "row", report->row);
}

static void write_state(json_t *object, const struct collect_report *report)
{
    json_t *legs = memory_checked(json_object());
    for (int i = 0; i < COLLECT_LEGS; i++) {
        json_write_integer(legs, LEG_NAMES[i], report->legs[i].ns);
    }
    json_write_text(object, "cause", report->cause);
    json_write_boolean(object, "token_refused", report->token_refused);
    json_write_object(object, "legs", legs);
    json_write_certificate(object, "certificate", &report->certificate);
}

static void write_bounce(json_t *object, const struct collect_report *report)
{
    char id[PROBE_ID_TEXT];
    const struct bounce *bounce = &report->bounce;
    write_place(object, report);
    json_write_moment(object, "present", report->present);
    json_write_text(object, "probe", probe_id_format(&report->tag.id, id));
    if (report->verified) {
        json_write_tag(object, "tag", &report->tag);
    }
    json_write_text(object, "action", bounce_action_name(bounce->action));
    json_write_text(object, "status", bounce->status);
    json_write_text(object, "remote_mta", bounce->remote_mta);
    json_write_text(object, "diagnostic", bounce->diagnostic);
    json_write_text(object, "recipient", bounce->recipient);
    json_write_text(object, "original_recipient", bounce->original_recipient);
}

char *collect_report_encode(const struct collect_report *report)
{
    json_t *object = memory_checked(json_object());
    json_write_text(object, "report", REPORT_NAMES[report->kind]);
    json_write_text(object, "mailbox", report->mailbox);
    switch (report->kind) {
    case COLLECT_UP:
    case COLLECT_DOWN:
        write_state(object, report);
        break;
    case COLLECT_COMPLETE:
        json_write_moment(object, "at", report->at);
        json_write_integer(object, "foreign", report->foreign);
        break;
    case COLLECT_TRACE:
        write_place(object, report);
        json_write_object(object, "trace", trace_to_json(&report->trace));
        break;
    case COLLECT_ARRIVAL:
        write_arrival(object, report);
        break;
    case COLLECT_REJECTED:
        write_place(object, report);
        json_write_text(object, "rejection", REJECTION_NAMES[report->rejection]);
        json_write_text(object, "cause", report->cause);
        break;
    case COLLECT_BOUNCE:
        write_bounce(object, report);
        break;
    }
    return json_line_finish(object);
}

static bool read_place(const json_t *object, struct collect_report *out, struct error *error)
{
    return json_read_text(object, "folder", out->folder, sizeof out->folder, error) &&
           read_uint32(object, "uid_validity", &out->uid_validity, error) &&
           read_uint32(object, "uid", &out->uid, error);
}

static bool read_arrival(const json_t *object, struct collect_report *out, struct error *error)
{
    return read_place(object, out, error) &&
           json_read_moment(object, "absent", &out->absent, error) &&
           json_read_moment(object, "asked", &out->asked, error) &&
           json_read_moment(object, "present", &out->present, error) &&
           json_read_integer(object, "saved", INT64_MIN, INT64_MAX, &out->saved.ns, error) &&
           json_read_boolean(object, "stripped", &out->stripped, error) &&
           json_read_tag(object, "tag", &out->tag, error) &&
           json_read_text(object, "maintenance", out->maintenance, sizeof out->maintenance,
                          error) &&
           json_read_text(object, "receipts", out->receipts, sizeof out->receipts, error) &&
           json_read_text(object, "row", out->row, sizeof out->row, error);
}

static bool read_told(const json_t *object, struct bounce *out, struct error *error)
{
    char action[16];
    return json_read_text(object, "action", action, sizeof action, error) &&
           (bounce_action_parse(action, &out->action) ||
            error_set(error, "\"action\" is none of those known")) &&
           json_read_plain(object, "status", out->status, sizeof out->status, error) &&
           json_read_plain(object, "remote_mta", out->remote_mta, sizeof out->remote_mta, error) &&
           json_read_plain(object, "diagnostic", out->diagnostic, sizeof out->diagnostic, error) &&
           json_read_plain(object, "recipient", out->recipient, sizeof out->recipient, error) &&
           json_read_plain(object, "original_recipient", out->original_recipient,
                           sizeof out->original_recipient, error);
}

static bool read_bounce(const json_t *object, struct collect_report *out, struct error *error)
{
    char id[PROBE_ID_TEXT];
    out->verified = json_object_get(object, "tag") != NULL;
    return read_place(object, out, error) &&
           json_read_moment(object, "present", &out->present, error) &&
           json_read_text(object, "probe", id, sizeof id, error) &&
           (probe_id_parse(id, &out->tag.id) ||
            error_set(error, "\"probe\" is not a probe's id")) &&
           (!out->verified || json_read_tag(object, "tag", &out->tag, error)) &&
           read_told(object, &out->bounce, error);
}

static bool read_trace(const json_t *object, struct collect_report *out, struct error *error)
{
    const json_t *trace;
    return read_place(object, out, error) && json_read_object(object, "trace", &trace, error) &&
           (trace_from_json(trace, &out->trace, error) || error_prefix(error, "\"trace\""));
}

static bool read_rejected(const json_t *object, struct collect_report *out, struct error *error)
{
    int rejection;
    if (!read_place(object, out, error) ||
        !json_read_choice(object, "rejection", REJECTION_NAMES, REJECTIONS, &rejection, error) ||
        !json_read_text(object, "cause", out->cause, sizeof out->cause, error)) {
        return false;
    }
    out->rejection = (enum rejection)rejection;
    return true;
}

static bool read_state(const json_t *object, struct collect_report *out, struct error *error)
{
    const json_t *legs;
    if (!json_read_text(object, "cause", out->cause, sizeof out->cause, error) ||
        !json_read_boolean(object, "token_refused", &out->token_refused, error) ||
        !json_read_object(object, "legs", &legs, error)) {
        return false;
    }
    for (int i = 0; i < COLLECT_LEGS; i++) {
        if (!json_read_span(legs, LEG_NAMES[i], &out->legs[i], error)) {
            return error_prefix(error, "\"legs\"");
        }
    }
    return json_read_certificate(object, "certificate", &out->certificate, error);
}

static bool read_report(const json_t *object, struct collect_report *out, struct error *error)
{
    int kind;
    if (!json_read_choice(object, "report", REPORT_NAMES, COUNT_OF(REPORT_NAMES), &kind, error) ||
        !json_read_text(object, "mailbox", out->mailbox, sizeof out->mailbox, error)) {
        return false;
    }
    out->kind = (enum collect_report_kind)kind;
    switch (out->kind) {
    case COLLECT_UP:
    case COLLECT_DOWN:
        return read_state(object, out, error);
    case COLLECT_COMPLETE:
        return json_read_moment(object, "at", &out->at, error) &&
               json_read_integer(object, "foreign", 0, INT64_MAX, &out->foreign, error);
    case COLLECT_TRACE:
        return read_trace(object, out, error);
    case COLLECT_ARRIVAL:
        return read_arrival(object, out, error);
    case COLLECT_BOUNCE:
        return read_bounce(object, out, error);
    default:
        return read_rejected(object, out, error);
    }
}

bool collect_report_decode(const char *line, size_t length, struct collect_report *out,
                           struct error *error)
{
    *out = (struct collect_report){0};
    json_t *object = json_read_line(line, length, error);
    bool valid = object != NULL && read_report(object, out, error);
    json_decref(object);
    return valid;
}
