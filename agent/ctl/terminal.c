#include "ctl/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_LEAST = 20, WIDTH_MOST = 10000 };

static unsigned width_from_environment(void)
{
    const char *columns = getenv("COLUMNS");
    long width = columns == NULL ? 0 : strtol(columns, NULL, 10);
    return width >= WIDTH_LEAST && width <= WIDTH_MOST ? (unsigned)width : 0;
}

static unsigned width_of(int descriptor)
{
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col < WIDTH_LEAST) {
        return 0;
    }
    return size.ws_col;
}

unsigned terminal_width(int descriptor)
{
    unsigned width = width_from_environment();
    return width == 0 && isatty(descriptor) == 1 ? width_of(descriptor) : width;
}

static bool environment_has(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

static bool terminal_is_dumb(void)
{
    const char *term = getenv("TERM");
    return term == NULL || strcmp(term, "dumb") == 0;
}

bool terminal_overwrites(int descriptor)
{
    return isatty(descriptor) == 1 && !terminal_is_dumb();
}

struct terminal terminal_detect(void)
{
    bool interactive = isatty(STDOUT_FILENO) == 1;
    return (struct terminal){
        .interactive = interactive,
        .colour = interactive && !environment_has("NO_COLOR") && !terminal_is_dumb(),
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .width = terminal_width(STDOUT_FILENO),
    };
}

void terminal_paint(const struct terminal *terminal, enum colour colour, FILE *out)
{
    static const char *const CODES[COLOURS] = {
        [COLOUR_PLAIN] = "\033[0m",    [COLOUR_GOOD] = "\033[32m", [COLOUR_NOTE] = "\033[36m",
        [COLOUR_WARNING] = "\033[33m", [COLOUR_BAD] = "\033[31m",
    };
    if (terminal->colour) {
        fputs(CODES[colour], out);
    }
}
