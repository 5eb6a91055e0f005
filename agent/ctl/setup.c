#include "ctl/setup.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "config/config.h"
#include "config/secret.h"
#include "ctl/interrupt.h"
#include "ctl/invitation.h"
#include "ctl/live.h"
#include "ctl/plan_questions.h"
#include "ctl/problems.h"
#include "ctl/prompt.h"
#include "ctl/report.h"
#include "ctl/staging.h"

#define USUAL_CONFIG "/etc/mailflow/mailflow.yaml"

struct setup {
    const struct context *context;
    const struct mesh_token *token;
    struct plan plan;
    struct staging staging;
    json_t *live; // NULL: printed
    bool asking;
};

static const char *config_name(const struct setup *setup)
{
    const char *slash = strrchr(setup->context->command->config, '/');
    return slash == NULL ? setup->context->command->config : slash + 1;
}

// ---- what is there already ----

enum kept { KEPT_NONE, KEPT_USABLE, KEPT_BROKEN };

// A secret beside the configuration; the reason when it is there and of no use.
static enum kept read_kept(const struct setup *setup, const char *name, struct secret *out,
                           struct error *error)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct text beside = TEXT_OVER(folder), place = TEXT_OVER(path);
    const char *config = setup->context->command->config;
    text_append_bytes(&beside, config, (size_t)(config_name(setup) - config));
    text_format(&place, "%s%s", folder, name);
    if (access(path, F_OK) != 0) {
        return KEPT_NONE;
    }
    return secret_read(name, folder, out, error) ? KEPT_USABLE : KEPT_BROKEN;
}

static bool has_kept(const struct setup *setup, const char *name)
{
    struct secret secret;
    struct error unused;
    bool has = read_kept(setup, name, &secret, &unused) != KEPT_NONE;
    explicit_bzero(&secret, sizeof secret);
    return has;
}

// The mesh key is never made anew where there is one: the other servers would not know us.
static void choose_key(struct setup *setup)
{
    struct secret secret;
    struct error unused;
    struct mesh_key *key = &setup->plan.key;
    if (setup->token != NULL) {
        *key = setup->token->key;
        return;
    }
    plan_make_key(&setup->plan);
    if (read_kept(setup, PLAN_MESH_KEY, &secret, &unused) == KEPT_USABLE &&
        secret.length <= MESH_KEY_SECRET_MAXIMUM) {
        memcpy(key->secret, secret.bytes, secret.length);
        key->secret_length = secret.length;
    }
    explicit_bzero(&secret, sizeof secret);
}

// ---- drafting ----

// Whether what lies there already is to stay: no other secret is wanted. False with an empty error
// when a draft is to take its place, and with the reason when none may.
static bool keeps_secret(const struct setup *setup, const char *name, const char *bytes,
                         size_t length, struct error *error)
{
    struct secret kept = {.length = 0};
    enum kept state = read_kept(setup, name, &kept, error);
    bool same = state == KEPT_USABLE &&
                (length == 0 || (kept.length == length && memcmp(kept.bytes, bytes, length) == 0));
    explicit_bzero(&kept, sizeof kept);
    if (same || state == KEPT_NONE || (setup->context->command->force && length > 0)) {
        error->message[0] = '\0';
    } else if (state == KEPT_USABLE) {
        error_set(error, "%s beside the configuration holds another secret: --force replaces it",
                  name);
    }
    return same;
}

static bool draft_secret(struct setup *setup, const char *name, const char *bytes, size_t length,
                         struct error *error)
{
    char line[PROBE_PASSWORD_SIZE + 1];
    if (keeps_secret(setup, name, bytes, length, error)) {
        return staging_keep(&setup->staging, name, error);
    }
    if (error->message[0] != '\0') {
        return false;
    }
    memcpy(line, bytes, length);
    line[length] = '\n';
    bool good = staging_write(&setup->staging, name, 0600, line, length + 1, error);
    explicit_bzero(line, sizeof line);
    return good;
}

static bool draft_config(struct setup *setup, struct error *error)
{
    char *yaml = NULL;
    size_t size;
    FILE *out = memory_checked(open_memstream(&yaml, &size));
    plan_print(&setup->plan, out);
    fclose(out);
    bool good = staging_write(&setup->staging, config_name(setup), 0644, yaml, size, error);
    free(yaml);
    return good;
}

// The configuration last: it is what a service waits for.
static bool draft(struct setup *setup, struct error *error)
{
    const struct plan *plan = &setup->plan;
    return staging_begin(&setup->staging, setup->context->command->config, error) &&
           draft_secret(setup, PLAN_MESH_KEY, (const char *)plan->key.secret,
                        plan->key.secret_length, error) &&
           draft_secret(setup, PLAN_PASSWORD, plan->imap.password, strlen(plan->imap.password),
                        error) &&
           (plan->relay.password[0] == '\0' ||
            draft_secret(setup, PLAN_RELAY_PASSWORD, plan->relay.password,
                         strlen(plan->relay.password), error)) &&
           draft_config(setup, error);
}

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
        .terminal = &setup->context->terminal,
        .results = setup->live,
    };
    if (command->setup.untested) {
        return true;
    }
    if (setup->live == NULL) {
        puts("\nTrying it: logging in to the mailbox, and sending a probe to ourselves ...");
    }
    return live_try(settings, &options).failed == 0;
}

enum trial { TRIAL_GOOD, TRIAL_FAILED, TRIAL_UNUSABLE };

static enum trial try_draft(struct setup *setup)
{
    struct config_problems problems = {0};
    char path[PATH_MAX];
    staging_draft(&setup->staging, config_name(setup), path);
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

// ---- telling ----

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

static void print_start(const struct setup *setup)
{
    const char *config = setup->context->command->config;
    if (strcmp(config, USUAL_CONFIG) != 0) {
        printf("\nNow start the agent:\n\n    mailflowd --config %s\n\n", config);
        return;
    }
    if (setup->plan.relay.password[0] != '\0') {
        puts("\nThe service must be handed the relay's password, too: `systemctl edit mailflowd`, "
             "and there\n\n    [Service]\n    LoadCredential=" PLAN_RELAY_PASSWORD
             ":/etc/mailflow/" PLAN_RELAY_PASSWORD);
    }
    puts("\nNow start the agent:\n\n    systemctl enable --now mailflowd\n");
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

static void print_trials(const struct setup *setup)
{
    json_t *json = memory_checked(json_pack("{s:[],s:O}", "written", "live", setup->live));
    report_json(setup->context, json);
    json_decref(json);
}

// As `check` would find it.
static int conclude(const struct setup *setup)
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
        print_start(setup);
        if (setup->token != NULL) {
            introduction_print(settings);
        } else {
            invitation_print(settings);
        }
    }
    bool good = settings != NULL;
    settings_destroy(settings);
    return good ? EXIT_DONE : EXIT_REFUSED;
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
    return plan->imap.password[0] != '\0' || has_kept(setup, PLAN_PASSWORD) ||
           error_set(error, "the mailbox's password is missing: give it with --password-file FILE, "
                            "or - to read it from standard input");
}

// What to do about a trial that failed: true to write all the same, false to ask again or, without
// anybody to ask, to end.
static bool ask_what_now(const struct setup *setup, enum trial trial, bool *again)
{
    char answer[16] = "change";
    *again = setup->asking && !interrupt_noted() &&
             prompt_ask(trial == TRIAL_FAILED
                            ? "\nThat did not work. What now: change the answers, write them as "
                              "they are, or quit"
                            : "\nThat cannot be written. What now: change the answers, or quit",
                        answer, sizeof answer);
    bool write = *again && trial == TRIAL_FAILED && answer[0] == 'w';
    *again = *again && !write && answer[0] == 'c';
    return write;
}

// One round: true when there is nothing more to ask, with the exit code.
static bool go_round(struct setup *setup, int *code)
{
    struct error error = {0};
    enum trial trial = TRIAL_UNUSABLE;
    bool again = false;
    bool write = false;
    if (!check_complete(setup, &error) || !take_peers(setup, &error) || !draft(setup, &error)) {
        report_failure(setup->context, EXIT_REFUSED, error.message);
    } else {
        trial = try_draft(setup);
        write = trial == TRIAL_GOOD && !interrupt_noted();
    }
    if (!write) {
        write = ask_what_now(setup, trial, &again);
    }
    if (write && staging_commit(&setup->staging, setup->context->command->force, &error)) {
        *code = conclude(setup);
        return true;
    }
    staging_abandon(&setup->staging);
    if (!again && setup->live != NULL) {
        print_trials(setup);
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
        .has_password = has_kept(setup, PLAN_PASSWORD),
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
    if (!command->force && access(command->config, F_OK) == 0) {
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
    choose_key(setup);
    const struct mesh_key *key = &setup->plan.key;
    if (!keeps_secret(setup, PLAN_MESH_KEY, (const char *)key->secret, key->secret_length,
                      &error) &&
        error.message[0] != '\0') {
        return report_failure(setup->context, EXIT_REFUSED, error.message);
    }
    return go(setup);
}

int setup_run(struct context *context, const struct mesh_token *token)
{
    struct setup *setup = memory_checked(calloc(1, sizeof *setup));
    const struct command *command = context->command;
    interrupt_hold();
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
