// What the agent and its probers say to each other: a job in, outcomes out, one JSON object a line,
// at most JSON_LINE_MAXIMUM bytes. Plain values here; their JSON in *_json.c, both directions, so
// that neither side can misspell the other. Instants are on the machine's boot-time clock, which
// all its processes share; a deadline is absolute.
#ifndef MAILFLOW_PROBES_PROBE_H
#define MAILFLOW_PROBES_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"
#include "base/mesh_key.h"
#include "base/tag_codec.h"
#include "probes/bounce.h"
#include "probes/certificate.h"
#include "probes/trace.h"
#include "probes/transcript.h"

enum {
    PROBE_HOST_SIZE = 256,
    PROBE_PATH_SIZE = 256,
    PROBE_USER_SIZE = 256,
    PROBE_PASSWORD_SIZE = 512,
    PROBE_TOKEN_SIZE = 3073,
    PROBE_ADDRESS_SIZE = 321, // RFC 5321: local part 64, domain 255, @
    PROBE_REPLY_SIZE = 256,
    PROBE_QUEUE_ID_SIZE = 64,
    PROBE_MAILBOX_SIZE = 65,
    PROBE_FOLDER_SIZE = 129,
    PROBE_FOLDERS_MAXIMUM = 8,
};

enum probe_tls { PROBE_TLS_NONE, PROBE_TLS_STARTTLS, PROBE_TLS_IMPLICIT };

// Whether a bearer token authenticates, and by which mechanism; auto: what the server offers.
enum probe_oauth {
    PROBE_OAUTH_NONE,
    PROBE_OAUTH_AUTO,
    PROBE_OAUTH_XOAUTH2,
    PROBE_OAUTH_OAUTHBEARER
};

// A server to talk to and the credentials for it.
struct probe_endpoint {
    char host[PROBE_HOST_SIZE];
    uint16_t port;
    enum probe_tls tls;
    char ca_file[PROBE_PATH_SIZE]; // "" = the system's store
    char user[PROBE_USER_SIZE];    // "" = no authentication
    char password[PROBE_PASSWORD_SIZE];
    enum probe_oauth oauth;
    char token[PROBE_TOKEN_SIZE]; // instead of the password
};

// ---- mailflow-submit: one line in, two lines out per job (content started, outcome) ----

struct submit_job {
    int64_t number;
    struct instant deadline;
    struct probe_endpoint relay;
    char ehlo[PROBE_HOST_SIZE];
    char sender[PROBE_ADDRESS_SIZE];
    char recipient[PROBE_ADDRESS_SIZE];
    struct tag tag; // `sent` is stamped by the prober
    char maintenance[TAG_LIST_SIZE];
    char receipts[TAG_LIST_SIZE];
    char row[TAG_LIST_SIZE];
    struct mesh_key key; // signs
};

enum submit_result {
    SUBMIT_CONTENT,   // not an outcome yet: the message data is on its way, stamped `sent`
    SUBMIT_ACCEPTED,  // message and recipient both 2xx
    SUBMIT_REFUSED,   // definitely not taken over: nothing is in flight
    SUBMIT_UNCERTAIN, // content went out, the reply to it did not come in
};

// How the server answered, or what kept it from answering. The labels of smtp_replies_total.
enum reply_class {
    REPLY_2XX,
    REPLY_4XX,
    REPLY_5XX,
    REPLY_TIMEOUT,
    REPLY_CONNECT,
    REPLY_TLS,
    REPLY_DNS,
    REPLY_LOCAL, // our own side: a prober crashed, no prober was free, the ledger cannot be written
    REPLY_CLASSES
};
const char *reply_class_name(enum reply_class of);

// Without gaps: connect from the first connect(2) until the reply to EHLO, greeting included; tls
// from STARTTLS until the reply to the EHLO inside; auth; submit from MAIL FROM to the final reply.
enum submit_leg { LEG_DNS, LEG_CONNECT, LEG_TLS, LEG_AUTH, LEG_SUBMIT, SUBMIT_LEGS };
const char *submit_leg_name(enum submit_leg leg);

struct submit_outcome {
    int64_t number;
    enum submit_result result;
    enum reply_class reply_class;
    int code;                     // of the reply that decided, 0 when none came
    char reply[PROBE_REPLY_SIZE]; // its text, lines joined by blanks, code in front, redacted
    char cause[PROBE_REPLY_SIZE]; // what went wrong on our side of the wire; "" when nothing did
    bool token_refused;           // and not the password, nor anything else: another token may do
    char queue_id[PROBE_QUEUE_ID_SIZE];
    struct moment sent;               // zero when no content started
    struct moment accepted;           // zero unless accepted
    struct span legs[SUBMIT_LEGS];    // negative when the leg was not completed
    struct certificate certificate;   // of the relay
    char transcript[TRANSCRIPT_SIZE]; // refused, uncertain: what was said, else ""
};

// ---- mailflow-collect: long-lived; commands in, reports out ----

enum collect_command_kind { COLLECT_WATCH, COLLECT_UNWATCH, COLLECT_DELETE };

enum { COLLECT_UIDS_MAXIMUM = 64 };

struct collect_command {
    enum collect_command_kind kind;
    char mailbox[PROBE_MAILBOX_SIZE];
    // watch (a second one for the same mailbox replaces the first)
    struct probe_endpoint endpoint;
    char folders[PROBE_FOLDERS_MAXIMUM][PROBE_FOLDER_SIZE];
    size_t folder_count;
    struct mesh_keys keys;
    char authserv_id[AUTHSERV_ID_SIZE]; // whose Authentication-Results are believed; "": nobody's
    // delete: messages of ours whose arrival is recorded
    char folder[PROBE_FOLDER_SIZE];
    uint32_t uid_validity;
    uint32_t uids[COLLECT_UIDS_MAXIMUM];
    size_t uid_count;
};

enum collect_report_kind {
    COLLECT_UP,       // the mailbox is readable; sent again when `cause` changes, and as a sign of
                      // life while much is read of which nothing is to be reported
    COLLECT_DOWN,     // it is not, `cause` says why; sent again when the cause changes, and when
                      // another attempt has failed and 30 s have passed: a sign of life
    COLLECT_COMPLETE, // everything there at `at` has been reported
    COLLECT_TRACE,    // the way of the probe whose arrival is the next line
    COLLECT_ARRIVAL,  // a probe with a valid tag
    COLLECT_REJECTED, // a message that claims to be a probe and is none of ours
    COLLECT_BOUNCE,   // what became of a probe of the mesh, says a server
};

// Of the last attempt to connect, without gaps: connect until the greeting (with implicit TLS:
// until the handshake), tls until the handshake is done, login until we are logged in.
enum collect_leg { COLLECT_DNS, COLLECT_CONNECT, COLLECT_TLS, COLLECT_LOGIN, COLLECT_LEGS };
const char *collect_leg_name(enum collect_leg leg);

enum rejection { REJECTED_SIGNATURE, REJECTED_MALFORMED, REJECTED_TOO_BIG, REJECTIONS };
const char *rejection_name(enum rejection of);

struct collect_report {
    enum collect_report_kind kind;
    char mailbox[PROBE_MAILBOX_SIZE];
    char cause[PROBE_REPLY_SIZE]; // down, rejected; up: what still cannot be read or deleted, or ""
    struct span legs[COLLECT_LEGS]; // up, down; negative when the leg was not completed
    struct certificate certificate; // up, down: of the mailbox's server
    bool token_refused;             // down: another token may do
    // complete
    struct moment at;
    int64_t foreign; // messages in the mailbox that are not ours, left alone
    // trace, arrival, rejected, bounce
    enum rejection rejection;
    char folder[PROBE_FOLDER_SIZE];
    uint32_t uid_validity;
    uint32_t uid;
    // arrival: it was not there at `absent` (zero: the mailbox had not been read yet) and there at
    // `present`. The command in whose answer the server told of it was sent at `asked` (zero: it
    // told unasked). `saved` is its SAVEDATE or INTERNALDATE, to the second, zero when unknown
    struct moment absent;
    struct moment asked;
    struct moment present;
    struct walltime saved;
    bool stripped; // recognised by its Message-ID only
    struct tag tag;
    char maintenance[TAG_LIST_SIZE]; // verified values, "" when absent
    char receipts[TAG_LIST_SIZE];
    char row[TAG_LIST_SIZE];
    struct trace trace; // in a line of its own; whoever reads the lines puts it to the arrival
    // bounce, there at `present`. Verified: the tag is that of the probe, as far as its Message-ID
    // has it; else only the tag's id is known, which the report claims: whoever has the ledger adds
    // the ends when that confirms it.
    bool verified;
    struct bounce bounce;
};

// Encoders return one line with its newline, for the caller to free; decoders fill a zeroed value.
char *submit_job_encode(const struct submit_job *job);
bool submit_job_decode(const char *line, size_t length, struct submit_job *out,
                       struct error *error);
char *submit_outcome_encode(const struct submit_outcome *outcome);
bool submit_outcome_decode(const char *line, size_t length, struct submit_outcome *out,
                           struct error *error);
char *collect_command_encode(const struct collect_command *command);
bool collect_command_decode(const char *line, size_t length, struct collect_command *out,
                            struct error *error);
char *collect_report_encode(const struct collect_report *report);
bool collect_report_decode(const char *line, size_t length, struct collect_report *out,
                           struct error *error);

#endif
