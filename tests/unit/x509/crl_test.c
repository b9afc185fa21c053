#include "x509/crl.h"

#include "x509/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1795157000LL

static struct fr_key *key;
static struct fr_cert *ca;

static int setup(void **state)
{
    struct fr_cert_spec spec = {.kind = FR_X509_ROOT,
                                .serial = {0x41},
                                .not_before_s = NOW - 10,
                                .not_after_s = NOW + 1000000,
                                .organisation = "fed.test",
                                .common_name = "Test CA"};

    (void)state;
    assert_int_equal(fr_key_generate(&key), FR_OK);
    assert_int_equal(fr_cert_sign(&spec, key, NULL, key, &ca), FR_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fr_cert_free(ca);
    fr_key_free(key);
    return 0;
}

static void make(struct fr_buf *der, size_t entries, uint64_t number)
{
    const struct fr_crl_spec spec = {number, NOW, NOW + 86400};
    struct fr_crl_draft *draft = NULL;
    struct fr_crl_fields made;

    assert_int_equal(fr_crl_draft_new(&draft), FR_OK);
    for (size_t i = 0; i < entries; i++) {
        struct fr_crl_entry entry = {.serial = {0x40, (uint8_t)(i >> 8), (uint8_t)i},
                                     .revoked_s = NOW - (int64_t)i,
                                     .cause = (uint8_t)(i % 2)};
        assert_int_equal(fr_crl_draft_add(draft, &entry), FR_OK);
    }
    assert_int_equal(fr_crl_sign(draft, &spec, ca, key, NULL, der, &made), FR_OK);
    assert_int_equal(made.entries, entries);
}

static void what_is_signed_is_read_back(void **state)
{
    static const size_t COUNTS[] = {0, 1, 500};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX);
        struct fr_crl_fields fields;
        make(&der, COUNTS[i], UINT64_C(1) << 62);
        assert_int_equal(fr_crl_read_fields(fr_buf_span(&der), &fields), FR_OK);
        assert_int_equal(fields.number, UINT64_C(1) << 62);
        assert_int_equal(fields.entries, COUNTS[i]);
        assert_int_equal(fields.this_update_s, NOW);
        assert_int_equal(fields.next_update_s, NOW + 86400);
        assert_int_equal(fr_crl_verify(fr_buf_span(&der), ca), FR_OK);
        fr_buf_deinit(&der);
    }
}

struct seen {
    size_t n;
    uint8_t first[FR_X509_SERIAL_SIZE];
    size_t with_cause;
};

static enum fr_err see(void *data, const struct fr_crl_entry *entry)
{
    struct seen *s = data;

    if (s->n++ == 0) memcpy(s->first, entry->serial, sizeof s->first);
    if (entry->cause == 1) s->with_cause++;
    assert_in_range(entry->revoked_s, NOW - 500, NOW);
    return FR_OK;
}

static enum fr_err stop(void *data, const struct fr_crl_entry *entry)
{
    (void)data, (void)entry;
    return FR_E_CANCELLED;
}

static void entries_are_walked(void **state)
{
    struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX);
    struct seen seen = {0};

    (void)state;
    make(&der, 100, 7);
    assert_int_equal(fr_crl_each(fr_buf_span(&der), see, &seen), FR_OK);
    assert_int_equal(seen.n, 100);
    assert_int_equal(seen.with_cause, 50);
    assert_int_equal(seen.first[0], 0x40);
    assert_int_equal(fr_crl_each(fr_buf_span(&der), stop, NULL), FR_E_CANCELLED);
    assert_int_equal(fr_crl_each(FR_SPAN_LIT("junk"), see, &seen), FR_E_MALFORMED);
    fr_buf_deinit(&der);
}

static void no_piece_of_one_and_nothing_behind_it(void **state)
{
    struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX);
    struct fr_crl_fields fields;

    (void)state;
    make(&der, 2, 7);
    for (size_t n = 0; n < der.n; n++) {
        uint8_t *piece = malloc(n + 1); /* of its own, so that the sanitizer sees a step too far */
        memcpy(piece, der.p, n);
        assert_int_equal(fr_crl_read_fields(fr_span(piece, n), &fields), FR_E_MALFORMED);
        free(piece);
    }
    fr_buf_add_char(&der, '\0');
    assert_int_equal(fr_crl_read_fields(fr_buf_span(&der), &fields), FR_E_MALFORMED);
    fr_buf_deinit(&der);
}

static void another_key_does_not_verify(void **state)
{
    struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX);

    (void)state;
    make(&der, 1, 7);
    der.p[der.n - 1] ^= 1;
    assert_int_equal(fr_crl_verify(fr_buf_span(&der), ca), FR_E_CRYPTO);
    fr_buf_deinit(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_is_read_back),
        cmocka_unit_test(entries_are_walked),
        cmocka_unit_test(no_piece_of_one_and_nothing_behind_it),
        cmocka_unit_test(another_key_does_not_verify),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
