#include "base/instant.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

int64_t nanoseconds_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return a > 0 ? INT64_MAX : INT64_MIN;
    }
    return sum;
}

// Seconds and microseconds since 1970 with the microseconds always counted forward.
static void walltime_split(struct walltime at, time_t *seconds, int *microseconds)
{
    int64_t us = at.ns / 1000;
    int64_t rest = us % 1000000;
    if (rest < 0) {
        rest += 1000000;
    }
    *seconds = (time_t)((us - rest) / 1000000);
    *microseconds = (int)rest;
}

static void append_date(struct walltime at, bool with_fraction, struct text *out)
{
    time_t seconds;
    int microseconds;
    walltime_split(at, &seconds, &microseconds);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    text_format(out, "%04d-%02d-%02dT%02d:%02d:%02d", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
    if (with_fraction) {
        text_format(out, ".%06d", microseconds);
    }
    text_append(out, "Z");
}

void walltime_append_rfc3339(struct walltime at, struct text *out)
{
    append_date(at, true, out);
}

void walltime_append_seconds(struct walltime at, struct text *out)
{
    append_date(at, false, out);
}

// Reads ".123456789" if it is there, as nanoseconds; the rest of longer fractions is dropped.
static const char *parse_fraction(const char *at, int64_t *ns)
{
    *ns = 0;
    if (*at != '.') {
        return at;
    }
    int64_t scale = 100000000;
    for (at++; isdigit((unsigned char)*at); at++, scale /= 10) {
        *ns += (*at - '0') * scale;
    }
    return at;
}

// Reads "Z" or "+hh:mm"; NULL when it is neither or something follows.
static const char *parse_zone(const char *at, int64_t *offset_seconds)
{
    int hours, minutes, used = 0;
    *offset_seconds = 0;
    if ((*at == 'Z' || *at == 'z') && at[1] == '\0') {
        return at + 1;
    }
    if ((*at == '+' || *at == '-') && sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &used) == 2 &&
        used == 5 && at[6] == '\0' && hours < 24 && minutes < 60) {
        *offset_seconds = (*at == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
        return at + 6;
    }
    return NULL;
}

bool walltime_parse_rfc3339(const char *from, struct walltime *out)
{
    struct tm utc = {0};
    int used = 0;
    int64_t fraction, offset;
    if (sscanf(from, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
               &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &used) != 6 ||
        used != 19) {
        return false;
    }
    if (utc.tm_year < 1970 || utc.tm_year > 2200 || utc.tm_mon < 1 || utc.tm_mon > 12 ||
        utc.tm_mday < 1 || utc.tm_mday > 31 || utc.tm_hour > 23 || utc.tm_min > 59 ||
        utc.tm_sec > 60) {
        return false;
    }
    if (parse_zone(parse_fraction(from + used, &fraction), &offset) == NULL) {
        return false;
    }
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    *out = (struct walltime){((int64_t)timegm(&utc) - offset) * 1000000000 + fraction};
    return true;
}

static const struct span_unit {
    const char *name;
    int64_t ns;
} SPAN_UNITS[] = {
    {"d", 86400000000000}, {"h", 3600000000000}, {"m", 60000000000},
    {"s", 1000000000},     {"ms", 1000000},
};
static const size_t SPAN_UNIT_COUNT = sizeof SPAN_UNITS / sizeof SPAN_UNITS[0];

void span_append(struct span of, struct text *out)
{
    for (size_t i = 0; of.ns != 0 && i < SPAN_UNIT_COUNT; i++) {
        if (of.ns % SPAN_UNITS[i].ns == 0) {
            text_format(out, "%" PRId64 "%s", of.ns / SPAN_UNITS[i].ns, SPAN_UNITS[i].name);
            return;
        }
    }
    text_format(out, "%.3gs", span_seconds(of));
}

bool span_parse(const char *from, struct span *out)
{
    if (!isdigit((unsigned char)*from)) {
        return false;
    }
    char *unit;
    errno = 0;
    long long number = strtoll(from, &unit, 10);
    for (size_t i = 0; errno == 0 && i < SPAN_UNIT_COUNT; i++) {
        if (strcmp(unit, SPAN_UNITS[i].name) == 0) {
            return !__builtin_mul_overflow((int64_t)number, SPAN_UNITS[i].ns, &out->ns);
        }
    }
    return false;
}
