#include "probes/collect/recognise.h"

#include "base/text.h"

static enum recognition reject(struct recognised *out, enum rejection why, const char *cause)
{
    out->rejection = why;
    text_copy(out->cause, sizeof out->cause, cause);
    return RECOGNISED_REJECTED;
}

static enum recognition reject_faulty(struct recognised *out)
{
    switch (out->headers.fault) {
    case HEADERS_REPEATED:
        return reject(out, REJECTED_MALFORMED, "a Mailflow header stands in it twice");
    case HEADERS_TOO_BIG:
        return reject(out, REJECTED_TOO_BIG, "a Mailflow header is longer than it may be");
    default:
        return reject(out, REJECTED_MALFORMED, "its headers are malformed");
    }
}

static enum recognition judge_signed(const struct mesh_keys *keys, struct recognised *out)
{
    struct error error;
    struct tag_values values = {{NULL}};
    for (int i = 0; i < TAG_HEADERS; i++) {
        values.of[i] = out->headers.has[i] ? out->headers.values[i] : NULL;
    }
    if (!tag_parse_probe(values.of[TAG_PROBE], &out->tag, &error)) {
        return reject(out, REJECTED_MALFORMED, error.message);
    }
    if (!tag_verify(&values, keys, &error)) {
        return reject(out, REJECTED_SIGNATURE, error.message);
    }
    return RECOGNISED_PROBE;
}

static enum recognition judge_message_id(const struct mesh_keys *keys, struct recognised *out)
{
    struct error error;
    out->stripped = true;
    if (tag_parse_message_id(out->headers.message_id, keys, &out->tag, &error)) {
        return RECOGNISED_PROBE;
    }
    if (error.message[0] != '\0') {
        return reject(out, REJECTED_SIGNATURE, error.message);
    }
    return out->headers.has[TAG_PROBE] ? reject(out, REJECTED_SIGNATURE, "not signed")
                                       : RECOGNISED_FOREIGN;
}

enum recognition recognise(const char *bytes, size_t length, bool cut, const struct mesh_keys *keys,
                           struct recognised *out)
{
    out->stripped = false;
    out->tag = (struct tag){0};
    out->cause[0] = '\0';
    header_block_read(bytes, length, &out->headers);
    bool claims = out->headers.has[TAG_PROBE];
    if (claims && cut) {
        return reject(out, REJECTED_TOO_BIG, "its headers are longer than those of a probe");
    }
    if (claims && out->headers.fault != HEADERS_SOUND) {
        return reject_faulty(out);
    }
    return claims && out->headers.has[TAG_SIGNATURE] ? judge_signed(keys, out)
                                                     : judge_message_id(keys, out);
}
