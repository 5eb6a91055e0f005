#include "probes/transcript.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char *const SIDE_NAMES[TRANSCRIPT_SIDES] = {"client", "server", "note"};

enum { MICROSECONDS_DIGITS = 15 };

const char *transcript_side_name(enum transcript_side side)
{
    return SIDE_NAMES[side];
}

// The side whose name and a blank stand here, or TRANSCRIPT_SIDES.
static enum transcript_side find_side(const char *at)
{
    int side = 0;
    while (side < TRANSCRIPT_SIDES) {
        size_t length = strlen(SIDE_NAMES[side]);
        if (strncmp(at, SIDE_NAMES[side], length) == 0 && at[length] == ' ') {
            break;
        }
        side++;
    }
    return (enum transcript_side)side;
}

// Quotes and backslashes as they were said.
static void append_unquoted(struct text *text, const char *escaped, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool quoted = escaped[i] == '\\' && i + 1 < length &&
                      (escaped[i + 1] == '"' || escaped[i + 1] == '\\');
        i += quoted ? 1 : 0;
        text_append_bytes(text, escaped + i, 1);
    }
}

bool transcript_next(const char **transcript, struct transcript_line *out)
{
    const char *at = *transcript;
    size_t digits = strspn(at, "0123456789");
    if (digits == 0 || digits > MICROSECONDS_DIGITS || at[digits] != ' ') {
        return false;
    }
    out->at = (struct span){strtoll(at, NULL, 10) * 1000};
    at += digits + 1;
    out->side = find_side(at);
    if (out->side == TRANSCRIPT_SIDES) {
        return false;
    }
    at += strlen(SIDE_NAMES[out->side]) + 1;
    size_t length = strcspn(at, "\n");
    struct text text = TEXT_OVER(out->text);
    append_unquoted(&text, at, length);
    *transcript = at + length + (at[length] == '\n' ? 1 : 0);
    return true;
}
