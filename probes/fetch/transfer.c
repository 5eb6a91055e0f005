#include "probes/fetch/transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "probes/silence.h"
#include "probes/tls.h"

enum {
    HEADERS_MAXIMUM = 16 * 1024, // bytes, all of a reply's
    BUFFER_BYTES = 16 * 1024,
    CHAIN_MAXIMUM = 10, // certificates that are looked at
};

struct transfer {
    CURL *easy;
    struct curl_slist *headers;
    struct fetch_job job;
    struct instant begun;
    char signature[TAG_SIGNATURE_SIZE]; // of the reply
    char *body;                         // of the reply, grows up to
    size_t length;
    size_t room;
    size_t maximum;
    size_t header_bytes;
    const char *broken; // why we broke it off, NULL when we did not
    char detail[CURL_ERROR_SIZE];
};

// ---- what comes in ----

static size_t on_body(char *bytes, size_t one, size_t count, void *context)
{
    struct transfer *transfer = context;
    (void)one;
    if (count > transfer->maximum - transfer->length) {
        transfer->broken = transfer->job.kind == FETCH_SILENCES
                               ? "the answer is larger than 1 MiB: let Alertmanager forget "
                                 "expired silences sooner (--data.retention)"
                               : "the reply is larger than an exchange may be";
        return CURL_WRITEFUNC_ERROR;
    }
    if (count > transfer->room - transfer->length) {
        transfer->room = 2 * transfer->room + count;
        transfer->body = memory_checked(realloc(transfer->body, transfer->room));
    }
    memcpy(transfer->body + transfer->length, bytes, count);
    transfer->length += count;
    return count;
}

// Copies the value of "Name: value CR LF", or leaves it empty when it is too long for a signature.
static void take_signature(struct transfer *transfer, const char *line, size_t length)
{
    static const char NAME[] = FETCH_SIGNATURE_HEADER ":";
    if (length <= strlen(NAME) || strncasecmp(line, NAME, strlen(NAME)) != 0) {
        return;
    }
    const char *value = line + strlen(NAME);
    length -= strlen(NAME);
    while (length > 0 && strchr(" \t", *value) != NULL) {
        value++;
        length--;
    }
    while (length > 0 && strchr(" \t\r\n", value[length - 1]) != NULL) {
        length--;
    }
    struct text signature = TEXT_OVER(transfer->signature);
    if (length < sizeof transfer->signature) {
        text_append_bytes(&signature, value, length);
    }
}

static size_t on_header(char *bytes, size_t one, size_t count, void *context)
{
    struct transfer *transfer = context;
    (void)one;
    transfer->header_bytes += count;
    if (transfer->header_bytes > HEADERS_MAXIMUM) {
        transfer->broken = "the headers of the reply do not end";
        return CURL_WRITEFUNC_ERROR;
    }
    take_signature(transfer, bytes, count);
    return count;
}

// ---- what goes out ----

static void add_header(struct transfer *transfer, const char *line)
{
    transfer->headers = memory_checked(curl_slist_append(transfer->headers, line));
}

static void add_headers(struct transfer *transfer)
{
    char line[sizeof FETCH_SIGNATURE_HEADER + TAG_SIGNATURE_SIZE + 2];
    struct text signature = TEXT_OVER(line);
    add_header(transfer, "Accept: application/json, application/problem+json");
    if (transfer->job.kind == FETCH_EXCHANGE) {
        text_format(&signature, "%s: %s", FETCH_SIGNATURE_HEADER, transfer->job.signature);
        add_header(transfer, "Content-Type: application/json");
        add_header(transfer, "Expect:");
        add_header(transfer, line);
    }
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_where(const struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_URL, transfer->job.url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    // So that a certificate that has been replaced is noticed.
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, 3600L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mailflow-fetch");
    if (transfer->job.ca_file[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_CAINFO, transfer->job.ca_file);
    }
}

static void set_bounds(const struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    int64_t left = instant_since(transfer->job.deadline, transfer->begun).ns / 1000000;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(left < 1 ? 1 : left));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // Else the end of a transfer would wait for the resolver's thread, which waits for its servers.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
}

static void set_content(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    if (transfer->job.kind == FETCH_EXCHANGE) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)transfer->job.body.length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->job.body.bytes);
    }
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
}

struct transfer *transfer_begin(CURLM *multi, const struct fetch_job *job)
{
    struct transfer *transfer = memory_checked(calloc(1, sizeof *transfer));
    transfer->job = *job;
    transfer->maximum = job->kind == FETCH_SILENCES ? SILENCES_MAXIMUM : FETCH_BODY_MAXIMUM;
    transfer->begun = clock_now().instant;
    transfer->easy = memory_checked(curl_easy_init());
    set_where(transfer);
    set_bounds(transfer);
    set_content(transfer);
    add_headers(transfer);
    curl_multi_add_handle(multi, transfer->easy);
    return transfer;
}

struct transfer *transfer_of(CURL *easy)
{
    struct transfer *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    return transfer;
}

// ---- why nothing came ----

static void explain_timeout(const struct transfer *transfer, struct instant ended, struct text *out)
{
    curl_off_t resolved = 0, connected = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
    curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    bool tls = strncmp(transfer->job.url, "https:", strlen("https:")) == 0;
    const char *missing = resolved == 0           ? "no answer from the resolver"
                          : connected == 0 && tls ? "no TLS connection"
                          : connected == 0        ? "no connection"
                                                  : "no complete reply";
    double took = span_seconds(instant_since(ended, transfer->begun));
    text_format(out, "%s within %.1f s", missing, took);
}

static void explain_connect(const struct transfer *transfer, struct text *out)
{
    long number = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
    text_format(out, "cannot connect: %s", number != 0 ? strerror((int)number) : transfer->detail);
}

static void explain(const struct transfer *transfer, CURLcode result, struct instant ended,
                    struct text *out)
{
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
        explain_timeout(transfer, ended, out);
        break;
    case CURLE_COULDNT_CONNECT:
        explain_connect(transfer, out);
        break;
    case CURLE_GOT_NOTHING:
        text_append(out, "the connection was closed without a reply");
        break;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        text_format(out, "TLS: %s", transfer->detail);
        break;
    case CURLE_SSL_CACERT_BADFILE:
        text_format(out, "TLS: cannot use ca_file %s", transfer->job.ca_file);
        break;
    default:
        text_append(out, transfer->broken != NULL      ? transfer->broken
                         : transfer->detail[0] != '\0' ? transfer->detail
                                                       : curl_easy_strerror(result));
        break;
    }
}

const struct fetch_job *transfer_job(const struct transfer *transfer)
{
    return &transfer->job;
}

const char *transfer_body(const struct transfer *transfer, size_t *length)
{
    *length = transfer->length;
    return transfer->body;
}

static const char *find_pem(const struct curl_slist *at)
{
    static const char NAME[] = "Cert:";
    for (; at != NULL; at = at->next) {
        if (strncmp(at->data, NAME, strlen(NAME)) == 0) {
            return at->data + strlen(NAME);
        }
    }
    return NULL;
}

// Known only of a connection that was made for this job.
static void take_certificate(const struct transfer *transfer, CURLcode result,
                             struct certificate *out)
{
    const char *pems[CHAIN_MAXIMUM], *pem;
    size_t count = 0;
    struct curl_certinfo *chain = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_CERTINFO, &chain);
    int shown = chain == NULL ? 0 : chain->num_of_certs;
    for (int i = 0; i < shown && i < CHAIN_MAXIMUM; i++) {
        if ((pem = find_pem(chain->certinfo[i])) != NULL) {
            pems[count++] = pem;
        }
    }
    if (count > 0) {
        tls_read_chain(pems, count, transfer->job.ca_file, out);
    }
    out->verified = result != CURLE_PEER_FAILED_VERIFICATION && result != CURLE_SSL_CONNECT_ERROR;
}

void transfer_conclude(struct transfer *transfer, CURLcode result, struct fetch_outcome *outcome)
{
    *outcome = (struct fetch_outcome){.number = transfer->job.number, .ended = clock_now()};
    take_certificate(transfer, result, &outcome->certificate);
    if (result == CURLE_OK) {
        long status = 0;
        curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
        outcome->status = (int)status;
        text_copy(outcome->signature, sizeof outcome->signature, transfer->signature);
    } else {
        struct text cause = TEXT_OVER(outcome->cause);
        explain(transfer, result, outcome->ended.instant, &cause);
        transfer->length = 0; // half a body is none
    }
}

void transfer_end(CURLM *multi, struct transfer *transfer)
{
    curl_multi_remove_handle(multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    free(transfer->body);
    free(transfer);
}
