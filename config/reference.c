#include "config/reference.h"

#include "base/text.h"
#include "config/keys.h"
#include "config/value.h"

static const char INTRODUCTION[] =
    "# The configuration, key by key\n"
    "\n"
    "Generated from the table in `keys.c` by `reference`; do not edit. A commented configuration\n"
    "to start from is `mailflow.yaml.example`.\n"
    "\n"
    "`mailflowd` reads `/etc/mailflow/mailflow.yaml` and then `conf.d/*.yaml` beside it, in the\n"
    "order of their names. Over the files, maps merge, lists go on, and a value may be given only\n"
    "once. An unknown or repeated key, a wrong value or a missing file is an error; all of them\n"
    "are reported at once as `file:line:column: message`, and the agent keeps what it has. A\n"
    "calendar that cannot be read or a missing `flags_dir` or list of peers is a warning: it may\n"
    "come later.\n"
    "\n"
    "- A *duration* is a whole number with one unit: `250ms` `15s` `30m` `4h` `5d`.\n"
    "- A *secret file* is refused when others can read or write it. One line end at its end is\n"
    "  dropped. A bare name without a slash is a credential of systemd (`LoadCredential=`) and is\n"
    "  looked up in `$CREDENTIALS_DIRECTORY`; where that is not set, beside `mailflow.yaml`.\n"
    "- A *file* or *path* is absolute.\n"
    "- Of YAML only maps, lists and text are used: no anchors, aliases or tags. A file has at "
    "most\n"
    "  1 MiB, `conf.d` at most 100 files.\n";

void reference_append_type(const struct key *key, struct text *out)
{
    if (key->type == KEY_LIST) {
        text_format(out, "list of %s",
                    key->item == KEY_TEXT   ? "texts"
                    : key->item == KEY_PATH ? "paths"
                    : key->item == KEY_URL  ? "URLs"
                                            : "addresses with port");
    } else {
        text_append(out, value_type_name(key->type));
    }
}

static void append_literal(const struct key *key, const char *value, struct text *out)
{
    if (value[0] != '\0') {
        bool list = key->type == KEY_LIST;
        text_format(out, "`%s%s%s`", list ? "[\"" : "", value, list ? "\"]" : "");
    }
}

void reference_append_default(const struct key *key, struct text *out)
{
    if (key->fallback == NULL) {
        text_append(out, "required");
    } else if (key->derived != NULL) {
        text_append(out, key->derived);
    } else {
        append_literal(key, key->fallback, out);
    }
}

void reference_append_example(const struct key *key, struct text *out)
{
    append_literal(key,
                   key->example != NULL    ? key->example
                   : key->fallback != NULL ? key->fallback
                                           : "",
                   out);
}

static void print_cell(void (*append)(const struct key *key, struct text *out),
                       const struct key *key, FILE *out)
{
    char buffer[REFERENCE_CELL_SIZE];
    struct text cell = TEXT_OVER(buffer);
    append(key, &cell);
    fprintf(out, "%s |", buffer);
}

static void print_row(const struct key *key, FILE *out)
{
    if (key->type == KEY_SHARED) {
        fprintf(out, "| | | | | %s | |\n", key->help);
        return;
    }
    fprintf(out, "| `%s` | ", key->name);
    print_cell(reference_append_type, key, out);
    fputs(" ", out);
    print_cell(reference_append_default, key, out);
    fputs(" ", out);
    print_cell(value_append_range, key, out);
    fprintf(out, " %s | ", key->help);
    print_cell(reference_append_example, key, out);
    fputs("\n", out);
}

static void print_section(const char *path, const char *help, const struct section *section,
                          FILE *out)
{
    fprintf(out, "\n## %s\n\n%s\n\n", path, help);
    fputs("| key | type | default | range | meaning | example |\n", out);
    fputs("|---|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < section->count; i++) {
        print_row(&section->keys[i], out);
    }
}

static void walk(const char *path, const char *help, const struct section *section,
                 reference_visitor *visit, FILE *out)
{
    visit(path, help, section, out);
    for (size_t i = 0; i < section->count; i++) {
        const struct key *key = &section->keys[i];
        if (key->holds == NULL || key->inherits != 0) {
            continue;
        }
        char buffer[REFERENCE_CELL_SIZE];
        struct text inner = TEXT_OVER(buffer);
        bool outermost = section == &SETTINGS_SECTION;
        text_format(&inner, "%s%s%s%s", outermost ? "" : path, outermost ? "" : ".", key->name,
                    key->type == KEY_MAPS ? "[]" : "");
        walk(buffer, key->help, key->holds, visit, out);
    }
}

void reference_walk(reference_visitor *visit, FILE *out)
{
    walk("At the top", "What stands outside of any map.", &SETTINGS_SECTION, visit, out);
}

void reference_print(FILE *out)
{
    fputs(INTRODUCTION, out);
    reference_walk(print_section, out);
}
