#include "ctl/when.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

// As walltime_parse_rfc3339 has it.
enum { YEAR_LAST = 2200 };

// '#' stands for a digit, 'T' for itself or a blank.
static bool matches(const char *from, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, from++) {
        bool good = *pattern == '#'   ? isdigit((unsigned char)*from) != 0
                    : *pattern == 'T' ? *from == 'T' || *from == ' '
                                      : *from == *pattern;
        if (!good) {
            return false;
        }
    }
    return *from == '\0';
}

// The local clock's reading as UTC; false when the clock never shows it.
static bool resolve_local(const struct tm *shown, struct walltime *out)
{
    struct tm local = *shown;
    local.tm_isdst = -1;
    *out = WALLTIME_NONE;
    if (shown->tm_year > YEAR_LAST - 1900) {
        return false;
    }
    time_t seconds = mktime(&local);
    *out = (struct walltime){(int64_t)seconds * 1000000000};
    return local.tm_mon == shown->tm_mon && local.tm_mday == shown->tm_mday &&
           local.tm_hour == shown->tm_hour && local.tm_min == shown->tm_min &&
           local.tm_sec == shown->tm_sec;
}

// Which of the days around now shows a clock time that is meant.
enum side { SIDE_PAST = -1, SIDE_NEXT = 1 };

static bool find_clock_time(const struct tm *wanted, struct walltime now, enum side side,
                            struct walltime *out)
{
    time_t seconds = (time_t)(now.ns / 1000000000);
    struct tm today;
    localtime_r(&seconds, &today);
    for (int day = 0; day < 2; day++) {
        struct tm at = {.tm_year = today.tm_year, .tm_mon = today.tm_mon, .tm_mday = today.tm_mday};
        at.tm_mday += day * (int)side;
        at.tm_hour = 12; // normalises the day without touching a clock change
        mktime(&at);
        at.tm_hour = wanted->tm_hour;
        at.tm_min = wanted->tm_min;
        at.tm_sec = wanted->tm_sec;
        bool exists = resolve_local(&at, out);
        if (side == SIDE_NEXT ? out->ns > now.ns : out->ns <= now.ns) {
            return exists;
        }
    }
    return false;
}

static bool parse(const char *from, struct walltime now, enum side side, struct walltime *out,
                  struct error *error)
{
    struct tm shown = {0};
    bool exists;
    if (walltime_parse_rfc3339(from, out)) {
        return true;
    }
    if (matches(from, "##:##") || matches(from, "##:##:##")) {
        sscanf(from, "%2d:%2d:%2d", &shown.tm_hour, &shown.tm_min, &shown.tm_sec);
        exists = find_clock_time(&shown, now, side, out);
    } else if (matches(from, "####-##-##T##:##") || matches(from, "####-##-##T##:##:##")) {
        sscanf(from, "%4d-%2d-%2d%*c%2d:%2d:%2d", &shown.tm_year, &shown.tm_mon, &shown.tm_mday,
               &shown.tm_hour, &shown.tm_min, &shown.tm_sec);
        shown.tm_year -= 1900;
        shown.tm_mon -= 1;
        exists = resolve_local(&shown, out) && out->ns > 0;
    } else {
        return error_set(error, "not a time: write 14:30, 2026-07-28T14:30 or RFC 3339");
    }
    return exists || error_set(error, "the clock never shows this time");
}

bool when_parse(const char *from, struct walltime now, struct walltime *out, struct error *error)
{
    return parse(from, now, SIDE_NEXT, out, error);
}

bool when_parse_past(const char *from, struct walltime now, struct walltime *out,
                     struct error *error)
{
    return parse(from, now, SIDE_PAST, out, error);
}
