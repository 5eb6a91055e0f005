#include "base/instant.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
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

int64_t nanoseconds_subtract(int64_t a, int64_t b)
{
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference)) {
        return a < 0 ? INT64_MIN : INT64_MAX;
    }
    return difference;
}

int64_t nanoseconds_multiply(int64_t a, int64_t b)
{
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product)) {
        return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
    }
    return product;
}

struct span span_from_seconds(double seconds)
{
    static const double LIMIT = 9223372036854775808.0; // 2^63
    double ns = seconds * 1e9;
    if (isnan(ns)) {
        return SPAN_ZERO;
    }
    if (ns >= LIMIT || ns < -LIMIT) {
        return (struct span){ns > 0 ? INT64_MAX : INT64_MIN};
    }
    return (struct span){(int64_t)ns};
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

// Reads exactly `digits` digits and the byte that must follow them (any when it is 0), and moves
// past them; false when they are not there. Unlike sscanf it takes no blanks and no signs.
static bool parse_digits(const char **at, int digits, char follower, int *out)
{
    *out = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (!isdigit((unsigned char)**at)) {
            return false;
        }
        *out = *out * 10 + (**at - '0');
    }
    if (follower != '\0' && *(*at)++ != follower) {
        return false;
    }
    return true;
}

// Reads ".123456789" if it is there, as nanoseconds; the rest of longer fractions is dropped.
static bool parse_fraction(const char **at, int64_t *ns)
{
    *ns = 0;
    if (**at != '.') {
        return true;
    }
    (*at)++;
    const char *first = *at;
    for (int64_t scale = 100000000; isdigit((unsigned char)**at); (*at)++, scale /= 10) {
        *ns += (**at - '0') * scale;
    }
    return *at > first;
}

// Reads "Z" or "+hh:mm", to the end.
static bool parse_zone(const char *at, int64_t *offset_seconds)
{
    int hours, minutes;
    *offset_seconds = 0;
    if (*at == 'Z' || *at == 'z') {
        return at[1] == '\0';
    }
    int sign = *at == '-' ? -1 : 1;
    if (*at != '-' && *at != '+') {
        return false;
    }
    at++;
    if (!parse_digits(&at, 2, ':', &hours) || !parse_digits(&at, 2, '\0', &minutes)) {
        return false;
    }
    *offset_seconds = sign * (hours * 3600 + minutes * 60);
    return *at == '\0' && hours < 24 && minutes < 60;
}

static bool parse_date(const char **at, struct tm *utc)
{
    return parse_digits(at, 4, '-', &utc->tm_year) && parse_digits(at, 2, '-', &utc->tm_mon) &&
           parse_digits(at, 2, '\0', &utc->tm_mday);
}

static bool parse_time(const char **at, struct tm *utc)
{
    return parse_digits(at, 2, ':', &utc->tm_hour) && parse_digits(at, 2, ':', &utc->tm_min) &&
           parse_digits(at, 2, '\0', &utc->tm_sec);
}

// Whether the calendar has that day, which timegm would quietly move into the next month.
static bool day_exists(const struct tm *utc)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = utc->tm_year;
    if (year < 1678 || year > 2261 || utc->tm_mon < 1 || utc->tm_mon > 12 || utc->tm_mday < 1) {
        return false;
    }
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return utc->tm_mday <= DAYS[utc->tm_mon - 1] + (utc->tm_mon == 2 && leap ? 1 : 0);
}

bool walltime_parse_rfc3339(const char *from, struct walltime *out)
{
    struct tm utc = {0};
    int64_t fraction, offset;
    if (!parse_date(&from, &utc) || !day_exists(&utc) ||
        (*from != 'T' && *from != 't' && *from != ' ')) {
        return false;
    }
    from++;
    if (!parse_time(&from, &utc) || utc.tm_hour > 23 || utc.tm_min > 59 || utc.tm_sec > 60 ||
        !parse_fraction(&from, &fraction) || !parse_zone(from, &offset)) {
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
    double seconds = span_seconds(of);
    bool large = seconds >= 999.5 || seconds <= -999.5;
    bool small = seconds < 1e-4 && seconds > -1e-4 && of.ns != 0;
    text_format(out, large ? "%.0fs" : small ? "%.6fs" : "%.3gs", seconds);
}

void span_append_seconds(struct span of, struct text *out)
{
    char digits[40];
    struct text number = TEXT_OVER(digits);
    text_format(&number, "%.3f", span_seconds(of));
    while (digits[number.length - 1] == '0') {
        digits[--number.length] = '\0';
    }
    if (digits[number.length - 1] == '.') {
        digits[--number.length] = '\0';
    }
    text_format(out, "%ss", digits);
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
