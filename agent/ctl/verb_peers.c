#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/text.h"
#include "config/config.h"
#include "ctl/format.h"
#include "ctl/report.h"
#include "ctl/table.h"
#include "ctl/verb.h"

enum { WHY_SIZE = 64, FROM_SIZE = 320 };

// One peer of whom the plan is, in words and in JSON.
struct planned {
    const char *name;
    const char *address;
    const char *agent;
    uint8_t reasons;
    const char *origin;
    unsigned line;
    struct span interval;
};

struct peer_plan {
    const struct settings *settings;
    const char *of;
    struct planned *peers;
    size_t count;
};

// ---- making it ----

static void plan_own(struct peer_plan *plan)
{
    const struct settings *settings = plan->settings;
    plan->peers = memory_checked(calloc(settings->peer_count + 1, sizeof *plan->peers));
    plan->count = settings->peer_count;
    for (size_t i = 0; i < plan->count; i++) {
        const struct peer_settings *peer = &settings->peers[i];
        plan->peers[i] =
            (struct planned){peer->name,   peer->address, peer->agent,        peer->reasons,
                             peer->origin, peer->line,    peer->path.interval};
    }
}

// As the other server makes it out of the same lists. What it has configured is not known here.
static void plan_other(struct peer_plan *plan)
{
    const struct settings *settings = plan->settings;
    uint8_t *reasons = memory_checked(calloc(settings->mesh_count + 1, sizeof *reasons));
    plan->peers = memory_checked(calloc(settings->mesh_count + 1, sizeof *plan->peers));
    settings_pick_peers(settings, plan->of, reasons);
    for (size_t i = 0; i < settings->mesh_count; i++) {
        const struct listed_server *server = &settings->mesh[i];
        const struct peer_list *list = &settings->lists[server->list];
        if (reasons[i] != 0) {
            plan->peers[plan->count++] =
                (struct planned){server->name,
                                 server->address,
                                 server->agent,
                                 reasons[i],
                                 list->name,
                                 server->line,
                                 settings->peers_from[list->source].path.interval};
        }
    }
    free(reasons);
}

static double probes_per_minute(const struct peer_plan *plan)
{
    double sum = 0;
    for (size_t i = 0; i < plan->count; i++) {
        sum += 60 / span_seconds(plan->peers[i].interval);
    }
    return sum;
}

// ---- telling it ----

static const struct {
    uint8_t reason;
    const char *name;
} REASONS[] = {
    {PEER_CONFIGURED, "configured"},
    {PEER_LISTED, "listed"},
    {PEER_WATCHED, "watched"},
    {PEER_WATCHER, "watcher"},
};

static const char *why(const struct planned *peer, char out[WHY_SIZE])
{
    struct text text = text_over(out, WHY_SIZE);
    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++) {
        if ((peer->reasons & REASONS[i].reason) != 0) {
            text_format(&text, "%s%s", text.length == 0 ? "" : ", ", REASONS[i].name);
        }
    }
    return out;
}

static const char *from(const struct planned *peer, char out[FROM_SIZE])
{
    struct text text = text_over(out, FROM_SIZE);
    text_append(&text, peer->origin);
    if (peer->line > 0) {
        text_format(&text, ":%u", peer->line);
    }
    return out;
}

static void print_table(const struct context *context, const struct peer_plan *plan)
{
    static const struct table_column COLUMNS[] = {
        {.title = "PEER"},
        {.title = "ADDRESS", .cut = 12},
        {.title = "AGENT", .cut = 12, .sequence = 2},
        {.title = "WHY"},
        {.title = "EVERY", .right = true, .sequence = 1},
        {.title = "FROM", .cut = 12, .sequence = 3},
    };
    struct table *table =
        table_create(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0], &context->terminal);
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned *peer = &plan->peers[i];
        char buffer[FROM_SIZE], words[WHY_SIZE], every[24];
        struct text span = TEXT_OVER(every);
        table_add(table, peer->name, COLOUR_PLAIN);
        table_add(table, peer->address, COLOUR_PLAIN);
        table_add(table, peer->agent, COLOUR_PLAIN);
        table_add(table, why(peer, words), COLOUR_PLAIN);
        span_append(peer->interval, &span);
        table_add(table, every, COLOUR_PLAIN);
        table_add(table, from(peer, buffer), COLOUR_PLAIN);
    }
    table_print(table, stdout);
    table_destroy(table);
}

// In a small mesh there are not as many others, and both ends of a pair watch each other.
static void print_fanout(const struct settings *settings)
{
    size_t servers = settings->mesh_count, fanout = settings->fanout;
    size_t others = servers == 0 ? 0 : servers - 1;
    size_t watchers = fanout < others ? fanout : others;
    size_t all = servers * others / 2;
    size_t pairs = servers * fanout < all ? servers * fanout : all;
    printf(", fanout %zu: every one has %zu watcher%s, at most %zu pair%s in all", fanout, watchers,
           watchers == 1 ? "" : "s", pairs, pairs == 1 ? "" : "s");
}

static void print_lists(const struct settings *settings)
{
    if (settings->list_count == 0) {
        return;
    }
    printf("%zu server%s in %zu list%s", settings->mesh_count, settings->mesh_count == 1 ? "" : "s",
           settings->list_count, settings->list_count == 1 ? "" : "s");
    if (settings->fanout > 0) {
        print_fanout(settings);
    }
    puts("");
    for (size_t i = 0; i < settings->list_count; i++) {
        const struct peer_list *list = &settings->lists[i];
        if (list->failure[0] != '\0') {
            printf("%s: %s\n", list->name, list->failure);
        }
    }
}

static void print_text(const struct context *context, const struct peer_plan *plan)
{
    print_table(context, plan);
    printf("%s%s: %zu peer%s, %.1f probes a minute to them\n", plan->count == 0 ? "" : "\n",
           plan->of, plan->count, plan->count == 1 ? "" : "s", probes_per_minute(plan));
    print_lists(plan->settings);
}

static json_t *reasons_to_json(uint8_t reasons)
{
    json_t *list = memory_checked(json_array());
    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++) {
        if ((reasons & REASONS[i].reason) != 0) {
            json_array_append_new(list, json_string(REASONS[i].name));
        }
    }
    return list;
}

static json_t *peer_to_json(const struct planned *peer)
{
    return memory_checked(json_pack(
        "{s:o, s:o, s:o, s:o, s:f, s:o, s:i}", "peer", client_json_text(peer->name), "address",
        client_json_text(peer->address), "agent", client_json_text(peer->agent), "reasons",
        reasons_to_json(peer->reasons), "interval_seconds", span_seconds(peer->interval), "source",
        client_json_text(peer->origin), "line", (int)peer->line));
}

static json_t *list_to_json(const struct peer_list *list)
{
    return memory_checked(json_pack("{s:o, s:I, s:o}", "source", client_json_text(list->name),
                                    "servers", (json_int_t)list->count, "problem",
                                    client_json_text(list->failure)));
}

static void print_json(const struct context *context, const struct peer_plan *plan)
{
    const struct settings *settings = plan->settings;
    json_t *peers = memory_checked(json_array()), *lists = memory_checked(json_array());
    for (size_t i = 0; i < plan->count; i++) {
        json_array_append_new(peers, peer_to_json(&plan->peers[i]));
    }
    for (size_t i = 0; i < settings->list_count; i++) {
        json_array_append_new(lists, list_to_json(&settings->lists[i]));
    }
    json_t *whole = memory_checked(json_pack(
        "{s:o, s:I, s:I, s:f, s:o, s:o}", "server", client_json_text(plan->of), "mesh_servers",
        (json_int_t)settings->mesh_count, "fanout", (json_int_t)settings->fanout,
        "probes_per_minute", probes_per_minute(plan), "peers", peers, "lists", lists));
    report_json(context, whole);
    json_decref(whole);
}

// ---- the verb ----

static int refuse_stranger(const struct context *context, const struct settings *settings,
                           const char *name)
{
    const char **names = memory_checked(calloc(settings->mesh_count + 1, sizeof *names));
    for (size_t i = 0; i < settings->mesh_count; i++) {
        names[i] = settings->mesh[i].name;
    }
    const char *meant = suggest_nearest(name, names, settings->mesh_count);
    char words[200];
    struct text text = TEXT_OVER(words);
    text_append(&text, "no list has a server '");
    format_text(name, &text);
    text_format(&text, "'%s%s%s", meant == NULL ? "" : "; did you mean '",
                meant == NULL ? "" : meant, meant == NULL ? "" : "'?");
    free(names);
    return report_failure(context, EXIT_REFUSED, words);
}

static int refuse_configuration(const struct context *context,
                                const struct config_problems *problems)
{
    bool exists = config_exists(context->command->config);
    return report_configuration(
        context, problems,
        exists ? "the peers are not known before that is put in order; no agent is asked for them, "
                 "only the file is read"
               : "without a configuration there are no peers; --config names another file");
}

int verb_peers(struct context *context)
{
    struct config_problems problems = {0};
    struct settings *settings = settings_load_without_secrets(context->command->config, &problems);
    if (settings == NULL) {
        return refuse_configuration(context, &problems);
    }
    int code = EXIT_DONE;
    const char *of = context->command->of;
    struct peer_plan plan = {.settings = settings, .of = of == NULL ? settings->server : of};
    bool own = strcmp(plan.of, settings->server) == 0;
    if (!own && settings_find_listed(settings, plan.of) < 0) {
        code = refuse_stranger(context, settings, plan.of);
    } else {
        (own ? plan_own : plan_other)(&plan);
        (context->command->json ? print_json : print_text)(context, &plan);
    }
    free(plan.peers);
    settings_destroy(settings);
    return code;
}
