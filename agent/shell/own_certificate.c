#include "shell/own_certificate.h"

#include <gnutls/x509.h>
#include <string.h>

#include "base/text.h"

enum { NAME_SIZE = 256 };

// As the probers write names: whatever is not plain ASCII, or a quote, shows as a question mark.
static void append_plain(struct text *to, const char *name)
{
    for (; *name != '\0'; name++) {
        bool plain = *name >= 0x20 && *name < 0x7F && *name != '"' && *name != '\\';
        text_append_bytes(to, plain ? name : "?", 1);
    }
}

// Its first DNS name, or its common name where it has none.
static void append_subject(struct text *to, gnutls_x509_crt_t certificate)
{
    char name[NAME_SIZE] = "";
    size_t size = sizeof name - 1;
    int kind = gnutls_x509_crt_get_subject_alt_name(certificate, 0, name, &size, NULL);
    if (kind != GNUTLS_SAN_DNSNAME) {
        size = sizeof name;
        memset(name, 0, sizeof name);
        gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size);
    }
    append_plain(to, name);
}

// "Let's Encrypt, R11".
static void append_issuer(struct text *to, gnutls_x509_crt_t certificate)
{
    static const char *const PARTS[] = {GNUTLS_OID_X520_ORGANIZATION_NAME,
                                        GNUTLS_OID_X520_COMMON_NAME};
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        char name[NAME_SIZE] = "";
        size_t size = sizeof name;
        gnutls_x509_crt_get_issuer_dn_by_oid(certificate, PARTS[i], 0, 0, name, &size);
        text_append(to, to->length > 0 && name[0] != '\0' ? ", " : "");
        append_plain(to, name);
    }
}

static struct walltime end_of(gnutls_x509_crt_t certificate)
{
    const int64_t most = INT64_MAX / 1000000000;
    int64_t seconds = gnutls_x509_crt_get_expiration_time(certificate);
    return (struct walltime){(seconds < most ? seconds : most) * 1000000000};
}

static void note(struct certificate *out, const gnutls_x509_crt_t *chain, unsigned count)
{
    struct text subject = TEXT_OVER(out->subject), issuer = TEXT_OVER(out->issuer);
    append_subject(&subject, chain[0]);
    append_issuer(&issuer, chain[0]);
    out->seen = out->verified = true;
    out->expires = end_of(chain[0]);
    for (unsigned i = 1; i < count; i++) {
        struct walltime ends = end_of(chain[i]);
        if (ends.ns < out->expires.ns) {
            struct text authority = TEXT_OVER(out->authority);
            append_subject(&authority, chain[i]);
            out->expires = ends;
        }
    }
}

void own_certificate_read(const char *pem, struct certificate *out)
{
    gnutls_datum_t bytes = {(unsigned char *)pem, (unsigned)strlen(pem)};
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    *out = (struct certificate){0};
    if (bytes.size == 0 ||
        gnutls_x509_crt_list_import2(&chain, &count, &bytes, GNUTLS_X509_FMT_PEM, 0) < 0) {
        return;
    }
    if (count > 0) {
        note(out, chain, count);
    }
    for (unsigned i = 0; i < count; i++) {
        gnutls_x509_crt_deinit(chain[i]);
    }
    gnutls_free(chain);
}
