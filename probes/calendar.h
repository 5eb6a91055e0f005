// What the agent and mailflow-calendar say to each other: one job in, one line for every occurrence
// of a window within the job's time and for every event that is not as it should be, and one last
// line, which says that this was all (done) or that the whole could not be used (failed). Plain
// values, like those of probe.h; their JSON in calendar_json.c, both directions.
//
// An occurrence says what the event calls the servers that it is about; which of these are servers
// of the mesh is for the agent to see, as only it knows the mesh.
#ifndef MAILFLOW_PROBES_CALENDAR_H
#define MAILFLOW_PROBES_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"
#include "probes/probe.h"

enum {
    CALENDAR_FILE_MAXIMUM = 1 << 20, // bytes
    CALENDAR_RULE_SIZE = 513,
    CALENDAR_ZONE_SIZE = 65,
    CALENDAR_TIME_SIZE = 32,
    CALENDAR_UID_SIZE = 256,
    CALENDAR_TEXT_SIZE = 256,
    CALENDAR_MESSAGE_SIZE = 512,
    CALENDAR_OBJECTS_MAXIMUM = 16,
    CALENDAR_OBJECT_SIZE = 64,
    CALENDAR_OCCURRENCES_MAXIMUM = 1000,
};

#define CALENDAR_WINDOW_MAXIMUM SPAN_HOURS(366 * 24)

// A file to read, or, where `file` is "", one window of the configuration.
struct calendar_job {
    char file[PROBE_PATH_SIZE];
    char rule[CALENDAR_RULE_SIZE];  // RFC 5545; "" = once
    char start[CALENDAR_TIME_SIZE]; // local, 2026-01-04T02:00
    char zone[CALENDAR_ZONE_SIZE];  // "" = this machine's
    struct span length;
    // Occurrences that are not over at `from` and begin before `until`, at most so many.
    struct walltime from;
    struct walltime until;
    uint32_t limit;
    struct instant deadline;
};

enum calendar_line_kind { CALENDAR_OCCURRENCE, CALENDAR_PROBLEM, CALENDAR_DONE, CALENDAR_FAILED };

struct calendar_line {
    enum calendar_line_kind kind;
    unsigned line;                       // in the file, where the event begins; 0 = the whole
    char uid[CALENDAR_UID_SIZE];         // of the event, "" where there is none
    char message[CALENDAR_MESSAGE_SIZE]; // problem, failed: what is wrong, and what to do
    // occurrence
    struct walltime begin;
    struct walltime end;
    bool emergency;
    char reason[CALENDAR_TEXT_SIZE];
    char objects[CALENDAR_OBJECTS_MAXIMUM][CALENDAR_OBJECT_SIZE]; // X-MAINTNOTE-OBJECT-ID
    size_t object_count;
    char location[CALENDAR_TEXT_SIZE]; // where there is no object, these may name servers
    char categories[CALENDAR_TEXT_SIZE];
    char summary[CALENDAR_TEXT_SIZE];
};

// As in probe.h: one line with its newline, for the caller to free; decoders fill a zeroed value.
char *calendar_job_encode(const struct calendar_job *job);
bool calendar_job_decode(const char *line, size_t length, struct calendar_job *out,
                         struct error *error);
char *calendar_line_encode(const struct calendar_line *line);
bool calendar_line_decode(const char *text, size_t length, struct calendar_line *out,
                          struct error *error);

#endif
