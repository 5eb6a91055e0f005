// What the tests of lists of peers share: a configuration that has some, and what came of reading
// it.
#ifndef MAILFLOW_TEST_CONFIG_LISTS_H
#define MAILFLOW_TEST_CONFIG_LISTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "config_fixture.h"

#define MESH SERVER KEYS MAILBOXES

static const char MAIN_FILE[] = "mailflow.yaml";

// The text with the directory in the place of every @ before a slash or at the end of a line.
static inline const char *placed(const char *yaml)
{
    static char buffer[8192];
    struct text text = TEXT_OVER(buffer);
    for (; *yaml != '\0'; yaml++) {
        if (*yaml == '@' && (yaml[1] == '/' || yaml[1] == '\n')) {
            text_append(&text, config_fixture_directory());
        } else {
            text_append_bytes(&text, yaml, 1);
        }
    }
    assert_false(text.truncated);
    return buffer;
}

static inline struct settings *accept(const char *yaml)
{
    return config_fixture_accept(placed(yaml));
}

static inline void expect(const struct config_problems *problems, const char *expected)
{
    assert_string_equal(config_fixture_problems(problems), placed(expected));
}

// Loads it: usable with these warnings, or refused with these errors.
static inline struct settings *load(const char *yaml, const char *expected)
{
    struct config_problems problems;
    config_fixture_write_text(MAIN_FILE, placed(yaml));
    struct settings *settings = settings_load(MAIN_FILE, &problems);
    expect(&problems, expected);
    return settings;
}

// The lists once more; takes the settings over. What is refused leaves them as they are.
static inline struct settings *reread(struct settings *before, const char *expected)
{
    struct config_problems problems;
    struct settings *settings = settings_reread_lists(before, &problems);
    expect(&problems, expected);
    assert_true((settings == NULL) == (problems.errors > 0));
    if (settings == NULL) {
        return before;
    }
    settings_destroy(before);
    return settings;
}

// "mx01 mx03": the peers, in their order.
static inline void expect_peers(const struct settings *settings, const char *expected)
{
    char names[1024];
    struct text text = TEXT_OVER(names);
    for (size_t i = 0; i < settings->peer_count; i++) {
        text_format(&text, "%s%s", i == 0 ? "" : " ", settings->peers[i].name);
        assert_int_equal(settings_find_peer(settings, settings->peers[i].name), i);
    }
    assert_string_equal(names, expected);
}

static inline const struct peer_settings *peer(const struct settings *settings, const char *name)
{
    int index = settings_find_peer(settings, name);
    assert_true(index >= 0);
    return &settings->peers[index];
}

static inline int enter(void **state)
{
    return config_fixture_enter(state) != 0 || mkdir("peers", 0700) != 0 ? -1 : 0;
}

#define FILES "peers_from: [{files: [\"@/peers/*.json\"]}]\n"

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, config_fixture_leave)

#endif
