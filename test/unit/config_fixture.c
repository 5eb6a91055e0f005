#include "config_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"

static const char MAIN_FILE[] = "mailflow.yaml";

static char directory[64];

int config_fixture_enter(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/mailflow-config-XXXXXX");
    if (mkdtemp(directory) == NULL || chdir(directory) != 0 ||
        setenv("CREDENTIALS_DIRECTORY", directory, 1) != 0) {
        return -1;
    }
    config_fixture_write("mesh.key", "0123456789abcdef\n", 17, 0600);
    config_fixture_write("password", "secret\n", 7, 0600);
    return 0;
}

static int remove_entry(const char *path, const struct stat *what, int kind, struct FTW *walk)
{
    (void)what;
    (void)kind;
    (void)walk;
    return remove(path);
}

int config_fixture_leave(void **state)
{
    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    return chdir("/") != 0 || nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS) != 0 ? -1 : 0;
}

const char *config_fixture_directory(void)
{
    return directory;
}

void config_fixture_write(const char *path, const char *bytes, size_t length, mode_t mode)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, length), length);
    assert_int_equal(fchmod(file, mode), 0);
    close(file);
}

void config_fixture_write_text(const char *path, const char *text)
{
    config_fixture_write(path, text, strlen(text), 0644);
}

const char *config_fixture_problems(const struct config_problems *problems)
{
    static char buffer[CONFIG_PROBLEMS_MAXIMUM * 700];
    struct text text = TEXT_OVER(buffer);
    for (size_t i = 0; i < problems->count; i++) {
        config_problem_format(&problems->items[i], &text);
        text_append(&text, "\n");
    }
    return buffer;
}

struct settings *config_fixture_accept(const char *yaml)
{
    config_fixture_write_text(MAIN_FILE, yaml);
    struct config_problems problems;
    struct settings *settings = settings_load(MAIN_FILE, &problems);
    assert_string_equal(config_fixture_problems(&problems), "");
    assert_non_null(settings);
    return settings;
}

void config_fixture_refuse_file(const char *expected)
{
    struct config_problems problems;
    assert_null(settings_load(MAIN_FILE, &problems));
    assert_string_equal(config_fixture_problems(&problems), expected);
    assert_true(problems.errors > 0);
}

void config_fixture_refuse(const char *yaml, const char *expected)
{
    char buffer[8192];
    struct text whole = TEXT_OVER(buffer);
    for (const char *at = expected; *at != '\0'; at++) {
        if (at == expected || at[-1] == '\n') {
            text_format(&whole, "%s:", MAIN_FILE);
        }
        if (*at == '@' && at[1] == '/') {
            text_append(&whole, directory);
        } else {
            text_append_bytes(&whole, at, 1);
        }
    }
    assert_false(whole.truncated);
    config_fixture_write_text(MAIN_FILE, yaml);
    config_fixture_refuse_file(buffer);
}

const char *config_fixture_source(const char *path)
{
    static char whole[4096];
    snprintf(whole, sizeof whole, "%s/%s", SOURCE_ROOT, path);
    return whole;
}
