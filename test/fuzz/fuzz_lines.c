// The lines between the agent and its probers, both ways: a crashed or captured prober may say
// anything, and a prober takes nothing for granted either. What was read is written and read as the
// same.
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "fuzz.h"
#include "probes/calendar.h"
#include "probes/discover.h"
#include "probes/fetch.h"
#include "probes/greet.h"
#include "probes/probe.h"
#include "probes/silence.h"
#include "probes/token.h"

// How one kind of line is read into a value and written out of it.
struct codec {
    bool (*decode)(const char *line, size_t length, struct error *error);
    char *(*encode)(void);
};

#define CODEC(type)                                                                                \
    static struct type type;                                                                       \
    static bool decode_##type(const char *line, size_t length, struct error *error)                \
    {                                                                                              \
        memset(&type, 0, sizeof type);                                                             \
        return type##_decode(line, length, &type, error);                                          \
    }                                                                                              \
    static char *encode_##type(void)                                                               \
    {                                                                                              \
        return type##_encode(&type);                                                               \
    }

CODEC(submit_job)
CODEC(submit_outcome)
CODEC(collect_command)
CODEC(collect_report)
CODEC(calendar_job)
CODEC(calendar_line)
CODEC(discover_job)
CODEC(discover_line)
CODEC(fetch_job)
CODEC(fetch_outcome)
CODEC(greet_job)
CODEC(greet_outcome)
CODEC(silence_line)
CODEC(token_job)
CODEC(token_outcome)

#define ROW(letter, type) [letter] = {decode_##type, encode_##type}

static const struct codec CODECS[] = {
    ROW('a', submit_job),     ROW('b', submit_outcome), ROW('c', collect_command),
    ROW('d', collect_report), ROW('e', calendar_job),   ROW('f', calendar_line),
    ROW('g', discover_job),   ROW('h', discover_line),  ROW('i', fetch_job),
    ROW('j', fetch_outcome),  ROW('k', greet_job),      ROW('l', greet_outcome),
    ROW('m', silence_line),   ROW('n', token_job),      ROW('o', token_outcome),
};

static void check(const struct codec *codec, const char *line, size_t length)
{
    struct error error = {""};
    if (!codec->decode(line, length, &error)) {
        assert(error.message[0] != '\0');
        return;
    }
    char *once = codec->encode();
    size_t written = strlen(once);
    assert(written > 0 && strchr(once, '\n') == once + written - 1);
    if (written <= JSON_LINE_MAXIMUM) {
        assert(codec->decode(once, written - 1, &error));
        char *twice = codec->encode();
        assert(strcmp(once, twice) == 0);
        free(twice);
    }
    free(once);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0 || bytes[0] >= sizeof CODECS / sizeof CODECS[0] ||
        CODECS[bytes[0]].decode == NULL) {
        return 0;
    }
    char *line = fuzz_bytes(bytes + 1, size - 1);
    check(&CODECS[bytes[0]], line, size - 1);
    free(line);
    return 0;
}
