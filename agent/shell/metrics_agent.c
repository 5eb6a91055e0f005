#include "shell/metrics_families.h"

static size_t count_one(const struct metrics_view *view)
{
    (void)view;
    return 1;
}

// ---- probes of nobody in particular ----

static size_t count_reasons(const struct metrics_view *view)
{
    (void)view;
    return REJECTION_REASONS;
}

static void write_rejected(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    struct metric_labels labels = {{{"reason", rejection_reason_name((int)index)}}};
    metric_write_count(writer, &labels, core_stats(view->core)->rejected[index]);
}

static void write_negative(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    (void)index;
    metric_write_count(writer, METRIC_NO_LABELS, core_stats(view->core)->negative_latencies);
}

static void write_clock_disciplined(const struct metric_writer *writer,
                                    const struct metrics_view *view, size_t index)
{
    (void)index;
    metric_write_count(writer, METRIC_NO_LABELS, core_clock_error(view->core).ns > 0);
}

static void write_clock_kernel_error(const struct metric_writer *writer,
                                     const struct metrics_view *view, size_t index)
{
    (void)index;
    if (core_clock_error(view->core).ns > 0) {
        metric_write_span(writer, METRIC_NO_LABELS, core_clock_error(view->core));
    }
}

static void write_windows_refused(const struct metric_writer *writer,
                                  const struct metrics_view *view, size_t index)
{
    (void)index;
    metric_write_count(writer, METRIC_NO_LABELS, core_stats(view->core)->windows_refused);
}

static size_t count_legs(const struct metrics_view *view)
{
    (void)view;
    return LEGS;
}

static void write_leg(const struct metric_writer *writer, const struct metrics_view *view,
                      size_t index)
{
    struct metric_labels labels = {{{"leg", leg_name((int)index)}}};
    metric_write_histogram(writer, &labels, &core_stats(view->core)->legs[index], &view->leg_edges);
}

static void write_slips(const struct metric_writer *writer, const struct metrics_view *view,
                        size_t index)
{
    (void)index;
    metric_write_histogram(writer, METRIC_NO_LABELS, &core_stats(view->core)->slips,
                           &view->leg_edges);
}

// ---- mailboxes ----

static size_t count_mailboxes(const struct metrics_view *view)
{
    return core_settings(view->core)->mailbox_count;
}

static const struct mailbox *mailbox_at(const struct metrics_view *view, size_t index,
                                        struct metric_labels *labels)
{
    const struct mailbox *mailbox = core_mailbox(view->core, (int)index);
    *labels = (struct metric_labels){{{"mailbox", mailbox->settings->name}}};
    return mailbox;
}

static void write_up(const struct metric_writer *writer, const struct metrics_view *view,
                     size_t index)
{
    struct metric_labels labels;
    const struct mailbox *mailbox = mailbox_at(view, index, &labels);
    metric_write_count(writer, &labels, mailbox->readable ? 1 : 0);
}

static void write_collected(const struct metric_writer *writer, const struct metrics_view *view,
                            size_t index)
{
    struct metric_labels labels;
    const struct mailbox *mailbox = mailbox_at(view, index, &labels);
    metric_write_time(writer, &labels, mailbox->complete);
}

static void write_imap_errors(const struct metric_writer *writer, const struct metrics_view *view,
                              size_t index)
{
    struct metric_labels labels;
    const struct mailbox *mailbox = mailbox_at(view, index, &labels);
    metric_write_count(writer, &labels, mailbox->errors);
}

static void write_foreign(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    struct metric_labels labels;
    const struct mailbox *mailbox = mailbox_at(view, index, &labels);
    metric_write_count(writer, &labels, (uint64_t)mailbox->foreign_messages);
}

// ---- the agent itself ----

static void write_figure(const struct metric_writer *writer, uint64_t value)
{
    metric_write_count(writer, METRIC_NO_LABELS, value);
}

static void write_entries(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    (void)index;
    write_figure(writer, (uint64_t)view->ledger.entries);
}

static void write_bytes(const struct metric_writer *writer, const struct metrics_view *view,
                        size_t index)
{
    (void)index;
    write_figure(writer, (uint64_t)view->ledger.bytes);
}

static void write_commit_failures(const struct metric_writer *writer,
                                  const struct metrics_view *view, size_t index)
{
    (void)index;
    write_figure(writer, view->ledger.commit_failures);
}

static void write_busy(const struct metric_writer *writer, const struct metrics_view *view,
                       size_t index)
{
    (void)index;
    write_figure(writer, view->workers.busy);
}

static void write_waiting(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    (void)index;
    write_figure(writer, view->workers.waiting);
}

static void write_stuck(const struct metric_writer *writer, const struct metrics_view *view,
                        size_t index)
{
    (void)index;
    write_figure(writer, view->workers.killed);
}

static void write_reload(const struct metric_writer *writer, const struct metrics_view *view,
                         size_t index)
{
    (void)index;
    write_figure(writer, view->reload_successful ? 1 : 0);
}

static void write_build(const struct metric_writer *writer, const struct metrics_view *view,
                        size_t index)
{
    struct metric_labels labels = {{{"version", view->version}}};
    (void)index;
    metric_write_count(writer, &labels, 1);
}

static void write_server(const struct metric_writer *writer, const struct metrics_view *view,
                         size_t index)
{
    struct metric_labels labels = {{{"server", core_settings(view->core)->server}}};
    (void)index;
    metric_write_count(writer, &labels, 1);
}

static void write_cpu(const struct metric_writer *writer, const struct metrics_view *view,
                      size_t index)
{
    (void)index;
    metric_write_number(writer, METRIC_NO_LABELS, view->process.cpu_seconds);
}

static void write_resident(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    (void)index;
    write_figure(writer, view->process.resident_bytes);
}

static void write_descriptors(const struct metric_writer *writer, const struct metrics_view *view,
                              size_t index)
{
    (void)index;
    write_figure(writer, view->process.open_descriptors);
}

static void write_descriptors_maximum(const struct metric_writer *writer,
                                      const struct metrics_view *view, size_t index)
{
    (void)index;
    write_figure(writer, view->process.maximum_descriptors);
}

static void write_started(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    (void)index;
    metric_write_time(writer, METRIC_NO_LABELS, view->started);
}

// ---- the table ----

static const struct metric_family FAMILIES[] = {
    {"mailflow_probes_rejected_total", METRIC_COUNTER, "reason",
     "Messages that claim to be probes and were not taken for any.", count_reasons, write_rejected},
    {"mailflow_negative_latencies_total", METRIC_COUNTER, "",
     "Probes that arrived before they were sent, by the two clocks.", count_one, write_negative},
    {"mailflow_clock_synchronised", METRIC_GAUGE, "",
     "1 while the kernel says that somebody disciplines its clock.", count_one,
     write_clock_disciplined},
    {"mailflow_clock_kernel_error_seconds", METRIC_GAUGE, "",
     "How far that clock is off at most, as the kernel says; left out when nobody disciplines it.",
     count_one, write_clock_kernel_error},
    {"mailflow_windows_refused_total", METRIC_COUNTER, "",
     "Windows that peers announced and nobody should keep: of a server that is not in the mesh, "
     "ending before they begin, or too long.",
     count_one, write_windows_refused},
    {"mailflow_leg_duration_seconds", METRIC_HISTOGRAM, "leg",
     "How long the legs of probes took; transit is from the message data to the mailbox, visible "
     "how long an arrival may have lain there unseen.",
     count_legs, write_leg},
    {"mailflow_slot_slip_seconds", METRIC_HISTOGRAM, "",
     "How late slots of the cadence came, after they were due: what the agent lags behind.",
     count_one, write_slips},
    {"mailflow_imap_up", METRIC_GAUGE, "mailbox", "1 while the mailbox can be read.",
     count_mailboxes, write_up},
    {"mailflow_imap_last_collect_timestamp_seconds", METRIC_GAUGE, "mailbox",
     "When the mailbox was last read completely, 0 when it has not been.", count_mailboxes,
     write_collected},
    {"mailflow_imap_errors_total", METRIC_COUNTER, "mailbox",
     "How often the mailbox became unreadable.", count_mailboxes, write_imap_errors},
    {"mailflow_mailbox_foreign_messages", METRIC_GAUGE, "mailbox",
     "Messages in the mailbox that are not ours and are left alone.", count_mailboxes,
     write_foreign},
    {"mailflow_ledger_entries", METRIC_GAUGE, "", "Probes kept in the ledger.", count_one,
     write_entries},
    {"mailflow_ledger_bytes", METRIC_GAUGE, "", "Size of the ledger and its write-ahead log.",
     count_one, write_bytes},
    {"mailflow_ledger_commit_failures_total", METRIC_COUNTER, "",
     "Commits that the ledger could not take.", count_one, write_commit_failures},
    {"mailflow_workers_busy", METRIC_GAUGE, "", "Submit workers that have a job.", count_one,
     write_busy},
    {"mailflow_workers_waiting", METRIC_GAUGE, "", "Jobs that wait for a submit worker.", count_one,
     write_waiting},
    {"mailflow_workers_stuck", METRIC_GAUGE, "",
     "Submit workers killed at their deadline since the agent started.", count_one, write_stuck},
    {"mailflow_config_last_reload_successful", METRIC_GAUGE, "",
     "1 unless the last reload was refused.", count_one, write_reload},
    {"mailflow_build_info", METRIC_INFO, "version", "The version that runs.", count_one,
     write_build},
    {"mailflow_agent_info", METRIC_INFO, "server", "The server that this agent stands beside.",
     count_one, write_server},
    {"process_cpu_seconds_total", METRIC_COUNTER, "", "Processor time used, user and system.",
     count_one, write_cpu},
    {"process_resident_memory_bytes", METRIC_GAUGE, "", "Resident memory.", count_one,
     write_resident},
    {"process_open_fds", METRIC_GAUGE, "", "Open file descriptors.", count_one, write_descriptors},
    {"process_max_fds", METRIC_GAUGE, "", "Most file descriptors that may be open.", count_one,
     write_descriptors_maximum},
    {"process_start_time_seconds", METRIC_GAUGE, "", "When the process started.", count_one,
     write_started},
};

const struct metric_families METRICS_OF_AGENT = {FAMILIES, sizeof FAMILIES / sizeof FAMILIES[0]};
