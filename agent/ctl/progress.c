#include "ctl/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/format.h"
#include "ctl/terminal.h"

struct progress progress_begin(const char *what)
{
    return (struct progress){
        .begun = clock_now().instant, .what = what, .able = terminal_overwrites(STDERR_FILENO)};
}

void progress_show(struct progress *progress)
{
    enum { LINE_SIZE = 256, USUAL_WIDTH = 80 };
    char line[LINE_SIZE];
    struct span passed = instant_since(clock_now().instant, progress->begun);
    if (!progress->able || passed.ns < SPAN_SECONDS(1).ns) {
        return;
    }
    unsigned width = terminal_width(STDERR_FILENO);
    struct text text = text_over(line, width > 1 && width < LINE_SIZE ? width : USUAL_WIDTH);
    text_format(&text, "%lld s, waiting ", (long long)(passed.ns / SPAN_SECONDS(1).ns));
    format_text(progress->what, &text);
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
    progress->shown = true;
}

void progress_clear(struct progress *progress)
{
    if (progress->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->shown = false;
    }
}
