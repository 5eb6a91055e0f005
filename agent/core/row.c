#include "core/row.h"

#include <string.h>

// In the order in which they are written: what is cut off at the end is said of sound servers.
static const struct row_list {
    const char *name;
    enum row_view ways[DIRECTIONS];
} LISTS[] = {
    {"bad", {[OUTBOUND] = ROW_BAD, [INBOUND] = ROW_BAD}},
    {"in-only", {[OUTBOUND] = ROW_BAD, [INBOUND] = ROW_OK}},
    {"out-only", {[OUTBOUND] = ROW_OK, [INBOUND] = ROW_BAD}},
    {"in-bad", {[INBOUND] = ROW_BAD}},
    {"out-bad", {[OUTBOUND] = ROW_BAD}},
    {"ok", {[OUTBOUND] = ROW_OK, [INBOUND] = ROW_OK}},
    {"in-ok", {[INBOUND] = ROW_OK}},
    {"out-ok", {[OUTBOUND] = ROW_OK}},
};

enum { LIST_COUNT = sizeof LISTS / sizeof LISTS[0] };

const char *row_view_name(enum row_view view)
{
    static const char *const NAMES[] = {
        [ROW_UNKNOWN] = "unknown", [ROW_OK] = "ok", [ROW_BAD] = "bad"};
    return NAMES[view];
}

// ---- writing ----

static bool belongs(const struct row_list *list, const struct row_entry *entry)
{
    return memcmp(list->ways, entry->ways, sizeof list->ways) == 0;
}

// False, with the text as it was, when it does not fit.
static bool add(struct text *out, const struct row_list *list, const char *server, bool first)
{
    size_t before = out->length;
    if (first) {
        text_format(out, "%s%s=%s", before > 0 ? "; " : "", list->name, server);
    } else {
        text_format(out, " %s", server);
    }
    if (out->truncated) {
        out->length = before;
        out->data[before] = '\0';
        out->truncated = false;
        return false;
    }
    return true;
}

void row_format(const struct row_entry *entries, size_t count, struct text *out)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        bool first = true;
        for (size_t k = 0; k < count; k++) {
            if (belongs(&LISTS[i], &entries[k])) {
                if (!add(out, &LISTS[i], entries[k].server, first)) {
                    return;
                }
                first = false;
            }
        }
    }
}

// ---- reading ----

#define BLANKS " \t\r\n"

struct row_reader row_read(const char *row)
{
    return (struct row_reader){.at = row};
}

// Moves into the list that begins here, or past one that is not known.
static void enter_list(struct row_reader *reader)
{
    reader->at += strspn(reader->at, BLANKS ";");
    size_t length = strcspn(reader->at, "=;" BLANKS);
    for (size_t i = 0; reader->at[length] == '=' && i < LIST_COUNT; i++) {
        if (strlen(LISTS[i].name) == length && memcmp(LISTS[i].name, reader->at, length) == 0) {
            reader->list = &LISTS[i];
            reader->at += length + 1;
            return;
        }
    }
    reader->at += strcspn(reader->at, ";");
}

// The word that begins here, when it is a name.
static bool read_name(struct row_reader *reader, char name[SERVER_NAME_SIZE])
{
    size_t length = strcspn(reader->at, BLANKS ";");
    const char *word = reader->at;
    reader->at += length;
    if (length >= SERVER_NAME_SIZE) {
        return false;
    }
    memcpy(name, word, length);
    name[length] = '\0';
    return text_is_name(name, SERVER_NAME_SIZE);
}

bool row_next(struct row_reader *reader, struct row_entry *out)
{
    while (*reader->at != '\0') {
        if (reader->list == NULL) {
            enter_list(reader);
            continue;
        }
        reader->at += strspn(reader->at, BLANKS);
        if (*reader->at == ';') {
            reader->list = NULL;
        } else if (*reader->at != '\0' && read_name(reader, out->server)) {
            memcpy(out->ways, reader->list->ways, sizeof out->ways);
            return true;
        }
    }
    return false;
}

// A reader that stands at a word of that length in the list around it; false when there is none.
static bool enter_at(const char *row, const char *at, size_t length, struct row_reader *reader)
{
    const char *begin = at;
    if (at == row || strchr(BLANKS "=", at[-1]) == NULL || strchr(BLANKS ";", at[length]) == NULL) {
        return false;
    }
    while (begin > row && begin[-1] != ';') {
        begin--;
    }
    *reader = row_read(begin);
    enter_list(reader);
    bool inside = reader->list != NULL && (at == reader->at || (at > reader->at && at[-1] != '='));
    reader->at = at;
    return inside;
}

// Thousands of rows are asked at once, hence straight to where the name stands.
bool row_find(const char *row, const char *server, struct row_entry *out)
{
    size_t length = strlen(server);
    for (const char *at = row; (at = strstr(at, server)) != NULL && *at != '\0'; at++) {
        struct row_reader reader;
        if (enter_at(row, at, length, &reader) && row_next(&reader, out) &&
            strcmp(out->server, server) == 0) {
            return true;
        }
    }
    *out = (struct row_entry){0};
    return false;
}

enum row_view row_entry_view(const struct row_entry *entry)
{
    if (entry->ways[OUTBOUND] == ROW_OK || entry->ways[INBOUND] == ROW_OK) {
        return ROW_OK;
    }
    bool bad = entry->ways[OUTBOUND] == ROW_BAD || entry->ways[INBOUND] == ROW_BAD;
    return bad ? ROW_BAD : ROW_UNKNOWN;
}
