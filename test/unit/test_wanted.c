// Which servers an event names, and what makes the id of a window.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/text.h"
#include "shell/wanted.h"

static const struct peer_settings PEERS[] = {{.name = "mx01"}, {.name = "MX-3"}, {.name = "web"}};
static const uint32_t BY_NAME[] = {1, 0, 2};
static const struct listed_server MESH[] = {{.name = "mx02"}, {.name = "mx40"}};
static const struct settings SETTINGS = {.server = "mx02",
                                         .peers = PEERS,
                                         .peer_count = 3,
                                         .peers_by_name = BY_NAME,
                                         .mesh = MESH,
                                         .mesh_count = 2};

static const char *servers_of(const struct calendar_line *line)
{
    static char said[200];
    const char *names[8];
    struct text text = TEXT_OVER(said);
    size_t count = wanted_servers(&SETTINGS, line, names, 8);
    for (size_t i = 0; i < count; i++) {
        text_format(&text, "%s%s", i == 0 ? "" : " ", names[i]);
    }
    return said;
}

static void events_name_servers(void **state)
{
    (void)state;
    static const struct {
        struct calendar_line line;
        const char *servers;
    } CASES[] = {
        {{.summary = "Update of mx01 and mx02"}, "mx01 mx02"},
        {{.summary = "MX01: new kernel, mx01 again"}, "mx01"},
        {{.summary = "MX-3.example.com (rack 7)"}, "MX-3"},
        {{.summary = "mx011 mx0 smx01 mx01x"}, ""},
        {{.summary = "mx40, which is listed, and mx41"}, "mx40"},
        {{.location = "mx01;web", .summary = "mx02"}, "mx01 web"},
        {{.location = "Stockholm", .categories = "MAIL,mx02", .summary = "mx01"}, "mx02"},
        {{.location = "", .summary = ""}, ""},
        {{.objects = {"mx01"}, .object_count = 1, .summary = "mx02"}, "mx01"},
        {{.objects = {"acme", "mx02.example"}, .object_count = 2}, "mx02"},
        {{.objects = {"acme"}, .object_count = 1, .summary = "mx02"}, ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_string_equal(servers_of(&CASES[i].line), CASES[i].servers);
    }
}

static void ids_are_the_same_everywhere(void **state)
{
    (void)state;
    char id[WINDOW_ID_SIZE], other[WINDOW_ID_SIZE];
    const struct walltime begin = {1774746000000000000};
    wanted_id('c', "one@x", "mx01", begin, id);
    assert_string_equal(id, "c-hvhgzidtys"); // SHA-256 of the three, NUL between
    wanted_id('c', "one@x", "mx02", begin, other);
    assert_string_not_equal(id, other);
    wanted_id('c', "one@x", "mx01", walltime_add(begin, SPAN_SECONDS(1)), other);
    assert_string_not_equal(id, other);
    wanted_id('c', "one@xm", "x01", begin, other);
    assert_string_not_equal(id, other);
}

static void the_longer_of_two_windows_of_an_id_is_wanted(void **state)
{
    (void)state;
    struct wanted wanted = {0};
    struct window window = {.id = "c-a", .begin = {1}, .end = {5}};
    wanted_add(&wanted, &window);
    window.end.ns = 3;
    wanted_add(&wanted, &window);
    assert_int_equal(wanted.count, 1);
    assert_int_equal(wanted.items[0].end.ns, 5);
    window.end.ns = 9;
    wanted_add(&wanted, &window);
    assert_int_equal(wanted.items[0].end.ns, 9);
    for (unsigned i = 0; i < WINDOWS_MAXIMUM + 10; i++) {
        struct text id = TEXT_OVER(window.id);
        text_format(&id, "c-%u", i);
        wanted_add(&wanted, &window);
    }
    assert_int_equal(wanted.count, WINDOWS_MAXIMUM);
    assert_non_null(wanted_find(&wanted, "c-a"));
    assert_null(wanted_find(&wanted, "c-b"));
    wanted_free(&wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_name_servers),
        cmocka_unit_test(ids_are_the_same_everywhere),
        cmocka_unit_test(the_longer_of_two_windows_of_an_id_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
