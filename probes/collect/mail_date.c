#include "probes/collect/mail_date.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/local_time.h"
#include "probes/collect/header_token.h"

enum { WORDS_MAXIMUM = 8, WORD_SIZE = 16 };

// What stands between blanks, commas and comments.
struct words {
    char of[WORDS_MAXIMUM][WORD_SIZE];
    size_t count;
};

int mail_month(const char *name, size_t length)
{
    static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int month = 0; length == 3 && month < 12; month++) {
        if (strncasecmp(name, MONTHS + 3 * month, 3) == 0) {
            return month + 1;
        }
    }
    return 0;
}

// False for more words, or longer ones, than a date has.
static bool split(const char *from, size_t length, struct words *out)
{
    struct token_scanner scanner = {from, from + length, ","};
    struct token token;
    out->count = 0;
    while ((token = token_next(&scanner)).kind != TOKEN_END) {
        if (token.kind != TOKEN_WORD) {
            continue;
        }
        if (out->count == WORDS_MAXIMUM || token.length >= WORD_SIZE) {
            return false;
        }
        token_copy_plain(out->of[out->count++], WORD_SIZE, &token);
    }
    return true;
}

// So many digits from `least` to `most`, and no more; moves past them.
static bool take_number(const char **at, size_t least, size_t most, int *out)
{
    size_t digits = strspn(*at, "0123456789");
    *out = 0;
    for (size_t i = 0; i < digits && i < most; i++) {
        *out = *out * 10 + ((*at)[i] - '0');
    }
    *at += digits;
    return digits >= least && digits <= most;
}

static bool read_year(const char *word, int *out)
{
    size_t digits = strlen(word);
    if (!take_number(&word, 2, 4, out) || *word != '\0') {
        return false;
    }
    if (digits < 4) { // 00 to 49 are of this century, 50 to 999 count from 1900
        *out += digits == 2 && *out < 50 ? 2000 : 1900;
    }
    return true;
}

static bool read_clock(const char *word, struct local_time *out)
{
    bool good = take_number(&word, 1, 2, &out->hour) && *word++ == ':' &&
                take_number(&word, 2, 2, &out->minute);
    if (good && *word == ':') {
        word++;
        good = take_number(&word, 2, 2, &out->second);
    }
    return good && *word == '\0';
}

// What names nothing we know is of UTC (section 4.3), and so are the letters of the military.
static bool read_zone(const char *word, struct span *out)
{
    static const struct {
        const char *name;
        int hours;
    } ZONES[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5},
                 {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
    *out = SPAN_ZERO;
    if (*word == '+' || *word == '-') {
        const char *at = word + 1;
        int number;
        if (!take_number(&at, 4, 4, &number) || *at != '\0' || number % 100 > 59 ||
            number / 100 > 23) {
            return false;
        }
        struct span offset = SPAN_MINUTES(number / 100 * 60 + number % 100);
        *out = *word == '-' ? span_subtract(SPAN_ZERO, offset) : offset;
        return true;
    }
    for (size_t i = 0; i < sizeof ZONES / sizeof ZONES[0]; i++) {
        if (strcasecmp(word, ZONES[i].name) == 0) {
            *out = SPAN_HOURS(ZONES[i].hours);
        }
    }
    return word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] == '\0';
}

struct walltime mail_date_read(const char *from, size_t length)
{
    struct words words;
    struct local_time local = {0};
    struct span zone = SPAN_ZERO;
    if (!split(from, length, &words)) {
        return WALLTIME_NONE;
    }
    size_t first = words.count > 0 && isalpha((unsigned char)words.of[0][0]) ? 1 : 0;
    if (words.count < first + 4 || words.count > first + 5) {
        return WALLTIME_NONE;
    }
    const char(*word)[WORD_SIZE] = (const char(*)[WORD_SIZE])words.of + first;
    const char *day = word[0];
    local.month = mail_month(word[1], strlen(word[1]));
    bool good = take_number(&day, 1, 2, &local.day) && *day == '\0' &&
                read_year(word[2], &local.year) && read_clock(word[3], &local) &&
                (words.count == first + 4 || read_zone(word[4], &zone));
    bool leaps = local.second == 60; // which is the first of the next minute
    local.second -= leaps;
    if (!good || !local_time_valid(&local)) {
        return WALLTIME_NONE;
    }
    struct walltime at = local_time_to_wall(&local, &LOCAL_TIME_UTC);
    return walltime_add(walltime_subtract(at, zone), SPAN_SECONDS(leaps));
}
