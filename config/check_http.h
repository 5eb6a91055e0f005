// What the keys under `http` mean together: addresses, certificate and key, the token.
#ifndef MAILFLOW_CONFIG_CHECK_HTTP_H
#define MAILFLOW_CONFIG_CHECK_HTTP_H

#include "config/read.h"

void http_settings_check(struct reading *reading, const struct node *root);

#endif
