#include "probes/calendar/occurrences.h"

#include <stdlib.h>
#include <string.h>

#include "base/recurrence.h"

enum { STEPS_MAXIMUM = 1000000 };

// What is worked out, and within which time.
struct search {
    const struct event *event;
    const struct calendar_job *job;
    struct zones *zones;
    struct occurrences *found;
    struct error *error;
};

static struct walltime end_of(const struct event *event, const struct local_time *begin)
{
    struct local_time later = local_time_add_days(begin, event->days);
    return walltime_add(local_time_to_wall(&later, &event->begin.zone), event->length);
}

static bool add(struct search *search, struct walltime begin, struct walltime end)
{
    struct occurrences *found = search->found;
    if (end.ns <= search->job->from.ns || begin.ns >= search->job->until.ns || end.ns <= begin.ns) {
        return true;
    }
    if (walltime_since(end, begin).ns > CALENDAR_WINDOW_MAXIMUM.ns) {
        return error_set(search->error, "RDATE: a period of it is longer than 366 days");
    }
    if (found->count == CALENDAR_PER_EVENT_MAXIMUM) {
        double days = span_seconds(walltime_since(search->job->until, search->job->from)) / 86400;
        return error_set(search->error,
                         "it recurs more than %d times in %.0f days: maintenance this frequent is "
                         "none, correct its rule",
                         CALENDAR_PER_EVENT_MAXIMUM, days);
    }
    found->items[found->count++] = (struct occurrence){begin, end};
    return true;
}

static bool add_local(struct search *search, const struct local_time *begin)
{
    const struct event *event = search->event;
    return add(search, local_time_to_wall(begin, &event->begin.zone), end_of(event, begin));
}

static struct icaltimetype floating_time(const struct event_time *from)
{
    struct icaltimetype time = icaltime_null_time();
    time.year = from->local.year;
    time.month = from->local.month;
    time.day = from->local.day;
    time.hour = from->local.hour;
    time.minute = from->local.minute;
    time.second = from->local.second;
    time.is_date = from->date;
    return time;
}

static struct local_time local_of(const struct icaltimetype *from)
{
    struct local_time local = {.year = from->year, .month = from->month, .day = from->day};
    if (!from->is_date) {
        local.hour = from->hour;
        local.minute = from->minute;
        local.second = from->second;
    }
    return local;
}

// The instant after which a rule does not recur any more.
static struct walltime last_begin(const struct search *search, const struct icaltimetype *until)
{
    struct local_time local = local_of(until);
    if (icaltime_is_null_time(*until) || !local_time_valid(&local)) {
        return (struct walltime){INT64_MAX};
    }
    if (icaltime_is_utc(*until)) {
        return local_time_to_wall(&local, &LOCAL_TIME_UTC);
    }
    if (until->is_date) { // all of that day
        local = (struct local_time){local.year, local.month, local.day, 23, 59, 59};
    }
    return local_time_to_wall(&local, &search->event->begin.zone);
}

// libical compares UNTIL with local times as if they were UTC: it is compared here, where the
// instant is known.
static bool follow(struct search *search, icalrecur_iterator *iterator, struct walltime last)
{
    for (int steps = 0; steps < STEPS_MAXIMUM; steps++) {
        struct icaltimetype next = icalrecur_iterator_next(iterator);
        struct local_time local = local_of(&next);
        if (icaltime_is_null_time(next) || !local_time_valid(&local)) {
            return true;
        }
        struct walltime begin = local_time_to_wall(&local, &search->event->begin.zone);
        if (begin.ns > last.ns || begin.ns >= search->job->until.ns) {
            return true;
        }
        if (!add_local(search, &local)) {
            return false;
        }
    }
    return error_set(search->error, "RRULE: it began too long ago, or never comes to an end: move "
                                    "DTSTART nearer");
}

static bool add_rule(struct search *search, const char *rule)
{
    if (!recurrence_check(rule, search->error)) {
        return error_prefix(search->error, "RRULE");
    }
    struct icalrecurrencetype recurrence = icalrecurrencetype_from_string(rule);
    struct walltime last = last_begin(search, &recurrence.until);
    recurrence.until = icaltime_null_time();
    icalrecur_iterator *iterator =
        icalrecur_iterator_new(recurrence, floating_time(&search->event->begin));
    if (iterator == NULL) {
        return error_set(search->error, "RRULE: %s makes no sense together", rule);
    }
    bool good = follow(search, iterator, last);
    icalrecur_iterator_free(iterator);
    return good;
}

static bool add_period(struct search *search, icalproperty *property, struct icalperiodtype period)
{
    struct event_time begin, end;
    if (!event_time_read(property, period.start, search->event->default_zone, search->zones, &begin,
                         search->error)) {
        return false;
    }
    struct walltime from = event_time_wall(&begin);
    if (icaltime_is_null_time(period.end)) {
        struct span length = SPAN_SECONDS(icaldurationtype_as_int(period.duration));
        return add(search, from, walltime_add(from, length));
    }
    return event_time_read(property, period.end, search->event->default_zone, search->zones, &end,
                           search->error) &&
           add(search, from, event_time_wall(&end));
}

static bool add_date(struct search *search, icalproperty *property)
{
    struct icaldatetimeperiodtype value = icalproperty_get_rdate(property);
    struct event_time begin;
    if (!icaltime_is_null_time(value.period.start)) {
        return add_period(search, property, value.period);
    }
    if (!event_time_read(property, value.time, search->event->default_zone, search->zones, &begin,
                         search->error)) {
        return false;
    }
    struct walltime wall = event_time_wall(&begin);
    struct local_time local = local_time_from_wall(wall, &search->event->begin.zone);
    return add(search, wall, end_of(search->event, &local));
}

static bool add_each(struct search *search, icalproperty_kind kind,
                     bool (*add_one)(struct search *search, icalproperty *property))
{
    icalcomponent *component = search->event->component;
    icalproperty *property = icalcomponent_get_first_property(component, kind);
    for (; property != NULL; property = icalcomponent_get_next_property(component, kind)) {
        if (!add_one(search, property)) {
            return false;
        }
    }
    return true;
}

static bool add_rule_of(struct search *search, icalproperty *property)
{
    return add_rule(search, icalproperty_get_value_as_string(property));
}

static int compare(const void *left, const void *right)
{
    const struct occurrence *a = left;
    const struct occurrence *b = right;
    return a->begin.ns != b->begin.ns ? (a->begin.ns < b->begin.ns ? -1 : 1)
                                      : (a->end.ns > b->end.ns) - (a->end.ns < b->end.ns);
}

static void put_in_order(struct occurrences *found)
{
    size_t kept = 0;
    qsort(found->items, found->count, sizeof found->items[0], compare);
    for (size_t i = 0; i < found->count; i++) {
        if (kept == 0 || found->items[kept - 1].begin.ns != found->items[i].begin.ns) {
            found->items[kept++] = found->items[i];
        }
    }
    found->count = kept;
}

// An exception that is a day takes out whatever begins on it.
static bool excepts(const struct event_time *exception, const struct event *event,
                    struct walltime begin)
{
    if (!exception->date || event->begin.date) {
        return event_time_wall(exception).ns == begin.ns;
    }
    struct local_time local = local_time_from_wall(begin, &event->begin.zone);
    return local.year == exception->local.year && local.month == exception->local.month &&
           local.day == exception->local.day;
}

static bool take_out(struct search *search, icalproperty *property)
{
    struct occurrences *found = search->found;
    struct event_time exception;
    size_t kept = 0;
    if (!event_time_read(property, icalproperty_get_exdate(property), search->event->default_zone,
                         search->zones, &exception, search->error)) {
        return false;
    }
    for (size_t i = 0; i < found->count; i++) {
        if (!excepts(&exception, search->event, found->items[i].begin)) {
            found->items[kept++] = found->items[i];
        }
    }
    found->count = kept;
    return true;
}

bool occurrences_find(const struct event *event, const char *rule, struct zones *zones,
                      const struct calendar_job *job, struct occurrences *out, struct error *error)
{
    struct search search = {event, job, zones, out, error};
    out->count = 0;
    if (event->component == NULL) {
        return rule[0] == '\0' ? add_local(&search, &event->begin.local) : add_rule(&search, rule);
    }
    bool recurs = !event->replacement &&
                  icalcomponent_get_first_property(event->component, ICAL_RRULE_PROPERTY) != NULL;
    bool good = recurs ? add_each(&search, ICAL_RRULE_PROPERTY, add_rule_of)
                       : add_local(&search, &event->begin.local);
    good = good && add_each(&search, ICAL_RDATE_PROPERTY, add_date);
    put_in_order(out);
    return good && add_each(&search, ICAL_EXDATE_PROPERTY, take_out);
}
