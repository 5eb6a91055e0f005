#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/answer.h"
#include "base/text.h"
#include "ctl/completion.h"
#include "ctl/control_socket.h"
#include "ctl/option_rows.h"
#include "ctl/peers.h"
#include "ctl/report.h"

enum { LINE_SIZE = 65536, WORDS_MAXIMUM = 256, PATIENCE_MS = 2000 };

// What is offered, as JSON: [{"value", "help"}].
struct offer {
    const char *typed;
    json_t *candidates;
};

// `help` may have the line breaks of the screen; only its first line is told.
static void add(struct offer *offer, const char *value, const char *help)
{
    char line[160];
    struct text text = TEXT_OVER(line);
    if (strncmp(value, offer->typed, strlen(offer->typed)) != 0) {
        return;
    }
    text_append_bytes(&text, help, strcspn(help, "\n"));
    json_t *candidate =
        json_pack("{s:o, s:o}", "value", client_json_text(value), "help", client_json_text(line));
    json_array_append_new(offer->candidates, memory_checked(candidate));
}

// ---- from the tables ----

static void add_verb(struct offer *offer, const struct verb *verb, const char *group)
{
    char first[32];
    struct text text = TEXT_OVER(first);
    size_t length = strcspn(verb->name, " ");
    bool has_group = verb->name[length] == ' ';
    text_append_bytes(&text, verb->name, length);
    if (group == NULL) {
        // Of a group the first verb stands for all.
        bool repeated =
            has_group && verb > VERBS && strncmp(verb[-1].name, verb->name, length) == 0;
        if (!repeated) {
            add(offer, first, has_group ? "windows of servers" : verb->summary);
        }
    } else if (has_group && strcmp(group, first) == 0) {
        add(offer, verb->name + length + 1, verb->summary);
    }
}

static void add_verbs(struct offer *offer, const char *group)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        add_verb(offer, &VERBS[i], group);
    }
}

static void add_options(struct offer *offer, const struct verb *verb)
{
    uint64_t set = OPTIONS_GLOBAL | (verb == NULL ? 0 : verb->options);
    for (enum option i = 0; i < OPTIONS; i++) {
        char name[40];
        struct text text = TEXT_OVER(name);
        if ((set & OPTION_BIT(i)) != 0) {
            text_format(&text, "--%s", option_name(i));
            add(offer, name, option_help(i, verb == NULL ? NULL : verb->meanings));
        }
    }
}

static void add_choices(struct offer *offer, const char *choices)
{
    for (; *choices != '\0'; choices += strspn(choices, " ")) {
        char word[32];
        struct text text = TEXT_OVER(word);
        size_t length = strcspn(choices, " ");
        text_append_bytes(&text, choices, length);
        add(offer, word, "");
        choices += length;
    }
}

// ---- from the agent ----

static void add_peers(struct offer *offer, const json_t *paths)
{
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const json_t *path = json_array_get(paths, i);
        const char *peer = answer_text(path, "peer");
        const char *before = answer_text(json_array_get(paths, i - (i > 0 ? 1 : 0)), "peer");
        if (i == 0 || strcmp(before, peer) != 0) {
            add(offer, peer, "a peer");
        }
    }
}

static void add_windows(struct offer *offer, const json_t *windows)
{
    for (size_t i = 0; i < json_array_size(windows); i++) {
        const json_t *window = json_array_get(windows, i);
        const char *state = answer_text(window, "state");
        char help[96];
        struct text text = TEXT_OVER(help);
        text_format(&text, "%s, %s", answer_text(window, "server"), state);
        if (strcmp(state, "over") != 0) {
            add(offer, answer_text(window, "id"), help);
        }
    }
}

static void add_probes(struct offer *offer, const json_t *probes)
{
    for (size_t i = 0; i < json_array_size(probes); i++) {
        const json_t *probe = json_array_get(probes, i);
        char help[96];
        struct text text = TEXT_OVER(help);
        text_format(&text, "%s %s", answer_text(probe, "path"), answer_text(probe, "verdict"));
        add(offer, answer_text(probe, "id"), help);
    }
}

// The list of this name in the agent's answer; NULL when there is none. The answer is the caller's.
static const json_t *ask(struct client *client, const char *target, const char *name,
                         json_t **answer)
{
    struct error unused;
    client_ask(client, "GET", target, NULL, answer, &unused);
    return json_object_get(*answer, name);
}

static void add_names(struct offer *offer, struct client *client, enum completion_want want)
{
    json_t *answer = NULL;
    if (want == COMPLETION_PROBES) {
        add_probes(offer, ask(client, "/probes", "probes", &answer));
        json_decref(answer);
        return;
    }
    if (want == COMPLETION_WINDOWS) {
        add_windows(offer, ask(client, "/maintenance", "maintenance", &answer));
        json_decref(answer);
    }
    add_peers(offer, ask(client, "/paths", "paths", &answer));
    json_decref(answer);
    char own[SERVER_NAME_SIZE];
    if (want != COMPLETION_PEERS && peers_ask_own_name(client, own)) {
        add(offer, own, "this server");
    }
}

// An agent that does not answer has no names to offer; a shell is not told why.
static void ask_for_names(struct offer *offer, const struct command *asked,
                          const struct completion *completion)
{
    char socket[CONTROL_SOCKET_SIZE];
    struct error unused;
    struct command command = *asked;
    if (completion->control != NULL) {
        command.control = completion->control;
    }
    if (completion->config != NULL) {
        command.config = completion->config;
        command.given |= OPTION_BIT(OPTION_CONFIG);
    }
    if (!control_socket_find(&command, socket, &unused)) {
        return;
    }
    struct client *client = client_create(socket, command.config, SPAN_MS(PATIENCE_MS));
    add_names(offer, client, completion->want);
    client_destroy(client);
}

static void fill(struct offer *offer, const struct command *command,
                 const struct completion *completion)
{
    switch (completion->want) {
    case COMPLETION_NOTHING:
    case COMPLETION_FILES:
        break;
    case COMPLETION_VERBS:
        add_verbs(offer, completion->group);
        break;
    case COMPLETION_OPTIONS:
        add_options(offer, completion->verb);
        break;
    case COMPLETION_WORDS:
        add_choices(offer, completion->choices);
        break;
    case COMPLETION_PEERS:
    case COMPLETION_SERVERS:
    case COMPLETION_WINDOWS:
    case COMPLETION_PROBES:
        ask_for_names(offer, command, completion);
        break;
    }
}

// ---- the line, and the answer ----

// Cuts what standard input has, a word a line, into words.
static size_t read_words(char *line, const char **words)
{
    size_t count = 0;
    line[fread(line, 1, LINE_SIZE - 1, stdin)] = '\0';
    while (*line != '\0' && count < WORDS_MAXIMUM) {
        size_t length = strcspn(line, "\n");
        bool more = line[length] == '\n';
        line[length] = '\0';
        words[count++] = line;
        line += length + (more ? 1 : 0);
    }
    return count;
}

static void print_candidates(const struct offer *offer)
{
    for (size_t i = 0; i < json_array_size(offer->candidates); i++) {
        const json_t *candidate = json_array_get(offer->candidates, i);
        char line[512];
        struct text text = TEXT_OVER(line);
        text_append_escaped(&text, answer_text(candidate, "value"));
        text_append(&text, "\t");
        text_append_escaped(&text, answer_text(candidate, "help"));
        puts(line);
    }
}

int verb_complete(struct context *context)
{
    char line[LINE_SIZE];
    const char *words[WORDS_MAXIMUM];
    struct completion completion = completion_read(words, read_words(line, words));
    bool files = completion.want == COMPLETION_FILES;
    struct offer offer = {completion.typed, memory_checked(json_array())};
    fill(&offer, context->command, &completion);
    if (context->command->json) {
        json_t *all = json_pack("{s:O, s:b}", "candidates", offer.candidates, "files", files);
        report_json(context, memory_checked(all));
        json_decref(all);
    } else if (files) {
        puts(":files");
    } else {
        print_candidates(&offer);
    }
    json_decref(offer.candidates);
    return EXIT_DONE;
}
