#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

struct text text_over(char *data, size_t size)
{
    data[0] = '\0';
    return (struct text){.data = data, .size = size};
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

size_t text_character_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    if (at[0] < 0x80) {
        return 1;
    }
    size_t length = at[0] >= 0xC2 && at[0] <= 0xDF   ? 2
                    : (at[0] & 0xF0) == 0xE0         ? 3
                    : at[0] >= 0xF0 && at[0] <= 0xF4 ? 4
                                                     : 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xF0 && at[1] < 0x90);
    bool surrogate = at[0] == 0xED && at[1] >= 0xA0;
    bool beyond = at[0] == 0xF4 && at[1] >= 0x90;
    bool control = at[0] == 0xC2 && at[1] < 0xA0;
    return overlong || surrogate || beyond || control ? 0 : length;
}

// The longest part of the bytes, at most `room`, that does not cut a UTF-8 sequence in two.
static size_t whole_characters(const char *bytes, size_t room)
{
    while (room > 0 && is_continuation(bytes[room])) {
        room--;
    }
    return room;
}

void text_append_bytes(struct text *text, const char *bytes, size_t count)
{
    size_t room = text->size - 1 - text->length;
    if (text->truncated) {
        return;
    }
    if (count > room) {
        text->truncated = true;
        count = whole_characters(bytes, room);
    }
    memcpy(text->data + text->length, bytes, count);
    text->length += count;
    text->data[text->length] = '\0';
}

void text_append(struct text *text, const char *more)
{
    text_append_bytes(text, more, strlen(more));
}

// After vsnprintf filled the text to its last byte: takes away a character that was cut in two.
static void drop_cut_character(struct text *text)
{
    size_t end = text->size - 1;
    size_t last = end > 0 ? end - 1 : 0;
    while (last > 0 && end - last < 4 && is_continuation(text->data[last])) {
        last--;
    }
    bool cut = text_character_length(text->data + last) == 0;
    text->length = cut ? last : end;
    text->data[text->length] = '\0';
}

void text_format(struct text *text, const char *format, ...)
{
    if (text->truncated) {
        return;
    }
    size_t room = text->size - text->length;
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(text->data + text->length, room, format, arguments);
    va_end(arguments);
    if (wanted < 0) {
        text->data[text->length] = '\0';
    } else if ((size_t)wanted >= room) {
        text->truncated = true;
        drop_cut_character(text);
    } else {
        text->length += (size_t)wanted;
    }
}

// Appends one byte in its escaped form: whole, or not at all when there is no room for it.
static void append_escape(struct text *text, unsigned char byte)
{
    static const char NAMED[] = "\n\t\r\"\\";
    static const char NAMES[] = "ntr\"\\";
    const char *named = strchr(NAMED, byte);
    char escape[5];
    if (named != NULL) {
        snprintf(escape, sizeof escape, "\\%c", NAMES[named - NAMED]);
    } else {
        snprintf(escape, sizeof escape, "\\x%02x", byte);
    }
    if (strlen(escape) > text->size - 1 - text->length) {
        text->truncated = true;
    }
    text_append(text, escape);
}

// Of a well-formed character.
static uint32_t code_point(const unsigned char *at, size_t length)
{
    uint32_t code = length == 1 ? at[0] : at[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        code = code << 6 | (at[i] & 0x3Fu);
    }
    return code;
}

// Characters that are not seen but change what is: they turn the direction, break the line, hide
// or join what stands beside them. (Unicode: format characters, general category Cf, but those that
// are drawn, such as Arabic number signs; and the separators of lines and paragraphs.)
static bool misleads(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } RANGES[] = {
        {0x00AD, 0x00AD},   {0x061C, 0x061C},   {0x180E, 0x180E},   {0x200B, 0x200F},
        {0x2028, 0x202E},   {0x2060, 0x206F},   {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},
        {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0001, 0xE007F},
    };
    for (size_t i = 0; i < sizeof RANGES / sizeof RANGES[0]; i++) {
        if (code >= RANGES[i].first && code <= RANGES[i].last) {
            return true;
        }
    }
    return false;
}

// Whether the character at the front, of that length, may be shown as it is.
static bool is_shown(const unsigned char *at, size_t length)
{
    return length > 1 ? !misleads(code_point(at, length))
                      : length == 1 && *at >= 0x20 && *at != 0x7F && *at != '"' && *at != '\\';
}

void text_append_escaped(struct text *text, const char *from)
{
    const unsigned char *at = (const unsigned char *)from;
    while (*at != '\0') {
        size_t length = text_character_length((const char *)at);
        if (!is_shown(at, length)) {
            append_escape(text, *at++);
        } else {
            text_append_bytes(text, (const char *)at, length);
            at += length;
        }
    }
}

void text_append_value(struct text *text, const char *from)
{
    bool plain = *from != '\0';
    for (const unsigned char *at = (const unsigned char *)from; *at != '\0'; at++) {
        plain = plain && *at > 0x20 && *at < 0x7F && *at != '"' && *at != '\\' && *at != '=';
    }
    if (plain) {
        text_append(text, from);
        return;
    }
    text_append(text, "\"");
    text_append_escaped(text, from);
    text_append(text, "\"");
}

void text_append_encoded(struct text *text, const char *from)
{
    for (const unsigned char *at = (const unsigned char *)from; *at != '\0'; at++) {
        if ((isalnum(*at) && *at < 0x80) || strchr("-._~", *at) != NULL) {
            text_append_bytes(text, (const char *)at, 1);
        } else {
            text_format(text, "%%%02X", *at);
        }
    }
}

bool text_copy(char *to, size_t size, const char *from)
{
    struct text text = text_over(to, size);
    text_append(&text, from);
    return !text.truncated;
}

void text_keep(char **kept, size_t size, const char *from)
{
    char *copy = NULL;
    if (from[0] != '\0') {
        copy = memory_checked(malloc(size));
        text_copy(copy, size, from);
    }
    free(*kept); // `from` may be a part of it
    *kept = copy;
}

const char *text_kept(const char *kept)
{
    return kept == NULL ? "" : kept;
}

bool text_is_name(const char *text, size_t size)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_') {
            return false;
        }
    }
    return length > 0 && length < size;
}

bool text_equal_ignoring_case(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}
