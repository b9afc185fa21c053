#include "x509/claims.h"

#include "x509/openssl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string.h>

/* --- challengePassword --- */

static enum fr_err copy_challenge(const X509_ATTRIBUTE *attribute, char out[FR_CHALLENGE_MAX + 1])
{
    const ASN1_TYPE *value = NULL;

    if (X509_ATTRIBUTE_count(attribute) != 1) return FR_E_MALFORMED;
    value = X509_ATTRIBUTE_get0_type((X509_ATTRIBUTE *)(uintptr_t)attribute, 0);
    if (value == NULL || (value->type != V_ASN1_PRINTABLESTRING &&
                          value->type != V_ASN1_UTF8STRING && value->type != V_ASN1_IA5STRING))
        return FR_E_MALFORMED;
    struct fr_span text = fr_span(ASN1_STRING_get0_data(value->value.asn1_string),
                                  (size_t)ASN1_STRING_length(value->value.asn1_string));
    return fr_span_copy(text, out, FR_CHALLENGE_MAX + 1) ? FR_OK : FR_E_MALFORMED;
}

enum fr_err fr_csr_read_challenge(struct fr_span csr, char out[FR_CHALLENGE_MAX + 1], bool *has)
{
    X509_REQ *req = fr_csr_decode(csr);
    enum fr_err err = req == NULL ? FR_E_MALFORMED : FR_OK;
    int at = -1;

    if (err) goto out;
    at = X509_REQ_get_attr_by_NID(req, NID_pkcs9_challengePassword, -1);
    if (at < 0) {
        *has = false;
        goto out;
    }
    if (X509_REQ_get_attr_by_NID(req, NID_pkcs9_challengePassword, at) >= 0)
        err = FR_E_MALFORMED;
    else
        err = copy_challenge(X509_REQ_get_attr(req, at), out);
    if (!err) *has = true;
out:
    X509_REQ_free(req);
    ERR_clear_error();
    return err;
}

/* --- names --- */

/* Bytes are compared, not types: one side writes PrintableString, the other UTF8String. */
static bool has_entry(const X509_NAME *name, const X509_NAME_ENTRY *wanted)
{
    const ASN1_STRING *text = X509_NAME_ENTRY_get_data(wanted);

    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        const ASN1_STRING *held = X509_NAME_ENTRY_get_data(entry);
        if (OBJ_cmp(X509_NAME_ENTRY_get_object(entry), X509_NAME_ENTRY_get_object(wanted)) == 0 &&
            ASN1_STRING_length(held) == ASN1_STRING_length(text) &&
            memcmp(ASN1_STRING_get0_data(held), ASN1_STRING_get0_data(text),
                   (size_t)ASN1_STRING_length(text)) == 0)
            return true;
    }
    return false;
}

static bool is_subject_within(const X509_NAME *subject, const X509_NAME *held)
{
    for (int i = 0; i < X509_NAME_entry_count(subject); i++) {
        if (!has_entry(held, X509_NAME_get_entry(subject, i))) return false;
    }
    return true;
}

static bool has_name(const GENERAL_NAMES *names, GENERAL_NAME *wanted)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, i), wanted) == 0) return true;
    }
    return false;
}

static bool are_names_within(const GENERAL_NAMES *names, const GENERAL_NAMES *held)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (!has_name(held, sk_GENERAL_NAME_value(names, i))) return false;
    }
    return true;
}

enum fr_err fr_csr_is_within(struct fr_span csr, const struct fr_cert *cert, bool *out)
{
    X509_REQ *req = fr_csr_decode(csr);
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    GENERAL_NAMES *wanted = NULL, *held = NULL;
    enum fr_err err = req == NULL ? FR_E_MALFORMED : FR_OK;
    int state = -1;

    if (err) goto out;
    extensions = X509_REQ_get_extensions(req);
    wanted = X509V3_get_d2i(extensions, NID_subject_alt_name, &state, NULL);
    if (wanted == NULL && state != -1) { /* there, and unreadable or twice */
        err = FR_E_MALFORMED;
        goto out;
    }
    held = X509_get_ext_d2i(cert->x509, NID_subject_alt_name, NULL, NULL);
    *out = is_subject_within(X509_REQ_get_subject_name(req), X509_get_subject_name(cert->x509)) &&
           are_names_within(wanted, held);
out:
    GENERAL_NAMES_free(held);
    GENERAL_NAMES_free(wanted);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_free(req);
    ERR_clear_error();
    return err;
}
