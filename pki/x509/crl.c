#include "x509/crl.h"

#include "base/mem.h"
#include "x509/openssl.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string.h>

struct fr_crl_draft {
    X509_CRL *crl;
};

enum fr_err fr_crl_draft_new(struct fr_crl_draft **out)
{
    struct fr_crl_draft *draft = fr_calloc(1, sizeof *draft);

    if (draft == NULL) return FR_E_NOMEM;
    draft->crl = X509_CRL_new();
    if (draft->crl == NULL) {
        fr_free(draft);
        return fr_x509_fault(FR_E_NOMEM);
    }
    *out = draft;
    return FR_OK;
}

void fr_crl_draft_free(struct fr_crl_draft *draft)
{
    if (draft == NULL) return;
    X509_CRL_free(draft->crl);
    fr_free(draft);
}

static bool set_serial(X509_REVOKED *revoked, const struct fr_crl_entry *entry)
{
    BIGNUM *bn = BN_bin2bn(entry->serial, FR_X509_SERIAL_SIZE, NULL);
    ASN1_INTEGER *serial = bn != NULL ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
    bool ok = serial != NULL && X509_REVOKED_set_serialNumber(revoked, serial) == 1;

    ASN1_INTEGER_free(serial);
    BN_free(bn);
    return ok;
}

static bool set_date(X509_REVOKED *revoked, int64_t when_s)
{
    ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)when_s);
    bool ok = when != NULL && X509_REVOKED_set_revocationDate(revoked, when) == 1;

    ASN1_TIME_free(when);
    return ok;
}

static bool set_cause(X509_REVOKED *revoked, uint8_t cause)
{
    ASN1_ENUMERATED *reason = NULL;
    bool ok = false;

    if (cause == 0) return true;
    reason = ASN1_ENUMERATED_new();
    ok = reason != NULL && ASN1_ENUMERATED_set(reason, cause) == 1 &&
         X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, reason, 0, X509V3_ADD_DEFAULT) == 1;
    ASN1_ENUMERATED_free(reason);
    return ok;
}

enum fr_err fr_crl_draft_add(struct fr_crl_draft *draft, const struct fr_crl_entry *entry)
{
    X509_REVOKED *revoked = X509_REVOKED_new();

    if (revoked != NULL && set_serial(revoked, entry) && set_date(revoked, entry->revoked_s) &&
        set_cause(revoked, entry->cause) && X509_CRL_add0_revoked(draft->crl, revoked) == 1)
        return FR_OK;
    X509_REVOKED_free(revoked);
    return fr_x509_fault(FR_E_INTERNAL);
}

static bool set_dates(X509_CRL *crl, const struct fr_crl_spec *spec)
{
    ASN1_TIME *this_update = ASN1_TIME_set(NULL, (time_t)spec->this_update_s);
    ASN1_TIME *next_update = ASN1_TIME_set(NULL, (time_t)spec->next_update_s);
    bool ok = this_update != NULL && next_update != NULL &&
              X509_CRL_set1_lastUpdate(crl, this_update) == 1 &&
              X509_CRL_set1_nextUpdate(crl, next_update) == 1;

    ASN1_TIME_free(this_update);
    ASN1_TIME_free(next_update);
    return ok;
}

static bool set_extensions(X509_CRL *crl, const struct fr_crl_spec *spec, X509 *issuer)
{
    X509V3_CTX ctx;
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    X509_EXTENSION *key_id = NULL;
    bool ok = number != NULL && ASN1_INTEGER_set_uint64(number, spec->number) == 1 &&
              X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, X509V3_ADD_DEFAULT) == 1;

    X509V3_set_ctx(&ctx, issuer, NULL, NULL, crl, 0);
    if (ok) key_id = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
    ok = key_id != NULL && X509_CRL_add_ext(crl, key_id, -1) == 1;
    X509_EXTENSION_free(key_id);
    ASN1_INTEGER_free(number);
    return ok;
}

static bool sign(X509_CRL *crl, const struct fr_crl_spec *spec, X509 *issuer, EVP_PKEY *key)
{
    const EVP_MD *digest = EVP_PKEY_is_a(key, "ED25519") == 1 ? NULL : EVP_sha256();

    return X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
           X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) == 1 &&
           set_dates(crl, spec) && set_extensions(crl, spec, issuer) && X509_CRL_sort(crl) == 1 &&
           X509_CRL_sign(crl, key, digest) > 0;
}

static size_t count(X509_CRL *crl)
{
    int n = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)); /* -1: no list at all */

    return n > 0 ? (size_t)n : 0;
}

static X509_CRL *parse(struct fr_span der)
{
    const unsigned char *at = der.p;
    X509_CRL *crl = NULL;

    if (der.n == 0 || der.n > FR_CRL_MAX) return NULL;
    crl = d2i_X509_CRL(NULL, &at, (long)der.n);
    if (crl != NULL && at == der.p + der.n) return crl;
    X509_CRL_free(crl);
    return NULL;
}

static bool read_time(const ASN1_TIME *time, int64_t *out)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    bool ok = time != NULL && epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;

    ASN1_TIME_free(epoch);
    if (ok) *out = (int64_t)days * 86400 + seconds;
    return ok;
}

static enum fr_err read_fields(X509_CRL *crl, struct fr_crl_fields *out)
{
    struct fr_crl_fields fields = {.entries = count(crl)};
    ASN1_INTEGER *number = NULL;

    if (!read_time(X509_CRL_get0_lastUpdate(crl), &fields.this_update_s)) return FR_E_MALFORMED;
    if (X509_CRL_get0_nextUpdate(crl) != NULL &&
        !read_time(X509_CRL_get0_nextUpdate(crl), &fields.next_update_s))
        return FR_E_MALFORMED;
    number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    if (number != NULL && ASN1_INTEGER_get_uint64(&fields.number, number) != 1) fields.number = 0;
    ASN1_INTEGER_free(number);
    *out = fields;
    return FR_OK;
}

enum fr_err fr_crl_read_fields(struct fr_span der, struct fr_crl_fields *out)
{
    X509_CRL *crl = parse(der);
    enum fr_err err = crl == NULL ? FR_E_MALFORMED : read_fields(crl, out);

    X509_CRL_free(crl);
    ERR_clear_error();
    return err;
}

static enum fr_err read_entry(X509_REVOKED *revoked, struct fr_crl_entry *out)
{
    struct fr_crl_entry entry = {0};
    const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(revoked);
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, NULL, NULL);
    int64_t cause = reason != NULL ? ASN1_ENUMERATED_get(reason) : 0;

    ASN1_ENUMERATED_free(reason);
    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER ||
        ASN1_STRING_length(serial) != FR_X509_SERIAL_SIZE)
        return FR_E_UNSUPPORTED;
    memcpy(entry.serial, ASN1_STRING_get0_data(serial), FR_X509_SERIAL_SIZE);
    if (cause < 0 || cause > 10 ||
        !read_time(X509_REVOKED_get0_revocationDate(revoked), &entry.revoked_s))
        return FR_E_MALFORMED;
    entry.cause = (uint8_t)cause;
    *out = entry;
    return FR_OK;
}

enum fr_err fr_crl_each(struct fr_span der, fr_crl_entry_fn fn, void *data)
{
    struct fr_crl_fields fields;
    X509_CRL *crl = parse(der);
    enum fr_err err = crl == NULL ? FR_E_MALFORMED : read_fields(crl, &fields);
    size_t n = err ? 0 : count(crl);

    for (size_t i = 0; !err && i < n; i++) {
        struct fr_crl_entry entry;
        err = read_entry(sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), (int)i), &entry);
        if (!err) err = fn(data, &entry);
    }
    X509_CRL_free(crl);
    ERR_clear_error();
    return err;
}

static enum fr_err verify(X509_CRL *crl, const struct fr_cert *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer->x509);

    return key != NULL && X509_CRL_verify(crl, key) == 1 ? FR_OK : FR_E_CRYPTO;
}

enum fr_err fr_crl_verify(struct fr_span der, const struct fr_cert *issuer)
{
    X509_CRL *crl = parse(der);
    enum fr_err err = crl == NULL ? FR_E_MALFORMED : verify(crl, issuer);

    X509_CRL_free(crl);
    ERR_clear_error();
    return err;
}

/* What others will read must be what was meant: numbers, dates, and a signature that holds. */
static enum fr_err lint(struct fr_span der, const struct fr_crl_spec *spec, size_t entries,
                        const struct fr_cert *issuer, struct fr_diag *diag,
                        struct fr_crl_fields *out)
{
    X509_CRL *copy = parse(der);
    enum fr_err err = copy == NULL ? FR_E_CRYPTO : verify(copy, issuer);

    if (!err) err = read_fields(copy, out);
    if (err || out->number != spec->number || out->this_update_s != spec->this_update_s ||
        out->next_update_s != spec->next_update_s || out->entries != entries)
        err = fr_diag_fail(diag, FR_E_CRYPTO,
                           "the revocation list does not read back as it was made");
    X509_CRL_free(copy);
    return err;
}

enum fr_err fr_crl_sign(struct fr_crl_draft *draft, const struct fr_crl_spec *spec,
                        const struct fr_cert *issuer, const struct fr_key *issuer_key,
                        struct fr_diag *diag, struct fr_buf *out, struct fr_crl_fields *fields)
{
    struct fr_crl_fields read = {0};
    unsigned char *der = NULL;
    enum fr_err err = FR_OK;
    int n = -1;

    if (sign(draft->crl, spec, issuer->x509, issuer_key->pkey)) n = i2d_X509_CRL(draft->crl, &der);
    if (n <= 0) err = fr_x509_fault(FR_E_INTERNAL);
    if (!err) err = lint(fr_span(der, (size_t)n), spec, count(draft->crl), issuer, diag, &read);
    if (!err) {
        fr_buf_add(out, der, (size_t)n);
        err = fr_buf_err(out);
    }
    if (!err) *fields = read;
    OPENSSL_free(der);
    fr_crl_draft_free(draft);
    ERR_clear_error();
    return err;
}
