#include "resolver/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "support/test_pki.h"
#include "transport/tls.h"

/* A folder with ca.pem, me.chain.pem and me.key, written anew when the test says so. */
struct files {
    char folder[64], ca[96], chain[96], key[96];
    struct test_ca *authority;
    struct fr_identity *id;
};

static void put(const char *path, const char *text)
{
    assert_int_equal(fr_file_write(path, 0600, fr_span_str(text), NULL), FR_OK);
}

static struct test_id issue(struct files *f, int64_t to_s)
{
    struct test_leaf leaf = {
        .cn = "acme", .names = {"acme.member.fed.test"}, .from_s = -3600, .to_s = to_s};
    struct test_id made;
    test_issue(f->authority, &leaf, &made);
    return made;
}

static void start(struct files *f)
{
    *f = (struct files){.folder = "/tmp/fr-identity-XXXXXX"};
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->ca, sizeof f->ca, "%s/ca.pem", f->folder);
    snprintf(f->chain, sizeof f->chain, "%s/me.chain.pem", f->folder);
    snprintf(f->key, sizeof f->key, "%s/me.key", f->folder);
    f->authority = test_ca_new("fed.test");
    put(f->ca, test_ca_pem(f->authority));
    assert_int_equal(fr_identity_new(f->ca, f->chain, f->key, &f->id), FR_OK);
}

static void stop(struct files *f)
{
    fr_identity_unref(f->id);
    test_ca_free(f->authority);
    unlink(f->ca);
    unlink(f->chain);
    unlink(f->key);
    rmdir(f->folder);
}

static unsigned generation(struct files *f, int64_t now_ms, int64_t *not_after_s)
{
    struct fr_tls_ctx *tls = NULL;
    unsigned n = 0;
    struct fr_diag diag = {0};
    if (fr_identity_get(f->id, now_ms, &diag, &tls, &n) != FR_OK) fail_msg("%s", diag.what);
    if (not_after_s) *not_after_s = fr_tls_ctx_not_after_s(tls);
    return n;
}

static void test_files_that_are_not_there_yet(void **state)
{
    (void)state;
    struct files f;
    struct fr_tls_ctx *tls = NULL;
    unsigned n = 0;
    struct fr_diag diag = {0};
    start(&f);
    assert_int_not_equal(fr_identity_get(f.id, 0, &diag, &tls, &n), FR_OK);
    assert_string_not_equal(diag.what, "");
    assert_null(tls);
    struct test_id me = issue(&f, 3600);
    put(f.chain, me.chain);
    put(f.key, me.key);
    assert_int_equal(generation(&f, 0, NULL),
                     1); /* looked at again at once: there was nothing to keep */
    test_id_free(&me);
    stop(&f);
}

static void test_changed_files_are_taken_over_within_a_second(void **state)
{
    (void)state;
    struct files f;
    int64_t first_s = 0, now_s = 0;
    start(&f);
    struct test_id one = issue(&f, 3600), two = issue(&f, 7200);
    put(f.chain, one.chain);
    put(f.key, one.key);
    assert_int_equal(generation(&f, 5000, &first_s), 1);
    put(f.chain, two.chain);
    put(f.key, two.key);
    assert_int_equal(generation(&f, 5999, &now_s), 1); /* not looked at yet */
    assert_int_equal(generation(&f, 6000, &now_s), 2);
    assert_true(now_s > first_s);
    assert_int_equal(generation(&f, 9000, NULL), 2); /* unchanged */
    test_id_free(&one);
    test_id_free(&two);
    stop(&f);
}

static void test_a_half_written_pair_does_not_disturb(void **state)
{
    (void)state;
    struct files f;
    start(&f);
    struct test_id one = issue(&f, 3600), two = issue(&f, 7200);
    put(f.chain, one.chain);
    put(f.key, one.key);
    assert_int_equal(generation(&f, 0, NULL), 1);
    put(f.chain, two.chain); /* the key is still the old one */
    assert_int_equal(generation(&f, 1000, NULL), 1);
    put(f.key, "garbage");
    assert_int_equal(generation(&f, 2000, NULL), 1);
    unlink(f.key);
    assert_int_equal(generation(&f, 3000, NULL), 1);
    put(f.key, two.key);
    assert_int_equal(generation(&f, 4000, NULL), 2);
    test_id_free(&one);
    test_id_free(&two);
    stop(&f);
}

static void test_a_key_that_others_can_read_is_refused(void **state)
{
    (void)state;
    struct files f;
    struct fr_tls_ctx *tls = NULL;
    unsigned n = 0;
    struct fr_diag diag = {0};
    start(&f);
    struct test_id me = issue(&f, 3600);
    put(f.chain, me.chain);
    put(f.key, me.key);
    assert_int_equal(chmod(f.key, 0644), 0);
    assert_int_equal(fr_identity_get(f.id, 0, &diag, &tls, &n), FR_E_CONFIG);
    test_id_free(&me);
    stop(&f);
}

static void test_shared_by_reference(void **state)
{
    (void)state;
    struct files f;
    start(&f);
    struct fr_identity *second = fr_identity_ref(f.id);
    fr_identity_unref(second);
    fr_identity_unref(NULL);
    fr_mem_fail_nth(1);
    struct fr_identity *none = NULL;
    assert_int_equal(fr_identity_new("a", "b", "c", &none), FR_E_NOMEM);
    fr_mem_fail_nth(0);
    assert_null(none);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_that_are_not_there_yet),
        cmocka_unit_test(test_changed_files_are_taken_over_within_a_second),
        cmocka_unit_test(test_a_half_written_pair_does_not_disturb),
        cmocka_unit_test(test_a_key_that_others_can_read_is_refused),
        cmocka_unit_test(test_shared_by_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
