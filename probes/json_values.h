// How the plain values of probe.h stand in JSON, in both directions, for all its lines.
//
// Times are whole nanoseconds: {"instant":N,"wall":N} for a moment, N for a span. Writers add one
// member to an object; readers take one out and name it in their error, as in base/json_read.h.
#ifndef MAILFLOW_PROBES_JSON_VALUES_H
#define MAILFLOW_PROBES_JSON_VALUES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"
#include "base/json_read.h"
#include "base/mesh_key.h"
#include "base/tag_codec.h"
#include "probes/probe.h"

// Text that is no UTF-8 is written with question marks for what is not ASCII.
void json_write_text(json_t *object, const char *name, const char *value);
void json_write_integer(json_t *object, const char *name, int64_t value);
void json_write_boolean(json_t *object, const char *name, bool value);
void json_write_object(json_t *object, const char *name, json_t *member); // takes the member over
void json_write_moment(json_t *object, const char *name, struct moment value);
void json_write_tag(json_t *object, const char *name, const struct tag *tag);
void json_write_key(json_t *object, const char *name, const struct mesh_key *key);
void json_write_keys(json_t *object, const char *name, const struct mesh_keys *keys);
void json_write_certificate(json_t *object, const char *name, const struct certificate *value);
void json_write_endpoint(json_t *object, const char *name, const struct probe_endpoint *endpoint);

// The object as one line with its newline, for the caller to free; gives the object back.
char *json_line_finish(json_t *object);

// As json_read_text, but no control byte may be in it: it will stand in a line of some protocol.
bool json_read_plain(const json_t *object, const char *name, char *out, size_t size,
                     struct error *error);

// One of the names, as its index.
bool json_read_choice(const json_t *object, const char *name, const char *const *choices,
                      size_t count, int *out, struct error *error);

// The elements of an array of at most `maximum`.
bool json_read_array(const json_t *object, const char *name, size_t maximum, const json_t **out,
                     struct error *error);

bool json_read_moment(const json_t *object, const char *name, struct moment *out,
                      struct error *error);
bool json_read_span(const json_t *object, const char *name, struct span *out, struct error *error);
bool json_read_tag(const json_t *object, const char *name, struct tag *out, struct error *error);
bool json_read_key(const json_t *object, const char *name, struct mesh_key *out,
                   struct error *error);
bool json_read_keys(const json_t *object, const char *name, struct mesh_keys *out,
                    struct error *error);
bool json_read_certificate(const json_t *object, const char *name, struct certificate *out,
                           struct error *error);
bool json_read_endpoint(const json_t *object, const char *name, struct probe_endpoint *out,
                        struct error *error);

#endif
