// mailflow-fetch: carries signed messages from agent to agent, and asks Alertmanager for its
// silences (HTTP, by libcurl).
//
// Jobs come in on standard input, one JSON object a line (probes/fetch.h), until it ends; for each,
// what came of it goes out as soon as it is there. Jobs run beside each other and share
// connections, so that a server that hangs holds up nobody else's. Lines that are no jobs are
// answered on standard error, and with an outcome where they have a number.
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/text.h"
#include "probes/fetch/silences.h"
#include "probes/fetch/transfer.h"
#include "probes/prober.h"
#include "probes/resolve.h"

enum {
    PATIENCE_MS = 60000,         // libcurl wakes us earlier when something is due
    RESOLVER_STACK = 256 * 1024, // bytes; several may be waiting for their servers
    CONNECTIONS_KEPT = 64,
};

static const struct prober_limits LIMITS = {.memory_bytes = 384u << 20, .descriptors = 1024};

// The line that is coming in. What is past the longest line is dropped but counted, so that the
// decoder refuses the line.
struct input {
    char line[JSON_LINE_MAXIMUM];
    size_t length;
    bool ended;
};

struct fetcher {
    CURLM *multi;
    unsigned running;
    struct input input;
};

static void say(const char *message)
{
    fprintf(stderr, "mailflow-fetch: %s\n", message);
}

// An agent that does not listen any more has no use for the rest either.
static void print_outcome(const struct fetch_outcome *outcome)
{
    if (!prober_write_line(fetch_outcome_encode(outcome))) {
        exit(EX_IOERR);
    }
}

static void refuse(int64_t number, const char *reason)
{
    struct fetch_outcome outcome = {.number = number, .ended = clock_now()};
    struct text cause = TEXT_OVER(outcome.cause);
    text_format(&cause, "job: %s", reason);
    say(outcome.cause);
    if (number > 0) {
        print_outcome(&outcome);
    }
}

static void serve_line(struct fetcher *fetcher, const char *line, size_t length)
{
    struct fetch_job job;
    struct error error;
    if (!fetch_job_decode(line, length, &job, &error)) {
        refuse(job.number, error.message);
    } else if (fetcher->running == FETCH_JOBS_MAXIMUM) {
        refuse(job.number, "there are too many at once");
    } else {
        transfer_begin(fetcher->multi, &job);
        fetcher->running++;
    }
}

static void take_byte(struct fetcher *fetcher, char byte)
{
    struct input *input = &fetcher->input;
    if (byte != '\n') {
        if (input->length < sizeof input->line) {
            input->line[input->length] = byte;
        }
        input->length++;
        return;
    }
    if (input->length > 0) {
        serve_line(fetcher, input->line, input->length);
    }
    input->length = 0;
}

static void take_input(struct fetcher *fetcher)
{
    char bytes[4096];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    for (ssize_t i = 0; i < count; i++) {
        take_byte(fetcher, bytes[i]);
    }
    if (count == 0) {
        fetcher->input.ended = true;
        take_byte(fetcher, '\n');
    }
}

// ---- what came of a job ----

static void print_exchange(struct transfer *transfer, struct fetch_outcome *outcome)
{
    const char *bytes = transfer_body(transfer, &outcome->body.length);
    if (bytes != NULL) {
        memcpy(outcome->body.bytes, bytes, outcome->body.length);
    }
    print_outcome(outcome);
}

static void print_silence_line(const struct silence_line *line)
{
    if (!prober_write_line(silence_line_encode(line))) {
        exit(EX_IOERR);
    }
}

static void print_silences(struct transfer *transfer, const struct fetch_outcome *outcome)
{
    struct silence_line last = {.kind = SILENCES_FAILED, .certificate = outcome->certificate};
    struct text message = TEXT_OVER(last.message);
    struct error error = {""};
    size_t length;
    const char *bytes = transfer_body(transfer, &length);
    if (outcome->status == 0) {
        text_append(&message, outcome->cause);
    } else if (outcome->status != 200) {
        text_format(&message, "it answers %d to GET %s", outcome->status,
                    transfer_job(transfer)->url);
    } else if (silences_read(bytes == NULL ? "" : bytes, length, transfer_job(transfer)->matcher,
                             print_silence_line, &error)) {
        last.kind = SILENCES_DONE;
    } else {
        text_format(&message, "what it answers is no list of silences: %s", error.message);
    }
    print_silence_line(&last);
}

static void finish(struct fetcher *fetcher, struct transfer *transfer, CURLcode result)
{
    struct fetch_outcome outcome;
    transfer_conclude(transfer, result, &outcome);
    if (transfer_job(transfer)->kind == FETCH_SILENCES) {
        print_silences(transfer, &outcome);
    } else {
        print_exchange(transfer, &outcome);
    }
    transfer_end(fetcher->multi, transfer);
    fetcher->running--;
}

static void finish_transfers(struct fetcher *fetcher)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            finish(fetcher, transfer_of(message->easy_handle), message->data.result);
        }
    }
}

// Until the input has ended and everything that came is answered.
static void serve(struct fetcher *fetcher)
{
    while (!fetcher->input.ended || fetcher->running > 0) {
        struct curl_waitfd input = {.fd = STDIN_FILENO, .events = CURL_WAIT_POLLIN};
        int running;
        curl_multi_perform(fetcher->multi, &running);
        finish_transfers(fetcher);
        unsigned more = fetcher->input.ended ? 0 : 1;
        if (more == 1 || fetcher->running > 0) {
            curl_multi_poll(fetcher->multi, &input, more, PATIENCE_MS, NULL);
        }
        if (input.revents != 0) {
            take_input(fetcher);
        }
    }
}

static bool warm_up(struct error *error)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, RESOLVER_STACK);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
    resolve_warm_up();
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ||
           error_set(error, "libcurl cannot be started");
}

int main(int count, char **arguments)
{
    prober_begin();
    struct error error;
    struct fetcher fetcher = {.running = 0};
    if (count > 1) {
        fprintf(stderr, "usage: %s < JOBS   (one JSON object a line)\n", arguments[0]);
        return EX_USAGE;
    }
    if (!warm_up(&error) || !prober_confine(&LIMITS, &error)) {
        say(error.message);
        return EX_SOFTWARE;
    }
    fetcher.multi = memory_checked(curl_multi_init()); // has descriptors of its own
    curl_multi_setopt(fetcher.multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    serve(&fetcher);
    curl_multi_cleanup(fetcher.multi);
    curl_global_cleanup();
    return EXIT_SUCCESS;
}
