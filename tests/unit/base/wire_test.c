#include "base/wire.h"
#include "support/unit.h"

#include <string.h>

static const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};

static void both_orders(void **state)
{
    (void)state;
    struct fr_rd r = fr_rd(fr_span(bytes, 8));
    assert_int_equal(fr_rd_u64(&r), 0x0102030405060708);
    assert_int_equal(fr_rd_end(&r), FR_OK);
    r = fr_rd(fr_span(bytes, 8));
    assert_int_equal(fr_rd_u64le(&r), 0x0807060504030201);
    r = fr_rd(fr_span(bytes, 8));
    assert_int_equal(fr_rd_u8(&r), 1);
    assert_int_equal(fr_rd_u16(&r), 0x0203);
    assert_int_equal(fr_rd_u32(&r), 0x04050607);
    assert_int_equal(fr_rd_left(&r), 1);
    assert_int_equal(fr_rd_end(&r), FR_E_MALFORMED);
    r = fr_rd(fr_span(bytes, 8));
    assert_int_equal(fr_rd_u16le(&r), 0x0201);
    assert_int_equal(fr_rd_u24(&r), 0x030405);
    assert_int_equal(fr_rd_u24le(&r), 0x080706);
    r = fr_rd(fr_span(bytes, 8));
    assert_int_equal(fr_rd_u32le(&r), 0x04030201);
    assert_int_equal(fr_rd_rest(&r).n, 4);
    assert_int_equal(fr_rd_end(&r), FR_OK);
}

/* A read past the end, at every length: zero comes out, the error sticks, nothing moves any
 * more. */
static void every_truncation(void **state)
{
    (void)state;
    for (size_t n = 0; n < 8; n++) {
        uint8_t out[8];
        memset(out, 0xee, sizeof out);
        struct fr_rd r = fr_rd(fr_span(bytes, n));
        assert_int_equal(fr_rd_u64(&r), 0);
        assert_int_equal(fr_rd_err(&r), FR_E_TRUNCATED);
        assert_int_equal(fr_rd_left(&r), 0);
        fr_rd_bytes(&r, out, 8);
        assert_memory_equal(out, "\0\0\0\0\0\0\0\0", 8);
        assert_int_equal(fr_rd_u8(&r), 0);
        assert_int_equal(fr_rd_span(&r, 1).n, 0);
        fr_rd_fail(&r, FR_E_MALFORMED); /* the first one stays */
        assert_int_equal(fr_rd_end(&r), FR_E_TRUNCATED);
    }
}

static void hostile_lengths(void **state)
{
    (void)state;
    struct fr_rd r = fr_rd(fr_span(bytes, 8));
    fr_rd_skip(&r, 4);
    fr_rd_skip(&r, SIZE_MAX); /* must not wrap */
    assert_int_equal(fr_rd_err(&r), FR_E_TRUNCATED);
    r = fr_rd(fr_span(bytes, 8));
    fr_rd_seek(&r, 8);
    assert_int_equal(fr_rd_end(&r), FR_OK);
    fr_rd_seek(&r, 9);
    assert_int_equal(fr_rd_err(&r), FR_E_TRUNCATED);
    r = fr_rd((struct fr_span){0});
    assert_int_equal(fr_rd_end(&r), FR_OK);
    assert_int_equal(fr_rd_u8(&r), 0);
    assert_int_equal(fr_rd_err(&r), FR_E_TRUNCATED);
}

static void written_is_read_again(void **state)
{
    uint8_t room[43];
    struct fr_wr w = fr_wr(room, sizeof room);

    (void)state;
    fr_wr_u8(&w, 0xab);
    fr_wr_u16(&w, 0x1234);
    fr_wr_u24(&w, 0x123456);
    fr_wr_u32(&w, 0x12345678);
    fr_wr_u64(&w, 0x123456789abcdef0);
    fr_wr_u16le(&w, 0x1234);
    fr_wr_u24le(&w, 0x123456);
    fr_wr_u32le(&w, 0x12345678);
    fr_wr_u64le(&w, 0x123456789abcdef0);
    fr_wr_bytes(&w, "abc", 3);
    fr_wr_zero(&w, 2);
    fr_wr_span(&w, FR_SPAN_LIT("xyz"));
    fr_wr_put_u16(&w, 1, 0x4321);
    assert_int_equal(fr_wr_err(&w), FR_OK);
    assert_int_equal(fr_wr_left(&w), 0);

    struct fr_rd r = fr_rd(fr_wr_done(&w));
    assert_int_equal(fr_rd_u8(&r), 0xab);
    assert_int_equal(fr_rd_u16(&r), 0x4321);
    assert_int_equal(fr_rd_u24(&r), 0x123456);
    assert_int_equal(fr_rd_u32(&r), 0x12345678);
    assert_int_equal(fr_rd_u64(&r), 0x123456789abcdef0);
    assert_int_equal(fr_rd_u16le(&r), 0x1234);
    assert_int_equal(fr_rd_u24le(&r), 0x123456);
    assert_int_equal(fr_rd_u32le(&r), 0x12345678);
    assert_int_equal(fr_rd_u64le(&r), 0x123456789abcdef0);
    assert_memory_equal(fr_rd_span(&r, 3).p, "abc", 3);
    assert_int_equal(fr_rd_u16(&r), 0);
    assert_memory_equal(fr_rd_rest(&r).p, "xyz", 3);

    fr_wr_u8(&w, 1);
    assert_int_equal(fr_wr_err(&w), FR_E_LIMIT);
    assert_int_equal(fr_wr_done(&w).n, 0);
}

static void writer_refuses(void **state)
{
    uint8_t room[4];

    (void)state;
    struct fr_wr w = fr_wr(room, sizeof room);
    fr_wr_u24(&w, 0x1000000);
    assert_int_equal(fr_wr_err(&w), FR_E_RANGE);
    w = fr_wr(room, sizeof room);
    fr_wr_u8(&w, 1);
    fr_wr_put_u16(&w, 0, 1); /* only one byte is there */
    assert_int_equal(fr_wr_err(&w), FR_E_RANGE);
    w = fr_wr(room, sizeof room);
    fr_wr_u8(&w, 1);
    fr_wr_bytes(&w, "x", SIZE_MAX);
    assert_int_equal(fr_wr_err(&w), FR_E_LIMIT);
    fr_wr_fail(&w, FR_E_IO);
    assert_int_equal(fr_wr_err(&w), FR_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_orders),     cmocka_unit_test(every_truncation),
        cmocka_unit_test(hostile_lengths), cmocka_unit_test(written_is_read_again),
        cmocka_unit_test(writer_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
