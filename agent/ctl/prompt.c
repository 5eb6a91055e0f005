#include "ctl/prompt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/interrupt.h"

bool prompt_possible(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

enum line_end { LINE_WHOLE, LINE_TOO_LONG, LINE_NONE };

// Byte by byte, so that what follows the line stays where it is.
static enum line_end read_line(char *line, size_t size)
{
    size_t length = 0;
    bool too_long = false;
    for (;;) {
        char byte;
        if (interrupt_wait(STDIN_FILENO, INSTANT_NEVER) != WAIT_READY) {
            return LINE_NONE;
        }
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 && length == 0) {
            return LINE_NONE;
        }
        if (got <= 0 || byte == '\n') {
            break;
        }
        too_long = too_long || length + 1 >= size;
        if (!too_long) {
            line[length++] = byte;
        }
    }
    length -= length > 0 && line[length - 1] == '\r' ? 1 : 0;
    line[length] = '\0';
    return too_long ? LINE_TOO_LONG : LINE_WHOLE;
}

static void trim(char *line)
{
    size_t blanks = strspn(line, " \t");
    size_t length = strlen(line);
    while (length > blanks && (line[length - 1] == ' ' || line[length - 1] == '\t')) {
        length--;
    }
    memmove(line, line + blanks, length - blanks);
    line[length - blanks] = '\0';
}

// A line of the terminal's longest.
enum { LINE_SIZE = 4096 };

bool prompt_ask(const char *question, char *answer, size_t size)
{
    char line[LINE_SIZE];
    for (;;) {
        printf("%s%s%s%s: ", question, answer[0] == '\0' ? "" : " [", answer,
               answer[0] == '\0' ? "" : "]");
        fflush(stdout);
        enum line_end end = read_line(line, sizeof line);
        if (end == LINE_NONE) {
            puts("");
            return false;
        }
        trim(line);
        if (end == LINE_WHOLE && strlen(line) < size) {
            break;
        }
        printf("That is too long: at most %zu bytes.\n", size - 1);
    }
    if (line[0] != '\0') {
        text_copy(answer, size, strcmp(line, "-") == 0 ? "" : line);
    }
    return true;
}

// Ctrl-Z would leave the shell without echo.
static void go_silent(const struct termios *before)
{
    struct termios silent = *before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    silent.c_cc[VSUSP] = _POSIX_VDISABLE;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
}

bool prompt_ask_secret(const char *question, char *answer, size_t size)
{
    struct termios before;
    char line[LINE_SIZE];
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        go_silent(&before);
    }
    printf("%s: ", question);
    fflush(stdout);
    enum line_end end = read_line(line, sizeof line);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    }
    puts("");
    if (end == LINE_WHOLE && strlen(line) >= size) {
        printf("That is too long: at most %zu bytes.\n", size - 1);
        end = LINE_TOO_LONG;
    }
    if (end == LINE_WHOLE && line[0] != '\0') {
        text_copy(answer, size, line);
    }
    explicit_bzero(line, sizeof line);
    return end != LINE_NONE;
}

bool prompt_read_piped(const char *what, char *line, size_t size, struct error *error)
{
    switch (read_line(line, size)) {
    case LINE_WHOLE:
        return line[0] != '\0' || error_set(error, "%s: standard input has an empty line", what);
    case LINE_TOO_LONG:
        return error_set(error, "%s: standard input has more than %zu bytes", what, size - 1);
    default:
        return error_set(error, "%s: standard input is empty", what);
    }
}
