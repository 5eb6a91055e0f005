// What a probe sent by hand amounts to for a monitoring system: a status, one line of text and
// performance data, by the Nagios plugin development guidelines, which Icinga shares.
#ifndef MAILFLOW_CTL_PLUGIN_H
#define MAILFLOW_CTL_PLUGIN_H

#include <jansson.h>
#include <stdbool.h>

#include "base/text.h"
#include "ctl/options.h"

// The exit codes.
enum plugin_status { PLUGIN_OK, PLUGIN_WARNING, PLUGIN_CRITICAL, PLUGIN_UNKNOWN };

// Whether the probe's life needs no more waiting: arrived, refused, bounced or lost.
bool plugin_probe_over(const json_t *probe);

// The status, and behind it in words why. An arrived probe is held against -w and -c, without them
// against the agent's own verdict; one that has not arrived by now is critical.
enum plugin_status plugin_judge(const json_t *probe, const struct command *command,
                                struct text *why);

// What is wrong while notifications about either end of the path are held back by a maintenance
// window is no problem to wake anybody for, here as in the agent's own notifications: a warning or
// worse becomes ok, and the words say why. Windows are those of /api/v1/maintenance.
enum plugin_status plugin_excuse(enum plugin_status status, const json_t *probe,
                                 const json_t *windows, struct text *why);

// Text without what would be taken for the beginning of performance data.
void plugin_print_text(const char *text);

// The first line.
void plugin_print_line(enum plugin_status status, const char *why, const char *performance);

// "latency=0.012s;10;60;0 dns=..." of what was measured.
void plugin_append_performance(const json_t *probe, const struct command *command,
                               struct text *out);

#endif
