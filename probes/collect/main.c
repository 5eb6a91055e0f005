// mailflow-collect: watches IMAP mailboxes for probes. Commands come in as JSON lines on standard
// input, reports go out as JSON lines on standard output; see probes/probe.h. It ends when standard
// input does.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "probes/collect/collector.h"
#include "probes/collect/imap_session.h"
#include "probes/prober.h"
#include "probes/resolve.h"
#include "probes/tls.h"

static const struct prober_limits LIMITS = {.memory_bytes = 512 * 1024 * 1024, .descriptors = 256};

static int usage(void)
{
    fputs("usage: mailflow-collect [--timeout 20s]\n"
          "Reads commands (JSON lines) from standard input until it ends.\n",
          stderr);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct span timeout = SPAN_SECONDS(20);
    struct error error;
    prober_begin();
    if (argc != 1 && (argc != 3 || strcmp(argv[1], "--timeout") != 0 ||
                      !span_parse(argv[2], &timeout) || timeout.ns <= 0)) {
        return usage();
    }
    resolve_warm_up();
    tls_warm_up();
    imap_session_prepare();
    if (!prober_confine(&LIMITS, &error)) {
        fprintf(stderr, "mailflow-collect: %s\n", error.message);
        return EXIT_FAILURE;
    }
    collector_run(timeout);
    return EXIT_SUCCESS;
}
