#include "probes/collect/received.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "probes/collect/header_token.h"
#include "probes/collect/mail_date.h"

enum clause { CLAUSE_NONE, CLAUSE_FROM, CLAUSE_BY, CLAUSE_WITH, CLAUSE_ID, CLAUSE_OTHER };

// Where it stands in the clauses of the header.
struct reading {
    enum clause clause;
    unsigned words;    // of this clause so far
    bool seen_address; // a comment behind `from` had it
    bool tls_word;     // Exim writes "tls" and the cipher after its comment
};

// ---- TLS, as it stands in comments ----

static const char *find_in(const char *bytes, size_t length, const char *what)
{
    return memmem(bytes, length, what, strlen(what));
}

// "TLSv1.3", "TLS1_2", "TLS1.2" become TLSv1.3 and so on; the length of what was read, or 0.
static size_t read_version(const char *at, const char *end, char out[HOP_TLS_SIZE])
{
    const char *digit = at + strlen("TLS");
    digit += digit < end && *digit == 'v';
    if (end - digit < 3 || !isdigit((unsigned char)digit[0]) || strchr("._", digit[1]) == NULL ||
        !isdigit((unsigned char)digit[2])) {
        return 0;
    }
    const char version[] = {'T', 'L', 'S', 'v', digit[0], '.', digit[2], '\0'};
    memcpy(out, version, sizeof version);
    return (size_t)(digit + 3 - at);
}

// The cipher's name from here on, behind the version.
static void add_cipher(char tls[HOP_TLS_SIZE], const char *at, const char *end)
{
    const char *from = at;
    while (at < end && (isalnum((unsigned char)*at) || strchr("_-", *at) != NULL)) {
        at++;
    }
    size_t length = strlen(tls);
    struct token cipher = {TOKEN_WORD, from, (size_t)(at - from)};
    if (cipher.length > 0 && length + 1 < HOP_TLS_SIZE) {
        tls[length] = ' ';
        token_copy_plain(tls + length + 1, HOP_TLS_SIZE - length - 1, &cipher);
    }
}

static void read_cipher(const char *comment, size_t length, const char *after, struct hop *hop)
{
    static const char *const NAMES[] = {"cipher=", "cipher "};
    const char *end = comment + length;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const char *named = find_in(comment, length, NAMES[i]);
        if (named != NULL) {
            add_cipher(hop->tls, named + strlen(NAMES[i]), end);
            return;
        }
    }
    if (after < end && *after == ':') { // Exim: TLS1.3:CIPHER:256
        add_cipher(hop->tls, after + 1, end);
    }
}

// Whether the comment is about TLS, which is not taken for anything else then.
static bool read_tls(const struct token *comment, struct hop *hop)
{
    const char *found = find_in(comment->from, comment->length, "TLS");
    if (found == NULL || hop->tls[0] != '\0') {
        return found != NULL && hop->tls[0] != '\0';
    }
    size_t version = read_version(found, comment->from + comment->length, hop->tls);
    if (version > 0) {
        read_cipher(comment->from, comment->length, found + version, hop);
        return true;
    }
    if (comment->length == strlen("TLS")) { // Exchange
        memcpy(hop->tls, "TLS", sizeof "TLS");
        return true;
    }
    return false;
}

// The protocols of RFC 3848 and their kin say it by an S behind SMTP or LMTP.
static void tls_by_protocol(struct hop *hop)
{
    const char *smtp = strcasestr(hop->protocol, "SMTP");
    const char *mtp = smtp != NULL ? smtp : strcasestr(hop->protocol, "LMTP");
    if (hop->tls[0] == '\0' && mtp != NULL && (mtp[4] == 'S' || mtp[4] == 's')) {
        memcpy(hop->tls, "TLS", sizeof "TLS");
    }
}

// ---- the client, as it stands in comments ----

// An address in brackets, or nothing else: "10.0.0.1", "user@10.0.0.1", "2603:10a6::1".
static bool has_address(const struct token *comment)
{
    bool parted = false, other = false; // since the last @
    for (size_t i = 0; i < comment->length; i++) {
        char byte = comment->from[i];
        bool part = byte == '.' || byte == ':';
        if (byte == '[') {
            return true;
        }
        parted = byte != '@' && (parted || part);
        other = byte != '@' && (other || (!part && !isxdigit((unsigned char)byte)));
    }
    return parted && !other;
}

// What the client called itself is no sight of the server: qmail has "HELO name" for it, Exim
// "helo=name", alone or behind the address.
static struct token without_greeting(struct token comment)
{
    static const char *const GREETINGS[] = {"HELO ", "EHLO ", "helo="};
    for (size_t i = 0; i < sizeof GREETINGS / sizeof GREETINGS[0]; i++) {
        const char *found = find_in(comment.from, comment.length, GREETINGS[i]);
        if (found != NULL && (found == comment.from || isspace((unsigned char)found[-1]))) {
            comment.length = (size_t)(found - comment.from);
        }
    }
    return comment;
}

static void take_client(struct reading *reading, const struct token *comment, struct hop *hop)
{
    struct token seen = without_greeting(*comment);
    if (seen.length == 0 && hop->from[0] == '[') { // Exim: from [10.0.0.1] (helo=name)
        seen = (struct token){TOKEN_WORD, hop->from, strlen(hop->from)};
    }
    bool address = has_address(&seen);
    if (seen.length > 0 && !reading->seen_address && (address || hop->seen[0] == '\0')) {
        token_copy_plain(hop->seen, sizeof hop->seen, &seen);
        reading->seen_address = address;
    }
}

// ---- clauses ----

static enum clause clause_of(const struct token *word)
{
    static const struct {
        const char *word;
        enum clause clause;
    } CLAUSES[] = {{"from", CLAUSE_FROM}, {"by", CLAUSE_BY},     {"with", CLAUSE_WITH},
                   {"id", CLAUSE_ID},     {"via", CLAUSE_OTHER}, {"for", CLAUSE_OTHER}};
    for (size_t i = 0; i < sizeof CLAUSES / sizeof CLAUSES[0]; i++) {
        if (token_is(word, CLAUSES[i].word)) {
            return CLAUSES[i].clause;
        }
    }
    return CLAUSE_NONE;
}

static void keep_first(char *to, size_t size, const struct token *word)
{
    if (to[0] == '\0') {
        token_copy_plain(to, size, word);
    }
}

// "with Microsoft SMTP Server" has several.
static void add_protocol(struct hop *hop, const struct token *word)
{
    size_t length = strlen(hop->protocol), room = sizeof hop->protocol - length;
    if (room > 2) {
        hop->protocol[length] = ' ';
        size_t blank = length > 0;
        token_copy_plain(hop->protocol + length + blank, room - blank, word);
    }
}

static void take_word(struct reading *reading, const struct token *word, struct hop *hop)
{
    enum clause begins = clause_of(word);
    // A word right behind the name of a clause is its value, whatever it is called.
    if (begins != CLAUSE_NONE && (reading->clause == CLAUSE_NONE || reading->words > 0)) {
        *reading = (struct reading){.clause = begins, .seen_address = reading->seen_address};
        return;
    }
    reading->words++;
    if (reading->clause == CLAUSE_WITH && token_is(word, "tls")) {
        reading->tls_word = true;
    } else if (reading->tls_word) {
        bool bare = strchr(hop->tls, ' ') == NULL && hop->tls[0] != '\0';
        if (bare) {
            add_cipher(hop->tls, word->from, word->from + word->length);
        }
        reading->tls_word = false;
    } else if (reading->clause == CLAUSE_FROM) {
        keep_first(hop->from, sizeof hop->from, word);
    } else if (reading->clause == CLAUSE_BY) {
        keep_first(hop->by, sizeof hop->by, word);
    } else if (reading->clause == CLAUSE_WITH) {
        add_protocol(hop, word);
    } else if (reading->clause == CLAUSE_ID) {
        keep_first(hop->queue_id, sizeof hop->queue_id, word);
    }
}

static void take_comment(struct reading *reading, const struct token *comment, struct hop *hop)
{
    if (!read_tls(comment, hop) && reading->clause == CLAUSE_FROM) {
        take_client(reading, comment, hop);
    }
}

void received_read(const char *value, size_t length, struct hop *out)
{
    struct token_scanner scanner = {value, value + length, ";"};
    struct reading reading = {0};
    struct token token;
    const char *date = NULL; // behind the last semicolon, for some put more than one
    *out = (struct hop){0};
    while ((token = token_next(&scanner)).kind != TOKEN_END) {
        if (token.kind == TOKEN_SPECIAL) {
            date = scanner.at;
        } else if (date == NULL && token.kind == TOKEN_WORD) {
            take_word(&reading, &token, out);
        } else if (date == NULL) {
            take_comment(&reading, &token, out);
        }
    }
    tls_by_protocol(out);
    if (date != NULL) {
        out->time = mail_date_read(date, (size_t)(scanner.end - date));
    }
}
