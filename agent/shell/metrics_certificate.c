#include "shell/metrics_families.h"

static size_t count_endpoints(const struct metrics_view *view)
{
    return core_certificate_count(view->core);
}

// What was seen at the place of this index; NULL where nothing was, or no TLS is spoken.
static const struct certificate *certificate_at(const struct metrics_view *view, size_t index,
                                                struct metric_labels *labels)
{
    struct certificate_endpoint endpoint = core_certificate_endpoint(view->core, index);
    const struct certificate_sight *sight = core_certificate(view->core, &endpoint);
    *labels = (struct metric_labels){{{"place", certificate_place_name(endpoint.place)},
                                      {"name", core_certificate_name(view->core, &endpoint)}}};
    return sight == NULL ? NULL : &sight->certificate;
}

static void write_expiry(const struct metric_writer *writer, const struct metrics_view *view,
                         size_t index)
{
    struct metric_labels labels;
    const struct certificate *certificate = certificate_at(view, index, &labels);
    if (certificate != NULL) {
        metric_write_time(writer, &labels, certificate->expires);
    }
}

static void write_verified(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    struct metric_labels labels;
    struct certificate_endpoint endpoint = core_certificate_endpoint(view->core, index);
    const struct certificate *certificate = certificate_at(view, index, &labels);
    if (certificate != NULL && endpoint.place != CERTIFICATE_HTTP) { // that is for the others
        metric_write_count(writer, &labels, certificate->verified ? 1 : 0);
    }
}

static const struct metric_family FAMILIES[] = {
    {"mailflow_certificate_expiry_timestamp_seconds", METRIC_GAUGE, "place, name",
     "When the certificate that was shown last, or one that vouches for it, ends.", count_endpoints,
     write_expiry},
    {"mailflow_certificate_verified", METRIC_GAUGE, "place, name",
     "1 when that certificate verified: authority, name and dates.", count_endpoints,
     write_verified},
};

const struct metric_families METRICS_OF_CERTIFICATES = {FAMILIES,
                                                        sizeof FAMILIES / sizeof FAMILIES[0]};
