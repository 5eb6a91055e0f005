#include "probes/calendar/zones.h"

#include <libical/ical.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/recurrence.h"
#include "base/text.h"

struct zone {
    struct zones *all;
    struct zone *next;
    char *name;             // "" = this machine's
    char *setting;          // of TZ; NULL where the file defines it
    icaltimezone *timezone; // where the file defines it
};

struct zones {
    const struct blocks *blocks;
    struct zone *known;
    const struct zone *in_force; // what TZ says now
};

struct zones *zones_create(const struct blocks *blocks)
{
    struct zones *zones = memory_checked(calloc(1, sizeof *zones));
    zones->blocks = blocks;
    return zones;
}

void zones_destroy(struct zones *zones)
{
    for (struct zone *zone = zones->known, *next; zone != NULL; zone = next) {
        next = zone->next;
        if (zone->timezone != NULL) {
            icaltimezone_free(zone->timezone, 1);
        }
        free(zone->setting);
        free(zone->name);
        free(zone);
    }
    free(zones);
}

static struct span offset_of_system_zone(const void *context, struct walltime at)
{
    const struct zone *zone = context;
    if (zone->all->in_force != zone) {
        if (zone->setting[0] == '\0') {
            unsetenv("TZ");
        } else {
            setenv("TZ", zone->setting, 1);
        }
        tzset();
        zone->all->in_force = zone;
    }
    return LOCAL_TIME_HERE.offset_at(NULL, at);
}

static struct span offset_of_defined_zone(const void *context, struct walltime at)
{
    const struct zone *zone = context;
    struct local_time utc = local_time_from_wall(at, &LOCAL_TIME_UTC);
    struct icaltimetype time = icaltime_null_time();
    time.year = utc.year;
    time.month = utc.month;
    time.day = utc.day;
    time.hour = utc.hour;
    time.minute = utc.minute;
    time.second = utc.second;
    return SPAN_SECONDS(icaltimezone_get_utc_offset_of_utc_time(zone->timezone, &time, NULL));
}

// libical works a zone's changes out by the rules in it, some of which it would never finish.
static bool rules_valid(icalcomponent *definition)
{
    struct error ignored;
    for (icalcomponent *part = icalcomponent_get_first_component(definition, ICAL_ANY_COMPONENT);
         part != NULL; part = icalcomponent_get_next_component(definition, ICAL_ANY_COMPONENT)) {
        icalproperty *rule = icalcomponent_get_first_property(part, ICAL_RRULE_PROPERTY);
        for (; rule != NULL; rule = icalcomponent_get_next_property(part, ICAL_RRULE_PROPERTY)) {
            if (!recurrence_check(icalproperty_get_value_as_string(rule), &ignored)) {
                return false;
            }
        }
    }
    return true;
}

static bool defines(icalcomponent *definition, const char *name)
{
    icalproperty *id = icalcomponent_get_first_property(definition, ICAL_TZID_PROPERTY);
    return id != NULL && strcmp(icalproperty_get_tzid(id), name) == 0 && rules_valid(definition);
}

// The file's definition of a zone, or NULL.
static icaltimezone *find_definition(const struct blocks *blocks, const char *name)
{
    for (size_t i = 0; blocks != NULL && i < blocks->count; i++) {
        const struct block *block = &blocks->items[i];
        if (block->kind != BLOCK_ZONE) {
            continue;
        }
        char *text = memory_checked(strndup(block->text, block->length));
        icalcomponent *definition = icalparser_parse_string(text);
        free(text);
        if (definition != NULL && defines(definition, name)) {
            icaltimezone *timezone = memory_checked(icaltimezone_new());
            icaltimezone_set_component(timezone, definition);
            return timezone;
        }
        if (definition != NULL) {
            icalcomponent_free(definition);
        }
    }
    return NULL;
}

// Some programs put their own names in front: /example.org/20260101/Europe/Stockholm.
static const char *without_vendor(const char *name)
{
    const char *slash = name[0] == '/' ? strrchr(name, '/') : NULL;
    while (slash != NULL && slash > name && slash[-1] != '/') {
        slash--;
    }
    return slash == NULL ? name : slash;
}

static struct zone *add_zone(struct zones *zones, const char *name)
{
    struct zone *zone = memory_checked(calloc(1, sizeof *zone));
    *zone = (struct zone){.all = zones, .next = zones->known, .name = memory_checked(strdup(name))};
    zones->known = zone;
    return zone;
}

static struct zone *add_system_zone(struct zones *zones, const char *name, const char *system_name)
{
    char setting[128] = "";
    struct text text = TEXT_OVER(setting);
    if (system_name[0] != '\0') {
        text_format(&text, ":%s", system_name);
    }
    struct zone *zone = add_zone(zones, name);
    zone->setting = memory_checked(strdup(setting));
    return zone;
}

static struct zone *learn(struct zones *zones, const char *name)
{
    if (name[0] == '\0' || local_time_zone_exists(name)) {
        return add_system_zone(zones, name, name);
    }
    icaltimezone *timezone = find_definition(zones->blocks, name);
    if (timezone != NULL) {
        struct zone *zone = add_zone(zones, name);
        zone->timezone = timezone;
        return zone;
    }
    const char *plain = without_vendor(name);
    return local_time_zone_exists(plain) ? add_system_zone(zones, name, plain) : NULL;
}

bool zones_find(struct zones *zones, const char *name, struct local_time_zone *out,
                struct error *error)
{
    struct zone *zone = zones->known;
    while (zone != NULL && strcmp(zone->name, name) != 0) {
        zone = zone->next;
    }
    zone = zone != NULL ? zone : learn(zones, name);
    if (zone == NULL) {
        return error_set(error,
                         "the time zone '%s' is neither known to this system nor defined in the "
                         "file: use a name like Europe/Stockholm",
                         name);
    }
    out->offset_at = zone->timezone != NULL ? offset_of_defined_zone : offset_of_system_zone;
    out->context = zone;
    return true;
}
