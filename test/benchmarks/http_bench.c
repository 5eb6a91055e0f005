// What a scrape costs, and for how long it keeps the loop from anything else.
//
//   http_bench PEERS [OPEN-INCIDENTS]
//
// Beside it what it costs libmicrohttpd to serve as many bytes that it has in memory, or as a file.
// A line each: what, bytes, milliseconds, of the server's processor, until the first byte, and of
// the longest turn of the loop, by the clock and of the processor.
#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent_fixture.h"
#include "base/clock.h"
#include "shell/http.h"

static const char *const PATHS[] = {"/metrics", "/", "/api/v1/paths", "/api/v1/status"};
enum { PATH_COUNT = sizeof PATHS / sizeof PATHS[0], ROUNDS = 3 };

struct bench {
    uv_loop_t loop;
    struct agent *agent;
    struct http *http;
    uv_async_t finished;
    char address[32]; // of the agent
    uint16_t port;
    struct instant turned;
    double turned_processor;
    double longest_turn; // seconds
    double longest_turn_processor;
};

struct fetched {
    size_t size;
    double seconds;
    double processor; // of all threads but the client's
    double first_byte;
};

static double processor_of(clockid_t clock)
{
    struct timespec used;
    clock_gettime(clock, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

// Of the process but for this thread.
static double processor_of_others(void)
{
    return processor_of(CLOCK_PROCESS_CPUTIME_ID) - processor_of(CLOCK_THREAD_CPUTIME_ID);
}

static double seconds_since(struct instant begun)
{
    return span_seconds(instant_since(clock_now().instant, begun));
}

// ---- the client, in a thread of its own: one request after the other ----

static struct sockaddr_in local(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

// A listening socket of ours, and its port.
static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in name = local(0);
    socklen_t size = sizeof name;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listening, (struct sockaddr *)&name, sizeof name) != 0 || listen(listening, 8) != 0 ||
        getsockname(listening, (struct sockaddr *)&name, &size) != 0) {
        perror("listen");
        exit(EXIT_FAILURE);
    }
    *port = ntohs(name.sin_port);
    return listening;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in name = local(port);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(descriptor, (struct sockaddr *)&name, sizeof name) != 0) {
        perror("connect");
        exit(EXIT_FAILURE);
    }
    return descriptor;
}

static struct fetched fetch(uint16_t port, const char *path)
{
    static char buffer[1 << 16];
    int descriptor = connect_to(port);
    struct fetched fetched = {.processor = -processor_of_others()};
    struct instant begun = clock_now().instant;
    dprintf(descriptor, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    for (ssize_t count; (count = read(descriptor, buffer, sizeof buffer)) > 0;) {
        fetched.first_byte = fetched.size == 0 ? seconds_since(begun) : fetched.first_byte;
        fetched.size += (size_t)count;
    }
    fetched.seconds = seconds_since(begun);
    fetched.processor += processor_of_others();
    close(descriptor);
    return fetched;
}

static void print(const char *what, const struct fetched *fetched, const struct bench *bench)
{
    printf("%-16s %10zu B %8.1f ms %8.1f ms of the processor, first byte %6.2f ms, longest turn "
           "%6.2f ms, %6.2f ms of the processor\n",
           what, fetched->size, fetched->seconds * 1e3, fetched->processor * 1e3,
           fetched->first_byte * 1e3, bench->longest_turn * 1e3,
           bench->longest_turn_processor * 1e3);
    fflush(stdout);
}

// ---- the rival ----

static enum MHD_Result on_request(void *response, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **state)
{
    static int seen;
    (void)path, (void)method, (void)version, (void)upload, (void)upload_size;
    if (*state == NULL) {
        *state = &seen;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static struct MHD_Response *static_response(size_t size, bool as_file)
{
    char *bytes = memory_checked(malloc(size));
    memset(bytes, 'm', size); // pages of their own, not the one of zeros
    if (!as_file) {
        return MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
    }
    FILE *file = memory_checked(tmpfile());
    fwrite(bytes, 1, size, file);
    fflush(file);
    free(bytes);
    return MHD_create_response_from_fd(size, dup(fileno(file)));
}

static void fetch_static(struct bench *bench, const char *what, size_t size, bool as_file)
{
    uint16_t port;
    int listening = listen_somewhere(&port);
    struct MHD_Response *response = memory_checked(static_response(size, as_file));
    struct MHD_Daemon *daemon = memory_checked(
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, response,
                         MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_END));
    for (int round = 0; round < ROUNDS; round++) {
        bench->longest_turn = bench->longest_turn_processor = 0;
        struct fetched fetched = fetch(port, "/");
        print(what, &fetched, bench);
    }
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
}

static void *run_client(void *context)
{
    struct bench *bench = context;
    size_t size = 0;
    for (int i = 0; i < PATH_COUNT; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            bench->longest_turn = bench->longest_turn_processor = 0;
            struct fetched fetched = fetch(bench->port, PATHS[i]);
            print(PATHS[i], &fetched, bench);
            size = fetched.size > size ? fetched.size : size;
        }
    }
    fetch_static(bench, "static-memory", size, false);
    fetch_static(bench, "static-file", size, true);
    uv_async_send(&bench->finished);
    return NULL;
}

// ---- the loop, and how long its turns take from waking up to waiting again ----

static void on_wake(uv_check_t *check)
{
    struct bench *bench = check->data;
    bench->turned = clock_now().instant;
    bench->turned_processor = processor_of(CLOCK_THREAD_CPUTIME_ID);
}

static void on_wait(uv_prepare_t *prepare)
{
    struct bench *bench = prepare->data;
    double turn = seconds_since(bench->turned);
    double used = processor_of(CLOCK_THREAD_CPUTIME_ID) - bench->turned_processor;
    if (turn > bench->longest_turn) {
        bench->longest_turn = turn;
    }
    if (used > bench->longest_turn_processor) {
        bench->longest_turn_processor = used;
    }
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

static void run_loop(struct bench *bench)
{
    uv_prepare_t prepare;
    uv_check_t check;
    pthread_t client;
    uv_prepare_init(&bench->loop, &prepare);
    uv_check_init(&bench->loop, &check);
    prepare.data = check.data = bench;
    bench->turned = clock_now().instant;
    bench->turned_processor = processor_of(CLOCK_THREAD_CPUTIME_ID);
    uv_prepare_start(&prepare, on_wait);
    uv_check_start(&check, on_wake);
    uv_async_init(&bench->loop, &bench->finished, on_finished);
    pthread_create(&client, NULL, run_client, bench);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    pthread_join(client, NULL);
}

int main(int count, char **arguments)
{
    static struct bench bench;
    struct error error;
    size_t peers = count > 1 ? strtoul(arguments[1], NULL, 10) : 100;
    uv_loop_init(&bench.loop);
    bench.agent = agent_fixture_create(peers);
    open_incidents(bench.agent, count > 2 ? strtoul(arguments[2], NULL, 10) : 0);
    close(listen_somewhere(&bench.port)); // it is free then
    snprintf(bench.address, sizeof bench.address, "127.0.0.1:%u", bench.port);
    bench.agent->settings->http.listen = (const char *[]){bench.address};
    bench.agent->settings->http.listen_count = 1;
    bench.http = http_create(&bench.loop, bench.agent->settings, bench.agent, &error);
    if (bench.http == NULL) {
        fprintf(stderr, "%s\n", error.message);
        return EXIT_FAILURE;
    }
    run_loop(&bench);
    http_destroy(bench.http);
    agent_fixture_destroy(bench.agent);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%zu peers, at most %ld MiB resident\n", peers, usage.ru_maxrss / 1024);
    return EXIT_SUCCESS;
}
