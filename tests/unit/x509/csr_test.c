#include "x509/csr.h"

#include "base/file.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Requests made with the openssl program, and what became of some of them under a hex editor. */
static const struct {
    const char *file;
    enum fr_err err;
} ROWS[] = {
    {"p256.der", FR_OK},
    {"p256.pem", FR_OK},
    {"p384.der", FR_OK},
    {"ed.der", FR_OK},
    {"rsa2048.der", FR_OK},
    {"empty-subject.der", FR_OK},
    {"ca-true.der", FR_OK},     /* what it asks for is not looked at */
    {"foreign-san.der", FR_OK}, /* the same */
    {"p521.der", FR_E_DENIED},
    {"k1.der", FR_E_DENIED},
    {"ed448.der", FR_E_DENIED},
    {"explicit.der", FR_E_DENIED},
    {"rsa1024.der", FR_E_DENIED},
    {"rsa16384.der", FR_E_DENIED},
    {"rsae3.der", FR_E_DENIED},
    {"off-curve.der", FR_E_DENIED},
    {"tampered.der", FR_E_CRYPTO},
    {"junk-tail.der", FR_E_MALFORMED},
    {"junk-tail.pem", FR_E_MALFORMED},
    {"two.pem", FR_E_MALFORMED},
    {"preamble.pem", FR_E_MALFORMED},
    {"nonsense.der", FR_E_MALFORMED},
};

static void read_sample(const char *file, struct fr_buf *out)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/tests/fuzz/corpus/csr/%s", FR_SOURCE_DIR, file);
    assert_int_equal(fr_file_read(path, NULL, out), FR_OK);
}

static void samples_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct fr_buf in = FR_BUF_INIT(FR_CSR_MAX);
        struct fr_diag diag = {0};
        struct fr_key *key = NULL;
        read_sample(ROWS[i].file, &in);
        enum fr_err err = fr_csr_parse(fr_buf_span(&in), &diag, &key);
        if (err != ROWS[i].err || (key != NULL) != (err == FR_OK) || (err && diag.what[0] == '\0'))
            fail_msg("%s: %s (%s)", ROWS[i].file, fr_err_text(err), diag.what);
        fr_key_free(key);
        fr_buf_deinit(&in);
    }
}

static void no_beginning_is_a_request(void **state)
{
    struct fr_buf in = FR_BUF_INIT(FR_CSR_MAX);

    (void)state;
    read_sample("p256.der", &in);
    for (size_t n = 0; n < in.n; n++) {
        struct fr_key *key = NULL;
        uint8_t *copy =
            fr_memdup(in.p, n); /* a block of its own, so that ASan sees a byte too many */
        assert_int_equal(fr_csr_parse(fr_span(copy, n), NULL, &key), FR_E_MALFORMED);
        assert_null(key);
        fr_free(copy);
    }
    fr_buf_deinit(&in);
}

static void no_changed_byte_goes_unnoticed(void **state)
{
    struct fr_buf in = FR_BUF_INIT(FR_CSR_MAX);

    (void)state;
    read_sample("p256.der", &in);
    for (size_t i = 0; i < in.n; i++) {
        struct fr_key *key = NULL;
        in.p[i] ^= 0x10;
        if (fr_csr_parse(fr_buf_span(&in), NULL, &key) == FR_OK) fail_msg("byte %zu", i);
        in.p[i] ^= 0x10;
    }
    fr_buf_deinit(&in);
}

static void size_is_limited(void **state)
{
    uint8_t *in = fr_calloc(1, 65536);
    struct fr_diag diag = {0};
    struct fr_key *key = NULL;

    (void)state;
    memset(in, 0x30, 65536);
    assert_int_equal(fr_csr_parse(fr_span(in, FR_CSR_MAX), &diag, &key), FR_E_MALFORMED);
    assert_int_equal(fr_csr_parse(fr_span(in, FR_CSR_MAX + 1), &diag, &key), FR_E_LIMIT);
    assert_int_equal(fr_csr_parse(fr_span(in, 65536), &diag, &key), FR_E_LIMIT);
    assert_null(key);
    fr_free(in);
}

static void what_is_built_can_be_parsed(void **state)
{
    struct fr_buf pem = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_key *key = NULL, *held = NULL;

    (void)state;
    assert_int_equal(fr_key_generate(&key), FR_OK);
    assert_int_equal(fr_csr_build(key, "acme", &pem), FR_OK);
    fr_buf_add_str(&pem, "\n\n");
    assert_int_equal(fr_csr_parse(fr_buf_span(&pem), NULL, &held), FR_OK);
    assert_true(fr_key_is_same(key, held));
    fr_key_free(key);
    fr_key_free(held);
    fr_buf_deinit(&pem);
}

static void no_memory_is_an_error(void **state)
{
    struct fr_buf in = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_key *key = NULL;
    unsigned long n = 0;

    (void)state;
    read_sample("p256.der", &in);
    for (;;) {
        fr_mem_fail_nth(++n);
        enum fr_err err = fr_csr_parse(fr_buf_span(&in), NULL, &key);
        if (!fr_mem_failed()) break;
        assert_int_equal(err, FR_E_NOMEM);
        assert_null(key);
    }
    fr_mem_fail_nth(0);
    assert_true(n > 1);
    fr_key_free(key);
    fr_buf_deinit(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_judged),
        cmocka_unit_test(no_beginning_is_a_request),
        cmocka_unit_test(no_changed_byte_goes_unnoticed),
        cmocka_unit_test(size_is_limited),
        cmocka_unit_test(what_is_built_can_be_parsed),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
