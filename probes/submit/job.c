#include "probes/submit/job.h"

#include <string.h>

#define RESERVE SPAN_MS(250) // for telling

struct instant job_deadline(const struct submit_job *job)
{
    return instant_add(job->deadline, (struct span){-RESERVE.ns});
}

bool job_shares_relay(const struct submit_job *job, const struct submit_job *other)
{
    const struct probe_endpoint *one = &job->relay, *two = &other->relay;
    return strcmp(one->host, two->host) == 0 && one->port == two->port && one->tls == two->tls &&
           strcmp(one->ca_file, two->ca_file) == 0 && strcmp(one->user, two->user) == 0 &&
           strcmp(one->password, two->password) == 0 && one->oauth == two->oauth &&
           strcmp(one->token, two->token) == 0 && strcmp(job->ehlo, other->ehlo) == 0;
}
