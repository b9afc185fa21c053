#include "x509/bag.h"

#include "base/file.h"
#include "x509/build.h"
#include "x509/p12.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1795157000LL

static struct fr_cert *make(struct fr_key **key)
{
    struct fr_cert_spec spec = {.kind = FR_X509_ROOT,
                                .not_before_s = NOW,
                                .not_after_s = NOW + 1000,
                                .organisation = "fed.test",
                                .common_name = "a root"};
    struct fr_cert *cert = NULL;

    assert_int_equal(fr_serial_make(spec.serial), FR_OK);
    assert_int_equal(fr_key_generate(key), FR_OK);
    assert_int_equal(fr_cert_sign(&spec, *key, NULL, *key, &cert), FR_OK);
    return cert;
}

static void bags_come_back(void **state)
{
    struct fr_buf ders[2] = {FR_BUF_INIT(FR_CERT_MAX), FR_BUF_INIT(FR_CERT_MAX)},
                  bag = FR_BUF_INIT(FR_BAG_MAX);
    struct fr_span spans[2];
    struct fr_cert *back[FR_BAG_CERTS_MAX];
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fr_key *key = NULL;
        struct fr_cert *cert = make(&key);
        assert_int_equal(fr_cert_write_der(cert, &ders[i]), FR_OK);
        spans[i] = fr_buf_span(&ders[i]);
        fr_cert_free(cert);
        fr_key_free(key);
    }
    assert_int_equal(fr_bag_write(spans, 2, &bag), FR_OK);
    for (size_t cut = 0; cut < bag.n; cut++)
        assert_int_equal(fr_bag_read(fr_span(bag.p, cut), back, &n), FR_E_MALFORMED);
    assert_int_equal(fr_bag_read(fr_buf_span(&bag), back, &n), FR_OK);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) {
        struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX);
        assert_int_equal(fr_cert_write_der(back[i], &der), FR_OK);
        assert_true(fr_span_equal(fr_buf_span(&der), spans[i]));
        fr_buf_deinit(&der);
        fr_cert_free(back[i]);
    }
    fr_buf_add_char(&bag, 'x');
    assert_int_equal(fr_bag_read(fr_buf_span(&bag), back, &n), FR_E_MALFORMED);
    assert_int_equal(fr_bag_read(spans[0], back, &n), FR_E_MALFORMED); /* a certificate is no bag */
    for (int i = 0; i < 2; i++) fr_buf_deinit(&ders[i]);
    fr_buf_deinit(&bag);
}

static void a_p12_needs_a_passphrase(void **state)
{
    struct fr_buf pem = FR_BUF_INIT(65536), out = FR_BUF_INIT(65536);
    struct fr_key *key = NULL;
    struct fr_cert *cert = make(&key);
    struct fr_chain *chain = NULL;
    char path[] = "/tmp/fr-p12-XXXXXX";

    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(fr_cert_write_pem(cert, &pem), FR_OK);
    assert_int_equal(fr_file_write(path, 0644, fr_buf_span(&pem), NULL), FR_OK);
    assert_int_equal(fr_chain_load(path, NULL, &chain), FR_OK);
    assert_int_equal(fr_p12_write(key, chain, "x", "", &out), FR_E_INVALID);
    assert_int_equal(fr_p12_write(key, chain, "x", "pass", &out), FR_OK);
    assert_true(out.n > 500 && out.p[0] == 0x30);
    (void)unlink(path);
    fr_chain_free(chain);
    fr_cert_free(cert);
    fr_key_free(key);
    fr_buf_deinit(&pem);
    fr_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bags_come_back),
        cmocka_unit_test(a_p12_needs_a_passphrase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
