#include "config/check_maintenance.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "config/file.h"

#define ROUTINE_MAXIMUM SPAN_HOURS(4)

static void report_unknown_server(struct reading *reading, struct place at, const char *name)
{
    const struct settings *settings = reading->settings;
    const char **names = memory_checked(calloc(settings->peer_count + 1, sizeof *names));
    for (size_t i = 0; i < settings->peer_count; i++) {
        names[i] = settings->peers[i].name;
    }
    names[settings->peer_count] = settings->server;
    const char *meant = suggest_nearest(name, names, settings->peer_count + 1);
    free(names);
    const char *hint[] = {meant == NULL ? "" : " (did you mean '", meant == NULL ? "" : meant,
                          meant == NULL ? "" : "'?)"};
    if (settings->peers_from_count > 0) { // lists change
        problem_warning(reading->problems, at,
                        "server: '%s' is not in the mesh now: it is neither this server nor a peer "
                        "nor in a list%s%s%s",
                        name, hint[0], hint[1], hint[2]);
    } else {
        problem_error(reading->problems, at,
                      "server: '%s' is not in the mesh: it is neither this server nor a peer%s%s%s",
                      name, hint[0], hint[1], hint[2]);
    }
}

// A rule that is over before it begins: UNTIL=20251231 with a start in 2026.
static bool ends_before_start(const struct window_settings *window)
{
    const char *until = strcasestr(window->rrule, "UNTIL=");
    char day[sizeof "20260104"];
    struct text text = TEXT_OVER(day);
    for (const char *at = window->start; *at != '\0'; at++) {
        if (isdigit((unsigned char)*at)) {
            text_append_bytes(&text, at, 1);
        }
    }
    return until != NULL && window->start[0] != '\0' &&
           strncmp(until + strlen("UNTIL="), day, strlen(day)) < 0;
}

static void check_window(struct reading *reading, const struct node *map,
                         const struct window_settings *window)
{
    const struct settings *settings = reading->settings;
    bool emergency = strcmp(window->kind, "emergency") == 0;
    if (window->server[0] != '\0' && !settings_in_mesh(settings, window->server)) {
        report_unknown_server(reading, node_place(map, "server"), window->server);
    }
    if (emergency && window->reason[0] == '\0') {
        problem_error(reading->problems, node_place(map, "kind"),
                      "kind: an emergency needs a reason");
    }
    if (ends_before_start(window)) {
        problem_error(reading->problems, node_place(map, "rrule"),
                      "rrule: UNTIL is before start: this window never comes");
    }
    if (!emergency && window->length.ns > ROUTINE_MAXIMUM.ns) {
        problem_warning(reading->problems, node_place(map, "for"),
                        "for: is long for routine maintenance (more than 4h): every alert of the "
                        "server is held back for all of it");
    }
}

static void check_windows(struct reading *reading, const struct node *maintenance)
{
    const struct maintenance_settings *settings = &reading->settings->maintenance;
    const struct node *list = node_member(maintenance, "windows");
    const struct node *map = list == NULL ? NULL : list->first;
    for (size_t i = 0; map != NULL && i < settings->window_count; i++, map = map->next) {
        check_window(reading, map, &settings->windows[i]);
    }
}

// One that cannot be read is no error: what was last read of it stands, and the agent must start.
static void check_calendar(struct reading *reading, struct place at, size_t index)
{
    const char *const *calendars = reading->settings->maintenance.calendars;
    const char *path = calendars[index];
    struct error error;
    for (size_t i = 0; i < index; i++) {
        if (path[0] != '\0' && strcmp(path, calendars[i]) == 0) {
            problem_error(reading->problems, at, "calendars: %s is there twice", path);
            return;
        }
    }
    if (path[0] != '\0' && reading->secrets && !file_readable(path, &error)) {
        problem_warning(reading->problems, at,
                        "calendars: %s: %s: no window comes of it until it can be read", path,
                        error.message);
    }
}

static void check_calendars(struct reading *reading, const struct node *maintenance)
{
    const struct node *list = node_member(maintenance, "calendars");
    const struct node *item = list == NULL ? NULL : list->first;
    size_t count = reading->settings->maintenance.calendar_count;
    for (size_t i = 0; item != NULL && i < count; i++, item = item->next) {
        check_calendar(reading, item->at, i);
    }
}

// A directory may come later, and its flags count from then on.
static void check_flags_dir_there(struct reading *reading, struct place at, const char *directory)
{
    struct stat what;
    if (stat(directory, &what) != 0) {
        problem_warning(reading->problems, at,
                        "flags_dir: %s: %s: no flag announces anything until it is there",
                        directory, strerror(errno));
    } else if (!S_ISDIR(what.st_mode)) {
        problem_error(reading->problems, at, "flags_dir: %s is not a directory", directory);
    }
}

// A flag announces a reboot and must outlive it.
static void check_flags_dir(struct reading *reading, const struct node *maintenance)
{
    static const char *const VOLATILE[] = {"/run/", "/var/run/", "/dev/"};
    const char *directory = reading->settings->maintenance.flags_dir;
    struct place at = node_place(maintenance, "flags_dir");
    if (directory[0] != '\0' && reading->secrets) {
        check_flags_dir_there(reading, at, directory);
    }
    for (size_t i = 0; i < sizeof VOLATILE / sizeof VOLATILE[0]; i++) {
        if (strncmp(directory, VOLATILE[i], strlen(VOLATILE[i])) == 0) {
            problem_warning(reading->problems, at,
                            "flags_dir: %s is emptied by a reboot, and a flag must outlive the "
                            "one that it announces",
                            directory);
        }
    }
}

static void check_alertmanager(struct reading *reading, const struct node *maintenance)
{
    const struct node *map = node_member(maintenance, "alertmanager");
    bool one = node_member(map, "url") != NULL, several = node_member(map, "urls") != NULL;
    if (map != NULL && !one && !several) {
        problem_error(reading->problems, map->at,
                      "alertmanager: needs url, or urls for the members of a cluster");
    } else if (one && reading->settings->maintenance.alertmanager.url_count > 0) {
        problem_error(reading->problems, node_place(map, "urls"),
                      "urls: give url, or urls for the members of a cluster, not both");
    }
}

void maintenance_settings_check(struct reading *reading, const struct node *root)
{
    const struct node *maintenance = node_member(root, "maintenance");
    if (maintenance != NULL) {
        check_calendars(reading, maintenance);
        check_flags_dir(reading, maintenance);
        check_windows(reading, maintenance);
        check_alertmanager(reading, maintenance);
    }
}
