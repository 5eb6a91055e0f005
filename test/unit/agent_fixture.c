#include "agent_fixture.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/text.h"
#include "shell/http_message.h"

// ---- settings ----

static const char *format_name(struct arena *arena, size_t number)
{
    char name[SERVER_NAME_SIZE];
    snprintf(name, sizeof name, "mx%02zu", number);
    return arena_copy_text(arena, name);
}

static int compare_names(const void *a, const void *b, void *peers)
{
    const struct peer_settings *of = peers;
    return strcmp(of[*(const uint32_t *)a].name, of[*(const uint32_t *)b].name);
}

static void add_peers(struct settings *settings, size_t count)
{
    struct peer_settings *peers = arena_take(settings->arena, (count + 1) * sizeof *peers);
    uint32_t *by_name = arena_take(settings->arena, (count + 1) * sizeof *by_name);
    for (size_t i = 0; i < count; i++) {
        by_name[i] = (uint32_t)i;
        peers[i] = (struct peer_settings){.name = format_name(settings->arena, i + 2),
                                          .address = "",
                                          .agent = "",
                                          .collect = "",
                                          .relay = settings->relay,
                                          .path = settings->defaults};
    }
    qsort_r(by_name, count, sizeof *by_name, compare_names, peers);
    settings->peers = peers;
    settings->peers_by_name = by_name;
    settings->peer_count = count;
}

static void add_addresses(struct settings *settings, const char *directory,
                          const char *const *listen, size_t count)
{
    char control[128];
    const char **copies = arena_take(settings->arena, (count + 1) * sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        copies[i] = arena_copy_text(settings->arena, listen[i]);
    }
    snprintf(control, sizeof control, "%s/control.sock", directory);
    settings->http = (struct http_settings){
        .listen = copies,
        .listen_count = count,
        .control = arena_copy_text(settings->arena, control),
        .ca_file = "",
        .certificate_file = "",
        .certificate = "",
        .key = "",
        .token = "",
    };
}

struct settings *agent_fixture_settings(size_t peers, const char *directory,
                                        const char *const *listen, size_t listen_count)
{
    static const struct mailbox_settings LOCAL = {.name = "local", .tls = TLS_IMPLICIT};
    struct arena *arena = arena_create();
    struct settings *settings = arena_take(arena, sizeof *settings);
    *settings = (struct settings){
        .arena = arena,
        .server = "mx01",
        .address = "",
        .state_dir = arena_copy_text(arena, directory),
        .relay = {.host = "127.0.0.1", .port = 25},
        .mailboxes = &LOCAL,
        .mailbox_count = 1,
        .defaults = {.interval = SPAN_SECONDS(60),
                     .latency = {SPAN_SECONDS(60), SPAN_MINUTES(5)},
                     .thin_after = 8,
                     .thin_interval = SPAN_MINUTES(15),
                     .queue_lifetime = SPAN_HOURS(132)},
        .maintenance = {.settle = SPAN_MINUTES(5),
                        .recovery = SPAN_SECONDS(4900),
                        .alertmanager = {.url = ""}},
        .incidents = {.hold = SPAN_SECONDS(60), .reminder = SPAN_HOURS(4), .refused_after = 3},
    };
    add_peers(settings, peers);
    add_addresses(settings, directory, listen, listen_count);
    return settings;
}

// ---- life ----

struct agent *agent_fixture_create(size_t peers)
{
    char kept[256];
    struct error error;
    struct agent *agent = memory_checked(calloc(1, sizeof *agent));
    strcpy(agent->directory, "/tmp/mailflow-http-XXXXXX");
    if (mkdtemp(agent->directory) == NULL) {
        abort();
    }
    agent->settings = agent_fixture_settings(peers, agent->directory, NULL, 0);
    agent->core = core_create(agent->settings, MOMENT(0), 1);
    agent->store = store_open(agent->directory, MOMENT(0), kept, sizeof kept, &error);
    core_start(agent->core, MOMENT(0), WALLTIME_NONE, WALLTIME_NONE);
    agent->reload_successful = true;
    exchanges_configure(&agent->exchanges, agent->settings);
    return memory_checked(agent->store) == NULL ? NULL : agent;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

void agent_fixture_destroy(struct agent *agent)
{
    store_close(agent->store);
    exchanges_free(&agent->exchanges);
    core_destroy(agent->core);
    arena_destroy(agent->settings->arena);
    nftw(agent->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(agent);
}

struct peer *agent_fixture_peer(struct agent *agent, int peer)
{
    return (struct peer *)core_peer(agent->core, peer);
}

char *agent_fixture_read(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, SOURCE_ROOT "/test/unit/%s", name);
    FILE *file = memory_checked(fopen(path, "re"));
    enum { ROOM = 1 << 20 };
    char *content = memory_checked(malloc(ROOM));
    content[fread(content, 1, ROOM - 1, file)] = '\0';
    fclose(file);
    return content;
}

void agent_fixture_clear(struct http_response *response)
{
    free(response->body);
    if (response->stream.end != NULL) {
        response->stream.end(response->stream.state);
    }
    *response = (struct http_response){0};
}

char *agent_fixture_take_body(struct http_response *response)
{
    static char piece[HTTP_PIECE_SIZE];
    char *body = memory_checked(strdup(response->body == NULL ? "" : response->body));
    size_t length = strlen(body);
    for (bool more = response->stream.next != NULL; more;) {
        struct text text = TEXT_OVER(piece);
        more = response->stream.next(response->stream.state, &text);
        assert(!text.truncated);
        body = memory_checked(realloc(body, length + text.length + 1));
        memcpy(body + length, piece, text.length + 1);
        length += text.length;
    }
    agent_fixture_clear(response);
    return body;
}

// ---- shell/agent.h ----

const struct core *agent_core(const struct agent *agent)
{
    return agent->core;
}

const struct settings *agent_settings(const struct agent *agent)
{
    return agent->settings;
}

const unsigned *agent_generation(const struct agent *agent)
{
    return &agent->generation;
}

struct store *agent_store(const struct agent *agent)
{
    return agent->store;
}

struct walltime agent_started(const struct agent *agent)
{
    (void)agent;
    return WALL(0);
}

struct agent_workers agent_workers(const struct agent *agent)
{
    (void)agent;
    return (struct agent_workers){.busy = 1, .killed = 2, .waiting = 3};
}

const struct exchanges *agent_exchanges(const struct agent *agent)
{
    return &agent->exchanges;
}

const struct peer_sources *agent_peer_sources(const struct agent *agent)
{
    static const struct peer_sources NONE;
    (void)agent;
    return &NONE;
}

bool agent_lists_agree(const struct agent *agent)
{
    (void)agent;
    return true;
}

struct alertmanager_figures agent_alertmanager(const struct agent *agent)
{
    return agent->alertmanager;
}

enum exchange_freshness agent_admit_exchange(struct agent *agent, int peer,
                                             const struct exchange_message *message,
                                             struct walltime now)
{
    return exchange_guard_admit(&agent->exchanges.peers[peer].guard, &message->nonce, message->time,
                                now);
}

bool agent_take_exchange(struct agent *agent, int peer, const struct exchange_message *message,
                         struct walltime received, struct error *error)
{
    (void)peer, (void)message, (void)received;
    return !agent->ledger_fails || error_set(error, "the ledger cannot be written");
}

void agent_reject_exchange(struct agent *agent, enum exchange_rejection reason, const char *cause)
{
    (void)cause;
    agent->exchanges.rejected[reason]++;
}

bool agent_reload_successful(const struct agent *agent)
{
    return agent->reload_successful;
}

bool agent_ready(const struct agent *agent, char *reason, size_t size)
{
    text_copy(reason, size, agent->not_ready == NULL ? "" : agent->not_ready);
    return agent->not_ready == NULL;
}

bool agent_put_window(struct agent *agent, const struct window *window, struct error *error)
{
    static struct actions actions;
    if (agent->ledger_fails) {
        return error_set(error, "the ledger cannot be written");
    }
    struct event event = {.kind = EVENT_WINDOW, .window = *window};
    actions.count = 0;
    core_handle(agent->core, &event, MOMENT(1), &actions);
    store_put_window(agent->store, window);
    return store_commit(agent->store, STORE_DURABLE, error);
}

bool agent_probe_by_hand(struct agent *agent, int peer, struct probe_id *id, struct error *error)
{
    (void)peer;
    random_bytes(id, sizeof *id);
    return !agent->refuses_probe || error_set(error, "4 probes are still being handed over");
}

static bool refuse(struct agent *agent, struct config_problems *problems, const char *message)
{
    struct config_problem *problem = &problems->items[problems->count++];
    problems->errors++;
    *problem = (struct config_problem){.file = "mailflow.yaml", .line = 3, .column = 7};
    text_copy(problem->message, sizeof problem->message, message);
    agent->reload_successful = false;
    return false;
}

bool agent_reload(struct agent *agent, struct config_problems *problems)
{
    struct error error;
    struct settings *before = agent->settings;
    if (agent->next == NULL) {
        return refuse(agent, problems, "unknown key \"colour\"");
    }
    if (!agent->listener.take_over(agent->listener.context, agent->next, &error)) {
        return refuse(agent, problems, error.message);
    }
    agent->settings = agent->next;
    agent->next = NULL;
    agent->generation++;
    exchanges_configure(&agent->exchanges, agent->settings);
    core_configure(agent->core, agent->settings, MOMENT(1));
    arena_destroy(before->arena);
    agent->reload_successful = true;
    return true;
}
