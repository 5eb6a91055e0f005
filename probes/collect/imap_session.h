// One IMAP connection (RFC 3501) by libEtPan over our stream: what the collector needs of it, each
// command within its deadline and its budget. Blocking; a command that is not done says why, the
// server named in it and never the password.
//
// Messages that appear are announced by the server in the answer to any command, so every command
// may find news; imap_session_take_news hands them over.
#ifndef MAILFLOW_PROBES_COLLECT_IMAP_SESSION_H
#define MAILFLOW_PROBES_COLLECT_IMAP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"
#include "probes/collect/wire_guard.h"
#include "probes/probe.h"

enum imap_result {
    IMAP_DONE,
    IMAP_REFUSED,   // the server said no; the connection is as good as before
    IMAP_BROKEN,    // the connection is of no use any more
    IMAP_UNREADABLE // likewise, and it was the answer itself that could not be read
};

// Of the headers of a message's way so much is asked for: what is read of it fits into a report.
enum { IMAP_BATCH = 16, IMAP_TRACE_MAXIMUM = 7168, IMAP_SIGNS_MAXIMUM = 2048 };

struct imap_folder {
    uint32_t uid_validity;
    uint32_t uid_next; // 0 when the server does not say
    uint32_t exists;
};

// `exists` messages were there at `at`, says the answer to a command that was sent at `asked`; zero
// when the server told of them unasked.
struct imap_news {
    uint32_t exists;
    struct moment at;
    struct moment asked;
};

struct imap_message {
    uint32_t uid;
    uint32_t number;       // its place in the folder
    struct walltime saved; // SAVEDATE, else INTERNALDATE
    uint32_t size;         // of the whole message as the server has it; 0 where it was not asked
    size_t header_length;  // WIRE_LITERAL_MAXIMUM when there may be more
    char headers[WIRE_LITERAL_MAXIMUM];
    size_t trace_length; // IMAP_TRACE_MAXIMUM when there may be more
    char trace[IMAP_TRACE_MAXIMUM];
    size_t signs_length;
    char signs[IMAP_SIGNS_MAXIMUM]; // headers by which it may be a report of delivery
};

struct imap_session;

// Once per process.
void imap_session_prepare(void);

// What was seen of a server on the way in, whether we got in or not.
struct imap_attempt {
    struct span legs[COLLECT_LEGS]; // negative when the leg was not completed
    struct certificate certificate;
    bool token_refused; // another one may do
};

// Connects, secures and logs in. NULL with the reason; the caller owns the session.
struct imap_session *imap_session_open(const struct probe_endpoint *endpoint, struct span timeout,
                                       struct imap_attempt *attempt, struct error *error);
void imap_session_close(struct imap_session *session);

bool imap_session_can_idle(const struct imap_session *session);
bool imap_session_can_expunge_uids(const struct imap_session *session);

// News of the folder selected before are forgotten; those of this one are in `out`.
enum imap_result imap_session_select(struct imap_session *session, const char *folder,
                                     struct imap_folder *out, struct error *error);
enum imap_result imap_session_status(struct imap_session *session, const char *folder,
                                     struct imap_folder *out, struct error *error);
enum imap_result imap_session_noop(struct imap_session *session, struct error *error);

// The number of messages now in the selected folder.
uint32_t imap_session_exists(const struct imap_session *session);

bool imap_session_has_news(const struct imap_session *session);
bool imap_session_take_news(struct imap_session *session, struct imap_news *out);

// The UIDs from `first` to `last` (0: to the end), ascending, for the caller to free.
enum imap_result imap_session_search(struct imap_session *session, uint32_t first, uint32_t last,
                                     uint32_t **uids, size_t *count, struct error *error);
enum imap_result imap_session_search_deleted(struct imap_session *session, uint32_t **uids,
                                             size_t *count, struct error *error);

// Message-ID and Mailflow- headers of at most IMAP_BATCH messages, those of their way and the signs
// of a report, without marking them as seen.
// Those that are gone are left out. The messages are the session's, until the next fetch.
enum imap_result imap_session_fetch(struct imap_session *session, const uint32_t *uids,
                                    size_t count, const struct imap_message **out, size_t *found,
                                    struct error *error);

// WIRE_LITERAL_MAXIMUM bytes of a message from `offset` on, fewer at its end, as its `headers`; and
// its size.
enum imap_result imap_session_fetch_bytes(struct imap_session *session, uint32_t uid,
                                          uint32_t offset, const struct imap_message **out,
                                          size_t *found, struct error *error);

enum imap_result imap_session_flag_deleted(struct imap_session *session, const uint32_t *uids,
                                           size_t count, struct error *error);

// Expunges these UIDs (UIDPLUS, RFC 4315), or everything flagged \Deleted, whosever it is.
enum imap_result imap_session_expunge(struct imap_session *session, const uint32_t *uids,
                                      size_t count, struct error *error);
enum imap_result imap_session_expunge_all(struct imap_session *session, struct error *error);

// IDLE (RFC 2177). While idling, imap_session_idle_read takes in what has come, once the descriptor
// is readable or imap_session_is_readable says so; no other command may be given.
enum imap_result imap_session_idle_begin(struct imap_session *session, struct error *error);
enum imap_result imap_session_idle_read(struct imap_session *session, struct error *error);
enum imap_result imap_session_idle_end(struct imap_session *session, struct error *error);
int imap_session_descriptor(const struct imap_session *session);
bool imap_session_is_readable(const struct imap_session *session);

#endif
