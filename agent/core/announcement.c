#include "core/announcement.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/number.h"

// More than the longest item of ours.
enum { ITEM_SIZE = 1024, FIELDS_MAXIMUM = 8 };

// ---- writing ----

static bool stands_for_itself(char c)
{
    return isalnum((unsigned char)c) || strchr("-_.@", c) != NULL;
}

static void append_encoded(struct text *out, const char *from)
{
    for (; *from != '\0'; from++) {
        if (stands_for_itself(*from)) {
            text_append_bytes(out, from, 1);
        } else {
            text_format(out, "%%%02X", (unsigned)(unsigned char)*from);
        }
    }
}

// The item whole or not at all.
static bool add_item(struct text *out, const struct text *item)
{
    size_t before = out->length;
    if (out->truncated) {
        return false;
    }
    text_append(out, before > 0 ? "; " : "");
    text_append(out, item->data);
    if (out->truncated || item->truncated) {
        out->length = before;
        out->data[before] = '\0';
        out->truncated = false;
        return false;
    }
    return true;
}

bool announcement_add_window(struct text *out, const struct window *window)
{
    char item[ITEM_SIZE], reason[ANNOUNCED_REASON_MAXIMUM + 1];
    struct text text = TEXT_OVER(item);
    text_copy(reason, sizeof reason, window->reason);
    text_format(&text, "w=%s/%" PRIu32 "/%s/%s%s/%" PRId64 "/%" PRId64 "/", window->id,
                window->revision, window->server, window->kind == WINDOW_EMERGENCY ? "e" : "r",
                window->cancelled ? "c" : "", walltime_microseconds(window->begin),
                walltime_microseconds(window->end));
    append_encoded(&text, window->by);
    text_append(&text, "/");
    append_encoded(&text, reason);
    return add_item(out, &text);
}

bool announcement_add_known(struct text *out, const char *window, uint32_t revision)
{
    char item[ITEM_SIZE];
    struct text text = TEXT_OVER(item);
    text_format(&text, "ack=%s/%" PRIu32, window, revision);
    return add_item(out, &text);
}

bool announcement_add_refused(struct text *out, const char *window, uint32_t revision,
                              const char *why)
{
    char item[ITEM_SIZE];
    struct text text = TEXT_OVER(item);
    text_format(&text, "no=%s/%" PRIu32 "/", window, revision);
    append_encoded(&text, why);
    return add_item(out, &text);
}

// ---- reading ----

static int hex_digit(char c)
{
    const char *digits = "0123456789ABCDEF";
    const char *at = c == '\0' ? NULL : strchr(digits, toupper((unsigned char)c));
    return at == NULL ? -1 : (int)(at - digits);
}

static bool decode(const char *from, char *out, size_t size)
{
    size_t length = 0;
    for (; *from != '\0'; from++) {
        int byte = (unsigned char)*from;
        if (*from == '%') {
            int high = hex_digit(from[1]);
            int low = high < 0 ? -1 : hex_digit(from[2]);
            byte = high * 16 + low;
            from += 2;
            if (low < 0 || byte == 0) {
                return false;
            }
        } else if (!stands_for_itself(*from)) {
            return false;
        }
        if (length + 1 == size) {
            return false;
        }
        out[length++] = (char)byte;
    }
    out[length] = '\0';
    return true;
}

static bool read_time(const char *from, struct walltime *out)
{
    int64_t us;
    if (!number_parse(from, 1, INT64_MAX / 1000, &us)) {
        return false;
    }
    *out = walltime_from_microseconds(us);
    return true;
}

static bool read_kind(const char *from, struct window *out)
{
    out->kind = *from == 'e' ? WINDOW_EMERGENCY : WINDOW_ROUTINE;
    out->cancelled = *from != '\0' && from[1] == 'c';
    return (*from == 'e' || *from == 'r') && from[out->cancelled ? 2 : 1] == '\0';
}

// Cuts at every slash; returns how many fields there are, at most FIELDS_MAXIMUM + 1.
static size_t split(char *item, char *fields[FIELDS_MAXIMUM])
{
    size_t count = 0;
    for (char *at = item; at != NULL;) {
        char *slash = strchr(at, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        if (count == FIELDS_MAXIMUM) {
            return FIELDS_MAXIMUM + 1;
        }
        fields[count++] = at;
        at = slash == NULL ? NULL : slash + 1;
    }
    return count;
}

static bool read_name(char *const fields[FIELDS_MAXIMUM], struct window *out)
{
    int64_t revision;
    if (!window_id_valid(fields[0]) || !number_parse(fields[1], 1, UINT32_MAX, &revision)) {
        return false;
    }
    text_copy(out->id, sizeof out->id, fields[0]);
    out->revision = (uint32_t)revision;
    return true;
}

static bool read_window(char *item, struct window *out, struct error *error)
{
    char *fields[FIELDS_MAXIMUM];
    if (split(item, fields) != 8) {
        return error_set(error, "a window has not eight parts: %.40s", item);
    }
    if (!read_name(fields, out)) {
        return error_set(error, "a window without a valid id and revision: %.40s", item);
    }
    if (!server_name_valid(fields[2]) || !read_kind(fields[3], out) ||
        !read_time(fields[4], &out->begin) || !read_time(fields[5], &out->end)) {
        return error_set(error, "window %s without a valid server, kind, begin or end", out->id);
    }
    text_copy(out->server, sizeof out->server, fields[2]);
    return (decode(fields[6], out->by, sizeof out->by) &&
            decode(fields[7], out->reason, sizeof out->reason)) ||
           error_set(error, "window %s with a malformed announcer or reason", out->id);
}

static bool read_mark(char *item, bool refused, struct announced *out, struct error *error)
{
    char *fields[FIELDS_MAXIMUM];
    size_t expected = refused ? 3 : 2;
    if (split(item, fields) != expected || !read_name(fields, &out->window) ||
        (refused && !decode(fields[2], out->why, sizeof out->why))) {
        return error_set(error, "a malformed %s: %.40s", refused ? "refusal" : "acknowledgement",
                         item);
    }
    return true;
}

// Copies the next item; false at the end, and with a message when it is longer than any of ours.
static bool take_item(const char **at, char item[ITEM_SIZE], struct error *error)
{
    *at += strspn(*at, "; \t\r\n");
    size_t length = strcspn(*at, ";");
    if (length == 0) {
        return false;
    }
    if (length >= ITEM_SIZE) {
        return error_set(error, "an item of %zu bytes", length);
    }
    memcpy(item, *at, length);
    item[length] = '\0';
    *at += length;
    for (; length > 0 && isspace((unsigned char)item[length - 1]); length--) {
        item[length - 1] = '\0';
    }
    return true;
}

bool announcement_next(const char **at, struct announced *out, struct error *error)
{
    char item[ITEM_SIZE];
    while (take_item(at, item, error)) {
        *out = (struct announced){0};
        if (strncmp(item, "w=", 2) == 0) {
            return read_window(item + 2, &out->window, error);
        }
        if (strncmp(item, "ack=", 4) == 0) {
            out->kind = ANNOUNCED_KNOWN;
            return read_mark(item + 4, false, out, error);
        }
        if (strncmp(item, "no=", 3) == 0) {
            out->kind = ANNOUNCED_REFUSED;
            return read_mark(item + 3, true, out, error);
        }
    }
    return false;
}
