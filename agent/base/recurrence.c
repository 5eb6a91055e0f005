#include "base/recurrence.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { RULE_LENGTH_MAXIMUM = 512 };

// The parts of a rule: which values each takes, a list of numbers unless it says otherwise.
static const struct rule_part {
    const char *name;
    enum { PART_NUMBERS, PART_NUMBER, PART_FREQUENCY, PART_UNTIL, PART_DAYS, PART_DAY } values;
    int minimum; // of numbers; where it is negative, zero is none
    int maximum;
} PARTS[] = {
    {"FREQ", PART_FREQUENCY, 0, 0},        {"UNTIL", PART_UNTIL, 0, 0},
    {"COUNT", PART_NUMBER, 1, 1000000},    {"INTERVAL", PART_NUMBER, 1, 10000},
    {"BYSECOND", PART_NUMBERS, 0, 59},     {"BYMINUTE", PART_NUMBERS, 0, 59},
    {"BYHOUR", PART_NUMBERS, 0, 23},       {"BYDAY", PART_DAYS, -53, 53},
    {"BYMONTHDAY", PART_NUMBERS, -31, 31}, {"BYYEARDAY", PART_NUMBERS, -366, 366},
    {"BYWEEKNO", PART_NUMBERS, -53, 53},   {"BYMONTH", PART_NUMBERS, 1, 12},
    {"BYSETPOS", PART_NUMBERS, -366, 366}, {"WKST", PART_DAY, 0, 0},
};
enum { PART_COUNT = sizeof PARTS / sizeof PARTS[0] };

static bool number_valid(const struct rule_part *part, const char *text, const char *end)
{
    char *after;
    const char *digits = text + (*text == '-' || *text == '+' ? 1 : 0);
    if (!isdigit((unsigned char)*digits) || end - digits > 7) {
        return false;
    }
    long number = strtol(text, &after, 10);
    return after == end && number >= part->minimum && number <= part->maximum &&
           (part->minimum >= 0 || number != 0);
}

static bool day_valid(const struct rule_part *part, const char *text, const char *end)
{
    static const char *const DAYS[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
    if (end - text < 2) {
        return false;
    }
    bool known = false;
    for (size_t i = 0; i < sizeof DAYS / sizeof DAYS[0]; i++) {
        known = known || strncmp(end - 2, DAYS[i], 2) == 0;
    }
    bool counted = end - text > 2;
    return known && (!counted || (part->values == PART_DAYS && number_valid(part, text, end - 2)));
}

// 20260131 or 20260131T235959, with or without Z.
static bool until_valid(const char *text)
{
    size_t date = strspn(text, "0123456789");
    if (date != 8 || text[8] == '\0') {
        return date == 8;
    }
    return text[8] == 'T' && strspn(text + 9, "0123456789") == 6 &&
           (text[15] == '\0' || (text[15] == 'Z' && text[16] == '\0'));
}

static bool frequency_valid(const char *text, struct error *error)
{
    static const char *const NAMES[] = {"HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
    if (strcmp(text, "SECONDLY") == 0 || strcmp(text, "MINUTELY") == 0) {
        return error_set(error,
                         "FREQ=%s: maintenance that recurs every %s is none: FREQ is HOURLY, "
                         "DAILY, WEEKLY, MONTHLY or YEARLY",
                         text, text[0] == 'S' ? "second" : "minute");
    }
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (strcmp(text, NAMES[i]) == 0) {
            return true;
        }
    }
    return error_set(error, "FREQ=%s is none of HOURLY, DAILY, WEEKLY, MONTHLY, YEARLY", text);
}

static bool list_valid(const struct rule_part *part, const char *text)
{
    while (true) {
        const char *end = strchrnul(text, ',');
        bool days = part->values == PART_DAYS || part->values == PART_DAY;
        if (!(days ? day_valid(part, text, end) : number_valid(part, text, end))) {
            return false;
        }
        if (*end == '\0') {
            return true;
        }
        if (part->values == PART_NUMBER || part->values == PART_DAY) {
            return false; // takes one
        }
        text = end + 1;
    }
}

static bool part_valid(const struct rule_part *part, const char *value, struct error *error)
{
    if (part->values == PART_FREQUENCY) {
        return frequency_valid(value, error);
    }
    bool valid = part->values == PART_UNTIL ? until_valid(value) : list_valid(part, value);
    return valid ||
           error_set(error, "%s=%s is not a value that %s takes", part->name, value, part->name);
}

static bool take_part(char *text, unsigned *given, struct error *error)
{
    char *value = strchr(text, '=');
    if (value == NULL) {
        return error_set(error, "'%s' is not NAME=VALUE", text);
    }
    *value++ = '\0';
    for (unsigned i = 0; i < PART_COUNT; i++) {
        if (strcmp(text, PARTS[i].name) != 0) {
            continue;
        }
        if ((*given & 1u << i) != 0) {
            return error_set(error, "%s is given twice", text);
        }
        *given |= 1u << i;
        return part_valid(&PARTS[i], value, error);
    }
    return error_set(error, "%s is not a part of a recurrence rule that is known here", text);
}

bool recurrence_check(const char *rule, struct error *error)
{
    enum { FREQUENCY = 1, UNTIL = 2, COUNT = 4 };
    char parts[RULE_LENGTH_MAXIMUM + 1];
    unsigned given = 0;
    if (!text_copy(parts, sizeof parts, rule)) {
        return error_set(error, "is longer than %d bytes", RULE_LENGTH_MAXIMUM);
    }
    for (char *at = parts; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
    }
    for (char *next = parts, *part; (part = strsep(&next, ";")) != NULL;) {
        if (!take_part(part, &given, error)) {
            return false;
        }
    }
    if ((given & FREQUENCY) == 0) {
        return error_set(error, "FREQ is missing");
    }
    if ((given & UNTIL) != 0 && (given & COUNT) != 0) {
        return error_set(error, "UNTIL and COUNT exclude each other");
    }
    return true;
}
