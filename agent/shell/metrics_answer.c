#include "shell/metrics_answer.h"

#include <stdlib.h>

#include "base/error.h"
#include "shell/metrics.h"
#include "version.h"

static bool next(void *state, struct text *piece)
{
    return metrics_next(state, piece);
}

void metrics_answer(struct agent *agent, const struct http_request *request,
                    struct http_response *response)
{
    struct metrics_view view = {
        .core = agent_core(agent),
        .now = request->now,
        .version = MAILFLOW_VERSION,
        .started = agent_started(agent),
        .workers = agent_workers(agent),
        .exchanges = agent_exchanges(agent),
        .peer_sources = agent_peer_sources(agent),
        .lists_agree = agent_lists_agree(agent),
        .alertmanager = agent_alertmanager(agent),
        .ledger = store_figures(agent_store(agent)),
        .reload_successful = agent_reload_successful(agent),
        .process = process_figures_read(),
    };
    enum metrics_format format = metrics_format_accepted(request->accept);
    struct metrics_cursor *cursor = memory_checked(malloc(sizeof *cursor));
    *cursor = metrics_begin(&view, format);
    struct http_stream stream = {next, free, cursor, .filler = '\0'};
    http_respond_stream(response, metrics_content_type(format), &stream);
}
