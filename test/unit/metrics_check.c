#include "metrics_check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 128, SERIES_SIZE = 256, FAMILIES_MAXIMUM = 200, SERIES_MAXIMUM = 60000 };

struct check {
    bool openmetrics;
    char families[FAMILIES_MAXIMUM][NAME_SIZE];
    size_t family_count;
    char type[32]; // of the last family; "" after its HELP only
    char (*series)[SERIES_SIZE];
    size_t series_count;
    char histogram[SERIES_SIZE]; // whose buckets are being read
    double below;
    double last_edge;
    double infinite;
};

static bool name_start(char of)
{
    return isalpha((unsigned char)of) || of == '_' || of == ':';
}

static size_t name_length(const char *at)
{
    size_t length = name_start(*at) ? 1 : 0;
    while (length > 0 && (name_start(at[length]) || isdigit((unsigned char)at[length]))) {
        length++;
    }
    return length;
}

// Past the closing quote, or NULL; `value` gets what stands between.
static const char *read_value(const char *at, char *value, size_t size)
{
    size_t length = 0;
    for (at++; *at != '"' && length < size - 1; at++) {
        if (*at == '\0' || (*at == '\\' && strchr("\\\"n", at[1]) == NULL)) {
            return NULL;
        }
        value[length++] = *at;
        if (*at == '\\') {
            value[length++] = *++at;
        }
    }
    value[length] = '\0';
    return *at == '"' ? at + 1 : NULL;
}

// Past the labels; `le` gets the edge of a bucket and `rest` the other labels.
static const char *read_labels(const char *at, char *le, char *rest)
{
    size_t used = 0;
    le[0] = rest[0] = '\0';
    if (*at != '{') {
        return at;
    }
    for (at++; *at != '}'; at += *at == ',' ? 1 : 0) {
        char name[NAME_SIZE] = "", value[SERIES_SIZE];
        size_t length = name_length(at);
        if (length == 0 || length >= sizeof name || at[length] != '=' || at[length + 1] != '"') {
            return NULL;
        }
        memcpy(name, at, length);
        at = read_value(at + length + 1, value, sizeof value);
        if (at == NULL || (*at != ',' && *at != '}')) {
            return NULL;
        }
        if (strcmp(name, "le") == 0) {
            snprintf(le, NAME_SIZE, "%.100s", value);
        } else {
            used += (size_t)snprintf(rest + used, SERIES_SIZE - used, "%s=%.100s,", name, value);
        }
    }
    return at + 1;
}

static bool read_number(const char *at, double *out)
{
    char *end;
    *out = strtod(at, &end);
    return end != at && *end == '\0' && !isspace((unsigned char)*at) && *out - *out == 0;
}

// ---- headers ----

static bool begin_family(struct check *check, const char *name, struct error *error)
{
    for (size_t i = 0; i < check->family_count; i++) {
        if (strcmp(check->families[i], name) == 0) {
            return error_set(error, "family %s comes twice", name);
        }
    }
    snprintf(check->families[check->family_count++], NAME_SIZE, "%s", name);
    check->type[0] = '\0';
    strcpy(check->histogram, "(none yet)");
    return true;
}

static bool check_header(struct check *check, const char *line, struct error *error)
{
    char keyword[8], name[NAME_SIZE], rest[512];
    if (sscanf(line, "# %7s %127s %511[^\n]", keyword, name, rest) != 3) {
        return error_set(error, "not a header: %s", line);
    }
    if (strcmp(keyword, "HELP") == 0) {
        return begin_family(check, name, error);
    }
    if (strcmp(keyword, "TYPE") != 0 || check->family_count == 0 || check->type[0] != '\0' ||
        strcmp(check->families[check->family_count - 1], name) != 0) {
        return error_set(error, "not a TYPE after its HELP: %s", line);
    }
    snprintf(check->type, sizeof check->type, "%.31s", rest);
    return true;
}

// ---- samples ----

static bool in_list(const char *word, const char *list)
{
    char wanted[40];
    snprintf(wanted, sizeof wanted, " %s ", word);
    return strstr(list, wanted) != NULL;
}

// Which ends of a sample's name its family's type allows, each between blanks; "-" for none.
static const char *allowed_suffixes(const struct check *check)
{
    bool open = check->openmetrics;
    return strcmp(check->type, "histogram") == 0      ? " _bucket _sum _count "
           : strcmp(check->type, "gauge") == 0        ? " - "
           : strcmp(check->type, "counter") == 0      ? (open ? " _total " : " - ")
           : open && strcmp(check->type, "info") == 0 ? " _info "
                                                      : "";
}

static bool note_series(struct check *check, const char *name, const char *le, const char *rest,
                        struct error *error)
{
    char series[SERIES_SIZE * 2];
    snprintf(series, sizeof series, "%s{%s|%s", name, rest, le);
    if (check->series_count == SERIES_MAXIMUM || strlen(series) >= SERIES_SIZE) {
        return error_set(error, "more than this check can hold: %.200s", series);
    }
    strcpy(check->series[check->series_count++], series);
    return true;
}

static bool check_bucket(struct check *check, const char *le, const char *rest, double value,
                         struct error *error)
{
    double edge = strcmp(le, "+Inf") == 0 ? 1e300 : strtod(le, NULL);
    if (strcmp(check->histogram, rest) != 0) {
        snprintf(check->histogram, sizeof check->histogram, "%s", rest);
        check->below = 0;
        check->last_edge = -1;
    }
    if (value < check->below || edge <= check->last_edge) {
        return error_set(error, "bucket le=%s of {%s is not cumulative", le, rest);
    }
    if (check->openmetrics && edge < 1e300 && strpbrk(le, ".e") == NULL) {
        return error_set(error, "edge %s lacks its fraction", le);
    }
    check->below = check->infinite = value;
    check->last_edge = edge;
    return true;
}

static bool check_sample(struct check *check, const char *line, struct error *error)
{
    char name[NAME_SIZE] = "", le[NAME_SIZE], rest[SERIES_SIZE];
    double value;
    size_t length = name_length(line);
    const char *family = check->families[check->family_count - 1];
    memcpy(name, line, length < sizeof name ? length : 0);
    const char *after = read_labels(line + length, le, rest);
    if (length == 0 || after == NULL || *after != ' ' || !read_number(after + 1, &value)) {
        return error_set(error, "not a sample: %s", line);
    }
    size_t stem = strlen(family);
    const char *suffix = name + stem;
    if (strncmp(name, family, stem) != 0 ||
        !in_list(*suffix == '\0' ? "-" : suffix, allowed_suffixes(check))) {
        return error_set(error, "%s does not belong to %s %s", name, check->type, family);
    }
    if (strcmp(check->type, "counter") == 0 && strstr(name, "_total") == NULL) {
        return error_set(error, "counter %s is no total", name);
    }
    if (strcmp(suffix, "_bucket") == 0 && !check_bucket(check, le, rest, value, error)) {
        return false;
    }
    if (strcmp(suffix, "_count") == 0 &&
        (check->last_edge < 1e300 || value < check->infinite || value > check->infinite)) {
        return error_set(error, "%s: +Inf is not the count", line);
    }
    return note_series(check, name, le, rest, error);
}

// ---- all of it ----

static int compare_series(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool check_twice(struct check *check, struct error *error)
{
    qsort(check->series, check->series_count, sizeof *check->series, compare_series);
    for (size_t i = 1; i < check->series_count; i++) {
        if (strcmp(check->series[i - 1], check->series[i]) == 0) {
            return error_set(error, "%s comes twice", check->series[i]);
        }
    }
    return check->series_count > 0 || error_set(error, "there is no sample");
}

static bool check_lines(struct check *check, char *text, struct error *error)
{
    char *rest;
    bool ended = false;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (ended) {
            return error_set(error, "after the end: %s", line);
        }
        ended = check->openmetrics && strcmp(line, "# EOF") == 0;
        if (!ended && !(line[0] == '#' ? check_header(check, line, error)
                                       : check_sample(check, line, error))) {
            return false;
        }
    }
    return ended == check->openmetrics || error_set(error, "the end is missing");
}

bool metrics_check(const char *text, bool openmetrics, struct error *error)
{
    struct check *check = memory_checked(calloc(1, sizeof *check));
    char *copy = memory_checked(strdup(text));
    check->openmetrics = openmetrics;
    check->series = memory_checked(calloc(SERIES_MAXIMUM, sizeof *check->series));
    size_t length = strlen(text);
    bool good = (length > 0 && text[length - 1] == '\n') || error_set(error, "no last newline");
    good = good && strstr(text, "\n\n") == NULL && check_lines(check, copy, error) &&
           check_twice(check, error);
    free(check->series);
    free(copy);
    free(check);
    return good;
}
