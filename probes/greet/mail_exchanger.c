#include "probes/greet/mail_exchanger.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>

#include "base/text.h"

enum { ANSWER_SIZE = 8192, RETRANSMIT_SECONDS = 2, TRIES = 2 };

// Reads one record; false when it is no mail exchanger.
static bool read_exchanger(ns_msg *message, const ns_rr *record, unsigned *preference,
                           char host[PROBE_HOST_SIZE])
{
    if (ns_rr_type(*record) != ns_t_mx || ns_rr_rdlen(*record) < 3) {
        return false;
    }
    *preference = ns_get16(ns_rr_rdata(*record));
    return ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), ns_rr_rdata(*record) + 2,
                              host, PROBE_HOST_SIZE) >= 0;
}

// The host of the lowest preference, the first of equals; "" when there is none.
static void choose(const uint8_t *answer, int length, char out[PROBE_HOST_SIZE])
{
    ns_msg message;
    ns_rr record;
    unsigned best = UINT16_MAX + 1, preference;
    char host[PROBE_HOST_SIZE];
    out[0] = '\0';
    if (ns_initparse(answer, length, &message) != 0) {
        return;
    }
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        if (ns_parserr(&message, ns_s_an, i, &record) == 0 &&
            read_exchanger(&message, &record, &preference, host) && preference < best) {
            best = preference;
            text_copy(out, PROBE_HOST_SIZE, host);
        }
    }
}

bool mail_exchanger_find(const char *domain, char out[PROBE_HOST_SIZE], struct error *error)
{
    uint8_t answer[ANSWER_SIZE];
    struct __res_state resolver = {0};
    int length = -1;
    out[0] = '\0';
    if (res_ninit(&resolver) == 0) {
        resolver.retrans = RETRANSMIT_SECONDS;
        resolver.retry = TRIES;
        length = res_nquery(&resolver, domain, ns_c_in, ns_t_mx, answer, sizeof answer);
        res_nclose(&resolver);
    }
    if (length > 0 && length <= ANSWER_SIZE) {
        choose(answer, length, out);
    }
    if (out[0] == '.') {
        return error_set(error, "%s takes no mail (its MX is \".\")", domain);
    }
    return out[0] != '\0' || text_copy(out, PROBE_HOST_SIZE, domain);
}
