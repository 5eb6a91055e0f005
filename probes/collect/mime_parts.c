#include "probes/collect/mime_parts.h"

#include <string.h>

#include "probes/collect/header_field.h"
#include "probes/collect/transfer_encoding.h"

enum { BOUNDARY_SIZE = 80 }; // RFC 2046 allows 70

struct multipart {
    char delimiter[BOUNDARY_SIZE]; // with its two dashes
    struct bytes body;
};

struct splitter {
    char *bytes; // of the whole message: decoding writes where the parts stand
    struct multipart waiting[MIME_MULTIPARTS_MAXIMUM];
    size_t waiting_count;
    struct mime_parts *out;
};

// ---- Content-Type ----

// From its parenthesis to behind the one that closes it.
static const char *skip_comment(const char *at, const char *end)
{
    int depth = 0;
    do {
        depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
        at++;
    } while (at < end && depth > 0);
    return at;
}

// Up to the next semicolon outside of quotes and comments, taken off the front with it; without the
// comments at its ends.
static struct bytes take_parameter(struct bytes *value)
{
    struct bytes parameter = {value->at, NULL};
    bool quoted = false;
    const char *at = value->at;
    while (at < value->end && (quoted || *at != ';')) {
        if (*at == '(' && !quoted) {
            const char *behind = skip_comment(at, value->end);
            if (bytes_length(bytes_trim((struct bytes){parameter.at, at})) == 0) {
                parameter.at = behind;
            } else if (parameter.end == NULL) {
                parameter.end = at;
            }
            at = behind;
            continue;
        }
        quoted = quoted != (*at == '"');
        at++;
    }
    parameter.end = parameter.end == NULL ? at : parameter.end;
    value->at = at < value->end ? at + 1 : at;
    return bytes_trim(parameter);
}

static struct bytes without_quotes(struct bytes value)
{
    value = bytes_trim(value);
    if (bytes_length(value) >= 2 && *value.at == '"' && value.end[-1] == '"') {
        value.at++;
        value.end--;
    }
    return value;
}

static void read_type(struct bytes value, struct text *type, struct text *delimiter)
{
    bytes_append_words(take_parameter(&value), type);
    while (value.at < value.end) {
        struct bytes parameter = take_parameter(&value);
        const char *equals = memchr(parameter.at, '=', bytes_length(parameter));
        if (equals == NULL || delimiter->length > 0 ||
            !bytes_equal(bytes_trim((struct bytes){parameter.at, equals}), "boundary")) {
            continue;
        }
        struct bytes boundary = without_quotes((struct bytes){equals + 1, parameter.end});
        if (bytes_length(boundary) > 0) {
            text_append(delimiter, "--");
            text_append_bytes(delimiter, boundary.at, bytes_length(boundary));
        }
    }
}

// ---- entities ----

static void keep_part(struct splitter *splitter, const char *type, struct bytes body,
                      struct bytes encoding)
{
    struct mime_parts *out = splitter->out;
    if (out->count == MIME_PARTS_MAXIMUM) {
        return;
    }
    char *at = splitter->bytes + (body.at - splitter->bytes);
    size_t length = transfer_decode(at, bytes_length(body), encoding);
    struct mime_part *part = &out->items[out->count++];
    text_copy(part->type, sizeof part->type, type[0] == '\0' ? "text/plain" : type);
    part->body = (struct bytes){at, at + length};
}

static void keep_multipart(struct splitter *splitter, const char *delimiter, struct bytes body)
{
    if (splitter->waiting_count < MIME_MULTIPARTS_MAXIMUM) {
        struct multipart *multipart = &splitter->waiting[splitter->waiting_count++];
        text_copy(multipart->delimiter, sizeof multipart->delimiter, delimiter);
        multipart->body = body;
    }
}

// A message, or a part of one: a header section and what follows it.
static void take_entity(struct splitter *splitter, struct bytes entity)
{
    char type[MIME_TYPE_SIZE], delimiter[BOUNDARY_SIZE];
    struct text type_text = TEXT_OVER(type), delimiter_text = TEXT_OVER(delimiter);
    struct bytes encoding = {entity.at, entity.at};
    for (struct header_field field; header_field_take(&entity, &field);) {
        if (header_field_is(&field, "Content-Type") && type_text.length == 0) {
            read_type(field.value, &type_text, &delimiter_text);
        } else if (header_field_is(&field, "Content-Transfer-Encoding")) {
            encoding = bytes_trim(field.value);
        }
    }
    bool multipart = bytes_begin_with((struct bytes){type, type + type_text.length}, "multipart/");
    if (multipart && delimiter_text.length > 0 && !delimiter_text.truncated) {
        keep_multipart(splitter, delimiter, entity);
    } else {
        keep_part(splitter, type, entity, encoding);
    }
}

// ---- multiparts ----

// The boundary, perhaps with the two dashes of the last one, and nothing more.
static bool is_delimiter(struct bytes line, const char *delimiter, bool *last)
{
    size_t length = strlen(delimiter);
    if (bytes_length(line) < length || memcmp(line.at, delimiter, length) != 0) {
        return false;
    }
    struct bytes rest = bytes_trim((struct bytes){line.at + length, line.end});
    *last = bytes_equal(rest, "--");
    return *last || rest.at == rest.end;
}

static void split_multipart(struct splitter *splitter, const struct multipart *multipart)
{
    struct bytes left = multipart->body, part = {NULL, NULL};
    bool last = false;
    while (!last && left.at < left.end) {
        struct bytes line = left;
        bytes_take_line(&left, &line);
        if (!is_delimiter(line, multipart->delimiter, &last)) {
            part.end = part.at == NULL ? NULL : left.at;
            continue;
        }
        if (part.at != NULL) {
            take_entity(splitter, part);
        }
        part = (struct bytes){left.at, left.at};
    }
    if (!last && part.at != NULL) {
        take_entity(splitter, part);
    }
}

void mime_split(char *bytes, size_t length, struct mime_parts *out)
{
    struct splitter splitter = {.out = out};
    splitter.bytes = bytes;
    out->count = 0;
    take_entity(&splitter, (struct bytes){bytes, bytes + length});
    for (size_t i = 0; i < splitter.waiting_count; i++) {
        struct multipart multipart = splitter.waiting[i];
        split_multipart(&splitter, &multipart);
    }
}

const struct mime_part *mime_find(const struct mime_parts *parts, const char *type)
{
    for (size_t i = 0; i < parts->count; i++) {
        if (text_equal_ignoring_case(parts->items[i].type, type)) {
            return &parts->items[i];
        }
    }
    return NULL;
}
