#include "ctl/probe_pages.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/answer.h"
#include "ctl/report.h"

struct probe_pages probe_pages_of(const struct context *context, const char *path,
                                  const char *since, int64_t page_size)
{
    return (struct probe_pages){
        .context = context, .path = path, .since = since, .page_size = page_size};
}

void probe_pages_close(struct probe_pages *pages)
{
    json_decref(pages->page);
    pages->page = NULL;
}

// The cursor is the agent's own business: a number or a text.
static void read_cursor(const json_t *page, char out[64])
{
    struct text text = text_over(out, 64);
    int64_t number;
    if (answer_integer(page, "next", &number)) {
        text_format(&text, "%" PRId64, number);
    } else {
        text_append(&text, answer_text(page, "next"));
    }
}

static void append_argument(struct text *target, const char *name, const char *value)
{
    text_append(target, name);
    text_append_encoded(target, value);
}

// A page that is empty or ends where it began would be asked for again for ever.
static bool check_progress(const struct probe_pages *pages, const char *before,
                           const json_t *probes, struct error *error)
{
    bool stuck = pages->next[0] != '\0' &&
                 (strcmp(pages->next, before) == 0 || json_array_size(probes) == 0);
    return !stuck || error_set(error, "the agent's list does not go on: its cursor stands still");
}

static bool fetch_page(struct probe_pages *pages, int *exit_code)
{
    char target[512], before[sizeof pages->next];
    struct text text = TEXT_OVER(target);
    struct error error;
    append_argument(&text, "/probes?path=", pages->path);
    append_argument(&text, "&since=", pages->since);
    text_format(&text, "&limit=%" PRId64, pages->page_size);
    memcpy(before, pages->next, sizeof before);
    if (before[0] != '\0') {
        append_argument(&text, "&before=", before);
    }
    json_t *page = report_ask(pages->context, "GET", target, NULL, NULL, exit_code);
    if (page == NULL) {
        return false;
    }
    const json_t *probes = answer_list(page, "probes", &error);
    read_cursor(page, pages->next);
    if (probes == NULL || !check_progress(pages, before, probes, &error)) {
        json_decref(page);
        *exit_code = report_failure(pages->context, EXIT_REFUSED, error.message);
        return false;
    }
    json_decref(pages->page);
    pages->page = page;
    pages->index = 0;
    return true;
}

static const json_t *probe_at_hand(const struct probe_pages *pages)
{
    return json_array_get(json_object_get(pages->page, "probes"), pages->index);
}

bool probe_pages_peek(struct probe_pages *pages, const json_t **probe, int *exit_code)
{
    bool more = pages->page == NULL || pages->next[0] != '\0';
    if (probe_at_hand(pages) == NULL && more && !fetch_page(pages, exit_code)) {
        return false;
    }
    *probe = probe_at_hand(pages);
    return true;
}

void probe_pages_advance(struct probe_pages *pages)
{
    pages->index++;
}

struct walltime probe_time(const json_t *probe)
{
    struct walltime at = WALLTIME_NONE;
    if (!answer_time(probe, "sent", &at)) {
        answer_time(probe, "planned", &at);
    }
    return at;
}
