#include "config/keys.h"

#include <string.h>

#include "base/suggest.h"
#include "config/config.h"

#define MILLISECOND INT64_C(1000000)
#define SECOND      (1000 * MILLISECOND)
#define MINUTE      (60 * SECOND)
#define HOUR        (60 * MINUTE)
#define DAY         (24 * HOUR)

// Longest texts; those that go to a prober must fit its job (probes/probe.h).
enum {
    HOST_LENGTH = 255,
    ADDRESS_LENGTH = 320,
    PATH_LENGTH = 255,
    SOCKET_LENGTH = 107, // sun_path
    URL_LENGTH = 512,
    NAME_LENGTH = 32,
    LABEL_LENGTH = 64,
    RECURRENCE_LENGTH = 512,
    REASON_LENGTH = 159,
    AUTHSERV_LENGTH = 127,
    SRV_LENGTH = 200, // its answer is kept in a file of that name
};

#define AT(type, field)             .offset = offsetof(struct type, field)
#define COUNTED(type, field, count) AT(type, field), .count_offset = offsetof(struct type, count)
#define RANGE(low, high)            .minimum = (low), .maximum = (high)
#define LENGTH(longest)             .maximum = (longest)
#define SECTION(type, rows)                                                                        \
    {                                                                                              \
        (rows), sizeof(rows) / sizeof((rows)[0]), sizeof(struct type)                              \
    }

static const struct key LATENCY_KEYS[] = {
    {"warning", KEY_SPAN, AT(latency_settings, warning), .fallback = "60s", RANGE(MILLISECOND, DAY),
     .help = "A probe that took longer is late."},
    {"critical", KEY_SPAN, AT(latency_settings, critical), .fallback = "5m",
     RANGE(MILLISECOND, 7 * DAY),
     .help = "Later than this is critical, and nothing arriving for this long is silence."},
};
static const struct section LATENCY_SECTION = SECTION(latency_settings, LATENCY_KEYS);

static const struct key PATH_KEYS[] = {
    {"interval", KEY_SPAN, AT(path_settings, interval), .fallback = "60s", RANGE(SECOND, DAY),
     .help = "One probe to the peer every so often."},
    {"latency", KEY_MAP, .holds = &LATENCY_SECTION, AT(path_settings, latency), .fallback = "",
     .help = "Thresholds of the delivery latency."},
    {"thin_after", KEY_NUMBER, AT(path_settings, thin_after), .fallback = "8", RANGE(1, 1000),
     .help = "After so many unanswered probes into an outage the cadence slows down."},
    {"thin_interval", KEY_SPAN, AT(path_settings, thin_interval), .fallback = "15m",
     RANGE(SECOND, DAY), .help = "The cadence it slows down to, until the peer is heard again."},
    {"queue_lifetime", KEY_SPAN, AT(path_settings, queue_lifetime), .fallback = "132h",
     RANGE(HOUR, 30 * DAY),
     .help = "How long mail servers may keep retrying; a probe is lost only after that."},
};
static const struct section PATH_SECTION = SECTION(path_settings, PATH_KEYS);

static const struct key OAUTH_KEYS[] = {
    {"token_file", KEY_SECRET_FILE, AT(oauth_settings, token_file), .fallback = "",
     LENGTH(PATH_LENGTH), .derived = "a password",
     .help = "File that holds a bearer token, read at every use: somebody else keeps it fresh.",
     .example = "/run/mailflow/probe.token"},
    {"token_command", KEY_LIST, .item = KEY_TEXT,
     COUNTED(oauth_settings, token_command, token_command_count), .fallback = "", RANGE(0, 16),
     .help = "Instead of `token_file`, a program (its absolute path) and its arguments: it prints "
             "a bearer token, or the JSON object of a token endpoint with `access_token` and "
             "`expires_in`, within 20s. It is run without a shell when there is no token yet, when "
             "the one there is ends, and when a server refuses it.",
     .example = "/usr/local/bin/provider-token"},
    {"mechanism", KEY_OAUTH_MECHANISM, AT(oauth_settings, mechanism), .fallback = "auto",
     LENGTH(LABEL_LENGTH), .help = "`xoauth2`, `oauthbearer`, or `auto`: what the server offers."},
};
static const struct section OAUTH_SECTION = SECTION(oauth_settings, OAUTH_KEYS);

static const struct key RELAY_KEYS[] = {
    {"host", KEY_HOST, AT(relay_settings, host), .fallback = "127.0.0.1", LENGTH(HOST_LENGTH),
     .help = "The SMTP server that probes are handed to; our own, so that its real queue is "
             "tested."},
    {"port", KEY_PORT, AT(relay_settings, port), .fallback = "25", RANGE(1, 65535),
     .help = "Its port."},
    {"tls", KEY_TLS, AT(relay_settings, tls), .fallback = "none",
     .help = "`starttls`, or `none`, which only this machine may have unless `insecure` is set."},
    {"insecure", KEY_BOOLEAN, AT(relay_settings, insecure), .fallback = "false",
     .help = "Allows `tls: none` to another machine: probes and password go in the clear."},
    {"ca_file", KEY_CA_FILE, AT(relay_settings, ca_file), .fallback = "", LENGTH(PATH_LENGTH),
     .derived = "the system's store",
     .help = "PEM file of the authorities that may vouch for the server.",
     .example = "/etc/mailflow/ca.pem"},
    {"user", KEY_TEXT, AT(relay_settings, user), .fallback = "", LENGTH(HOST_LENGTH),
     .derived = "no authentication", .help = "User name for SMTP AUTH.",
     .example = "probe@mx02.example"},
    {"password_file", KEY_SECRET_FILE, AT(relay_settings, password_file), .fallback = "",
     LENGTH(PATH_LENGTH), .help = "File that holds the user's password.",
     .example = "/etc/mailflow/relay.password"},
    {"oauth", KEY_MAP, .holds = &OAUTH_SECTION, AT(relay_settings, oauth), .fallback = "",
     .help = "A bearer token instead of the password."},
};
static const struct section RELAY_SECTION = SECTION(relay_settings, RELAY_KEYS);

static const struct key MESH_KEY_KEYS[] = {
    {"id", KEY_KEY_ID, AT(mesh_key_settings, id), LENGTH(MESH_KEY_ID_SIZE - 1),
     .help = "Name of the key, the same on every server.", .example = "k1"},
    {"file", KEY_SECRET_FILE, AT(mesh_key_settings, file), LENGTH(PATH_LENGTH),
     .help = "File that holds the key: 16 to 64 bytes, the same on every server.",
     .example = "/etc/mailflow/mesh.key"},
};
static const struct section MESH_KEY_SECTION = SECTION(mesh_key_settings, MESH_KEY_KEYS);

static const struct key HTTP_KEYS[] = {
    {"listen", KEY_LIST, .item = KEY_LISTEN, COUNTED(http_settings, listen, listen_count),
     .fallback = "127.0.0.1:9925", RANGE(0, 16),
     .help = "Addresses of the read-only pages and metrics, and of the peers' agents; port 0 lets "
             "the kernel choose."},
    {"control", KEY_PATH, AT(http_settings, control), .fallback = "/run/mailflow/control.sock",
     LENGTH(SOCKET_LENGTH), .help = "The socket over which mailflowctl gives orders."},
    {"url", KEY_URL, AT(http_settings, url), .fallback = "", LENGTH(URL_LENGTH),
     .derived = "by mail only",
     .help = "Where the agents of our peers reach this one; `mailflowctl join` and `invite` tell "
             "them.",
     .example = "http://mx02.example:9925"},
    {"certificate_file", KEY_CA_FILE, AT(http_settings, certificate_file), .fallback = "",
     LENGTH(PATH_LENGTH), .derived = "in the clear",
     .help = "PEM file of our certificate and its chain: every `listen` address speaks HTTPS then.",
     .example = "/etc/mailflow/mx02.pem"},
    {"key_file", KEY_SECRET_FILE, AT(http_settings, key_file), .fallback = "", LENGTH(PATH_LENGTH),
     .help = "PEM file of the certificate's private key.", .example = "/etc/mailflow/mx02.key"},
    {"token_file", KEY_SECRET_FILE, AT(http_settings, token_file), .fallback = "",
     LENGTH(PATH_LENGTH), .derived = "orders over the control socket only",
     .help = "File that holds the bearer token with which orders are taken over HTTPS as well.",
     .example = "/etc/mailflow/http.token"},
    {"ca_file", KEY_CA_FILE, AT(http_settings, ca_file), .fallback = "", LENGTH(PATH_LENGTH),
     .derived = "the system's store",
     .help = "PEM file of the authorities that may vouch for the agents of our peers.",
     .example = "/etc/mailflow/ca.pem"},
};
static const struct section HTTP_SECTION = SECTION(http_settings, HTTP_KEYS);

static const struct key SYSLOG_KEYS[] = {
    {"facility", KEY_FACILITY, AT(syslog_settings, facility), .fallback = "mail",
     .help = "The syslog facility of every line."},
    {"socket", KEY_PATH, AT(syslog_settings, socket), .fallback = "/dev/log", LENGTH(SOCKET_LENGTH),
     .help = "The socket of the syslog daemon."},
};
static const struct section SYSLOG_SECTION = SECTION(syslog_settings, SYSLOG_KEYS);

static const struct key MAILBOX_KEYS[] = {
    {"name", KEY_LABEL, AT(mailbox_settings, name), LENGTH(LABEL_LENGTH),
     .help = "What the mailbox is called in messages and metrics.", .example = "local"},
    {"host", KEY_HOST, AT(mailbox_settings, host), LENGTH(HOST_LENGTH), .help = "The IMAP server.",
     .example = "mx02.example"},
    {"port", KEY_PORT, AT(mailbox_settings, port), .fallback = "", RANGE(1, 65535),
     .derived = "143; 993 with `tls: implicit`", .help = "Its port.", .example = "143"},
    {"tls", KEY_TLS, AT(mailbox_settings, tls), .fallback = "starttls",
     .help = "`implicit`, which is the default on port 993, `starttls`, or `none`, which only this "
             "machine may have unless `insecure` is set."},
    {"insecure", KEY_BOOLEAN, AT(mailbox_settings, insecure), .fallback = "false",
     .help = "Allows `tls: none` to another machine: the password goes in the clear."},
    {"ca_file", KEY_CA_FILE, AT(mailbox_settings, ca_file), .fallback = "", LENGTH(PATH_LENGTH),
     .derived = "the system's store",
     .help = "PEM file of the authorities that may vouch for the server.",
     .example = "/etc/mailflow/ca.pem"},
    {"user", KEY_TEXT, AT(mailbox_settings, user), LENGTH(HOST_LENGTH),
     .help = "The IMAP user; only probes in its folders are touched.",
     .example = "probe@mx02.example"},
    {"password_file", KEY_SECRET_FILE, AT(mailbox_settings, password_file), .fallback = "",
     LENGTH(PATH_LENGTH), .derived = "required, unless there is a token",
     .help = "File that holds the user's password.", .example = "/etc/mailflow/probe.password"},
    {"oauth", KEY_MAP, .holds = &OAUTH_SECTION, AT(mailbox_settings, oauth), .fallback = "",
     .help = "A bearer token instead of the password."},
    {"folders", KEY_LIST, .item = KEY_TEXT, COUNTED(mailbox_settings, folders, folder_count),
     .fallback = "INBOX", RANGE(1, 8),
     .help = "The folders in which probes may arrive, and where they should in front; add the one "
             "for junk: what arrives there is `misplaced`."},
    {"authserv_id", KEY_TEXT, AT(mailbox_settings, authserv_id), .fallback = "",
     LENGTH(AUTHSERV_LENGTH), .derived = "no such header is read",
     .help = "The name under which the receiving server writes Authentication-Results; only the "
             "topmost header of that name is believed.",
     .example = "mx02.example"},
};
static const struct section MAILBOX_SECTION = SECTION(mailbox_settings, MAILBOX_KEYS);

static const struct key INCIDENT_KEYS[] = {
    {"hold", KEY_SPAN, AT(incident_settings, hold), .fallback = "0s", RANGE(0, HOUR),
     .derived = "`0s`: one interval, but at least 30s and at most 5m",
     .help = "How long `down`, `silent` and `slow` wait for their cause before they notify.",
     .example = "60s"},
    {"reminder", KEY_SPAN, AT(incident_settings, reminder), .fallback = "4h",
     RANGE(MINUTE, 30 * DAY), .help = "An open incident is notified again every so often."},
    {"blind_after", KEY_SPAN, AT(incident_settings, blind_after), .fallback = "2m",
     RANGE(SECOND, DAY), .help = "A mailbox that cannot be read for this long is an incident."},
    {"isolated_after", KEY_SPAN, AT(incident_settings, isolated_after), .fallback = "2m",
     RANGE(SECOND, DAY),
     .help = "Our relay may refuse everything for this long before that is one incident, ours; "
             "`refused` waits for it."},
    {"refused_after", KEY_NUMBER, AT(incident_settings, refused_after), .fallback = "3",
     RANGE(1, 64), .help = "So many definite refusals in a row open `refused`."},
    {"slow_late", KEY_NUMBER, AT(incident_settings, slow_late), .fallback = "3", RANGE(1, 64),
     .help = "So many late probes, of the last `slow_of`, open `slow`."},
    {"slow_of", KEY_NUMBER, AT(incident_settings, slow_of), .fallback = "5", RANGE(1, 64),
     .help = "The number of recent probes that `slow_late` is counted in."},
    {"rerouted_after", KEY_NUMBER, AT(incident_settings, rerouted_after), .fallback = "3",
     RANGE(1, 64),
     .help = "So many probes in a row over another route than the path is known to take open "
             "`rerouted`."},
    {"close_after", KEY_NUMBER, AT(incident_settings, close_after), .fallback = "2", RANGE(1, 64),
     .help = "So many probes on time in a row close an incident."},
    {"certificate_expires", KEY_SPAN, AT(incident_settings, certificate_expires), .fallback = "14d",
     RANGE(0, 366 * DAY),
     .help = "A certificate of a mail server, a peer's agent, the Alertmanager or ours that ends "
             "within this time is an incident."},
};
static const struct section INCIDENT_SECTION = SECTION(incident_settings, INCIDENT_KEYS);

static const struct key WINDOW_KEYS[] = {
    {"server", KEY_SERVER_NAME, AT(window_settings, server), LENGTH(NAME_LENGTH),
     .help = "The server in maintenance: this one or a peer.", .example = "mx01"},
    {"start", KEY_LOCAL_TIME, AT(window_settings, start), LENGTH(LABEL_LENGTH),
     .help = "When it begins, in local time; with `rrule`, when that rule begins to count.",
     .example = "2026-01-04T02:00"},
    {"for", KEY_SPAN, AT(window_settings, length), RANGE(SECOND, 366 * DAY),
     .help = "How long it is.", .example = "15m"},
    {"zone", KEY_ZONE, AT(window_settings, zone), .fallback = "", LENGTH(LABEL_LENGTH),
     .derived = "this machine's",
     .help = "The time zone of `start`. In the hour of a change of the clocks RFC 5545 holds: a "
             "time that comes twice is the first of the two.",
     .example = "Europe/Stockholm"},
    {"rrule", KEY_RECURRENCE, AT(window_settings, rrule), .fallback = "", LENGTH(RECURRENCE_LENGTH),
     .derived = "once", .help = "How it recurs (RFC 5545), every hour at most.",
     .example = "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2"},
    {"kind", KEY_WINDOW_KIND, AT(window_settings, kind), .fallback = "routine",
     LENGTH(LABEL_LENGTH), .help = "`routine`, or `emergency`, which needs a `reason`."},
    {"reason", KEY_TEXT, AT(window_settings, reason), .fallback = "", LENGTH(REASON_LENGTH),
     .help = "What the operators of the other servers will read.",
     .example = "weekly security updates"},
};
static const struct section WINDOW_SECTION = SECTION(window_settings, WINDOW_KEYS);

static const struct key ALERTMANAGER_KEYS[] = {
    {"url", KEY_URL, AT(alertmanager_settings, url), .fallback = "", LENGTH(URL_LENGTH),
     .derived = "the `urls`", .help = "Where it listens.",
     .example = "http://alertmanager.example:9093"},
    {"urls", KEY_LIST, .item = KEY_URL, COUNTED(alertmanager_settings, urls, url_count),
     .fallback = "", RANGE(0, 16),
     .help = "Instead of `url`, the members of a cluster: the first good answer counts.",
     .example = "http://am1.example:9093"},
    {"matcher", KEY_ALERT_LABEL, AT(alertmanager_settings, matcher), .fallback = "mailflow_server",
     LENGTH(LABEL_LENGTH),
     .help = "A silence is a window when it has a matcher of this label whose value is the name of "
             "a server of the mesh, or a regular expression that lists several."},
    {"ca_file", KEY_CA_FILE, AT(alertmanager_settings, ca_file), .fallback = "",
     LENGTH(PATH_LENGTH), .derived = "the system's store",
     .help = "The authority that vouches for its certificate."},
    {"interval", KEY_SPAN, AT(alertmanager_settings, interval), .fallback = "15s",
     RANGE(SECOND, HOUR), .help = "It is asked every so often."},
};
static const struct section ALERTMANAGER_SECTION =
    SECTION(alertmanager_settings, ALERTMANAGER_KEYS);

static const struct key MAINTENANCE_KEYS[] = {
    {"settle", KEY_SPAN, AT(maintenance_settings, settle), .fallback = "5m", RANGE(0, DAY),
     .help = "How long a server may take to answer again after a window's end, and we to see it "
             "after our own start: nothing is called silent before."},
    {"recovery", KEY_SPAN, AT(maintenance_settings, recovery), .fallback = "4900s",
     RANGE(MINUTE, 7 * DAY),
     .help = "How long after a window's end queues may take to drain: `settle` plus the longest "
             "retry of our own queue."},
    {"calendars", KEY_LIST, .item = KEY_PATH,
     COUNTED(maintenance_settings, calendars, calendar_count), .fallback = "", RANGE(0, 16),
     .help = "Calendar files (RFC 5545) whose events are windows: of the servers that "
             "X-MAINTNOTE-OBJECT-ID names, else of those named in LOCATION, else in CATEGORIES, "
             "else in SUMMARY. Of each file the next 14 days are taken, 256 windows at most.",
     .example = "/etc/mailflow/maintenance.ics"},
    {"flags_dir", KEY_PATH, AT(maintenance_settings, flags_dir), .fallback = "",
     LENGTH(PATH_LENGTH), .derived = "none",
     .help = "Directory of flags: a server is in maintenance while a file of its name exists, for "
             "4h at most unless the file says `until=22:30` or `for=6h` (also `reason=`, `kind=`).",
     .example = "/var/lib/mailflow/maintenance"},
    {"windows", KEY_MAPS, .holds = &WINDOW_SECTION,
     COUNTED(maintenance_settings, windows, window_count), .fallback = "", RANGE(0, 100),
     .help = "Windows that recur, or come once. Of each the next 14 days are taken, 256 windows at "
             "most."},
    {"alertmanager", KEY_MAP, .holds = &ALERTMANAGER_SECTION,
     AT(maintenance_settings, alertmanager), .fallback = "",
     .help = "An Alertmanager (API v2) whose silences are windows."},
};
static const struct section MAINTENANCE_SECTION = SECTION(maintenance_settings, MAINTENANCE_KEYS);

static const struct key PEER_KEYS[] = {
    {"name", KEY_SERVER_NAME, AT(peer_settings, name), LENGTH(NAME_LENGTH),
     .help = "The peer's name in the mesh: its own `server`.", .example = "mx01"},
    {"address", KEY_ADDRESS, AT(peer_settings, address), LENGTH(ADDRESS_LENGTH),
     .help = "Where probes to it go.", .example = "probe@mx01.example"},
    {"agent", KEY_URL, AT(peer_settings, agent), .fallback = "", LENGTH(URL_LENGTH),
     .derived = "by mail only",
     .help = "Its agent's HTTP address: windows and receipts are told in milliseconds, "
             "signed with the mesh key; by mail all the same when it cannot be reached.",
     .example = "https://mx01.example:9925"},
    {"mail_server", KEY_HOST_PORT, AT(peer_settings, mail_server), .fallback = "",
     LENGTH(HOST_LENGTH), .derived = "where the mail of its address goes, port 25",
     .help = "Its mail server: asked for its greeting before the peer is called down.",
     .example = "mx01.example:25"},
    {"collect", KEY_LABEL, AT(peer_settings, collect), .fallback = "", LENGTH(LABEL_LENGTH),
     .derived = "an agent stands beside the peer",
     .help = "The mailbox, of those above, where a peer without an agent gets its mail.",
     .example = "gmail-box"},
    {"relay", KEY_MAP, .holds = &RELAY_SECTION, AT(peer_settings, relay), .fallback = "",
     .inherits = offsetof(struct settings, relay), .derived = "the `relay` above",
     .help = "Where probes to this peer are handed over; takes nothing over from the `relay` "
             "above."},
    {"", KEY_SHARED, .holds = &PATH_SECTION, AT(peer_settings, path), .fallback = "",
     .inherits = offsetof(struct settings, defaults),
     .help = "Every key of `defaults`, for this peer alone."},
};
const struct section PEER_SECTION = SECTION(peer_settings, PEER_KEYS);

static const struct key PEER_SOURCE_KEYS[] = {
    {"files", KEY_LIST, .item = KEY_PATH, COUNTED(peer_source_settings, files, file_count),
     .fallback = "", RANGE(0, 16),
     .help = "Files in Prometheus' file_sd format (JSON or YAML: a list of `{targets: [...], "
             "labels: {...}}`), reread when they change. The last part of a path may be a pattern. "
             "A target is a host or host:port. Labels say otherwise what the keys below make of "
             "it: `mailflow_server` its name, `mailflow_address`, `mailflow_agent`, "
             "`mailflow_mail_server`; labels of others are left alone.",
     .example = "/etc/mailflow/peers/*.json"},
    {"srv", KEY_HOST, AT(peer_source_settings, srv), .fallback = "", LENGTH(SRV_LENGTH),
     .help = "A name of the DNS whose SRV records (RFC 2782) are the targets. While it does not "
             "answer, or has none, its last answer stands.",
     .example = "_mailflow._tcp.example.net"},
    {"refresh", KEY_SPAN, AT(peer_source_settings, refresh), .fallback = "5m", RANGE(SECOND, DAY),
     .help = "How often `srv` is asked for again."},
    {"name", KEY_TEXT, AT(peer_source_settings, name), .fallback = "{label}",
     LENGTH(ADDRESS_LENGTH),
     .help = "Each peer's name in the mesh. `{label}` is the first part of its host's name, "
             "`{host}` the whole of it; in a name its dots become dashes."},
    {"address", KEY_TEXT, AT(peer_source_settings, address), .fallback = "probe@{host}",
     LENGTH(ADDRESS_LENGTH), .help = "Where probes to it go. `{name}` is its name in the mesh."},
    {"agent", KEY_TEXT, AT(peer_source_settings, agent), .fallback = "", LENGTH(URL_LENGTH),
     .derived = "by mail only",
     .help = "Its agent's HTTP address. `{port}` is the port of the target.",
     .example = "https://{host}:9925"},
    {"", KEY_SHARED, .holds = &PATH_SECTION, AT(peer_source_settings, path), .fallback = "",
     .inherits = offsetof(struct settings, defaults),
     .help = "Every key of `defaults`, for these peers alone."},
};
static const struct section PEER_SOURCE_SECTION = SECTION(peer_source_settings, PEER_SOURCE_KEYS);

// What later rows refer to stands in earlier ones: peers take over `relay` and `defaults`.
static const struct key SETTINGS_KEYS[] = {
    {"server", KEY_SERVER_NAME, AT(settings, server), LENGTH(NAME_LENGTH),
     .help = "This server's name in the mesh.", .example = "mx02"},
    {"address", KEY_ADDRESS, AT(settings, address), .fallback = "", LENGTH(ADDRESS_LENGTH),
     .derived = "the first mailbox's user, when that is an address",
     .help = "The sender of our probes: where bounces and answers come back.",
     .example = "probe@mx02.example"},
    {"state_dir", KEY_PATH, AT(settings, state_dir), .fallback = "/var/lib/mailflow",
     LENGTH(PATH_LENGTH), .help = "Where the ledger lives."},
    {"retention", KEY_SPAN, AT(settings, retention), .fallback = "30d", RANGE(DAY, 3650 * DAY),
     .help = "How long resolved probes stay in the ledger."},
    {"mesh_keys", KEY_MAPS, .holds = &MESH_KEY_SECTION,
     COUNTED(settings, mesh_key_files, mesh_key_count), RANGE(1, MESH_KEYS_MAXIMUM),
     .help = "The keys that sign probes; the first signs, all verify, so that keys can rotate."},
    {"relay", KEY_MAP, .holds = &RELAY_SECTION, AT(settings, relay), .fallback = "",
     .help = "Where probes are handed over, unless a peer says otherwise."},
    {"http", KEY_MAP, .holds = &HTTP_SECTION, AT(settings, http), .fallback = "",
     .help = "Where the agent can be looked at and given orders."},
    {"syslog", KEY_MAP, .holds = &SYSLOG_SECTION, AT(settings, syslog), .fallback = "",
     .help = "Where alerts go."},
    {"mailboxes", KEY_MAPS, .holds = &MAILBOX_SECTION, COUNTED(settings, mailboxes, mailbox_count),
     RANGE(1, 1000), .help = "The IMAP mailboxes that probes are collected from."},
    {"defaults", KEY_MAP, .holds = &PATH_SECTION, AT(settings, defaults), .fallback = "",
     .help = "What holds for every peer that does not say otherwise."},
    {"incidents", KEY_MAP, .holds = &INCIDENT_SECTION, AT(settings, incidents), .fallback = "",
     .help = "When problems open, notify and close."},
    {"maintenance", KEY_MAP, .holds = &MAINTENANCE_SECTION, AT(settings, maintenance),
     .fallback = "",
     .help = "When servers are in maintenance, and how much time they get after it."},
    {"peers", KEY_MAPS, .holds = &PEER_SECTION,
     COUNTED(settings, configured_peers, configured_count), .fallback = "", RANGE(0, 10000),
     .help = "The servers that probes are exchanged with."},
    {"peers_from", KEY_MAPS, .holds = &PEER_SOURCE_SECTION,
     COUNTED(settings, peers_from, peers_from_count), .fallback = "", RANGE(0, 16),
     .help = "Lists of servers to exchange probes with as well, the same on every server, which "
             "leaves itself out. One that is also in `peers` is what it is there."},
    {"fanout", KEY_NUMBER, AT(settings, fanout), .fallback = "0", RANGE(0, 1000),
     .derived = "`0`: all of them",
     .help = "How many watchers every server of `peers_from` is to have, the same on every server: "
             "probes are exchanged with the servers that we watch and those that watch us.",
     .example = "4"},
};
const struct section SETTINGS_SECTION = SECTION(settings, SETTINGS_KEYS);

const struct key *key_find(const struct section *section, const char *name)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct key *key = &section->keys[i];
        if (key->type == KEY_SHARED) {
            key = key_find(key->holds, name);
            if (key != NULL) {
                return key;
            }
        } else if (strcmp(key->name, name) == 0) {
            return key;
        }
    }
    return NULL;
}

enum { KEYS_OF_A_SECTION = 32 };

// The names of the section's keys, those it shares with others included.
static size_t gather_names(const struct section *section, const char *names[KEYS_OF_A_SECTION],
                           size_t count)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct key *key = &section->keys[i];
        if (key->type == KEY_SHARED) {
            count = gather_names(key->holds, names, count);
        } else if (count < KEYS_OF_A_SECTION) {
            names[count++] = key->name;
        }
    }
    return count;
}

const char *key_suggest(const struct section *section, const char *name)
{
    const char *names[KEYS_OF_A_SECTION];
    return suggest_nearest(name, names, gather_names(section, names, 0));
}
