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
    fputs("usage: mailflow-collect [--timeout 20s] [--renew 6h]\n"
          "Reads commands (JSON lines) from standard input until it ends.\n",
          stderr);
    return EXIT_FAILURE;
}

static bool read_options(int count, char **words, struct mailbox_spans *spans)
{
    bool good = count % 2 == 1;
    for (int i = 1; good && i < count; i += 2) {
        struct span *to = strcmp(words[i], "--timeout") == 0 ? &spans->timeout
                          : strcmp(words[i], "--renew") == 0 ? &spans->renew
                                                             : NULL;
        good = to != NULL && span_parse(words[i + 1], to) && to->ns > 0;
    }
    return good;
}

int main(int argc, char **argv)
{
    struct mailbox_spans spans = {.timeout = SPAN_SECONDS(20), .renew = SPAN_HOURS(6)};
    struct error error;
    prober_begin();
    if (!read_options(argc, argv, &spans)) {
        return usage();
    }
    resolve_warm_up();
    tls_warm_up();
    imap_session_prepare();
    if (!prober_confine(&LIMITS, &error)) {
        fprintf(stderr, "mailflow-collect: %s\n", error.message);
        return EXIT_FAILURE;
    }
    collector_run(&spans);
    return EXIT_SUCCESS;
}
