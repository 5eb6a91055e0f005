#include "probes/greet/envelope.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

// The code and all the words of a reply of which the first line has been read (RFC 5321 section
// 4.2.1): "550-5.1.1 No such", "550 5.1.1 user" is "550-5.1.1 No such 5.1.1 user".
static bool read_rest(struct wire *wire, char line[WIRE_LINE_SIZE], struct text *words,
                      struct error *error)
{
    text_append_escaped(words, line);
    while (strlen(line) > 3 && line[3] == '-') {
        if (!wire_read_line(wire, line, error)) {
            return false;
        }
        text_append(words, " ");
        text_append_escaped(words, strlen(line) > 4 ? line + 4 : "");
    }
    return true;
}

// Whether it was taken; `refusal` has the words otherwise, and is "" when none came, for which
// there is a reason.
static bool ask(struct wire *wire, const char *command, char refusal[PROBE_REPLY_SIZE],
                struct error *error)
{
    char line[WIRE_LINE_SIZE];
    struct text words = text_over(refusal, PROBE_REPLY_SIZE);
    wire_say(wire, command);
    if (!wire_read_line(wire, line, error) || !read_rest(wire, line, &words, error)) {
        refusal[0] = '\0';
        return error_prefix(error, "%.4s", command);
    }
    if (refusal[0] == '\0') {
        return error_set(error, "%.4s: it answers with an empty line", command);
    }
    if (refusal[0] == '2') {
        refusal[0] = '\0';
        return true;
    }
    return false;
}

// An old server knows HELO alone (RFC 5321 section 3.2).
static bool say_hello(struct wire *wire, const char *name, char refusal[PROBE_REPLY_SIZE],
                      struct error *error)
{
    char ehlo[PROBE_HOST_SIZE + 8], helo[PROBE_HOST_SIZE + 8];
    snprintf(ehlo, sizeof ehlo, "EHLO %s", name);
    snprintf(helo, sizeof helo, "HELO %s", name);
    return ask(wire, ehlo, refusal, error) ||
           (refusal[0] == '5' && ask(wire, helo, refusal, error));
}

bool envelope_try(struct wire *wire, const char *line, const struct greet_envelope *envelope,
                  char refusal[PROBE_REPLY_SIZE], struct error *error)
{
    char greeting[WIRE_LINE_SIZE], mail[PROBE_ADDRESS_SIZE + 16];
    char recipient[PROBE_ADDRESS_SIZE + 16];
    struct text text = text_over(refusal, PROBE_REPLY_SIZE);
    text_copy(greeting, sizeof greeting, line);
    snprintf(mail, sizeof mail, "MAIL FROM:<%s>", envelope->sender);
    snprintf(recipient, sizeof recipient, "RCPT TO:<%s>", envelope->recipient);
    if (!read_rest(wire, greeting, &text, error)) {
        refusal[0] = '\0';
        return false;
    }
    bool taken = say_hello(wire, envelope->ehlo, refusal, error) &&
                 ask(wire, mail, refusal, error) && ask(wire, recipient, refusal, error);
    if (taken) {
        char unused[PROBE_REPLY_SIZE];
        struct error none;
        ask(wire, "RSET", unused, &none); // waited for: not every server takes two at once
    }
    return taken || refusal[0] != '\0';
}
