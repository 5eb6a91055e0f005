#include "config/check_sources.h"

#include "config/peer_files.h"
#include "config/target.h"

static void check_template(struct reading *reading, const struct node *map, const char *key,
                           const char *template, enum template_kind kind)
{
    struct error error;
    if (!template_check(template, kind, &error)) {
        problem_error(reading->problems, node_place(map, key), "%s: %s", key, error.message);
    }
}

static void check_files(struct reading *reading, const struct node *map,
                        const struct peer_source_settings *source)
{
    const struct node *list = node_member(map, "files");
    const struct node *item = list == NULL ? NULL : list->first;
    for (size_t i = 0; item != NULL && i < source->file_count; i++, item = item->next) {
        if (peer_files_is_too_wide(source->files[i])) {
            problem_error(reading->problems, item->at,
                          "files: only the last part of a path may be a pattern");
        }
    }
}

void source_settings_check(struct reading *reading, const struct node *map,
                           const struct peer_source_settings *source)
{
    bool srv = node_member(map, "srv") != NULL;
    bool files = node_member(map, "files") != NULL && !(srv && source->file_count == 0);
    if (srv == files) {
        problem_error(reading->problems, srv ? node_place(map, "srv") : map->at,
                      "a source of peers has `files` or `srv`, %s",
                      srv ? "not both" : "one of them");
    }
    check_files(reading, map, source);
    check_template(reading, map, "name", source->name, TEMPLATE_NAME);
    check_template(reading, map, "address", source->address, TEMPLATE_ADDRESS);
    check_template(reading, map, "agent", source->agent, TEMPLATE_AGENT);
}
