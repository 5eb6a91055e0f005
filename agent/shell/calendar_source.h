// One thing that windows are worked out from, a calendar file or a window of the configuration, and
// what has been learned from it so far.
#ifndef MAILFLOW_SHELL_CALENDAR_SOURCE_H
#define MAILFLOW_SHELL_CALENDAR_SOURCE_H

#include "probes/calendar.h"
#include "shell/file_mark.h"
#include "shell/journal.h"
#include "shell/notes.h"
#include "shell/wanted.h"

// A reading under way, or the last whole one.
struct calendar_reading {
    struct wanted wanted;
    struct notes notes; // of events, by UID
    bool done;
    char failure[CALENDAR_MESSAGE_SIZE + 32]; // why not done
};

struct calendar_source {
    enum window_origin origin;
    char name[PROBE_PATH_SIZE];    // for the operator: the file, or which window it is
    char *job;                     // what is asked, but for the times: equal jobs are equal sources
    struct calendar_job question;  // the same
    char server[SERVER_NAME_SIZE]; // of the configuration: whose window,
    enum window_kind kind;         // which kind
    char reason[WINDOW_REASON_SIZE]; // and why
    struct file_mark seen;           // at the last look
    struct file_mark read;           // by the last reading
    bool due;
    bool known;                               // it has been read as a whole since we are running
    char failure[CALENDAR_MESSAGE_SIZE + 32]; // last said, "" when all is well
    struct calendar_reading last;
};

struct calendar_source *calendar_source_of_file(const char *file);
struct calendar_source *calendar_source_of_window(const struct window_settings *window,
                                                  size_t index);
void calendar_source_destroy(struct calendar_source *source);

// Looks at the file. It is due when it differs from what was read and has kept still since the last
// look, for it might still be being written.
void calendar_source_look(struct calendar_source *source);

// Takes in a line of the program; what it is about goes into the reading.
void calendar_source_take(const struct calendar_source *source, const struct settings *settings,
                          struct journal *journal, const struct calendar_line *line,
                          struct calendar_reading *reading);

// The program has ended. The reading's windows are taken over if it is whole, else the caller's.
void calendar_source_conclude(struct calendar_source *source, struct journal *journal,
                              struct calendar_reading *reading);

// Whether a known window may come from this source although that does not name it now.
bool calendar_source_may_want(const struct calendar_source *source, const struct window *window);

#endif
