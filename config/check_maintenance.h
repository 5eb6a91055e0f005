// What the keys under `maintenance` mean together: whose windows, how long, and where flags lie.
#ifndef MAILFLOW_CONFIG_CHECK_MAINTENANCE_H
#define MAILFLOW_CONFIG_CHECK_MAINTENANCE_H

#include "config/read.h"

// After the peers have been checked, so that they can be found by name.
void maintenance_settings_check(struct reading *reading, const struct node *root);

#endif
