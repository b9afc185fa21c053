#include "base/random.h"
#include "base/siphash.h"
#include "support/unit.h"

/* The designers' test vectors: key 00..0f, message 00..n-1. */
static void vectors(void **state)
{
    static const struct {
        size_t n;
        uint64_t want;
    } rows[] = {{0, 0x726fdb47dd0e0e31},
                {1, 0x74f839c593dc67fd},
                {7, 0xab0200f58b01d137},
                {8, 0x93f5f5799a932462},
                {15, 0xa129ca6149be45e5}};
    struct fr_siphash_key key;
    uint8_t message[16];

    (void)state;
    for (uint8_t i = 0; i < 16; i++) key.b[i] = message[i] = i;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(fr_siphash(&key, fr_span(message, rows[i].n)) == rows[i].want);
    assert_true(fr_siphash(&key, (struct fr_span){0}) == rows[0].want);
}

static void random_bytes_differ(void **state)
{
    uint8_t a[300] = {0}, b[300] = {0};

    (void)state;
    assert_int_equal(fr_random(a, sizeof a), FR_OK);
    assert_int_equal(fr_random(b, sizeof b), FR_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(fr_random(a, 0), FR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors),
                                       cmocka_unit_test(random_bytes_differ)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
