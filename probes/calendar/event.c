#include "probes/calendar/event.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

// ---- text ----

static void make_one_line(char *text)
{
    for (char *at = text; *at != '\0'; at++) {
        *at = iscntrl((unsigned char)*at) ? ' ' : *at;
    }
}

// As far as it fits.
static void take_text(char *out, size_t size, const char *from)
{
    text_copy(out, size, from == NULL ? "" : from);
    make_one_line(out);
}

// The value of the first property of the kind, unescaped; NULL when there is none.
static const char *text_of(icalcomponent *component, icalproperty_kind kind)
{
    icalproperty *property = icalcomponent_get_first_property(component, kind);
    icalvalue *value = property == NULL ? NULL : icalproperty_get_value(property);
    return value == NULL ? NULL : icalvalue_get_text(value);
}

// Every X- property is of one kind to libical.
static icalproperty *find_extension(icalcomponent *component, const char *name,
                                    icalproperty *previous)
{
    icalproperty *property = previous == NULL
                                 ? icalcomponent_get_first_property(component, ICAL_X_PROPERTY)
                                 : icalcomponent_get_next_property(component, ICAL_X_PROPERTY);
    while (property != NULL &&
           !text_equal_ignoring_case(icalproperty_get_property_name(property), name)) {
        property = icalcomponent_get_next_property(component, ICAL_X_PROPERTY);
    }
    return property;
}

static void take_extension(icalcomponent *component, const char *name, char *out, size_t size)
{
    icalproperty *property = find_extension(component, name, NULL);
    take_text(out, size, property == NULL ? "" : icalproperty_get_x(property));
}

static bool extension_is(icalcomponent *component, const char *name, const char *value)
{
    char text[32];
    take_extension(component, name, text, sizeof text);
    return text_equal_ignoring_case(text, value);
}

// ---- what libical could not read ----

static const char *const NEEDED[] = {"DTSTART", "DTEND",  "DURATION", "RRULE",        "RDATE",
                                     "EXDATE",  "STATUS", "EXRULE",   "RECURRENCE-ID"};

// It drops what it cannot read and leaves a note. What is dropped from an attendee is nothing to
// us, but a date of an event must not vanish in silence.
static bool check_note(const char *note, struct error *error)
{
    for (size_t i = 0; i < sizeof NEEDED / sizeof NEEDED[0]; i++) {
        char pattern[32];
        struct text text = TEXT_OVER(pattern);
        text_format(&text, " %s property", NEEDED[i]);
        if (strstr(note, pattern) != NULL) {
            const char *value = strrchr(note, ':');
            return error_set(error, "%s cannot be read%s%.100s", NEEDED[i],
                             value == NULL ? "" : ":", value == NULL ? "" : value + 1);
        }
    }
    return true;
}

static bool check_notes(icalcomponent *component, struct error *error)
{
    icalproperty *note = icalcomponent_get_first_property(component, ICAL_XLICERROR_PROPERTY);
    for (; note != NULL;
         note = icalcomponent_get_next_property(component, ICAL_XLICERROR_PROPERTY)) {
        const char *text = icalproperty_get_xlicerror(note);
        if (text != NULL && !check_note(text, error)) {
            return false;
        }
    }
    if (icalcomponent_get_first_property(component, ICAL_EXRULE_PROPERTY) != NULL) {
        return error_set(error, "EXRULE is not supported: name the dates in EXDATE");
    }
    return true;
}

// ---- times ----

static bool set_zone(icalproperty *property, const struct icaltimetype *value,
                     const char *default_zone, struct zones *zones, struct event_time *out,
                     struct error *error)
{
    out->utc = icaltime_is_utc(*value);
    if (out->utc) {
        out->zone = LOCAL_TIME_UTC;
        return true;
    }
    icalparameter *parameter = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER);
    const char *name = parameter == NULL ? NULL : icalparameter_get_tzid(parameter);
    return zones_find(zones, name == NULL ? default_zone : name, &out->zone, error);
}

bool event_time_read(icalproperty *property, struct icaltimetype value, const char *default_zone,
                     struct zones *zones, struct event_time *out, struct error *error)
{
    const char *name = icalproperty_get_property_name(property);
    out->date = value.is_date;
    out->local = (struct local_time){.year = value.year, .month = value.month, .day = value.day};
    if (!value.is_date) {
        out->local.hour = value.hour;
        out->local.minute = value.minute;
        out->local.second = value.second == 60 ? 59 : value.second; // a leap second
    }
    if (!local_time_valid(&out->local)) {
        return error_set(error, "%s: %.40s is no time in the years %d to %d", name,
                         icalproperty_get_value_as_string(property), LOCAL_TIME_YEAR_MINIMUM,
                         LOCAL_TIME_YEAR_MAXIMUM);
    }
    return set_zone(property, &value, default_zone, zones, out, error) ||
           error_prefix(error, "%s", name);
}

struct walltime event_time_wall(const struct event_time *time)
{
    return local_time_to_wall(&time->local, &time->zone);
}

static int days_between(const struct event_time *from, const struct event_time *to)
{
    struct span span = walltime_since(local_time_to_wall(&to->local, &LOCAL_TIME_UTC),
                                      local_time_to_wall(&from->local, &LOCAL_TIME_UTC));
    return (int)(span.ns / SPAN_HOURS(24).ns);
}

static bool read_end(icalproperty *property, struct zones *zones, struct event *out,
                     struct error *error)
{
    struct event_time end;
    if (!event_time_read(property, icalproperty_get_dtend(property), out->default_zone, zones, &end,
                         error)) {
        return false;
    }
    if (end.date != out->begin.date) {
        return error_set(error, "of DTSTART and DTEND one is a day and the other a time");
    }
    if (end.date) {
        out->days = days_between(&out->begin, &end);
    } else {
        out->length = walltime_since(event_time_wall(&end), event_time_wall(&out->begin));
    }
    return (out->days > 0 || out->length.ns > 0) ||
           error_set(error, "it ends before or when it begins: correct DTEND");
}

static bool read_duration(icalproperty *property, struct event *out, struct error *error)
{
    struct icaldurationtype duration = icalproperty_get_duration(property);
    int64_t seconds =
        (int64_t)duration.hours * 3600 + (int64_t)duration.minutes * 60 + (int64_t)duration.seconds;
    int64_t days = (int64_t)duration.weeks * 7 + (int64_t)duration.days;
    if (duration.is_neg || (days == 0 && seconds == 0)) {
        return error_set(error, "DURATION %.40s is no length: write one like PT15M",
                         icalproperty_get_value_as_string(property));
    }
    out->days = (int)(days > INT32_MAX ? INT32_MAX : days);
    out->length = span_times(SPAN_SECONDS(1), seconds);
    return true;
}

static bool check_length(const struct event *event, struct error *error)
{
    struct span length = span_add(span_times(SPAN_HOURS(24), event->days), event->length);
    if (length.ns <= CALENDAR_WINDOW_MAXIMUM.ns) {
        return true;
    }
    return error_set(error, "it is %lld days long, and maintenance may be 366: correct its end",
                     event->days + (long long)(event->length.ns / SPAN_HOURS(24).ns));
}

static bool read_length(icalcomponent *component, struct zones *zones, struct event *out,
                        struct error *error)
{
    icalproperty *end = icalcomponent_get_first_property(component, ICAL_DTEND_PROPERTY);
    icalproperty *duration = icalcomponent_get_first_property(component, ICAL_DURATION_PROPERTY);
    bool good = true;
    if (end != NULL) {
        good = read_end(end, zones, out, error);
    } else if (duration != NULL) {
        good = read_duration(duration, out, error);
    } else if (out->begin.date) {
        out->days = 1; // RFC 5545 section 3.6.1
    } else {
        good = error_set(error, "it has neither DTEND nor DURATION: say how long it is");
    }
    return good && check_length(out, error);
}

static bool read_times(icalcomponent *component, struct zones *zones, struct event *out,
                       struct error *error)
{
    icalproperty *begin = icalcomponent_get_first_property(component, ICAL_DTSTART_PROPERTY);
    if (begin == NULL) {
        return error_set(error, "it has no DTSTART: say when it begins");
    }
    return event_time_read(begin, icalproperty_get_dtstart(begin), out->default_zone, zones,
                           &out->begin, error) &&
           read_length(component, zones, out, error);
}

static bool read_replaced(icalcomponent *component, struct zones *zones, struct event *out,
                          struct error *error)
{
    struct event_time replaced;
    icalproperty *property =
        icalcomponent_get_first_property(component, ICAL_RECURRENCEID_PROPERTY);
    out->replacement = property != NULL;
    if (property == NULL) {
        return true;
    }
    if (icalproperty_get_first_parameter(property, ICAL_RANGE_PARAMETER) != NULL) {
        return error_set(error, "RECURRENCE-ID with RANGE is not supported: end the event with "
                                "UNTIL, and make another one from then on");
    }
    if (!event_time_read(property, icalproperty_get_recurrenceid(property), out->default_zone,
                         zones, &replaced, error)) {
        return false;
    }
    out->replaced = event_time_wall(&replaced);
    return true;
}

// ---- what it says ----

static void add_object(struct calendar_line *line, const char *name, size_t length)
{
    while (length > 0 && isspace((unsigned char)*name)) {
        name++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)name[length - 1])) {
        length--;
    }
    if (length > 0 && line->object_count < CALENDAR_OBJECTS_MAXIMUM) {
        char *object = line->objects[line->object_count++];
        struct text text = text_over(object, CALENDAR_OBJECT_SIZE);
        text_append_bytes(&text, name, length);
        make_one_line(object);
    }
}

// Several in one property, with commas between them, are read as well.
static void read_objects(icalcomponent *component, struct calendar_line *line)
{
    static const char NAME[] = "X-MAINTNOTE-OBJECT-ID";
    for (icalproperty *property = find_extension(component, NAME, NULL); property != NULL;
         property = find_extension(component, NAME, property)) {
        const char *at = icalproperty_get_x(property);
        for (; at != NULL && *at != '\0'; at += *at == ',' ? 1 : 0) {
            size_t length = strcspn(at, ",");
            add_object(line, at, length);
            at += length;
        }
    }
}

static void read_categories(icalcomponent *component, struct calendar_line *line)
{
    struct text categories = TEXT_OVER(line->categories);
    icalproperty *property = icalcomponent_get_first_property(component, ICAL_CATEGORIES_PROPERTY);
    for (; property != NULL;
         property = icalcomponent_get_next_property(component, ICAL_CATEGORIES_PROPERTY)) {
        const char *category = icalproperty_get_categories(property);
        if (category != NULL) {
            text_append(&categories, categories.length == 0 ? "" : ",");
            text_append(&categories, category);
            line->emergency = line->emergency || text_equal_ignoring_case(category, "EMERGENCY");
        }
    }
    make_one_line(line->categories);
}

// The summary, and by which number the provider knows the work.
static void compose_reason(icalcomponent *component, struct calendar_line *line)
{
    char provider[64], number[64];
    take_extension(component, "X-MAINTNOTE-PROVIDER", provider, sizeof provider);
    take_extension(component, "X-MAINTNOTE-MAINTENANCE-ID", number, sizeof number);
    struct text reason = TEXT_OVER(line->reason);
    text_append(&reason, line->summary);
    bool both = provider[0] != '\0' && number[0] != '\0';
    if (provider[0] != '\0' || number[0] != '\0') {
        text_format(&reason, "%s(%s%s%s)", reason.length == 0 ? "" : " ", provider, both ? " " : "",
                    number);
    }
    if (reason.length == 0) {
        text_append(&reason, "calendar");
    }
}

static bool is_off(icalcomponent *component)
{
    icalproperty *status = icalcomponent_get_first_property(component, ICAL_STATUS_PROPERTY);
    return (status != NULL && icalproperty_get_status(status) == ICAL_STATUS_CANCELLED) ||
           extension_is(component, "X-MAINTNOTE-STATUS", "CANCELLED") ||
           extension_is(component, "X-MAINTNOTE-STATUS", "COMPLETED") ||
           extension_is(component, "X-MAINTNOTE-IMPACT", "NO-IMPACT");
}

static void read_words(icalcomponent *component, struct calendar_line *line)
{
    take_text(line->uid, sizeof line->uid, text_of(component, ICAL_UID_PROPERTY));
    take_text(line->summary, sizeof line->summary, text_of(component, ICAL_SUMMARY_PROPERTY));
    take_text(line->location, sizeof line->location, text_of(component, ICAL_LOCATION_PROPERTY));
    read_objects(component, line);
    read_categories(component, line);
    compose_reason(component, line);
}

static icalcomponent *parse(const struct block *block)
{
    char *text = memory_checked(strndup(block->text, block->length));
    icalcomponent *component = icalparser_parse_string(text);
    free(text);
    return component;
}

bool event_read(const struct blocks *blocks, const struct block *block, struct zones *zones,
                struct event *out, struct error *error)
{
    const struct block_calendar *calendar = &blocks->calendars[block->calendar];
    *out = (struct event){.line = {.kind = CALENDAR_OCCURRENCE, .line = block->line},
                          .default_zone = calendar->zone};
    out->component = parse(block);
    if (out->component == NULL || icalcomponent_isa(out->component) != ICAL_VEVENT_COMPONENT) {
        return error_set(error, "it cannot be read");
    }
    read_words(out->component, &out->line);
    icalproperty *sequence =
        icalcomponent_get_first_property(out->component, ICAL_SEQUENCE_PROPERTY);
    out->sequence = sequence == NULL ? 0 : icalproperty_get_sequence(sequence);
    out->off = calendar->cancelled || is_off(out->component);
    if (out->line.uid[0] == '\0') {
        return error_set(error, "it has no UID: give it one that stays when it is changed");
    }
    return check_notes(out->component, error) && read_replaced(out->component, zones, out, error) &&
           (out->off || read_times(out->component, zones, out, error));
}

void event_free(struct event *event)
{
    if (event->component != NULL) {
        icalcomponent_free(event->component);
    }
    *event = (struct event){0};
}
