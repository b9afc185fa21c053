#include "x509/cert.h"

#include "base/mem.h"
#include "x509/openssl.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string.h>
#include <time.h>

enum fr_err fr_cert_give(X509 *x509, struct fr_cert **out)
{
    struct fr_cert *cert = fr_calloc(1, sizeof *cert);

    if (cert == NULL) {
        X509_free(x509);
        return FR_E_NOMEM;
    }
    cert->x509 = x509;
    *out = cert;
    return FR_OK;
}

enum fr_err fr_cert_parse(struct fr_span der, struct fr_cert **out)
{
    const unsigned char *at = der.p;
    X509 *x509 = NULL;

    if (der.n > FR_CERT_MAX) return FR_E_LIMIT;
    if (der.n == 0) return FR_E_TRUNCATED;
    x509 = d2i_X509(NULL, &at, (long)der.n);
    if (x509 == NULL) return fr_x509_fault(FR_E_MALFORMED);
    if (at != der.p + der.n) {
        X509_free(x509);
        return FR_E_MALFORMED;
    }
    return fr_cert_give(x509, out);
}

enum fr_err fr_cert_write_der(const struct fr_cert *cert, struct fr_buf *out)
{
    uint8_t *der = NULL;
    int n = i2d_X509(cert->x509, &der);

    if (n <= 0) return fr_x509_fault(FR_E_INTERNAL);
    fr_buf_add(out, der, (size_t)n);
    OPENSSL_free(der);
    return fr_buf_err(out);
}

enum fr_err fr_cert_write_pem(const struct fr_cert *cert, struct fr_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum fr_err err = FR_OK;

    if (bio == NULL) return fr_x509_fault(FR_E_NOMEM);
    if (PEM_write_bio_X509(bio, cert->x509) != 1)
        err = fr_x509_fault(FR_E_INTERNAL);
    else
        err = fr_bio_drain(bio, out);
    BIO_free(bio);
    return err;
}

static enum fr_err read_time(const ASN1_TIME *t, int64_t *out)
{
    struct tm tm = {0};

    if (ASN1_TIME_to_tm(t, &tm) != 1) return FR_E_MALFORMED;
    *out = timegm(&tm);
    return FR_OK;
}

static enum fr_err read_serial(const X509 *x509, struct fr_cert_fields *out)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
    int n = ASN1_STRING_length(serial);

    if (n <= 0 || n > FR_CERT_SERIAL_MAX) return FR_E_MALFORMED;
    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER) return FR_E_MALFORMED; /* negative */
    memcpy(out->serial, ASN1_STRING_get0_data(serial), (size_t)n);
    out->serial_len = (size_t)n;
    return FR_OK;
}

/* Printable ASCII only: an embedded NUL or a control byte in a name is an attempt to look like
 * another name. */
static bool is_printable(const ASN1_STRING *s)
{
    const unsigned char *p = ASN1_STRING_get0_data(s);
    int n = ASN1_STRING_length(s);

    for (int i = 0; i < n; i++) {
        if (p[i] <= 0x20 || p[i] >= 0x7f) return false;
    }
    return n > 0;
}

/* Peers disagree on which of two common names counts (Go takes the last, OpenSSL the first), so
 * two are none. */
static void read_common_name(const X509 *x509, struct fr_cert_fields *out)
{
    const X509_NAME *subject = X509_get_subject_name(x509);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return;
    const ASN1_STRING *cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    int n = ASN1_STRING_length(cn);
    if (n > FR_CERT_CN_MAX || !is_printable(cn)) return;
    memcpy(out->cn, ASN1_STRING_get0_data(cn), (size_t)n);
}

static enum fr_err read_text(const ASN1_STRING *s, char *out, size_t size)
{
    size_t n = (size_t)ASN1_STRING_length(s);

    if (n >= size) return FR_E_LIMIT;
    if (!is_printable(s)) return FR_E_MALFORMED;
    memcpy(out, ASN1_STRING_get0_data(s), n);
    out[n] = '\0';
    return FR_OK;
}

static enum fr_err read_name(const GENERAL_NAME *name, struct fr_cert_fields *out)
{
    if (name->type == GEN_DNS) {
        if (out->dns_count == FR_CERT_DNS_MAX) return FR_E_LIMIT;
        return read_text(name->d.dNSName, out->dns[out->dns_count++], sizeof out->dns[0]);
    }
    if (name->type == GEN_URI) {
        if (out->uri_count == FR_CERT_URIS_MAX) return FR_E_LIMIT;
        return read_text(name->d.uniformResourceIdentifier, out->uri[out->uri_count++],
                         sizeof out->uri[0]);
    }
    return FR_OK; /* other kinds name nobody in this product */
}

static enum fr_err read_alt_names(const X509 *x509, struct fr_cert_fields *out)
{
    int critical = -1;
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);
    enum fr_err err = FR_OK;

    if (names == NULL)
        return critical == -1 ? FR_OK : FR_E_MALFORMED; /* absent; else bad or twice */
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !err; i++)
        err = read_name(sk_GENERAL_NAME_value(names, i), out);
    GENERAL_NAMES_free(names);
    return err;
}

static enum fr_err read_digests(const struct fr_cert *cert, struct fr_cert_fields *out)
{
    unsigned int n = 0;
    struct fr_key *key = NULL;
    enum fr_err err = FR_OK;

    if (X509_digest(cert->x509, EVP_sha256(), out->sha256, &n) != 1)
        return fr_x509_fault(FR_E_INTERNAL);
    err = fr_cert_dup_key(cert, &key);
    if (err) return err;
    err = fr_key_spki_sha256(key, out->spki_sha256);
    fr_key_free(key);
    return err;
}

enum fr_err fr_cert_read_fields(const struct fr_cert *cert, struct fr_cert_fields *out)
{
    struct fr_cert_fields f = {0};
    enum fr_err err = FR_OK;

    err = read_serial(cert->x509, &f);
    if (err) goto out;
    err = read_time(X509_get0_notBefore(cert->x509), &f.not_before_s);
    if (err) goto out;
    err = read_time(X509_get0_notAfter(cert->x509), &f.not_after_s);
    if (err) goto out;
    err = read_alt_names(cert->x509, &f);
    if (err) goto out;
    err = read_digests(cert, &f);
    if (err) goto out;
    read_common_name(cert->x509, &f);
    f.is_ca = X509_check_ca(cert->x509) != 0;
    *out = f;
out:
    ERR_clear_error();
    return err;
}

enum fr_err fr_cert_read_organisation(const struct fr_cert *cert, char out[FR_CERT_CN_MAX + 1])
{
    const X509_NAME *subject = X509_get_subject_name(cert->x509);
    int at = X509_NAME_get_index_by_NID(subject, NID_organizationName, -1);

    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_organizationName, at) >= 0)
        return FR_E_MALFORMED;
    return read_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), out,
                     FR_CERT_CN_MAX + 1);
}

enum fr_err fr_cert_dup_key(const struct fr_cert *cert, struct fr_key **out)
{
    EVP_PKEY *pkey = X509_get_pubkey(cert->x509);

    if (pkey == NULL) return fr_x509_fault(FR_E_MALFORMED);
    return fr_key_give(pkey, out);
}

bool fr_cert_is_issued_by(const struct fr_cert *cert, const struct fr_cert *issuer)
{
    EVP_PKEY *pkey = X509_get0_pubkey(issuer->x509);
    int bits = 0;
    bool ok = pkey != NULL && X509_check_issued(issuer->x509, cert->x509) == X509_V_OK &&
              X509_get_signature_info(cert->x509, NULL, NULL, &bits, NULL) == 1 &&
              bits >= FR_X509_SECURITY_BITS && X509_verify(cert->x509, pkey) == 1;

    ERR_clear_error();
    return ok;
}

void fr_cert_free(struct fr_cert *cert)
{
    if (cert == NULL) return;
    X509_free(cert->x509);
    fr_free(cert);
}
