#include "ctl/setup.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "config/config.h"
#include "ctl/interrupt.h"
#include "ctl/live.h"
#include "ctl/paragraph.h"
#include "ctl/plan_questions.h"
#include "ctl/problems.h"
#include "ctl/prompt.h"
#include "ctl/report.h"
#include "ctl/setup_internal.h"

// ---- trying ----

// The draft's place is of no interest: what is named is where it would be.
static void name_place(const struct staging *staging, char *text)
{
    size_t folder = strlen(staging->folder), draft = strlen(staging->draft);
    for (char *at = text; (at = strstr(at, staging->draft)) != NULL; at += folder) {
        memmove(at + folder, at + draft, strlen(at + draft) + 1);
    }
}

static void print_problems(const struct setup *setup, struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        name_place(&setup->staging, problems->items[i].file);
        name_place(&setup->staging, problems->items[i].message);
    }
    problems_print(problems, stderr);
}

static bool try_live(const struct setup *setup, const struct settings *settings)
{
    const struct command *command = setup->context->command;
    struct live_options options = {
        .probers = command->probers,
        .patience = command->wait,
        .leave_nothing = true,
        .terminal = &setup->context->terminal,
        .results = setup->live,
    };
    if (command->setup.untested) {
        return true;
    }
    if (setup->live == NULL) {
        puts("");
        paragraph_say(
            "Trying it: logging in to the mailbox, sending a probe to ourselves, and asking "
            "the relay whether it takes mail to the peers ...");
    }
    return live_try(settings, &options).failed == 0;
}

enum trial { TRIAL_GOOD, TRIAL_FAILED, TRIAL_UNUSABLE };

static enum trial try_draft(struct setup *setup)
{
    struct config_problems problems = {0};
    char path[PATH_MAX];
    staging_draft(&setup->staging, setup_config_name(setup), path);
    struct settings *settings = settings_load(path, &problems);
    enum trial result = TRIAL_UNUSABLE;
    if (settings == NULL) {
        print_problems(setup, &problems);
    } else {
        result = try_live(setup, settings) ? TRIAL_GOOD : TRIAL_FAILED;
    }
    settings_destroy(settings);
    return result;
}

// ---- the way through ----

// The servers of the token are the peers, but for ourselves if we were in the mesh before.
static bool take_peers(struct setup *setup, struct error *error)
{
    struct plan *plan = &setup->plan;
    const struct mesh_token *token = setup->token;
    const char *address = plan->address[0] != '\0' ? plan->address : plan->imap.user;
    size_t given = setup->context->command->setup.peers.count;
    plan->peer_count = given;
    for (size_t i = 0; token != NULL && i < token->server_count; i++) {
        const struct mesh_server *server = &token->servers[i];
        bool ours = strcmp(server->name, plan->server) == 0;
        if (ours && !text_equal_ignoring_case(server->address, address)) {
            return error_set(error,
                             "a server '%s' is in the mesh already, with the address %s: "
                             "give this one another name (--server)",
                             server->name, server->address);
        }
        if (!ours && plan->peer_count < MESH_TOKEN_SERVERS_MAXIMUM) {
            plan->peers[plan->peer_count++] = *server;
        }
    }
    return token == NULL || plan->peer_count > given ||
           error_set(error, "the token tells of nobody but '%s', which is this server itself",
                     plan->server);
}

static bool check_complete(const struct setup *setup, struct error *error)
{
    const struct plan *plan = &setup->plan;
    if (plan->server[0] == '\0') {
        return error_set(error, "the host name is no server name: give one with --server");
    }
    return plan->imap.password[0] != '\0' || setup_has_secret(setup, PLAN_PASSWORD) ||
           error_set(error, "the mailbox's password is missing: give it with --password-file FILE, "
                            "or - to read it from standard input");
}

// The first letter of what is chosen; 'q' where there is nobody to ask. A slip of the finger must
// not throw away what has been answered.
static char ask_choice(const struct setup *setup, const char *question, const char *letters)
{
    char answer[16] = "change";
    bool told = setup->asking && !interrupt_noted() && prompt_ask(question, answer, sizeof answer);
    while (told && (answer[0] == '\0' || strchr(letters, answer[0]) == NULL)) {
        puts("That is none of these.");
        text_copy(answer, sizeof answer, "change");
        told = prompt_ask(question, answer, sizeof answer);
    }
    return told ? answer[0] : 'q';
}

// What to do about a trial that failed: true to write all the same, false to ask again or, without
// anybody to ask, to end.
static bool ask_what_now(const struct setup *setup, enum trial trial, bool *again)
{
    char choice =
        trial == TRIAL_FAILED
            ? ask_choice(setup,
                         "\nThat did not work. What now: change the answers, write them as they "
                         "are, or quit",
                         "cwq")
            : ask_choice(setup, "\nThat cannot be written. What now: change the answers, or quit",
                         "cq");
    *again = choice == 'c';
    return choice == 'w';
}

// One round: true when there is nothing more to ask, with the exit code.
static bool go_round(struct setup *setup, int *code)
{
    struct error error = {0};
    enum trial trial = TRIAL_UNUSABLE;
    bool again = false;
    bool write = false;
    if (!check_complete(setup, &error) || !take_peers(setup, &error) ||
        !setup_draft(setup, &error)) {
        report_failure(setup->context, EXIT_REFUSED, error.message);
    } else {
        trial = try_draft(setup);
        write = trial == TRIAL_GOOD && !interrupt_noted();
    }
    if (!write) {
        write = ask_what_now(setup, trial, &again);
    }
    if (write && staging_commit(&setup->staging, setup->context->command->force, &error)) {
        *code = setup_conclude(setup);
        return true;
    }
    staging_abandon(&setup->staging);
    if (!again && setup->live != NULL) {
        setup_report_trials(setup);
    }
    if (!again) {
        *code = report_failure(setup->context, EXIT_REFUSED,
                               write               ? error.message
                               : interrupt_noted() ? "interrupted: nothing has been written"
                                                   : "nothing has been written");
    }
    return !again;
}

static int go(struct setup *setup)
{
    int code = EXIT_REFUSED;
    struct plan_questions questions = {
        .command = setup->context->command,
        .token = setup->token,
        .has_password = setup_has_secret(setup, PLAN_PASSWORD),
    };
    do {
        if (setup->asking && !plan_ask(&setup->plan, &questions)) {
            return report_failure(setup->context, EXIT_REFUSED,
                                  "interrupted: nothing has been written");
        }
        questions.again = true;
    } while (!go_round(setup, &code));
    return code;
}

static int begin(struct setup *setup)
{
    const struct command *command = setup->context->command;
    struct error error = {0};
    setup->replaces = config_exists(command->config);
    if (command_given(command, OPTION_RELAY_PASSWORD_FILE) &&
        !command_given(command, OPTION_RELAY_USER)) {
        return report_failure(setup->context, EXIT_USAGE,
                              "--relay-password-file needs --relay-user");
    }
    if (setup->replaces && !command->force) {
        struct text text = TEXT_OVER(error.message);
        text_format(&text,
                    "%s is there: this server is set up. `mailflowctl check --live` tries it, "
                    "`mailflowctl invite` prints the line for the next server; --force sets it up "
                    "anew",
                    command->config);
        return report_failure(setup->context, EXIT_REFUSED, error.message);
    }
    plan_begin(&setup->plan);
    if (!plan_take_command(&setup->plan, command, &error)) {
        return report_failure(setup->context, EXIT_REFUSED, error.message);
    }
    if (!setup_choose_key(setup, &error)) {
        return report_failure(setup->context, EXIT_REFUSED, error.message);
    }
    return go(setup);
}

int setup_run(struct context *context, const struct mesh_token *token)
{
    struct setup *setup = memory_checked(calloc(1, sizeof *setup));
    const struct command *command = context->command;
    interrupt_hold();
    unsetenv("CREDENTIALS_DIRECTORY"); // a service's; here secrets stand beside the configuration
    setup->context = context;
    setup->token = token;
    setup->asking = prompt_possible() && !command->setup.yes && !command->json;
    setup->live = command->json ? memory_checked(json_array()) : NULL;
    int code = begin(setup);
    json_decref(setup->live);
    explicit_bzero(setup, sizeof *setup);
    free(setup);
    return code;
}
