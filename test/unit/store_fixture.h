// What the tests of the store share: a state directory of their own, and probes to put in it.
#ifndef MAILFLOW_TEST_STORE_FIXTURE_H
#define MAILFLOW_TEST_STORE_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static inline void fixture_assert_equal(const struct probe_record *got,
                                        const struct probe_record *want)
{
    assert_memory_equal(got->id.bytes, want->id.bytes, sizeof want->id.bytes);
    assert_string_equal(got->peer, want->peer);
    assert_int_equal(got->direction, want->direction);
    assert_int_equal(got->kind, want->kind);
    assert_int_equal(got->state, want->state);
    assert_int_equal(got->verdict, want->verdict);
    assert_true(got->slot == want->slot);
    assert_true(got->planned.ns == want->planned.ns);
    assert_true(got->sent.ns == want->sent.ns);
    assert_true(got->accepted.ns == want->accepted.ns);
    assert_true(got->arrived.ns == want->arrived.ns);
    assert_true(got->latency.ns == want->latency.ns);
    assert_true(got->latency_error.ns == want->latency_error.ns);
    assert_true(got->excused.ns == want->excused.ns);
    assert_true(got->incident == want->incident && got->next.ns == want->next.ns);
}

static inline void fixture_put_probes(struct store *store, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        struct probe_record record = fixture_inbound(i, "mx01", i);
        store_put_probe(store, &record);
    }
}

static inline bool fixture_has_probe(struct store *store, unsigned number)
{
    struct probe_id id = fixture_id(number);
    struct store_probe probe;
    return store_get_probe(store, &id, &probe);
}

static inline void fixture_assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, text);
    }
}

static inline void fixture_assert_refused(const char *directory, const char *first,
                                          const char *second)
{
    char kept[FILE_SIZE];
    struct error error = {0};
    assert_null(store_open(directory, fixture_now(), kept, sizeof kept, &error));
    fixture_assert_contains(error.message, first);
    fixture_assert_contains(error.message, second);
    assert_string_equal(kept, "");
}

static inline const char *fixture_file_in(const char *directory, const char *name)
{
    static char path[FILE_SIZE];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static inline off_t fixture_file_size(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_size : -1;
}

// The bytes of a file, for free.
struct fixture_content {
    size_t size;
    unsigned char *bytes;
};

static inline struct fixture_content fixture_file_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct fixture_content content = {.size = (size_t)fixture_file_size(path)};
    content.bytes = malloc(content.size + 1);
    assert_int_equal(fread(content.bytes, 1, content.size, file), content.size);
    fclose(file);
    return content;
}

static inline void fixture_assert_same_content(const char *path, struct fixture_content want)
{
    struct fixture_content got = fixture_file_read(path);
    assert_int_equal(got.size, want.size);
    assert_memory_equal(got.bytes, want.bytes, want.size);
    free(got.bytes);
}

static inline void fixture_file_patch(const char *path, off_t offset, const void *bytes,
                                      size_t count)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(file, bytes, count, offset), count);
    close(file);
}

// Runs it in a process that dies by SIGKILL when it is done, as if the agent had been killed there.
static inline void fixture_in_killed_process(void (*run)(const char *directory),
                                             const char *directory)
{
    pid_t child = fork();
    if (child == 0) {
        run(directory);
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

#endif
