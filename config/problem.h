// What is wrong with a configuration, gathered in the order of its files whatever the order in
// which it is found.
#ifndef MAILFLOW_CONFIG_PROBLEM_H
#define MAILFLOW_CONFIG_PROBLEM_H

#include <stddef.h>

#include "config/config.h"

// One of the files that the configuration is made of, in the order in which they are read.
struct config_file {
    const char *path;
    unsigned order;
};

// A place in one of them. Line and column count from 1; 0 when it is the file as a whole.
struct place {
    const struct config_file *file;
    unsigned line;
    unsigned column;
};

struct problem_list {
    struct config_problems *found; // the caller's, kept sorted
    unsigned orders[CONFIG_PROBLEMS_MAXIMUM];
};

struct problem_list problem_list_over(struct config_problems *found);

// The message is escaped whole: it may hold anything that stands in a file.
void problem_error(struct problem_list *list, struct place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void problem_warning(struct problem_list *list, struct place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// A piece of the configuration as it is quoted in a message: cut when long.
struct quoted {
    char text[80];
};
struct quoted problem_quote(const char *from);

#endif
