#include "support/test_pki.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test_ca {
    X509 *cert;
    EVP_PKEY *key;
    char *pem;
};

static void must(bool is_ok, const char *what)
{
    if (is_ok) return;
    fprintf(stderr, "test_pki: %s failed\n", what);
    abort();
}

static char *bio_text(BIO *bio)
{
    char *data;
    long n = BIO_get_mem_data(bio, &data);
    char *text = strndup(data, (size_t)n);

    must(text != NULL, "strndup");
    BIO_free(bio);
    return text;
}

static char *cert_pem(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(bio && PEM_write_bio_X509(bio, cert) == 1, "PEM_write_bio_X509");
    return bio_text(bio);
}

static char *key_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1, "PKCS8");
    return bio_text(bio);
}

static void add_ext(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    must(ext && X509_add_ext(cert, ext, -1) == 1, value);
    X509_EXTENSION_free(ext);
}

static X509 *blank(const char *cn, EVP_PKEY *key, int64_t from_s, int64_t to_s)
{
    X509 *cert = X509_new();
    unsigned char serial[16];
    BIGNUM *bn;

    must(cert && RAND_bytes(serial, sizeof serial) == 1, "X509_new");
    serial[0] = (serial[0] & 0x3f) | 0x40; /* positive, always 16 bytes */
    bn = BN_bin2bn(serial, sizeof serial, NULL);
    must(bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)), "serial");
    BN_free(bn);
    must(X509_set_version(cert, 2) == 1 && X509_set_pubkey(cert, key) == 1, "X509_set");
    X509_gmtime_adj(X509_getm_notBefore(cert), (long)from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert), (long)to_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)cn, -1, -1, 0);
    return cert;
}

struct test_ca *test_ca_new(const char *cn)
{
    struct test_ca *ca = calloc(1, sizeof *ca);

    must(ca != NULL, "calloc");
    ca->key = EVP_EC_gen("P-256");
    must(ca->key != NULL, "EVP_EC_gen");
    ca->cert = blank(cn, ca->key, -7200, 7200);
    X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert));
    add_ext(ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE");
    add_ext(ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_ext(ca->cert, ca->cert, NID_subject_key_identifier, "hash");
    must(X509_sign(ca->cert, ca->key, EVP_sha256()) > 0, "X509_sign");
    ca->pem = cert_pem(ca->cert);
    return ca;
}

void test_ca_free(struct test_ca *ca)
{
    if (!ca) return;
    X509_free(ca->cert);
    EVP_PKEY_free(ca->key);
    free(ca->pem);
    free(ca);
}

const char *test_ca_pem(const struct test_ca *ca)
{
    return ca->pem;
}

void test_issue(struct test_ca *ca, const struct test_leaf *leaf, struct test_id *out)
{
    bool is_default = leaf->from_s == 0 && leaf->to_s == 0;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert =
        blank(leaf->cn, key, is_default ? -3600 : leaf->from_s, is_default ? 3600 : leaf->to_s);
    char names[1024] = "";

    X509_set_issuer_name(cert, X509_get_subject_name(ca->cert));
    for (int i = 0; i < 4 && leaf->names[i]; i++) {
        strcat(names, i ? ",DNS:" : "DNS:");
        strcat(names, leaf->names[i]);
    }
    if (names[0]) add_ext(cert, ca->cert, NID_subject_alt_name, names);
    add_ext(cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE");
    add_ext(cert, ca->cert, NID_key_usage, "critical,digitalSignature");
    add_ext(cert, ca->cert, NID_ext_key_usage, "serverAuth,clientAuth");
    must(X509_sign(cert, ca->key, EVP_sha256()) > 0, "X509_sign");
    out->chain = cert_pem(cert);
    out->key = key_pem(key);
    X509_free(cert);
    EVP_PKEY_free(key);
}

void test_id_free(struct test_id *id)
{
    free(id->chain);
    free(id->key);
    *id = (struct test_id){0};
}
