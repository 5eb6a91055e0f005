// How long a scrape takes, and for how long it keeps the loop from anything else.
//
//   http_bench PEERS [OPEN-INCIDENTS]
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent_fixture.h"
#include "base/clock.h"
#include "shell/http.h"

static const char *const PATHS[] = {"/metrics", "/", "/api/v1/paths", "/api/v1/status"};
enum { PATH_COUNT = sizeof PATHS / sizeof PATHS[0] };

struct bench {
    uv_loop_t loop;
    struct agent *agent;
    struct http *http;
    uv_async_t finished;
    char control[96];
    struct instant turned;
    struct span longest_turn;
};

// The client, in a thread of its own: one request after the other.

static size_t fetch(const struct bench *bench, const char *path)
{
    static char buffer[1 << 16];
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path, bench->control);
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&name, sizeof name) != 0) {
        perror("connect");
        exit(EXIT_FAILURE);
    }
    dprintf(descriptor, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    size_t all = 0;
    for (ssize_t count; (count = read(descriptor, buffer, sizeof buffer)) > 0;) {
        all += (size_t)count;
    }
    close(descriptor);
    return all;
}

static void *run_client(void *context)
{
    struct bench *bench = context;
    for (int i = 0; i < PATH_COUNT; i++) {
        for (int round = 0; round < 2; round++) {
            bench->longest_turn = SPAN_ZERO;
            struct instant begun = clock_now().instant;
            size_t size = fetch(bench, PATHS[i]);
            double took = span_seconds(instant_since(clock_now().instant, begun));
            printf("%-16s %8.2f MB  %8.1f ms  longest turn of the loop %6.2f ms\n", PATHS[i],
                   (double)size / 1e6, took * 1e3, span_seconds(bench->longest_turn) * 1e3);
        }
    }
    uv_async_send(&bench->finished);
    return NULL;
}

// The loop, and how long its turns take from waking up to waiting again.

static void on_wake(uv_check_t *check)
{
    struct bench *bench = check->data;
    bench->turned = clock_now().instant;
}

static void on_wait(uv_prepare_t *prepare)
{
    struct bench *bench = prepare->data;
    struct span turn = instant_since(clock_now().instant, bench->turned);
    bench->longest_turn = span_longer(bench->longest_turn, turn);
}

static void on_finished(uv_async_t *async)
{
    uv_stop(async->loop);
}

static void open_incidents(struct agent *agent, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct incident incident = {.id = (int64_t)i + 1,
                                    .kind = INCIDENT_SILENT,
                                    .severity = SEVERITY_CRITICAL,
                                    .began = WALL(1)};
        snprintf(incident.subject_text, sizeof incident.subject_text, "%s->mx01",
                 agent->settings->peers[i].name);
        core_restore_incident(agent->core, &incident, MOMENT(1));
    }
}

int main(int count, char **arguments)
{
    static struct bench bench;
    struct error error;
    size_t peers = count > 1 ? strtoul(arguments[1], NULL, 10) : 100;
    uv_prepare_t prepare;
    uv_check_t check;
    pthread_t client;
    uv_loop_init(&bench.loop);
    bench.agent = agent_fixture_create(peers);
    open_incidents(bench.agent, count > 2 ? strtoul(arguments[2], NULL, 10) : 0);
    snprintf(bench.control, sizeof bench.control, "%s/control.sock", bench.agent->directory);
    bench.http = http_create(&bench.loop, bench.agent->settings, bench.agent, &error);
    if (bench.http == NULL) {
        fprintf(stderr, "%s\n", error.message);
        return EXIT_FAILURE;
    }
    uv_prepare_init(&bench.loop, &prepare);
    uv_check_init(&bench.loop, &check);
    prepare.data = check.data = &bench;
    bench.turned = clock_now().instant;
    uv_prepare_start(&prepare, on_wait);
    uv_check_start(&check, on_wake);
    uv_async_init(&bench.loop, &bench.finished, on_finished);
    pthread_create(&client, NULL, run_client, &bench);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    pthread_join(client, NULL);
    http_destroy(bench.http);
    agent_fixture_destroy(bench.agent);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%zu peers, at most %ld MiB resident\n", peers, usage.ru_maxrss / 1024);
    return EXIT_SUCCESS;
}
