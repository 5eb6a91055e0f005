// The parts of the manuals that are made from the tables of the programs, in mdoc(7), so that they
// cannot say anything else.
#ifndef MAILFLOW_MANUAL_PARTS_H
#define MAILFLOW_MANUAL_PARTS_H

#include <stdio.h>

void manual_print_keys(FILE *out);    // of the configuration, map by map
void manual_print_verbs(FILE *out);   // of mailflowctl, with their options and examples
void manual_print_options(FILE *out); // that every verb takes
void manual_print_metrics(FILE *out); // with type, unit, labels and help
void manual_print_labels(FILE *out);  // of the metrics, and the values of those that have a few

#endif
