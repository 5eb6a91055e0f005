// join and invite: a mesh grows by one line of text each way.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "config/config.h"
#include "ctl/control_socket.h"
#include "ctl/interrupt.h"
#include "ctl/invitation.h"
#include "ctl/plan.h"
#include "ctl/problems.h"
#include "ctl/prompt.h"
#include "ctl/report.h"
#include "ctl/setup.h"
#include "ctl/staging.h"

// The servers of a token, sorted out.
struct joining {
    const struct context *context;
    const struct settings *settings;
    const struct mesh_server *added[MESH_TOKEN_SERVERS_MAXIMUM];
    size_t added_count;
    size_t known_count;
};

static void sort_out(struct joining *joining, const struct mesh_token *token)
{
    for (size_t i = 0; i < token->server_count; i++) {
        const struct mesh_server *server = &token->servers[i];
        if (strcmp(server->name, joining->settings->server) == 0) {
            continue;
        }
        if (settings_find_peer(joining->settings, server->name) >= 0) {
            joining->known_count++;
        } else {
            joining->added[joining->added_count++] = server;
        }
    }
}

static bool draft_peer(struct staging *staging, const struct mesh_server *server,
                       struct error *error)
{
    char name[STAGING_NAME_SIZE];
    char *yaml = NULL;
    size_t size;
    struct text text = TEXT_OVER(name);
    text_format(&text, "peer-%s.yaml", server->name);
    FILE *out = memory_checked(open_memstream(&yaml, &size));
    fputs("# Written by `mailflowctl join`.\n", out);
    plan_print_peers(server, 1, out);
    fclose(out);
    bool good = staging_write(staging, name, 0644, yaml, size, error);
    free(yaml);
    return good;
}

// A file of conf.d for each, all of them or none.
static bool write_peers(const struct joining *joining, struct staging *staging, struct error *error)
{
    char place[PATH_MAX];
    struct text text = TEXT_OVER(place);
    const char *config = joining->context->command->config;
    const char *slash = strrchr(config, '/');
    text_append_bytes(&text, config, slash == NULL ? 0 : (size_t)(slash + 1 - config));
    text_append(&text, "conf.d/peer.yaml");
    bool good = staging_begin(staging, place, error);
    for (size_t i = 0; i < joining->added_count && good; i++) {
        good = draft_peer(staging, joining->added[i], error);
    }
    good = good && staging_commit(staging, false, error);
    staging_abandon(staging);
    return good;
}

// The peers may be too many, or one of the files of conf.d may say something else of them.
static bool check_whole(const struct joining *joining, const struct staging *staging)
{
    struct config_problems problems = {0};
    struct settings *settings =
        settings_load_without_secrets(joining->context->command->config, &problems);
    if (settings == NULL) {
        staging_take_back(staging);
        problems_print(&problems, stderr);
        return false;
    }
    settings_destroy(settings);
    return true;
}

static bool write_checked(const struct joining *joining, struct staging *staging,
                          struct error *error)
{
    return write_peers(joining, staging, error) &&
           (check_whole(joining, staging) || error_set(error, "nothing has been written"));
}

enum reload { RELOAD_DONE, RELOAD_NO_AGENT, RELOAD_REFUSED };

// What the agent lacks is not in the files, which were good when we read them: its user may not
// read a key that is root's. `*problems` is the caller's, NULL when the agent tells of none.
static enum reload reload_agent(const struct context *context, json_t **problems,
                                struct error *error)
{
    char socket[CONTROL_SOCKET_SIZE];
    json_t *answer = NULL;
    *problems = NULL;
    if (!control_socket_find(context->command, socket, error)) {
        return RELOAD_REFUSED;
    }
    struct client *client =
        client_create(socket, context->command->config, context->command->timeout);
    enum client_result result = client_ask(client, "POST", "/reload", NULL, &answer, error);
    *problems = json_incref(json_object_get(answer, "problems"));
    json_decref(answer);
    client_destroy(client);
    if (result == CLIENT_REFUSED) {
        struct error told = *error;
        error_set(error,
                  "%s. What join has written is in order here: start the agent anew (systemctl "
                  "restart mailflowd), and it goes by it",
                  told.message);
    }
    return result == CLIENT_DONE          ? RELOAD_DONE
           : result == CLIENT_UNREACHABLE ? RELOAD_NO_AGENT
                                          : RELOAD_REFUSED;
}

static void print_reload(enum reload reload)
{
    if (reload == RELOAD_DONE) {
        puts("The agent has taken the configuration over.");
    } else if (reload == RELOAD_NO_AGENT) {
        puts("The agent is not running, or not reached: it will know when it starts.");
    }
}

static void print_added(const struct joining *joining, const struct staging *staging)
{
    for (size_t i = 0; i < joining->added_count; i++) {
        printf("added peer %s: %s/peer-%s.yaml\n", joining->added[i]->name, staging->folder,
               joining->added[i]->name);
    }
    if (joining->added_count == 0) {
        puts("Nothing to add: every server of the token is a peer already.");
    }
}

static void print_joined_json(const struct joining *joining, bool reloaded, json_t *problems)
{
    json_t *added = memory_checked(json_array());
    for (size_t i = 0; i < joining->added_count; i++) {
        json_array_append_new(added, json_string(joining->added[i]->name));
    }
    json_t *json =
        memory_checked(json_pack("{s:o,s:I,s:b}", "added", added, "known",
                                 (json_int_t)joining->known_count, "reloaded", reloaded));
    if (problems != NULL) {
        json_object_set(json, "problems", problems);
    }
    report_json(joining->context, json);
    json_decref(json);
}

// Reloads also when there is nothing to add: the last time the agent may have refused.
static int add_peers(struct joining *joining, const struct mesh_token *token)
{
    const struct context *context = joining->context;
    struct staging *staging = memory_checked(calloc(1, sizeof *staging));
    struct error error = {0};
    bool good = joining->added_count == 0 || write_checked(joining, staging, &error);
    json_t *problems = NULL;
    enum reload reload = good ? reload_agent(context, &problems, &error) : RELOAD_REFUSED;
    if (good && context->command->json) {
        print_joined_json(joining, reload == RELOAD_DONE, problems);
    } else if (good) {
        print_added(joining, staging);
        print_reload(reload);
        if (token->key.secret_length > 0 && joining->added_count > 0) {
            introduction_print(joining->settings);
        }
        fflush(stdout);
        problems_print_lines(problems, stderr);
    }
    json_decref(problems);
    free(staging);
    return good && reload != RELOAD_REFUSED ? EXIT_DONE
                                            : report_failure(context, EXIT_REFUSED, error.message);
}

// This server has a configuration: only its peers change.
static int join_with(struct context *context, const struct settings *settings,
                     const struct mesh_token *token)
{
    struct error error;
    struct joining joining = {.context = context, .settings = settings};
    sort_out(&joining, token);
    if (joining.added_count + joining.known_count == 0) {
        error_set(&error,
                  "the token tells of nobody but '%s', which is this server itself: run "
                  "the line on another one",
                  settings->server);
        return report_failure(context, EXIT_REFUSED, error.message);
    }
    return add_peers(&joining, token);
}

// The first answer to a question of setup that was given; OPTIONS when there is none.
static enum option find_answer(const struct command *command)
{
    enum option option = OPTION_SERVER;
    while (option <= OPTION_PEER && !command_given(command, option)) {
        option++;
    }
    return option <= OPTION_PEER ? option : OPTIONS;
}

static int refuse_answer(const struct context *context, enum option answer)
{
    struct error error;
    error_set(&error,
              "%s is there: this server is set up, and join only adds peers; without --force, "
              "which sets it up anew, it takes no --%s",
              context->command->config, option_name(answer));
    return report_failure(context, EXIT_USAGE, error.message);
}

// A token and what was copied with it: a terminal's longest line.
enum { PASTED_SIZE = 4096 };

// What was pasted may be the whole line that invite prints.
static const char *find_token(char *pasted)
{
    static const char LEAD[] = "mailflowctl join ", BLANKS[] = " \t\r\n";
    char *token = pasted + strspn(pasted, BLANKS);
    if (strncmp(token, LEAD, strlen(LEAD)) == 0) {
        token += strlen(LEAD);
        token += strspn(token, BLANKS);
    }
    size_t length = strlen(token);
    while (length > 0 && strchr(BLANKS, token[length - 1]) != NULL) {
        token[--length] = '\0';
    }
    return token;
}

// From the command line or from standard input.
static bool take_given(const struct command *command, char pasted[PASTED_SIZE], struct error *error)
{
    if (command->word_count == 1 && strcmp(command->words[0], "-") != 0) {
        return text_copy(pasted, PASTED_SIZE, command->words[0]) ||
               error_set(error, "that is no token: it is longer than any");
    }
    return prompt_read_piped("the token", pasted, PASTED_SIZE, error);
}

// Until there is one that is good, or none.
static bool ask_token(const struct mesh_keys *ours, char pasted[PASTED_SIZE],
                      struct mesh_token *token, struct error *error)
{
    for (;;) {
        pasted[0] = '\0';
        if (!prompt_ask_secret("The token of `mailflowctl invite` (not shown)", pasted,
                               PASTED_SIZE) ||
            pasted[0] == '\0') {
            return error_set(error, "no token: nothing has been written");
        }
        if (mesh_token_decode(find_token(pasted), ours, token, error)) {
            return true;
        }
        printf("That will not do: %s.\nOnce more; Ctrl-C leaves everything as it is.\n",
               error->message);
    }
}

static bool take_token(const struct command *command, const struct mesh_keys *ours,
                       struct mesh_token *token, struct error *error)
{
    char pasted[PASTED_SIZE];
    bool typed = (command->word_count == 0 || strcmp(command->words[0], "-") == 0) &&
                 isatty(STDIN_FILENO) == 1;
    bool good = typed ? ask_token(ours, pasted, token, error)
                      : take_given(command, pasted, error) &&
                            mesh_token_decode(find_token(pasted), ours, token, error);
    explicit_bzero(pasted, sizeof pasted);
    return good;
}

// Without settings this server is to be set up.
static int join(struct context *context, const struct settings *settings)
{
    static const struct mesh_keys NONE = {.count = 0};
    const struct mesh_keys *ours = settings == NULL ? &NONE : &settings->mesh_keys;
    struct mesh_token token;
    struct error error;
    int code;
    if (!take_token(context->command, ours, &token, &error)) {
        code = report_failure(context, EXIT_REFUSED, error.message);
    } else {
        code = settings == NULL ? setup_run(context, &token) : join_with(context, settings, &token);
    }
    explicit_bzero(&token, sizeof token);
    return code;
}

static int join_existing(struct context *context)
{
    struct config_problems problems = {0};
    struct settings *settings = settings_load(context->command->config, &problems);
    if (settings == NULL) {
        return report_configuration(
            context, &problems, "the configuration must be in order before this server can join");
    }
    int code = join(context, settings);
    settings_destroy(settings);
    return code;
}

int verb_join(struct context *context)
{
    const struct command *command = context->command;
    bool anew = command->force || !config_exists(command->config);
    enum option answer = anew ? OPTIONS : find_answer(command);
    if (answer != OPTIONS) {
        return refuse_answer(context, answer);
    }
    if (command->word_count == 0 && !prompt_possible()) {
        return report_failure(context, EXIT_USAGE,
                              "join needs the token: as an argument, or with - on standard input");
    }
    interrupt_hold();
    return anew ? join(context, NULL) : join_existing(context);
}

int verb_invite(struct context *context)
{
    struct config_problems problems = {0};
    struct settings *settings = settings_load(context->command->config, &problems);
    if (settings == NULL) {
        return report_configuration(context, &problems,
                                    config_exists(context->command->config)
                                        ? "nobody can be invited before that is put in order"
                                        : "only a server that is set up can invite");
    }
    if (context->command->json) {
        char token[MESH_TOKEN_SIZE];
        struct text text = TEXT_OVER(token);
        size_t left_out = invitation_compose(settings, true, &text);
        json_t *json = memory_checked(
            json_pack("{s:s,s:I}", "token", token, "left_out", (json_int_t)left_out));
        report_json(context, json);
        json_decref(json);
        explicit_bzero(token, sizeof token);
    } else {
        invitation_print(settings);
        puts("");
        introduction_print(settings);
    }
    settings_destroy(settings);
    return EXIT_DONE;
}
