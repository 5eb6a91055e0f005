// The inside of the journal: how a line is put together and handed to syslog. journal.c speaks of
// the agent itself, journal_incident.c of incidents, journal_window.c of maintenance and mail,
// journal_origin.c of where windows and peers come from.
#ifndef MAILFLOW_SHELL_JOURNAL_LINE_H
#define MAILFLOW_SHELL_JOURNAL_LINE_H

#include "base/text.h"
#include "shell/journal.h"
#include "shell/syslog_socket.h"

#define JOURNAL_LINE(name)                                                                         \
    char name##_bytes[SYSLOG_LINE_SIZE];                                                           \
    struct text name = TEXT_OVER(name##_bytes)

// Each appends " key=value".
void journal_put_text(struct text *line, const char *key, const char *value);
void journal_put_seconds(struct text *line, const char *key, struct span value);
void journal_put_time(struct text *line, const char *key, struct walltime value);

// Of a line that could repeat without end.
struct journal_pause {
    struct instant until;
    unsigned meanwhile;
};

// True once a minute, with how many were not said since.
bool journal_passes(struct journal_pause *pause, unsigned *unsaid);

struct journal {
    struct syslog_socket *socket;
    struct journal_pause rejected_tags;
    struct journal_pause refused_windows;
    struct journal_pause unknown_receipts;
    struct journal_pause rejected_exchanges;
    bool ledger_failing;
};

void journal_say(struct journal *journal, int priority, const struct text *line);

#endif
