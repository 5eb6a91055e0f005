#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "shell/job_queue.h"

#define AT(seconds) ((struct instant){(int64_t)(seconds)*1000000000})

// A job of that number for the relay of its tens, to be done before so many seconds.
static struct job *job(int64_t number)
{
    struct job *made = memory_checked(calloc(1, sizeof *made));
    made->number = number;
    made->relay = (uint32_t)number / 10;
    made->deadline = AT(number % 10);
    made->line = memory_checked(strdup("{}\n"));
    return made;
}

static void fill(struct job_queue *queue, const int64_t *numbers)
{
    job_queue_init(queue);
    for (; *numbers != 0; numbers++) {
        job_queue_append(queue, job(*numbers));
    }
}

// Empties it.
static void assert_holds(struct job_queue *queue, const int64_t *numbers)
{
    for (; *numbers != 0; numbers++) {
        struct job *first = job_queue_take_first(queue);
        assert_non_null(first);
        assert_int_equal(first->number, *numbers);
        job_free(first);
    }
    assert_null(job_queue_take_first(queue));
    assert_int_equal(queue->count, 0);
}

#define NUMBERS(...) ((const int64_t[]){__VA_ARGS__, 0})

static bool is_of_relay(const struct job *one, void *context)
{
    return one->relay == *(const uint32_t *)context;
}

static void take_of_relay(struct job_queue *queue, uint32_t relay, int64_t number)
{
    struct job *taken = job_queue_take_runnable(queue, is_of_relay, &relay);
    assert_non_null(taken);
    assert_int_equal(taken->number, number);
    job_free(taken);
}

static void the_oldest_comes_first(void **state)
{
    (void)state;
    struct job_queue queue;
    fill(&queue, NUMBERS(11, 12, 13));
    assert_int_equal(queue.count, 3);
    assert_holds(&queue, NUMBERS(11, 12, 13));
    job_queue_append(&queue, job(14));
    assert_holds(&queue, NUMBERS(14));
}

static void what_is_returned_comes_before_all(void **state)
{
    (void)state;
    struct job_queue queue;
    fill(&queue, NUMBERS(11));
    struct job *taken = job_queue_take_first(&queue);
    job_queue_return(&queue, taken);
    job_queue_append(&queue, job(12));
    job_queue_return(&queue, job(13));
    assert_int_equal(queue.count, 3);
    assert_holds(&queue, NUMBERS(13, 11, 12));
}

static void one_that_may_run_overtakes(void **state)
{
    (void)state;
    struct job_queue queue;
    fill(&queue, NUMBERS(11, 21, 12, 22));
    take_of_relay(&queue, 2, 21);
    take_of_relay(&queue, 2, 22); // the last: what follows is appended to the one before it
    assert_null(job_queue_take_runnable(&queue, is_of_relay, &(uint32_t){2}));
    job_queue_append(&queue, job(23));
    assert_int_equal(queue.count, 3);
    assert_holds(&queue, NUMBERS(11, 12, 23));
}

static void what_has_expired_leaves_in_its_order(void **state)
{
    (void)state;
    struct job_queue queue;
    struct job_queue expired;
    job_queue_init(&expired);
    fill(&queue, NUMBERS(15, 12, 19, 11, 13));
    job_queue_move_expired(&queue, AT(3), &expired);
    assert_int_equal(expired.count, 3);
    job_queue_append(&queue, job(14));
    assert_int_equal(queue.count, 3);
    assert_holds(&expired, NUMBERS(12, 11, 13));
    assert_holds(&queue, NUMBERS(15, 19, 14));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_comes_first),
        cmocka_unit_test(what_is_returned_comes_before_all),
        cmocka_unit_test(one_that_may_run_overtakes),
        cmocka_unit_test(what_has_expired_leaves_in_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
