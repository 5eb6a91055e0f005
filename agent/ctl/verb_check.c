#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "ctl/interrupt.h"
#include "ctl/live.h"
#include "ctl/problems.h"
#include "ctl/report.h"
#include "ctl/verb.h"

// The configuration in force as a text of YAML, null where there is none.
static json_t *effective_to_json(const struct settings *settings)
{
    char *yaml = NULL;
    size_t size;
    if (settings == NULL) {
        return json_null();
    }
    FILE *out = memory_checked(open_memstream(&yaml, &size));
    settings_print_effective(settings, out);
    fclose(out);
    json_t *text = client_json_text(yaml);
    free(yaml);
    return text;
}

static void print_json(const struct context *context, const struct config_problems *problems,
                       const struct settings *settings, json_t *live)
{
    json_t *json = problems_to_json(problems);
    if (context->command->effective) {
        json = memory_checked(
            json_pack("{s:o,s:o}", "problems", json, "effective", effective_to_json(settings)));
    } else if (context->command->live) {
        json = memory_checked(json_pack("{s:o,s:o}", "problems", json, "live", live));
    }
    report_json(context, json);
    json_decref(json);
}

static void print_text(const struct context *context, const struct config_problems *problems,
                       const struct settings *settings)
{
    bool effective = context->command->effective && settings != NULL;
    problems_print(problems, effective ? stderr : stdout);
    if (effective) {
        settings_print_effective(settings, stdout);
    } else if (settings != NULL) {
        problems_print_summary(settings, stdout);
    }
}

// Whether everything that was tried went well.
static bool try_live(const struct context *context, const struct settings *settings,
                     json_t *results)
{
    struct live_options options = {
        .probers = context->command->probers,
        .patience = context->command->wait,
        .peers = true,
        .terminal = &context->terminal,
        .results = results,
    };
    interrupt_hold();
    struct live_count count = live_try(settings, &options);
    if (interrupt_noted()) {
        fputs("mailflowctl: interrupted\n", stderr);
        return false;
    }
    return count.failed == 0;
}

int verb_check(struct context *context)
{
    struct config_problems problems = {0};
    const struct command *command = context->command;
    if (command->live && command->effective) {
        return report_failure(context, EXIT_USAGE, "check takes --live or --effective, not both");
    }
    struct settings *settings = settings_load(command->config, &problems);
    bool good = settings != NULL;
    json_t *live = command->live ? memory_checked(json_array()) : NULL;
    if (!command->json) {
        print_text(context, &problems, settings);
        fflush(stdout);
    }
    if (good && command->live) {
        good = try_live(context, settings, command->json ? live : NULL);
    }
    if (command->json) {
        print_json(context, &problems, settings, json_incref(live));
    }
    json_decref(live);
    settings_destroy(settings);
    return good ? EXIT_DONE : EXIT_REFUSED;
}
