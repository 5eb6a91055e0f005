// A mesh of many servers, each of which picks its peers alone: what all of them together cover, and
// how much of it moves when servers leave and come. `test_coverage SERVERS FANOUT` looks at others.
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/random.h"
#include "base/rendezvous.h"

enum { ASKED = 200 }; // servers that are asked for their own pick

struct mesh {
    unsigned fanout;
    size_t count;
    uint64_t *hashes;
    uint32_t *watchers; // fanout of each, by rising score
};

static unsigned failures;

static void expect(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "FAILED: %s\n", what);
        failures++;
    }
}

// ---- the whole, worked out at once ----

// Puts the watcher among the highest, which are sorted by falling score.
static void rank(const struct mesh *mesh, uint32_t *highest, uint64_t *scores, size_t *known,
                 uint32_t watcher, uint64_t score)
{
    size_t to = *known < mesh->fanout ? (*known)++ : mesh->fanout - 1;
    for (; to > 0 && scores[to - 1] < score; to--) {
        scores[to] = scores[to - 1];
        highest[to] = highest[to - 1];
    }
    scores[to] = score;
    highest[to] = watcher;
}

static void find_watchers(struct mesh *mesh, uint32_t watched, uint64_t *scores)
{
    uint32_t *highest = &mesh->watchers[watched * mesh->fanout];
    size_t known = 0;
    for (uint32_t i = 0; i < mesh->count; i++) {
        uint64_t score = rendezvous_score(mesh->hashes[i], mesh->hashes[watched]);
        if (i != watched && (known < mesh->fanout || score > scores[known - 1])) {
            rank(mesh, highest, scores, &known, i, score);
        }
    }
}

// Of the servers numbered in `numbers`.
static struct mesh mesh_of(const uint32_t *numbers, size_t count, unsigned fanout)
{
    struct mesh mesh = {fanout, count, memory_checked(calloc(count, sizeof *mesh.hashes)),
                        memory_checked(calloc(count * fanout, sizeof *mesh.watchers))};
    uint64_t *scores = memory_checked(calloc(fanout, sizeof *scores));
    for (size_t i = 0; i < count; i++) {
        char name[33];
        snprintf(name, sizeof name, "mx%05" PRIu32, numbers[i]);
        mesh.hashes[i] = rendezvous_hash(name);
    }
    for (uint32_t i = 0; i < count; i++) {
        find_watchers(&mesh, i, scores);
    }
    free(scores);
    return mesh;
}

static void mesh_free(struct mesh *mesh)
{
    free(mesh->hashes);
    free(mesh->watchers);
}

static bool mesh_watches(const struct mesh *mesh, size_t watcher, size_t watched)
{
    for (unsigned i = 0; i < mesh->fanout; i++) {
        if (mesh->watchers[watched * mesh->fanout + i] == watcher) {
            return true;
        }
    }
    return false;
}

// ---- what is expected of it ----

// Each server's own pick agrees with the whole, in both directions.
static void check_ends(const struct mesh *mesh)
{
    uint8_t *bonds = memory_checked(calloc(mesh->count, 1));
    size_t step = mesh->count / ASKED > 0 ? mesh->count / ASKED : 1, asked = 0, differ = 0;
    clock_t begin = clock();
    for (size_t self = 0; self < mesh->count; self += step, asked++) {
        rendezvous_bind(mesh->hashes, mesh->count, self, mesh->fanout, bonds);
        for (size_t i = 0; i < mesh->count; i++) {
            differ += mesh_watches(mesh, self, i) != ((bonds[i] & BOND_WATCHED) != 0);
            differ += mesh_watches(mesh, i, self) != ((bonds[i] & BOND_WATCHER) != 0);
        }
    }
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    printf("%zu servers picked for themselves: %zu bonds differ; %.1f ms each, comparison "
           "included\n",
           asked, differ, 1000 * seconds / (double)asked);
    expect(differ == 0, "both ends of every bond come to the same");
    free(bonds);
}

// Every server has its watchers, the pairs are as few as promised, and nobody has too many peers.
static void check_load(const struct mesh *mesh)
{
    uint32_t *peers = memory_checked(calloc(mesh->count, sizeof *peers));
    size_t pairs = 0;
    uint32_t most = 0;
    for (size_t t = 0; t < mesh->count; t++) {
        for (unsigned i = 0; i < mesh->fanout; i++) {
            uint32_t w = mesh->watchers[t * mesh->fanout + i];
            bool distinct = w != t && (i == 0 || w != mesh->watchers[t * mesh->fanout + i - 1]);
            expect(distinct, "the watchers of a server are others, and differ");
            if (!mesh_watches(mesh, t, w) || t < w) { // else counted at the other end
                peers[t]++;
                peers[w]++;
                pairs++;
            }
        }
    }
    for (size_t i = 0; i < mesh->count; i++) {
        most = peers[i] > most ? peers[i] : most;
        expect(peers[i] >= mesh->fanout, "every server has as many peers as the fanout");
    }
    double mean = 2 * (double)pairs / (double)mesh->count;
    printf("%zu servers, fanout %u: %zu pairs (at most %zu; all with all: %zu), peers of one: mean "
           "%.2f, most %" PRIu32 ", most/mean %.2f\n",
           mesh->count, mesh->fanout, pairs, mesh->count * mesh->fanout,
           mesh->count * (mesh->count - 1) / 2, mean, most, most / mean);
    expect(pairs <= mesh->count * mesh->fanout, "a mesh of N has at most N times fanout pairs");
    // Poisson with this mean: seven standard deviations are beyond any mesh.
    expect(most <= mesh->fanout * 2 + 7 * sqrt(mesh->fanout) + 3, "nobody bears too much");
    free(peers);
}

// `place` of a number in the smaller mesh, or -1. What left does not matter to those who stay but
// for the watchers that they lose: each is replaced by one, and nothing else moves.
static void check_churn(const struct mesh *whole, const struct mesh *fewer, const int32_t *place)
{
    size_t lost = 0, kept = 0, moved = 0;
    for (size_t t = 0; t < whole->count; t++) {
        for (unsigned i = 0; i < whole->fanout; i++) {
            uint32_t w = whole->watchers[t * whole->fanout + i];
            if (place[t] < 0 || place[w] < 0) {
                lost++;
            } else if (mesh_watches(fewer, (size_t)place[w], (size_t)place[t])) {
                kept++;
            } else {
                moved++;
            }
        }
    }
    size_t all = whole->count * whole->fanout, found = fewer->count * fewer->fanout - kept;
    double gone = 1 - (double)fewer->count / (double)whole->count;
    double share = 100 * (1 - (1 - gone) * (1 - gone));
    printf("%zu servers leave: of %zu watches %zu go with them (%.2f %%, in theory %.2f %%), %zu "
           "others move, %zu are new (%.2f %%, in theory %.2f %%); the same when they come\n",
           whole->count - fewer->count, all, lost, 100 * (double)lost / (double)all, share, moved,
           found, 100 * (double)found / (double)all, 100 * gone * (1 - gone));
    expect(moved == 0, "no bond moves between servers that stay");
    expect(100 * (double)lost / (double)all <= 1.25 * share, "no more than its share goes");
}

int main(int count, char **arguments)
{
    size_t servers = count > 1 ? strtoull(arguments[1], NULL, 10) : 10000;
    unsigned fanout = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : 4;
    if (fanout == 0 || servers < fanout + (size_t)2) {
        fprintf(stderr, "usage: %s [SERVERS [FANOUT]], more servers than one and the fanout\n",
                arguments[0]);
        return 2;
    }
    struct random_stream random = random_stream_from(4);
    uint32_t *numbers = memory_checked(calloc(servers, sizeof *numbers));
    uint32_t *staying = memory_checked(calloc(servers, sizeof *staying));
    int32_t *place = memory_checked(calloc(servers, sizeof *place));
    size_t stay = 0;
    for (uint32_t i = 0; i < servers; i++) {
        bool leaves = random_stream_fraction(&random) < 0.01;
        numbers[i] = i;
        place[i] = leaves ? -1 : (int32_t)stay;
        staying[stay] = i;
        stay += leaves ? 0 : 1;
    }
    struct mesh whole = mesh_of(numbers, servers, fanout), fewer = mesh_of(staying, stay, fanout);
    check_load(&whole);
    check_load(&fewer);
    check_ends(&whole);
    check_churn(&whole, &fewer, place);
    mesh_free(&whole);
    mesh_free(&fewer);
    free(numbers);
    free(staying);
    free(place);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
