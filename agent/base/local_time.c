#include "base/local_time.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo/"
#define DAY            SPAN_HOURS(24)

bool local_time_valid(const struct local_time *local)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (local->year < LOCAL_TIME_YEAR_MINIMUM || local->year > LOCAL_TIME_YEAR_MAXIMUM ||
        local->month < 1 || local->month > 12 || local->day < 1) {
        return false;
    }
    bool leap = local->year % 4 == 0 && (local->year % 100 != 0 || local->year % 400 == 0);
    return local->day <= DAYS[local->month - 1] + (local->month == 2 && leap ? 1 : 0) &&
           local->hour >= 0 && local->hour < 24 && local->minute >= 0 && local->minute < 60 &&
           local->second >= 0 && local->second < 60;
}

// Reads exactly so many digits and moves past them.
static bool take_digits(const char **at, int digits, int *out)
{
    *out = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (!isdigit((unsigned char)**at)) {
            return false;
        }
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool take_byte(const char **at, char byte)
{
    return *(*at)++ == byte;
}

bool local_time_parse_clock(const char *from, struct local_time *out)
{
    struct local_time local = *out;
    local.second = 0;
    if (!take_digits(&from, 2, &local.hour) || !take_byte(&from, ':') ||
        !take_digits(&from, 2, &local.minute)) {
        return false;
    }
    if (*from == ':' && (from++, !take_digits(&from, 2, &local.second))) {
        return false;
    }
    if (*from != '\0' || !local_time_valid(&local)) {
        return false;
    }
    *out = local;
    return true;
}

bool local_time_parse(const char *from, struct local_time *out)
{
    struct local_time local = {0};
    if (!take_digits(&from, 4, &local.year) || !take_byte(&from, '-') ||
        !take_digits(&from, 2, &local.month) || !take_byte(&from, '-') ||
        !take_digits(&from, 2, &local.day) || (*from != 'T' && *from != ' ')) {
        return false;
    }
    if (!local_time_parse_clock(from + 1, &local)) {
        return false;
    }
    *out = local;
    return true;
}

// The reading of the clock as if it stood in Greenwich.
static struct walltime as_utc(const struct local_time *local)
{
    struct tm tm = {.tm_year = local->year - 1900,
                    .tm_mon = local->month - 1,
                    .tm_mday = local->day,
                    .tm_hour = local->hour,
                    .tm_min = local->minute,
                    .tm_sec = local->second};
    return walltime_add(WALLTIME_NONE, SPAN_SECONDS(timegm(&tm)));
}

static struct local_time from_utc(struct walltime at)
{
    time_t seconds = (time_t)(at.ns / 1000000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return (struct local_time){.year = tm.tm_year + 1900,
                               .month = tm.tm_mon + 1,
                               .day = tm.tm_mday,
                               .hour = tm.tm_hour,
                               .minute = tm.tm_min,
                               .second = tm.tm_sec};
}

struct local_time local_time_add_days(const struct local_time *local, int days)
{
    return from_utc(walltime_add(as_utc(local), span_times(DAY, days)));
}

static struct span offset_here(const void *context, struct walltime at)
{
    (void)context;
    time_t seconds = (time_t)(at.ns / 1000000000);
    struct tm tm;
    localtime_r(&seconds, &tm);
    return SPAN_SECONDS(tm.tm_gmtoff);
}

static struct span offset_of_utc(const void *context, struct walltime at)
{
    (void)context;
    (void)at;
    return SPAN_ZERO;
}

const struct local_time_zone LOCAL_TIME_HERE = {.offset_at = offset_here};
const struct local_time_zone LOCAL_TIME_UTC = {.offset_at = offset_of_utc};

static struct span offset_at(const struct local_time_zone *zone, struct walltime at)
{
    return zone->offset_at(zone->context, at);
}

struct walltime local_time_to_wall(const struct local_time *local,
                                   const struct local_time_zone *zone)
{
    struct walltime reading = as_utc(local);
    struct span before = offset_at(zone, walltime_subtract(reading, DAY));
    struct span after = offset_at(zone, walltime_add(reading, DAY));
    struct walltime by_before = walltime_subtract(reading, before);
    struct walltime by_after = walltime_subtract(reading, after);
    bool comes_before = offset_at(zone, by_before).ns == before.ns;
    bool comes_after = offset_at(zone, by_after).ns == after.ns;
    return comes_after && !comes_before ? by_after : by_before;
}

struct local_time local_time_from_wall(struct walltime at, const struct local_time_zone *zone)
{
    return from_utc(walltime_add(at, offset_at(zone, at)));
}

// Names of files below the directory, and of nothing else.
static bool is_plain(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr("/_+-", *at) == NULL) {
            return false;
        }
    }
    return name[0] != '\0' && name[0] != '/';
}

bool local_time_zone_exists(const char *name)
{
    char path[128];
    struct text text = TEXT_OVER(path);
    text_format(&text, ZONE_DIRECTORY "%s", name);
    int file = is_plain(name) && !text.truncated ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) {
        return false;
    }
    char magic[4];
    bool good = read(file, magic, sizeof magic) == sizeof magic && memcmp(magic, "TZif", 4) == 0;
    close(file);
    return good;
}
