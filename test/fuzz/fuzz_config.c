// The configuration and a list of peers: what is accepted is printed as what is in force, and that
// is accepted again and is the same.
//
// An input is the main file, and after a NUL the list that it may name.
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "config/config.h"
#include "fuzz.h"

static const char MAIN_FILE[] = "mailflow.yaml";

static char directory[] = "/tmp/mailflow-fuzz-XXXXXX";

static void put(const char *name, const void *bytes, size_t size)
{
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size || close(file) != 0) {
        abort();
    }
}

static void leave(void)
{
    const char *const names[] = {MAIN_FILE, "peers.yaml", "mesh.key", "password"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unlink(names[i]);
    }
    rmdir(directory);
}

static void enter(void)
{
    if (mkdtemp(directory) == NULL || chdir(directory) != 0) {
        abort();
    }
    put("mesh.key", "0123456789abcdef\n", 17);
    put("password", "secret\n", 7);
    atexit(leave);
}

// Every problem is one line that can be shown.
static void check_problems(const struct config_problems *problems)
{
    static char line[1024];
    for (size_t i = 0; i < problems->count; i++) {
        struct text text = TEXT_OVER(line);
        config_problem_format(&problems->items[i], &text);
        assert(!text.truncated && strchr(line, '\n') == NULL && strchr(line, '\033') == NULL);
    }
}

static struct settings *load(void)
{
    static struct config_problems problems;
    problems = (struct config_problems){0};
    struct settings *settings = settings_load(MAIN_FILE, &problems);
    check_problems(&problems);
    assert((settings == NULL) == (problems.errors > 0));
    return settings;
}

static char *print(const struct settings *settings, size_t *length)
{
    char *text = NULL;
    FILE *out = memory_checked(open_memstream(&text, length));
    settings_print_effective(settings, out);
    fclose(out);
    return text;
}

static void check_effective(const struct settings *settings)
{
    size_t length, again_length;
    char *once = print(settings, &length);
    assert(strstr(once, "0123456789abcdef") == NULL);
    put(MAIN_FILE, once, length);
    struct settings *again = load();
    assert(again != NULL);
    char *twice = print(again, &again_length);
    assert(length == again_length && memcmp(once, twice, length) == 0);
    settings_destroy(again);
    free(once);
    free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool entered;
    if (!entered) {
        enter();
        entered = true;
    }
    const uint8_t *zero = size == 0 ? NULL : memchr(bytes, '\0', size);
    size_t main_size = zero == NULL ? size : (size_t)(zero - bytes);
    size_t list_size = zero == NULL ? 0 : size - main_size - 1;
    put(MAIN_FILE, bytes, main_size);
    put("peers.yaml", zero == NULL ? bytes : zero + 1, list_size);
    struct settings *settings = load();
    if (settings != NULL) {
        check_effective(settings);
        settings_destroy(settings);
    }
    return 0;
}
