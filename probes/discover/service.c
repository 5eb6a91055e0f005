#include "probes/discover/service.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_SIZE = 65536, RETRANSMIT_SECONDS = 2, TRIES = 2, FIXED = 6 }; // of a record's data

static uint8_t answer[ANSWER_SIZE];

// What it is to be put into other texts later is checked here, once.
static bool is_host(const char *name)
{
    return name[0] != '\0' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789-_.")] == '\0';
}

// False when it is an SRV record that cannot be read. What is none is passed over, and so is the
// lone "." that says that there is no such service.
static bool take_record(ns_msg *message, const ns_rr *record, struct service_server *out,
                        size_t *count, struct error *error)
{
    struct service_server server;
    const uint8_t *data = ns_rr_rdata(*record);
    if (ns_rr_type(*record) != ns_t_srv) {
        return true;
    }
    if (ns_rr_rdlen(*record) <= FIXED ||
        ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), data + FIXED, server.host,
                           sizeof server.host) < 0) {
        return error_set(error, "an SRV record in the answer is malformed");
    }
    server.port = (uint16_t)ns_get16(data + FIXED - 2);
    if (strcmp(server.host, ".") == 0) {
        return true;
    }
    if (!is_host(server.host)) {
        return error_set(error, "an SRV record names '%s', which is no host", server.host);
    }
    if (*count == SERVICE_SERVERS_MAXIMUM) {
        return error_set(error, "more than %d SRV records", SERVICE_SERVERS_MAXIMUM);
    }
    out[(*count)++] = server;
    return true;
}

static int compare(const void *left, const void *right)
{
    const struct service_server *a = left;
    const struct service_server *b = right;
    int order = strcmp(a->host, b->host);
    return order != 0 ? order : a->port - b->port;
}

// One host of several priorities is one server.
static size_t drop_repeated(struct service_server *servers, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || compare(&servers[kept - 1], &servers[i]) != 0) {
            servers[kept++] = servers[i];
        }
    }
    return kept;
}

static bool read_answer(int length, struct service_server *out, size_t *count, struct error *error)
{
    ns_msg message;
    ns_rr record;
    if (length > ANSWER_SIZE || ns_initparse(answer, length, &message) != 0) {
        return error_set(error, "the answer is malformed");
    }
    if (ns_msg_getflag(message, ns_f_tc)) {
        return error_set(error, "the answer is truncated");
    }
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        if (ns_parserr(&message, ns_s_an, i, &record) != 0) {
            return error_set(error, "record %d of the answer is malformed", i + 1);
        }
        if (!take_record(&message, &record, out, count, error)) {
            return false;
        }
    }
    qsort(out, *count, sizeof *out, compare);
    *count = drop_repeated(out, *count);
    return *count > 0 || error_set(error, "the answer lists no server");
}

static const char *why(int failure)
{
    switch (failure) {
    case HOST_NOT_FOUND:
        return "the name does not exist (NXDOMAIN)";
    case NO_DATA:
        return "the name has no SRV records";
    case TRY_AGAIN:
        return "no name server has an answer (SERVFAIL, or none at all)";
    default:
        return "the name servers refuse to answer";
    }
}

bool service_find(const char *name, struct service_server *out, size_t *count, struct error *error)
{
    struct __res_state resolver = {0};
    *count = 0;
    if (res_ninit(&resolver) != 0) {
        return error_set(error, "the resolver cannot be set up");
    }
    resolver.retrans = RETRANSMIT_SECONDS;
    resolver.retry = TRIES;
    int length = res_nquery(&resolver, name, ns_c_in, ns_t_srv, answer, sizeof answer);
    int failure = resolver.res_h_errno;
    res_nclose(&resolver);
    return length > 0 ? read_answer(length, out, count, error)
                      : error_set(error, "%s", why(failure));
}
