#include "probes/submit/dialogue.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SECRET_MINIMUM = 4, CODE_LENGTH = 3 };

static const char *const ANSWER_NAMES[] = {
    "greeting",         "reply to EHLO", "reply to STARTTLS",
    "TLS handshake",    "reply to AUTH", "reply to MAIL FROM",
    "reply to RCPT TO", "reply to DATA", "reply to the content",
};

static const char *const MECHANISMS[] = {"PLAIN", "LOGIN", "CRAM-MD5"};
static const size_t MECHANISM_COUNT = sizeof MECHANISMS / sizeof MECHANISMS[0];

// What the library may say, the stage and the leg that begin with it.
static const struct command {
    const char *verb;
    enum smtp_stage stage;
    enum submit_leg leg; // SUBMIT_LEGS: the one under way goes on
} COMMANDS[] = {
    {"EHLO ", STAGE_EHLO, SUBMIT_LEGS},      {"HELO ", STAGE_EHLO, SUBMIT_LEGS},
    {"STARTTLS\r", STAGE_STARTTLS, LEG_TLS}, {"AUTH ", STAGE_AUTH, LEG_AUTH},
    {"MAIL FROM:", STAGE_MAIL, LEG_SUBMIT},  {"RCPT TO:", STAGE_RCPT, SUBMIT_LEGS},
    {"DATA\r", STAGE_DATA, SUBMIT_LEGS},
};
static const size_t COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0];

const char *smtp_answer_name(enum smtp_stage stage)
{
    return ANSWER_NAMES[stage];
}

static void remember_secret(struct dialogue *dialogue, const char *secret, size_t length)
{
    if (dialogue->secret_count < DIALOGUE_SECRETS && length >= SECRET_MINIMUM) {
        struct text to = TEXT_OVER(dialogue->secrets[dialogue->secret_count]);
        text_append_bytes(&to, secret, length);
        dialogue->secret_count++;
    }
}

static void forget_legs(struct dialogue *dialogue)
{
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        dialogue->legs[i] = (struct span){-1};
    }
}

void dialogue_begin(struct dialogue *dialogue, const struct probe_endpoint *relay,
                    struct instant now)
{
    *dialogue = (struct dialogue){
        .tls_required = relay->tls != PROBE_TLS_NONE,
        .auth_required = relay->user[0] != '\0',
        .asked = now,
        .leg = LEG_CONNECT,
        .leg_begun = now,
    };
    forget_legs(dialogue);
    recorder_begin(&dialogue->recorder, now);
    remember_secret(dialogue, relay->password, strlen(relay->password));
    remember_secret(dialogue, relay->token, strlen(relay->token));
}

// The wait for the reply to a stage begins.
static void ask(struct dialogue *dialogue, enum smtp_stage stage, struct instant now)
{
    dialogue->stage = stage;
    dialogue->asked = now;
    dialogue->answered = false;
    dialogue->refused = false;
    dialogue->code = 0;
    dialogue->reply[0] = '\0';
    dialogue->line_length = 0;
    dialogue->text_length = 0;
}

static void end_leg(struct dialogue *dialogue, struct instant now)
{
    if (dialogue->leg != SUBMIT_LEGS) {
        dialogue->legs[dialogue->leg] = instant_since(now, dialogue->leg_begun);
    }
    dialogue->leg_begun = now;
}

void dialogue_next_message(struct dialogue *dialogue, struct instant now)
{
    forget_legs(dialogue);
    dialogue->leg = SUBMIT_LEGS;
    dialogue->received = 0;
    dialogue->sent_along = 0;
    ask(dialogue, STAGE_MAIL, now);
    recorder_begin(&dialogue->recorder, now);
}

void dialogue_connected(struct dialogue *dialogue, struct instant now)
{
    ask(dialogue, STAGE_GREETING, now);
    dialogue->sent_along = 0;
    dialogue->quitting = false;
}

void dialogue_encrypted(struct dialogue *dialogue)
{
    dialogue->encrypted = true;
}

void dialogue_content(struct dialogue *dialogue, struct instant now)
{
    ask(dialogue, STAGE_CONTENT, now);
}

static bool stop(struct dialogue *dialogue, enum dialogue_stop why)
{
    dialogue->stop = why;
    return false;
}

// How many characters at `at` are a secret, or all that is left of one before the text was cut.
static size_t secret_length(const struct dialogue *dialogue, const char *at)
{
    size_t left = strlen(at);
    for (size_t i = 0; i < dialogue->secret_count && left >= SECRET_MINIMUM; i++) {
        size_t length = strlen(dialogue->secrets[i]);
        length = length < left ? length : left;
        if (strncmp(at, dialogue->secrets[i], length) == 0) {
            return length;
        }
    }
    return 0;
}

void dialogue_redact(const struct dialogue *dialogue, const char *text, struct text *out)
{
    while (*text != '\0') {
        size_t secret = secret_length(dialogue, text);
        if (secret > 0) {
            text_append(out, "***");
            text += secret;
        } else {
            char shown = iscntrl((unsigned char)*text) ? '?' : *text;
            text_append_bytes(out, &shown, 1);
            text++;
        }
    }
}

static void record(struct dialogue *dialogue, enum transcript_side side, const char *line,
                   struct instant now)
{
    char words[DIALOGUE_LINE_SIZE];
    struct text text = TEXT_OVER(words);
    dialogue_redact(dialogue, line, &text);
    recorder_add(&dialogue->recorder, side, words, now);
}

void dialogue_note(struct dialogue *dialogue, const char *words, struct instant now)
{
    recorder_add(&dialogue->recorder, TRANSCRIPT_NOTE, words, now);
}

// The bytes up to the end of their first line.
static void record_bytes(struct dialogue *dialogue, enum transcript_side side, const char *bytes,
                         size_t count, struct instant now)
{
    char line[DIALOGUE_LINE_SIZE];
    size_t length = 0;
    while (length < count && length < sizeof line - 1 && bytes[length] != '\r' &&
           bytes[length] != '\n') {
        line[length] = bytes[length] == '\0' ? '?' : bytes[length];
        length++;
    }
    line[length] = '\0';
    record(dialogue, side, line, now);
}

void dialogue_transcribe(struct dialogue *dialogue, char out[TRANSCRIPT_SIZE], struct instant now)
{
    if (dialogue->line_length > 0) {
        record_bytes(dialogue, TRANSCRIPT_SERVER, dialogue->line, dialogue->line_length, now);
        dialogue->line_length = 0;
    }
    recorder_write(&dialogue->recorder, out);
}

static bool is_reply_line(const char *line)
{
    for (int i = 0; i < CODE_LENGTH; i++) {
        if (!isdigit((unsigned char)line[i])) {
            return false;
        }
    }
    char separator = line[CODE_LENGTH];
    return line[0] >= '1' && line[0] <= '5' &&
           (separator == ' ' || separator == '-' || separator == '\0');
}

// Keeps a line of the reply: the first with its code, the others only with their words.
static void keep_line(struct dialogue *dialogue, const char *line)
{
    struct text text = {
        .data = dialogue->text, .size = sizeof dialogue->text, .length = dialogue->text_length};
    bool first = text.length == 0;
    if (!is_reply_line(line)) {
        text_append(&text, line);
    } else {
        text_append_bytes(&text, line, first ? CODE_LENGTH : 0);
        text_append(&text, line[CODE_LENGTH] != '\0' ? " " : "");
        text_append(&text, line[CODE_LENGTH] != '\0' ? line + CODE_LENGTH + 1 : "");
    }
    dialogue->text_length = text.length;
}

static void end_reply(struct dialogue *dialogue, int code, struct instant now)
{
    struct text reply = TEXT_OVER(dialogue->reply);
    dialogue->answered = true;
    dialogue->answered_at = now;
    dialogue->code = code;
    dialogue->text[dialogue->text_length] = '\0';
    dialogue_redact(dialogue, dialogue->text, &reply);
    if (reply.truncated) {
        text_copy(reply.data + reply.size - sizeof "...", sizeof "...", "...");
    }
    if (dialogue->stage == STAGE_AUTH && code / 100 == 2) {
        dialogue->authenticated = true;
    } else if (dialogue->stage == STAGE_AUTH && code / 100 != 3) {
        stop(dialogue, STOP_AUTH_REFUSED);
    } else if (dialogue->stage == STAGE_CONTENT) {
        end_leg(dialogue, now);
    } else if ((dialogue->stage == STAGE_MAIL || dialogue->stage == STAGE_RCPT) &&
               code / 100 != 2) {
        dialogue->refused = true;
    } else if (dialogue->sent_along > 0) {
        dialogue->sent_along--;
        ask(dialogue, dialogue->stage + 1, now);
    }
}

static void end_line(struct dialogue *dialogue, struct instant now)
{
    char *line = dialogue->line;
    size_t length = dialogue->line_length;
    length -= length > 0 && line[length - 1] == '\r' ? 1 : 0;
    line[length] = '\0';
    dialogue->line_length = 0;
    record(dialogue, TRANSCRIPT_SERVER, line, now);
    bool is_reply = is_reply_line(line);
    bool is_last = !is_reply || line[CODE_LENGTH] != '-';
    if (dialogue->refused) {
        dialogue->sent_along -= is_last;
        return;
    }
    keep_line(dialogue, line);
    if (is_last) {
        end_reply(dialogue, is_reply ? atoi(line) : 0, now);
    }
}

static bool begins_mechanism(const char *token, size_t length)
{
    for (size_t i = 0; i < MECHANISM_COUNT; i++) {
        if (length <= strlen(MECHANISMS[i]) && strncasecmp(token, MECHANISMS[i], length) == 0) {
            return true;
        }
    }
    return false;
}

// Whether the last byte of the mechanism being read in an AUTH line makes it one that we lack.
static bool is_foreign_mechanism(const char *list, size_t length)
{
    size_t begin = length;
    while (begin > 0 && list[begin - 1] != ' ' && list[begin - 1] != '=') {
        begin--;
    }
    return !begins_mechanism(list + begin, length - begin);
}

// What the library is to see of the byte of an EHLO reply that has just been added to the line.
static char mask_extension(const struct dialogue *dialogue)
{
    const char *line = dialogue->line;
    size_t length = dialogue->line_length;
    char byte = line[length - 1];
    size_t begin = CODE_LENGTH + 1;
    while (begin < length && line[begin] == ' ') {
        begin++;
    }
    const char *keyword = line + begin;
    if (length == begin + 8 && strncasecmp(keyword, "CHUNKING", 8) == 0) {
        return 'X';
    }
    if (length > begin + 5 && strncasecmp(keyword, "AUTH", 4) == 0 &&
        (keyword[4] == ' ' || keyword[4] == '=') && isgraph((unsigned char)byte) && byte != '=' &&
        is_foreign_mechanism(keyword + 5, length - begin - 5)) {
        return '-';
    }
    return byte;
}

// The text of the reply to EHLO has the extensions with their words, blanks between them.
bool dialogue_offers(const struct dialogue *dialogue, const char *mechanism)
{
    size_t length = strlen(mechanism);
    const char *at = strcasestr(dialogue->text, " AUTH ");
    for (at = at == NULL ? "" : at + strlen(" AUTH"); *at == ' '; at += strcspn(at, " ")) {
        at++;
        if (strncasecmp(at, mechanism, length) == 0 && (at[length] == ' ' || at[length] == '\0')) {
            return dialogue->stage == STAGE_EHLO;
        }
    }
    return false;
}

static void read_byte(struct dialogue *dialogue, char *byte, struct instant now)
{
    if (*byte == '\n') {
        end_line(dialogue, now);
    } else if (dialogue->line_length == sizeof dialogue->line - 1) {
        stop(dialogue, STOP_LONG_LINE);
    } else {
        dialogue->line[dialogue->line_length++] = *byte == '\0' ? '?' : *byte;
        *byte = dialogue->stage == STAGE_EHLO ? mask_extension(dialogue) : *byte;
    }
}

bool dialogue_read(struct dialogue *dialogue, char *bytes, size_t count, struct instant now)
{
    if (dialogue->stop != STOP_NONE) {
        return false;
    }
    dialogue->received += count;
    if (dialogue->received > DIALOGUE_BYTES_MAXIMUM) {
        return stop(dialogue, STOP_FLOOD);
    }
    if (dialogue->quitting) {
        record_bytes(dialogue, TRANSCRIPT_SERVER, bytes, count, now);
    }
    for (size_t i = 0; i < count && !dialogue->quitting && dialogue->stop == STOP_NONE; i++) {
        if (!dialogue->answered || dialogue->sent_along > 0) {
            read_byte(dialogue, &bytes[i], now);
        } else if (dialogue->stage != STAGE_CONTENT) {
            record_bytes(dialogue, TRANSCRIPT_SERVER, bytes + i, count - i, now);
            return stop(dialogue, STOP_UNASKED);
        } else {
            dialogue->surplus = true;
        }
    }
    if (dialogue->stage == STAGE_STARTTLS && dialogue->code / 100 == 2) {
        ask(dialogue, STAGE_HANDSHAKE, now);
    }
    return dialogue->stop == STOP_NONE;
}

static const struct command *find_command(const char *bytes, size_t count)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t length = strlen(COMMANDS[i].verb);
        if (count > length && memcmp(bytes, COMMANDS[i].verb, length) == 0) {
            return &COMMANDS[i];
        }
    }
    return NULL;
}

// Why the library must not say this now.
static enum dialogue_stop forbids(const struct dialogue *dialogue, const struct command *command)
{
    if (command == NULL) {
        return STOP_COMMAND;
    }
    bool transaction = command->stage >= STAGE_MAIL;
    if ((transaction || command->stage == STAGE_AUTH) && dialogue->tls_required &&
        !dialogue->encrypted) {
        return STOP_NOT_ENCRYPTED;
    }
    return transaction && dialogue->auth_required && !dialogue->authenticated ? STOP_NO_AUTH
                                                                              : STOP_NONE;
}

// What AUTH sends is remembered as a secret: the third word of "AUTH PLAIN words", or a whole line.
static void remember_credentials(struct dialogue *dialogue, const char *bytes, size_t count,
                                 size_t words)
{
    const char *end = bytes + count;
    for (; words > 0 && bytes < end; words--) {
        const char *blank = memchr(bytes, ' ', (size_t)(end - bytes));
        bytes = blank == NULL ? end : blank + 1;
    }
    const char *line_end = memchr(bytes, '\r', (size_t)(end - bytes));
    remember_secret(dialogue, bytes, (size_t)((line_end == NULL ? end : line_end) - bytes));
}

// "AUTH PLAIN" without what follows it.
static void record_auth(struct dialogue *dialogue, const char *bytes, size_t count,
                        struct instant now)
{
    char line[64];
    struct text text = TEXT_OVER(line);
    const char *end = bytes + count;
    const char *mechanism = bytes + strlen("AUTH ");
    const char *behind = mechanism;
    while (behind < end && isgraph((unsigned char)*behind)) {
        behind++;
    }
    text_append(&text, "AUTH ");
    text_append_bytes(&text, mechanism, (size_t)(behind - mechanism));
    text_append(&text, behind < end && *behind == ' ' ? " ***" : "");
    recorder_add(&dialogue->recorder, TRANSCRIPT_CLIENT, line, now);
}

// Whether the reply to this command is not the next that counts.
static bool is_sent_along(const struct dialogue *dialogue, const struct command *command)
{
    bool early = dialogue->stage >= STAGE_MAIL && !dialogue->answered &&
                 (int)command->stage == (int)dialogue->stage + dialogue->sent_along + 1;
    return early || dialogue->refused;
}

// A server that takes DATA after all is owed the end of a message, of none (RFC 2920 section 3.1).
static bool is_end_of_nothing(const struct dialogue *dialogue, const char *bytes, size_t count)
{
    return dialogue->refused && count == 3 && memcmp(bytes, ".\r\n", 3) == 0;
}

static void write_line(struct dialogue *dialogue, const char *bytes, size_t count,
                       struct instant now)
{
    if (is_end_of_nothing(dialogue, bytes, count)) {
        record_bytes(dialogue, TRANSCRIPT_CLIENT, bytes, count, now);
        dialogue->sent_along++;
        return;
    }
    if (dialogue->stage == STAGE_AUTH && dialogue->answered && dialogue->code / 100 == 3) {
        remember_credentials(dialogue, bytes, count, 0);
        recorder_add(&dialogue->recorder, TRANSCRIPT_CLIENT, "***", now);
        ask(dialogue, STAGE_AUTH, now);
        return;
    }
    if (count >= 4 && memcmp(bytes, "QUIT", 4) == 0) {
        dialogue->quitting = true;
        record_bytes(dialogue, TRANSCRIPT_CLIENT, bytes, count, now);
        return;
    }
    const struct command *command = find_command(bytes, count);
    enum dialogue_stop forbidden = forbids(dialogue, command);
    if (forbidden != STOP_NONE) {
        stop(dialogue, forbidden);
        return;
    }
    if (command->leg != SUBMIT_LEGS) {
        end_leg(dialogue, now);
        dialogue->leg = command->leg;
    }
    if (command->stage == STAGE_AUTH) {
        remember_credentials(dialogue, bytes, count, 2);
        record_auth(dialogue, bytes, count, now);
    } else {
        record_bytes(dialogue, TRANSCRIPT_CLIENT, bytes, count, now);
    }
    if (is_sent_along(dialogue, command)) {
        dialogue->sent_along++;
    } else {
        ask(dialogue, command->stage, now);
    }
}

bool dialogue_write(struct dialogue *dialogue, const char *bytes, size_t count, struct instant now)
{
    while (count > 0 && dialogue->stop == STOP_NONE) {
        const char *end = memchr(bytes, '\n', count);
        size_t length = end == NULL ? count : (size_t)(end + 1 - bytes);
        write_line(dialogue, bytes, length, now);
        bytes += length;
        count -= length;
    }
    return dialogue->stop == STOP_NONE;
}
