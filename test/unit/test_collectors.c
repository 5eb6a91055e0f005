// What is made of a collector that falls silent, dies or cannot read on: killed, replaced and, when
// that helps nothing, not believed. Programs of the test's own stand for mailflow-collect, and the
// loop's timers run fifty times as fast (--wrap in meson.build): 90 s are 1.8 s.
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
#include <uv.h>

#include "base/text.h"
#include "shell/collectors.h"

enum { FASTER = 50, REPORTS_MAXIMUM = 64 };

int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t timeout, uint64_t repeat);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t timeout, uint64_t repeat);

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t timeout, uint64_t repeat)
{
    return __real_uv_timer_start(timer, call, timeout / FASTER, repeat);
}

static const struct mailbox_settings MAILBOX = {
    .name = "local",
    .host = "127.0.0.1",
    .port = 143,
    .ca_file = "",
    .user = "probe",
    .password = "secret",
    .oauth = {.token_file = ""},
    .folders = (const char *const[]){"INBOX"},
    .folder_count = 1,
    .authserv_id = "",
};
static const struct settings SETTINGS = {
    .server = "mx02", .mailboxes = &MAILBOX, .mailbox_count = 1};

struct place {
    uv_loop_t loop;
    char directory[32];
    struct collectors *collectors;
    char told[REPORTS_MAXIMUM][PROBE_REPLY_SIZE + 8]; // "up", "down CAUSE", "complete"
    size_t count;
};

static void take(void *context, int mailbox, const struct collect_report *report)
{
    struct place *place = context;
    assert_int_equal(mailbox, 0);
    assert_true(place->count < REPORTS_MAXIMUM);
    struct text text = TEXT_OVER(place->told[place->count++]);
    text_append(&text, report->kind == COLLECT_UP     ? "up"
                       : report->kind == COLLECT_DOWN ? "down "
                                                      : "complete");
    text_append(&text, report->kind == COLLECT_DOWN ? report->cause : "");
}

static void write_file(const struct place *place, const char *name, const char *content)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", place->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    assert_int_equal(chmod(path, 0755), 0);
}

static void write_report(const struct place *place, enum collect_report_kind kind)
{
    struct collect_report report = {.kind = kind, .mailbox = "local", .cause = ""};
    char *line = collect_report_encode(&report);
    write_file(place, kind == COLLECT_UP ? "up" : "complete", line);
    free(line);
}

// `life` is what the program does in a shell once it knows what to watch.
static void begin(struct place *place, const char *life)
{
    static const struct collectors_handlers HANDLERS = {take};
    char program[512];
    memset(place, 0, sizeof *place);
    strcpy(place->directory, "/tmp/collectors.XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    write_report(place, COLLECT_UP);
    write_report(place, COLLECT_COMPLETE);
    snprintf(program, sizeof program, "#!/bin/sh\nread watch\ncd %s\n%s\n", place->directory, life);
    write_file(place, "mailflow-collect", program);
    uv_loop_init(&place->loop);
    place->collectors =
        collectors_create(&place->loop, place->directory, NULL, &SETTINGS, &HANDLERS, place);
}

static void wait_for(struct place *place, size_t count)
{
    while (place->count < count) {
        assert_true(uv_run(&place->loop, UV_RUN_ONCE) != 0);
    }
}

static void end(struct place *place)
{
    collectors_destroy(place->collectors);
    while (uv_run(&place->loop, UV_RUN_DEFAULT) != 0) {
    }
    assert_int_equal(uv_loop_close(&place->loop), 0);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", place->directory);
    assert_int_equal(system(command), 0);
}

static void assert_stuck(const char *told)
{
    assert_string_equal(told, "down mailflow-collect killed by signal 9 (Killed) for it had said "
                              "nothing for too long");
}

// `exec cat` says nothing and ends with its input.
static void test_one_that_says_nothing_is_killed_and_replaced(void **state)
{
    (void)state;
    struct place place;
    begin(&place, "cat up complete; exec cat");
    uint64_t start = uv_hrtime();
    wait_for(&place, 4);
    double seconds = (double)(uv_hrtime() - start) / 1e9 * FASTER;
    print_message("killed and replaced after %.0f s\n", seconds);
    assert_true(seconds > 88 && seconds < 400);
    assert_string_equal(place.told[0], "up");
    assert_string_equal(place.told[1], "complete");
    assert_stuck(place.told[2]);
    assert_string_equal(place.told[3], "up"); // it had read all: this one is believed
    end(&place);
}

static void test_one_that_says_something_lives(void **state)
{
    (void)state;
    struct place place;
    begin(&place, "for i in 1 2 3 4 5 6; do cat up; sleep 0.6; done; cat complete; exec cat");
    wait_for(&place, 7);
    assert_string_equal(place.told[6], "complete"); // 180 s later
    end(&place);
}

// It can open the mailbox, and never gets through: from the second time on nobody says that it is
// readable, so that it becomes known that it is not.
static void test_one_that_never_gets_through_is_not_believed(void **state)
{
    (void)state;
    struct place place;
    begin(&place, "cat up; test ! -f healed || cat complete; exec cat");
    wait_for(&place, 3);
    assert_string_equal(place.told[0], "up");
    assert_stuck(place.told[1]);
    assert_stuck(place.told[2]);
    write_file(&place, "healed", "");
    while (strcmp(place.told[place.count - 1], "complete") != 0) {
        wait_for(&place, place.count + 1);
    }
    for (size_t i = 1; i < place.count - 2; i++) {
        assert_stuck(place.told[i]);
    }
    assert_string_equal(place.told[place.count - 2], "up");
    end(&place);
}

static void test_likewise_one_that_dies_of_it(void **state)
{
    (void)state;
    struct place place;
    begin(&place, "cat up; exit 70");
    wait_for(&place, 5);
    assert_string_equal(place.told[0], "up");
    for (size_t i = 1; i < 5; i++) {
        assert_string_equal(place.told[i], "down mailflow-collect exited with status 70");
    }
    end(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_that_says_nothing_is_killed_and_replaced),
        cmocka_unit_test(test_one_that_says_something_lives),
        cmocka_unit_test(test_one_that_never_gets_through_is_not_believed),
        cmocka_unit_test(test_likewise_one_that_dies_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
