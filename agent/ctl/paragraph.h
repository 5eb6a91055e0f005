// Running text for people: on lines that end at a word.
#ifndef MAILFLOW_CTL_PARAGRAPH_H
#define MAILFLOW_CTL_PARAGRAPH_H

#include <stddef.h>
#include <stdio.h>

// The columns for running text written there: 80, or fewer on a terminal that has fewer.
size_t paragraph_width(FILE *out);

// From where the line stands, which is at the column `indent`, to the end of a line; further lines
// begin at that column. A line feed is a blank, an empty line stays one. A word that is wider than
// the lines has one of its own.
void paragraph_print(const char *text, size_t indent, size_t width, FILE *out);

// The same to standard output, from the beginning of a line; at most 1023 bytes.
void paragraph_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
