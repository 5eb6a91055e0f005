#include "ctl/plan_questions.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/syntax.h"
#include "ctl/form.h"
#include "ctl/prompt.h"

static bool is_asked(const struct plan_questions *questions, enum option option)
{
    return questions->again || !command_given(questions->command, option);
}

// Until the answer is of the form, or none where none is needed.
static bool ask(const char *question, const struct form *form, bool optional, char *answer,
                size_t size)
{
    char usual[PROBE_PASSWORD_SIZE + PROBE_HOST_SIZE];
    struct error error;
    text_copy(usual, sizeof usual, answer);
    for (;;) {
        if (!prompt_ask(question, answer, size)) {
            return false;
        }
        if ((answer[0] == '\0' && optional) ||
            (answer[0] != '\0' && form_check(form, answer, &error))) {
            return true;
        }
        printf("That is %s.\n", answer[0] == '\0' ? "needed" : error.message);
        text_copy(answer, size, usual);
    }
}

static const struct mesh_server *find_server(const struct mesh_token *token, const char *name)
{
    for (size_t i = 0; token != NULL && i < token->server_count; i++) {
        if (strcmp(token->servers[i].name, name) == 0) {
            return &token->servers[i];
        }
    }
    return NULL;
}

// A name of the mesh may be ours from before, but for the one that is all there is of the mesh.
static bool ask_same(const struct mesh_token *token, const struct mesh_server *taken, bool *same)
{
    char question[PROBE_ADDRESS_SIZE + 160], answer[8] = "no";
    struct text text = TEXT_OVER(question);
    *same = false;
    if (token->server_count == 1) {
        printf("That is the name of the server that invites, with the address %s: give this one "
               "another.\n",
               taken->address);
        return true;
    }
    text_format(&text,
                "A server %s is in the mesh already, with the address %s. Is this that server, to "
                "be set up anew: yes or no",
                taken->name, taken->address);
    bool told = ask(question, &FORM_YES_NO, false, answer, sizeof answer);
    *same = told && strcmp(answer, "yes") == 0;
    return told;
}

static bool ask_server(struct plan *plan, const struct plan_questions *questions)
{
    bool asked = is_asked(questions, OPTION_SERVER), same = false;
    while (!same) {
        if (asked && !ask("This server's name in the mesh", &FORM_SERVER, false, plan->server,
                          sizeof plan->server)) {
            return false;
        }
        const struct mesh_server *taken = find_server(questions->token, plan->server);
        if (taken == NULL) {
            return true;
        }
        if (!ask_same(questions->token, taken, &same)) {
            return false;
        }
        plan->server[0] = same ? plan->server[0] : '\0';
        asked = true;
    }
    return true;
}

static bool ask_tls(const char *question, const struct form *form, enum probe_tls *tls)
{
    char word[16];
    text_copy(word, sizeof word, plan_tls_word(*tls));
    bool good = ask(question, form, false, word, sizeof word);
    *tls = plan_tls(word);
    return good;
}

static void show_place(const struct probe_endpoint *of, char place[PROBE_HOST_SIZE + 8])
{
    bool bare_ipv6 = strchr(of->host, ':') != NULL;
    struct text text = text_over(place, PROBE_HOST_SIZE + 8);
    text_format(&text, bare_ipv6 ? "[%s]" : "%s", of->host);
    if (of->port != 0) {
        text_format(&text, ":%u", (unsigned)of->port);
    }
}

static bool ask_imap_server(struct plan *plan, const struct plan_questions *questions)
{
    char place[PROBE_HOST_SIZE + 8];
    if (is_asked(questions, OPTION_IMAP)) {
        show_place(&plan->imap, place);
        if (!ask("IMAP server of the probes' mailbox, host or host:port", &FORM_HOST_PORT, false,
                 place, sizeof place)) {
            return false;
        }
        plan_set_imap(plan, place);
    }
    if (is_asked(questions, OPTION_IMAP_TLS) &&
        !ask_tls("Its TLS: starttls, implicit or none", &FORM_TLS, &plan->imap.tls)) {
        return false;
    }
    return !questions->again || plan->imap.tls == PROBE_TLS_NONE ||
           ask("PEM file of its certificate's authority (-: the system's store)", &FORM_CA_FILE,
               true, plan->imap.ca_file, sizeof plan->imap.ca_file);
}

static bool ask_password(struct plan *plan, const struct plan_questions *questions)
{
    char question[PROBE_USER_SIZE + 128];
    struct text text = TEXT_OVER(question);
    bool kept = questions->has_password || plan->imap.password[0] != '\0';
    text_format(&text, "Password of %s (not shown%s)", plan->imap.user,
                kept ? "; empty: the one that is there" : "");
    for (;;) {
        if (!prompt_ask_secret(question, plan->imap.password, sizeof plan->imap.password)) {
            return false;
        }
        if (plan->imap.password[0] != '\0' || kept) {
            return true;
        }
        puts("A password is needed; Ctrl-C leaves.");
    }
}

static bool ask_mailbox(struct plan *plan, const struct plan_questions *questions)
{
    if (!ask_imap_server(plan, questions)) {
        return false;
    }
    if (is_asked(questions, OPTION_USER) &&
        !ask("IMAP user", &FORM_FILLED, false, plan->imap.user, sizeof plan->imap.user)) {
        return false;
    }
    if (is_asked(questions, OPTION_PASSWORD_FILE) && !ask_password(plan, questions)) {
        return false;
    }
    bool needed = !syntax_address(plan->imap.user) || plan->address[0] != '\0';
    return !needed || !is_asked(questions, OPTION_ADDRESS) ||
           ask("Mail address of that mailbox", &FORM_ADDRESS, false, plan->address,
               sizeof plan->address);
}

static bool ask_relay_login(struct plan *plan, const struct plan_questions *questions)
{
    char question[PROBE_USER_SIZE + 128];
    struct text text = TEXT_OVER(question);
    if (is_asked(questions, OPTION_RELAY_USER) &&
        !ask("User to log in there (-: none)", &FORM_FILLED, true, plan->relay.user,
             sizeof plan->relay.user)) {
        return false;
    }
    if (plan->relay.user[0] == '\0' || !is_asked(questions, OPTION_RELAY_PASSWORD_FILE)) {
        return true;
    }
    text_format(&text, "Password of %s (not shown; empty: that of the mailbox)", plan->relay.user);
    return prompt_ask_secret(question, plan->relay.password, sizeof plan->relay.password);
}

static bool ask_relay(struct plan *plan, const struct plan_questions *questions)
{
    char place[PROBE_HOST_SIZE + 8], before[PROBE_HOST_SIZE + 8];
    enum probe_tls tls = plan->relay.tls;
    if (is_asked(questions, OPTION_RELAY)) {
        show_place(&plan->relay, place);
        memcpy(before, place, sizeof before);
        if (!ask("SMTP server that probes are handed to, host or host:port", &FORM_HOST_PORT, false,
                 place, sizeof place)) {
            return false;
        }
        plan_set_relay(plan, place);
        if (strcmp(place, before) == 0 || command_given(questions->command, OPTION_RELAY_TLS)) {
            plan->relay.tls = tls;
        }
    }
    if (!questions->again && host_is_loopback(plan->relay.host)) {
        return true;
    }
    return (!is_asked(questions, OPTION_RELAY_TLS) ||
            ask_tls("Its TLS: starttls or none", &FORM_RELAY_TLS, &plan->relay.tls)) &&
           (!questions->again || plan->relay.tls == PROBE_TLS_NONE ||
            ask("PEM file of its certificate's authority (-: the system's store)", &FORM_CA_FILE,
                true, plan->relay.ca_file, sizeof plan->relay.ca_file)) &&
           ask_relay_login(plan, questions);
}

static bool ask_url(struct plan *plan, const struct plan_questions *questions)
{
    char question[PROBE_HOST_SIZE + 160];
    struct text text = TEXT_OVER(question);
    text_format(&text,
                "Where the peers' agents reach this one, such as http://%s:9925; who reaches it "
                "sees the status page (empty: by mail alone)",
                plan->imap.host);
    return !is_asked(questions, OPTION_AGENT_URL) ||
           ask(question, &FORM_URL, true, plan->url, sizeof plan->url);
}

bool plan_ask(struct plan *plan, const struct plan_questions *questions)
{
    puts(questions->again ? "\nOnce more; Enter keeps what stands in brackets."
                          : "Enter takes what stands in brackets; Ctrl-C leaves everything as it "
                            "is.");
    return ask_server(plan, questions) && ask_mailbox(plan, questions) &&
           ask_relay(plan, questions) && ask_url(plan, questions);
}
