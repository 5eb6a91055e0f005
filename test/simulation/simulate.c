// simulate FILE...             runs scenarios and prints their journals
// simulate --check FILE...     compares each journal with FILE.expected and shows the difference
// simulate --update FILE...    writes FILE.expected anew
// simulate --trace FILE...     prints every probe as well
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "simulation/journal.h"
#include "simulation/script.h"
#include "simulation/world.h"

enum mode { MODE_PRINT, MODE_CHECK, MODE_UPDATE, MODE_TRACE };

static char *read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    if (file == NULL) {
        return NULL;
    }
    char *content = NULL;
    size_t size = 0;
    if (getdelim(&content, &size, '\0', file) < 0) {
        free(content);
        content = memory_checked(calloc(1, 1));
    }
    fclose(file);
    return content;
}

// The journal of a scenario, for the caller to free; NULL when it is none or a check failed.
static char *run(const char *name, const char *scenario, bool trace)
{
    char *text = NULL;
    size_t size = 0;
    struct journal journal = {.out = memory_checked(open_memstream(&text, &size)), .trace = trace};
    struct world *world = world_create(&journal);
    struct error error = {0};
    bool good = script_read(world, scenario, &error);
    if (good) {
        world_run(world);
        journal_summary(world);
    } else {
        fprintf(stderr, "%s: %s\n", name, error.message);
    }
    fclose(journal.out);
    if (journal.failures > 0) {
        fprintf(stderr, "%s: %u checks failed, seed %llu\n%s", name, journal.failures,
                (unsigned long long)world->seed, text);
        good = false;
    }
    world_destroy(world);
    journal_free(&journal);
    if (!good) {
        free(text);
        return NULL;
    }
    return text;
}

static void print_line(char sign, const char *line)
{
    fprintf(stderr, "%c%.*s\n", sign, (int)strcspn(line, "\n"), line);
}

static const char *next_line(const char *at)
{
    at += strcspn(at, "\n");
    return at + (*at == '\n');
}

static bool same_line(const char *a, const char *b)
{
    size_t length = strcspn(a, "\n");
    return length == strcspn(b, "\n") && strncmp(a, b, length) == 0;
}

// Where the two part and what each says from there, as far as one needs to see why.
static void show_difference(const char *name, const char *expected, const char *actual)
{
    fprintf(stderr, "%s: not as expected (- expected, + now)\n", name);
    while (*expected != '\0' && *actual != '\0' && same_line(expected, actual)) {
        print_line(' ', expected);
        expected = next_line(expected);
        actual = next_line(actual);
    }
    for (; *expected != '\0'; expected = next_line(expected)) {
        print_line('-', expected);
    }
    for (; *actual != '\0'; actual = next_line(actual)) {
        print_line('+', actual);
    }
}

static bool check(const char *name, const char *expected_name, const char *journal)
{
    char *expected = read_file(expected_name);
    if (expected == NULL) {
        fprintf(stderr, "%s: %s\n", expected_name, strerror(errno));
        return false;
    }
    bool same = strcmp(expected, journal) == 0;
    if (!same) {
        show_difference(name, expected, journal);
    }
    free(expected);
    return same;
}

static bool update(const char *expected_name, const char *journal)
{
    FILE *file = fopen(expected_name, "w");
    if (file == NULL || fputs(journal, file) < 0 || fclose(file) != 0) {
        fprintf(stderr, "%s: %s\n", expected_name, strerror(errno));
        return false;
    }
    return true;
}

static bool expected_file(const char *name, char *out, size_t size)
{
    const char *dot = strrchr(name, '.');
    size_t length = dot == NULL ? strlen(name) : (size_t)(dot - name);
    return snprintf(out, size, "%.*s.expected", (int)length, name) < (int)size;
}

static bool simulate(const char *name, enum mode mode)
{
    char expected[4096];
    char *scenario = read_file(name);
    if (scenario == NULL || !expected_file(name, expected, sizeof expected)) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return false;
    }
    char *journal = run(name, scenario, mode == MODE_TRACE);
    bool good = journal != NULL;
    if (good && (mode == MODE_PRINT || mode == MODE_TRACE)) {
        fputs(journal, stdout);
    } else if (good) {
        good = mode == MODE_CHECK ? check(name, expected, journal) : update(expected, journal);
    }
    free(journal);
    free(scenario);
    return good;
}

int main(int count, char **arguments)
{
    static const char *const MODES[] = {"", "--check", "--update", "--trace"};
    enum mode mode = MODE_PRINT;
    int first = 1;
    for (int i = MODE_CHECK; count > 1 && i <= MODE_TRACE; i++) {
        if (strcmp(arguments[1], MODES[i]) == 0) {
            mode = (enum mode)i;
            first = 2;
        }
    }
    if (first >= count) {
        fprintf(stderr, "usage: simulate [--check|--update|--trace] FILE.scenario...\n");
        return 2;
    }
    bool good = true;
    for (int i = first; i < count; i++) {
        good = simulate(arguments[i], mode) && good;
    }
    return good ? 0 : 1;
}
