// One target of a list, and what the templates of its source make of it: `probe@{host}`.
#ifndef MAILFLOW_CONFIG_TARGET_H
#define MAILFLOW_CONFIG_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

struct target {
    char host[256];
    uint16_t port;    // 0 = none given
    const char *name; // in the mesh, once it is known
};

// What a template is for decides how a host stands in it.
enum template_kind { TEMPLATE_NAME, TEMPLATE_ADDRESS, TEMPLATE_AGENT };

// False with the reason when the text is neither host nor host:port.
bool target_parse(const char *text, struct target *out, struct error *error);

// Whether every {word} of the template is one that may stand there.
bool template_check(const char *of, enum template_kind kind, struct error *error);

// Appends the template with its {words} replaced. It has been checked. False with the reason when
// the target does not have what it takes.
bool template_expand(const char *of, enum template_kind kind, const struct target *target,
                     struct text *out, struct error *error);

#endif
