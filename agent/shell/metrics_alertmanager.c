#include "shell/metrics_families.h"

// Without an Alertmanager there is nothing to be said of one.
static size_t count_configured(const struct metrics_view *view)
{
    return view->alertmanager.configured ? 1 : 0;
}

static void write_up(const struct metric_writer *writer, const struct metrics_view *view,
                     size_t index)
{
    (void)index;
    metric_write_count(writer, METRIC_NO_LABELS, view->alertmanager.answers ? 1 : 0);
}

static void write_answered(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    (void)index;
    metric_write_time(writer, METRIC_NO_LABELS, view->alertmanager.answered);
}

static void write_failures(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    (void)index;
    metric_write_count(writer, METRIC_NO_LABELS, view->alertmanager.failures);
}

static void write_windows(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    (void)index;
    metric_write_count(writer, METRIC_NO_LABELS, view->alertmanager.windows);
}

static void write_unused(const struct metric_writer *writer, const struct metrics_view *view,
                         size_t index)
{
    (void)index;
    metric_write_count(writer, METRIC_NO_LABELS, view->alertmanager.unused);
}

static const struct metric_family FAMILIES[] = {
    {"mailflow_alertmanager_up", METRIC_GAUGE, "",
     "1 while a member of the Alertmanager's cluster tells its silences.", count_configured,
     write_up},
    {"mailflow_alertmanager_last_answer_timestamp_seconds", METRIC_GAUGE, "",
     "When the silences were last read, 0 when they have not been.", count_configured,
     write_answered},
    {"mailflow_alertmanager_failures_total", METRIC_COUNTER, "",
     "How often no member of the cluster told its silences.", count_configured, write_failures},
    {"mailflow_alertmanager_windows", METRIC_GAUGE, "",
     "Windows, active or to come, of the silences last read.", count_configured, write_windows},
    {"mailflow_alertmanager_silences_unused", METRIC_GAUGE, "",
     "Silences with the matcher of which no window comes: of no server of the mesh, or not "
     "understood.",
     count_configured, write_unused},
};

const struct metric_families METRICS_OF_ALERTMANAGER = {FAMILIES,
                                                        sizeof FAMILIES / sizeof FAMILIES[0]};
