#include "probes/calendar/blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

// The walk over the lines. The text is unfolded in place: what is written never overtakes what is
// read.
struct cutter {
    struct blocks *blocks;
    const char *next; // to read
    char *end;        // of what is unfolded
    unsigned line;    // of the one read next
    unsigned depth;
    unsigned begun[BLOCK_DEPTH_MAXIMUM]; // the lines of the BEGINs that are open
    const char *names[BLOCK_DEPTH_MAXIMUM];
    struct error *error;
};

// One unfolded line within the text, its end not terminated.
struct line {
    char *text;
    size_t length;
    unsigned number;
};

static bool continues(const char *at)
{
    return *at == ' ' || *at == '\t';
}

static bool next_line(struct cutter *cutter, struct line *line)
{
    if (*cutter->next == '\0') {
        return false;
    }
    *line = (struct line){.text = cutter->end, .number = cutter->line};
    do {
        const char *from = cutter->next + (cutter->end != line->text ? 1 : 0);
        size_t length = strcspn(from, "\n");
        cutter->next = from + length + (from[length] == '\n' ? 1 : 0);
        cutter->line++;
        if (length > 0 && from[length - 1] == '\r') {
            length--;
        }
        memmove(cutter->end, from, length);
        cutter->end += length;
    } while (continues(cutter->next) && cutter->end != line->text);
    line->length = (size_t)(cutter->end - line->text);
    *cutter->end++ = '\n';
    return true;
}

// What stands behind the prefix, or NULL.
static const char *after(const struct line *line, const char *prefix)
{
    size_t length = strlen(prefix);
    return line->length >= length && strncasecmp(line->text, prefix, length) == 0
               ? line->text + length
               : NULL;
}

static bool is(const struct line *line, const char *whole)
{
    return line->length == strlen(whole) && after(line, whole) != NULL;
}

// A piece of the line as it is quoted in a message.
struct excerpt {
    char text[48];
};

static struct excerpt excerpt_of(const struct line *line)
{
    struct excerpt excerpt = {""};
    struct text text = TEXT_OVER(excerpt.text);
    text_append_bytes(&text, line->text, line->length < 40 ? line->length : 40);
    return excerpt;
}

static void begin_calendar(struct blocks *blocks)
{
    size_t size = (blocks->calendar_count + 1) * sizeof *blocks->calendars;
    blocks->calendars = memory_checked(realloc(blocks->calendars, size));
    blocks->calendars[blocks->calendar_count++] = (struct block_calendar){0};
}

static void begin_block(struct blocks *blocks, enum block_kind kind, const struct line *line)
{
    if ((blocks->count & (blocks->count - 1)) == 0) { // doubles when it is a power of two
        size_t room = blocks->count == 0 ? 1 : 2 * blocks->count;
        blocks->items = memory_checked(realloc(blocks->items, room * sizeof *blocks->items));
    }
    blocks->items[blocks->count++] = (struct block){
        .kind = kind,
        .line = line->number,
        .text = line->text,
        .calendar = blocks->calendar_count - 1,
    };
}

static bool take_begin(struct cutter *cutter, const struct line *line)
{
    if (cutter->depth == BLOCK_DEPTH_MAXIMUM) {
        return error_set(cutter->error, "%s nests deeper than %d: this is no calendar",
                         excerpt_of(line).text, BLOCK_DEPTH_MAXIMUM);
    }
    if (cutter->depth == 0 && !is(line, "BEGIN:VCALENDAR")) {
        return error_set(cutter->error, "%s stands outside of any VCALENDAR",
                         excerpt_of(line).text);
    }
    cutter->begun[cutter->depth] = line->number;
    cutter->names[cutter->depth++] = line->text + strlen("BEGIN:");
    if (cutter->depth == 1) {
        begin_calendar(cutter->blocks);
    } else if (cutter->depth == 2 && is(line, "BEGIN:VEVENT")) {
        begin_block(cutter->blocks, BLOCK_EVENT, line);
    } else if (cutter->depth == 2 && is(line, "BEGIN:VTIMEZONE")) {
        begin_block(cutter->blocks, BLOCK_ZONE, line);
    }
    return true;
}

static bool take_end(struct cutter *cutter, const struct line *line)
{
    if (cutter->depth == 0) {
        return error_set(cutter->error, "%s ends what has not begun", excerpt_of(line).text);
    }
    const char *name = cutter->names[--cutter->depth];
    size_t length = line->length - strlen("END:");
    if (strncasecmp(name, line->text + strlen("END:"), length) != 0 || name[length] != '\n') {
        return error_set(cutter->error, "%s does not end the BEGIN of line %u",
                         excerpt_of(line).text, cutter->begun[cutter->depth]);
    }
    struct blocks *blocks = cutter->blocks;
    struct block *last = blocks->count == 0 ? NULL : &blocks->items[blocks->count - 1];
    if (cutter->depth == 1 && last != NULL && last->line == cutter->begun[1]) {
        last->length = (size_t)(cutter->end - last->text);
    }
    return true;
}

// A property of the calendar as a whole.
static void take_property(struct cutter *cutter, const struct line *line)
{
    struct block_calendar *calendar =
        &cutter->blocks->calendars[cutter->blocks->calendar_count - 1];
    const char *zone = after(line, "X-WR-TIMEZONE:");
    if (is(line, "METHOD:CANCEL")) {
        calendar->cancelled = true;
    } else if (zone != NULL) {
        struct text text = TEXT_OVER(calendar->zone);
        text_append_bytes(&text, zone, line->length - (size_t)(zone - line->text));
    }
}

static bool take_line(struct cutter *cutter, const struct line *line)
{
    if (after(line, "BEGIN:") != NULL) {
        return take_begin(cutter, line);
    }
    if (after(line, "END:") != NULL) {
        return take_end(cutter, line);
    }
    if (cutter->depth == 0 && line->length > 0) {
        return error_set(cutter->error, "this is no calendar: '%s' is not BEGIN:VCALENDAR",
                         excerpt_of(line).text);
    }
    if (cutter->depth == 1) {
        take_property(cutter, line);
    }
    return true;
}

static unsigned line_of(const char *bytes, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < offset; i++) {
        line += bytes[i] == '\n' ? 1 : 0;
    }
    return line;
}

static bool cut_lines(struct cutter *cutter, unsigned *number)
{
    struct line line;
    while (next_line(cutter, &line)) {
        *number = line.number;
        if (!take_line(cutter, &line)) {
            return false;
        }
    }
    if (cutter->depth > 0) {
        *number = cutter->begun[cutter->depth - 1];
        return error_set(cutter->error, "the file ends before what begins here does: it has been "
                                        "cut short, or is still being written");
    }
    return cutter->blocks->calendar_count > 0 ||
           error_set(cutter->error, "the file has no calendar in it");
}

bool blocks_cut(struct blocks *blocks, char *bytes, size_t length, unsigned *line,
                struct error *error)
{
    *blocks = (struct blocks){.text = bytes};
    *line = 0;
    if (strlen(bytes) != length) {
        *line = line_of(bytes, strlen(bytes));
        return error_set(error, "this is no calendar: it has a NUL byte in it");
    }
    blocks->text = memory_checked(realloc(bytes, length + 2));
    if (length > 0 && blocks->text[length - 1] != '\n') { // so that every line has an end to write
        memcpy(blocks->text + length, "\n", 2);
    }
    bool mark = strncmp(blocks->text, "\xEF\xBB\xBF", 3) == 0;
    struct cutter cutter = {
        .blocks = blocks,
        .next = blocks->text + (mark ? 3 : 0),
        .end = blocks->text,
        .line = 1,
        .error = error,
    };
    return cut_lines(&cutter, line);
}

void blocks_free(struct blocks *blocks)
{
    free(blocks->text);
    free(blocks->items);
    free(blocks->calendars);
    *blocks = (struct blocks){0};
}

static bool check_file(int file, struct stat *what, struct error *error)
{
    if (fstat(file, what) != 0) {
        return error_set(error, "%s", strerror(errno));
    }
    if (!S_ISREG(what->st_mode)) {
        return error_set(error, "is not a regular file");
    }
    return what->st_size <= CALENDAR_FILE_MAXIMUM ||
           error_set(error,
                     "has %lld bytes, and a calendar may have 1 MiB: split it, or drop what "
                     "is long past",
                     (long long)what->st_size);
}

static char *read_all(int file, size_t *length, struct error *error)
{
    struct stat what;
    if (!check_file(file, &what, error)) {
        return NULL;
    }
    char *bytes = memory_checked(malloc(CALENDAR_FILE_MAXIMUM + 1));
    ssize_t more;
    *length = 0;
    while ((more = read(file, bytes + *length, CALENDAR_FILE_MAXIMUM - *length)) > 0) {
        *length += (size_t)more;
    }
    if (more < 0) {
        error_set(error, "%s", strerror(errno));
        free(bytes);
        return NULL;
    }
    bytes[*length] = '\0';
    return bytes;
}

char *blocks_read_file(const char *path, size_t *length, struct error *error)
{
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); // a FIFO must not hold us
    if (file < 0) {
        error_set(error, "%s", strerror(errno));
        return NULL;
    }
    char *bytes = read_all(file, length, error);
    close(file);
    return bytes;
}
