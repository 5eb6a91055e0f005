#include "ctl/verb.h"

#include <string.h>

#define TAKES(option) OPTION_BIT(OPTION_##option)

// The answers of setup and join.
#define TAKES_ANSWERS                                                                              \
    (TAKES(SERVER) | TAKES(IMAP) | TAKES(IMAP_TLS) | TAKES(USER) | TAKES(PASSWORD_FILE) |          \
     TAKES(CA_FILE) | TAKES(FOLDER) | TAKES(ADDRESS) | TAKES(RELAY) | TAKES(RELAY_TLS) |           \
     TAKES(RELAY_USER) | TAKES(RELAY_PASSWORD_FILE) | TAKES(RELAY_CA_FILE) | TAKES(AGENT_URL) |    \
     TAKES(LISTEN) | TAKES(STATE_DIR) | TAKES(PEER) | TAKES(YES) | TAKES(UNTESTED) |               \
     TAKES(FORCE) | TAKES(WAIT) | TAKES(PROBERS))

static const struct option_meaning MAINTENANCE_MEANINGS[] = {
    {OPTION_FORCE, "also when it is routine for more than 4 h"},
    {OPTION_WAIT, "how long to wait for the peers to acknowledge it\n"
                  "(default: 60s); without the option, not at all"},
    {OPTIONS, NULL},
};

static const struct option_meaning SIMULATE_MEANINGS[] = {
    {OPTION_SINCE, "a duration back from now, or a time (default: all\n"
                   "there is)"},
    {OPTIONS, NULL},
};

const struct verb VERBS[] = {
    {
        .name = "setup",
        .options = TAKES_ANSWERS,
        .secrets = true,
        .run = verb_setup,
        .summary = "set this server up: asks, tries, writes the configuration",
        .help =
            "Asks for what the agent needs to know, with what this machine suggests; or takes it\n"
            "from the options, and asks nothing with --yes or off a terminal. Tries it live: logs\n"
            "in to the mailbox, hands a probe for ourselves to the relay and waits until it has\n"
            "arrived (--wait), asks a relay without TLS and login whether it takes mail to the\n"
            "peers, and says what to do where something fails. Only then it writes\n"
            "the configuration (--config), and beside it the secrets, mesh.key and\n"
            "probe.password, readable for root alone; systemd hands them to the agent. In the\n"
            "end it says how to start the agent, and prints the line that takes the next server\n"
            "in.\n"
            "\n"
            "Nothing is written unless all of it is, and nothing that is there is replaced\n"
            "without --force; a mesh.key and a probe.password that are there are used. Passwords\n"
            "are typed unseen, or come from a file or standard input. --control and --state-dir\n"
            "go into the configuration.\n",
        .examples = "  mailflowctl setup\n"
                    "  mailflowctl setup --yes --user probe@mx01.example \\\n"
                    "      --password-file ./password\n"
                    "  vault get probe | mailflowctl setup --yes --imap mx01.example:993 \\\n"
                    "      --imap-tls implicit --password-file - \\\n"
                    "      --agent-url http://mx01.example:9925\n",
    },
    {
        .name = "join",
        .arguments = "[TOKEN|-]",
        .most = 1,
        .options = TAKES_ANSWERS,
        .secrets = true,
        .run = verb_join,
        .summary = "take this server into a mesh, or a new server into ours",
        .help =
            "On a server that is not set up yet: as setup, with the mesh key and the peers from\n"
            "the token of `mailflowctl setup` or `invite`. On one that is: adds the servers of\n"
            "the token that are not peers yet, each as conf.d/peer-NAME.yaml, and has a running\n"
            "agent take them over; doing it again only reloads. There the options of setup are\n"
            "refused, unless --force sets it up anew.\n"
            "\n"
            "A token that takes a server in carries the mesh key: it is a password. An argument\n"
            "shows in the list of processes and the shell's history; without one the token is\n"
            "asked for unseen, with - it is read from standard input. The line that tells the\n"
            "other servers of this one carries no secret.\n",
        .examples = "  mailflowctl join\n"
                    "  mailflowctl join mf1.azEgUV...\n"
                    "  ssh mx01 mailflowctl invite --json | jq -r .token |\n"
                    "      mailflowctl join - --yes --password-file ./password\n",
    },
    {
        .name = "invite",
        .secrets = true,
        .run = verb_invite,
        .summary = "the line that takes the next server into the mesh",
        .help = "Prints what to run on the next server, and what on those that are in the mesh\n"
                "already. The first carries the mesh key: treat it like a password. Servers\n"
                "without an agent are not in it. Does not need the agent.\n",
        .examples = "  mailflowctl invite\n"
                    "  mailflowctl invite --json | jq -r .token\n",
    },
    {
        .name = "status",
        .options = TAKES(ALL),
        .needs_agent = true,
        .run = verb_status,
        .summary = "every path, open incidents, maintenance windows",
        .help =
            "Shows the state of every path with its last and median latency, how many probes\n"
            "are in flight and since when, the incidents that are open, the maintenance\n"
            "windows that maintenance list has, and the mailboxes that cannot be read. IN FLIGHT\n"
            "is 0 when none is under way, and - on paths that come here: there only the sender\n"
            "can tell.\n",
        .examples = "  mailflowctl status\n"
                    "  mailflowctl status --json | jq '.paths[] | select(.state != \"ok\")'\n",
    },
    {
        .name = "mesh",
        .needs_agent = true,
        .run = verb_mesh,
        .summary = "the matrix: which mail passes between all servers",
        .help =
            "Draws the matrix of the mesh: one mark for each path, the sender's name at the left,\n"
            "the receiver's number above. Our own paths are measured, the others are what the\n"
            "peers say of theirs, in their probes and exchanges; what is older than two intervals\n"
            "is not known any more. A row of X is a sender whose mail arrives nowhere, a column "
            "of\n"
            "X is a receiver that nothing reaches, both a server that is down, a single X a path;\n"
            "that is said beneath, with who says so. With --json all of it; of more than 150\n"
            "servers only the paths that are bad.\n",
        .examples = "  mailflowctl mesh\n"
                    "  mailflowctl mesh --json |\n"
                    "      jq '.cells[] | select(.state == \"bad\").path'\n",
    },
    {
        .name = "probe",
        .arguments = "PEER",
        .least = 1,
        .most = 1,
        .options = TAKES(WAIT) | TAKES(WARNING) | TAKES(CRITICAL),
        .needs_agent = true,
        .plugin = true,
        .run = verb_probe,
        .summary = "send one probe now and wait for it",
        .help =
            "Sends one probe to the peer, outside the cadence, waits until its arrival is known\n"
            "and prints its legs. The first line and the exit code are those of a Nagios or\n"
            "Icinga plugin: 0 ok, 1 warning, 2 critical (not arrived in time, refused, bounced,\n"
            "lost), 3 unknown (whatever is no measurement: no agent, wrong usage, a failure of "
            "our\n"
            "own side). Without -w and -c the agent's own verdict decides: late is a warning.\n"
            "With them the latency less its error counts, which is up to a second here.\n"
            "While a maintenance window of either end holds notifications back, what is wrong is\n"
            "no problem either: the line says maintenance and the exit code is 0. A peer that has\n"
            "an agent answers a probe by hand at once, over its way back.\n",
        .examples = "  mailflowctl probe mx01\n"
                    "  mailflowctl probe mx01 --wait 2m -w 10s -c 60s\n",
    },
    {
        .name = "explain",
        .arguments = "PROBE",
        .least = 1,
        .most = 1,
        .needs_agent = true,
        .run = verb_explain,
        .summary = "one probe's whole life, and why it was judged so",
        .help =
            "Shows on one screen when the probe was planned, sent, accepted and seen, what the\n"
            "servers said, how long each leg took, the maintenance windows that touch its\n"
            "life, the rule of its verdict with its numbers, and the incident that explains\n"
            "it; and says what is not known. PROBE is an id or the beginning of one, at least\n"
            "6 characters: ids stand in the log and in mailflowctl history.\n",
        .examples = "  mailflowctl explain 7Q2KXH\n",
    },
    {
        .name = "history",
        .arguments = "PEER",
        .least = 1,
        .most = 1,
        .options = TAKES(SINCE) | TAKES(LIMIT),
        .needs_agent = true,
        .run = verb_history,
        .summary = "the probes exchanged with a peer and their verdicts",
        .help =
            "Lists the probes to and from the peer, newest first. With --json one probe a line\n"
            "within the list.\n",
        .examples = "  mailflowctl history mx01\n"
                    "  mailflowctl history mx01 --since 2h\n"
                    "  mailflowctl history mx01 --since 2026-07-28T12:00 --limit 50\n",
    },
    {
        .name = "maintenance begin",
        .arguments = "[SERVER]",
        .most = 1,
        .meanings = MAINTENANCE_MEANINGS,
        .options =
            TAKES(FOR) | TAKES(KIND) | TAKES(REASON) | TAKES(AT) | TAKES(FORCE) | TAKES(WAIT),
        .needs_agent = true,
        .run = verb_maintenance_begin,
        .summary = "put a server into maintenance, now or later",
        .help =
            "Opens a maintenance window of the server, or of this one when none is named.\n"
            "Nothing is notified about it until the window and the settling time after it are\n"
            "over. Without --for a routine window lasts 15 minutes, an emergency 2 hours.\n"
            "\n"
            "The window is announced to every peer that has an agent, at once: over HTTP where\n"
            "`agent:` is configured, and inside a signed probe. --wait returns when all have\n"
            "acknowledged it and says how long each took; it exits 1, and names those that did\n"
            "not and why, when they have not by then. Shut the server down after that.\n",
        .examples = "  mailflowctl maintenance begin --for 30m --reason kernel --wait\n"
                    "  mailflowctl maintenance begin mx01 --at 22:30 --for 1h\n"
                    "  mailflowctl maintenance begin mx01 --kind emergency \\\n"
                    "      --reason 'disk failed'\n",
    },
    {
        .name = "maintenance extend",
        .arguments = "[ID|SERVER]",
        .most = 1,
        .meanings = MAINTENANCE_MEANINGS,
        .options = TAKES(FOR) | TAKES(FORCE) | TAKES(WAIT),
        .required = TAKES(FOR),
        .needs_agent = true,
        .run = verb_maintenance_extend,
        .summary = "let a window last longer",
        .help =
            "Moves the end of a window by so much; of a server, or of this one when none is\n"
            "named: of all its active windows. When none is active, of the one that ended last:\n"
            "that is what to say when work takes longer than its window and an overrun is\n"
            "reported. The peers are told, and waited for, as with maintenance begin.\n",
        .examples = "  mailflowctl maintenance extend --for 30m\n"
                    "  mailflowctl maintenance extend mx01 --for 30m\n"
                    "  mailflowctl maintenance extend w-k7qj2f4mxa --for 1h\n",
    },
    {
        .name = "maintenance end",
        .arguments = "[ID|SERVER]",
        .most = 1,
        .meanings = MAINTENANCE_MEANINGS,
        .options = TAKES(WAIT),
        .needs_agent = true,
        .run = verb_maintenance_end,
        .summary = "end an active window now",
        .help =
            "Ends a window that is active; of a server, or of this one when none is named: all\n"
            "its active windows. The peers are told, and waited for, as with maintenance begin.\n",
        .examples = "  mailflowctl maintenance end\n"
                    "  mailflowctl maintenance end mx01\n"
                    "  mailflowctl maintenance end w-k7qj2f4mxa\n",
    },
    {
        .name = "maintenance cancel",
        .arguments = "[ID|SERVER]",
        .most = 1,
        .meanings = MAINTENANCE_MEANINGS,
        .options = TAKES(WAIT),
        .needs_agent = true,
        .run = verb_maintenance_cancel,
        .summary = "call off a window",
        .help =
            "Calls off a window that is announced; one that is active ends now. Of a server: all\n"
            "its announced and active windows. When none is named: those of this server that have\n"
            "not begun, and no others. The peers are told, and waited for, as with maintenance\n"
            "begin.\n",
        .examples = "  mailflowctl maintenance cancel\n"
                    "  mailflowctl maintenance cancel mx01\n"
                    "  mailflowctl maintenance cancel w-k7qj2f4mxa\n",
    },
    {
        .name = "maintenance list",
        .arguments = "[SERVER]",
        .most = 1,
        .options = TAKES(ALL),
        .needs_agent = true,
        .run = verb_maintenance_list,
        .summary = "the windows that the agent knows",
        .help =
            "Lists the maintenance windows with their ids, of all servers or of one, the first to\n"
            "begin first: those that are active or recovering, and those of the next 7 days. Of\n"
            "which server, from when to when, announced by whom and why, and how many of the "
            "peers\n"
            "that are to know have acknowledged it: KNOWN BY is 2/3, or `by us` where another\n"
            "agent announced it, or - where there is nobody to tell. With --json all of them,\n"
            "also which peers have not, and why.\n",
        .examples = "  mailflowctl maintenance list\n"
                    "  mailflowctl maintenance list mx01 --all\n",
    },
    {
        .name = "simulate",
        .meanings = SIMULATE_MEANINGS,
        .options = TAKES(LEDGER) | TAKES(SINCE) | TAKES(WINDOW) | TAKES(NO_WINDOWS),
        .run = verb_simulate,
        .summary = "what would have been notified under other thresholds",
        .help =
            "Lets the agent's judgement live through a recorded ledger once more, with the\n"
            "thresholds and peers of a configuration (see --config) and with other maintenance\n"
            "windows, and says what would have been notified or suppressed and what the verdicts\n"
            "would have been, beside what was recorded; also which probes are judged otherwise.\n"
            "The ledger is only read and may be that of a running agent. With --since only what\n"
            "came later is told of; all is replayed. Does not need the agent.\n"
            "\n"
            "A recorded window is taken as it ended up, known from its begin. When receipts came\n"
            "over HTTP is not recorded: here they come with the peer's next probe. Whether a mail\n"
            "server greets is not asked again: where no `unheard` was recorded, what would have\n"
            "been one is told as `down`.\n",
        .examples = "  mailflowctl simulate --config ./stricter.yaml\n"
                    "  mailflowctl simulate --ledger ./ledger.db --since 7d --json\n"
                    "  mailflowctl simulate --no-windows --window mx01=2026-07-28T12:18/30m\n",
    },
    {
        .name = "peers",
        .options = TAKES(OF),
        .run = verb_peers,
        .summary = "whom probes are exchanged with, and why",
        .help =
            "Reads the configuration (see --config) and the lists of peers_from as the agent\n"
            "would, and shows every peer that comes of them: where it goes, how often, out of\n"
            "which file or name of the DNS, and why: configured (in `peers`), listed (in a list "
            "of\n"
            "which all are peers), or with a fanout watched (by the server whose peers these are)\n"
            "or watcher (of that server). Does not need the agent, but of names of the DNS what\n"
            "the agent was told last. --of shows the same of another server that is in a list: it\n"
            "comes to the same by itself when its lists and its fanout are the same.\n",
        .examples = "  mailflowctl peers\n"
                    "  mailflowctl peers --of mx07\n"
                    "  mailflowctl peers --json | jq .probes_per_minute\n",
    },
    {
        .name = "check",
        .options = TAKES(EFFECTIVE) | TAKES(LIVE) | TAKES(WAIT) | TAKES(PROBERS),
        .run = verb_check,
        .summary = "every error in the configuration; with --live tries it",
        .help =
            "Reads the configuration (see --config) and conf.d/*.yaml beside it as the agent\n"
            "would, and prints every error with its place. Exits 1 if there is any. Does not\n"
            "need the agent. With --effective it prints the configuration in force as YAML,\n"
            "defaults written out and without secrets, and the problems on standard error.\n"
            "\n"
            "With --live it also logs in to every mailbox, hands a probe for ourselves to every\n"
            "relay and waits until it has arrived (--wait), asks a relay without TLS and login\n"
            "whether it takes mail to the peers (a \"not now\" is a warn and no failure), sees\n"
            "whether the peers' mail servers greet, and asks their agents over HTTP; with times,\n"
            "and with what to do where it fails. Exits 1 if anything does. A running agent may\n"
            "run on.\n",
        .examples = "  mailflowctl check\n"
                    "  mailflowctl check --live\n"
                    "  mailflowctl check --effective\n"
                    "  mailflowctl check --config ./mailflow.yaml --json\n",
    },
    {
        .name = "reload",
        .needs_agent = true,
        .run = verb_reload,
        .summary = "let the agent read its configuration again",
        .help =
            "The agent takes the new configuration over whole, or keeps the one it has and says\n"
            "what is wrong with the new one.\n",
        .examples = "  mailflowctl check && mailflowctl reload\n",
    },
    {
        .name = "version",
        .needs_agent = true,
        .run = verb_version,
        .summary = "the versions of this program and of the agent",
        .help = "For this program's version alone: mailflowctl --version\n",
        .examples = "  mailflowctl version\n",
    },
    {
        .name = "complete",
        .run = verb_complete,
        .summary = "what may come next on a line, for the shells",
        .help =
            "Reads a command line of mailflowctl from standard input, one word a line and the one\n"
            "that is being typed, or an empty one, last. Prints what may stand in its place, one "
            "a\n"
            "line, with a tab and what it means behind it: verbs and options, and as the agent\n"
            "knows them peers, servers, windows and probes. `:files` alone says that it is the\n"
            "name of a file. The shells' completions of mailflowctl ask this; an agent that does\n"
            "not answer within 2 s is not waited for.\n",
        .examples = "  mailflowctl complete < ./words\n"
                    "  mailflowctl complete --json < ./words\n",
    },
};

const size_t VERB_COUNT = sizeof VERBS / sizeof VERBS[0];

// How many words the name has when the words begin with it, else 0.
static size_t match_words(const char *name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(name, " ");
        if (strlen(words[i]) != length || strncmp(name, words[i], length) != 0) {
            return 0;
        }
        if (name[length] == '\0') {
            return i + 1;
        }
        name += length + 1;
    }
    return 0;
}

const struct verb *verb_find(const char *const *words, size_t count, size_t *used)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        *used = match_words(VERBS[i].name, words, count);
        if (*used > 0) {
            return &VERBS[i];
        }
    }
    return NULL;
}
