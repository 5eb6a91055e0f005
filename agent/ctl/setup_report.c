#include "ctl/setup_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/rights.h"
#include "base/text.h"
#include "config/syntax.h"
#include "ctl/client.h"
#include "ctl/invitation.h"
#include "ctl/paragraph.h"
#include "ctl/problems.h"
#include "ctl/report.h"

#define USUAL_CONFIG "/etc/mailflow/mailflow.yaml"

static void print_files(const struct setup *setup)
{
    puts("");
    for (size_t i = 0; i < setup->staging.count; i++) {
        const struct staged_file *file = &setup->staging.files[i];
        if (!file->kept) {
            printf("wrote %s/%s\n", setup->staging.folder, file->name);
        }
    }
}

static bool listens_to_others(const struct http_settings *http)
{
    char host[PROBE_HOST_SIZE];
    uint16_t port;
    bool others = false;
    for (size_t i = 0; i < http->listen_count && !others; i++) {
        host_port_split(http->listen[i], host, sizeof host, &port);
        others = !host_is_loopback(host);
    }
    return others;
}

// The peers are told a URL: somebody must answer there.
static void print_url(const struct http_settings *http)
{
    bool https = strncmp(http->url, "https://", strlen("https://")) == 0;
    bool answers = listens_to_others(http) && (!https || http->certificate_file[0] != '\0');
    if (listens_to_others(http)) {
        puts("");
        paragraph_say(
            "The agent listens on %s%s: let no one but the peers and your monitoring reach "
            "it (firewall). It gives no orders there, but shows the page and the metrics.",
            http->listen[0], http->listen_count > 1 ? " and others" : "");
    }
    if (http->url[0] == '\0' || answers) {
        return;
    }
    puts("");
    paragraph_say("The peers are told %s, where the agent does not answer by itself: a proxy must "
                  "take that URL and pass it on, or the agent needs an address that they reach "
                  "(--listen)%s.",
                  http->url, https ? " and a certificate (http.certificate_file)" : "");
}

// The folder of the control socket is the service's to make. Started by hand, the agent becomes the
// user whose state directory it is.
static void print_make_folder(const struct settings *settings)
{
    const char *control = settings->http.control, *slash = strrchr(control, '/');
    char folder[PATH_MAX] = "";
    struct text text = TEXT_OVER(folder);
    struct owner owner;
    text_append_bytes(&text, control, slash == NULL ? 0 : (size_t)(slash - control));
    if (folder[0] == '\0' || access(folder, F_OK) == 0) {
        return;
    }
    if (rights_find_owner(settings->state_dir, &owner) && owner.user != 0) {
        printf("    install -d -m 0750 -o %u -g %u %s\n", owner.user, owner.group, folder);
    } else {
        printf("    install -d -m 0750 %s\n", folder);
    }
}

// With what was said here of its place and its probers'.
static void print_start_by_hand(const struct command *command, const struct settings *settings)
{
    print_make_folder(settings);
    printf("    mailflowd --config %s", command->config);
    if (command_given(command, OPTION_PROBERS)) {
        printf(" --probers %s", command->probers);
    }
    puts("\n");
}

static void print_start(const struct setup *setup, const struct settings *settings)
{
    const struct command *command = setup->context->command;
    const char *when = setup->token != NULL ? "Then" : "Now";
    const char *anew = setup->replaces ? " anew" : "";
    if (strcmp(command->config, USUAL_CONFIG) != 0 || command_given(command, OPTION_PROBERS)) {
        printf("\n%s start the agent%s:\n\n", when, anew);
        print_start_by_hand(command, settings);
        return;
    }
    if (setup->plan.relay.password[0] != '\0') {
        puts("");
        paragraph_say("The service must be handed the relay's password, too: `systemctl edit "
                      "mailflowd`, and there");
        puts("\n    [Service]\n    LoadCredential=" PLAN_RELAY_PASSWORD
             ":/etc/mailflow/" PLAN_RELAY_PASSWORD);
    }
    printf("\n%s start the agent%s:\n\n    systemctl %s mailflowd\n\n", when, anew,
           setup->replaces ? "restart" : "enable --now");
}

static void print_probe(const struct setup *setup)
{
    if (setup->plan.peer_count > 0) {
        printf("and, when the other side knows this server, see that mail flows:\n\n"
               "    mailflowctl probe %s\n\n",
               setup->plan.peers[0].name);
    }
}

// The others first, where there are some: an agent that they do not know is refused.
static void print_next(const struct setup *setup, const struct settings *settings)
{
    if (setup->token != NULL) {
        puts("");
        introduction_print(settings);
    }
    print_start(setup, settings);
    print_probe(setup);
    if (setup->token == NULL) {
        invitation_print(settings);
    }
}

static json_t *written_to_json(const struct setup *setup)
{
    json_t *list = memory_checked(json_array());
    for (size_t i = 0; i < setup->staging.count; i++) {
        const struct staged_file *file = &setup->staging.files[i];
        if (!file->kept) {
            char path[PATH_MAX];
            struct text text = TEXT_OVER(path);
            text_format(&text, "%s/%s", setup->staging.folder, file->name);
            json_array_append_new(list, client_json_text(path));
        }
    }
    return list;
}

static void print_json(const struct setup *setup, const struct config_problems *problems,
                       const struct settings *settings)
{
    char invite[MESH_TOKEN_SIZE] = "", introduce[MESH_TOKEN_SIZE] = "";
    struct text invitation = TEXT_OVER(invite);
    struct text introduction = TEXT_OVER(introduce);
    if (settings != NULL) {
        invitation_compose(settings, true, &invitation);
        invitation_compose(settings, false, &introduction);
    }
    json_t *json = memory_checked(json_pack(
        "{s:o,s:O,s:o,s:s,s:s}", "written", written_to_json(setup), "live", setup->live, "problems",
        problems_to_json(problems), "invitation", invite, "introduction", introduce));
    report_json(setup->context, json);
    json_decref(json);
    explicit_bzero(invite, sizeof invite);
}

void setup_report_trials(const struct setup *setup)
{
    json_t *json = memory_checked(json_pack("{s:[],s:O}", "written", "live", setup->live));
    report_json(setup->context, json);
    json_decref(json);
}

// As `check` would find it.
int setup_conclude(const struct setup *setup)
{
    struct config_problems problems = {0};
    struct settings *settings = settings_load(setup->context->command->config, &problems);
    if (setup->live != NULL) {
        print_json(setup, &problems, settings);
    } else {
        print_files(setup);
        problems_print(&problems, stdout);
    }
    if (settings != NULL && setup->live == NULL) {
        problems_print_summary(settings, stdout);
        print_url(&settings->http);
        print_next(setup, settings);
    }
    bool good = settings != NULL;
    settings_destroy(settings);
    return good ? EXIT_DONE : EXIT_REFUSED;
}
