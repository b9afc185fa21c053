#include "x509/key_uri.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], path[96];

static int setup(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/fr-uri-XXXXXX");
    if (mkdtemp(dir) == NULL) return -1;
    (void)snprintf(path, sizeof path, "%s/a.key", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(dir);
}

static struct fr_key *save(const char *passphrase)
{
    struct fr_key *key = NULL;

    (void)unlink(path);
    assert_int_equal(fr_key_generate(&key), FR_OK);
    assert_int_equal(fr_key_save_locked(key, path, fr_span_str(passphrase), NULL), FR_OK);
    return key;
}

static void a_locked_key_opens_with_its_passphrase_alone(void **state)
{
    static const struct {
        const char *locked, *given; /* "": none */
        enum fr_err err;
    } rows[] = {
        {"correct horse", "correct horse", FR_OK},
        {"correct horse", "correct hors", FR_E_CRYPTO},
        {"correct horse", "", FR_E_UNAVAILABLE},
        {"", "", FR_OK},
        {"", "not needed", FR_OK},
        {"\xc3\xa4 \xe2\x82\xac", "\xc3\xa4 \xe2\x82\xac", FR_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_key *key = save(rows[i].locked), *again = NULL;
        struct fr_span given = fr_span_str(rows[i].given);
        struct fr_passphrase passphrase = fr_passphrase_of(&given);
        struct fr_diag diag = {0};
        bool is_locked = false;
        enum fr_err err = fr_key_open(path, &passphrase, &diag, &again);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fr_err_text(err));
        assert_int_equal(again != NULL, err == FR_OK);
        if (!err) assert_true(fr_key_is_same(key, again));
        if (err && strstr(diag.what, path) == NULL) fail_msg("%s", diag.what);
        assert_int_equal(fr_key_file_is_locked(path, NULL, &is_locked), FR_OK);
        assert_int_equal(is_locked, rows[i].locked[0] != '\0');
        assert_int_equal(passphrase.is_at_hand, given.n > 0);
        fr_key_free(key);
        fr_key_free(again);
    }
}

static void nobody_knows_is_not_asked_on_the_terminal(void **state)
{
    struct fr_key *key = save("secret"), *again = NULL;

    (void)state;
    assert_int_equal(fr_key_open(path, NULL, NULL, &again), FR_E_UNAVAILABLE);
    assert_null(again);
    fr_key_free(key);
}

static void a_locked_key_is_hard_to_guess(void **state)
{
    struct fr_buf pem = FR_BUF_INIT(FR_KEY_FILE_MAX);
    struct fr_key *key = save("secret");
    struct stat st;

    (void)state;
    assert_int_equal(fr_file_read(path, NULL, &pem), FR_OK);
    assert_non_null(strstr(fr_buf_str(&pem), "BEGIN ENCRYPTED PRIVATE KEY"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(fr_key_save_locked(key, path, fr_span_str("x"), NULL), FR_E_EXISTS);
    fr_buf_deinit(&pem);
    fr_key_free(key);
}

static void names_of_keys(void **state)
{
    static const struct {
        const char *before, *after; /* of the path; after "" is the whole name */
        enum fr_err err;
    } rows[] = {
        {"", "path", FR_OK},
        {"file:", "path", FR_OK},
        {"file://", "path", FR_OK},
        {"file://elsewhere", "path", FR_E_INVALID},
        {"pkcs11:token=ca;object=", "path", FR_E_UNSUPPORTED},
        {"https:", "path", FR_E_UNSUPPORTED},
        {"filed:", "path", FR_E_UNSUPPORTED},
        {"file:/nonexistent/key", "", FR_E_NOT_FOUND},
        {"", "", FR_E_NOT_FOUND},
    };
    struct fr_key *key = save("");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_key *again = NULL;
        struct fr_diag diag = {0};
        char uri[256];
        (void)snprintf(uri, sizeof uri, "%s%s", rows[i].before,
                       rows[i].after[0] != '\0' ? path : "");
        enum fr_err err = fr_key_open(uri, NULL, &diag, &again);
        if (err != rows[i].err) fail_msg("%s: %s", uri, fr_err_text(err));
        if (err && diag.what[0] == '\0') fail_msg("%s: no words", uri);
        fr_key_free(again);
    }
    fr_key_free(key);
}

static void broken_files(void **state)
{
    static const char *const TEXTS[] = {
        "", "hello\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcG\n-----END ENCRYPTED PRIVATE KEY-----\n"};
    struct fr_span given = FR_SPAN_LIT("x");
    struct fr_passphrase passphrase = fr_passphrase_of(&given);

    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct fr_key *key = NULL;
        assert_int_equal(fr_file_write(path, 0600, fr_span_str(TEXTS[i]), NULL), FR_OK);
        assert_int_not_equal(fr_key_open(path, &passphrase, NULL, &key), FR_OK);
        assert_null(key);
    }
    struct fr_key *key = save("");
    assert_int_equal(chmod(path, 0640), 0);
    struct fr_key *again = NULL;
    assert_int_equal(fr_key_open(path, NULL, NULL, &again), FR_E_CONFIG);
    fr_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_locked_key_opens_with_its_passphrase_alone),
        cmocka_unit_test(nobody_knows_is_not_asked_on_the_terminal),
        cmocka_unit_test(a_locked_key_is_hard_to_guess),
        cmocka_unit_test(names_of_keys),
        cmocka_unit_test(broken_files),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
