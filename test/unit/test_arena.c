// Memory given back all at once: alignment, zeroes, and no two pieces alike.
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

// Pieces of every size, past the size of a block too: each keeps its pattern when all are written.
static void test_pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    enum { PIECES = 400, STEP = 97 };
    unsigned char *pieces[PIECES];
    struct arena *arena = arena_create();
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = arena_take(arena, i * STEP);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t at = 0; at < i * STEP; at++) {
            assert_int_equal(pieces[i][at], 0);
        }
        memset(pieces[i], (int)(i % 256), i * STEP);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t at = 0; at < i * STEP; at++) {
            assert_int_equal(pieces[i][at], i % 256);
        }
    }
    arena_destroy(arena);
}

static void test_texts_are_copied(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    char original[] = "mx02";
    const char *copy = arena_copy_text(arena, original);
    original[0] = 'x';
    assert_string_equal(copy, "mx02");
    assert_string_equal(arena_copy_text(arena, ""), "");
    arena_destroy(arena);
}

static void test_none_is_destroyed_quietly(void **state)
{
    (void)state;
    arena_destroy(NULL);
    arena_destroy(arena_create());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(test_texts_are_copied),
        cmocka_unit_test(test_none_is_destroyed_quietly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
