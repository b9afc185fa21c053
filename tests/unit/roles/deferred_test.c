/* Which devices' homes are left alone, and until when. */
#include "roles/deferred.h"
#include "support/unit.h"

static const struct fr_deferred_device ONE = {"fed.test", 0x13, 0x70b3d57ed0000001};

static void a_device_is_left_alone_for_its_lifetime(void **state)
{
    static struct fr_deferred d;
    static const struct {
        struct fr_deferred_device device;
        int64_t now_ms, left_ms;
    } rows[] = {
        {{"fed.test", 0x13, 0x70b3d57ed0000001}, 1000, 60000},
        {{"fed.test", 0x13, 0x70b3d57ed0000001}, 60999, 1},
        {{"fed.test", 0x13, 0x70b3d57ed0000002}, 1000, 0}, /* another device */
        {{"fed.test", 0x14, 0x70b3d57ed0000001}, 1000, 0}, /* of another home */
        {{"two.test", 0x13, 0x70b3d57ed0000001}, 1000, 0}, /* of another federation's */
        {{"fed.test", 0x13, 0x70b3d57ed0000001}, 61000, 0},
        {{"fed.test", 0x13, 0x70b3d57ed0000001}, 1000, 0}, /* over is over */
    };

    (void)state;
    fr_deferred_note(&d, &ONE, 0, 1000);
    assert_int_equal(d.n, 0);
    fr_deferred_note(&d, &ONE, 5, 1000);
    fr_deferred_note(&d, &ONE, 60, 1000); /* the later word counts */
    assert_int_equal(d.n, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(fr_deferred_left_ms(&d, &rows[i].device, rows[i].now_ms), rows[i].left_ms);
    assert_int_equal(d.n, 0);
}

static void a_home_cannot_silence_a_device_for_ever(void **state)
{
    static struct fr_deferred d;

    (void)state;
    fr_deferred_note(&d, &ONE, UINT64_MAX, 0);
    assert_int_equal(fr_deferred_left_ms(&d, &ONE, 0), 86400 * 1000LL);
}

static void full_the_one_that_ends_first_gives_way(void **state)
{
    static struct fr_deferred d;
    struct fr_deferred_device device = ONE;

    (void)state;
    for (uint64_t i = 0; i < FR_DEFERRED_MAX; i++) {
        device.dev_eui = i;
        fr_deferred_note(&d, &device, i == 7 ? 1 : 100 + i, 0);
    }
    fr_deferred_note(&d, &ONE, 50, 0);
    assert_int_equal(d.n, FR_DEFERRED_MAX);
    assert_int_equal(fr_deferred_left_ms(&d, &ONE, 0), 50000);
    device.dev_eui = 7;
    assert_int_equal(fr_deferred_left_ms(&d, &device, 0), 0);
    device.dev_eui = 8;
    assert_int_equal(fr_deferred_left_ms(&d, &device, 0), 108000);
    assert_int_equal(fr_deferred_left_ms(&d, &device, 200000),
                     0); /* the lower half is over, and gone */
    assert_true(d.n < FR_DEFERRED_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_left_alone_for_its_lifetime),
        cmocka_unit_test(a_home_cannot_silence_a_device_for_ever),
        cmocka_unit_test(full_the_one_that_ends_first_gives_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
