// A flag: a file named after a server, which is in maintenance while it exists. What it may say, a
// line each: until=TIME (RFC 3339, or local: 22:30 or 2026-01-04T22:30), for=30m, reason=TEXT,
// kind=routine|emergency; blank lines and # comments. Without until and for: 4 h. Times count from
// when the file was last written.
//
// The name is the flag. A line that cannot be used is told and passed over; the server is in
// maintenance all the same. Pure: the bytes are handed in.
#ifndef MAILFLOW_SHELL_FLAG_FILE_H
#define MAILFLOW_SHELL_FLAG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/local_time.h"
#include "core/window.h"

#define FLAG_LENGTH SPAN_HOURS(4)

enum { FLAG_FILE_MAXIMUM = 4096, FLAG_PROBLEMS_MAXIMUM = 4 };

struct flag_file {
    struct walltime written;
    struct walltime end; // not after `written` when the flag says that it is over
    enum window_kind kind;
    char reason[WINDOW_REASON_SIZE];
};

// What is wrong, a text each: "line 1: ...".
struct flag_problems {
    char items[FLAG_PROBLEMS_MAXIMUM][200];
    size_t count;
};

// `bytes` need not be text. `here`: the zone of local times.
void flag_file_read(const char *bytes, size_t length, struct walltime written,
                    const struct local_time_zone *here, struct flag_file *out,
                    struct flag_problems *problems);

// Editors and shells leave such files behind: hidden ones, backups, swap files.
bool flag_file_ignored(const char *name);

#endif
