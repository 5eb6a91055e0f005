#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/answer.h"
#include "ctl/format.h"
#include "ctl/peers.h"
#include "ctl/probe_pages.h"
#include "ctl/report.h"
#include "ctl/table.h"
#include "ctl/verb.h"

enum { PAGE_SIZE = 1000, DIRECTIONS_OF_PEER = 2 };

enum { COLUMN_ERROR = 7, COLUMN_PROBE, COLUMN_COUNT };

// So much of an id is enough for mailflowctl explain, and as a rule for nobody else's.
enum { ID_SHOWN = 8 };

// Widths from the start, so that pages printed one after the other stand under each other.
static const struct table_column COLUMNS[COLUMN_COUNT] = {
    {.title = "SENT", .least = 19, .timed = true},
    {.title = "PATH", .cut = 12},
    {.title = "KIND", .least = 8, .sequence = 2},
    {.title = "SLOT", .right = true, .least = 10, .sequence = 3},
    {.title = "STATE", .least = 9, .sequence = 4},
    {.title = "VERDICT", .least = 7},
    {.title = "LATENCY", .right = true, .least = 10},
    [COLUMN_ERROR] = {.title = "+-ERROR", .right = true, .least = 8, .sequence = 1},
    [COLUMN_PROBE] = {.title = "PROBE", .least = ID_SHOWN, .sequence = 1},
};

struct history {
    const struct context *context;
    struct probe_pages pages[DIRECTIONS_OF_PEER];
    size_t page_count;
    struct table *table;
    size_t printed;
};

// ---- one probe ----

static void add_text(struct table *table, const json_t *probe, const char *member)
{
    table_add(table, answer_text(probe, member), COLOUR_PLAIN);
}

static void add_sent(struct table *table, const json_t *probe)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    struct walltime at = probe_time(probe);
    if (walltime_known(at)) {
        format_date(at, &text);
    }
    table_add(table, shown, COLOUR_PLAIN);
}

static void add_slot(struct table *table, const json_t *probe)
{
    char shown[32];
    struct text text = TEXT_OVER(shown);
    int64_t slot;
    if (answer_integer(probe, "slot", &slot)) {
        text_format(&text, "%lld", (long long)slot);
    }
    table_add(table, shown, COLOUR_PLAIN);
}

static void add_span(struct table *table, const json_t *probe, const char *member)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    struct span span;
    if (answer_span(probe, member, &span)) {
        format_latency(span, &text);
    }
    table_add(table, shown, COLOUR_PLAIN);
}

static void add_id(struct table *table, const json_t *probe)
{
    char shown[ID_SHOWN + 1];
    struct text text = TEXT_OVER(shown);
    text_append(&text, answer_text(probe, "id"));
    table_add(table, shown, COLOUR_PLAIN);
}

static void add_verdict(struct table *table, const json_t *probe)
{
    const char *verdict = answer_text(probe, "verdict");
    bool bad = strcmp(verdict, "lost") == 0 || strcmp(verdict, "bounced") == 0;
    enum colour colour = bad                               ? COLOUR_BAD
                         : strcmp(verdict, "late") == 0    ? COLOUR_WARNING
                         : strcmp(verdict, "on_time") == 0 ? COLOUR_GOOD
                                                           : COLOUR_PLAIN;
    table_add(table, verdict, colour);
}

static void add_probe(const struct history *history, const json_t *probe)
{
    add_sent(history->table, probe);
    add_text(history->table, probe, "path");
    add_text(history->table, probe, "kind");
    add_slot(history->table, probe);
    add_text(history->table, probe, "state");
    add_verdict(history->table, probe);
    add_span(history->table, probe, "latency_seconds");
    add_span(history->table, probe, "latency_error_seconds");
    add_id(history->table, probe);
}

// One probe a line, so that any number of them is printed as it comes.
static void print_json_probe(const struct history *history, const json_t *probe)
{
    fputs(history->printed == 0 ? "{\"probes\":[\n" : ",\n", stdout);
    report_json_item(history->context, probe);
}

static void print_probe(struct history *history, const json_t *probe)
{
    if (history->context->command->json) {
        print_json_probe(history, probe);
    } else {
        add_probe(history, probe);
        if ((history->printed + 1) % PAGE_SIZE == 0) {
            table_print(history->table, stdout);
        }
    }
    history->printed++;
}

// ---- both paths, merged ----

// The pages whose probe at hand is the newest in *newest, NULL when none is left.
static bool find_newest(struct history *history, struct probe_pages **newest,
                        const json_t **newest_probe, int *code)
{
    *newest = NULL;
    for (size_t i = 0; i < history->page_count; i++) {
        const json_t *probe;
        if (!probe_pages_peek(&history->pages[i], &probe, code)) {
            return false;
        }
        if (probe != NULL &&
            (*newest == NULL || probe_time(probe).ns > probe_time(*newest_probe).ns)) {
            *newest = &history->pages[i];
            *newest_probe = probe;
        }
    }
    return true;
}

static int print_probes(struct history *history)
{
    int code = EXIT_DONE;
    int64_t limit = history->context->command->limit;
    struct probe_pages *newest;
    const json_t *probe;
    while ((limit == 0 || (int64_t)history->printed < limit) &&
           find_newest(history, &newest, &probe, &code) && newest != NULL) {
        print_probe(history, probe);
        probe_pages_advance(newest);
    }
    return code;
}

static void print_end(const struct history *history, int code)
{
    bool json = history->context->command->json;
    if (json && code == EXIT_DONE) {
        fputs(history->printed == 0 ? "{\"probes\":[" : "\n", stdout);
        fputs("],\"next\":null}\n", stdout);
    } else if (!json && history->printed > 0) {
        table_print(history->table, stdout);
    } else if (code == EXIT_DONE) {
        printf("No probes (--since %s).\n", history->context->command->since);
    }
}

static void open_pages(struct history *history, const json_t *paths, const char *peer)
{
    const struct command *command = history->context->command;
    int64_t limit = command->limit;
    int64_t size = limit > 0 && limit < PAGE_SIZE ? limit : PAGE_SIZE;
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const json_t *path = json_array_get(paths, i);
        if (strcmp(answer_text(path, "peer"), peer) == 0 &&
            history->page_count < DIRECTIONS_OF_PEER) {
            history->pages[history->page_count++] =
                probe_pages_of(history->context, answer_text(path, "path"), command->since, size);
        }
    }
}

static int fail_unknown_peer(const struct context *context, const json_t *paths, const char *peer)
{
    char shown[128];
    struct text text = TEXT_OVER(shown);
    struct error error;
    format_text(peer, &text);
    error_set(&error, "no peer '%s'", shown);
    if (!peers_suggest(context->client, paths, peer, &error)) {
        peers_list(paths, &error);
    }
    return report_failure(context, EXIT_REFUSED, error.message);
}

static int show_history(const struct context *context, const json_t *paths, const char *peer)
{
    struct history history = {.context = context};
    open_pages(&history, paths, peer);
    if (history.page_count == 0) {
        return fail_unknown_peer(context, paths, peer);
    }
    struct table_column columns[COLUMN_COUNT];
    memcpy(columns, COLUMNS, sizeof columns);
    if (context->terminal.utf8) {
        columns[COLUMN_ERROR].title = "±ERROR";
    }
    history.table = table_create(columns, COLUMN_COUNT, &context->terminal);
    int code = print_probes(&history);
    print_end(&history, code);
    table_destroy(history.table);
    for (size_t i = 0; i < history.page_count; i++) {
        probe_pages_close(&history.pages[i]);
    }
    return code;
}

int verb_history(struct context *context)
{
    int code = EXIT_DONE;
    struct error error;
    json_t *answer = report_ask(context, "GET", "/paths", NULL, NULL, &code);
    if (answer == NULL) {
        return code;
    }
    const json_t *paths = answer_list(answer, "paths", &error);
    code = paths == NULL ? report_failure(context, EXIT_REFUSED, error.message)
                         : show_history(context, paths, context->command->words[0]);
    json_decref(answer);
    return code;
}
