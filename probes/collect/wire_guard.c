#include "probes/collect/wire_guard.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static void end_line(struct wire_guard *guard)
{
    guard->line[guard->line_length] = '\0';
    if (isdigit((unsigned char)guard->line[0])) {
        memcpy(guard->tagged, guard->line, sizeof guard->line);
    } else if (strncasecmp(guard->line, "* BYE", 5) == 0) {
        memcpy(guard->bye, guard->line, sizeof guard->line);
    }
    guard->line_length = 0;
    guard->nesting = 0;
    guard->state = WIRE_TEXT;
}

// Whether what stands before the end of the line announces a literal: {number} or {number+}.
static void follow_brace(struct wire_guard *guard, char byte)
{
    if (byte == '{') {
        guard->state = WIRE_BRACE;
        guard->announced = 0;
    } else if (guard->state == WIRE_BRACE && isdigit((unsigned char)byte)) {
        if (guard->announced <= WIRE_LITERAL_MAXIMUM) {
            guard->announced = guard->announced * 10 + (size_t)(byte - '0');
        }
    } else if (guard->state == WIRE_BRACE && byte == '}') {
        guard->state = WIRE_BRACE_CLOSED;
    } else if (!(guard->state == WIRE_BRACE && byte == '+') && byte != '\r') {
        guard->state = WIRE_TEXT;
    }
}

static bool feed_text(struct wire_guard *guard, char byte, struct error *error)
{
    if (byte == '\n') {
        if (guard->state == WIRE_BRACE_CLOSED) {
            guard->literal_left = guard->announced;
            guard->state = WIRE_TEXT;
            return guard->announced <= WIRE_LITERAL_MAXIMUM ||
                   error_set(error, "the server sends a literal of more than %d bytes",
                             WIRE_LITERAL_MAXIMUM);
        }
        end_line(guard);
        return true;
    }
    if (guard->line_length < sizeof guard->line - 1 && byte != '\r' && byte != '\0') {
        guard->line[guard->line_length++] = byte;
    }
    guard->nesting += byte == '(' ? 1 : byte == ')' && guard->nesting > 0 ? -1 : 0;
    follow_brace(guard, byte);
    return guard->nesting <= WIRE_NESTING_MAXIMUM ||
           error_set(error, "the server's answer is nested more than %d deep",
                     WIRE_NESTING_MAXIMUM);
}

bool wire_guard_feed(struct wire_guard *guard, const char *bytes, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (guard->literal_left > 0) {
            size_t skipped = guard->literal_left < count - i ? guard->literal_left : count - i;
            guard->literal_left -= skipped;
            i += skipped - 1;
        } else if (!feed_text(guard, bytes[i], error)) {
            return false;
        }
    }
    return true;
}
