#include "shell/metrics.h"

#include "shell/metrics_families.h"

struct metrics_cursor metrics_begin(const struct metrics_view *view, enum metrics_format format)
{
    struct metrics_cursor cursor = {.view = *view, .format = format};
    metric_edges_write(&cursor.view.latency_edges, core_histogram_edges(view->core), format);
    metric_edges_write(&cursor.view.leg_edges, &LEG_EDGES, format);
    return cursor;
}

const struct metric_family *metric_family_at(size_t place)
{
    const struct metric_families *tables[] = {&METRICS_OF_PEERS,        &METRICS_OF_INCIDENTS,
                                              &METRICS_OF_EXCHANGES,    &METRICS_OF_LISTS,
                                              &METRICS_OF_ALERTMANAGER, &METRICS_OF_CERTIFICATES,
                                              &METRICS_OF_AGENT};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (place < tables[i]->count) {
            return &tables[i]->items[place];
        }
        place -= tables[i]->count;
    }
    return NULL;
}

bool metrics_next(struct metrics_cursor *cursor, struct text *out)
{
    const struct metric_family *family = metric_family_at(cursor->family);
    if (family == NULL) {
        text_append(out, cursor->format == METRICS_OPENMETRICS ? "# EOF\n" : "");
        return false;
    }
    struct metric_writer writer = {out, cursor->format, family->name};
    if (cursor->index == 0) {
        metric_write_header(&writer, family->type, family->help);
    }
    if (cursor->index < family->count(&cursor->view)) {
        family->write(&writer, &cursor->view, cursor->index++);
    } else {
        cursor->index = 0;
        cursor->family++;
    }
    return true;
}
