// What the tests of the store share: a state directory of their own, and probes to put in it.
#ifndef MAILFLOW_TEST_STORE_FIXTURE_H
#define MAILFLOW_TEST_STORE_FIXTURE_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "shell/store.h"

enum { DIRECTORY_SIZE = 64, FILE_SIZE = 160 };

#define WALL(seconds) ((struct walltime){(1790000000 + (int64_t)(seconds)) * 1000000000})

static inline struct moment fixture_now(void)
{
    return (struct moment){.instant = {1}, .wall = WALL(0)};
}

static inline int fixture_setup(void **state)
{
    char *directory = malloc(DIRECTORY_SIZE);
    strcpy(directory, "/tmp/mailflow-store-XXXXXX");
    *state = directory;
    return mkdtemp(directory) == NULL;
}

static inline int fixture_remove_one(const char *path, const struct stat *status, int type,
                                     struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static inline int fixture_teardown(void **state)
{
    nftw(*state, fixture_remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return 0;
}

static inline struct store *fixture_open(const char *directory)
{
    char kept[FILE_SIZE];
    struct error error = {0};
    struct store *store = store_open(directory, fixture_now(), kept, sizeof kept, &error);
    assert_string_equal(error.message, "");
    assert_string_equal(kept, "");
    assert_non_null(store);
    return store;
}

static inline void fixture_commit(struct store *store)
{
    struct error error = {0};
    bool done = store_commit(store, STORE_FAST, &error);
    assert_string_equal(error.message, "");
    assert_true(done);
}

static inline struct probe_id fixture_id(unsigned number)
{
    struct probe_id id = {{0}};
    memcpy(id.bytes, &number, sizeof number);
    id.bytes[15] = 1;
    return id;
}

// An inbound probe sent at this second, arrived two later.
static inline struct probe_record fixture_inbound(unsigned number, const char *peer, int64_t second)
{
    struct probe_record record = {
        .id = fixture_id(number),
        .direction = INBOUND,
        .state = PROBE_ARRIVED,
        .verdict = VERDICT_ON_TIME,
        .slot = number,
        .sent = WALL(second),
        .arrived = WALL(second + 2),
        .latency = SPAN_SECONDS(2),
    };
    text_copy(record.peer, sizeof record.peer, peer);
    return record;
}

// An outbound probe handed over at this second, in flight.
static inline struct probe_record fixture_outbound(unsigned number, const char *peer,
                                                   int64_t second)
{
    struct probe_record record = {
        .id = fixture_id(number),
        .direction = OUTBOUND,
        .state = PROBE_ACCEPTED,
        .slot = number,
        .planned = WALL(second),
        .sent = WALL(second),
        .accepted = WALL(second),
    };
    text_copy(record.peer, sizeof record.peer, peer);
    return record;
}

#endif
