#include "probes/collect/returned.h"

#include <ctype.h>

#include "probes/collect/header_field.h"

// Headers that were changed on the way may still have the Message-ID as it was.
static bool verify_original(struct bytes original, const struct mesh_keys *keys,
                            struct recognised *scratch, struct tag *out)
{
    struct error error;
    bool sound =
        recognise(original.at, bytes_length(original), false, keys, scratch) == RECOGNISED_PROBE;
    *out = scratch->tag;
    return sound || tag_parse_message_id(scratch->headers.message_id, keys, out, &error);
}

static bool names_a_message(struct bytes original)
{
    for (struct header_field field; header_field_take(&original, &field);) {
        if (header_field_is(&field, "Message-ID")) {
            return true;
        }
    }
    return false;
}

// One of the Message-IDs in a list of them.
static bool verify_one_of(struct bytes list, const struct mesh_keys *keys, struct tag *out)
{
    char word[TAG_MESSAGE_ID_SIZE];
    struct error error;
    while (list.at < list.end) {
        struct bytes token = list;
        while (token.at < list.end && isspace((unsigned char)*token.at)) {
            token.at++;
        }
        token.end = token.at;
        while (token.end < list.end && !isspace((unsigned char)*token.end)) {
            token.end++;
        }
        list.at = token.end;
        struct text text = TEXT_OVER(word);
        bytes_append_words(token, &text);
        if (!text.truncated && tag_parse_message_id(word, keys, out, &error)) {
            return true;
        }
    }
    return false;
}

enum returned_identity returned_identify(const struct dsn *dsn, const struct mesh_keys *keys,
                                         struct recognised *scratch, struct tag *out)
{
    bool has_original = bytes_length(dsn->original) > 0;
    if ((has_original && verify_original(dsn->original, keys, scratch, out)) ||
        verify_one_of(dsn->answers[0], keys, out) || verify_one_of(dsn->answers[1], keys, out)) {
        return RETURNED_VERIFIED;
    }
    bool another = (has_original && names_a_message(dsn->original)) ||
                   bytes_length(bytes_trim(dsn->answers[0])) > 0;
    *out = (struct tag){0};
    return !another && probe_id_parse(dsn->envelope_id, &out->id) ? RETURNED_CLAIMED
                                                                  : RETURNED_FOREIGN;
}
