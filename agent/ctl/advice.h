// What to do about a mail server that does not do as we wish, in plain words, by what it or the
// system said. ADVICE_RECIPIENT is a relay that does not take mail to a peer.
#ifndef MAILFLOW_CTL_ADVICE_H
#define MAILFLOW_CTL_ADVICE_H

enum advice_service { ADVICE_IMAP, ADVICE_SMTP, ADVICE_RECIPIENT, ADVICE_HTTP };

// `said` is the cause or the reply, as a prober tells it. Never NULL: where nothing better is
// known it says where to look.
const char *advice_for(enum advice_service service, const char *said);

#endif
