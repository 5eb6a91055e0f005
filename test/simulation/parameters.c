#include "simulation/parameters.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum form { FORM_SPAN, FORM_COUNT };

static const struct parameter {
    const char *name;
    enum form form;
    size_t offset;
} PARAMETERS[] = {
    {"interval", FORM_SPAN, offsetof(struct parameters, path.interval)},
    {"warning", FORM_SPAN, offsetof(struct parameters, path.latency.warning)},
    {"critical", FORM_SPAN, offsetof(struct parameters, path.latency.critical)},
    {"thin_after", FORM_COUNT, offsetof(struct parameters, path.thin_after)},
    {"thin_interval", FORM_SPAN, offsetof(struct parameters, path.thin_interval)},
    {"queue_lifetime", FORM_SPAN, offsetof(struct parameters, path.queue_lifetime)},
    {"settle", FORM_SPAN, offsetof(struct parameters, maintenance.settle)},
    {"recovery", FORM_SPAN, offsetof(struct parameters, maintenance.recovery)},
    {"hold", FORM_SPAN, offsetof(struct parameters, incidents.hold)},
    {"reminder", FORM_SPAN, offsetof(struct parameters, incidents.reminder)},
    {"blind_after", FORM_SPAN, offsetof(struct parameters, incidents.blind_after)},
    {"isolated_after", FORM_SPAN, offsetof(struct parameters, incidents.isolated_after)},
    {"refused_after", FORM_COUNT, offsetof(struct parameters, incidents.refused_after)},
    {"slow_late", FORM_COUNT, offsetof(struct parameters, incidents.slow_late)},
    {"slow_of", FORM_COUNT, offsetof(struct parameters, incidents.slow_of)},
    {"rerouted_after", FORM_COUNT, offsetof(struct parameters, incidents.rerouted_after)},
    {"close_after", FORM_COUNT, offsetof(struct parameters, incidents.close_after)},
    {"certificate_expires", FORM_SPAN, offsetof(struct parameters, incidents.certificate_expires)},
    {"retention", FORM_SPAN, offsetof(struct parameters, retention)},
    {"submit", FORM_SPAN, offsetof(struct parameters, submit)},
    {"lag", FORM_SPAN, offsetof(struct parameters, lag)},
    {"width", FORM_SPAN, offsetof(struct parameters, width)},
    {"collect", FORM_SPAN, offsetof(struct parameters, collect)},
    {"retry_first", FORM_SPAN, offsetof(struct parameters, retry_first)},
    {"retry_last", FORM_SPAN, offsetof(struct parameters, retry_last)},
    {"queue_run", FORM_SPAN, offsetof(struct parameters, queue_run)},
    {"warn_after", FORM_SPAN, offsetof(struct parameters, warn_after)},
    {"restart", FORM_SPAN, offsetof(struct parameters, restart)},
    {"acknowledgements", FORM_COUNT, offsetof(struct parameters, acknowledgements)},
    {"saved", FORM_COUNT, offsetof(struct parameters, saved)},
};

struct parameters parameters_default(void)
{
    return (struct parameters){
        .path =
            {
                .interval = SPAN_SECONDS(60),
                .latency = {.warning = SPAN_SECONDS(60), .critical = SPAN_MINUTES(5)},
                .thin_after = 8,
                .thin_interval = SPAN_MINUTES(15),
                .queue_lifetime = SPAN_HOURS(5 * 24 + 12),
            },
        .maintenance = {.settle = SPAN_MINUTES(5), .recovery = SPAN_SECONDS(4900)},
        .incidents =
            {
                .reminder = SPAN_HOURS(4),
                .blind_after = SPAN_MINUTES(2),
                .isolated_after = SPAN_MINUTES(2),
                .refused_after = 3,
                .slow_late = 3,
                .slow_of = 5,
                .rerouted_after = 3,
                .close_after = 2,
                .certificate_expires = SPAN_HOURS(14 * 24),
            },
        .retention = SPAN_HOURS(30 * 24),
        .submit = SPAN_MS(20),
        .lag = SPAN_MS(50),
        .width = SPAN_MS(100),
        .collect = SPAN_SECONDS(30),
        .retry_first = SPAN_SECONDS(300),
        .retry_last = SPAN_SECONDS(4000),
        .queue_run = SPAN_SECONDS(300),
        .restart = SPAN_SECONDS(5),
        .saved = 1,
    };
}

static bool set_count(uint32_t *to, const char *value)
{
    char *end;
    unsigned long number = strtoul(value, &end, 10);
    *to = (uint32_t)number;
    return isdigit((unsigned char)*value) && *end == '\0' && number <= UINT32_MAX;
}

bool parameters_set(struct parameters *parameters, const char *name, const char *value,
                    struct error *error)
{
    for (size_t i = 0; i < sizeof PARAMETERS / sizeof PARAMETERS[0]; i++) {
        const struct parameter *parameter = &PARAMETERS[i];
        void *to = (char *)parameters + parameter->offset;
        if (strcmp(name, parameter->name) == 0) {
            bool good = parameter->form == FORM_SPAN ? span_parse(value, to) : set_count(to, value);
            return good || error_set(error, "%s cannot be %s", name, value);
        }
    }
    return error_set(error, "no number is called %s", name);
}
