#include "ctl/paragraph.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "ctl/terminal.h"

size_t paragraph_width(FILE *out)
{
    enum { WIDTH_MOST = 80 };
    unsigned width = terminal_width(fileno(out));
    return width == 0 || width > WIDTH_MOST ? WIDTH_MOST : width;
}

static void begin_line(const char *end_before, size_t indent, FILE *out)
{
    fprintf(out, "%s%*s", end_before, (int)indent, "");
}

void paragraph_print(const char *text, size_t indent, size_t width, FILE *out)
{
    size_t column = indent;
    while (*text != '\0') {
        size_t gap = strspn(text, " \n");
        size_t length = strcspn(text + gap, " \n");
        bool ends = strncmp(text, "\n\n", 2) == 0;
        text += gap;
        if (length > 0 && ends) {
            begin_line("\n\n", indent, out);
            column = indent;
        } else if (length > 0 && column > indent && column + 1 + length > width) {
            begin_line("\n", indent, out);
            column = indent;
        } else if (length > 0 && column > indent) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, length, out);
        column += length;
        text += length;
    }
    fputc('\n', out);
}

void paragraph_say(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    paragraph_print(text, 0, paragraph_width(stdout), stdout);
}
