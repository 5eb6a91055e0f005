// Who watches whom: the same at every server, in every version. Coverage of large meshes and churn
// are in test/simulation/test_coverage.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rendezvous.h"

enum { SERVERS = 10, FANOUT = 2 };

// Worked out apart from this code (FNV-1a, the finalizer, in another language). Servers of other
// versions rely on them: a change here splits meshes.
static void test_hashes_and_scores_stay_what_they_are(void **state)
{
    (void)state;
    assert_true(rendezvous_hash("") == UINT64_C(0xf52a15e9a9b5e89b));
    assert_true(rendezvous_hash("a") == UINT64_C(0x2c0bdbf481420f8));
    assert_true(rendezvous_hash("mail_exchange-7") == UINT64_C(0xe1cb358934a00255));
    uint64_t mx01 = rendezvous_hash("mx01"), mx02 = rendezvous_hash("mx02");
    assert_true(mx01 == UINT64_C(0xd7e340acdecdd6d3));
    assert_true(mx02 == UINT64_C(0x8185ed30a64286ba));
    assert_true(rendezvous_score(mx01, mx02) == UINT64_C(0x24062f51aec6c6aa));
    assert_true(rendezvous_score(mx02, mx01) == UINT64_C(0xc2fab6722d519390));
}

// mx01 to mx10, in an order of their own.
static void fill(uint64_t hashes[SERVERS], size_t first)
{
    for (size_t i = 0; i < SERVERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "mx%02zu", (first + i) % SERVERS + 1);
        hashes[i] = rendezvous_hash(name);
    }
}

static void test_mx01_of_ten_has_these_peers(void **state)
{
    (void)state;
    static const uint8_t EXPECTED[SERVERS] = {
        [1] = BOND_WATCHER, [2] = BOND_WATCHER, [3] = BOND_WATCHED,
        [4] = BOND_WATCHED, [6] = BOND_WATCHED, [9] = BOND_WATCHED,
    };
    for (size_t first = 0; first < SERVERS; first++) { // in whatever order
        uint64_t hashes[SERVERS];
        uint8_t bonds[SERVERS];
        fill(hashes, first);
        rendezvous_bind(hashes, SERVERS, (SERVERS - first) % SERVERS, FANOUT, bonds);
        for (size_t i = 0; i < SERVERS; i++) {
            assert_int_equal(bonds[i], EXPECTED[(first + i) % SERVERS]);
        }
    }
}

static void test_both_ends_agree(void **state)
{
    (void)state;
    uint64_t hashes[SERVERS];
    uint8_t bonds[SERVERS][SERVERS];
    fill(hashes, 0);
    for (size_t i = 0; i < SERVERS; i++) {
        rendezvous_bind(hashes, SERVERS, i, FANOUT, bonds[i]);
    }
    for (size_t i = 0; i < SERVERS; i++) {
        unsigned watchers = 0;
        for (size_t j = 0; j < SERVERS; j++) {
            assert_int_equal((bonds[i][j] & BOND_WATCHED) != 0, (bonds[j][i] & BOND_WATCHER) != 0);
            watchers += (bonds[i][j] & BOND_WATCHER) != 0;
        }
        assert_int_equal(watchers, FANOUT);
    }
}

static void test_everyone_watches_everyone_where_there_is_nothing_to_choose(void **state)
{
    (void)state;
    static const unsigned FANOUTS[] = {0, SERVERS - 1, SERVERS, 1000};
    uint64_t hashes[SERVERS];
    uint8_t bonds[SERVERS];
    fill(hashes, 0);
    for (size_t i = 0; i < sizeof FANOUTS / sizeof FANOUTS[0]; i++) {
        rendezvous_bind(hashes, SERVERS, 3, FANOUTS[i], bonds);
        for (size_t j = 0; j < SERVERS; j++) {
            assert_int_equal(bonds[j], j == 3 ? 0 : BOND_WATCHED | BOND_WATCHER);
        }
    }
    rendezvous_bind(hashes, 1, 0, 4, bonds);
    assert_int_equal(bonds[0], 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes_and_scores_stay_what_they_are),
        cmocka_unit_test(test_mx01_of_ten_has_these_peers),
        cmocka_unit_test(test_both_ends_agree),
        cmocka_unit_test(test_everyone_watches_everyone_where_there_is_nothing_to_choose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
