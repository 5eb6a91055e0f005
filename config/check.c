#include "config/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/mesh_key.h"
#include "base/rights.h"
#include "config/check_http.h"
#include "config/check_maintenance.h"
#include "config/check_sources.h"
#include "config/file.h"
#include "config/lists.h"
#include "config/mesh.h"
#include "config/secret.h"
#include "config/syntax.h"

// A key of the map, or the map itself where the key stands there by default.
static const struct node *node_of(const struct node *map, const char *key)
{
    const struct node *member = node_member(map, key);
    return member == NULL ? map : member;
}

static void check_transport(struct reading *reading, const struct node *map, const char *host,
                            enum tls_mode tls, bool insecure)
{
    if (tls == TLS_NONE && !insecure && host[0] != '\0' && !host_is_loopback(host)) {
        problem_error(reading->problems, node_place(map, "tls"),
                      "tls: none to %s, which is another machine: use starttls, or set insecure: "
                      "true",
                      host);
    }
    if (tls != TLS_NONE && insecure) {
        problem_warning(reading->problems, node_place(map, "insecure"),
                        "insecure: has no effect without tls: none");
    }
}

// Whoever starts the agent reads the secrets, but authorities are read by its probers.
static void check_ca_file(struct reading *reading, const struct node *map, const char *file)
{
    char user[RIGHTS_USER_SIZE];
    if (file[0] != '\0' && reading->secrets &&
        !rights_owner_can_read(reading->settings->state_dir, file, user)) {
        problem_warning(
            reading->problems, node_place(map, "ca_file"),
            "ca_file: %s: the agent will run as user %s, who cannot read it: copy it to "
            "/etc/mailflow, open to all",
            file, user);
    }
}

static void check_fetched_ca_files(struct reading *reading, const struct node *root)
{
    const struct settings *settings = reading->settings;
    const struct node *maintenance = node_of(root, "maintenance");
    check_ca_file(reading, node_of(root, "http"), settings->http.ca_file);
    check_ca_file(reading, node_of(maintenance, "alertmanager"),
                  settings->maintenance.alertmanager.ca_file);
}

// The password out of its file; "" when none is wanted, or it cannot be had, which is a problem.
static const char *read_password(struct reading *reading, const struct node *map,
                                 const char *password_file)
{
    struct secret secret;
    struct error error;
    if (password_file[0] == '\0' || !reading->secrets) {
        return "";
    }
    bool good = secret_read(password_file, reading->beside, &secret, &error);
    if (good && strlen(secret.bytes) != secret.length) {
        good = error_set(&error, "%s: has a NUL byte in it", password_file);
    }
    if (!good) {
        problem_error(reading->problems, node_place(map, "password_file"), "password_file: %s",
                      error.message);
        return "";
    }
    const char *password = arena_copy_text(reading->arena, secret.bytes);
    explicit_bzero(&secret, sizeof secret);
    return password;
}

// A token that cannot be had now is a problem like a password: the agent would not get in.
static void check_token_file(struct reading *reading, const struct node *place, const char *file)
{
    struct error error;
    if (file[0] != '/') { // a credential of the unit never changes
        problem_error(reading->problems, node_place(place, "token_file"),
                      "token_file: is read again and again: write an absolute path");
    } else if (reading->secrets) {
        char *token = secret_read_token(file, reading->beside, &error);
        if (token == NULL) {
            problem_error(reading->problems, node_place(place, "token_file"), "token_file: %s",
                          error.message);
        } else {
            explicit_bzero(token, strlen(token));
            free(token);
        }
    }
}

// Whether it prints a token shows when one is wanted.
static void check_token_command(struct reading *reading, const struct node *place,
                                const char *program)
{
    struct error error;
    if (program[0] != '/') {
        problem_error(reading->problems, node_place(place, "token_command"),
                      "token_command: '%s' is not the absolute path of a program",
                      problem_quote(program).text);
    } else if (reading->secrets && !file_executable(program, &error)) {
        problem_error(reading->problems, node_place(place, "token_command"),
                      "token_command: %s: %s", program, error.message);
    }
}

static bool has_token(const struct oauth_settings *oauth)
{
    return oauth->token_file[0] != '\0' || oauth->token_command_count > 0;
}

static void check_oauth(struct reading *reading, const struct node *map,
                        const struct oauth_settings *oauth, const char *password_file)
{
    const struct node *place = node_member(map, "oauth");
    if (place == NULL) {
        return;
    }
    if (!has_token(oauth)) {
        if (strcmp(oauth->mechanism, "auto") != 0) { // else as it is printed where there is none
            problem_error(reading->problems, place->at,
                          "oauth: needs a token_file or a token_command");
        }
    } else if (password_file[0] != '\0') {
        problem_error(reading->problems, place->at,
                      "oauth: there is a password_file as well: leave one of the two away");
    } else if (oauth->token_command_count == 0) {
        check_token_file(reading, place, oauth->token_file);
    } else if (oauth->token_file[0] != '\0') {
        problem_error(reading->problems, node_place(place, "token_command"),
                      "token_command: there is a token_file as well: leave one of the two away");
    } else {
        check_token_command(reading, place, oauth->token_command[0]);
    }
}

static void check_relay(struct reading *reading, const struct node *map,
                        struct relay_settings *relay)
{
    const struct settings *settings = reading->settings;
    bool user = node_member(map, "user") != NULL;
    bool token = has_token(&relay->oauth);
    bool password = node_member(map, "password_file") != NULL;
    if (user != (password || token)) {
        problem_error(reading->problems,
                      node_place(map, user    ? "user"
                                      : token ? "oauth"
                                              : "password_file"),
                      user    ? "user: needs a password_file"
                      : token ? "oauth: needs a user"
                              : "password_file: needs a user");
    }
    check_oauth(reading, map, &relay->oauth, relay->password_file);
    if (relay->tls == TLS_IMPLICIT) {
        problem_error(
            reading->problems, node_place(map, "tls"),
            "tls: libESMTP speaks no implicit TLS: use port 587 with starttls, or as GUIDE.md "
            "has it a Postfix in between");
    }
    check_transport(reading, map, relay->host, relay->tls, relay->insecure);
    if (relay == &settings->relay || strcmp(relay->ca_file, settings->relay.ca_file) != 0) {
        check_ca_file(reading, map, relay->ca_file);
    }
    relay->password = read_password(reading, map, relay->password_file);
}

static void check_mailbox(struct reading *reading, const struct node *map,
                          struct mailbox_settings *mailbox)
{
    if (mailbox->port == 0) {
        mailbox->port = mailbox->tls == TLS_IMPLICIT ? 993 : 143;
    } else if (mailbox->port == 993 && node_member(map, "tls") == NULL) {
        mailbox->tls = TLS_IMPLICIT;
    }
    check_transport(reading, map, mailbox->host, mailbox->tls, mailbox->insecure);
    check_ca_file(reading, map, mailbox->ca_file);
    if (node_member(map, "password_file") == NULL && !has_token(&mailbox->oauth)) {
        problem_error(reading->problems, map->at, "required key 'password_file' is missing");
    }
    check_oauth(reading, map, &mailbox->oauth, mailbox->password_file);
    mailbox->password = read_password(reading, map, mailbox->password_file);
}

static void check_mailboxes(struct reading *reading, const struct node *root)
{
    const struct settings *settings = reading->settings;
    const struct node *map = node_of(root, "mailboxes")->first;
    for (size_t i = 0; i < settings->mailbox_count; i++, map = map->next) {
        const char *name = settings->mailboxes[i].name;
        if (name[0] != '\0' && settings_find_mailbox(settings, name) < (int)i) {
            problem_error(reading->problems, node_place(map, "name"),
                          "name: a second mailbox is called '%s'", name);
        }
        check_mailbox(reading, map, (struct mailbox_settings *)&settings->mailboxes[i]);
    }
}

static void check_path(struct reading *reading, const struct node *map,
                       const struct path_settings *path)
{
    if (path->latency.warning.ns > path->latency.critical.ns) {
        const struct node *latency = node_of(map, "latency");
        problem_error(reading->problems, node_place(latency, "warning"),
                      "latency: warning is above critical");
    }
    if (path->queue_lifetime.ns > reading->settings->retention.ns &&
        node_member(map, "queue_lifetime") != NULL) {
        problem_error(reading->problems, node_place(map, "queue_lifetime"),
                      "queue_lifetime: is longer than retention: a probe would be forgotten while "
                      "its mail is still under way");
    }
}

// Where nobody set queue_lifetime, it is the retention that is wrong.
static void check_retention(struct reading *reading, const struct node *root)
{
    const struct settings *settings = reading->settings;
    if (settings->retention.ns < settings->defaults.queue_lifetime.ns &&
        node_member(node_of(root, "defaults"), "queue_lifetime") == NULL) {
        problem_error(
            reading->problems, node_place(root, "retention"),
            "retention: is shorter than queue_lifetime (132h): a probe would be forgotten "
            "while its mail is still under way");
    }
}

static void check_incidents(struct reading *reading, const struct node *root)
{
    const struct settings *settings = reading->settings;
    if (settings->incidents.slow_late > settings->incidents.slow_of) {
        problem_error(reading->problems, node_place(node_of(root, "incidents"), "slow_late"),
                      "slow_late: is above slow_of");
    }
    if (settings->maintenance.recovery.ns < settings->maintenance.settle.ns) {
        problem_error(reading->problems, node_place(node_of(root, "maintenance"), "recovery"),
                      "recovery: is below settle");
    }
}

static void check_mesh_key(struct reading *reading, const struct node *map, size_t index)
{
    struct settings *settings = reading->settings;
    const struct mesh_key_settings *from = &settings->mesh_key_files[index];
    struct mesh_key *key = &settings->mesh_keys.keys[index];
    struct secret secret;
    struct error error;
    text_copy(key->id, sizeof key->id, from->id);
    for (size_t i = 0; i < index && key->id[0] != '\0'; i++) {
        if (strcmp(settings->mesh_keys.keys[i].id, key->id) == 0) {
            problem_error(reading->problems, node_place(map, "id"),
                          "id: a second key is called '%s'", key->id);
        }
    }
    if (from->file[0] == '\0' || !reading->secrets) {
        return;
    }
    if (!secret_read(from->file, reading->beside, &secret, &error)) {
        problem_error(reading->problems, node_place(map, "file"), "file: %s", error.message);
    } else if (secret.length < MESH_KEY_SECRET_MINIMUM || secret.length > MESH_KEY_SECRET_MAXIMUM) {
        problem_error(reading->problems, node_place(map, "file"),
                      "file: %s: the key has %zu bytes, not %d to %d", from->file, secret.length,
                      MESH_KEY_SECRET_MINIMUM, MESH_KEY_SECRET_MAXIMUM);
    } else {
        memcpy(key->secret, secret.bytes, secret.length);
        key->secret_length = secret.length;
    }
    explicit_bzero(&secret, sizeof secret);
}

static void check_mesh_keys(struct reading *reading, const struct node *root)
{
    struct settings *settings = reading->settings;
    const struct node *map = node_of(root, "mesh_keys")->first;
    settings->mesh_keys.count = settings->mesh_key_count;
    for (size_t i = 0; i < settings->mesh_key_count; i++, map = map->next) {
        check_mesh_key(reading, map, i);
    }
}

static void check_peer(struct reading *reading, const struct node *map, struct peer_settings *peer)
{
    const struct settings *settings = reading->settings;
    if (peer->name[0] != '\0' && strcmp(peer->name, settings->server) == 0) {
        problem_error(reading->problems, node_place(map, "name"),
                      "name: '%s' is this server itself", peer->name);
    }
    if (peer->collect[0] != '\0' && settings_find_mailbox(settings, peer->collect) < 0) {
        problem_error(reading->problems, node_place(map, "collect"),
                      "collect: no mailbox is called '%s'", peer->collect);
    }
    if (peer->collect[0] != '\0' && peer->agent[0] != '\0') {
        problem_error(reading->problems, node_place(map, "collect"),
                      "collect: is for a peer without an agent, but this one has one");
    }
    if (node_member(map, "relay") == NULL) {
        peer->relay = settings->relay;
    } else {
        check_relay(reading, node_member(map, "relay"), &peer->relay);
    }
    if (node_member(map, "latency") != NULL) {
        check_path(reading, map, &peer->path);
    }
    peer->line = map->at.line;
    peer->reasons = PEER_CONFIGURED;
}

struct named_peer {
    const char *name;
    const struct node *map;
    uint32_t index;
};

static int compare_named_peers(const void *left, const void *right)
{
    const struct named_peer *a = left;
    const struct named_peer *b = right;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : a->index < b->index ? -1 : 1;
}

// Sorts the peers' names, which shows those that are there twice, and keeps the order for
// settings_find_peer.
static void index_peers(struct reading *reading, const struct node *first)
{
    struct settings *settings = reading->settings;
    size_t count = settings->configured_count;
    struct named_peer *named = memory_checked(calloc(count + 1, sizeof *named));
    for (uint32_t i = 0; i < count; i++, first = first->next) {
        named[i] = (struct named_peer){settings->configured_peers[i].name, first, i};
    }
    qsort(named, count, sizeof *named, compare_named_peers);
    uint32_t *by_name = arena_take(reading->arena, count * sizeof *by_name);
    for (size_t i = 0; i < count; i++) {
        by_name[i] = named[i].index;
        if (i > 0 && named[i].name[0] != '\0' && strcmp(named[i].name, named[i - 1].name) == 0) {
            problem_error(reading->problems, node_place(named[i].map, "name"),
                          "name: a second peer is called '%s'", named[i].name);
        }
    }
    free(named);
    settings->configured_by_name = by_name;
}

// Where each of them stands, the same text for those of one file.
static void note_origins(struct reading *reading, const struct node *map)
{
    const struct settings *settings = reading->settings;
    const char *origin = "";
    for (size_t i = 0; i < settings->configured_count; i++, map = map->next) {
        if (strcmp(origin, map->at.file->path) != 0) {
            origin = arena_copy_text(reading->arena, map->at.file->path);
        }
        ((struct peer_settings *)&settings->configured_peers[i])->origin = origin;
    }
}

static void check_peers(struct reading *reading, const struct node *root)
{
    const struct settings *settings = reading->settings;
    const struct node *list = node_of(root, "peers");
    if (settings->configured_count == 0 && settings->peers_from_count == 0) {
        problem_warning(reading->problems, list->at, "no peers: there is nothing to probe");
    }
    const struct node *map = list->first;
    for (size_t i = 0; i < settings->configured_count; i++, map = map->next) {
        check_peer(reading, map, (struct peer_settings *)&settings->configured_peers[i]);
    }
    note_origins(reading, list->first);
    index_peers(reading, list->first);
}

// Lists are read with sources that are in order, or what is wrong with these would be said again
// of each of their servers.
static void check_sources(struct reading *reading, const struct node *root)
{
    struct settings *settings = reading->settings;
    size_t errors = reading->problems->found->errors;
    const struct node *map = node_of(root, "peers_from")->first;
    for (size_t i = 0; i < settings->peers_from_count; i++, map = map->next) {
        source_settings_check(reading, map, &settings->peers_from[i]);
        if (node_member(map, "latency") != NULL) {
            check_path(reading, map, &settings->peers_from[i].path);
        }
    }
    if (reading->problems->found->errors == errors) {
        lists_gather(settings, reading->before, LISTS_FIRST, reading->problems);
    } else {
        mesh_join_peers(settings);
    }
}

// Bounces and answers must come back to where we read them.
static void derive_address(struct reading *reading, const struct node *root)
{
    struct settings *settings = reading->settings;
    if (node_member(root, "address") != NULL || settings->mailbox_count == 0) {
        return;
    }
    const char *user = settings->mailboxes[0].user;
    if (syntax_address(user)) {
        settings->address = user;
    } else if (user[0] != '\0') {
        problem_error(reading->problems, node_place(node_of(root, "mailboxes")->first, "user"),
                      "user: '%s' is not a mail address, so that 'address' is required", user);
    }
}

void settings_check(struct reading *reading, const struct node *root)
{
    check_mesh_keys(reading, root);
    check_relay(reading, node_of(root, "relay"), &reading->settings->relay);
    check_fetched_ca_files(reading, root);
    http_settings_check(reading, root);
    check_mailboxes(reading, root);
    derive_address(reading, root);
    check_path(reading, node_of(root, "defaults"), &reading->settings->defaults);
    check_retention(reading, root);
    check_incidents(reading, root);
    check_peers(reading, root);
    check_sources(reading, root);
    maintenance_settings_check(reading, root);
}
