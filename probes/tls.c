#include "probes/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

#define SECONDS_MAXIMUM (INT64_MAX / 1000000000)

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

// A name as a certificate gives it: whatever is not plain ASCII, or a quote, shows as a question
// mark.
static void append_name(struct text *to, const ASN1_STRING *name)
{
    const unsigned char *bytes = ASN1_STRING_get0_data(name);
    for (int i = 0; i < ASN1_STRING_length(name); i++) {
        bool plain = bytes[i] >= 0x20 && bytes[i] < 0x7F && bytes[i] != '"' && bytes[i] != '\\';
        char shown = plain ? (char)bytes[i] : '?';
        text_append_bytes(to, &shown, 1);
    }
}

static size_t append_alternative_names(struct text *to, X509 *certificate)
{
    size_t count = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && count < 3; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            text_append(to, count++ > 0 ? ", " : "");
            append_name(to, name->d.dNSName);
        }
    }
    GENERAL_NAMES_free(names);
    return count;
}

// Appends a part of the name; false when it has none.
static bool append_part(struct text *to, const X509_NAME *name, int part)
{
    int at = X509_NAME_get_index_by_NID(name, part, -1);
    if (at >= 0) {
        append_name(to, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    }
    return at >= 0;
}

// Whom the certificate is for: its first DNS names, or its common name where it has none.
static void append_subject(struct text *to, X509 *certificate)
{
    if (append_alternative_names(to, certificate) > 0) {
        return;
    }
    if (!append_part(to, X509_get_subject_name(certificate), NID_commonName)) {
        text_append(to, "nobody");
    }
}

// "Let's Encrypt, R11".
static void append_authority(struct text *to, const X509_NAME *name)
{
    bool organisation = append_part(to, name, NID_organizationName);
    size_t length = to->length;
    text_append(to, organisation ? ", " : "");
    if (!append_part(to, name, NID_commonName)) {
        to->length = length;
        to->data[length] = '\0';
    }
}

// Years that a walltime cannot hold count as its last.
static struct walltime time_of(const ASN1_TIME *time)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        return WALLTIME_NONE;
    }
    int64_t seconds = timegm(&parts);
    return (struct walltime){(seconds < SECONDS_MAXIMUM ? seconds : SECONDS_MAXIMUM) * 1000000000};
}

static void note_certificate(struct certificate *out, X509 *certificate)
{
    struct text subject = TEXT_OVER(out->subject), issuer = TEXT_OVER(out->issuer);
    append_subject(&subject, certificate);
    append_authority(&issuer, X509_get_issuer_name(certificate));
    out->expires = time_of(X509_get0_notAfter(certificate));
    out->seen = true;
}

// A server's certificate and those that vouch for it, as far as they were found: all of it ends
// with the first of them.
static void note_chain(struct certificate *out, const STACK_OF(X509) * chain)
{
    if (sk_X509_num(chain) < 1) {
        return;
    }
    note_certificate(out, sk_X509_value(chain, 0));
    for (int i = 1; i < sk_X509_num(chain); i++) {
        const X509 *above = sk_X509_value(chain, i);
        struct walltime ends = time_of(X509_get0_notAfter(above));
        if (walltime_known(ends) && ends.ns < out->expires.ns) {
            struct text authority = TEXT_OVER(out->authority);
            append_authority(&authority, X509_get_subject_name(above));
            out->expires = ends;
        }
    }
}

static void describe_refusal(struct tls_verification *verification, X509_STORE_CTX *chain)
{
    struct text reason = TEXT_OVER(verification->reason);
    int code = X509_STORE_CTX_get_error(chain);
    X509 *certificate = X509_STORE_CTX_get0_cert(chain);
    if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        text_format(&reason, "certificate of %s does not match: it is for ", verification->host);
        append_subject(&reason, certificate);
        return;
    }
    text_format(&reason, "certificate is not trusted: %s", X509_verify_cert_error_string(code));
    if (verification->ca_file[0] != '\0') {
        text_format(&reason, " (ca_file %s)", verification->ca_file);
    }
}

static int on_verify(int valid, X509_STORE_CTX *chain)
{
    SSL *session = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_verification *verification = SSL_CTX_get_app_data(SSL_get_SSL_CTX(session));
    if (!verification->certificate.seen) {
        note_chain(&verification->certificate, X509_STORE_CTX_get0_chain(chain));
    }
    if (!valid && verification->reason[0] == '\0') {
        describe_refusal(verification, chain);
    }
    return valid;
}

// libESMTP creates its session itself and offers no hook for SNI but this one.
static void on_handshake(const SSL *session, int where, int value)
{
    (void)value;
    struct tls_verification *verification = SSL_CTX_get_app_data(SSL_get_SSL_CTX(session));
    if ((where & SSL_CB_HANDSHAKE_START) != 0 && !is_address(verification->host)) {
        SSL_set_tlsext_host_name((SSL *)session, verification->host);
    }
    if ((where & SSL_CB_HANDSHAKE_DONE) != 0) {
        verification->certificate.verified = SSL_get_verify_result(session) == X509_V_OK;
    }
}

// The system's directory of certificates by the hash of their names: one file is read when it is
// needed. The bundle of them all, which OpenSSL would read first, takes 20 ms; so it is read only
// where somebody says SSL_CERT_FILE.
static bool trust_system(SSL_CTX *context)
{
    return SSL_CTX_set_default_verify_dir(context) == 1 &&
           (getenv(X509_get_default_cert_file_env()) == NULL ||
            SSL_CTX_set_default_verify_file(context) == 1);
}

static bool trust(SSL_CTX *context, const char *ca_file, struct error *error)
{
    if (ca_file[0] == '\0') {
        return trust_system(context) || error_set(error, "the system's certificates: %s",
                                                  ERR_reason_error_string(ERR_get_error()));
    }
    if (SSL_CTX_load_verify_file(context, ca_file) == 1) {
        return true;
    }
    unsigned long code = ERR_peek_error();
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : "no certificate in it";
    return error_set(error, "ca_file %s: %s", ca_file, reason);
}

static X509 *read_pem(const char *pem)
{
    BIO *bytes = memory_checked(BIO_new_mem_buf(pem, -1));
    X509 *certificate = PEM_read_bio_X509(bytes, NULL, NULL, NULL);
    BIO_free(bytes);
    return certificate;
}

static STACK_OF(X509) * read_pems(const char *const *pems, size_t count)
{
    STACK_OF(X509) *read = memory_checked(sk_X509_new_null());
    for (size_t i = 0; i < count; i++) {
        X509 *certificate = read_pem(pems[i]);
        if (certificate != NULL) {
            sk_X509_push(read, certificate);
        }
    }
    return read;
}

void tls_read_chain(const char *const *pems, size_t count, const char *ca_file,
                    struct certificate *out)
{
    struct error error;
    STACK_OF(X509) *shown = read_pems(pems, count);
    SSL_CTX *context = memory_checked(SSL_CTX_new(TLS_client_method()));
    X509_STORE_CTX *search = memory_checked(X509_STORE_CTX_new());
    *out = (struct certificate){0};
    if (sk_X509_num(shown) > 0 && trust(context, ca_file, &error) &&
        X509_STORE_CTX_init(search, SSL_CTX_get_cert_store(context), sk_X509_value(shown, 0),
                            shown) == 1) {
        X509_verify_cert(search);
        note_chain(out, X509_STORE_CTX_get0_chain(search));
    }
    X509_STORE_CTX_free(search);
    SSL_CTX_free(context);
    sk_X509_pop_free(shown, X509_free);
    ERR_clear_error();
}

static bool expect_host(SSL_CTX *context, const char *host)
{
    X509_VERIFY_PARAM *expected = SSL_CTX_get0_param(context);
    return is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(expected, host) == 1
                            : X509_VERIFY_PARAM_set1_host(expected, host, 0) == 1;
}

SSL_CTX *tls_context_create(const char *ca_file, struct tls_verification *verification,
                            struct error *error)
{
    ERR_clear_error();
    verification->reason[0] = '\0';
    verification->certificate = (struct certificate){0};
    text_copy(verification->ca_file, sizeof verification->ca_file, ca_file);
    SSL_CTX *context = memory_checked(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_app_data(context, verification);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
    SSL_CTX_set_info_callback(context, on_handshake);
    memory_checked(expect_host(context, verification->host) ? context : NULL);
    if (!trust(context, ca_file, error)) {
        SSL_CTX_free(context);
        ERR_clear_error();
        return NULL;
    }
    return context;
}

void tls_describe_failure(const struct tls_verification *verification, struct text *out)
{
    unsigned long code = ERR_peek_error();
    if (verification->reason[0] != '\0') {
        text_append(out, verification->reason);
    } else if (code != 0 && ERR_reason_error_string(code) != NULL) {
        text_format(out, "TLS handshake with %s failed: %s", verification->host,
                    ERR_reason_error_string(code));
    } else {
        text_format(out, "TLS handshake with %s failed: connection lost", verification->host);
    }
}

void tls_warm_up(void)
{
    struct tls_verification verification = {.host = "localhost"};
    struct error error;
    SSL_CTX *context = tls_context_create("", &verification, &error);
    SSL_free(SSL_new(context));
    SSL_CTX_free(context);
    ERR_clear_error();
}
