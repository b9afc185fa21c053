#include "x509/claims.h"

#include "x509/bag.h"
#include "x509/build.h"

#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fr_key *key;
static struct fr_cert *cert;
static EVP_PKEY *pkey;

static int setup(void **state)
{
    struct fr_cert_spec spec = {.kind = FR_X509_LEAF,
                                .serial = {0x41},
                                .not_before_s = 1795157000,
                                .not_after_s = 1795158000,
                                .organisation = "fed.test",
                                .common_name = "000013",
                                .dns = {"000013.netid.fed.test"},
                                .dns_count = 1,
                                .uri = "spiffe://fed.test/member/acme/ns/000013",
                                .server = true,
                                .client = true};

    (void)state;
    assert_int_equal(fr_key_generate(&key), FR_OK);
    assert_int_equal(fr_cert_sign(&spec, key, NULL, key, &cert), FR_OK);
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    return pkey == NULL;
}

static int teardown(void **state)
{
    (void)state;
    EVP_PKEY_free(pkey);
    fr_cert_free(cert);
    fr_key_free(key);
    return 0;
}

/* A request by OpenSSL itself; any part may be NULL. */
static void make(const char *cn, const char *san, const char *challenge, int type,
                 struct fr_buf *der)
{
    X509_REQ *req = X509_REQ_new();
    unsigned char *bytes = NULL;

    if (cn != NULL)
        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_ASC,
                                   (const unsigned char *)cn, -1, -1, 0);
    if (san != NULL) {
        STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
        sk_X509_EXTENSION_push(list, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san));
        X509_REQ_add_extensions(req, list);
        sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    }
    if (challenge != NULL)
        assert_int_equal(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, type,
                                                   (const unsigned char *)challenge,
                                                   (int)strlen(challenge)),
                         1);
    X509_REQ_set_pubkey(req, pkey);
    assert_true(X509_REQ_sign(req, pkey, EVP_sha256()) > 0);
    int n = i2d_X509_REQ(req, &bytes);
    fr_buf_add(der, bytes, (size_t)n);
    OPENSSL_free(bytes);
    X509_REQ_free(req);
}

static void names_are_within_or_not(void **state)
{
    static const struct {
        const char *cn, *san;
        bool is_within;
    } rows[] = {
        {NULL, NULL, true},
        {"000013", NULL, true},
        {NULL, "DNS:000013.netid.fed.test", true},
        {"000013", "URI:spiffe://fed.test/member/acme/ns/000013,DNS:000013.netid.fed.test", true},
        {"000014", NULL, false},
        {"00001", NULL, false},
        {NULL, "DNS:000014.netid.fed.test", false},
        {NULL, "DNS:000013.netid.fed.test,DNS:broker.fed.test", false},
        {NULL, "IP:127.0.0.1", false},
        {NULL, "email:a@fed.test", false},
        {"000013", "URI:spiffe://fed.test/member/umbra/ns/000013", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX);
        bool is_within = !rows[i].is_within;
        make(rows[i].cn, rows[i].san, NULL, 0, &der);
        assert_int_equal(fr_csr_is_within(fr_buf_span(&der), cert, &is_within), FR_OK);
        if (is_within != rows[i].is_within) fail_msg("row %zu", i);
        fr_buf_deinit(&der);
    }
}

static void the_challenge_is_read(void **state)
{
    char long_text[400], out[FR_CHALLENGE_MAX + 1] = "";
    struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX);
    bool has = true;

    (void)state;
    memset(long_text, 'A', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    make("x", NULL, NULL, 0, &der);
    assert_int_equal(fr_csr_read_challenge(fr_buf_span(&der), out, &has), FR_OK);
    assert_false(has);
    fr_buf_reset(&der);
    make("x", NULL, "abc+/=", MBSTRING_ASC, &der);
    assert_int_equal(fr_csr_read_challenge(fr_buf_span(&der), out, &has), FR_OK);
    assert_true(has);
    assert_string_equal(out, "abc+/=");
    for (size_t n = 0; n < der.n; n++) {
        uint8_t *piece = malloc(n + 1);
        memcpy(piece, der.p, n);
        assert_int_equal(fr_csr_read_challenge(fr_span(piece, n), out, &has), FR_E_MALFORMED);
        free(piece);
    }
    fr_buf_reset(&der);
    make("x", NULL, "abc", V_ASN1_OCTET_STRING, &der);
    assert_int_equal(fr_csr_read_challenge(fr_buf_span(&der), out, &has), FR_E_MALFORMED);
    fr_buf_reset(&der);
    make("x", NULL, long_text, V_ASN1_UTF8STRING, &der);
    assert_int_equal(fr_csr_read_challenge(fr_buf_span(&der), out, &has), FR_E_MALFORMED);
    fr_buf_deinit(&der);
}

static void a_bag_holds_what_was_put_in(void **state)
{
    struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX), bag = FR_BUF_INIT(FR_CERT_MAX);

    (void)state;
    assert_int_equal(fr_cert_write_der(cert, &der), FR_OK);
    const struct fr_span both[] = {fr_buf_span(&der), fr_buf_span(&der)};
    assert_int_equal(fr_bag_write(both, 2, &bag), FR_OK);
    const unsigned char *at = bag.p;
    PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)bag.n);
    assert_non_null(p7);
    assert_ptr_equal(at, bag.p + bag.n);
    assert_int_equal(sk_X509_num(p7->d.sign->cert), 2);
    assert_int_equal(sk_PKCS7_SIGNER_INFO_num(p7->d.sign->signer_info), 0);
    PKCS7_free(p7);
    fr_buf_reset(&bag);
    const struct fr_span cut = fr_span(der.p, der.n - 1);
    assert_int_equal(fr_bag_write(&cut, 1, &bag), FR_E_MALFORMED);
    fr_buf_add_char(&der, '\0');
    const struct fr_span more = fr_buf_span(&der);
    assert_int_equal(fr_bag_write(&more, 1, &bag), FR_E_MALFORMED);
    fr_buf_deinit(&der);
    fr_buf_deinit(&bag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_within_or_not),
        cmocka_unit_test(the_challenge_is_read),
        cmocka_unit_test(a_bag_holds_what_was_put_in),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
