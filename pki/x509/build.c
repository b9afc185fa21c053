#include "x509/build.h"

#include "x509/openssl.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <string.h>

enum fr_err fr_serial_make(uint8_t out[FR_X509_SERIAL_SIZE])
{
    if (RAND_priv_bytes(out, FR_X509_SERIAL_SIZE) != 1) return fr_x509_fault(FR_E_INTERNAL);
    out[0] = (uint8_t)((out[0] & 0x3f) | 0x40); /* positive, and no leading zero byte to lose */
    return FR_OK;
}

/* X.520 allows 64 characters in O and CN; the set is what a PrintableString and a log line both
 * carry. */
static bool is_subject_text(const char *text)
{
    size_t n = strnlen(text, FR_CERT_CN_MAX + 1);

    return n > 0 && n <= FR_CERT_CN_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .-") == n;
}

static bool is_label(const char *p, size_t n)
{
    return n > 0 && n <= 63 && p[0] != '-' && p[n - 1] != '-' &&
           strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789-") >= n;
}

static bool is_dns_name(const char *name)
{
    size_t n = strnlen(name, FR_CERT_NAME_MAX);

    if (n >= 254) return false; /* RFC 1035: 255 octets on the wire */
    for (;;) {
        size_t len = strcspn(name, ".");
        if (!is_label(name, len)) return false;
        if (name[len] == '\0') return true;
        name += len + 1;
    }
}

static bool is_uri(const char *uri)
{
    size_t n = strnlen(uri, FR_CERT_URI_MAX + 1);

    return n > 0 && n <= FR_CERT_URI_MAX &&
           strspn(uri, "abcdefghijklmnopqrstuvwxyz0123456789-./:") == n;
}

static bool spec_is_valid(const struct fr_cert_spec *spec)
{
    if (!is_subject_text(spec->organisation) || !is_subject_text(spec->common_name)) return false;
    if (spec->dns_count > FR_CERT_DNS_MAX || spec->not_after_s <= spec->not_before_s) return false;
    for (size_t i = 0; i < spec->dns_count; i++) {
        if (!is_dns_name(spec->dns[i])) return false;
    }
    if (spec->uri != NULL && !is_uri(spec->uri)) return false;
    if (spec->crl_url != NULL && !is_uri(spec->crl_url)) return false;
    if (spec->issuer_url != NULL && !is_uri(spec->issuer_url)) return false;
    if (spec->permitted_dns != NULL && !is_dns_name(spec->permitted_dns)) return false;
    return spec->serial[0] >= 0x40 && spec->serial[0] <= 0x7f;
}

static bool set_serial(X509 *x509, const struct fr_cert_spec *spec)
{
    BIGNUM *bn = BN_bin2bn(spec->serial, FR_X509_SERIAL_SIZE, NULL);
    bool ok = bn != NULL && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x509)) != NULL;

    BN_free(bn);
    return ok;
}

static bool set_subject(X509 *x509, const struct fr_cert_spec *spec)
{
    X509_NAME *name = X509_NAME_new();
    bool ok =
        name != NULL &&
        X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_UTF8,
                                   (const unsigned char *)spec->organisation, -1, -1, 0) == 1 &&
        X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                   (const unsigned char *)spec->common_name, -1, -1, 0) == 1 &&
        X509_set_subject_name(x509, name) == 1;

    X509_NAME_free(name);
    return ok;
}

/* Fixed text only: names from the registry never pass through OpenSSL's configuration syntax,
 * where a comma ends a name. */
static bool add_constant(X509 *x509, const X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext = NULL;
    bool ok = false;

    X509V3_set_ctx(&ctx, (X509 *)(uintptr_t)issuer, x509, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = ext != NULL && X509_add_ext(x509, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

static GENERAL_NAME *make_name(int type, const void *data, size_t n)
{
    ASN1_STRING *text =
        ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    GENERAL_NAME *name = GENERAL_NAME_new();

    if (text == NULL || name == NULL || ASN1_STRING_set(text, data, (int)n) != 1) {
        ASN1_STRING_free(text);
        GENERAL_NAME_free(name);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, type, text);
    return name;
}

static bool push_name(GENERAL_NAMES *names, int type, const char *text)
{
    GENERAL_NAME *name = make_name(type, text, strlen(text));

    if (name != NULL && sk_GENERAL_NAME_push(names, name) > 0) return true;
    GENERAL_NAME_free(name);
    return false;
}

static bool add_alt_names(X509 *x509, const struct fr_cert_spec *spec)
{
    GENERAL_NAMES *names = NULL;
    bool ok = true;

    if (spec->dns_count == 0 && spec->uri == NULL) return true;
    names = sk_GENERAL_NAME_new_null();
    ok = names != NULL;
    for (size_t i = 0; ok && i < spec->dns_count; i++) ok = push_name(names, GEN_DNS, spec->dns[i]);
    if (ok && spec->uri != NULL) ok = push_name(names, GEN_URI, spec->uri);
    if (ok) ok = X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

static bool push_subtree(STACK_OF(GENERAL_SUBTREE) * trees, int type, const void *data, size_t n)
{
    GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();

    if (tree == NULL) return false;
    GENERAL_NAME_free(tree->base);
    tree->base = make_name(type, data, n);
    if (tree->base != NULL && sk_GENERAL_SUBTREE_push(trees, tree) > 0) return true;
    GENERAL_SUBTREE_free(tree);
    return false;
}

/* permitted DNS + excluded "all addresses" is the one pair that OpenSSL, Go, rustls, GnuTLS and
 * NSS all understand. */
static bool add_name_constraints(X509 *x509, const struct fr_cert_spec *spec)
{
    static const uint8_t EVERY_ADDRESS[32] = {
        0}; /* address and mask of nothing but zeros: 8 bytes for v4, 32 for v6 */
    NAME_CONSTRAINTS *nc = NULL;
    bool ok = false;

    if (spec->permitted_dns == NULL) return true;
    nc = NAME_CONSTRAINTS_new();
    if (nc == NULL) return false;
    nc->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
    nc->excludedSubtrees = sk_GENERAL_SUBTREE_new_null();
    ok = nc->permittedSubtrees != NULL && nc->excludedSubtrees != NULL &&
         push_subtree(nc->permittedSubtrees, GEN_DNS, spec->permitted_dns,
                      strlen(spec->permitted_dns)) &&
         push_subtree(nc->excludedSubtrees, GEN_IPADD, EVERY_ADDRESS, 8) &&
         push_subtree(nc->excludedSubtrees, GEN_IPADD, EVERY_ADDRESS, 32) &&
         X509_add1_ext_i2d(x509, NID_name_constraints, nc, 1, X509V3_ADD_DEFAULT) == 1;
    NAME_CONSTRAINTS_free(nc);
    return ok;
}

/* The one place of the revocation list; no issuer and no reasons, because the list is whole. */
static bool add_crl_point(X509 *x509, const struct fr_cert_spec *spec)
{
    CRL_DIST_POINTS *points = NULL;
    DIST_POINT *point = NULL;
    bool ok = false;

    if (spec->crl_url == NULL) return true;
    points = CRL_DIST_POINTS_new();
    point = DIST_POINT_new();
    if (points == NULL || point == NULL) goto out;
    point->distpoint = DIST_POINT_NAME_new();
    if (point->distpoint == NULL) goto out;
    point->distpoint->type = 0; /* fullName */
    point->distpoint->name.fullname = sk_GENERAL_NAME_new_null();
    if (point->distpoint->name.fullname == NULL ||
        !push_name(point->distpoint->name.fullname, GEN_URI, spec->crl_url) ||
        sk_DIST_POINT_push(points, point) <= 0)
        goto out;
    point = NULL; /* the list's now */
    ok = X509_add1_ext_i2d(x509, NID_crl_distribution_points, points, 0, X509V3_ADD_DEFAULT) == 1;
out:
    DIST_POINT_free(point);
    CRL_DIST_POINTS_free(points);
    return ok;
}

static bool add_issuer_url(X509 *x509, const struct fr_cert_spec *spec)
{
    AUTHORITY_INFO_ACCESS *info = NULL;
    ACCESS_DESCRIPTION *access = NULL;
    bool ok = false;

    if (spec->issuer_url == NULL) return true;
    info = AUTHORITY_INFO_ACCESS_new();
    access = ACCESS_DESCRIPTION_new();
    if (info == NULL || access == NULL) goto out;
    ASN1_OBJECT_free(access->method);
    access->method = OBJ_nid2obj(NID_ad_ca_issuers);
    GENERAL_NAME_free(access->location);
    access->location = make_name(GEN_URI, spec->issuer_url, strlen(spec->issuer_url));
    if (access->location == NULL || sk_ACCESS_DESCRIPTION_push(info, access) <= 0) goto out;
    access = NULL; /* the list's now */
    ok = X509_add1_ext_i2d(x509, NID_info_access, info, 0, X509V3_ADD_DEFAULT) == 1;
out:
    ACCESS_DESCRIPTION_free(access);
    AUTHORITY_INFO_ACCESS_free(info);
    return ok;
}

static const char *const BASIC[] = {
    [FR_X509_ROOT] = "critical,CA:TRUE",
    [FR_X509_ISSUING] = "critical,CA:TRUE,pathlen:0",
    [FR_X509_LEAF] = "critical,CA:FALSE",
};

static const char *const USAGE[] = {
    [FR_X509_ROOT] = "critical,keyCertSign,cRLSign",
    [FR_X509_ISSUING] = "critical,keyCertSign,cRLSign,digitalSignature",
    [FR_X509_LEAF] = "critical,digitalSignature",
};

static bool add_extended_usage(X509 *x509, const struct fr_cert_spec *spec)
{
    if (!spec->server && !spec->client) return true;
    const char *value = spec->server && spec->client ? "serverAuth,clientAuth"
                        : spec->server               ? "serverAuth"
                                                     : "clientAuth";
    return add_constant(x509, NULL, NID_ext_key_usage, value);
}

/* The subject key identifier hashes the public key, so it comes after X509_set_pubkey; the
 * authority's is copied from it. */
static bool add_extensions(X509 *x509, const X509 *issuer, const struct fr_cert_spec *spec)
{
    return add_constant(x509, issuer, NID_basic_constraints, BASIC[spec->kind]) &&
           add_constant(x509, issuer, NID_key_usage, USAGE[spec->kind]) &&
           add_extended_usage(x509, spec) && add_name_constraints(x509, spec) &&
           add_constant(x509, issuer, NID_subject_key_identifier, "hash") &&
           add_constant(x509, issuer, NID_authority_key_identifier, "keyid:always") &&
           add_alt_names(x509, spec) && add_crl_point(x509, spec) && add_issuer_url(x509, spec);
}

enum fr_err fr_cert_sign(const struct fr_cert_spec *spec, const struct fr_key *key,
                         const struct fr_cert *issuer, const struct fr_key *issuer_key,
                         struct fr_cert **out)
{
    X509 *x509 = NULL;
    const X509 *parent = NULL;
    const EVP_MD *digest = EVP_PKEY_is_a(issuer_key->pkey, "ED25519") == 1 ? NULL : EVP_sha256();
    enum fr_err err = FR_E_INTERNAL;

    if (!spec_is_valid(spec)) return FR_E_INVALID;
    x509 = X509_new();
    if (x509 == NULL) goto out;
    parent = issuer != NULL ? issuer->x509 : x509;
    if (X509_set_version(x509, X509_VERSION_3) != 1 || !set_serial(x509, spec) ||
        !set_subject(x509, spec) || X509_set_pubkey(x509, key->pkey) != 1 ||
        X509_set_issuer_name(x509, X509_get_subject_name(parent)) != 1 ||
        ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)spec->not_before_s) == NULL ||
        ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)spec->not_after_s) == NULL ||
        !add_extensions(x509, parent, spec) || X509_sign(x509, issuer_key->pkey, digest) <= 0)
        goto out;
    err = fr_cert_give(x509, out);
    x509 = NULL;
out:
    if (err) err = fr_x509_fault(err);
    X509_free(x509);
    ERR_clear_error();
    return err;
}
