// What a replay reads: a ledger in use, one that a crash has left, and what is none.
#include "replay_recording.h"

static bool exists_beside(const struct recording *recording, const char *suffix)
{
    char path[FILE_SIZE + 8];
    struct stat status;
    snprintf(path, sizeof path, "%s%s", recording->ledger, suffix);
    return stat(path, &status) == 0;
}

static void nothing_is_written_in_or_beside_the_ledger(void **state)
{
    struct recording recording = {0};
    recording_begin(&recording, state);
    struct replay_request request = request_of(&recording);
    json_decref(run(&request)); // an agent has it open, and may go on writing
    put_inbound(&recording, MINUTES);
    fixture_commit(recording.store);
    store_close(recording.store);

    struct stat before, after;
    assert_int_equal(stat(recording.ledger, &before), 0);
    assert_false(exists_beside(&recording, "-wal"));
    json_decref(run(&request));
    assert_int_equal(stat(recording.ledger, &after), 0);
    assert_false(exists_beside(&recording, "-wal"));
    assert_false(exists_beside(&recording, "-shm"));
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    recording.store = fixture_open(recording.directory);
    recording_end(&recording);
}

static void copy_beside(const struct recording *recording, const char *copy, const char *suffix)
{
    char command[4 * FILE_SIZE];
    snprintf(command, sizeof command, "cp %s%s %s%s", recording->ledger, suffix, copy, suffix);
    assert_int_equal(system(command), 0);
}

// A ledger, its log and the log's index as kill -9 leaves them; and copied without the index.
static void what_a_crash_left_in_the_log_is_read(void **state)
{
    static const char *const INDICES[] = {"-shm", ""};
    struct recording recording = {0};
    recording_begin(&recording, state);
    for (int i = 0; i < 2; i++) {
        char copy[FILE_SIZE];
        snprintf(copy, sizeof copy, "%s/copy%d.db", recording.directory, i);
        copy_beside(&recording, copy, "");
        copy_beside(&recording, copy, "-wal");
        copy_beside(&recording, copy, INDICES[i]);
        struct replay_request request = request_of(&recording);
        request.ledger = copy;
        json_t *answer = run(&request);
        assert_int_equal(json_integer_value(json_object_get(answer, "probes")), 2 * MINUTES);
        json_decref(answer);
    }
    recording_end(&recording);
}

static void expect_refusal(const struct replay_request *request, const char *words)
{
    struct error error = {0};
    assert_null(replay_run(request, &error));
    if (strstr(error.message, words) == NULL) {
        fail_msg("\"%s\" does not say: %s", error.message, words);
    }
}

static void what_is_no_ledger_is_refused(void **state)
{
    struct recording recording = {0};
    recording_begin(&recording, state);
    struct replay_request request = request_of(&recording);
    char path[FILE_SIZE];
    snprintf(path, sizeof path, "%s/none.db", recording.directory);
    request.ledger = path;
    expect_refusal(&request, "No such file");
    FILE *file = fopen(path, "w");
    fputs("This is a text, and no ledger, however long it may be.\n", file);
    fclose(file);
    expect_refusal(&request, "not a ledger of mailflow");
    assert_int_equal(truncate(path, 0), 0);
    expect_refusal(&request, "not a ledger of mailflow");
    request.ledger = recording.directory;
    expect_refusal(&request, "is not a file");
    recording_end(&recording);
}

static void peers_that_are_not_configured_are_counted(void **state)
{
    struct recording recording = {0};
    recording_begin(&recording, state);
    struct settings *others = core_settings_of(0);
    struct replay_request request = request_of(&recording);
    request.settings = others;
    expect_refusal(&request, "no probes of the peers in this configuration");
    arena_destroy(others->arena);
    recording_end(&recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_written_in_or_beside_the_ledger),
        TEST(what_a_crash_left_in_the_log_is_read),
        TEST(what_is_no_ledger_is_refused),
        TEST(peers_that_are_not_configured_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
