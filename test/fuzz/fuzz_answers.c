// What servers and commands of others answer to a prober: the silences of an Alertmanager, the
// token of a command, the replies of a mail server over SMTP.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "probes/fetch/silences.h"
#include "probes/submit/dialogue.h"
#include "probes/submit/judge.h"
#include "probes/token/answer.h"

static const char SECRET[] = "correct horse battery";

// As the agent would read it.
static void take_silence(const struct silence_line *line)
{
    static struct silence_line read;
    struct error error;
    char *encoded = silence_line_encode(line);
    read = (struct silence_line){0};
    assert(silence_line_decode(encoded, strlen(encoded) - 1, &read, &error));
    free(encoded);
}

static void check_silences(const char *bytes, size_t length)
{
    struct error error;
    silences_read(bytes, length, "mailflow_server", take_silence, &error);
}

// No byte of a token is told when there is none.
static void check_token(const char *bytes, size_t length)
{
    struct token_outcome outcome = {0};
    struct error error = {""};
    char words[PROBE_REPLY_SIZE];
    struct text text = TEXT_OVER(words);
    if (answer_read(bytes, length, &outcome, &error)) {
        assert(outcome.token[0] != '\0' &&
               outcome.lifetime.ns <= SPAN_HOURS(24 * ANSWER_DAYS_MAXIMUM).ns);
    } else {
        assert(error.message[0] != '\0');
    }
    char *copy = fuzz_text((const uint8_t *)bytes, length);
    answer_append_words(&text, copy);
    free(copy);
}

static void begin(struct dialogue *dialogue, struct probe_endpoint *relay)
{
    *relay = (struct probe_endpoint){
        .host = "mx01.example", .port = 25, .tls = PROBE_TLS_NONE, .user = "probe"};
    strcpy(relay->password, SECRET);
    dialogue_begin(dialogue, relay, (struct instant){1});
    dialogue_connected(dialogue, (struct instant){2});
}

static bool is_plain(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (strchr("\r\n", bytes[i]) == NULL && (bytes[i] < ' ' || bytes[i] > '~')) {
            return false;
        }
    }
    return true;
}

// What is reported holds no secret, whatever the server repeats. (Of other bytes the escape may be
// what a secret lacks.)
static void check_outcome(struct dialogue *dialogue, const struct probe_endpoint *relay, bool plain)
{
    static struct submit_outcome outcome;
    const struct evidence evidence = {
        .relay = relay, .dialogue = dialogue, .connected = true, .ended = {3}};
    outcome = (struct submit_outcome){0};
    judge(&evidence, &outcome);
    dialogue_transcribe(dialogue, outcome.transcript, (struct instant){3});
    assert(!plain ||
           (strstr(outcome.transcript, SECRET) == NULL && strstr(outcome.reply, SECRET) == NULL &&
            strstr(outcome.cause, SECRET) == NULL));
}

// Lines are the server's, but for those that begin with '>', which are the client's.
static void check_dialogue(char *bytes, size_t length)
{
    static struct dialogue dialogue;
    struct probe_endpoint relay;
    bool going = true, plain = is_plain(bytes, length); // before it is altered in place
    begin(&dialogue, &relay);
    for (size_t at = 0; going && at < length;) {
        char *newline = memchr(bytes + at, '\n', length - at);
        size_t count = newline == NULL ? length - at : (size_t)(newline - bytes) - at + 1;
        if (bytes[at] == '>') {
            going = dialogue_write(&dialogue, bytes + at + 1, count - 1, (struct instant){3});
        } else if (bytes[at] == '=') {
            dialogue_content(&dialogue, (struct instant){3});
        } else {
            going = dialogue_read(&dialogue, bytes + at, count, (struct instant){3});
        }
        at += count;
    }
    check_outcome(&dialogue, &relay, plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *copy = fuzz_bytes(bytes + 1, size - 1);
    switch (bytes[0]) {
    case 's':
        check_silences(copy, size - 1);
        break;
    case 't':
        check_token(copy, size - 1);
        break;
    default:
        check_dialogue(copy, size - 1);
        break;
    }
    free(copy);
    return 0;
}
