#include "probes/submit/recorder.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

_Static_assert((int)TRANSCRIPT_LINE_SIZE < (int)RECORDER_TAIL_SIZE,
               "a line always fits into the tail");

void recorder_begin(struct recorder *recorder, struct instant now)
{
    *recorder = (struct recorder){.begun = now};
}

// Whether the head takes the line. Once it has not, no line goes there any more.
static bool add_to_head(struct recorder *recorder, const char *line, size_t length)
{
    if (recorder->tail_length > 0 || length >= sizeof recorder->head - recorder->head_length) {
        return false;
    }
    memcpy(recorder->head + recorder->head_length, line, length);
    recorder->head_length += length;
    return true;
}

static void drop_oldest_of_tail(struct recorder *recorder)
{
    const char *end = memchr(recorder->tail, '\n', recorder->tail_length);
    size_t length = (size_t)(end - recorder->tail) + 1;
    recorder->tail_length -= length;
    memmove(recorder->tail, recorder->tail + length, recorder->tail_length);
    recorder->left_out++;
}

static void add_to_tail(struct recorder *recorder, const char *line, size_t length)
{
    while (length >= sizeof recorder->tail - recorder->tail_length) {
        drop_oldest_of_tail(recorder);
    }
    memcpy(recorder->tail + recorder->tail_length, line, length);
    recorder->tail_length += length;
}

void recorder_add(struct recorder *recorder, enum transcript_side side, const char *text,
                  struct instant now)
{
    char line[TRANSCRIPT_LINE_SIZE];
    struct text to = {.data = line, .size = sizeof line - sizeof "...\n" + 1};
    text_format(&to, "%" PRId64 " %s ", instant_since(now, recorder->begun).ns / 1000,
                transcript_side_name(side));
    text_append_escaped(&to, text);
    size_t length = to.length;
    const char *end = to.truncated ? "...\n" : "\n";
    memcpy(line + length, end, strlen(end) + 1);
    length += strlen(end);
    if (!add_to_head(recorder, line, length)) {
        add_to_tail(recorder, line, length);
    }
}

// The time of the first line behind what was left out: it happened before that.
void recorder_write(const struct recorder *recorder, char out[TRANSCRIPT_SIZE])
{
    struct text to = text_over(out, TRANSCRIPT_SIZE);
    text_append_bytes(&to, recorder->head, recorder->head_length);
    if (recorder->left_out > 0) {
        int digits = (int)strspn(recorder->tail, "0123456789");
        text_format(&to, "%.*s %s %u lines left out\n", digits, recorder->tail,
                    transcript_side_name(TRANSCRIPT_NOTE), recorder->left_out);
    }
    text_append_bytes(&to, recorder->tail, recorder->tail_length);
}
