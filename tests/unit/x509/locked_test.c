/* Memory for secrets: a copy there, and room that comes back. */
#include "x509/locked.h"

#include "support/unit.h"
#include "x509/key.h"

#include <openssl/crypto.h>

static void a_copy_is_there_and_its_room_comes_back(void **state)
{
    static const uint8_t secret[] = "correct horse";
    (void)state;
    const size_t before = CRYPTO_secure_used();
    for (int i = 0; i < 3; i++) {
        uint8_t *p = fr_locked_dup(fr_span(secret, sizeof secret));
        assert_non_null(p);
        assert_memory_equal(p, secret, sizeof secret);
        assert_int_equal(CRYPTO_secure_allocated(p), 1);
        assert_true(CRYPTO_secure_used() > before);
        fr_locked_free(p, sizeof secret);
        assert_int_equal(CRYPTO_secure_used(), before);
    }
    uint8_t *none = fr_locked_dup((struct fr_span){0});
    assert_non_null(none);
    fr_locked_free(none, 0);
    fr_locked_free(NULL, 0);
}

static void there_is_an_end(void **state)
{
    static uint8_t large[FR_LOCKED_BYTES + 1];
    (void)state;
    assert_null(fr_locked_dup(fr_span(large, sizeof large)));
}

static void keys_are_kept_there(void **state)
{
    struct fr_key *key = NULL;
    (void)state;
    assert_int_equal(fr_key_generate(&key), FR_OK); /* the generator's own state comes first */
    fr_key_free(key);
    const size_t before = CRYPTO_secure_used();
    assert_int_equal(fr_key_generate(&key), FR_OK);
    assert_true(CRYPTO_secure_used() >= before + 32);
    fr_key_free(key);
    assert_int_equal(CRYPTO_secure_used(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_there_and_its_room_comes_back),
        cmocka_unit_test(there_is_an_end),
        cmocka_unit_test(keys_are_kept_there),
    };
    (void)fr_locked_open();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fr_locked_close();
    return failed;
}
