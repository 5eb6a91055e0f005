// mailflowctl: the operator's tool. One table of verbs (verbs.c), one of options (options.c); here
// a command line becomes a context, and the verb's handler does the rest.
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/rights.h"
#include "base/text.h"
#include "ctl/control_socket.h"
#include "ctl/help.h"
#include "ctl/report.h"
#include "ctl/verb.h"
#include "version.h"

// Whose help is of use: the verb's, or that of all which begin with its first word.
static const char *helpful_name(const struct context *context)
{
    const struct command *command = context->command;
    if (context->verb != NULL) {
        return context->verb->name;
    }
    return command->word_count > 0 && help_is_group(command->words[0]) ? command->words[0] : "";
}

static int fail_usage(const struct context *context, const char *message)
{
    int code = report_failure(context, EXIT_USAGE, message);
    const char *of = helpful_name(context);
    fprintf(stderr, "Try 'mailflowctl %s%s--help'.\n", of, of[0] == '\0' ? "" : " ");
    return code;
}

// What was meant is an option of the verb.
static int fail_parse(const struct context *context, const char *message)
{
    const struct command *command = context->command;
    uint64_t taken = context->verb == NULL ? UINT64_MAX : context->verb->options | OPTIONS_GLOBAL;
    const char *near = command->unknown == NULL ? NULL : option_nearest(command->unknown, taken);
    char said[sizeof(struct error) + 64];
    struct text text = TEXT_OVER(said);
    text_append(&text, message);
    if (near != NULL) {
        text_format(&text, "; did you mean '--%s'?", near);
    }
    return fail_usage(context, said);
}

// The first option that was given though the verb does not take it, or that it must have and was
// not given; OPTIONS when all is well.
static enum option find_wrong_option(const struct context *context)
{
    uint64_t given = context->command->given;
    uint64_t taken = context->verb->options | OPTIONS_GLOBAL;
    uint64_t wrong = (given & ~taken) | (context->verb->required & ~given);
    enum option option = 0;
    while (option < OPTIONS && (wrong & OPTION_BIT(option)) == 0) {
        option++;
    }
    return option;
}

static int check_usage(const struct context *context, size_t argument_count)
{
    char message[256];
    struct text text = TEXT_OVER(message);
    enum option wrong = find_wrong_option(context);
    if (wrong < OPTIONS) {
        text_format(&text, "%s %s --%s", context->verb->name,
                    command_given(context->command, wrong) ? "takes no" : "needs",
                    option_name(wrong));
    } else if (argument_count < context->verb->least) {
        text_format(&text, "%s needs %s", context->verb->name, context->verb->arguments);
    } else if (argument_count > context->verb->most) {
        text_format(&text, "%s takes %s", context->verb->name,
                    context->verb->most == 0 ? "no arguments" : "one argument only");
    } else {
        return EXIT_DONE;
    }
    return fail_usage(context, message);
}

static int run_with_agent(struct context *context)
{
    char socket[CONTROL_SOCKET_SIZE];
    struct error error;
    if (!control_socket_find(context->command, socket, &error)) {
        return report_failure(context, EXIT_REFUSED, error.message);
    }
    context->client = client_create(socket, context->command->config, context->command->timeout);
    int code = context->verb->run(context);
    client_destroy(context->client);
    return code;
}

static int run_verb(struct context *context, struct command *command, size_t name_words)
{
    command->word_count -= name_words;
    memmove(command->words, command->words + name_words,
            command->word_count * sizeof command->words[0]);
    int code = check_usage(context, command->word_count);
    if (code != EXIT_DONE) {
        return code;
    }
    struct error error;
    if (context->verb->secrets && !rights_hide(&error)) {
        return report_failure(context, EXIT_REFUSED, error.message);
    }
    return context->verb->needs_agent ? run_with_agent(context) : context->verb->run(context);
}

static int fail_verb(const struct context *context)
{
    char message[256];
    struct text text = TEXT_OVER(message);
    if (context->command->word_count == 0) {
        help_print(stderr);
        return EXIT_USAGE;
    }
    help_describe_unknown(context->command->words, context->command->word_count, &text);
    return fail_usage(context, message);
}

static int show_help(const struct context *context)
{
    const struct command *command = context->command;
    if (context->verb != NULL) {
        help_print_verb(context->verb, stdout);
    } else if (command->word_count == 0) {
        help_print(stdout);
    } else if (command->word_count > 1 || !help_print_group(command->words[0], stdout)) {
        return fail_verb(context);
    }
    return EXIT_DONE;
}

// "help VERB" is "VERB --help".
static void take_help_word(struct command *command)
{
    if (command->word_count > 0 && strcmp(command->words[0], "help") == 0) {
        command->help = true;
        command->word_count--;
        memmove(command->words, command->words + 1, command->word_count * sizeof command->words[0]);
    }
}

static int obey(struct context *context, struct command *command, size_t name_words)
{
    if (command->help) {
        return show_help(context);
    }
    if (command->version) {
        puts("mailflowctl " MAILFLOW_VERSION);
        return EXIT_DONE;
    }
    return context->verb == NULL ? fail_verb(context) : run_verb(context, command, name_words);
}

static int run(int argc, char **argv)
{
    struct command command;
    struct error error;
    size_t name_words = 0;
    bool good = command_parse(argc, argv, clock_now().wall, &command, &error);
    take_help_word(&command);
    struct report report = {.printed = false};
    struct context context = {
        .verb = verb_find(command.words, command.word_count, &name_words),
        .command = &command,
        .terminal = terminal_detect(),
        .report = &report,
    };
    int code = good ? obey(&context, &command, name_words) : fail_parse(&context, error.message);
    report_end(&context);
    return code;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    int code = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("mailflowctl: standard output");
        return code == EXIT_DONE ? EXIT_REFUSED : code;
    }
    return code;
}
