#include "probes/collect/dsn_text.h"

#include <ctype.h>
#include <string.h>

// Who reports a delay may say "failed" of the attempts, so those come first.
static const struct sentence {
    const char *words;
    enum bounce_action action;
} SENTENCES[] = {
    {"has not yet been delivered", BOUNCE_DELAYED},       // Exim
    {"this is a warning message only", BOUNCE_DELAYED},   // Sendmail, Gmail
    {"warning: could not send message", BOUNCE_DELAYED},  // Sendmail
    {"there was a temporary problem", BOUNCE_DELAYED},    // Gmail
    {"message is delayed for more than", BOUNCE_DELAYED}, // OpenSMTPD
    {"hi. this is the", BOUNCE_FAILED},                   // qmail
    {"could not be delivered to", BOUNCE_FAILED},         // Exim, Postfix
    {"had permanent fatal errors", BOUNCE_FAILED},        // Sendmail
    {"attempting to deliver a message", BOUNCE_FAILED},   // OpenSMTPD
    {"failed permanently", BOUNCE_FAILED},                // Gmail, once
    {"wasn't delivered to", BOUNCE_FAILED},               // Gmail
    {"delivery has failed to these", BOUNCE_FAILED},      // Exchange
    {"did not reach the following", BOUNCE_FAILED},       // Exchange, once
    {"returned to you", BOUNCE_FAILED},
};

// Before the name of the server that refused.
static const char *const HOST_FOLLOWS[] = {"while talking to ", "host ", "connected to "};

// Exim goes on with it where it has no reason to give.
#define NO_REASON "no action is required"

// ---- status ----

// The number of digits at the front, at most three; 0 for none, or more.
static size_t digits_at(const char *at)
{
    size_t count = strspn(at, "0123456789");
    return count <= 3 ? count : 0;
}

// The length of a status code at the front, 0 for none.
static size_t status_length(const char *at)
{
    size_t subject, detail;
    if (strchr("245", at[0]) == NULL || at[0] == '\0' || at[1] != '.' ||
        (subject = digits_at(at + 2)) == 0 || at[2 + subject] != '.' ||
        (detail = digits_at(at + 3 + subject)) == 0) {
        return 0;
    }
    size_t length = 3 + subject + detail;
    bool goes_on = at[length] == '.' && isdigit((unsigned char)at[length + 1]);
    return goes_on ? 0 : length; // an address of a host
}

bool dsn_text_find_status(const char *words, char status[BOUNCE_STATUS_SIZE])
{
    for (const char *at = words; *at != '\0'; at++) {
        bool inside = at > words && (isalnum((unsigned char)at[-1]) || at[-1] == '.');
        size_t length = inside ? 0 : status_length(at);
        if (length > 0) {
            memcpy(status, at, length);
            status[length] = '\0';
            return true;
        }
    }
    return false;
}

// ---- where the message begins that it is about ----

// "--- Below this line is a copy of the message.", "----- Original message follows -----".
static bool is_divider(struct bytes line)
{
    line = bytes_trim(line);
    return bytes_begin_with(line, "--") &&
           (bytes_contain(line, "message") || bytes_contain(line, "header"));
}

static bool is_dashed_or_blank(struct bytes line)
{
    line = bytes_trim(line);
    return line.at == line.end || bytes_begin_with(line, "--");
}

// Cuts the text in two. Several dashed lines in a row are one divider.
static void divide(struct bytes *text, struct bytes *original)
{
    struct bytes left = *text, line;
    *original = (struct bytes){text->end, text->end};
    for (const char *begin = left.at; bytes_take_line(&left, &line); begin = left.at) {
        if (is_divider(line)) {
            *original = left;
            while (bytes_take_line(&left, &line) && is_dashed_or_blank(line)) {
                *original = left;
            }
            text->end = begin;
            return;
        }
    }
}

// ---- what happened ----

// As words on one line, so that a sentence is found however it was broken.
static bool has_sentence(struct bytes text, const char *words)
{
    size_t length = strlen(words);
    for (; bytes_length(text) >= length; text.at++) {
        const char *at = text.at, *word = words;
        while (*word != '\0' && at < text.end) {
            bool blank = isspace((unsigned char)*at);
            if (blank ? *word != ' ' : tolower((unsigned char)*at) != *word) {
                break;
            }
            word++;
            at++;
            while (blank && at < text.end && isspace((unsigned char)*at)) {
                at++;
            }
        }
        if (*word == '\0') {
            return true;
        }
    }
    return false;
}

static bool find_action(struct bytes text, enum bounce_action *action)
{
    for (size_t i = 0; i < sizeof SENTENCES / sizeof SENTENCES[0]; i++) {
        if (has_sentence(text, SENTENCES[i].words)) {
            *action = SENTENCES[i].action;
            return true;
        }
    }
    return false;
}

// Cuts a line at its first ": ", and returns what stands behind; nothing where there is none.
static struct bytes cut_words(struct bytes *line)
{
    for (const char *at = line->at; line->end - at >= 2; at++) {
        if (at[0] == ':' && isspace((unsigned char)at[1])) {
            struct bytes words = {at + 1, line->end};
            line->end = at;
            return words;
        }
    }
    return (struct bytes){line->end, line->end};
}

// An address, alone on its line or with words behind it: "<user@host>:", "  user@host",
// "user@host: 550 no such user".
static bool read_recipient(struct bytes line, struct bytes *address, struct bytes *words)
{
    *address = bytes_trim(line);
    *words = cut_words(address);
    if (address->at < address->end && address->end[-1] == ':') {
        address->end--;
    }
    if (bytes_length(*address) >= 2 && *address->at == '<' && address->end[-1] == '>') {
        address->at++;
        address->end--;
    }
    const char *at = memchr(address->at, '@', bytes_length(*address));
    return at != NULL && at > address->at && at + 1 < address->end &&
           !bytes_contain(*address, " ") && !bytes_contain(*address, "<");
}

// The words and the lines below that go on with them: those are indented (Postfix), another
// recipient is not.
static struct bytes with_continuation(struct bytes words, struct bytes left)
{
    for (struct bytes line; bytes_take_line(&left, &line);) {
        if (bytes_trim(line).at == bytes_trim(line).end || !isspace((unsigned char)*line.at)) {
            break;
        }
        words.end = line.end;
    }
    return words;
}

// What follows the recipient up to the next blank line; where one follows at once (Gmail), the
// paragraph after it.
static struct bytes paragraph_after(struct bytes left)
{
    struct bytes line, paragraph = {left.at, left.at};
    bool begun = false;
    for (const char *begin = left.at; bytes_take_line(&left, &line); begin = left.at) {
        bool blank = bytes_trim(line).at == bytes_trim(line).end;
        if (blank && begun) {
            break;
        }
        if (!blank) {
            paragraph = (struct bytes){begun ? paragraph.at : begin, line.end};
            begun = true;
        }
    }
    bool is_reason = !bytes_begin_with(bytes_trim(paragraph), NO_REASON);
    return is_reason ? paragraph : (struct bytes){left.at, left.at};
}

static void find_host(const char *words, char host[BOUNCE_HOST_SIZE])
{
    for (size_t i = 0; i < sizeof HOST_FOLLOWS / sizeof HOST_FOLLOWS[0]; i++) {
        struct bytes left = {words, words + strlen(words)};
        size_t length = strlen(HOST_FOLLOWS[i]);
        while (left.at < left.end && !(bytes_begin_with(left, HOST_FOLLOWS[i]) &&
                                       (left.at == words || left.at[-1] == ' '))) {
            left.at++;
        }
        struct bytes name = {left.at + length, left.at + length};
        if (left.at == left.end) {
            continue;
        }
        name.end += strcspn(name.at, " \t[]:,()");
        name.end -= name.end > name.at && name.end[-1] == '.';
        if (bytes_contain(name, ".") && bytes_length(name) < BOUNCE_HOST_SIZE) {
            struct text text = text_over(host, BOUNCE_HOST_SIZE);
            bytes_append_words(name, &text);
            return;
        }
    }
}

static void read_reason(struct bytes text, struct bounce *out)
{
    struct bytes line, address, words;
    while (bytes_take_line(&text, &line)) {
        if (!read_recipient(line, &address, &words)) {
            continue;
        }
        bool inside = bytes_length(words) > 0;
        struct text recipient = TEXT_OVER(out->recipient), reason = TEXT_OVER(out->diagnostic);
        bytes_append_words(address, &recipient);
        bytes_append_words(inside ? with_continuation(words, text) : paragraph_after(text),
                           &reason);
        dsn_text_find_status(out->diagnostic, out->status);
        find_host(out->diagnostic, out->remote_mta);
        return;
    }
}

bool dsn_text_read(struct bytes text, struct dsn_text *out)
{
    *out = (struct dsn_text){.original = {text.end, text.end}};
    divide(&text, &out->original);
    if (!find_action(text, &out->bounce.action)) {
        return false;
    }
    read_reason(text, &out->bounce);
    return true;
}
