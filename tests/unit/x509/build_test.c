#include "x509/build.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1795157000LL

struct authority {
    struct fr_key *root_key, *issuing_key, *leaf_key;
    struct fr_cert *root, *issuing;
};

static struct fr_cert_spec root_spec(void)
{
    struct fr_cert_spec spec = {
        .kind = FR_X509_ROOT,
        .not_before_s = NOW - 300,
        .not_after_s = NOW + 400000000,
        .organisation = "fed.test",
        .common_name = "fed.test LoRaWAN Federation Root CA 2026",
    };
    assert_int_equal(fr_serial_make(spec.serial), FR_OK);
    return spec;
}

static struct fr_cert_spec issuing_spec(void)
{
    struct fr_cert_spec spec = root_spec();

    spec.kind = FR_X509_ISSUING;
    spec.not_after_s = NOW + 47000000;
    spec.common_name = "fed.test Issuing CA 2026a";
    spec.uri = "spiffe://fed.test";
    spec.server = spec.client = true;
    spec.permitted_dns = "fed.test";
    return spec;
}

static struct fr_cert_spec leaf_spec(void)
{
    struct fr_cert_spec spec = root_spec();

    spec.kind = FR_X509_LEAF;
    spec.not_after_s = NOW + 2592000 - 1;
    spec.common_name = "000013";
    spec.dns[0] = "000013.netid.fed.test";
    spec.dns_count = 1;
    spec.uri = "spiffe://fed.test/member/acme/ns/000013";
    spec.server = spec.client = true;
    return spec;
}

static int make_authority(void **state)
{
    static struct authority a;
    struct fr_cert_spec root = root_spec(), issuing = issuing_spec();

    assert_int_equal(fr_key_generate(&a.root_key), FR_OK);
    assert_int_equal(fr_key_generate(&a.issuing_key), FR_OK);
    assert_int_equal(fr_key_generate(&a.leaf_key), FR_OK);
    assert_int_equal(fr_cert_sign(&root, a.root_key, NULL, a.root_key, &a.root), FR_OK);
    assert_int_equal(fr_cert_sign(&issuing, a.issuing_key, a.root, a.root_key, &a.issuing), FR_OK);
    assert_int_equal(fr_cert_lint(a.root, &root, a.root_key, NULL), FR_OK);
    assert_int_equal(fr_cert_lint(a.issuing, &issuing, a.issuing_key, NULL), FR_OK);
    *state = &a;
    return 0;
}

static int free_authority(void **state)
{
    struct authority *a = *state;

    fr_key_free(a->root_key);
    fr_key_free(a->issuing_key);
    fr_key_free(a->leaf_key);
    fr_cert_free(a->root);
    fr_cert_free(a->issuing);
    return 0;
}

static void chain_verifies(void **state)
{
    struct authority *a = *state;
    struct fr_cert_spec spec = leaf_spec();
    struct fr_cert *leaf = NULL;
    struct fr_diag diag = {0};

    assert_int_equal(fr_cert_sign(&spec, a->leaf_key, a->issuing, a->issuing_key, &leaf), FR_OK);
    assert_int_equal(fr_cert_lint(leaf, &spec, a->leaf_key, &diag), FR_OK);
    assert_true(fr_cert_is_issued_by(leaf, a->issuing));
    assert_false(fr_cert_is_issued_by(leaf, a->root));
    assert_int_equal(fr_cert_verify(leaf, a->issuing, a->root, FR_CERT_FOR_SERVER, NOW, &diag),
                     FR_OK);
    assert_int_equal(fr_cert_verify(leaf, a->issuing, a->root, FR_CERT_FOR_CLIENT, NOW, &diag),
                     FR_OK);
    assert_int_equal(fr_cert_verify(leaf, NULL, a->root, FR_CERT_FOR_CLIENT, NOW, &diag),
                     FR_E_CRYPTO);
    assert_int_equal(
        fr_cert_verify(leaf, a->issuing, a->root, FR_CERT_FOR_CLIENT, NOW + 2592000, &diag),
        FR_E_CRYPTO);
    fr_cert_free(leaf);
}

static void name_constraints_bind(void **state)
{
    struct authority *a = *state;
    struct fr_cert_spec spec = leaf_spec();
    struct fr_cert *leaf = NULL;

    spec.dns[0] = "000013.netid.other.test";
    assert_int_equal(fr_cert_sign(&spec, a->leaf_key, a->issuing, a->issuing_key, &leaf), FR_OK);
    assert_int_equal(fr_cert_verify(leaf, a->issuing, a->root, FR_CERT_FOR_SERVER, NOW, NULL),
                     FR_E_CRYPTO);
    fr_cert_free(leaf);
}

static void client_is_no_server(void **state)
{
    struct authority *a = *state;
    struct fr_cert_spec spec = leaf_spec();
    struct fr_cert *leaf = NULL;

    spec.server = false;
    assert_int_equal(fr_cert_sign(&spec, a->leaf_key, a->issuing, a->issuing_key, &leaf), FR_OK);
    assert_int_equal(fr_cert_verify(leaf, a->issuing, a->root, FR_CERT_FOR_CLIENT, NOW, NULL),
                     FR_OK);
    assert_int_equal(fr_cert_verify(leaf, a->issuing, a->root, FR_CERT_FOR_SERVER, NOW, NULL),
                     FR_E_CRYPTO);
    fr_cert_free(leaf);
}

static void leaf_signs_nothing(void **state)
{
    struct authority *a = *state;
    struct fr_cert_spec spec = leaf_spec();
    struct fr_cert *leaf = NULL, *below = NULL;

    assert_int_equal(fr_cert_sign(&spec, a->leaf_key, a->issuing, a->issuing_key, &leaf), FR_OK);
    assert_int_equal(fr_cert_sign(&spec, a->leaf_key, leaf, a->leaf_key, &below), FR_OK);
    assert_false(fr_cert_is_issued_by(below, leaf));
    assert_int_equal(fr_cert_verify(below, leaf, a->issuing, FR_CERT_FOR_CLIENT, NOW, NULL),
                     FR_E_CRYPTO);
    fr_cert_free(leaf);
    fr_cert_free(below);
}

/* Labels of 63 and 64 bytes; with the tail below, names of 253 and 254. */
#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define N253                                                                                       \
    L63 "." L63 "." L63 "."                                                                        \
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void names_are_judged(void **state)
{
    static const struct {
        const char *dns;
        bool ok;
    } rows[] = {
        {"a.fed.test", true},
        {"a-b.fed.test", true},
        {L63 ".test", true},
        {N253, true},
        {"a", true},
        {"", false},
        {".", false},
        {"a.fed.test.", false},
        {"a..test", false},
        {".a.test", false},
        {"a.fed.test,DNS:evil.test", false},
        {"a.fed.test;b", false},
        {"@sect", false},
        {"a b.test", false},
        {"A.fed.test", false},
        {"-a.test", false},
        {"a-.test", false},
        {"*.fed.test", false},
        {"b\xc3\xbc"
         "cher.test",
         false},
        {"a\nb.test", false},
        {"a" L63 ".test", false},
        {N253 "a", false},
    };
    struct authority *a = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_cert_spec spec = leaf_spec();
        struct fr_cert *leaf = NULL;
        spec.dns[0] = rows[i].dns;
        enum fr_err err = fr_cert_sign(&spec, a->leaf_key, a->issuing, a->issuing_key, &leaf);
        if (err != (rows[i].ok ? FR_OK : FR_E_INVALID))
            fail_msg("%s: %s", rows[i].dns, fr_err_text(err));
        if (rows[i].ok) assert_int_equal(fr_cert_lint(leaf, &spec, a->leaf_key, NULL), FR_OK);
        fr_cert_free(leaf);
    }
}

static void other_bad_specs_are_refused(void **state)
{
    struct authority *a = *state;
    char long_name[66] = "";
    struct fr_cert *leaf = NULL;

    memset(long_name, 'a', 65);
    for (int i = 0; i < 9; i++) {
        struct fr_cert_spec spec = leaf_spec();
        switch (i) {
        case 0: spec.common_name = ""; break;
        case 1: spec.common_name = long_name; break;
        case 2: spec.common_name = "a/CN=b"; break;
        case 3: spec.organisation = "a,b"; break;
        case 4: spec.uri = "spiffe://fed.test/a,URI:b"; break;
        case 5: spec.not_after_s = spec.not_before_s; break;
        case 6: spec.serial[0] = 0x80; break;
        case 7: spec.serial[0] = 0; break;
        default: spec.dns_count = FR_CERT_DNS_MAX + 1; break;
        }
        if (fr_cert_sign(&spec, a->leaf_key, a->issuing, a->issuing_key, &leaf) != FR_E_INVALID)
            fail_msg("case %d", i);
        assert_null(leaf);
    }
}

static void lint_sees_every_difference(void **state)
{
    struct authority *a = *state;
    struct fr_cert_spec good = leaf_spec();
    struct fr_cert *leaf = NULL;

    assert_int_equal(fr_cert_sign(&good, a->leaf_key, a->issuing, a->issuing_key, &leaf), FR_OK);
    for (int i = 0; i < 12; i++) {
        struct fr_cert_spec spec = good;
        const struct fr_key *key = a->leaf_key;
        struct fr_diag diag = {0};
        switch (i) {
        case 0: spec.serial[15] ^= 1; break;
        case 1: spec.not_before_s++; break;
        case 2: spec.not_after_s--; break;
        case 3: spec.common_name = "000014"; break;
        case 4: spec.organisation = "fed2.test"; break;
        case 5: spec.dns[0] = "000014.netid.fed.test"; break;
        case 6: spec.uri = NULL; break;
        case 7: spec.server = false; break;
        case 8: spec.kind = FR_X509_ISSUING; break;
        case 9: spec.permitted_dns = "fed.test"; break;
        case 10: spec.dns_count = 0; break;
        default: key = a->root_key; break;
        }
        if (fr_cert_lint(leaf, &spec, key, &diag) != FR_E_CRYPTO || diag.what[0] == '\0')
            fail_msg("case %d", i);
    }
    fr_cert_free(leaf);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, FR_X509_SERIAL_SIZE);
}

/* 20,000 serials: all distinct, all positive 16-byte integers, and each free bit set about half the
 * time. */
static void serials_are_random(void **state)
{
    enum { COUNT = 20000 };
    static uint8_t serials[COUNT][FR_X509_SERIAL_SIZE];
    int ones[128] = {0};

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(fr_serial_make(serials[i]), FR_OK);
        assert_in_range(serials[i][0], 0x40, 0x7f);
        for (int bit = 0; bit < 128; bit++) ones[bit] += serials[i][bit / 8] >> (7 - bit % 8) & 1;
    }
    for (int bit = 2; bit < 128; bit++)
        assert_in_range(ones[bit], 10000 - 425, 10000 + 425); /* 6 sigma */
    qsort(serials, COUNT, FR_X509_SERIAL_SIZE, by_bytes);
    for (int i = 1; i < COUNT; i++) assert_int_not_equal(by_bytes(serials[i - 1], serials[i]), 0);
}

static void no_memory_is_an_error(void **state)
{
    struct authority *a = *state;
    struct fr_cert_spec spec = leaf_spec();
    struct fr_cert *leaf = NULL;

    fr_mem_fail_nth(1);
    assert_int_equal(fr_cert_sign(&spec, a->leaf_key, a->issuing, a->issuing_key, &leaf),
                     FR_E_NOMEM);
    assert_null(leaf);
    fr_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_verifies),
        cmocka_unit_test(name_constraints_bind),
        cmocka_unit_test(client_is_no_server),
        cmocka_unit_test(leaf_signs_nothing),
        cmocka_unit_test(names_are_judged),
        cmocka_unit_test(other_bad_specs_are_refused),
        cmocka_unit_test(lint_sees_every_difference),
        cmocka_unit_test(serials_are_random),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_authority, free_authority);
}
