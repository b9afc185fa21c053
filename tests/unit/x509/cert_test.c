#include "x509/cert.h"

#include "base/file.h"
#include "base/mem.h"
#include "x509/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Certificates made with the openssl program; `fields` is what reading the fields gives. */
static const struct {
    const char *file;
    enum fr_err parse, fields;
    const char *cn;
    size_t dns_count, uri_count;
} ROWS[] = {
    {"ns.der", FR_OK, FR_OK, "000013", 1, 1},
    {"two-cn.der", FR_OK, FR_OK, "", 1, 0},
    {"ip-san.der", FR_OK, FR_OK, "acme", 0, 0},
    {"no-names.der", FR_OK, FR_OK, "", 0, 0},
    {"long-cn.der", FR_OK, FR_OK,
     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg", 0, 0},
    {"nine-names.der", FR_OK, FR_E_LIMIT, NULL, 0, 0},
    {"long-serial.der", FR_OK, FR_E_MALFORMED, NULL, 0, 0},
    {"negative-serial.der", FR_OK, FR_E_MALFORMED, NULL, 0, 0},
    {"nul-in-name.der", FR_OK, FR_E_MALFORMED, NULL, 0, 0},
    {"bad-uri.der", FR_OK, FR_E_MALFORMED, NULL, 0, 0},
    {"junk-tail.der", FR_E_MALFORMED, FR_OK, NULL, 0, 0},
    {"truncated.der", FR_E_MALFORMED, FR_OK, NULL, 0, 0},
};

static void read_sample(const char *file, struct fr_buf *out)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/tests/fuzz/corpus/cert/%s", FR_SOURCE_DIR, file);
    assert_int_equal(fr_file_read(path, NULL, out), FR_OK);
}

static void samples_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct fr_buf in = FR_BUF_INIT(FR_CERT_MAX);
        struct fr_cert *cert = NULL;
        struct fr_cert_fields f = {0};
        read_sample(ROWS[i].file, &in);
        enum fr_err err = fr_cert_parse(fr_buf_span(&in), &cert);
        if (err != ROWS[i].parse) fail_msg("%s: %s", ROWS[i].file, fr_err_text(err));
        if (!err) {
            err = fr_cert_read_fields(cert, &f);
            if (err != ROWS[i].fields) fail_msg("%s fields: %s", ROWS[i].file, fr_err_text(err));
        }
        if (ROWS[i].cn != NULL) {
            assert_string_equal(f.cn, ROWS[i].cn);
            assert_int_equal(f.dns_count, ROWS[i].dns_count);
            assert_int_equal(f.uri_count, ROWS[i].uri_count);
        }
        fr_cert_free(cert);
        fr_buf_deinit(&in);
    }
}

static void fields_are_the_certificates(void **state)
{
    struct fr_buf in = FR_BUF_INIT(FR_CERT_MAX), out = FR_BUF_INIT(FR_CERT_MAX);
    struct fr_cert *cert = NULL;
    struct fr_cert_fields f;
    struct fr_key *key = NULL;
    uint8_t spki[FR_SHA256_SIZE];
    const uint8_t serial[16] = {0x41, [15] = 1};

    (void)state;
    read_sample("ns.der", &in);
    assert_int_equal(fr_cert_parse(fr_buf_span(&in), &cert), FR_OK);
    assert_int_equal(fr_cert_read_fields(cert, &f), FR_OK);
    assert_string_equal(f.dns[0], "000013.netid.fed.test");
    assert_string_equal(f.uri[0], "spiffe://fed.test/member/acme/ns/000013");
    assert_int_equal(f.serial_len, 16);
    assert_memory_equal(f.serial, serial, 16);
    assert_int_equal(f.not_after_s - f.not_before_s, 3650LL * 86400);
    assert_true(f.is_ca); /* as "openssl req -x509" makes them */
    assert_int_equal(fr_cert_dup_key(cert, &key), FR_OK);
    assert_int_equal(fr_key_spki_sha256(key, spki), FR_OK);
    assert_memory_equal(spki, f.spki_sha256, sizeof spki);
    assert_int_equal(fr_cert_write_der(cert, &out), FR_OK);
    assert_int_equal(out.n, in.n);
    assert_memory_equal(out.p, in.p, in.n);
    fr_key_free(key);
    fr_cert_free(cert);
    fr_buf_deinit(&in);
    fr_buf_deinit(&out);
}

static void no_beginning_is_a_certificate(void **state)
{
    struct fr_buf in = FR_BUF_INIT(FR_CERT_MAX);

    (void)state;
    read_sample("ns.der", &in);
    for (size_t n = 0; n < in.n; n++) {
        struct fr_cert *cert = NULL;
        uint8_t *copy = fr_memdup(in.p, n);
        assert_int_not_equal(fr_cert_parse(fr_span(copy, n), &cert), FR_OK);
        assert_null(cert);
        fr_free(copy);
    }
    fr_buf_deinit(&in);
}

/* A root and a leaf under it, as PEM appended to each buffer. */
static void make_pair(struct fr_buf *root_pem, struct fr_buf *leaf_pem)
{
    struct fr_cert_spec spec = {.kind = FR_X509_ROOT,
                                .not_before_s = 1,
                                .not_after_s = 2000000000,
                                .organisation = "fed.test",
                                .common_name = "root"};
    struct fr_key *key = NULL;
    struct fr_cert *root = NULL, *leaf = NULL;

    assert_int_equal(fr_key_generate(&key), FR_OK);
    assert_int_equal(fr_serial_make(spec.serial), FR_OK);
    assert_int_equal(fr_cert_sign(&spec, key, NULL, key, &root), FR_OK);
    spec.kind = FR_X509_LEAF;
    spec.common_name = "leaf";
    assert_int_equal(fr_serial_make(spec.serial), FR_OK);
    assert_int_equal(fr_cert_sign(&spec, key, root, key, &leaf), FR_OK);
    assert_int_equal(fr_cert_write_pem(root, root_pem), FR_OK);
    assert_int_equal(fr_cert_write_pem(leaf, leaf_pem), FR_OK);
    fr_key_free(key);
    fr_cert_free(root);
    fr_cert_free(leaf);
}

static void chain_files_are_judged(void **state)
{
    enum { ROOT = 1, LEAF, JUNK, HALF };
    static const struct {
        const char *what;
        int parts[10];
        enum fr_err err, one_err;
        size_t count;
    } rows[] = {
        {"leaf alone", {LEAF}, FR_OK, FR_OK, 1},
        {"leaf and issuer", {LEAF, ROOT}, FR_OK, FR_E_MALFORMED, 2},
        {"text around", {JUNK, LEAF, JUNK, ROOT, JUNK}, FR_OK, FR_E_MALFORMED, 2},
        {"wrong order", {ROOT, LEAF}, FR_E_MALFORMED, FR_E_MALFORMED, 0},
        {"nothing", {0}, FR_E_MALFORMED, FR_E_MALFORMED, 0},
        {"text alone", {JUNK}, FR_E_MALFORMED, FR_E_MALFORMED, 0},
        {"second one cut", {LEAF, HALF}, FR_E_MALFORMED, FR_E_MALFORMED, 0},
        {"too many",
         {ROOT, ROOT, ROOT, ROOT, ROOT, ROOT, ROOT, ROOT, ROOT},
         FR_E_LIMIT,
         FR_E_LIMIT,
         0},
    };
    struct fr_buf root = FR_BUF_INIT(FR_CERT_MAX), leaf = FR_BUF_INIT(FR_CERT_MAX);
    char path[] = "/tmp/fr-chain-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    make_pair(&root, &leaf);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_buf all = FR_BUF_INIT(FR_CERT_FILE_MAX);
        struct fr_chain *chain = NULL;
        struct fr_cert *one = NULL;
        struct fr_diag diag = {0};
        for (int p = 0; rows[i].parts[p] != 0; p++) {
            if (rows[i].parts[p] == ROOT) fr_buf_add_span(&all, fr_buf_span(&root));
            if (rows[i].parts[p] == LEAF) fr_buf_add_span(&all, fr_buf_span(&leaf));
            if (rows[i].parts[p] == JUNK) fr_buf_add_str(&all, "subject=CN = somebody\n");
            if (rows[i].parts[p] == HALF) fr_buf_add(&all, root.p, root.n / 2);
        }
        assert_int_equal(fr_file_write(path, 0644, fr_buf_span(&all), NULL), FR_OK);
        enum fr_err err = fr_chain_load(path, &diag, &chain);
        if (err != rows[i].err || (err && diag.what[0] == '\0'))
            fail_msg("%s: %s", rows[i].what, fr_err_text(err));
        if (!err) assert_int_equal(fr_chain_count(chain), rows[i].count);
        if (!err) assert_null(fr_chain_at(chain, rows[i].count));
        err = fr_cert_load(path, &diag, &one);
        if (err != rows[i].one_err) fail_msg("%s, as one: %s", rows[i].what, fr_err_text(err));
        fr_cert_free(one);
        fr_chain_free(chain);
        fr_buf_deinit(&all);
    }
    (void)unlink(path);
    fr_buf_deinit(&root);
    fr_buf_deinit(&leaf);
}

static struct fr_cert *sample(const char *file)
{
    struct fr_buf in = FR_BUF_INIT(FR_CERT_MAX);
    struct fr_cert *cert = NULL;

    read_sample(file, &in);
    assert_int_equal(fr_cert_parse(fr_buf_span(&in), &cert), FR_OK);
    fr_buf_deinit(&in);
    return cert;
}

/* Two roots of one key and one name, that differ in the digest that was signed. */
static void a_weak_signature_is_none(void **state)
{
    struct fr_cert *good = sample("root-sha256.der"), *weak = sample("root-sha1.der");

    (void)state;
    assert_true(fr_cert_is_issued_by(good, good));
    assert_true(fr_cert_is_issued_by(good, weak));
    assert_false(fr_cert_is_issued_by(weak, weak));
    assert_false(fr_cert_is_issued_by(weak, good));
    fr_cert_free(good);
    fr_cert_free(weak);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_judged),
        cmocka_unit_test(fields_are_the_certificates),
        cmocka_unit_test(no_beginning_is_a_certificate),
        cmocka_unit_test(chain_files_are_judged),
        cmocka_unit_test(a_weak_signature_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
