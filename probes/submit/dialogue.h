// What was said on the wire of one SMTP session, and what must not be.
//
// libESMTP shows every buffer it has read or is about to write. From these the dialogue knows which
// command is waiting for its reply, keeps the words of the replies, and times the legs. It is pure:
// bytes and instants in, a record and a permission out. The library says DATA together with RCPT
// where PIPELINING is offered, and after a refused RCPT too; the refusal is what counts. Three
// things it does about the library:
//
// - It hides CHUNKING and unknown AUTH mechanisms by altering the EHLO reply in place: with BDAT
//   the content would go out before RCPT is answered, and an unknown mechanism makes the library
//   load a plugin.
// - It stops the session where the library would go on: after a failed AUTH, without AUTH or TLS
//   where those are required, when bytes follow a reply before the next command (RFC 3207 section
//   6: they would be taken for an answer from inside TLS), and when a server never ends.
// - It keeps secrets out of what it records and reports: where a reply repeats one, it is cut out,
//   and of what AUTH says only the mechanism is written down.
//
// Legs follow each other without a gap: connect until the reply to the first EHLO, tls from
// STARTTLS, auth from AUTH, submit from MAIL to the final reply.
#ifndef MAILFLOW_PROBES_SUBMIT_DIALOGUE_H
#define MAILFLOW_PROBES_SUBMIT_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"
#include "base/text.h"
#include "probes/probe.h"
#include "probes/submit/recorder.h"

// The command whose reply is awaited or was the last. QUIT is none: what follows it decides
// nothing.
enum smtp_stage {
    STAGE_GREETING,
    STAGE_EHLO,
    STAGE_STARTTLS,
    STAGE_HANDSHAKE,
    STAGE_AUTH,
    STAGE_MAIL,
    STAGE_RCPT,
    STAGE_DATA,
    STAGE_CONTENT
};
const char *smtp_answer_name(enum smtp_stage stage); // "greeting", "reply to EHLO" ...

enum dialogue_stop {
    STOP_NONE,
    STOP_UNASKED,       // bytes that no command had asked for
    STOP_FLOOD,         // replies without end
    STOP_LONG_LINE,     // a line that libESMTP would take for two
    STOP_NOT_ENCRYPTED, // about to go on in the clear
    STOP_NO_AUTH,       // about to go on unauthenticated: AUTH is not offered in a form we have
    STOP_AUTH_REFUSED,
    STOP_COMMAND, // the library said what it never should
};

enum {
    DIALOGUE_LINE_SIZE = 1023,      // libESMTP's; RFC 5321 allows half of that
    DIALOGUE_TEXT_SIZE = 2048,      // of a whole reply; PROBE_REPLY_SIZE of it are reported
    DIALOGUE_SECRETS = 4,           // the password, and what AUTH made of it
    DIALOGUE_SECRET_SIZE = 4800,    // what AUTH makes of the longest token
    DIALOGUE_BYTES_MAXIMUM = 65536, // of all replies of a session
};

struct dialogue {
    bool tls_required;
    bool auth_required;
    char secrets[DIALOGUE_SECRETS][DIALOGUE_SECRET_SIZE];
    size_t secret_count;
    enum smtp_stage stage;
    enum dialogue_stop stop;
    bool encrypted;
    bool authenticated;
    bool quitting;
    bool no_starttls;     // the server does not offer it
    struct instant asked; // when the wait for the reply of this stage began
    bool answered;        // that reply is complete
    int sent_along;       // commands that wait for their replies after this one
    bool refused;         // MAIL or RCPT: what is answered after that decides nothing
    bool surplus;         // more came than the reply to the content
    int code;             // 0 when what came is no reply
    char reply[PROBE_REPLY_SIZE];
    struct instant answered_at;
    enum submit_leg leg; // the one under way, SUBMIT_LEGS between two messages
    struct instant leg_begun;
    struct span legs[SUBMIT_LEGS]; // negative until one is over
    size_t received;
    char line[DIALOGUE_LINE_SIZE]; // being read
    size_t line_length;
    struct recorder recorder;      // of every line, both ways
    char text[DIALOGUE_TEXT_SIZE]; // lines of the reply so far
    size_t text_length;
};

// For a session with this relay, whose leg `connect` begins now.
void dialogue_begin(struct dialogue *dialogue, const struct probe_endpoint *relay,
                    struct instant now);

// A connection to one of the relay's addresses stands: forgets what another address said.
void dialogue_connected(struct dialogue *dialogue, struct instant now);

// The session goes on with another message: what follows is told of that one alone.
void dialogue_next_message(struct dialogue *dialogue, struct instant now);

// Takes what was read, altering it in place where the library must not see it; takes what is about
// to be written. False when the connection must be cut now (`stop` says why).
bool dialogue_read(struct dialogue *dialogue, char *bytes, size_t count, struct instant now);
bool dialogue_write(struct dialogue *dialogue, const char *bytes, size_t count, struct instant now);

// Whether the server offers this mechanism in its last reply to EHLO.
bool dialogue_offers(const struct dialogue *dialogue, const char *mechanism);

// The TLS handshake is done and the certificate verified.
void dialogue_encrypted(struct dialogue *dialogue);

// The content begins to go out, in answer to a 354.
void dialogue_content(struct dialogue *dialogue, struct instant now);

// Writes down what no line of SMTP tells, in our words.
void dialogue_note(struct dialogue *dialogue, const char *words, struct instant now);

// What was said so far, a line that has not ended included.
void dialogue_transcribe(struct dialogue *dialogue, char out[TRANSCRIPT_SIZE], struct instant now);

// The text without any of the session's secrets, of which a rest at its end (where it was cut) is
// one too, and without control bytes. A secret of fewer than four characters is none. Appends.
void dialogue_redact(const struct dialogue *dialogue, const char *text, struct text *out);

#endif
