// What setup and join are about to write: the answers to their questions. It begins with what this
// machine suggests, the command line says more, and questions may change it (plan_questions.h).
#ifndef MAILFLOW_CTL_PLAN_H
#define MAILFLOW_CTL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "ctl/mesh_token.h"
#include "ctl/options.h"
#include "probes/probe.h"

enum { PLAN_LISTEN_MAXIMUM = 4, PLAN_LISTEN_SIZE = 64 };

struct plan {
    char server[SERVER_NAME_SIZE];
    char address[PROBE_ADDRESS_SIZE]; // "" = the IMAP user, when that is an address
    struct probe_endpoint imap;       // port 0 = the usual one
    struct probe_endpoint relay;      // its password "" = that of the mailbox
    char folders[PROBE_FOLDERS_MAXIMUM][PROBE_FOLDER_SIZE];
    size_t folder_count; // 0 = INBOX
    char url[FETCH_URL_SIZE];
    char listen[PLAN_LISTEN_MAXIMUM][PLAN_LISTEN_SIZE];
    size_t listen_count;             // 0 = by the URL, else the usual one
    char state_dir[PROBE_PATH_SIZE]; // "" = the usual one
    char control[PROBE_PATH_SIZE];   // likewise
    struct mesh_key key;
    struct mesh_server peers[MESH_TOKEN_SERVERS_MAXIMUM];
    size_t peer_count;
};

// The files that the configuration names, beside it. The names are the credentials of the unit.
#define PLAN_MESH_KEY       "mesh.key"
#define PLAN_PASSWORD       "probe.password"
#define PLAN_RELAY_PASSWORD "relay.password"

void plan_begin(struct plan *plan);

// Reads the password files, too. False with the reason.
bool plan_take_command(struct plan *plan, const struct command *command, struct error *error);

// Another host, or host:port; what is left open is by the kind of TLS.
void plan_set_imap(struct plan *plan, const char *host_port);
void plan_set_relay(struct plan *plan, const char *host_port);
enum probe_tls plan_tls(const char *word);
const char *plan_tls_word(enum probe_tls tls);

// A new mesh key in the form in which the file has it: 32 random bytes, base64.
void plan_make_key(struct plan *plan);

// The configuration as YAML.
void plan_print(const struct plan *plan, FILE *out);

// A file of conf.d with these peers.
void plan_print_peers(const struct mesh_server *peers, size_t count, FILE *out);

#endif
