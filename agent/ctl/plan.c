#include "ctl/plan.h"

#include <limits.h>
#include <netdb.h>
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/text.h"
#include "config/file.h"
#include "config/secret.h"
#include "config/syntax.h"
#include "ctl/prompt.h"

enum { KEY_BYTES = 32, SMTP_PORT = 25, IMAPS_PORT = 993 };

static const char *const TLS_WORDS[] = {
    [PROBE_TLS_NONE] = "none",
    [PROBE_TLS_STARTTLS] = "starttls",
    [PROBE_TLS_IMPLICIT] = "implicit",
};

enum probe_tls plan_tls(const char *word)
{
    int tls = PROBE_TLS_NONE;
    while (tls < PROBE_TLS_IMPLICIT && strcmp(word, TLS_WORDS[tls]) != 0) {
        tls++;
    }
    return (enum probe_tls)tls;
}

const char *plan_tls_word(enum probe_tls tls)
{
    return TLS_WORDS[tls];
}

// ---- what the machine suggests ----

// The name of this machine with its domain, as far as it knows it.
static void find_full_name(char out[PROBE_HOST_SIZE])
{
    struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (gethostname(out, PROBE_HOST_SIZE - 1) != 0 || out[0] == '\0') {
        text_copy(out, PROBE_HOST_SIZE, "localhost");
    }
    if (strchr(out, '.') == NULL && getaddrinfo(out, NULL, &hints, &found) == 0) {
        if (found->ai_canonname != NULL && strchr(found->ai_canonname, '.') != NULL) {
            text_copy(out, PROBE_HOST_SIZE, found->ai_canonname);
        }
        freeaddrinfo(found);
    }
}

void plan_begin(struct plan *plan)
{
    char name[PROBE_HOST_SIZE] = "";
    struct text user = TEXT_OVER(plan->imap.user);
    *plan = (struct plan){.imap.tls = PROBE_TLS_STARTTLS};
    find_full_name(name);
    struct text server = TEXT_OVER(plan->server);
    text_append_bytes(&server, name, strcspn(name, "."));
    if (!server_name_valid(plan->server)) {
        plan->server[0] = '\0';
    }
    text_copy(plan->imap.host, sizeof plan->imap.host, name);
    text_format(&user, "probe@%s", name);
    plan_set_relay(plan, "127.0.0.1");
}

// ---- what the command line says ----

void plan_set_imap(struct plan *plan, const char *host_port)
{
    plan->imap.port = 0;
    host_port_split(host_port, plan->imap.host, sizeof plan->imap.host, &plan->imap.port);
    plan->imap.tls = plan->imap.port == IMAPS_PORT ? PROBE_TLS_IMPLICIT : PROBE_TLS_STARTTLS;
}

void plan_set_relay(struct plan *plan, const char *host_port)
{
    plan->relay.port = SMTP_PORT;
    host_port_split(host_port, plan->relay.host, sizeof plan->relay.host, &plan->relay.port);
    plan->relay.tls = host_is_loopback(plan->relay.host) ? PROBE_TLS_NONE : PROBE_TLS_STARTTLS;
}

static bool take_text(const char *given, const char *option, char *field, size_t size,
                      struct error *error)
{
    return given == NULL || text_copy(field, size, given) ||
           error_set(error, "--%s: more than %zu bytes", option, size - 1);
}

static bool take_typed(const char *option, char password[PROBE_PASSWORD_SIZE], struct error *error)
{
    char question[64];
    struct text text = TEXT_OVER(question);
    text_format(&text, "The password for --%s (not shown)", option);
    return (prompt_ask_secret(question, password, PROBE_PASSWORD_SIZE) && password[0] != '\0') ||
           error_set(error, "--%s -: no password was typed", option);
}

static bool take_ca_file(const char *given, const char *option, char *field, struct error *error)
{
    struct error why;
    return take_text(given, option, field, PROBE_PATH_SIZE, error) &&
           (given == NULL || file_readable(given, &why) ||
            error_set(error, "--%s %s: %s", option, given, why.message));
}

// A password out of a file that nobody else may read, or from standard input.
static bool take_password(const char *file, const char *option, char password[PROBE_PASSWORD_SIZE],
                          struct error *error)
{
    char path[PATH_MAX];
    struct secret secret;
    if (file == NULL) {
        return true;
    }
    if (strcmp(file, "-") == 0) {
        return isatty(STDIN_FILENO) == 1
                   ? take_typed(option, password, error)
                   : prompt_read_piped(option, password, PROBE_PASSWORD_SIZE, error);
    }
    if (realpath(file, path) == NULL) {
        return error_set(error, "--%s %s: there is no such file", option, file);
    }
    bool good = secret_read(path, "", &secret, error) || error_prefix(error, "--%s", option);
    if (good) {
        good = (strlen(secret.bytes) == secret.length &&
                text_copy(password, PROBE_PASSWORD_SIZE, secret.bytes)) ||
               error_set(error, "--%s %s: has a NUL byte in it", option, file);
    }
    explicit_bzero(&secret, sizeof secret);
    return good;
}

static bool take_mailbox(struct plan *plan, const struct command_setup *given, struct error *error)
{
    if (given->imap != NULL) {
        plan_set_imap(plan, given->imap);
    }
    if (given->imap_tls != NULL) {
        plan->imap.tls = plan_tls(given->imap_tls);
    }
    if (given->folders.count > PROBE_FOLDERS_MAXIMUM) {
        return error_set(error, "--folder: at most %d folders", PROBE_FOLDERS_MAXIMUM);
    }
    for (size_t i = 0; i < given->folders.count; i++) {
        if (!take_text(given->folders.items[i], "folder", plan->folders[i], sizeof plan->folders[i],
                       error)) {
            return false;
        }
        plan->folder_count++;
    }
    return take_text(given->user, "user", plan->imap.user, sizeof plan->imap.user, error) &&
           take_ca_file(given->ca_file, "ca-file", plan->imap.ca_file, error) &&
           take_text(given->address, "address", plan->address, sizeof plan->address, error) &&
           take_password(given->password_file, "password-file", plan->imap.password, error);
}

static bool take_relay(struct plan *plan, const struct command_setup *given, struct error *error)
{
    if (given->relay != NULL) {
        plan_set_relay(plan, given->relay);
    }
    if (given->relay_tls != NULL) {
        plan->relay.tls = plan_tls(given->relay_tls);
    }
    const char *ca_file = given->relay_ca_file != NULL ? given->relay_ca_file : given->ca_file;
    return take_text(given->relay_user, "relay-user", plan->relay.user, sizeof plan->relay.user,
                     error) &&
           take_ca_file(ca_file, "relay-ca-file", plan->relay.ca_file, error) &&
           take_password(given->relay_password_file, "relay-password-file", plan->relay.password,
                         error);
}

static bool take_listen(struct plan *plan, const struct command_setup *given, struct error *error)
{
    if (given->listen.count > PLAN_LISTEN_MAXIMUM) {
        return error_set(error,
                         "--listen: at most %d addresses; more can be added to the "
                         "configuration",
                         PLAN_LISTEN_MAXIMUM);
    }
    for (size_t i = 0; i < given->listen.count; i++) {
        if (!take_text(given->listen.items[i], "listen", plan->listen[i], sizeof plan->listen[i],
                       error)) {
            return false;
        }
        plan->listen_count++;
    }
    return true;
}

static bool take_peers(struct plan *plan, const struct command_setup *given, struct error *error)
{
    for (size_t i = 0; i < given->peers.count; i++) {
        if (plan->peer_count == MESH_TOKEN_SERVERS_MAXIMUM) {
            return error_set(error, "--peer: more than %d peers", MESH_TOKEN_SERVERS_MAXIMUM);
        }
        mesh_server_parse(given->peers.items[i], &plan->peers[plan->peer_count++]);
    }
    return true;
}

bool plan_take_command(struct plan *plan, const struct command *command, struct error *error)
{
    const struct command_setup *given = &command->setup;
    return take_text(given->server, "server", plan->server, sizeof plan->server, error) &&
           take_mailbox(plan, given, error) && take_relay(plan, given, error) &&
           take_text(given->agent_url, "agent-url", plan->url, sizeof plan->url, error) &&
           take_listen(plan, given, error) &&
           take_text(given->state_dir, "state-dir", plan->state_dir, sizeof plan->state_dir,
                     error) &&
           take_text(command->control, "control", plan->control, sizeof plan->control, error) &&
           take_peers(plan, given, error);
}

void plan_make_key(struct plan *plan)
{
    uint8_t bytes[KEY_BYTES];
    struct mesh_key *key = &plan->key;
    _Static_assert(BASE64_ENCODE_RAW_LENGTH(KEY_BYTES) <= MESH_KEY_SECRET_MAXIMUM, "it fits");
    random_bytes(bytes, sizeof bytes);
    text_copy(key->id, sizeof key->id, "k1");
    base64_encode_raw((char *)key->secret, sizeof bytes, bytes);
    key->secret_length = BASE64_ENCODE_RAW_LENGTH(KEY_BYTES);
    explicit_bzero(bytes, sizeof bytes);
}
