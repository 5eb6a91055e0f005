// The configuration in force, printed from the table that read it.
#include "config/config.h"

#include "base/text.h"
#include "config/keys.h"
#include "config/value.h"

enum { VALUE_SIZE = 4 * 512 + 3 }; // the longest text, every byte escaped, in quotes

// Where the next line begins: `indent` blanks, the last two of them a list's dash when one is due.
struct margin {
    FILE *out;
    int indent;
    bool dash;
};

static void print_margin(struct margin *margin)
{
    fprintf(margin->out, "%*s%s", margin->dash ? margin->indent - 2 : margin->indent, "",
            margin->dash ? "- " : "");
    margin->dash = false;
}

static void print_section(struct margin *margin, const struct section *section, const char *base);

static void print_value(FILE *out, enum key_type type, const void *field)
{
    char buffer[VALUE_SIZE];
    struct text text = TEXT_OVER(buffer);
    value_append(type, field, &text);
    fputs(buffer, out);
}

static void print_list(struct margin *margin, const struct key *key, const char *base)
{
    const char *const *items = *(const char *const *const *)(const void *)(base + key->offset);
    size_t count = *(const size_t *)(const void *)(base + key->count_offset);
    print_margin(margin);
    fprintf(margin->out, "%s: [", key->name);
    for (size_t i = 0; i < count; i++) {
        fputs(i == 0 ? "" : ", ", margin->out);
        print_value(margin->out, key->item, &items[i]);
    }
    fputs("]\n", margin->out);
}

static void print_maps(struct margin *margin, const struct key *key, const char *base)
{
    const char *items = *(const char *const *)(const void *)(base + key->offset);
    size_t count = *(const size_t *)(const void *)(base + key->count_offset);
    print_margin(margin);
    fprintf(margin->out, "%s:%s\n", key->name, count == 0 ? " []" : "");
    struct margin inner = {margin->out, margin->indent + 4, false};
    for (size_t i = 0; i < count; i++) {
        inner.dash = true;
        print_section(&inner, key->holds, items + i * key->holds->size);
    }
}

static void print_map(struct margin *margin, const struct key *key, const char *base)
{
    print_margin(margin);
    fprintf(margin->out, "%s:\n", key->name);
    struct margin inner = {margin->out, margin->indent + 2, false};
    print_section(&inner, key->holds, base + key->offset);
}

static void print_single(struct margin *margin, const struct key *key, const char *base)
{
    const void *field = base + key->offset;
    if (key_is_text(key->type) && (*(const char *const *)field)[0] == '\0') {
        return;
    }
    print_margin(margin);
    fprintf(margin->out, "%s: ", key->name);
    print_value(margin->out, key->type, field);
    fputs("\n", margin->out);
}

static void print_section(struct margin *margin, const struct section *section, const char *base)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct key *key = &section->keys[i];
        switch (key->type) {
        case KEY_SHARED:
            print_section(margin, key->holds, base + key->offset);
            break;
        case KEY_MAP:
            print_map(margin, key, base);
            break;
        case KEY_MAPS:
            print_maps(margin, key, base);
            break;
        case KEY_LIST:
            print_list(margin, key, base);
            break;
        default:
            print_single(margin, key, base);
        }
    }
}

void settings_print_effective(const struct settings *settings, FILE *out)
{
    struct margin margin = {out, 0, false};
    print_section(&margin, &SETTINGS_SECTION, (const char *)settings);
}
