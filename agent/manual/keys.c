#include "config/reference.h"
#include "config/value.h"
#include "manual/mdoc.h"
#include "manual/parts.h"

static void append_part(const char *before, void (*append)(const struct key *key, struct text *out),
                        const struct key *key, struct text *out)
{
    size_t begun = out->length;
    text_append(out, before);
    size_t empty = out->length;
    append(key, out);
    if (out->length == empty) {
        out->data[out->length = begun] = '\0';
    } else {
        text_append(out, ".\n");
    }
}

// What holds for the value, a sentence for each.
static void print_facts(const struct key *key, FILE *out)
{
    char buffer[4 * REFERENCE_CELL_SIZE];
    struct text facts = TEXT_OVER(buffer);
    append_part("Type: ", reference_append_type, key, &facts);
    append_part("Range: ", value_append_range, key, &facts);
    if (key->fallback == NULL) {
        text_append(&facts, "Required.\n");
    } else {
        append_part("Default: ", reference_append_default, key, &facts);
    }
    if (key->example != NULL) {
        append_part("Example: ", reference_append_example, key, &facts);
    }
    mdoc_text(buffer, out);
}

static void print_key(const struct key *key, FILE *out)
{
    if (key->type == KEY_SHARED) {
        fputs(".It (others)\n", out);
        mdoc_text(key->help, out);
        return;
    }
    fprintf(out, ".It Cm %s\n", key->name);
    mdoc_text(key->help, out);
    if (key->type == KEY_MAP) {
        fputs("A map, below.\n", out);
    } else {
        print_facts(key, out);
    }
}

static void print_section(const char *path, const char *help, const struct section *section,
                          FILE *out)
{
    fprintf(out, ".Ss \\&%s\\&\n", path);
    mdoc_text(help, out);
    fputs(".Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < section->count; i++) {
        print_key(&section->keys[i], out);
    }
    fputs(".El\n", out);
}

void manual_print_keys(FILE *out)
{
    reference_walk(print_section, out);
}
