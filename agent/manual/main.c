// Completes a manual page: copies standard input to standard output, and in place of a line such as
// `@verbs@` prints the part that is made from the tables of the programs. Not installed: the build
// makes the installed pages from those in config/man with it.
#include <stdio.h>
#include <string.h>

#include "manual/parts.h"
#include "version.h"

static void print_os(FILE *out)
{
    fputs(".Os mailflow " MAILFLOW_VERSION "\n", out);
}

static const struct {
    const char *line;
    void (*print)(FILE *out);
} PARTS[] = {
    {"@os@\n", print_os},
    {"@keys@\n", manual_print_keys},
    {"@verbs@\n", manual_print_verbs},
    {"@options@\n", manual_print_options},
    {"@metrics@\n", manual_print_metrics},
    {"@labels@\n", manual_print_labels},
};

static void put_line(const char *line, FILE *out)
{
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        if (strcmp(line, PARTS[i].line) == 0) {
            PARTS[i].print(out);
            return;
        }
    }
    fputs(line, out);
}

int main(void)
{
    char line[1024];
    while (fgets(line, sizeof line, stdin) != NULL) {
        put_line(line, stdout);
    }
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
