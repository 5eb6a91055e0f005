// mailflowd: puts the agent together, listens, and waits for signals. SIGTERM and SIGINT stop it,
// SIGHUP reads the configuration again.
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/rights.h"
#include "base/text.h"
#include "config/config.h"
#include "shell/agent.h"
#include "shell/http.h"
#include "shell/supervisor.h"
#include "version.h"

static const char DEFAULT_CONFIG[] = "/etc/mailflow/mailflow.yaml";

static const char USAGE[] =
    "usage: mailflowd [--config FILE] [--check-config] [--probers DIR]\n"
    "       mailflowd --version | --help\n"
    "\n"
    "  --config FILE    read this configuration (default /etc/mailflow/mailflow.yaml)\n"
    "  --check-config   say what is wrong with it, all of it, and end: 0 nothing, 1 something\n"
    "  --probers DIR    where mailflow-submit and its siblings are\n"
    "  --version        print the version and end\n"
    "  --help           print this text and end\n";

struct daemon {
    uv_loop_t loop;
    struct agent *agent;
    struct http *http;
    uv_signal_t terminate;
    uv_signal_t interrupt;
    uv_signal_t reload;
    uv_timer_t watchdog;
    bool broken;
};

// ---- options ----

struct options {
    struct agent_options agent;
    bool check_only;
};

// False when the program is to end at once, with `status`.
static bool read_options(int count, char **arguments, struct options *out, int *status)
{
    static const struct option LONG[] = {
        {"config", required_argument, NULL, 'c'},  {"check-config", no_argument, NULL, 'C'},
        {"probers", required_argument, NULL, 'p'}, {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    *out =
        (struct options){.agent = {.config_file = DEFAULT_CONFIG, .probers = MAILFLOW_LIBEXECDIR}};
    *status = EXIT_SUCCESS;
    for (int option; (option = getopt_long(count, arguments, "", LONG, NULL)) != -1;) {
        switch (option) {
        case 'c':
            out->agent.config_file = optarg;
            break;
        case 'C':
            out->check_only = true;
            break;
        case 'p':
            out->agent.probers = optarg;
            break;
        case 'V':
            puts("mailflowd " MAILFLOW_VERSION);
            return false;
        case 'h':
            fputs(USAGE, stdout);
            return false;
        default:
            fputs(USAGE, stderr);
            *status = 2;
            return false;
        }
    }
    if (optind < count) {
        fprintf(stderr, "mailflowd: unexpected argument '%s'\n%s", arguments[optind], USAGE);
        *status = 2;
        return false;
    }
    return true;
}

// The settings, or NULL with every problem on stderr.
static struct settings *load(const char *file)
{
    struct config_problems problems = {0};
    struct settings *settings = settings_load(file, &problems);
    for (size_t i = 0; i < problems.count; i++) {
        char line[1024];
        struct text text = TEXT_OVER(line);
        config_problem_format(&problems.items[i], &text);
        fprintf(stderr, "%s\n", line);
    }
    if (problems.errors > problems.count) {
        fprintf(stderr, "... %zu errors in all\n", problems.errors);
    }
    return settings;
}

// ---- signals and the watchdog ----

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle) && handle->type == UV_SIGNAL) {
        uv_close(handle, NULL);
    }
}

static void stop(struct daemon *daemon)
{
    supervisor_tell("STOPPING=1");
    uv_walk(&daemon->loop, close_handle, NULL);
    uv_close((uv_handle_t *)&daemon->watchdog, NULL);
    http_destroy(daemon->http);
    agent_destroy(daemon->agent);
}

static void on_stop(uv_signal_t *signal, int number)
{
    (void)number;
    stop(signal->data);
}

// The supervisor starts us again, and the ledger is kept aside then.
static void on_broken(void *context)
{
    struct daemon *daemon = context;
    daemon->broken = true;
    stop(daemon);
}

static void on_reload(uv_signal_t *signal, int number)
{
    struct daemon *daemon = signal->data;
    (void)number;
    struct config_problems problems = {0};
    agent_reload(daemon->agent, &problems);
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    supervisor_tell("WATCHDOG=1");
}

static void start_signal(struct daemon *daemon, uv_signal_t *handle, uv_signal_cb callback,
                         int number)
{
    uv_signal_init(&daemon->loop, handle);
    handle->data = daemon;
    uv_signal_start(handle, callback, number);
}

static void start_watchdog(struct daemon *daemon)
{
    struct span patience;
    uv_timer_init(&daemon->loop, &daemon->watchdog);
    if (supervisor_watches(&patience)) {
        uint64_t ms = (uint64_t)(patience.ns / 2000000);
        uv_timer_start(&daemon->watchdog, on_watchdog, ms, ms);
    }
}

// ---- main ----

static bool take_over_addresses(void *context, const struct settings *settings, struct error *error)
{
    return http_reconfigure(context, settings, error);
}

// Started as root it has read its secrets by now, and goes on as the user whose ledger it is.
static bool drop_rights(struct settings *settings, struct error *error)
{
    if (rights_become_owner(settings->state_dir, error) && rights_drop(error)) {
        return true;
    }
    settings_destroy(settings);
    return false;
}

static bool start(struct daemon *daemon, const struct agent_options *options,
                  struct settings *settings, struct error *error)
{
    if (!drop_rights(settings, error)) {
        return false;
    }
    daemon->agent = agent_create(&daemon->loop, options, settings, error);
    if (daemon->agent == NULL) {
        return false;
    }
    daemon->http = http_create(&daemon->loop, settings, daemon->agent, error);
    if (daemon->http == NULL) {
        agent_destroy(daemon->agent);
        return false;
    }
    start_signal(daemon, &daemon->terminate, on_stop, SIGTERM);
    start_signal(daemon, &daemon->interrupt, on_stop, SIGINT);
    start_signal(daemon, &daemon->reload, on_reload, SIGHUP);
    struct agent_listener listener = {take_over_addresses, daemon->http};
    agent_set_listener(daemon->agent, &listener); // says STARTED: then signals may come
    start_watchdog(daemon);
    return true;
}

int main(int count, char **arguments)
{
    struct options options;
    int status;
    if (!read_options(count, arguments, &options, &status)) {
        return status;
    }
    struct error error;
    signal(SIGPIPE, SIG_IGN);
    if (!rights_hide(&error)) {
        fprintf(stderr, "mailflowd: %s\n", error.message);
        return EXIT_FAILURE;
    }
    struct settings *settings = load(options.agent.config_file);
    if (settings == NULL || options.check_only) {
        settings_destroy(settings);
        return settings == NULL ? EXIT_FAILURE : EXIT_SUCCESS;
    }

    struct daemon daemon = {.broken = false};
    int failed = uv_loop_init(&daemon.loop);
    if (failed != 0) {
        fprintf(stderr, "mailflowd: cannot begin to work: %s\n", uv_strerror(failed));
        settings_destroy(settings);
        return EXIT_FAILURE;
    }
    options.agent.broken = on_broken;
    options.agent.context = &daemon;
    bool started = start(&daemon, &options.agent, settings, &error);
    if (started) {
        malloc_trim(0); // what the start took
        supervisor_tell("READY=1");
    } else {
        fprintf(stderr, "mailflowd: %s\n", error.message);
    }
    uv_run(&daemon.loop, UV_RUN_DEFAULT);
    uv_loop_close(&daemon.loop);
    return started && !daemon.broken ? EXIT_SUCCESS : EXIT_FAILURE;
}
