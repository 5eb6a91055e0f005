// Text in the language of manual pages, mdoc(7): what is printed means itself and no macro, and
// every sentence begins a line.
#ifndef MAILFLOW_MANUAL_MDOC_H
#define MAILFLOW_MANUAL_MDOC_H

#include <stdio.h>

// A running text, with `backquoted` words in bold. Its line breaks are blanks; a blank line ends a
// paragraph.
void mdoc_text(const char *text, FILE *out);

// Lines as they stand, without the blanks that all of them begin with.
void mdoc_lines(const char *lines, FILE *out);

#endif
