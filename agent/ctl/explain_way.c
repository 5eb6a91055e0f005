#include "ctl/explain_way.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/answer.h"
#include "base/text.h"
#include "ctl/format.h"
#include "ctl/table.h"

enum { LINE_SIZE = 1024, CELL_SIZE = 160 };

static const struct table_column COLUMNS[] = {
    {.title = "  HOP", .cut = 14},
    {.title = "FROM", .cut = 14, .sequence = 3},
    {.title = "TIME"},
    {.title = "DELTA", .right = true},
    {.title = "ERROR", .right = true, .sequence = 4},
    {.title = "WITH", .cut = 6, .sequence = 5},
    {.title = "TLS", .cut = 8, .sequence = 1},
    {.title = "QUEUE ID", .cut = 10, .sequence = 2},
    {.title = "SLOWEST"},
};

static void add_latency(struct table *table, const json_t *hop, const char *member,
                        enum colour colour)
{
    char cell[CELL_SIZE];
    struct text text = TEXT_OVER(cell);
    struct span span;
    if (answer_span(hop, member, &span)) {
        format_latency(span, &text);
    }
    table_add(table, cell, colour);
}

static void add_time(struct table *table, const json_t *hop, const char *member)
{
    char cell[CELL_SIZE];
    struct text text = TEXT_OVER(cell);
    struct walltime at;
    if (answer_time(hop, member, &at)) {
        format_date(at, &text);
    }
    table_add(table, cell, COLOUR_PLAIN);
}

// `station`: where it came to; `time`: of the probe, or in the hop.
static void add_row(struct table *table, const char *station, const json_t *hop,
                    const json_t *time_of, const char *time)
{
    char cell[CELL_SIZE];
    enum colour colour = answer_true(hop, "slowest") ? COLOUR_WARNING : COLOUR_PLAIN;
    struct text text = TEXT_OVER(cell);
    text_append(&text, "  ");
    text_append(&text, station[0] == '\0' ? "?" : station);
    table_add(table, cell, colour);
    table_add(table, answer_text(hop, "from"), COLOUR_PLAIN);
    add_time(table, time_of, time);
    add_latency(table, hop, "delta_seconds", colour);
    add_latency(table, hop, "delta_error_seconds", COLOUR_PLAIN);
    table_add(table, answer_text(hop, "protocol"), COLOUR_PLAIN);
    table_add(table, answer_text(hop, "tls"), COLOUR_PLAIN);
    table_add(table, answer_text(hop, "queue_id"), COLOUR_PLAIN);
    table_add(table,
              answer_true(hop, "slowest")      ? "slowest"
              : answer_true(hop, "time_wrong") ? "wrong"
                                               : " ",
              colour);
}

static void print_more(const json_t *probe)
{
    int64_t more;
    if (answer_integer(probe, "hops_more", &more) && more > 0) {
        printf("            %" PRId64 " older hop%s left out\n", more, more == 1 ? "" : "s");
    }
    if (answer_true(probe, "hops_cut")) {
        puts("            its way is longer than what is read of it");
    }
}

static void print_route(const json_t *probe)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    const json_t *route = json_object_get(probe, "route");
    const json_t *hosts = json_object_get(route, "hosts");
    for (size_t i = 0; i < json_array_size(hosts); i++) {
        const char *host = json_string_value(json_array_get(hosts, i));
        text_append(&text, i == 0 ? "" : " -> ");
        format_text(host == NULL ? "?" : host, &text);
    }
    if (line[0] != '\0') {
        printf("  route     %s%s\n", line,
               answer_true(route, "changed") ? ", not the one that this path is known to take"
                                             : "");
    }
}

// "mx2.example (id 4F2)"
static void append_station(const json_t *slowest, struct text *out)
{
    const char *queue_id = answer_text(slowest, "queue_id");
    format_text(answer_text(slowest, "hop_from"), out);
    if (queue_id[0] != '\0') {
        text_append(out, " (id ");
        format_text(queue_id, out);
        text_append(out, ")");
    }
}

static void append_end(const json_t *slowest, struct text *out)
{
    const char *to = answer_text(slowest, "hop");
    text_append(out, strcmp(to, "mailbox") == 0 ? "the " : "");
    format_text(to, out);
}

static void append_between(const json_t *slowest, int64_t skipped, struct text *out)
{
    text_append(out, ", between ");
    text_append(out, strcmp(answer_text(slowest, "hop_from"), "agent") == 0 ? "the " : "");
    append_station(slowest, out);
    text_append(out, " and ");
    append_end(slowest, out);
    if (skipped > 0) {
        text_format(out, ", past %" PRId64 " hop%s of unknown time", skipped,
                    skipped == 1 ? "" : "s");
    }
}

// What the table would cut off in a narrow terminal: where it waited, and as what.
static void print_slowest(const json_t *probe, const struct terminal *terminal)
{
    static const char *const NO_QUEUES[] = {"agent", "an earlier hop"};
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    const json_t *slowest = json_object_get(probe, "slowest");
    struct span delay, error;
    int64_t skipped = 0;
    if (!answer_span(slowest, "delay_seconds", &delay) ||
        !answer_span(slowest, "error_seconds", &error)) {
        return;
    }
    format_latency(delay, &text);
    text_append(&text, terminal->utf8 ? " ±" : " +-");
    format_latency(error, &text);
    const char *from = answer_text(slowest, "hop_from");
    answer_integer(slowest, "skipped", &skipped);
    if (skipped > 0 || strcmp(from, NO_QUEUES[0]) == 0 || strcmp(from, NO_QUEUES[1]) == 0) {
        append_between(slowest, skipped, &text);
    } else {
        text_append(&text, ", in the queue of ");
        append_station(slowest, &text);
        text_append(&text, ", to ");
        append_end(slowest, &text);
    }
    printf("  slowest   %s\n", line);
}

// The sender of what another agent collected has it by a receipt, which says nothing of the way.
static void print_elsewhere(const json_t *probe)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    const char *peer = answer_text(probe, "way_known_at");
    if (peer[0] != '\0') {
        text_append(&text, "known at ");
        format_text(peer, &text);
        text_append(&text, ": mailflowctl explain ");
        format_text(answer_text(probe, "id"), &text);
        text_append(&text, " there");
        printf("  hops      %s\n", line);
    }
}

static void print_hops(const json_t *probe, const struct terminal *terminal)
{
    const json_t *hops = json_object_get(probe, "hops");
    const json_t *delivery = json_object_get(probe, "delivery");
    if (json_array_size(hops) == 0) {
        print_elsewhere(probe);
        return;
    }
    print_route(probe);
    print_slowest(probe, terminal);
    puts("  hops      from server to server, by their own clocks:");
    print_more(probe);
    struct table *table = table_create(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0], terminal);
    for (size_t i = 0; i < json_array_size(hops); i++) {
        const json_t *hop = json_array_get(hops, i);
        add_row(table, answer_text(hop, "by"), hop, hop, "time");
    }
    if (json_is_object(delivery)) {
        add_row(table, "the mailbox", delivery, probe, "arrived");
    }
    table_print(table, stdout);
    table_destroy(table);
}

static void print_authentication(const json_t *probe)
{
    static const char *const METHODS[] = {"spf", "dkim", "dmarc", "arc"};
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    const json_t *found = json_object_get(probe, "authentication");
    const json_t *reasons = json_object_get(found, "reasons");
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
        const char *result = answer_text(found, METHODS[i]);
        const char *reason = answer_text(reasons, METHODS[i]);
        if (result[0] != '\0') {
            text_format(&text, "%s%s=", text.length == 0 ? "" : ", ", METHODS[i]);
            format_text(result, &text);
        }
        if (result[0] != '\0' && reason[0] != '\0') {
            text_append(&text, " (");
            format_text(reason, &text);
            text_append(&text, ")");
        }
    }
    if (json_is_object(found)) {
        text_append(&text, text.length == 0 ? "nothing, says " : ", says ");
        format_text(answer_text(found, "authserv_id"), &text);
        printf("  auth      %s\n", line);
    }
}

void explain_way_print(const json_t *probe, const struct terminal *terminal)
{
    print_hops(probe, terminal);
    print_authentication(probe);
}
