#include "base/suggest.h"

#include <string.h>

enum { WORD_LONGEST = 64, EDITS_MOST = 3 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Optimal string alignment distance, by rows: before the last, last, this one.
static size_t edits_between(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_LONGEST + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = least(changed, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
    }
    return row[b_length];
}

const char *suggest_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word);
    size_t bound = least(EDITS_MOST, length / 3 + 1);
    const char *nearest = NULL;
    for (size_t i = 0; length <= WORD_LONGEST && i < count; i++) {
        size_t candidate_length = strlen(candidates[i]);
        if (candidate_length > WORD_LONGEST) {
            continue;
        }
        size_t edits = edits_between(word, length, candidates[i], candidate_length);
        if (edits <= bound && (nearest == NULL || edits < bound)) {
            nearest = candidates[i];
            bound = edits;
        }
    }
    return nearest;
}
