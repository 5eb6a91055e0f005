// Lines that nobody takes for a while, and which of them go when too many wait.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "shell/syslog_socket.h"

enum { DONE_MAXIMUM = 2 * SYSLOG_WAITING_MAXIMUM };

struct place {
    char directory[64];
    char path[96];
    struct syslog_socket *log;
    int listener;
    int64_t done[DONE_MAXIMUM];
    size_t done_count;
};

static void on_done(void *context, int64_t number)
{
    struct place *place = context;
    assert_true(place->done_count < DONE_MAXIMUM);
    place->done[place->done_count++] = number;
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    text_copy(place->directory, sizeof place->directory, "/tmp/mailflow-syslog-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->path, sizeof place->path, "%s/log", place->directory);
    place->log = syslog_socket_create(place->path, LOG_MAIL);
    syslog_socket_on_done(place->log, on_done, place);
    place->listener = -1;
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    syslog_socket_destroy(place->log);
    if (place->listener >= 0) {
        close(place->listener);
    }
    unlink(place->path);
    rmdir(place->directory);
    free(place);
    return 0;
}

static void listen_now(struct place *place)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    text_copy(address.sun_path, sizeof address.sun_path, place->path);
    place->listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(place->listener, (struct sockaddr *)&address, sizeof address), 0);
}

// The socket's own queue is short: flushes for each line. "" when there is none.
static const char *heard(struct place *place)
{
    static char datagram[2048];
    syslog_socket_flush(place->log);
    ssize_t length = recv(place->listener, datagram, sizeof datagram - 1, 0);
    if (length < 0) {
        return "";
    }
    datagram[length] = '\0';
    return strstr(datagram, "]: ") + 3;
}

static void say_many(struct place *place, int priority, const char *line, int count)
{
    for (int i = 0; i < count; i++) {
        syslog_socket_say(place->log, priority, line, 0);
    }
}

static void a_line_is_done_once_it_was_taken(void **state)
{
    struct place *place = *state;
    syslog_socket_say(place->log, LOG_CRIT, "first", 7);
    syslog_socket_say(place->log, LOG_INFO, "unnumbered", 0);
    syslog_socket_say(place->log, LOG_INFO, "second", 8);
    assert_int_equal(place->done_count, 0);
    listen_now(place);
    assert_string_equal(heard(place), "first");
    assert_string_equal(heard(place), "unnumbered");
    assert_string_equal(heard(place), "second");
    syslog_socket_say(place->log, LOG_CRIT, "third", 9);
    assert_string_equal(heard(place), "third");
    assert_int_equal(place->done_count, 3);
    assert_true(place->done[0] == 7 && place->done[1] == 8 && place->done[2] == 9);
}

static void the_least_important_of_too_many_goes(void **state)
{
    struct place *place = *state;
    syslog_socket_say(place->log, LOG_CRIT, "crit", 1);
    syslog_socket_say(place->log, LOG_NOTICE, "notice", 2);
    syslog_socket_say(place->log, LOG_INFO, "info", 3);
    syslog_socket_say(place->log, LOG_INFO, "later info", 4);
    say_many(place, LOG_WARNING, "warning", SYSLOG_WAITING_MAXIMUM - 4);
    syslog_socket_say(place->log, LOG_WARNING, "one more", 5);
    assert_int_equal(place->done_count, 1);
    say_many(place, LOG_WARNING, "warning", 2);
    syslog_socket_say(place->log, LOG_NOTICE, "too little", 6);
    assert_int_equal(place->done_count, 4);
    for (int i = 0; i < 3; i++) {
        static const int64_t DROPPED[] = {3, 4, 2};
        assert_int_equal(place->done[i], DROPPED[i]);
    }
    assert_int_equal(place->done[3], 6);
    listen_now(place);
    assert_string_equal(heard(place), "crit");
    for (int i = 0; i < SYSLOG_WAITING_MAXIMUM - 4; i++) {
        assert_string_equal(heard(place), "warning");
    }
    assert_string_equal(heard(place), "one more");
    assert_string_equal(heard(place), "warning");
    assert_string_equal(heard(place), "warning");
    assert_string_equal(heard(place), "journal GAP dropped=4");
    assert_string_equal(heard(place), "");
}

static void the_oldest_of_equals_goes(void **state)
{
    struct place *place = *state;
    for (int i = 1; i <= SYSLOG_WAITING_MAXIMUM + 2; i++) {
        syslog_socket_say(place->log, LOG_CRIT, i <= 3 ? "early" : "late", i);
    }
    assert_int_equal(place->done_count, 2);
    assert_true(place->done[0] == 1 && place->done[1] == 2);
    listen_now(place);
    assert_string_equal(heard(place), "early");
    assert_string_equal(heard(place), "late");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_done_once_it_was_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(the_least_important_of_too_many_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(the_oldest_of_equals_goes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
