#include "x509/key.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char dir[64];
    char path[96];
};

static int make_place(void **state)
{
    static struct place p;

    (void)snprintf(p.dir, sizeof p.dir, "/tmp/fr-key-XXXXXX");
    assert_non_null(mkdtemp(p.dir));
    (void)snprintf(p.path, sizeof p.path, "%s/a.key", p.dir);
    *state = &p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;

    (void)unlink(p->path);
    return rmdir(p->dir);
}

static void key_survives_the_file(void **state)
{
    struct place *p = *state;
    struct fr_key *key = NULL, *again = NULL;
    struct fr_diag diag = {0};
    struct stat st;
    uint8_t a[FR_SHA256_SIZE], b[FR_SHA256_SIZE];
    mode_t mask = umask(0);

    assert_int_equal(fr_key_generate(&key), FR_OK);
    assert_int_equal(fr_key_save_new(key, p->path, &diag), FR_OK);
    umask(mask);
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(fr_key_load(p->path, &diag, &again), FR_OK);
    assert_true(fr_key_is_same(key, again));
    assert_int_equal(fr_key_check_policy(again, &diag), FR_OK);
    assert_int_equal(fr_key_spki_sha256(key, a), FR_OK);
    assert_int_equal(fr_key_spki_sha256(again, b), FR_OK);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(fr_key_save_new(key, p->path, &diag), FR_E_EXISTS);
    fr_key_free(key);
    fr_key_free(again);
}

static void two_keys_differ(void **state)
{
    struct fr_key *a = NULL, *b = NULL;

    (void)state;
    assert_int_equal(fr_key_generate(&a), FR_OK);
    assert_int_equal(fr_key_generate(&b), FR_OK);
    assert_false(fr_key_is_same(a, b));
    fr_key_free(a);
    fr_key_free(b);
    fr_key_free(NULL);
}

static void bad_files_are_refused(void **state)
{
    static const struct {
        const char *what;
        mode_t mode;
        const char *text; /* NULL: a good key */
        enum fr_err err;
    } rows[] = {
        {"readable by others", 0644, NULL, FR_E_CONFIG},
        {"readable by group", 0640, NULL, FR_E_CONFIG},
        {"empty", 0600, "", FR_E_MALFORMED},
        {"no key", 0600, "hello\n", FR_E_MALFORMED},
        {"broken armour", 0600, "-----BEGIN PRIVATE KEY-----\nAAAA\n", FR_E_MALFORMED},
        {"a passphrase is never asked for", 0600,
         "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
         "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhm8VhzVrPKPAICCAAw\n"
         "-----END ENCRYPTED PRIVATE KEY-----\n",
         FR_E_MALFORMED},
    };
    struct place *p = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_key *key = NULL;
        struct fr_diag diag = {0};
        (void)unlink(p->path);
        if (rows[i].text == NULL) {
            assert_int_equal(fr_key_generate(&key), FR_OK);
            assert_int_equal(fr_key_save_new(key, p->path, NULL), FR_OK);
            fr_key_free(key);
            key = NULL;
        } else {
            assert_int_equal(fr_file_write(p->path, 0600, fr_span_str(rows[i].text), NULL), FR_OK);
        }
        assert_int_equal(chmod(p->path, rows[i].mode), 0);
        enum fr_err err = fr_key_load(p->path, &diag, &key);
        if (err != rows[i].err || key != NULL || diag.what[0] == '\0')
            fail_msg("%s: %s", rows[i].what, fr_err_text(err));
    }
    (void)unlink(p->path);
    struct fr_key *key = NULL;
    assert_int_equal(fr_key_load(p->path, NULL, &key), FR_E_NOT_FOUND);
    assert_null(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(key_survives_the_file, make_place, remove_place),
        cmocka_unit_test(two_keys_differ),
        cmocka_unit_test_setup_teardown(bad_files_are_refused, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
