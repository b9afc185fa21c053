#include "x509/bag.h"

#include "base/base64.h"
#include "x509/openssl.h"

#include <openssl/pkcs7.h>
#include <string.h>

static enum fr_err fill(STACK_OF(X509) * certs, const struct fr_span *ders, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char *at = ders[i].p;
        X509 *cert = d2i_X509(NULL, &at, (long)ders[i].n);
        if (cert == NULL || at != ders[i].p + ders[i].n || sk_X509_push(certs, cert) <= 0) {
            X509_free(cert);
            return fr_x509_fault(FR_E_MALFORMED);
        }
    }
    return FR_OK;
}

/* By hand, because PKCS7_content_new puts an empty content in, which is more than nothing. */
static PKCS7 *make(STACK_OF(X509) * certs)
{
    PKCS7 *bag = PKCS7_new();
    PKCS7_SIGNED *body = PKCS7_SIGNED_new();

    if (bag == NULL || body == NULL || ASN1_INTEGER_set(body->version, 1) != 1) goto fail;
    body->contents->type = OBJ_nid2obj(NID_pkcs7_data);
    body->cert = X509_chain_up_ref(certs);
    if (body->cert == NULL) goto fail;
    bag->type = OBJ_nid2obj(NID_pkcs7_signed);
    bag->d.sign = body;
    return bag;
fail:
    PKCS7_SIGNED_free(body);
    PKCS7_free(bag);
    return NULL;
}

enum fr_err fr_bag_write(const struct fr_span *ders, size_t n, struct fr_buf *out)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    PKCS7 *bag = NULL;
    unsigned char *der = NULL;
    int size = -1;
    enum fr_err err = certs == NULL ? fr_x509_fault(FR_E_NOMEM) : fill(certs, ders, n);

    if (err) goto out;
    bag = make(certs);
    if (bag != NULL) size = i2d_PKCS7(bag, &der);
    if (size <= 0) {
        err = fr_x509_fault(FR_E_INTERNAL);
        goto out;
    }
    fr_buf_add(out, der, (size_t)size);
    err = fr_buf_err(out);
out:
    OPENSSL_free(der);
    PKCS7_free(bag);
    sk_X509_pop_free(certs, X509_free);
    return err;
}

/* One of the bag, as a handle of its own, by way of its DER: so the bounds of fr_cert_parse hold. */
static enum fr_err take(const X509 *one, struct fr_cert **out)
{
    unsigned char *der = NULL;
    int size = i2d_X509(one, &der);
    enum fr_err err =
        size <= 0 ? fr_x509_fault(FR_E_INTERNAL) : fr_cert_parse(fr_span(der, (size_t)size), out);

    OPENSSL_free(der);
    return err;
}

enum fr_err fr_bag_read(struct fr_span der, struct fr_cert *out[FR_BAG_CERTS_MAX], size_t *n)
{
    const unsigned char *at = der.p;
    struct fr_cert *found[FR_BAG_CERTS_MAX];
    const STACK_OF(X509) *certs = NULL;
    size_t count = 0;
    enum fr_err err = FR_OK;

    if (der.n == 0) return FR_E_MALFORMED;
    if (der.n > FR_BAG_MAX) return FR_E_LIMIT;
    PKCS7 *bag = d2i_PKCS7(NULL, &at, (long)der.n);
    if (bag == NULL || at != der.p + der.n || !PKCS7_type_is_signed(bag) || bag->d.sign == NULL) {
        err = fr_x509_fault(FR_E_MALFORMED);
        goto out;
    }
    certs = bag->d.sign->cert;
    if (certs == NULL || sk_X509_num(certs) < 1) err = FR_E_MALFORMED;
    if (!err && sk_X509_num(certs) > FR_BAG_CERTS_MAX) err = FR_E_LIMIT;
    for (int i = 0; !err && i < sk_X509_num(certs); i++) {
        err = take(sk_X509_value(certs, i), &found[count]);
        if (!err) count++;
    }
    for (size_t i = 0; i < count; i++) {
        if (err)
            fr_cert_free(found[i]);
        else
            out[i] = found[i];
    }
    if (!err) *n = count;
out:
    PKCS7_free(bag);
    return err;
}

enum fr_err fr_bag_read_text(struct fr_span text, struct fr_cert *out[FR_BAG_CERTS_MAX], size_t *n)
{
    struct fr_buf dense = FR_BUF_INIT(FR_BAG_MAX / 3 * 4 + 8), der = FR_BUF_INIT(FR_BAG_MAX);

    for (size_t i = 0; i < text.n && fr_buf_err(&dense) == FR_OK; i++)
        if (memchr(" \t\r\n", text.p[i], 4) == NULL) fr_buf_add_char(&dense, (char)text.p[i]);
    enum fr_err err = fr_buf_err(&dense);
    if (!err) err = fr_base64_parse(fr_buf_span(&dense), &der);
    if (!err) err = fr_bag_read(fr_buf_span(&der), out, n);
    fr_buf_deinit(&der);
    fr_buf_deinit(&dense);
    return err;
}
