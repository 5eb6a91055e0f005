// A calendar file by whoever may write it: cut, read and worked out as mailflow-calendar does it.
//
// libical is sent round for ever by some rules of seconds, minutes and hours; the program ends that
// by its guard, which a fuzzer has not: such files are only cut and read here.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "probes/calendar/series.h"

enum { EVENTS_MAXIMUM = 16 };

static struct event events[EVENTS_MAXIMUM];
static struct occurrences found;

static const struct calendar_job JOB = {
    .from = {INT64_C(1767225600) * 1000000000},  // 2026
    .until = {INT64_C(1772323200) * 1000000000}, // two months later
    .limit = CALENDAR_OCCURRENCES_MAXIMUM,
};

static bool may_spin(const struct blocks *blocks)
{
    static const char *const WORDS[] = {"SECONDLY", "MINUTELY", "HOURLY"};
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (strcasestr(blocks->text, WORDS[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static size_t read_events(const struct blocks *blocks, struct zones *zones)
{
    size_t count = 0;
    for (size_t i = 0; i < blocks->count && count < EVENTS_MAXIMUM; i++) {
        struct error error = {""};
        if (blocks->items[i].kind != BLOCK_EVENT) {
            continue;
        }
        if (event_read(blocks, &blocks->items[i], zones, &events[count], &error)) {
            count++;
        } else {
            assert(error.message[0] != '\0');
            event_free(&events[count]);
        }
    }
    return series_settle(events, count);
}

// What is told of an occurrence lies in the time asked for, in order, and is told to the agent.
static void check_occurrences(const struct event *event)
{
    static struct calendar_line line, read;
    struct error error;
    for (size_t i = 0; i < found.count; i++) {
        assert(found.items[i].begin.ns < found.items[i].end.ns);
        assert(found.items[i].end.ns > JOB.from.ns && found.items[i].begin.ns < JOB.until.ns);
        assert(i == 0 || found.items[i - 1].begin.ns < found.items[i].begin.ns);
    }
    if (found.count > 0) {
        line = event->line;
        line.begin = found.items[0].begin;
        line.end = found.items[0].end;
        char *text = calendar_line_encode(&line);
        read = (struct calendar_line){0};
        assert(calendar_line_decode(text, strlen(text) - 1, &read, &error));
        free(text);
    }
}

static void work_out(const struct blocks *blocks, struct zones *zones)
{
    size_t count = read_events(blocks, zones);
    bool spins = may_spin(blocks);
    for (size_t i = 0; i < count; i++) {
        struct error error;
        if (!spins && !series_off(events, count, &events[i]) &&
            occurrences_find(&events[i], "", zones, &JOB, &found, &error)) {
            check_occurrences(&events[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        event_free(&events[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct blocks blocks = {0};
    struct error error = {""};
    unsigned line = 0;
    icalerror_set_errors_are_fatal(false);
    memset(events, 0, sizeof events);
    char *file = memory_checked(malloc(size + 1));
    memcpy(file, bytes, size);
    file[size] = '\0';
    if (blocks_cut(&blocks, file, size, &line, &error)) {
        struct zones *zones = zones_create(&blocks);
        work_out(&blocks, zones);
        zones_destroy(zones);
    } else {
        assert(error.message[0] != '\0');
    }
    blocks_free(&blocks);
    return 0;
}
