#include "ctl/matrix.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/answer.h"
#include "ctl/format.h"
#include "ctl/paragraph.h"

enum { LISTED_MAXIMUM = 12, MOST_PERCENT = 60, NAME_SHOWN = 33 };

enum mark { MARK_NONE, MARK_UNKNOWN, MARK_OK, MARK_BAD, MARKS };

struct line {
    const char *name;
    const char *maintenance; // "" for none
    const json_t *says;      // what its agent says of itself, in words; NULL for nothing
    unsigned sends[MARKS];
    unsigned receives[MARKS];
};

struct matrix {
    const struct terminal *terminal;
    struct line *lines;
    size_t count;
    size_t drawn;         // of them
    unsigned char *marks; // [from * drawn + to]
    unsigned totals[MARKS];
    size_t name_width;
};

// ---- reading the answer ----

static enum mark mark_of(const json_t *cell)
{
    const char *state = answer_text(cell, "state");
    return strcmp(state, "ok") == 0 ? MARK_OK : strcmp(state, "bad") == 0 ? MARK_BAD : MARK_UNKNOWN;
}

// Its line, a new one for a server that only the peers know; -1 when there are too many of those.
static ptrdiff_t line_of(struct matrix *matrix, size_t room, const char *name)
{
    for (size_t i = 0; i < matrix->count; i++) {
        if (strcmp(matrix->lines[i].name, name) == 0) {
            return (ptrdiff_t)i;
        }
    }
    if (matrix->count == room) {
        return -1;
    }
    matrix->lines[matrix->count] = (struct line){.name = name, .maintenance = ""};
    return (ptrdiff_t)matrix->count++;
}

static void take_cell(struct matrix *matrix, size_t room, const json_t *cell)
{
    ptrdiff_t from = line_of(matrix, room, answer_text(cell, "from"));
    ptrdiff_t to = line_of(matrix, room, answer_text(cell, "to"));
    enum mark mark = mark_of(cell);
    matrix->totals[mark]++;
    if (from >= 0 && to >= 0) {
        matrix->lines[from].sends[mark]++;
        matrix->lines[to].receives[mark]++;
        if ((size_t)from < MATRIX_DRAWN_MAXIMUM && (size_t)to < MATRIX_DRAWN_MAXIMUM) {
            matrix->marks[(size_t)from * MATRIX_DRAWN_MAXIMUM + (size_t)to] = (unsigned char)mark;
        }
    }
}

static size_t width_of(const struct line *line)
{
    char shown[256];
    struct text text = TEXT_OVER(shown);
    format_text(line->name, &text);
    return text.length < NAME_SHOWN ? text.length : NAME_SHOWN;
}

static struct matrix read_matrix(const json_t *servers, const json_t *cells,
                                 const struct terminal *terminal)
{
    size_t known = json_array_size(servers), room = known + MATRIX_DRAWN_MAXIMUM;
    struct matrix matrix = {.terminal = terminal};
    matrix.lines = memory_checked(calloc(room, sizeof *matrix.lines));
    matrix.marks = memory_checked(calloc(MATRIX_DRAWN_MAXIMUM, MATRIX_DRAWN_MAXIMUM));
    for (size_t i = 0; i < known; i++) {
        const json_t *server = json_array_get(servers, i);
        matrix.lines[matrix.count++] =
            (struct line){.name = answer_text(server, "name"),
                          .maintenance = answer_text(server, "maintenance"),
                          .says = json_object_get(server, "says")};
    }
    for (size_t i = 0; i < json_array_size(cells); i++) {
        take_cell(&matrix, room, json_array_get(cells, i));
    }
    matrix.drawn = matrix.count <= MATRIX_DRAWN_MAXIMUM ? matrix.count : 0;
    for (size_t i = 0; i < matrix.drawn; i++) {
        size_t width = width_of(&matrix.lines[i]);
        matrix.name_width = width > matrix.name_width ? width : matrix.name_width;
    }
    return matrix;
}

// ---- drawing ----

enum { NUMBER_WIDTH = 3, GAP = 2 };

static void print_mark(const struct matrix *matrix, size_t from, size_t to)
{
    static const struct {
        char sign;
        enum colour colour;
    } SIGNS[MARKS] = {
        [MARK_NONE] = {' ', COLOUR_PLAIN},
        [MARK_UNKNOWN] = {'?', COLOUR_WARNING},
        [MARK_OK] = {'.', COLOUR_GOOD},
        [MARK_BAD] = {'X', COLOUR_BAD},
    };
    enum mark mark = (enum mark)matrix->marks[from * MATRIX_DRAWN_MAXIMUM + to];
    if (from == to) {
        fputc('-', stdout);
        return;
    }
    terminal_paint(matrix->terminal, SIGNS[mark].colour, stdout);
    fputc(SIGNS[mark].sign, stdout);
    terminal_paint(matrix->terminal, COLOUR_PLAIN, stdout);
}

// The columns' numbers, their digits beneath each other.
static void print_numbers(const struct matrix *matrix, size_t first, size_t end, size_t spacing)
{
    for (size_t unit = end >= 100 ? 100 : end >= 10 ? 10 : 1; unit > 0; unit /= 10) {
        printf("%*s", (int)(matrix->name_width + NUMBER_WIDTH + GAP), "");
        for (size_t to = first; to < end; to++) {
            size_t number = to + 1;
            printf("%c%*s", number >= unit ? (char)('0' + number / unit % 10) : ' ',
                   to + 1 < end ? (int)spacing - 1 : 0, "");
        }
        fputc('\n', stdout);
    }
}

static void print_name(const struct matrix *matrix, size_t line)
{
    char shown[256];
    struct text text = TEXT_OVER(shown);
    format_text(matrix->lines[line].name, &text);
    printf("%-*.*s%*zu%*s", (int)matrix->name_width, (int)matrix->name_width, shown, NUMBER_WIDTH,
           line + 1, GAP, "");
}

static void print_remark(const char *before, const char *word)
{
    char shown[256];
    struct text text = TEXT_OVER(shown);
    format_text(word, &text);
    printf("%s%s", before, shown);
}

static void print_remarks(const struct line *line)
{
    if (line->maintenance[0] != '\0') {
        print_remark("  maintenance ", line->maintenance);
    }
    for (size_t i = 0; i < json_array_size(line->says); i++) {
        const char *word = json_string_value(json_array_get(line->says, i));
        print_remark(i == 0 ? "  says it is " : ", ", word == NULL ? "?" : word);
    }
}

static void print_block(const struct matrix *matrix, size_t first, size_t end, size_t spacing)
{
    print_numbers(matrix, first, end, spacing);
    for (size_t from = 0; from < matrix->drawn; from++) {
        print_name(matrix, from);
        for (size_t to = first; to < end; to++) {
            print_mark(matrix, from, to);
            printf("%*s", to + 1 < end ? (int)spacing - 1 : 0, "");
        }
        if (end == matrix->drawn) {
            print_remarks(&matrix->lines[from]);
        }
        fputc('\n', stdout);
    }
}

// Where it is too narrow even for a column a server, the columns go in several blocks.
static void print_blocks(const struct matrix *matrix)
{
    size_t left = matrix->name_width + NUMBER_WIDTH + GAP, width = matrix->terminal->width;
    size_t room = width == 0 ? matrix->drawn * 2 : width > left + 10 ? width - left : 10;
    size_t spacing = matrix->drawn * 2 <= room + 1 ? 2 : 1;
    size_t most = spacing == 2 || matrix->drawn <= room ? matrix->drawn : room;
    for (size_t first = 0; first < matrix->drawn; first += most) {
        size_t end = first + most < matrix->drawn ? first + most : matrix->drawn;
        fputs(first == 0 ? "" : "\n", stdout);
        print_block(matrix, first, end, spacing);
    }
    puts("");
    paragraph_say("Rows send, columns receive: . ok, X bad, ? not known, blank: nobody says.");
}

// ---- whose fault it seems to be ----

// All but a few of several, as an incident has it.
static bool is_whole(const unsigned marks[MARKS])
{
    return marks[MARK_BAD] > 1 &&
           marks[MARK_BAD] * 100 >= (marks[MARK_BAD] + marks[MARK_OK]) * MOST_PERCENT;
}

static void print_finding(const struct line *line)
{
    bool sends = is_whole(line->sends), receives = is_whole(line->receives);
    char shown[256];
    struct text text = TEXT_OVER(shown);
    if (!sends && !receives) {
        return;
    }
    format_text(line->name, &text);
    printf("%s: ", shown);
    if (sends) {
        printf("what it sends arrives nowhere (%u of %u)%s", line->sends[MARK_BAD],
               line->sends[MARK_BAD] + line->sends[MARK_OK], receives ? ", " : "\n");
    }
    if (receives) {
        printf("nothing arrives there (%u of %u)\n", line->receives[MARK_BAD],
               line->receives[MARK_BAD] + line->receives[MARK_OK]);
    }
}

static const struct line *line_named(const struct matrix *matrix, const char *name)
{
    for (size_t i = 0; i < matrix->count; i++) {
        if (strcmp(matrix->lines[i].name, name) == 0) {
            return &matrix->lines[i];
        }
    }
    return NULL;
}

// A whole row or column has its line already.
static bool stands_alone(const struct matrix *matrix, const json_t *cell)
{
    const struct line *from = line_named(matrix, answer_text(cell, "from"));
    const struct line *to = line_named(matrix, answer_text(cell, "to"));
    return mark_of(cell) == MARK_BAD && !(from != NULL && is_whole(from->sends)) &&
           !(to != NULL && is_whole(to->receives));
}

static void print_cell(const json_t *cell)
{
    char shown[512];
    struct text text = TEXT_OVER(shown);
    const json_t *word = json_array_get(json_object_get(cell, "said"), 0);
    struct span age;
    format_text(answer_text(cell, "path"), &text);
    text_append(&text, ": bad, says ");
    format_text(answer_text(word, "by"), &text);
    if (answer_text(cell, "path_state")[0] != '\0') { // our own, which is as of now
        text_append(&text, ": ");
        format_text(answer_text(cell, "path_state"), &text);
    } else if (answer_span(word, "age_seconds", &age)) {
        text_append(&text, " ");
        format_duration(age, &text);
        text_append(&text, " ago");
    }
    puts(shown);
}

static void print_findings(const struct matrix *matrix, const json_t *cells)
{
    size_t listed = 0;
    for (size_t i = 0; i < matrix->count; i++) {
        print_finding(&matrix->lines[i]);
    }
    for (size_t i = 0; i < json_array_size(cells); i++) {
        const json_t *cell = json_array_get(cells, i);
        if (stands_alone(matrix, cell) && listed++ < LISTED_MAXIMUM) {
            print_cell(cell);
        }
    }
    if (listed > LISTED_MAXIMUM) {
        printf("and %zu paths more\n", listed - LISTED_MAXIMUM);
    }
}

void matrix_print(const json_t *servers, const json_t *cells, const struct terminal *terminal)
{
    struct matrix matrix = read_matrix(servers, cells, terminal);
    if (matrix.drawn > 0) {
        print_blocks(&matrix);
        printf("%zu server%s; paths: %u ok, %u bad, %u not known\n", matrix.count,
               matrix.count == 1 ? "" : "s", matrix.totals[MARK_OK], matrix.totals[MARK_BAD],
               matrix.totals[MARK_UNKNOWN]);
    } else {
        printf("%zu servers, too many to draw; bad paths: %u\n", matrix.count,
               matrix.totals[MARK_BAD]);
    }
    print_findings(&matrix, cells);
    free(matrix.lines);
    free(matrix.marks);
}
