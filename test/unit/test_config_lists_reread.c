// Lists of peers that are read anew: what breaks, stands or contradicts.
#include "config_lists.h"

static void test_a_list_that_breaks_stands(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json", "- targets: [mx02.x, mx01.x, mx03.x]");
    config_fixture_write_text("peers/b.json", "- targets: [mx04.x]");
    struct settings *settings = accept(MESH FILES);
    config_fixture_write_text("peers/a.json", "- targets: [mx05.x\n- ");
    config_fixture_write_text("peers/b.json", "- targets: [mx06.x]");
    settings = reread(settings, "@/peers/a.json:3:1: warning: did not find expected ',' or ']' "
                                "while parsing a flow sequence; the 3 servers last read from it "
                                "stand\n");
    expect_peers(settings, "mx01 mx03 mx06");
    assert_string_equal(settings->lists[0].failure,
                        placed("@/peers/a.json:3:1: did not find expected ',' or ']' while parsing "
                               "a flow sequence"));
    assert_string_equal(settings->lists[1].failure, "");
    settings = reread(settings, ""); // said once
    expect_peers(settings, "mx01 mx03 mx06");
    assert_int_equal(unlink("peers/b.json"), 0); // one of several: its servers have left
    settings = reread(settings, "");
    expect_peers(settings, "mx01 mx03");
    assert_int_equal(unlink("peers/a.json"), 0); // none is left: the directory may be away
    settings = reread(settings, "@/peers/*.json: warning: no file matches; the 3 servers last read "
                                "from it stand\n");
    settings = reread(settings, "");
    expect_peers(settings, "mx01 mx03");
    config_fixture_write_text("peers/b.json", "[]");
    config_fixture_write_text("peers/a.json", "- targets: [mx02.x]");
    settings = reread(settings, "");
    expect_peers(settings, "");
    settings_destroy(settings);
}

static void test_a_list_stands_with_what_others_named_too(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json", "- targets: [mx01.x, mx02.x]");
    config_fixture_write_text("peers/b.json", "- targets: [mx03.x]");
    struct settings *settings = accept(MESH FILES);
    config_fixture_write_text("peers/b.json", "- targets: [mx01.x, mx03.x]");
    struct settings *again = settings_reread_lists(settings, &(struct config_problems){0});
    assert_false(settings_same_lists(again, settings)); // though the peers are the same
    settings_destroy(settings);
    config_fixture_write_text("peers/a.json", "- targets: [mx02.x]");
    config_fixture_write_text("peers/b.json", "");
    again = reread(again, "@/peers/b.json:1:1: warning: it must be a list of groups, and is empty: "
                          "where there is no server it is []; the 2 servers last read from it "
                          "stand\n");
    expect_peers(again, "mx01 mx03");
    settings_destroy(again);
}

static void test_a_new_list_may_be_broken(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json", "- targets: [mx02.x]");
    struct settings *settings = accept(MESH FILES);
    config_fixture_write_text("peers/b.json", "x");
    config_fixture_write_text("peers/c.json", "- targets: [mx03.x]");
    settings = reread(settings, "@/peers/b.json:1:1: warning: it must be a list of groups, and is "
                                "text: where there is no server it is []: no peer comes of it "
                                "until it can be read\n");
    expect_peers(settings, "mx03");
    settings_destroy(settings);
}

static void test_a_reload_keeps_lists_too(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json", "- targets: [mx02.x, mx01.x]");
    struct settings *before = accept(MESH FILES);
    config_fixture_write_text("peers/a.json", "");
    struct config_problems problems;
    struct settings *settings = settings_load_after(MAIN_FILE, before, &problems);
    expect(&problems, "@/peers/a.json:1:1: warning: it must be a list of groups, and is empty: "
                      "where there is no server it is []; the 2 servers last read from it stand\n");
    settings_destroy(before);
    expect_peers(settings, "mx01");
    settings_destroy(settings);
}

static void test_a_contradiction_leaves_everything_as_it_is(void **state)
{
    (void)state;
    config_fixture_write_text("peers/a.json", "- targets: [mx02.x, mx01.x]");
    struct settings *settings = accept(MESH FILES);
    config_fixture_write_text("peers/b.json", "- targets: [mx01.y, mx03.x]");
    settings = reread(settings, "@/peers/b.json:1:1: 'mx01' is another server than the one of this "
                                "name at @/peers/a.json:1: probe@mx01.y here, probe@mx01.x "
                                "there\n");
    expect_peers(settings, "mx01");
    settings_destroy(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_list_that_breaks_stands),
        TEST(test_a_list_stands_with_what_others_named_too),
        TEST(test_a_new_list_may_be_broken),
        TEST(test_a_reload_keeps_lists_too),
        TEST(test_a_contradiction_leaves_everything_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
