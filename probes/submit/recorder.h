// Keeps the lines of a session for its transcript (probes/transcript.h) within a fixed size: the
// first ones and the last ones. Of what had to be left out between them it keeps the number.
#ifndef MAILFLOW_PROBES_SUBMIT_RECORDER_H
#define MAILFLOW_PROBES_SUBMIT_RECORDER_H

#include <stddef.h>

#include "base/instant.h"
#include "probes/transcript.h"

enum {
    RECORDER_NOTE_SIZE = 64, // "N lines left out"
    RECORDER_TAIL_SIZE = 1024,
    RECORDER_HEAD_SIZE = TRANSCRIPT_SIZE - RECORDER_TAIL_SIZE - RECORDER_NOTE_SIZE
};

struct recorder {
    struct instant begun;
    char head[RECORDER_HEAD_SIZE];
    size_t head_length;
    char tail[RECORDER_TAIL_SIZE];
    size_t tail_length; // 0 until the head is full
    unsigned left_out;
};

void recorder_begin(struct recorder *recorder, struct instant now);

// Text without secrets; escaped here, and cut (with "...") where it is too long.
void recorder_add(struct recorder *recorder, enum transcript_side side, const char *text,
                  struct instant now);

void recorder_write(const struct recorder *recorder, char out[TRANSCRIPT_SIZE]);

#endif
