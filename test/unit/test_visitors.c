#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/visitors.h"

enum { GUESTS = 4 };

#define AT(seconds) ((struct instant){(int64_t)(seconds)*1000000000})

// At most so many, none of no use for so long; from one origin as many as they like.
static struct visitors_rules rules(unsigned room, int useless)
{
    return (struct visitors_rules){
        .room = room, .share = GUESTS, .new = SPAN_ZERO, .useless = SPAN_SECONDS(useless)};
}

// Visitors on one end of socket pairs, watched from the other.
struct house {
    struct visitors visitors;
    struct visitor *guests[GUESTS];
    int theirs[GUESTS];
};

static void open_house_to(struct house *house, const uint64_t origins[GUESTS])
{
    visitors_begin(&house->visitors);
    for (int i = 0; i < GUESTS; i++) {
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        house->guests[i] = visitors_add(&house->visitors, ends[0], origins[i], AT(i));
        house->theirs[i] = ends[1];
    }
}

static void open_house(struct house *house)
{
    open_house_to(house, (const uint64_t[GUESTS]){1, 2, 3, 4});
}

static void show_out(struct house *house, struct visitors_rules rules, struct instant now)
{
    visitors_show_out(&house->visitors, &rules, now);
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
    show_out(&house, rules(GUESTS, 100), AT(20));
    assert_int_equal(up(&house), 1111);
    close_house(&house);
}

static void test_longest_useless_makes_room(void **state)
{
    struct house house;
    (void)state;
    open_house(&house);
    visitors_useful(&house.visitors, house.guests[0], AT(10));
    show_out(&house, rules(2, 100), AT(20));
    assert_int_equal(up(&house), 1001);
    assert_int_equal(house.visitors.staying, 2);
    show_out(&house, rules(2, 100), AT(20));
    assert_int_equal(up(&house), 1001);
    close_house(&house);
}

static void test_too_long_useless_goes(void **state)
{
    struct house house;
    (void)state;
    open_house(&house);
    assert_int_equal(visitors_useless_since(&house.visitors).ns, AT(0).ns);
    show_out(&house, rules(GUESTS, 19), AT(20));
    assert_int_equal(up(&house), 11);
    assert_int_equal(visitors_useless_since(&house.visitors).ns, AT(2).ns);
    close_house(&house);
    assert_int_equal(visitors_useless_since(&house.visitors).ns, INSTANT_NEVER.ns);
}

// Of three from one address two make room, useful as they are, for one from elsewhere that is not;
// then everybody has a fair share, and the longest useless goes.
static void test_many_from_one_address_make_room(void **state)
{
    struct house house;
    struct visitors_rules fair = rules(3, 100);
    (void)state;
    fair.share = 1;
    open_house_to(&house, (const uint64_t[GUESTS]){7, 8, 8, 8});
    visitors_useful(&house.visitors, house.guests[1], AT(10));
    show_out(&house, fair, AT(20));
    assert_int_equal(up(&house), 1101);
    fair.room = 2;
    show_out(&house, fair, AT(20));
    assert_int_equal(up(&house), 1100);
    fair.room = 1;
    show_out(&house, fair, AT(20));
    assert_int_equal(up(&house), 100);
    close_house(&house);
}

// The third and the fourth have come within two seconds: they stay, although others are of more
// use, until there is nobody else.
static void test_who_has_just_come_goes_last(void **state)
{
    struct house house;
    struct visitors_rules patient = rules(3, 100);
    (void)state;
    patient.new = SPAN_SECONDS(2);
    open_house(&house);
    visitors_useful(&house.visitors, house.guests[1], AT(3));
    visitors_useful(&house.visitors, house.guests[0], AT(3));
    visitors_useful(&house.visitors, house.guests[2], AT(3));
    show_out(&house, patient, AT(3));
    assert_int_equal(up(&house), 1011);
    patient.room = 1;
    show_out(&house, patient, AT(3));
    assert_int_equal(up(&house), 1);
    close_house(&house);
}

static uint64_t origin_of(const char *text)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
        return visitors_origin((const struct sockaddr *)&four);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return visitors_origin((const struct sockaddr *)&six);
}

static void test_origins(void **state)
{
    struct sockaddr_un file = {.sun_family = AF_UNIX};
    (void)state;
    assert_true(origin_of("192.0.2.1") != origin_of("192.0.2.2"));
    assert_true(origin_of("2001:db8:1:2::1") == origin_of("2001:db8:1:2:ffff::9"));
    assert_true(origin_of("2001:db8:1:2::1") != origin_of("2001:db8:1:3::1"));
    assert_int_equal(visitors_origin((const struct sockaddr *)&file), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_stay_while_there_is_room),
        cmocka_unit_test(test_longest_useless_makes_room),
        cmocka_unit_test(test_too_long_useless_goes),
        cmocka_unit_test(test_many_from_one_address_make_room),
        cmocka_unit_test(test_who_has_just_come_goes_last),
        cmocka_unit_test(test_origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
