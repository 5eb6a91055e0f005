// TLS as a client for both mail probers (OpenSSL): chain and name verified always, SNI sent,
// TLS 1.2 or newer, against the system's store (its hashed directory, /etc/ssl/certs) or one CA
// file. The reason of a refusal is kept in words, and what can be told of the certificate.
#ifndef MAILFLOW_PROBES_TLS_H
#define MAILFLOW_PROBES_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "probes/certificate.h"

struct tls_verification {
    char host[256];                 // the name (or address) that the certificate must carry
    char ca_file[256];              // set by tls_context_create, for the reason
    char reason[256];               // why verification failed; "" while it has not
    struct certificate certificate; // what the server showed
};

// A context that verifies for verification->host and records there why it refused; the record must
// outlive the context. The caller frees the context (SSL_CTX_free). NULL with a message that names
// the CA file when that cannot be read.
SSL_CTX *tls_context_create(const char *ca_file, struct tls_verification *verification,
                            struct error *error);

// Why the handshake that just failed did: the verification's reason, else what OpenSSL has to say.
void tls_describe_failure(const struct tls_verification *verification, struct text *out);

// What can be told of the certificates that a server showed, each in PEM, its own first, for a
// prober that leaves TLS to another library; whether they were verified is for the caller to say.
// Which of them count, and who vouches for the last of them, is found with the CA file.
void tls_read_chain(const char *const *pems, size_t count, const char *ca_file,
                    struct certificate *out);

// Loads the library's tables and the system's store once, so that a confined process need not.
void tls_warm_up(void);

#endif
