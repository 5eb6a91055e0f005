#include "ctl/advice.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define ON(service) (1u << ADVICE_##service)
#define ANYWHERE    (ON(IMAP) | ON(SMTP) | ON(HTTP))
#define ENVELOPE    (ON(SMTP) | ON(RECIPIENT))

#define NO_RELAYING                                                                                \
    "It does not relay for this machine: allow it, or log in with a user (--relay-user)."

#define NO_SUCH_PEER "There is no such mailbox: create it there, or correct the peer's `address:`."

// The first that fits counts; what is more precise stands further up. Words of the C library, of
// OpenSSL and GnuTLS, of our probers, of RFC 3463 and of the usual servers.
static const struct rule {
    unsigned services;
    const char *words; // some of what is said; beginning with a digit, a status code
    const char *advice;
} RULES[] = {
    {ANYWHERE, "interrupted", "Nothing is known of it."},
    {ANYWHERE, "cannot start ",
     "Is mailflow installed whole? Else say with --probers where its probers are."},
    {ANYWHERE, "no answer from the resolver",
     "This machine's resolver does not answer: see /etc/resolv.conf."},
    {ANYWHERE, "Temporary failure in name resolution",
     "The name cannot be looked up now, or does not exist: correct it, or see /etc/resolv.conf."},
    {ANYWHERE, "Name or service not known",
     "The name does not resolve on this machine: correct it, or add it to the DNS or /etc/hosts."},
    {ANYWHERE, "No address associated",
     "The name has no address: correct it, or add one to the DNS or /etc/hosts."},
    {ON(HTTP), "resolve",
     "The name does not resolve on this machine: correct it, or add it to the DNS or /etc/hosts."},
    {ON(HTTP), "onnection refused",
     "Nobody listens there: is mailflowd running on that server, and has its http.listen that "
     "address?"},
    {ANYWHERE, "onnection refused",
     "Nobody listens there: is the server running, and is that its port? `ss -ltn` shows what "
     "listens."},
    {ANYWHERE, "No route to host", "There is no way there: a wrong address, or a firewall."},
    {ANYWHERE, "Network is unreachable", "There is no way there: a wrong address, or no route."},
    {ANYWHERE, "no reply to connect",
     "Nothing comes back: a wrong address, a server that is down, or a firewall."},
    {ANYWHERE, "onnection timed out",
     "Nothing comes back: a wrong address, a server that is down, or a firewall."},
    {ANYWHERE, "does not match: it is for",
     "Name the server as its certificate does, or have the certificate made out to this name."},
    {ANYWHERE, "certificate has expired", "The server's certificate must be renewed."},
    {ANYWHERE, "not yet valid", "The server's certificate begins later: is a clock wrong?"},
    {ANYWHERE, "(ca_file ",
     "The authorities in that ca_file did not sign the server's certificate: take the right one."},
    {ANYWHERE, "certificate is not trusted",
     "It is signed by nobody whom this machine trusts. Where that is your own authority, or the "
     "certificate itself, name its PEM file as ca_file (--ca-file, --relay-ca-file)."},
    {ON(HTTP), "certificate",
     "Name the PEM file of your authority as http.ca_file, and the peer as its certificate does."},
    {ON(IMAP), "STARTTLS is not offered",
     "Switch TLS on in the server; or take implicit TLS on port 993; or none, which only a server "
     "on this machine may have."},
    {ON(SMTP), "STARTTLS is not offered",
     "Switch TLS on in the server, or take none, which only a relay on this machine may have."},
    {ON(IMAP), "LOGINDISABLED",
     "It takes passwords only over TLS: choose starttls, or implicit on port 993."},
    {ON(IMAP), "login as",
     "User or password is wrong. Some servers want the whole address as user, some only what "
     "stands before the @; the server's log says more."},
    {ON(SMTP), "authentication as",
     "User or password is wrong (--relay-user, --relay-password-file); the relay's log says "
     "more."},
    {ON(SMTP), "AUTH is not offered",
     "It takes no passwords here: leave the user away (--relay-user), or take port 587 with "
     "starttls."},
    {ON(IMAP), "folder ",
     "The folder cannot be opened: create it, or name it as the server does (--folder)."},
    {ON(IMAP), "not IMAP",
     "What answers there is no IMAP server, or speaks TLS at once: port 993 takes tls implicit."},
    {ON(SMTP), "not SMTP",
     "What answers there is no SMTP server. Port 465 speaks TLS at once, which is not to be had: "
     "take 587 with starttls, or as GUIDE.md has it a Postfix in between."},
    {ANYWHERE, "wrong version number",
     "It does not speak TLS at once: take starttls on port 143, or implicit on port 993."},
    {ANYWHERE, "packet length too long",
     "It does not speak TLS at once: take starttls on port 143, or implicit on port 993."},
    {ANYWHERE, "TLS handshake", "Its TLS does not go with ours (1.2 and later): see its log."},
    {ON(SMTP), "no greeting",
     "It takes the connection and says nothing. Overloaded? Or a port that speaks TLS at once "
     "(465): take 587 with starttls, or as GUIDE.md has it a Postfix in between."},
    {ON(IMAP), "no answer to the connection",
     "It takes the connection and says nothing. Overloaded? Or a port that speaks TLS at once: "
     "993 takes tls implicit."},
    {ENVELOPE, "reylist", "It greylists: exempt this machine and the probes' address from that."},
    {ON(SMTP), "5.1.1", "It knows no such mailbox: create it, or correct the address (--address)."},
    {ON(SMTP), "ser unknown",
     "It knows no such mailbox: create it, or correct the address (--address)."},
    {ON(RECIPIENT), "5.1.1", NO_SUCH_PEER},
    {ON(RECIPIENT), "ser unknown", NO_SUCH_PEER},
    {ON(RECIPIENT), "5.1.2",
     "The domain of that address has no mail server: correct the peer's `address:`, or the DNS."},
    {ON(RECIPIENT), "4.1.2",
     "The domain of that address cannot be looked up there: correct the peer's `address:`, or the "
     "DNS of the relay."},
    {ENVELOPE, "elay access denied",
     "It does not relay for this machine: allow it (Postfix: mynetworks), or log in with a user "
     "(--relay-user)."},
    {ENVELOPE, "Relaying", NO_RELAYING},
    {ENVELOPE, "relaying", NO_RELAYING},
    {ENVELOPE, "to relay", NO_RELAYING},
    {ENVELOPE, "elay not", NO_RELAYING},
    {ENVELOPE, "ender address rejected",
     "It does not take the probes' sender: correct it (--address)."},
    {ENVELOPE, "5.7.",
     "Its policy forbids it: its log says which; allow it, or log in with a user "
     "(--relay-user)."},
    {ENVELOPE, "4.", "It refuses for the moment: its log says why. Try again later."},
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

// A status code stands behind the code of the reply, "550 5.1.1" or "550-5.1.1"; elsewhere it is
// part of an address.
static bool says(const char *said, const char *words)
{
    const char *at = strstr(said, words);
    while (at != NULL && is_digit(words[0]) &&
           (at - said < 2 || strchr(" -", at[-1]) == NULL || !is_digit(at[-2]))) {
        at = strstr(at + 1, words);
    }
    return at != NULL;
}

const char *advice_for(enum advice_service service, const char *said)
{
    static const char *const OTHERWISE[] = {
        [ADVICE_IMAP] = "The log of the IMAP server says more.",
        [ADVICE_RECIPIENT] = "The log of the relay says more; is the peer's `address:` right?",
        [ADVICE_SMTP] = "The log of the mail server says more.",
        [ADVICE_HTTP] = "Ask that agent on its own machine: mailflowctl status.",
    };
    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        if ((RULES[i].services & (1u << service)) != 0 && says(said, RULES[i].words)) {
            return RULES[i].advice;
        }
    }
    return OTHERWISE[service];
}
