#include "ctl/status_certificates.h"

#include <stdio.h>
#include <string.h>

#include "base/answer.h"
#include "base/text.h"
#include "ctl/format.h"
#include "ctl/table.h"

static const struct table_column COLUMNS[] = {
    {.title = "CERTIFICATE OF", .cut = 16},
    {.title = "EXPIRES", .sequence = 1},
    {.title = "TROUBLE", .cut = 16},
};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof COLUMNS[0] };

static void add_expiry(struct table *table, const json_t *certificate, struct walltime now)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    struct walltime expires;
    if (answer_time(certificate, "expires", &expires)) {
        format_distance(expires, now, &text);
    }
    table_add(table, shown, COLOUR_PLAIN);
}

static void add_row(struct table *table, const json_t *certificate, struct walltime now)
{
    char shown[128];
    struct text text = TEXT_OVER(shown);
    bool refused = strcmp(answer_text(certificate, "state"), "refused") == 0;
    text_format(&text, "%s %s", answer_text(certificate, "place"),
                answer_text(certificate, "name"));
    table_add(table, shown, refused ? COLOUR_BAD : COLOUR_WARNING);
    add_expiry(table, certificate, now);
    table_add(table, refused ? answer_text(certificate, "reason") : "expires soon", COLOUR_PLAIN);
}

void status_certificates(const json_t *certificates, struct walltime now,
                         const struct terminal *terminal)
{
    struct table *table = table_create(COLUMNS, COLUMN_COUNT, terminal);
    bool any = false;
    for (size_t i = 0; i < json_array_size(certificates); i++) {
        const json_t *certificate = json_array_get(certificates, i);
        const char *state = answer_text(certificate, "state");
        if (strcmp(state, "refused") == 0 || strcmp(state, "expiring") == 0) {
            add_row(table, certificate, now);
            any = true;
        }
    }
    if (any) {
        fputc('\n', stdout);
        table_print(table, stdout);
    }
    table_destroy(table);
}
