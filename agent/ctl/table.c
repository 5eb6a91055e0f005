#include "ctl/table.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "ctl/format.h"

enum { GAP = 2, TITLE_SIZE = 40 };

struct cell {
    const char *text;
    enum colour colour;
};

struct table {
    const struct table_column *columns;
    size_t column_count;
    const struct terminal *terminal;
    struct cell *cells;
    size_t cell_count;
    size_t room;
    bool titled;
    char titles[TABLE_COLUMNS_MAXIMUM][TITLE_SIZE];
    size_t widest[TABLE_COLUMNS_MAXIMUM];
    size_t widths[TABLE_COLUMNS_MAXIMUM];
    bool left_out[TABLE_COLUMNS_MAXIMUM];
};

// Bytes and columns of the character at `at`, which is not the end. Where the locale knows no UTF-8
// a sequence counts as one column.
static size_t character_width(const char *at, size_t *bytes)
{
    wchar_t wide;
    mbstate_t state = {0};
    size_t length = mbrtowc(&wide, at, MB_CUR_MAX, &state);
    if (length != (size_t)-1 && length != (size_t)-2 && length > 0) {
        int width = wcwidth(wide);
        *bytes = length;
        return width < 0 ? 1 : (size_t)width;
    }
    *bytes = 1;
    return ((unsigned char)*at & 0xC0) == 0x80 ? 0 : 1;
}

static size_t text_width(const char *text)
{
    size_t width = 0;
    for (size_t bytes; *text != '\0'; text += bytes) {
        width += character_width(text, &bytes);
    }
    return width;
}

struct table *table_create(const struct table_column *columns, size_t count,
                           const struct terminal *terminal)
{
    struct table *table = memory_checked(calloc(1, sizeof *table));
    table->columns = columns;
    table->column_count = count;
    table->terminal = terminal;
    for (size_t i = 0; i < count; i++) {
        struct text text = TEXT_OVER(table->titles[i]);
        text_append(&text, columns[i].title);
        if (columns[i].timed) {
            format_zone(clock_now().wall, &text);
        }
        size_t title = text_width(table->titles[i]);
        table->widest[i] = title > columns[i].least ? title : columns[i].least;
    }
    return table;
}

static void table_forget_rows(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++) {
        free((char *)table->cells[i].text);
    }
    table->cell_count = 0;
}

void table_destroy(struct table *table)
{
    table_forget_rows(table);
    free(table->cells);
    free(table);
}

void table_add(struct table *table, const char *text, enum colour colour)
{
    char shown[TABLE_CELL_SIZE];
    struct text cell = TEXT_OVER(shown);
    format_text(text[0] == '\0' ? "-" : text, &cell);
    if (table->cell_count == table->room) {
        table->room = table->room * 2 + 64;
        table->cells =
            memory_checked(reallocarray(table->cells, table->room, sizeof table->cells[0]));
    }
    size_t column = table->cell_count % table->column_count;
    size_t width = text_width(shown);
    if (width > table->widest[column]) {
        table->widest[column] = width;
    }
    table->cells[table->cell_count++] =
        (struct cell){.text = memory_checked(strdup(shown)), .colour = colour};
}

static size_t table_width(const struct table *table)
{
    size_t total = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        total += table->left_out[i] ? 0 : table->widths[i] + (total > 0 ? GAP : 0);
    }
    return total;
}

// Takes what is too much from the widest of the columns that may be cut, column by column.
static void table_cut_columns(struct table *table)
{
    while (table_width(table) > table->terminal->width) {
        size_t widest = table->column_count;
        for (size_t i = 0; i < table->column_count; i++) {
            bool may = !table->left_out[i] && table->columns[i].cut > 0 &&
                       table->widths[i] > table->columns[i].cut;
            if (may &&
                (widest == table->column_count || table->widths[i] > table->widths[widest])) {
                widest = i;
            }
        }
        if (widest == table->column_count) {
            return;
        }
        table->widths[widest]--;
    }
}

// The column to leave out next, or their count when none is left that may be.
static size_t table_least_column(const struct table *table)
{
    size_t least = table->column_count;
    for (size_t i = 0; i < table->column_count; i++) {
        unsigned sequence = table->columns[i].sequence;
        if (sequence > 0 && !table->left_out[i] &&
            (least == table->column_count || sequence < table->columns[least].sequence)) {
            least = i;
        }
    }
    return least;
}

static void table_fit(struct table *table)
{
    memcpy(table->widths, table->widest, sizeof table->widths);
    if (table->terminal->width == 0) {
        return;
    }
    table_cut_columns(table);
    while (!table->titled && table_width(table) > table->terminal->width) {
        size_t least = table_least_column(table);
        if (least == table->column_count) {
            return;
        }
        table->left_out[least] = true;
        memcpy(table->widths, table->widest, sizeof table->widths);
        table_cut_columns(table);
    }
}

// Writes the text into so many columns, cut with a mark when it has more.
static void print_cut(const struct table *table, const char *text, size_t width, FILE *out)
{
    size_t used = 0;
    size_t bytes;
    bool cut = text_width(text) > width;
    const char *mark = table->terminal->utf8 ? "…" : "~";
    for (; *text != '\0'; text += bytes) {
        size_t next = character_width(text, &bytes);
        if (used + next > width - (cut ? 1 : 0)) {
            break;
        }
        fwrite(text, 1, bytes, out);
        used += next;
    }
    fputs(cut ? mark : "", out);
}

static void print_blanks(size_t count, FILE *out)
{
    fprintf(out, "%*s", (int)count, "");
}

static void print_cell(const struct table *table, size_t column, const struct cell *cell, FILE *out)
{
    size_t width = table->widths[column];
    size_t length = text_width(cell->text);
    size_t blanks = length < width ? width - length : 0;
    print_blanks(table->columns[column].right ? blanks : 0, out);
    if (cell->colour != COLOUR_PLAIN) {
        terminal_paint(table->terminal, cell->colour, out);
    }
    print_cut(table, cell->text, width, out);
    if (cell->colour != COLOUR_PLAIN) {
        terminal_paint(table->terminal, COLOUR_PLAIN, out);
    }
    bool last = true;
    for (size_t i = column + 1; i < table->column_count; i++) {
        last = last && table->left_out[i];
    }
    if (!last) {
        print_blanks((table->columns[column].right ? 0 : blanks) + GAP, out);
    }
}

static void print_row(const struct table *table, const struct cell *row, FILE *out)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->left_out[i]) {
            print_cell(table, i, &row[i], out);
        }
    }
    fputc('\n', out);
}

static void print_titles(const struct table *table, FILE *out)
{
    struct cell titles[TABLE_COLUMNS_MAXIMUM];
    for (size_t i = 0; i < table->column_count; i++) {
        titles[i] = (struct cell){table->titles[i], COLOUR_PLAIN};
    }
    print_row(table, titles, out);
}

static void print_left_out(const struct table *table, FILE *out)
{
    const char *before = "(too narrow for ";
    bool any = false;
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->left_out[i]) {
            fprintf(out, "%s%s", any ? ", " : before, table->columns[i].title);
            any = true;
        }
    }
    fputs(any ? ")\n" : "", out);
}

void table_print(struct table *table, FILE *out)
{
    bool first = !table->titled;
    table_fit(table);
    if (first) {
        print_titles(table, out);
        table->titled = true;
    }
    for (size_t i = 0; i + table->column_count <= table->cell_count; i += table->column_count) {
        print_row(table, &table->cells[i], out);
    }
    if (first) {
        print_left_out(table, out);
    }
    table_forget_rows(table);
}
