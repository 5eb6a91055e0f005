// The configuration: one immutable snapshot, built whole, swapped whole.
//
// Everything a snapshot points to lives in its arena and dies with settings_destroy. Absent text is
// "". Spans and sizes are checked against the ranges in config/keys.c, which also makes the manual.
#ifndef MAILFLOW_CONFIG_CONFIG_H
#define MAILFLOW_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/instant.h"
#include "base/mesh_key.h"

enum tls_mode { TLS_NONE, TLS_STARTTLS, TLS_IMPLICIT };

// A bearer token instead of a password (RFC 6750).
struct oauth_settings {
    const char *token_file;           // "" = none; read at every use, for somebody keeps it fresh
    const char *const *token_command; // or a program and its arguments that print one
    size_t token_command_count;
    const char *mechanism; // "auto", "xoauth2", "oauthbearer"
};

// Where probes are handed over.
struct relay_settings {
    const char *host;
    uint16_t port;
    enum tls_mode tls; // never implicit: libESMTP has none
    bool insecure;     // TLS none to a host that is not this one
    const char *ca_file;
    const char *user; // "" = no AUTH
    const char *password;
    const char *password_file; // as configured
    struct oauth_settings oauth;
};

struct mailbox_settings {
    const char *name;
    const char *host;
    uint16_t port;
    enum tls_mode tls;
    bool insecure;
    const char *ca_file;
    const char *user;
    const char *password;
    const char *password_file; // as configured
    struct oauth_settings oauth;
    const char *const *folders; // at least INBOX
    size_t folder_count;
    const char *authserv_id; // "" = no Authentication-Results are read
};

struct latency_settings {
    struct span warning;
    struct span critical;
};

// What `defaults` gives to every peer and a peer may set for itself.
struct path_settings {
    struct span interval;
    struct latency_settings latency;
    uint32_t thin_after;
    struct span thin_interval;
    struct span queue_lifetime;
};

struct peer_settings {
    const char *name;
    const char *address;
    const char *agent;       // "" = by mail only
    const char *mail_server; // "host" or "host:port"; "" = where its mail goes
    const char *collect;     // "" = an agent stands beside it
    struct relay_settings relay;
    struct path_settings path;
    // Where it comes from, and why it is a peer.
    const char *origin; // the file, or the name that was asked for
    unsigned line;      // of the file, else 0
    uint8_t reasons;    // bits of enum peer_reason
};

enum peer_reason {
    PEER_CONFIGURED = 1, // in `peers`
    PEER_LISTED = 2,     // in a list of `peers_from`, of which all are peers
    PEER_WATCHED = 4,    // in such a list, of which `fanout` gives us this one to watch,
    PEER_WATCHER = 8,    // or gives us to it
};

// Where lists of peers come from: files, or one name of the DNS. What stands in braces in a
// template is replaced for each of them.
struct peer_source_settings {
    const char *const *files; // patterns in their last part
    size_t file_count;
    const char *srv; // "" = files
    struct span refresh;
    const char *name;
    const char *address;
    const char *agent;
    struct path_settings path;
};

// One list that was read, or could not be.
struct peer_list {
    const char *name; // the file, or the name that was asked for
    const char *file; // where that answer is kept; else the name
    uint32_t source;  // in peers_from
    bool srv;
    size_t count;        // servers in it
    const char *failure; // why what was read before stands, "" when it does not
};

// A server of the lists. This one may be among them.
struct listed_server {
    const char *name;
    const char *address;
    const char *agent;
    const char *mail_server;
    uint32_t list;
    unsigned line; // 0 when the DNS says it
};

// A window that recurs, or comes once.
struct window_settings {
    const char *server;
    const char *start; // local time
    const char *zone;  // "" = this machine's
    const char *rrule; // RFC 5545; "" = once
    struct span length;
    const char *kind; // "routine", "emergency"
    const char *reason;
};

// Whose silences are windows: one Alertmanager, or the members of a cluster.
struct alertmanager_settings {
    const char *url;         // "" = see urls
    const char *const *urls; // none, and no url: there is no Alertmanager
    size_t url_count;
    const char *matcher; // the label that names the server
    const char *ca_file;
    struct span interval;
};

struct maintenance_settings {
    struct span settle;
    struct span recovery;
    const char *const *calendars; // files
    size_t calendar_count;
    const char *flags_dir; // "" = none
    const struct window_settings *windows;
    size_t window_count;
    struct alertmanager_settings alertmanager;
};

struct incident_settings {
    struct span hold; // how long down, silent and slow wait for their cause; zero: one interval
    struct span reminder;
    struct span blind_after;
    struct span isolated_after;
    uint32_t refused_after;
    uint32_t slow_late; // late decisions ...
    uint32_t slow_of;   // ... of the last so many
    uint32_t rerouted_after;
    uint32_t close_after;
    struct span certificate_expires; // one that is good for no longer than this is an incident
};

struct http_settings {
    const char *const *listen; // "127.0.0.1:9925", "[::1]:9925"
    size_t listen_count;
    const char *control;
    const char *url;              // where the peers' agents reach us; "" = by mail only
    const char *ca_file;          // who vouches for the agents of our peers
    const char *certificate_file; // "" = in the clear
    const char *certificate;      // its content, PEM
    const char *key_file;         // as configured
    const char *key;              // its content, PEM
    const char *token_file;       // as configured; "" = no writes over TCP
    const char *token;
};

struct syslog_settings {
    int facility; // LOG_MAIL ...
    const char *socket;
};

// Where a mesh key came from; the key itself is in mesh_keys, at the same index.
struct mesh_key_settings {
    const char *id;
    const char *file;
};

struct settings {
    struct arena *arena;      // of the files of the configuration, shared by what was reread
    unsigned *sharers;        // how many settings have that arena
    struct arena *list_arena; // of the lists, and of what follows from them
    const char *server;
    const char *address; // where bounces and answers come back: the probes' sender
    const char *state_dir;
    struct span retention; // how long resolved probes stay in the ledger
    struct mesh_keys mesh_keys;
    const struct mesh_key_settings *mesh_key_files;
    size_t mesh_key_count;
    struct relay_settings relay; // of every peer that names none of its own
    struct http_settings http;
    struct syslog_settings syslog;
    const struct mailbox_settings *mailboxes;
    size_t mailbox_count;
    struct path_settings defaults;
    struct maintenance_settings maintenance;
    struct incident_settings incidents;
    const struct peer_settings *configured_peers;
    size_t configured_count;
    const uint32_t *configured_by_name; // their indices in the order of their names
    const struct peer_source_settings *peers_from;
    size_t peers_from_count;
    uint32_t fanout; // 0 = every server of the lists is a peer
    const struct peer_list *lists;
    size_t list_count;
    const struct listed_server *listed; // by name; what two lists name is there twice
    size_t listed_count;
    const struct listed_server *mesh; // the same, each once
    size_t mesh_count;
    bool unlisted;                     // there are lists, and this server is in none of them
    const struct peer_settings *peers; // in force: the configured ones, and those out of the lists
    size_t peer_count;
    const uint32_t *peers_by_name; // likewise
};

// One thing wrong with the configuration. Line and column count from 1; 0 where there is none.
struct config_problem {
    char file[256];
    unsigned line;
    unsigned column;
    bool warning; // worth saying, but the configuration is usable
    char message[400];
};

// Problems in the order of the files; what passes the limit is counted only.
enum { CONFIG_PROBLEMS_MAXIMUM = 64 };
struct config_problems {
    struct config_problem items[CONFIG_PROBLEMS_MAXIMUM];
    size_t count;
    size_t errors; // all errors, those past the limit included
};

// Whether there is a configuration, be it one that we may not even look at; else errno is ENOENT.
bool config_exists(const char *file);

// Reads the file and conf.d/*.yaml beside it, and every secret named in them. NULL when any problem
// is an error; the caller owns the snapshot.
struct settings *settings_load(const char *file, struct config_problems *problems);

// The same with the secrets left empty and their files unopened: for tools that need not know them
// and may not.
struct settings *settings_load_without_secrets(const char *file, struct config_problems *problems);

// The same for an agent at work: a list that cannot be read now stays as it is in `before`, which
// is a warning; said once, unless it is another reason.
struct settings *settings_load_after(const char *file, const struct settings *before,
                                     struct config_problems *problems);

// `before` with its lists read again, and nothing else.
struct settings *settings_reread_lists(const struct settings *before,
                                       struct config_problems *problems);

// Whether the lists of both say the same, in the same places, and fail alike.
bool settings_same_lists(const struct settings *a, const struct settings *b);

void settings_destroy(struct settings *settings);

// "file:line:column: message" without a newline.
struct text;
void config_problem_format(const struct config_problem *problem, struct text *out);

// Prints the configuration in force as YAML, defaults written out. Secrets are not in it, only the
// files they came from, so that it can be shown to anyone and loaded again.
void settings_print_effective(const struct settings *settings, FILE *out);

// The index of a peer or mailbox by name, or -1.
int settings_find_peer(const struct settings *settings, const char *name);
int settings_find_mailbox(const struct settings *settings, const char *name);

// Whether a server is this one, a peer, or in a list.
bool settings_in_mesh(const struct settings *settings, const char *name);

// The server's place in the lists, or -1.
int settings_find_listed(const struct settings *settings, const char *name);

// Why each of settings->mesh is a peer of the server, which need not be in there itself: bits of
// enum peer_reason, 0 where it is none.
void settings_pick_peers(const struct settings *settings, const char *server, uint8_t *reasons);

#endif
