// What this process costs, for the process_* metrics that every exporter has.
#ifndef MAILFLOW_SHELL_PROCESS_FIGURES_H
#define MAILFLOW_SHELL_PROCESS_FIGURES_H

#include <stdint.h>

struct process_figures {
    double cpu_seconds; // user and system
    uint64_t resident_bytes;
    uint64_t open_descriptors;
    uint64_t maximum_descriptors;
};

// What the kernel does not tell is 0.
struct process_figures process_figures_read(void);

#endif
