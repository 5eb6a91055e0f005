#include "ctl/control_socket.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "config/document.h"
#include "config/file.h"

static const char USUAL_SOCKET[] = "/run/mailflow/control.sock";

enum { CONFIG_BYTES_MAXIMUM = 1024 * 1024 };

static const char *find_control(const struct node *root)
{
    const struct node *http =
        root == NULL || root->kind != NODE_MAP ? NULL : node_member(root, "http");
    const struct node *control =
        http == NULL || http->kind != NODE_MAP ? NULL : node_member(http, "control");
    return control == NULL || control->kind != NODE_TEXT ? NULL : control->text;
}

// Reads the main file alone for the one key. False when it is not even YAML.
static bool search_file(const char *path, char out[CONTROL_SOCKET_SIZE])
{
    struct config_problems problems = {0};
    struct problem_list list = problem_list_over(&problems);
    struct config_file file = {.path = path};
    struct arena *arena = arena_create();
    struct stat what;
    struct error unused;
    size_t length;
    size_t nodes = 0;
    char *bytes = file_read(path, CONFIG_BYTES_MAXIMUM, &length, &what, &unused);
    const struct node *root =
        bytes == NULL ? NULL : document_parse(arena, &file, bytes, length, &nodes, &list);
    const char *control = find_control(root);
    bool good = root != NULL &&
                text_copy(out, CONTROL_SOCKET_SIZE, control == NULL ? USUAL_SOCKET : control);
    free(bytes);
    arena_destroy(arena);
    return good;
}

static void describe_problem(const struct config_problems *problems, struct error *error)
{
    char first[400];
    struct text text = TEXT_OVER(first);
    const struct config_problem *problem = &problems->items[0];
    for (size_t i = 0; problem->warning && i + 1 < problems->count; i++) {
        problem++;
    }
    config_problem_format(problem, &text);
    error_set(error, "cannot find the control socket: %s; name it with --control", first);
}

bool control_socket_find(const struct command *command, char out[CONTROL_SOCKET_SIZE],
                         struct error *error)
{
    if (command->control != NULL) {
        return text_copy(out, CONTROL_SOCKET_SIZE, command->control) ||
               error_set(error, "--control: a socket's path has at most 107 bytes");
    }
    struct config_problems problems = {0};
    struct settings *settings = settings_load_without_secrets(command->config, &problems);
    bool found = settings != NULL && text_copy(out, CONTROL_SOCKET_SIZE, settings->http.control);
    settings_destroy(settings);
    if (found || search_file(command->config, out)) {
        return true;
    }
    if (command_given(command, OPTION_CONFIG)) {
        describe_problem(&problems, error);
        return false;
    }
    text_copy(out, CONTROL_SOCKET_SIZE, USUAL_SOCKET);
    return true;
}
