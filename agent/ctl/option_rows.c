#include "ctl/option_rows.h"

#define SETUP(field) offsetof(struct command, setup.field)

const struct option_row OPTION_ROWS[OPTIONS] = {
    [OPTION_CONTROL] = {"control", '\0', VALUE_TEXT, "SOCKET", offsetof(struct command, control),
                        "the agent's control socket (default: http.control\n"
                        "of the configuration)"},
    [OPTION_CONFIG] = {"config", '\0', VALUE_TEXT, "FILE", offsetof(struct command, config),
                       "the agent's configuration (default:\n"
                       "/etc/mailflow/mailflow.yaml)"},
    [OPTION_TIMEOUT] = {"timeout", '\0', VALUE_SPAN, "DURATION", offsetof(struct command, timeout),
                        "how long to wait for each answer of the agent\n"
                        "(default: 10s)"},
    [OPTION_JSON] = {"json", '\0', VALUE_NONE, "", offsetof(struct command, json),
                     "print JSON, as the agent's API has it"},
    [OPTION_HELP] = {"help", 'h', VALUE_NONE, "", offsetof(struct command, help), "this text"},
    [OPTION_VERSION] = {"version", '\0', VALUE_NONE, "", offsetof(struct command, version),
                        "the version of this program"},
    [OPTION_WAIT] = {"wait", '\0', VALUE_WAIT, "[DURATION]", offsetof(struct command, wait),
                     "how long to wait for what is asked for\n"
                     "(default: 60s); 0 does not wait"},
    [OPTION_WARNING] = {"warning", 'w', VALUE_SPAN, "DURATION", offsetof(struct command, warning),
                        "exit 1 when the latency is more than this"},
    [OPTION_CRITICAL] = {"critical", 'c', VALUE_SPAN, "DURATION",
                         offsetof(struct command, critical),
                         "exit 2 when the latency is more than this"},
    [OPTION_SINCE] = {"since", '\0', VALUE_SINCE, "WHEN", offsetof(struct command, since),
                      "a duration back from now, or a time\n"
                      "(default: 24h)"},
    [OPTION_LIMIT] = {"limit", '\0', VALUE_COUNT, "N", offsetof(struct command, limit),
                      "at most so many, the newest"},
    [OPTION_FOR] = {"for", '\0', VALUE_SPAN, "DURATION", offsetof(struct command, duration),
                    "how long"},
    [OPTION_KIND] = {"kind", '\0', VALUE_KIND, "KIND", offsetof(struct command, kind),
                     "routine (the default) or emergency"},
    [OPTION_REASON] = {"reason", '\0', VALUE_TEXT, "TEXT", offsetof(struct command, reason),
                       "what for; an emergency needs one"},
    [OPTION_AT] = {"at", '\0', VALUE_TIME, "TIME", offsetof(struct command, at),
                   "when it begins (default: now): 22:30,\n"
                   "2026-07-28T22:30 or RFC 3339"},
    [OPTION_FORCE] = {"force", '\0', VALUE_NONE, "", offsetof(struct command, force),
                      "replace what is there"},
    [OPTION_LEDGER] = {"ledger", '\0', VALUE_TEXT, "FILE", offsetof(struct command, ledger),
                       "a ledger (default: ledger.db in the state_dir\n"
                       "of the configuration)"},
    [OPTION_WINDOW] = {"window", '\0', VALUE_WINDOW, "WINDOW", 0,
                       "SERVER=BEGIN/END or SERVER=BEGIN/DURATION, as if\n"
                       "it had been announced; a BEGIN without a date\n"
                       "is the last such time; may be given again"},
    [OPTION_NO_WINDOWS] = {"no-windows", '\0', VALUE_NONE, "", offsetof(struct command, no_windows),
                           "without the windows that there were"},
    [OPTION_EFFECTIVE] = {"effective", '\0', VALUE_NONE, "", offsetof(struct command, effective),
                          "print the configuration in force, defaults\n"
                          "written out"},
    [OPTION_ALL] = {"all", '\0', VALUE_NONE, "", offsetof(struct command, all),
                    "also windows that are over or cancelled, or begin\n"
                    "in more than 7 days"},
    [OPTION_OF] = {"of", '\0', VALUE_TEXT, "SERVER", offsetof(struct command, of),
                   "as this server makes it out of the same lists"},
    [OPTION_LIVE] = {"live", '\0', VALUE_NONE, "", offsetof(struct command, live),
                     "connect to every mailbox, relay and peer"},
    [OPTION_PROBERS] = {"probers", '\0', VALUE_TEXT, "DIR", offsetof(struct command, probers),
                        "where mailflow-submit and its siblings are\n"
                        "(default: where they were installed)"},
    [OPTION_YES] = {"yes", 'y', VALUE_NONE, "", SETUP(yes), "ask nothing: flags and defaults"},
    [OPTION_UNTESTED] = {"untested", '\0', VALUE_NONE, "", SETUP(untested),
                         "write without trying SMTP and IMAP"},
    [OPTION_SERVER] = {"server", '\0', VALUE_TEXT, "NAME", SETUP(server),
                       "this server's name in the mesh (default: the host\n"
                       "name up to the first dot)",
                       &FORM_SERVER},
    [OPTION_IMAP] = {"imap", '\0', VALUE_TEXT, "HOST[:PORT]", SETUP(imap),
                     "the IMAP server of the probes' mailbox (default:\n"
                     "this machine's full name)",
                     &FORM_HOST_PORT},
    [OPTION_IMAP_TLS] = {"imap-tls", '\0', VALUE_TEXT, "MODE", SETUP(imap_tls),
                         "starttls (the default), implicit or none", &FORM_TLS},
    [OPTION_USER] = {"user", '\0', VALUE_TEXT, "USER", SETUP(user),
                     "the IMAP user (default: probe@ and the full name)", &FORM_FILLED},
    [OPTION_PASSWORD_FILE] = {"password-file", '\0', VALUE_TEXT, "FILE", SETUP(password_file),
                              "a file with the user's password, - for standard\n"
                              "input; it is copied beside the configuration",
                              &FORM_FILLED},
    [OPTION_CA_FILE] = {"ca-file", '\0', VALUE_TEXT, "FILE", SETUP(ca_file),
                        "PEM file of the authority of the IMAP server's\n"
                        "certificate (default: the system's store)",
                        &FORM_PATH},
    [OPTION_FOLDER] = {"folder", '\0', VALUE_TEXTS, "NAME", SETUP(folders),
                       "a folder in which probes may arrive (default:\n"
                       "INBOX); may be given again",
                       &FORM_FILLED},
    [OPTION_ADDRESS] = {"address", '\0', VALUE_TEXT, "ADDRESS", SETUP(address),
                        "the mailbox's mail address (default: the IMAP user)", &FORM_ADDRESS},
    [OPTION_RELAY] = {"relay", '\0', VALUE_TEXT, "HOST[:PORT]", SETUP(relay),
                      "the SMTP server that probes are handed to (default:\n"
                      "127.0.0.1:25, this machine's own)",
                      &FORM_HOST_PORT},
    [OPTION_RELAY_TLS] = {"relay-tls", '\0', VALUE_TEXT, "MODE", SETUP(relay_tls),
                          "none or starttls (default: none to this machine)", &FORM_RELAY_TLS},
    [OPTION_RELAY_USER] = {"relay-user", '\0', VALUE_TEXT, "USER", SETUP(relay_user),
                           "log in at the relay (default: no)", &FORM_FILLED},
    [OPTION_RELAY_PASSWORD_FILE] = {"relay-password-file", '\0', VALUE_TEXT, "FILE",
                                    SETUP(relay_password_file),
                                    "its password (default: that of the mailbox)", &FORM_FILLED},
    [OPTION_RELAY_CA_FILE] = {"relay-ca-file", '\0', VALUE_TEXT, "FILE", SETUP(relay_ca_file),
                              "as --ca-file, of the relay (default: that)", &FORM_PATH},
    [OPTION_AGENT_URL] = {"agent-url", '\0', VALUE_TEXT, "URL", SETUP(agent_url),
                          "where the peers' agents reach this one, such as\n"
                          "http://mx01.example:9925 (default: by mail alone);\n"
                          "https:// or no port needs --listen, https:// also\n"
                          "http.certificate_file; or a proxy",
                          &FORM_URL},
    [OPTION_LISTEN] = {"listen", '\0', VALUE_TEXTS, "ADDRESS:PORT", SETUP(listen),
                       "where the agent listens (default: 127.0.0.1:9925,\n"
                       "with an agent's URL of http:// and a port 0.0.0.0\n"
                       "and that port); may be given again",
                       &FORM_LISTEN},
    [OPTION_STATE_DIR] = {"state-dir", '\0', VALUE_TEXT, "DIR", SETUP(state_dir),
                          "where the ledger lives (default: /var/lib/mailflow)", &FORM_PATH},
    [OPTION_PEER] = {"peer", '\0', VALUE_TEXTS, "NAME=ADDRESS[=URL]", SETUP(peers),
                     "a peer, and its agent's URL; may be given again", &FORM_PEER},
};
