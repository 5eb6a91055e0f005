// What the ledger costs: store_bench [DIRECTORY [PROBES]] makes a ledger of a million probes below
// the directory (default: the current one), prints what each operation took, and deletes it.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "shell/store.h"

enum {
    PEERS = 20,
    SPACING_SECONDS = 3, // of all paths together: one a minute each
    COMMITS = 2000,
    DURABLE_COMMITS = 100,
    BATCH = 1000,
    LOOKUPS = 10000,
    IN_FLIGHT_EVERY = 2000, // every so many-th probe never arrives
};

static char directory[200];
static uint64_t next_number;
static struct walltime begin;

static void fail(const char *what, const struct error *error)
{
    fprintf(stderr, "store_bench: %s: %s\n", what, error->message);
    exit(1);
}

static void report(const char *what, struct instant since, unsigned count)
{
    struct span took = instant_since(clock_now().instant, since);
    printf("%-52s %12.1f us\n", what, (double)took.ns / 1000 / count);
    fflush(stdout);
}

static struct probe_id id_of(uint64_t number)
{
    struct random_stream stream = random_stream_from(number);
    uint64_t halves[2] = {random_stream_next(&stream), random_stream_next(&stream)};
    struct probe_id id;
    memcpy(id.bytes, halves, sizeof id.bytes);
    return id;
}

// The next probe of the mesh: every path in turn, one of both directions.
static struct probe_record next_probe(void)
{
    uint64_t number = next_number++;
    struct walltime at = walltime_add(begin, SPAN_SECONDS(number * SPACING_SECONDS / 2));
    struct probe_record record = {
        .id = id_of(number),
        .direction = number % 2 == 0 ? OUTBOUND : INBOUND,
        .slot = 1790000000 + (int64_t)(number / (2 * PEERS)),
        .planned = number % 2 == 0 ? at : WALLTIME_NONE,
        .sent = walltime_add(at, SPAN_MS(2)),
        .accepted = number % 2 == 0 ? walltime_add(at, SPAN_MS(9)) : WALLTIME_NONE,
    };
    snprintf(record.peer, sizeof record.peer, "mx%02u", (unsigned)(number / 2 % PEERS));
    return record;
}

static void put_arrived(struct store *store, struct probe_record *record)
{
    record->state = PROBE_ARRIVED;
    record->verdict = VERDICT_ON_TIME;
    record->latency = (struct span){1234567890};
    record->latency_error = SPAN_MS(50);
    record->arrived = walltime_add(record->sent, record->latency);
    store_put_probe(store, record);
}

static void put_inbound(struct store *store, struct probe_record *record)
{
    struct collect_report message = {
        .mailbox = "local",
        .folder = "INBOX",
        .uid_validity = 1700000000,
        .uid = (uint32_t)next_number,
        .absent = {.wall = walltime_add(record->sent, SPAN_MS(1200))},
        .present = {.wall = walltime_add(record->sent, SPAN_MS(1234))},
        .saved = walltime_add(record->sent, SPAN_SECONDS(1)),
    };
    put_arrived(store, record);
    store_put_message(store, &record->id, &message);
}

static void put_accepted(struct store *store, struct probe_record *record)
{
    struct submit_outcome outcome = {
        .code = 250,
        .reply = "250 2.0.0 Ok: 389 bytes queued as 4F2A11C0DE",
        .queue_id = "4F2A11C0DE",
        .legs = {{312345}, {412345}, {-1}, {-1}, {9123456}},
    };
    record->state = PROBE_ACCEPTED;
    store_put_probe(store, record);
    store_put_outcome(store, &record->id, &outcome);
}

static void commit(struct store *store, enum store_durability durability)
{
    struct error error;
    if (!store_commit(store, durability, &error)) {
        fail("commit", &error);
    }
}

static void checkpoint(void)
{
    struct error error;
    if (!store_checkpoint(directory, &error)) {
        fail("checkpoint", &error);
    }
}

static struct store *open_store(const char *what)
{
    char kept[300];
    struct error error;
    struct instant start = clock_now().instant;
    struct store *store = store_open(directory, clock_now(), kept, sizeof kept, &error);
    if (store == NULL) {
        fail("open", &error);
    }
    report(what, start, 1);
    if (kept[0] != '\0') {
        printf("corrupt ledger kept as %s\n", kept);
    }
    return store;
}

static void fill(struct store *store, uint64_t until)
{
    struct instant start = clock_now().instant;
    uint64_t first = next_number;
    while (next_number < until) {
        for (int i = 0; i < BATCH; i++) {
            struct probe_record record = next_probe();
            if (record.direction == INBOUND) {
                put_inbound(store, &record);
                continue;
            }
            put_accepted(store, &record);
            if (next_number % IN_FLIGHT_EVERY != 1) {
                put_arrived(store, &record);
            }
        }
        commit(store, STORE_FAST);
        if (next_number % (20 * BATCH) == 0) {
            checkpoint();
        }
    }
    report("filling, a probe in batches of 1000", start, (unsigned)(next_number - first));
}

static void time_inbound(struct store *store, const char *what, enum store_durability durability,
                         unsigned count)
{
    struct instant start = clock_now().instant;
    for (unsigned i = 0; i < count; i++) {
        next_number |= 1;
        struct probe_record record = next_probe();
        put_inbound(store, &record);
        commit(store, durability);
    }
    report(what, start, count);
}

static void time_outbound(struct store *store)
{
    struct instant start = clock_now().instant;
    for (unsigned i = 0; i < COMMITS; i++) {
        next_number += next_number % 2;
        struct probe_record record = next_probe();
        store_put_probe(store, &record);
        commit(store, STORE_FAST);
        put_accepted(store, &record);
        commit(store, STORE_FAST);
        put_arrived(store, &record);
        commit(store, STORE_FAST);
    }
    report("an outbound life: 3 fast commits", start, COMMITS);
}

static void time_commits(struct store *store)
{
    time_inbound(store, "an arrival and its fast commit", STORE_FAST, COMMITS);
    time_outbound(store);
    time_inbound(store, "an arrival and its durable commit", STORE_DURABLE, DURABLE_COMMITS);
}

static void count_probe(void *context, const struct probe_record *record)
{
    (void)record;
    ++*(unsigned *)context;
}

static void ignore_incident(void *context, const struct incident *incident)
{
    (void)context, (void)incident;
}

static void ignore_window(void *context, const struct window *window)
{
    (void)context, (void)window;
}

static void ignore_slots(void *context, const char *peer, int64_t reserved, struct walltime seen)
{
    (void)context, (void)peer, (void)reserved, (void)seen;
}

static void time_restore(struct store *store)
{
    unsigned probes = 0;
    struct error error;
    struct walltime alive, started;
    struct store_restore visitors = {
        .newest = 64,
        .context = &probes,
        .probe = count_probe,
        .incident = ignore_incident,
        .window = ignore_window,
        .slots = ignore_slots,
    };
    struct instant start = clock_now().instant;
    if (!store_restore(store, &visitors, &alive, &started, &error)) {
        fail("restore", &error);
    }
    report("restore", start, 1);
    printf("%-52s %12u\n", "probes restored", probes);
}

static bool count_listed(void *context, const struct store_probe *probe)
{
    (void)probe;
    ++*(unsigned *)context;
    return true;
}

static void time_list(struct store *store, const char *what, struct store_query query)
{
    unsigned count = 0;
    struct error error;
    struct instant start = clock_now().instant;
    query.limit = 100;
    if (!store_query_probes(store, &query, count_listed, &count, &error)) {
        fail("query", &error);
    }
    printf("%4u probes: ", count);
    report(what, start, 1);
}

static void time_reads(struct store *store)
{
    struct store_probe probe;
    struct instant start = clock_now().instant;
    for (uint64_t i = 0; i < LOOKUPS; i++) {
        struct probe_id id = id_of(i * 7919 % next_number);
        store_get_probe(store, &id, &probe);
    }
    report("lookup by id", start, LOOKUPS);
    struct store_query all = {.direction = -1, .verdict = -1};
    struct store_query path = {.peer = "mx07", .direction = INBOUND, .verdict = -1};
    struct store_query late = {.direction = -1, .verdict = VERDICT_LATE};
    struct store_query open = {.direction = -1, .verdict = VERDICT_OPEN};
    struct store_query none = {.peer = "mx07", .direction = -1, .verdict = VERDICT_LOST};
    time_list(store, "newest of all", all);
    time_list(store, "newest of a path", path);
    time_list(store, "in flight", open);
    time_list(store, "late (there are none)", late);
    time_list(store, "lost of a peer (there are none)", none);
}

static void time_retention(struct store *store)
{
    struct walltime before = walltime_add(begin, SPAN_SECONDS(next_number * SPACING_SECONDS / 4));
    struct instant start = clock_now().instant;
    for (int i = 0; i < 20; i++) {
        store_retain(store, before, BATCH);
        commit(store, STORE_FAST);
    }
    report("retention: 1000 probes and a commit", start, 20);
    start = clock_now().instant;
    checkpoint();
    report("checkpoint of that", start, 1);
}

// A process that ends without closing the store, as by kill -9.
static void end_uncleanly(void)
{
    if (fork() == 0) {
        struct store *store = open_store("  (open by a process that will be killed)");
        store_put_alive(store, begin);
        commit(store, STORE_DURABLE);
        _exit(0);
    }
    wait(NULL);
}

static const char *file_of(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

// Makes the system forget what it has in memory of the ledger.
static void forget_cached(void)
{
    int file = open(file_of("ledger.db"), O_RDONLY | O_CLOEXEC);
    fdatasync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
}

static void clean_up(void)
{
    static const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm",
                                        "ledger.lock"};
    for (size_t i = 0; i < 4; i++) {
        unlink(file_of(names[i]));
    }
    rmdir(directory);
}

static void time_starts(void)
{
    struct store *store = open_store("open after a clean end, cached");
    time_restore(store);
    store_close(store);
    end_uncleanly();
    store_close(open_store("open after an unclean end, cached"));
    forget_cached();
    store = open_store("open after a clean end, not cached");
    time_restore(store);
    store_close(store);
    end_uncleanly();
    forget_cached();
    store_close(open_store("open after an unclean end, not cached"));
}

int main(int count, char **arguments)
{
    uint64_t probes = count > 2 ? strtoull(arguments[2], NULL, 10) : 1000000;
    snprintf(directory, sizeof directory, "%s/store-bench-XXXXXX", count > 1 ? arguments[1] : ".");
    if (mkdtemp(directory) == NULL) {
        perror(directory);
        return 1;
    }
    begin = walltime_add(clock_now().wall, (struct span){-SPAN_HOURS(30 * 24).ns});
    struct store *store = open_store("open a new ledger");
    time_commits(store);
    fill(store, probes);
    time_commits(store);
    time_reads(store);
    struct instant start = clock_now().instant;
    for (int i = 0; i < LOOKUPS; i++) {
        store_figures(store);
    }
    report("figures", start, LOOKUPS);
    start = clock_now().instant;
    checkpoint();
    report("checkpoint after the batches", start, 1);
    start = clock_now().instant;
    store_close(store);
    report("close", start, 1);
    time_starts();
    store = open_store("open after a clean end, cached");
    struct store_figures figures = store_figures(store);
    printf("%-52s %12" PRId64 "\n", "probes", figures.entries);
    printf("%-52s %12.1f\n", "bytes per probe", (double)figures.bytes / (double)figures.entries);
    time_retention(store);
    store_close(store);
    clean_up();
    return 0;
}
