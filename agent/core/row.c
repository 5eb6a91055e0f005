#include "core/row.h"

#include <string.h>

bool row_add(struct text *out, enum row_view view, const char *server, bool first)
{
    size_t before = out->length;
    const char *name = view == ROW_OK ? "ok=" : "bad=";
    text_format(out, "%s%s%s", first && before > 0 ? "; " : "", first ? name : " ", server);
    if (out->truncated) {
        out->length = before;
        out->data[before] = '\0';
        out->truncated = false;
        return false;
    }
    return true;
}

// Whether the name stands as a whole word in the list, which ends at a semicolon or with the text.
static bool lists(const char *list, const char *server)
{
    size_t length = strlen(server);
    for (const char *at = list; *at != '\0' && *at != ';';) {
        size_t word = strcspn(at, " \t\r\n;");
        if (word == length && memcmp(at, server, length) == 0) {
            return true;
        }
        at += word;
        at += strspn(at, " \t\r\n");
    }
    return false;
}

enum row_view row_find(const char *row, const char *server)
{
    static const char *const NAMES[] = {[ROW_OK] = "ok=", [ROW_BAD] = "bad="};
    for (const char *at = row; *at != '\0';) {
        at += strspn(at, "; \t\r\n");
        for (int view = ROW_OK; view <= ROW_BAD; view++) {
            size_t length = strlen(NAMES[view]);
            if (strncmp(at, NAMES[view], length) == 0 && lists(at + length, server)) {
                return (enum row_view)view;
            }
        }
        at += strcspn(at, ";");
    }
    return ROW_UNKNOWN;
}
