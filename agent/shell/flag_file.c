#include "shell/flag_file.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "shell/window_request.h"

// The lines of a flag, as they are read.
struct reading {
    struct flag_file *flag;
    struct flag_problems *problems;
    const struct local_time_zone *here;
    unsigned line;
    bool until;
    bool length;
};

__attribute__((format(printf, 2, 3))) static void complain(struct reading *reading,
                                                           const char *format, ...)
{
    struct flag_problems *problems = reading->problems;
    if (problems->count == FLAG_PROBLEMS_MAXIMUM) {
        return;
    }
    char words[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    struct text text = TEXT_OVER(problems->items[problems->count]);
    problems->count++;
    if (reading->line > 0) {
        text_format(&text, "line %u: ", reading->line);
    }
    text_append_escaped(&text, words);
}

// The next time that the clock shows this after the file was written.
static bool read_clock(const struct reading *reading, const char *value, struct walltime *out)
{
    struct local_time local = local_time_from_wall(reading->flag->written, reading->here);
    if (!local_time_parse_clock(value, &local)) {
        return false;
    }
    *out = local_time_to_wall(&local, reading->here);
    if (out->ns <= reading->flag->written.ns) {
        local = local_time_add_days(&local, 1);
        *out = local_time_to_wall(&local, reading->here);
    }
    return true;
}

static void read_until(struct reading *reading, const char *value)
{
    struct walltime until;
    struct local_time local;
    if (local_time_parse(value, &local)) {
        until = local_time_to_wall(&local, reading->here);
    } else if (!read_clock(reading, value, &until) && !walltime_parse_rfc3339(value, &until)) {
        complain(reading,
                 "until=%.40s is no time: write 22:30, 2026-01-04T22:30 or 2026-01-04T21:30:00Z",
                 value);
        return;
    }
    if (reading->length) {
        complain(reading, "until= and for= exclude each other: for= holds");
        return;
    }
    reading->flag->end = until;
    reading->until = true;
}

static void read_length(struct reading *reading, const char *value)
{
    struct span length;
    if (!span_parse(value, &length) || length.ns <= 0) {
        complain(reading, "for=%.40s is no length: write 30m or 6h", value);
    } else if (reading->until) {
        complain(reading, "until= and for= exclude each other: until= holds");
    } else {
        reading->flag->end = walltime_add(reading->flag->written, length);
        reading->length = true;
    }
}

static void read_reason(struct reading *reading, const char *value)
{
    text_copy(reading->flag->reason, sizeof reading->flag->reason, value);
}

static void read_kind(struct reading *reading, const char *value)
{
    if (!window_kind_parse(value, &reading->flag->kind)) {
        complain(reading, "kind=%.40s is neither routine nor emergency", value);
        reading->flag->kind = WINDOW_ROUTINE;
    }
}

static const struct {
    const char *name;
    void (*read)(struct reading *reading, const char *value);
} MEMBERS[] = {
    {"until=", read_until},
    {"for=", read_length},
    {"reason=", read_reason},
    {"kind=", read_kind},
};

static void read_line(struct reading *reading, char *line)
{
    size_t length = strlen(line);
    while (length > 0 && isspace((unsigned char)line[length - 1])) {
        line[--length] = '\0';
    }
    line += strspn(line, " \t");
    if (*line == '\0' || *line == '#') {
        return;
    }
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++) {
        size_t name = strlen(MEMBERS[i].name);
        if (strncmp(line, MEMBERS[i].name, name) == 0) {
            MEMBERS[i].read(reading, line + name);
            return;
        }
    }
    complain(reading, "'%.40s' is not until=, for=, reason= or kind=", line);
}

static void read_lines(struct reading *reading, const char *bytes, size_t length)
{
    char text[FLAG_FILE_MAXIMUM + 1];
    memcpy(text, bytes, length);
    text[length] = '\0';
    for (char *next = text, *line; (line = strsep(&next, "\n")) != NULL;) {
        reading->line++;
        read_line(reading, line);
    }
    reading->line = 0;
}

// What no line shows alone.
static void check(struct reading *reading)
{
    struct flag_file *flag = reading->flag;
    struct span length = walltime_since(flag->end, flag->written);
    if (flag->kind == WINDOW_EMERGENCY && flag->reason[0] == '\0') {
        complain(reading, "an emergency needs a reason=: taken as routine");
        flag->kind = WINDOW_ROUTINE;
    }
    if (length.ns <= 0) {
        complain(reading, "it ends before it was written: no maintenance");
    } else if (length.ns > WINDOW_LENGTH_MAXIMUM.ns) {
        complain(reading, "it is longer than 366d: taken as 4h");
        flag->end = walltime_add(flag->written, FLAG_LENGTH);
    } else if (flag->kind == WINDOW_ROUTINE && length.ns > WINDOW_ROUTINE_MAXIMUM.ns) {
        complain(reading, "it is long for routine maintenance (more than 4h): every alert of the "
                          "server is held back for all of it");
    }
}

void flag_file_read(const char *bytes, size_t length, struct walltime written,
                    const struct local_time_zone *here, struct flag_file *out,
                    struct flag_problems *problems)
{
    *out = (struct flag_file){.written = written, .end = walltime_add(written, FLAG_LENGTH)};
    struct reading reading = {.flag = out, .problems = problems, .here = here};
    if (length > FLAG_FILE_MAXIMUM || memchr(bytes, '\0', length) != NULL) {
        complain(&reading, "what is in it is no flag's text: only its name counts");
    } else {
        read_lines(&reading, bytes, length);
        check(&reading);
    }
    if (out->reason[0] == '\0') {
        text_copy(out->reason, sizeof out->reason, "flag file");
    }
}

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

bool flag_file_ignored(const char *name)
{
    static const char *const ENDINGS[] = {"~", ".swp", ".swx", ".swo", ".bak", ".tmp", ".orig"};
    bool ignored = name[0] == '.' || name[0] == '#' || strcmp(name, "4913") == 0; // vim's trial
    for (size_t i = 0; !ignored && i < sizeof ENDINGS / sizeof ENDINGS[0]; i++) {
        ignored = ends_with(name, ENDINGS[i]);
    }
    return ignored;
}
