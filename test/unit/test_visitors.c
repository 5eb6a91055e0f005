#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/visitors.h"

enum { GUESTS = 4 };

#define AT(seconds) ((struct instant){(int64_t)(seconds)*1000000000})

// Visitors on one end of socket pairs, watched from the other.
struct house {
    struct visitors visitors;
    struct visitor *guests[GUESTS];
    int theirs[GUESTS];
};

static void open_house(struct house *house)
{
    visitors_begin(&house->visitors);
    for (int i = 0; i < GUESTS; i++) {
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        house->guests[i] = visitors_add(&house->visitors, ends[0], AT(i));
        house->theirs[i] = ends[1];
    }
}

static void close_house(struct house *house)
{
    for (int i = 0; i < GUESTS; i++) {
        close(house->guests[i]->descriptor);
        close(house->theirs[i]);
        visitors_remove(&house->visitors, house->guests[i]);
    }
    assert_int_equal(house->visitors.staying, 0);
}

// One digit per guest: 1 while the connection is up.
static int up(const struct house *house)
{
    int digits = 0;
    for (int i = 0; i < GUESTS; i++) {
        char byte;
        digits = digits * 10 + (recv(house->theirs[i], &byte, 1, 0) < 0 ? 1 : 0);
    }
    return digits;
}

static void test_all_stay_while_there_is_room(void **state)
{
    struct house house;
    (void)state;
    open_house(&house);
    visitors_show_out(&house.visitors, GUESTS, AT(-1));
    assert_int_equal(up(&house), 1111);
    close_house(&house);
}

static void test_longest_useless_makes_room(void **state)
{
    struct house house;
    (void)state;
    open_house(&house);
    visitors_useful(&house.visitors, house.guests[0], AT(10));
    visitors_show_out(&house.visitors, 2, AT(-1));
    assert_int_equal(up(&house), 1001);
    assert_int_equal(house.visitors.staying, 2);
    visitors_show_out(&house.visitors, 2, AT(-1));
    assert_int_equal(up(&house), 1001);
    close_house(&house);
}

static void test_too_long_useless_goes(void **state)
{
    struct house house;
    (void)state;
    open_house(&house);
    assert_int_equal(visitors_useless_since(&house.visitors).ns, AT(0).ns);
    visitors_show_out(&house.visitors, GUESTS, AT(1));
    assert_int_equal(up(&house), 11);
    assert_int_equal(visitors_useless_since(&house.visitors).ns, AT(2).ns);
    close_house(&house);
    assert_int_equal(visitors_useless_since(&house.visitors).ns, INSTANT_NEVER.ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_stay_while_there_is_room),
        cmocka_unit_test(test_longest_useless_makes_room),
        cmocka_unit_test(test_too_long_useless_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
