/* What the functions refuse, and that they leave their outputs and OpenSSL's error queue alone. */
#include "base/mem.h"
#include "crypto/crypto.h"
#include "crypto/data.h"
#include "crypto/join.h"
#include "support/unit.h"

#include <openssl/err.h>
#include <string.h>

static struct fr_crypto *c;

static int open_crypto(void **state)
{
    (void)state;
    return fr_crypto_new(&c) == FR_OK ? 0 : -1;
}

static int close_crypto(void **state)
{
    (void)state;
    fr_crypto_free(c);
    fr_crypto_free(NULL);
    return 0;
}

static void sizes(void **state)
{
    const struct fr_key key = {{1}};
    uint8_t bytes[512] = {0}, out[512];
    size_t n = 77;

    (void)state;
    assert_int_equal(fr_aes_encrypt(c, &key, bytes, 15, out), FR_E_INVALID);
    assert_int_equal(fr_aes_encrypt(c, &key, bytes, 0, out), FR_OK);
    assert_int_equal(fr_key_wrap(c, fr_span(bytes, 15), fr_span(bytes, 16), out, &n), FR_E_INVALID);
    assert_int_equal(fr_key_wrap(c, fr_span(bytes, 16), fr_span(bytes, 8), out, &n), FR_E_INVALID);
    assert_int_equal(fr_key_wrap(c, fr_span(bytes, 16), fr_span(bytes, 17), out, &n), FR_E_INVALID);
    assert_int_equal(fr_key_wrap(c, fr_span(bytes, 16), fr_span(bytes, 40), out, &n), FR_E_INVALID);
    assert_int_equal(fr_key_unwrap(c, fr_span(bytes, 16), fr_span(bytes, 16), out, &n),
                     FR_E_INVALID);
    assert_int_equal(fr_key_unwrap(c, fr_span(bytes, 16), fr_span(bytes, 25), out, &n),
                     FR_E_INVALID);
    assert_int_equal(fr_key_unwrap(c, fr_span(bytes, 16), fr_span(bytes, 48), out, &n),
                     FR_E_INVALID);
    assert_int_equal(fr_data_mic(c, &key, FR_UP, 0, 0, 0, fr_span(bytes, 256), out), FR_E_INVALID);
    assert_int_equal(fr_data_crypt(c, &key, FR_UP, 0, 0, fr_span(bytes, 256), out), FR_E_INVALID);
    assert_int_equal(fr_data_crypt(c, &key, FR_UP, 0, 0, fr_span(bytes, 255), out), FR_OK);
    assert_int_equal(fr_data_crypt(c, &key, FR_UP, 0, 0, fr_span(bytes, 0), out), FR_OK);
    assert_int_equal(fr_fopts_crypt(c, &key, FR_UP, false, 0, 0, fr_span(bytes, 16), out),
                     FR_E_INVALID);
    assert_int_equal(fr_frame_mic_put(c, &key, bytes, 4), FR_E_TRUNCATED);
    assert_int_equal(fr_frame_mic_check(c, &key, fr_span(bytes, 4)), FR_E_TRUNCATED);
    assert_int_equal(n, 77);
}

static void nonces_have_24_bits(void **state)
{
    const struct fr_key key = {{1}};
    struct fr_session_keys keys;

    (void)state;
    memset(&keys, 0x55, sizeof keys);
    assert_int_equal(fr_session_keys_1_0(c, &key, 0x1000000, 0, 0, &keys), FR_E_RANGE);
    assert_int_equal(fr_session_keys_1_0(c, &key, 0, 0x1000000, 0, &keys), FR_E_RANGE);
    assert_int_equal(fr_session_keys_1_1(c, &key, &key, 0x1000000, 0, 0, &keys), FR_E_RANGE);
    assert_int_equal(keys.app_s.b[0], 0x55);
}

static void crypting_twice_gives_the_clear_text(void **state)
{
    const struct fr_key key = {{7}};
    uint8_t clear[100], bytes[100];

    (void)state;
    for (size_t i = 0; i < sizeof clear; i++) clear[i] = (uint8_t)i;
    for (size_t n = 0; n <= sizeof clear; n++) {
        memcpy(bytes, clear, n);
        assert_int_equal(fr_data_crypt(c, &key, FR_DOWN, 1, 70000, fr_span(bytes, n), bytes),
                         FR_OK);
        if (n >= 16) assert_memory_not_equal(bytes, clear, n);
        assert_int_equal(fr_data_crypt(c, &key, FR_DOWN, 1, 70000, fr_span(bytes, n), bytes),
                         FR_OK);
        assert_memory_equal(bytes, clear, n);
    }
    uint8_t n_fcnt[3] = {1, 2, 3}, a_fcnt[3] = {1, 2, 3};
    assert_int_equal(fr_fopts_crypt(c, &key, FR_DOWN, false, 1, 5, fr_span(n_fcnt, 3), n_fcnt),
                     FR_OK);
    assert_int_equal(fr_fopts_crypt(c, &key, FR_DOWN, true, 1, 5, fr_span(a_fcnt, 3), a_fcnt),
                     FR_OK);
    assert_memory_not_equal(n_fcnt, a_fcnt, 3);
}

/* TLS in the same thread reads this queue to learn what happened to it. */
static void a_failed_unwrap_leaves_no_error_behind(void **state)
{
    uint8_t bytes[24] = {0}, out[32];
    size_t n;

    (void)state;
    ERR_clear_error();
    assert_int_equal(fr_key_unwrap(c, fr_span(bytes, 16), fr_span(bytes, 24), out, &n),
                     FR_E_CRYPTO);
    assert_int_equal(ERR_peek_error(), 0);
}

/* AES-128 of a zero block under the zero key, FIPS-197 arithmetic: 66e94bd4… */
static void a_check_value_is_three_octets(void **state)
{
    const struct fr_key key = {{0}};
    uint8_t value[FR_KEY_CHECK_SIZE];

    (void)state;
    assert_int_equal(fr_key_check_value(c, &key, value), FR_OK);
    assert_memory_equal(value, "\x66\xe9\x4b", sizeof value);
}

static void no_memory(void **state)
{
    struct fr_crypto *none = NULL;

    (void)state;
    fr_mem_fail_nth(1);
    assert_int_equal(fr_crypto_new(&none), FR_E_NOMEM);
    fr_mem_fail_nth(0);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(nonces_have_24_bits),
        cmocka_unit_test(crypting_twice_gives_the_clear_text),
        cmocka_unit_test(a_failed_unwrap_leaves_no_error_behind),
        cmocka_unit_test(a_check_value_is_three_octets),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, open_crypto, close_crypto);
}
