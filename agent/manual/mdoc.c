#include "manual/mdoc.h"

#include <stdbool.h>
#include <string.h>

// One character that must look on the screen as it does in a shell.
static void put_plain(char of, FILE *out)
{
    const char *written = of == '\\'   ? "\\e"
                          : of == '-'  ? "\\-"
                          : of == '\'' ? "\\(aq"
                          : of == '`'  ? "\\(ga"
                          : of == '~'  ? "\\(ti"
                          : of == '^'  ? "\\(ha"
                                       : NULL;
    if (written == NULL) {
        fputc(of, out);
    } else {
        fputs(written, out);
    }
}

enum { LINE_WIDTH = 60 }; // without the escapes

// Running text while it is put on lines.
struct run {
    FILE *out;
    size_t column;
    bool bold;
};

static bool is_option(const char *word, const char *at)
{
    return *at == '-' && ((at > word && at[-1] == '-') || at[1] == '-');
}

static void put_character(struct run *run, const char *word, const char *at)
{
    if (*at == '`') {
        run->bold = !run->bold;
        fputs(run->bold ? "\\fB" : "\\fR", run->out);
    } else if (run->bold || is_option(word, at) || *at == '\\' || *at == '\'') {
        put_plain(*at, run->out);
    } else {
        fputc(*at, run->out);
    }
}

static void put_word(struct run *run, const char *word, size_t length)
{
    bool begins = run->column == 0;
    if (!begins && run->column + 1 + length > LINE_WIDTH) {
        fputc('\n', run->out);
        begins = true;
    }
    fputs(!begins ? " " : *word == '.' ? "\\&" : "", run->out);
    run->column = (begins ? 0 : run->column + 1) + length;
    for (size_t i = 0; i < length; i++) {
        put_character(run, word, word + i);
    }
    if (!run->bold && strchr(".!?", word[length - 1]) != NULL) {
        fputc('\n', run->out);
        run->column = 0;
    }
}

static void end_line(struct run *run)
{
    fputs(run->column > 0 ? "\n" : "", run->out);
    run->column = 0;
}

void mdoc_text(const char *text, FILE *out)
{
    struct run run = {.out = out};
    while (*text != '\0') {
        size_t breaks = strspn(text, "\n");
        text += breaks;
        if (breaks > 1 && *text != '\0') {
            end_line(&run);
            fputs(".Pp\n", out);
        }
        size_t length = strcspn(text, " \n");
        if (length > 0) {
            put_word(&run, text, length);
        }
        text += length;
        text += strspn(text, " ");
    }
    end_line(&run);
}

void mdoc_lines(const char *lines, FILE *out)
{
    size_t indent = strspn(lines, " ");
    fputs(".Bd -literal -offset indent\n", out);
    while (*lines != '\0') {
        size_t blanks = strspn(lines, " ");
        lines += blanks < indent ? blanks : indent;
        fputs(*lines == '.' ? "\\&" : "", out);
        for (; *lines != '\0' && *lines != '\n'; lines++) {
            put_plain(*lines, out);
        }
        fputc('\n', out);
        lines += *lines == '\n' ? 1 : 0;
    }
    fputs(".Ed\n", out);
}
