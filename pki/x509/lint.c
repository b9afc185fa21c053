#include "x509/build.h"

#include "base/buf.h"
#include "x509/openssl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string.h>

static bool subject_is(const X509_NAME *name, const struct fr_cert_spec *spec)
{
    const struct {
        int nid;
        const char *text;
    } want[] = {{NID_organizationName, spec->organisation}, {NID_commonName, spec->common_name}};

    if (X509_NAME_entry_count(name) != 2) return false;
    for (int i = 0; i < 2; i++) {
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        const ASN1_STRING *s = X509_NAME_ENTRY_get_data(entry);
        size_t n = (size_t)ASN1_STRING_length(s);
        if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != want[i].nid) return false;
        if (n != strlen(want[i].text)) return false;
        if (memcmp(ASN1_STRING_get0_data(s), want[i].text, n) != 0) return false;
    }
    return true;
}

static bool fields_are(const struct fr_cert_fields *f, const struct fr_cert_spec *spec)
{
    return f->serial_len == FR_X509_SERIAL_SIZE &&
           memcmp(f->serial, spec->serial, FR_X509_SERIAL_SIZE) == 0 &&
           f->not_before_s == spec->not_before_s && f->not_after_s == spec->not_after_s;
}

static bool names_are(const X509 *x509, const struct fr_cert_spec *spec)
{
    size_t wanted = spec->dns_count + (spec->uri != NULL ? 1 : 0);
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    bool ok = names == NULL ? wanted == 0 : (size_t)sk_GENERAL_NAME_num(names) == wanted;

    for (size_t i = 0; ok && i < wanted; i++) {
        bool is_dns = i < spec->dns_count;
        const char *text = is_dns ? spec->dns[i] : spec->uri;
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, (int)i);
        ok = name->type == (is_dns ? GEN_DNS : GEN_URI) &&
             (size_t)ASN1_STRING_length(name->d.ia5) == strlen(text) &&
             memcmp(ASN1_STRING_get0_data(name->d.ia5), text, strlen(text)) == 0;
    }
    GENERAL_NAMES_free(names);
    return ok;
}

static bool basic_is(const X509 *x509, const struct fr_cert_spec *spec)
{
    int critical = -1;
    BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(x509, NID_basic_constraints, &critical, NULL);
    bool is_ca = spec->kind != FR_X509_LEAF;
    bool ok = bc != NULL && critical == 1 && (bc->ca != 0) == is_ca &&
              (bc->pathlen != NULL) == (spec->kind == FR_X509_ISSUING) &&
              (bc->pathlen == NULL || ASN1_INTEGER_get(bc->pathlen) == 0);

    BASIC_CONSTRAINTS_free(bc);
    return ok;
}

static bool usage_is(X509 *x509, const struct fr_cert_spec *spec)
{
    static const uint32_t USAGE[] = {
        [FR_X509_ROOT] = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
        [FR_X509_ISSUING] = KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE,
        [FR_X509_LEAF] = KU_DIGITAL_SIGNATURE,
    };
    uint32_t extended = (spec->server ? XKU_SSL_SERVER : 0u) | (spec->client ? XKU_SSL_CLIENT : 0u);

    if (X509_get_key_usage(x509) != USAGE[spec->kind]) return false;
    return X509_get_extended_key_usage(x509) == (extended != 0 ? extended : UINT32_MAX);
}

static bool subtree_is(const STACK_OF(GENERAL_SUBTREE) * trees, int i, int type, const void *data,
                       size_t n)
{
    const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(trees, i)->base;

    return base->type == type && (size_t)ASN1_STRING_length(base->d.ia5) == n &&
           memcmp(ASN1_STRING_get0_data(base->d.ia5), data, n) == 0;
}

static bool constraints_are(const X509 *x509, const struct fr_cert_spec *spec)
{
    static const uint8_t ZEROS[32] = {0};
    int critical = -1;
    NAME_CONSTRAINTS *nc = X509_get_ext_d2i(x509, NID_name_constraints, &critical, NULL);
    const char *dns = spec->permitted_dns;
    bool ok = false;

    if (dns == NULL)
        ok = nc == NULL && critical == -1;
    else
        ok = nc != NULL && critical == 1 && sk_GENERAL_SUBTREE_num(nc->permittedSubtrees) == 1 &&
             sk_GENERAL_SUBTREE_num(nc->excludedSubtrees) == 2 &&
             subtree_is(nc->permittedSubtrees, 0, GEN_DNS, dns, strlen(dns)) &&
             subtree_is(nc->excludedSubtrees, 0, GEN_IPADD, ZEROS, 8) &&
             subtree_is(nc->excludedSubtrees, 1, GEN_IPADD, ZEROS, 32);
    NAME_CONSTRAINTS_free(nc);
    return ok;
}

static bool is_url(const GENERAL_NAME *name, const char *url)
{
    return name != NULL && name->type == GEN_URI &&
           (size_t)ASN1_STRING_length(name->d.ia5) == strlen(url) &&
           memcmp(ASN1_STRING_get0_data(name->d.ia5), url, strlen(url)) == 0;
}

static bool crl_point_is(const X509 *x509, const char *url)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x509, NID_crl_distribution_points, NULL, NULL);
    const DIST_POINT *point = NULL;
    bool ok = (points != NULL) == (url != NULL);

    if (ok && url != NULL) {
        point = sk_DIST_POINT_num(points) == 1 ? sk_DIST_POINT_value(points, 0) : NULL;
        ok = point != NULL && point->CRLissuer == NULL && point->reasons == NULL &&
             point->distpoint != NULL && point->distpoint->type == 0 &&
             sk_GENERAL_NAME_num(point->distpoint->name.fullname) == 1 &&
             is_url(sk_GENERAL_NAME_value(point->distpoint->name.fullname, 0), url);
    }
    CRL_DIST_POINTS_free(points);
    return ok;
}

static bool issuer_url_is(const X509 *x509, const char *url)
{
    AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(x509, NID_info_access, NULL, NULL);
    const ACCESS_DESCRIPTION *access = NULL;
    bool ok = (info != NULL) == (url != NULL);

    if (ok && url != NULL) {
        access = sk_ACCESS_DESCRIPTION_num(info) == 1 ? sk_ACCESS_DESCRIPTION_value(info, 0) : NULL;
        ok = access != NULL && OBJ_obj2nid(access->method) == NID_ad_ca_issuers &&
             is_url(access->location, url);
    }
    AUTHORITY_INFO_ACCESS_free(info);
    return ok;
}

/* With the named ones checked apart, the count alone says that nothing else slipped in. */
static bool extension_count_is(const X509 *x509, const struct fr_cert_spec *spec)
{
    int wanted = 4; /* basicConstraints, keyUsage, both key identifiers */

    if (spec->server || spec->client) wanted++;
    if (spec->permitted_dns != NULL) wanted++;
    if (spec->dns_count > 0 || spec->uri != NULL) wanted++;
    if (spec->crl_url != NULL) wanted++;
    if (spec->issuer_url != NULL) wanted++;
    return X509_get_ext_count(x509) == wanted &&
           X509_get0_subject_key_id((X509 *)(uintptr_t)x509) != NULL &&
           X509_get0_authority_key_id((X509 *)(uintptr_t)x509) != NULL;
}

/* A copy made from the bytes, because what OpenSSL remembers of a certificate it just built is not
 * what others will read. */
static enum fr_err read_back(const struct fr_cert *cert, struct fr_cert **out)
{
    struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX);
    enum fr_err err = fr_cert_write_der(cert, &der);

    if (!err) err = fr_cert_parse(fr_buf_span(&der), out);
    fr_buf_deinit(&der);
    return err;
}

static const char *find_difference(const struct fr_cert *cert, const struct fr_cert_fields *fields,
                                   const struct fr_cert_spec *spec, const struct fr_key *key)
{
    const EVP_PKEY *held = X509_get0_pubkey(cert->x509);

    if (X509_get_version(cert->x509) != X509_VERSION_3) return "version";
    if (!fields_are(fields, spec)) return "serial number or dates";
    if (!subject_is(X509_get_subject_name(cert->x509), spec)) return "subject";
    if (held == NULL || EVP_PKEY_eq(held, key->pkey) != 1) return "public key";
    if (!names_are(cert->x509, spec)) return "subject alternative names";
    if (!basic_is(cert->x509, spec)) return "basic constraints";
    if (!usage_is(cert->x509, spec)) return "key usage";
    if (!constraints_are(cert->x509, spec)) return "name constraints";
    if (!crl_point_is(cert->x509, spec->crl_url)) return "CRL distribution point";
    if (!issuer_url_is(cert->x509, spec->issuer_url)) return "authority information access";
    if (!extension_count_is(cert->x509, spec)) return "set of extensions";
    return NULL;
}

enum fr_err fr_cert_lint(const struct fr_cert *cert, const struct fr_cert_spec *spec,
                         const struct fr_key *key, struct fr_diag *diag)
{
    struct fr_cert *copy = NULL;
    struct fr_cert_fields fields = {0};
    enum fr_err err = read_back(cert, &copy);

    if (err) goto out;
    err = fr_cert_read_fields(copy, &fields);
    if (err) goto out;
    const char *difference = find_difference(copy, &fields, spec, key);
    if (difference != NULL)
        err = fr_diag_fail(diag, FR_E_CRYPTO, "the certificate differs from its profile: %s",
                           difference);
out:
    ERR_clear_error();
    fr_cert_free(copy);
    return err;
}
