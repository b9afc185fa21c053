#include "gateway/dedup.h"

#include "support/unit.h"

#include <string.h>

static struct fr_rx frame(uint8_t name, double snr)
{
    struct fr_rx rx = {.phy_n = 23, .freq_hz = 868100000, .dr = 5, .snr_db = snr, .rssi_dbm = -60};

    memset(rx.phy, name, rx.phy_n);
    return rx;
}

/* A simulated clock: each row is one copy at a time, and what becomes of it. */
static void test_window(void **state)
{
    static const struct {
        int64_t at_ms;
        uint8_t name;
        uint64_t gateway;
        double snr;
        enum fr_dedup_verdict verdict;
    } ROWS[] = {
        {1000, 1, 0xa, 1.0, FR_DEDUP_NEW},  {1000, 1, 0xb, 7.0, FR_DEDUP_COPY},
        {1100, 2, 0xa, 3.0, FR_DEDUP_NEW},  {1199, 1, 0xc, 5.0, FR_DEDUP_COPY},
        {1199, 1, 0xb, 9.0, FR_DEDUP_COPY}, /* a gateway counts once */
    };
    struct fr_dedup *d = NULL;
    struct fr_frame f;

    (void)state;
    assert_int_equal(fr_dedup_new(200, 1000, 8, &d), FR_OK);
    assert_int_equal(fr_dedup_due_ms(d), -1);
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct fr_rx rx = frame(ROWS[i].name, ROWS[i].snr);
        assert_int_equal(fr_dedup_add(d, ROWS[i].at_ms, ROWS[i].gateway, &rx), ROWS[i].verdict);
    }
    assert_int_equal(fr_dedup_due_ms(d), 1200);
    assert_false(fr_dedup_next(d, 1199, &f));
    assert_true(fr_dedup_next(d, 1200, &f));
    assert_int_equal(f.phy[0], 1);
    assert_int_equal(f.received_ms, 1000);
    assert_int_equal(f.n, 3);
    assert_int_equal(f.receptions[0].gateway, 0xb); /* best first */
    assert_int_equal(f.receptions[1].gateway, 0xc);
    assert_int_equal(f.receptions[2].gateway, 0xa);
    assert_false(fr_dedup_next(d, 1200, &f));
    assert_int_equal(fr_dedup_due_ms(d), 1300);

    struct fr_rx late = frame(1, 1.0);
    assert_int_equal(fr_dedup_add(d, 1201, 0xd, &late), FR_DEDUP_LATE);
    assert_true(fr_dedup_next(d, 1300, &f));
    assert_int_equal(f.phy[0], 2);
    assert_int_equal(fr_dedup_add(d, 2199, 0xd, &late), FR_DEDUP_LATE);
    assert_int_equal(fr_dedup_add(d, 2200, 0xd, &late), FR_DEDUP_NEW); /* forgotten: a new one */
    fr_dedup_free(d);
}

static void test_caps(void **state)
{
    struct fr_dedup *d = NULL;
    struct fr_frame f;
    struct fr_rx rx;

    (void)state;
    assert_int_equal(fr_dedup_new(200, 1000, 2, &d), FR_OK);
    rx = frame(1, 0);
    for (uint64_t gw = 1; gw <= FR_DEDUP_GWS + 4; gw++) {
        rx.snr_db = (double)gw;
        (void)fr_dedup_add(d, 0, gw, &rx);
    }
    rx = frame(2, 0);
    assert_int_equal(fr_dedup_add(d, 0, 1, &rx), FR_DEDUP_NEW);
    rx = frame(3, 0);
    assert_int_equal(fr_dedup_add(d, 0, 1, &rx), FR_DEDUP_FULL); /* both are open */
    assert_true(fr_dedup_next(d, 200, &f));
    assert_int_equal(f.n, FR_DEDUP_GWS);
    assert_int_equal(f.receptions[0].gateway, FR_DEDUP_GWS + 4); /* the weakest gave way */
    assert_int_equal(f.receptions[FR_DEDUP_GWS - 1].gateway, 5);
    assert_int_equal(fr_dedup_add(d, 201, 1, &rx), FR_DEDUP_NEW); /* a closed one gave way */
    fr_dedup_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_caps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
