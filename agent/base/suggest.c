#include "base/suggest.h"

#include <stdbool.h>
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

// Takes a number off the front, leading zeros aside; 0 when there is none.
static size_t take_number(const char **word, const char **digits)
{
    const char *begin = *word;
    *word += strspn(*word, "0123456789");
    *digits = begin + strspn(begin, "0");
    return *word == begin ? 0 : (size_t)(*word - *digits) + 1;
}

// mx01 and mx02: what is numbered is easily there more than once, and the other one is not meant.
static bool differ_in_number_only(const char *a, const char *b)
{
    bool differ = false;
    while (*a != '\0' && *b != '\0') {
        const char *a_digits, *b_digits;
        size_t a_length = take_number(&a, &a_digits), b_length = take_number(&b, &b_digits);
        if (a_length > 0 && b_length > 0) {
            differ =
                differ || a_length != b_length || memcmp(a_digits, b_digits, a_length - 1) != 0;
        } else if (a_length > 0 || b_length > 0 || *a++ != *b++) {
            return false;
        }
    }
    return differ && *a == *b;
}

const char *suggest_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word);
    size_t bound = least(EDITS_MOST, length / 3 + 1);
    const char *nearest = NULL;
    for (size_t i = 0; length <= WORD_LONGEST && i < count; i++) {
        size_t candidate_length = strlen(candidates[i]);
        if (candidate_length > WORD_LONGEST || differ_in_number_only(word, candidates[i])) {
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
