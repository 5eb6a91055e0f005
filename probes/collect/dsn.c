#include "probes/collect/dsn.h"

#include <string.h>

#include "probes/collect/dsn_text.h"
#include "probes/collect/header_field.h"
#include "probes/collect/mime_parts.h"

bool dsn_may_be(const char *headers, size_t length)
{
    struct bytes section = {headers, headers + length};
    for (struct header_field field; header_field_take(&section, &field);) {
        struct bytes value = bytes_trim(field.value);
        if ((header_field_is(&field, "Content-Type") &&
             bytes_begin_with(value, "multipart/report")) ||
            (header_field_is(&field, "Return-Path") && bytes_equal(value, "<>")) ||
            (header_field_is(&field, "Auto-Submitted") && bytes_begin_with(value, "auto-repl")) ||
            (header_field_is(&field, "From") &&
             (bytes_contain(value, "mailer-daemon") || bytes_contain(value, "postmaster"))) ||
            header_field_is(&field, "X-Failed-Recipients")) {
            return true;
        }
    }
    return false;
}

// ---- message/delivery-status ----

// "dns; mx02.example": what stands behind the type, which old servers leave out.
static void copy_typed(struct bytes value, char *to, size_t size)
{
    const char *semicolon = memchr(value.at, ';', bytes_length(value));
    struct text text = text_over(to, size);
    if (semicolon != NULL) {
        value.at = semicolon + 1;
    }
    bytes_append_words(value, &text);
}

// A host's name alone: some put words behind it, or end it with a dot.
static void copy_host(struct bytes value, char host[BOUNCE_HOST_SIZE])
{
    copy_typed(value, host, BOUNCE_HOST_SIZE);
    size_t length = strcspn(host, " ");
    length -= length > 0 && host[length - 1] == '.';
    host[length] = '\0';
}

static void copy_words(struct bytes value, char *to, size_t size)
{
    struct text text = text_over(to, size);
    bytes_append_words(value, &text);
}

static enum bounce_action read_action(struct bytes value)
{
    value = bytes_trim(value);
    return bytes_begin_with(value, "failed")    ? BOUNCE_FAILED
           : bytes_begin_with(value, "delayed") ? BOUNCE_DELAYED
                                                : BOUNCE_OTHER;
}

// One group of fields: of the message, or of one recipient, which has an action.
struct group {
    bool has_action;
    struct bounce bounce;
};

static void take_field(const struct header_field *field, struct group *group, struct dsn *out,
                       char reporter[BOUNCE_HOST_SIZE])
{
    struct bounce *bounce = &group->bounce;
    char words[64];
    if (header_field_is(field, "Original-Envelope-Id")) {
        copy_words(field->value, out->envelope_id, sizeof out->envelope_id);
    } else if (header_field_is(field, "Reporting-MTA")) {
        copy_host(field->value, reporter);
    } else if (header_field_is(field, "Action")) {
        group->has_action = true;
        bounce->action = read_action(field->value);
    } else if (header_field_is(field, "Status")) {
        copy_words(field->value, words, sizeof words);
        dsn_text_find_status(words, bounce->status);
    } else if (header_field_is(field, "Remote-MTA")) {
        copy_host(field->value, bounce->remote_mta);
    } else if (header_field_is(field, "Diagnostic-Code")) {
        copy_typed(field->value, bounce->diagnostic, sizeof bounce->diagnostic);
    } else if (header_field_is(field, "Final-Recipient")) {
        copy_typed(field->value, bounce->recipient, sizeof bounce->recipient);
    } else if (header_field_is(field, "Original-Recipient")) {
        copy_typed(field->value, bounce->original_recipient, sizeof bounce->original_recipient);
    }
}

// Of several recipients (of an alias of ours) the worst fate is the probe's. False without any.
static bool read_status(struct bytes body, struct dsn *out)
{
    bool found = false;
    char reporter[BOUNCE_HOST_SIZE] = "";
    while (body.at < body.end) {
        struct group group = {.has_action = false};
        for (struct header_field field; header_field_take(&body, &field);) {
            take_field(&field, &group, out, reporter);
        }
        if (group.has_action && (!found || group.bounce.action < out->bounce.action)) {
            out->bounce = group.bounce;
            found = true;
        }
    }
    if (out->bounce.remote_mta[0] == '\0') {
        text_copy(out->bounce.remote_mta, sizeof out->bounce.remote_mta, reporter);
    }
    return found;
}

// ---- all of it ----

static struct bytes find_original(const struct mime_parts *parts)
{
    static const char *const TYPES[] = {"message/rfc822", "text/rfc822-headers", "message/global",
                                        "message/global-headers", "message/rfc822-headers"};
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        const struct mime_part *part = mime_find(parts, TYPES[i]);
        if (part != NULL) {
            return part->body;
        }
    }
    return (struct bytes){NULL, NULL};
}

// What the machine's part leaves out, the words for people may say.
static void complete(struct bounce *bounce, const struct bounce *told)
{
    if (bounce->diagnostic[0] == '\0' && bounce->action == told->action) {
        memcpy(bounce->diagnostic, told->diagnostic, sizeof bounce->diagnostic);
    }
}

// "5.0.0" says no more than that it failed: the server beyond may have said why.
static void refine_status(struct bounce *bounce)
{
    char told[BOUNCE_STATUS_SIZE];
    const char *rest = bounce->status[0] == '\0' ? "" : bounce->status + 1;
    if ((rest[0] == '\0' || strcmp(rest, ".0.0") == 0) &&
        dsn_text_find_status(bounce->diagnostic, told) &&
        (rest[0] == '\0' || told[0] == bounce->status[0])) {
        memcpy(bounce->status, told, sizeof told);
    }
}

static void read_answers(struct bytes section, struct dsn *out)
{
    for (struct header_field field; header_field_take(&section, &field);) {
        if (header_field_is(&field, "In-Reply-To")) {
            out->answers[0] = field.value;
        } else if (header_field_is(&field, "References")) {
            out->answers[1] = field.value;
        }
    }
}

bool dsn_read(char *bytes, size_t length, struct dsn *out)
{
    struct mime_parts parts;
    struct dsn_text told;
    *out = (struct dsn){0};
    mime_split(bytes, length, &parts);
    const struct mime_part *text = mime_find(&parts, "text/plain");
    const struct mime_part *status = mime_find(&parts, "message/delivery-status");
    status = status != NULL ? status : mime_find(&parts, "message/global-delivery-status");
    bool tells = text != NULL && dsn_text_read(text->body, &told);
    bool reports = status != NULL && read_status(status->body, out);
    if (!tells && !reports) {
        return false;
    }
    if (!reports) {
        out->bounce = told.bounce;
    } else if (tells) {
        complete(&out->bounce, &told.bounce);
    }
    refine_status(&out->bounce);
    out->original = find_original(&parts);
    if (out->original.at == NULL && text != NULL) {
        out->original = told.original;
    }
    if (reports && out->original.at == out->original.end) {
        read_answers((struct bytes){bytes, bytes + length}, out);
    }
    return true;
}

// A report by its headers, or where these do not end here, or one in words that begin here.
bool dsn_begins(const char *bytes, size_t length)
{
    char copy[DSN_BEGINNING_MAXIMUM];
    struct dsn dsn;
    struct bytes section = {bytes, bytes + length};
    for (struct header_field field; header_field_take(&section, &field);) {
        if (header_field_is(&field, "X-Failed-Recipients") ||
            (header_field_is(&field, "Content-Type") &&
             bytes_begin_with(bytes_trim(field.value), "multipart/report") &&
             !bytes_contain(field.value, "disposition-notification"))) {
            return true;
        }
    }
    length = length < sizeof copy ? length : sizeof copy;
    memcpy(copy, bytes, length);
    return section.at == section.end || dsn_read(copy, length, &dsn);
}
