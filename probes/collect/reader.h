// Reads what is new in the selected folder of a mailbox, reports it, and deletes what the agent has
// recorded. All state that outlives a connection is in the folder.
//
// Functions return false when the connection is of no use any more, with the reason.
#ifndef MAILFLOW_PROBES_COLLECT_READER_H
#define MAILFLOW_PROBES_COLLECT_READER_H

#include <stdbool.h>

#include "probes/collect/dsn.h"
#include "probes/collect/expectation.h"
#include "probes/collect/folder.h"
#include "probes/collect/imap_session.h"
#include "probes/collect/recognise.h"
#include "probes/probe.h"

struct reader {
    const char *mailbox; // its name
    const struct mesh_keys *keys;
    const char *authserv_id; // whose Authentication-Results are believed; "" for nobody's
    struct imap_session *session;
    struct folder *folder;             // the selected one, NULL when none
    struct imap_folder opened;         // how it was when it was selected ...
    struct moment opened_at;           // ... and when that was asked for
    struct imap_news searched;         // the last search, of which the messages at hand are
    bool found;                        // something was reported since this was last cleared
    const struct collect_report *life; // what to say again when long nothing has been reported ...
    struct instant told;               // ... since then
    struct expectations expectations;
    char hindrance[PROBE_REPLY_SIZE]; // why messages cannot be deleted; "" when they can
    struct recognised recognised;     // of the message at hand
    uint32_t suspect;                 // looked into, 0 when none; so far we have of it:
    char message[DSN_BYTES_MAXIMUM];
    size_t message_length;
    uint32_t suspect_offset; // where its next piece stands
    bool suspect_ends;       // its beginning told nothing: half of it and its end are read
    struct collect_report report;
};

// Selects the folder; what is new in it is to be read next.
enum imap_result reader_open(struct reader *reader, struct folder *folder, struct error *error);
bool reader_read_opened(struct reader *reader, struct error *error);

// Asks the server for news and reports all that was there when it was asked.
bool reader_check(struct reader *reader, struct error *error);

// Reports what the server has told of unasked, if anything.
bool reader_read_news(struct reader *reader, struct error *error);

bool reader_remove_doomed(struct reader *reader, struct error *error);

// An empty report of a message in the selected folder.
struct collect_report *reader_begin_report(struct reader *reader, enum collect_report_kind kind,
                                           uint32_t uid);

#endif
