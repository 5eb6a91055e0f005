// What the answers of setup and join must look like, whether they stand on the command line or are
// typed at a question. The rules are those of the configuration.
#ifndef MAILFLOW_CTL_FORM_H
#define MAILFLOW_CTL_FORM_H

#include <stdbool.h>

#include "base/error.h"

struct form {
    bool (*valid)(const char *text);
    const char *complaint; // "not a mail address"
};

extern const struct form FORM_SERVER;
extern const struct form FORM_HOST_PORT;
extern const struct form FORM_TLS;
extern const struct form FORM_RELAY_TLS;
extern const struct form FORM_ADDRESS;
extern const struct form FORM_URL;
extern const struct form FORM_LISTEN;
extern const struct form FORM_PATH;
extern const struct form FORM_CA_FILE; // a file that is there and can be read
extern const struct form FORM_YES_NO;
extern const struct form FORM_FILLED; // any text of one line but none
extern const struct form FORM_PEER;   // NAME=ADDRESS[=URL]

bool form_check(const struct form *form, const char *text, struct error *error);

#endif
