#include "frames/join.h"
#include "support/unit.h"

#include <string.h>

static const uint8_t join_request[] =
    "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x08\x07\x06\x05\x04\x03\x02\x01\x02\x01\xcd\xe6\xac\xb8";
static const uint8_t rejoin_2[] =
    "\xc0\x02\x03\x02\x01\x08\x07\x06\x05\x04\x03\x02\x01\xdb\x00\x3c\x86\x42\xae";
static const uint8_t rejoin_1[] = "\xc0\x01\x08\x07\x06\x05\x04\x03\x02\x01\x18\x17\x16\x15\x14\x13"
                                  "\x12\x11\xdb\x00\x01\x02\x03\x04";

static void join_request_both_ways(void **state)
{
    struct fr_join_request j;
    uint8_t out[FR_JOIN_REQUEST_SIZE];
    struct fr_wr w = fr_wr(out, sizeof out);

    (void)state;
    assert_int_equal(fr_join_request_read(fr_span(join_request, 23), &j), FR_OK);
    assert_true(j.join_eui == 0x0807060504030201 && j.dev_eui == 0x0102030405060708 &&
                j.dev_nonce == 0x0102);
    fr_join_request_write(&w, &j);
    assert_int_equal(fr_wr_err(&w), FR_OK);
    assert_memory_equal(out, join_request, 23);
    w = fr_wr(out, sizeof out - 1);
    fr_join_request_write(&w, &j);
    assert_int_equal(fr_wr_err(&w), FR_E_LIMIT);
}

static void rejoin_both_ways(void **state)
{
    struct fr_rejoin_request j;
    uint8_t out[FR_REJOIN_MAX];

    (void)state;
    assert_int_equal(fr_rejoin_request_read(fr_span(rejoin_2, 19), &j), FR_OK);
    assert_true(j.type == 2 && j.netid == 0x010203 && j.dev_eui == 0x0102030405060708 &&
                j.rjcount == 219);
    struct fr_wr w = fr_wr(out, sizeof out);
    fr_rejoin_request_write(&w, &j);
    assert_memory_equal(out, rejoin_2, 19);
    assert_int_equal(w.at, 19);
    assert_int_equal(fr_rejoin_request_read(fr_span(rejoin_1, 24), &j), FR_OK);
    assert_true(j.type == 1 && j.join_eui == 0x0102030405060708 && j.dev_eui == 0x1112131415161718);
    w = fr_wr(out, sizeof out);
    fr_rejoin_request_write(&w, &j);
    assert_memory_equal(out, rejoin_1, 24);
    j.type = 3;
    w = fr_wr(out, sizeof out);
    fr_rejoin_request_write(&w, &j);
    assert_int_equal(fr_wr_err(&w), FR_E_INVALID);
}

static void join_accept_both_ways(void **state)
{
    struct fr_join_accept a = {.join_nonce = 0x010203,
                               .netid = 0x000013,
                               .dev_addr = 0x26000001,
                               .dl_settings = 0x95,
                               .rx_delay = 1},
                          b;
    uint8_t out[FR_JOIN_ACCEPT_MAX];

    (void)state;
    for (int with = 0; with < 2; with++) {
        size_t size = with ? FR_JOIN_ACCEPT_MAX : FR_JOIN_ACCEPT_SIZE;
        struct fr_wr w = fr_wr(out, sizeof out);
        a.has_cflist = with;
        memset(a.cflist, with ? 7 : 0, sizeof a.cflist);
        fr_join_accept_write(&w, &a);
        assert_int_equal(w.at, size);
        assert_memory_equal(out, "\x20\x03\x02\x01\x13\x00\x00\x01\x00\x00\x26\x95\x01", 13);
        assert_int_equal(fr_join_accept_read(fr_span(out, size), &b), FR_OK);
        assert_true(b.join_nonce == a.join_nonce && b.netid == a.netid &&
                    b.dev_addr == a.dev_addr && b.rx_delay == 1);
        assert_true(b.has_cflist == (with != 0));
        assert_memory_equal(b.cflist, a.cflist, sizeof a.cflist);
        for (size_t n = 0; n <= sizeof out; n++) {
            if (n == FR_JOIN_ACCEPT_SIZE || n == FR_JOIN_ACCEPT_MAX) continue;
            assert_int_not_equal(fr_join_accept_read(fr_span(out, n), &b), FR_OK);
        }
    }
    struct fr_wr w = fr_wr(out, sizeof out);
    a.join_nonce = 0x1000000;
    fr_join_accept_write(&w, &a);
    assert_int_equal(fr_wr_err(&w), FR_E_RANGE);
}

static void wrong_frames(void **state)
{
    struct fr_join_request j;
    struct fr_rejoin_request r;
    struct fr_join_accept a;
    uint8_t frame[24];

    (void)state;
    for (size_t n = 0; n < 23; n++)
        assert_int_equal(fr_join_request_read(fr_span(join_request, n), &j), FR_E_TRUNCATED);
    assert_int_equal(fr_join_request_read(fr_span(join_request, 24), &j), FR_E_MALFORMED);
    for (size_t n = 0; n < 19; n++)
        assert_int_not_equal(fr_rejoin_request_read(fr_span(rejoin_2, n), &r), FR_OK);
    for (size_t n = 0; n < 24; n++)
        assert_int_not_equal(fr_rejoin_request_read(fr_span(rejoin_1, n), &r), FR_OK);
    assert_int_equal(fr_rejoin_request_read(fr_span(rejoin_2, 20), &r), FR_E_MALFORMED);
    memcpy(frame, rejoin_2, 19);
    frame[1] = 3;
    assert_int_equal(fr_rejoin_request_read(fr_span(frame, 19), &r), FR_E_MALFORMED);
    memcpy(frame, join_request, 23);
    frame[0] = 0x20;
    assert_int_equal(fr_join_request_read(fr_span(frame, 23), &j), FR_E_MALFORMED);
    frame[0] = 0x01; /* another Major */
    assert_int_equal(fr_join_request_read(fr_span(frame, 23), &j), FR_E_UNSUPPORTED);
    frame[0] = 0x1c; /* RFU bits are ignored */
    assert_int_equal(fr_join_request_read(fr_span(frame, 23), &j), FR_OK);
    assert_int_equal(fr_join_accept_read(fr_span(frame, 17), &a), FR_E_MALFORMED);
}

static void channel_lists(void **state)
{
    const uint32_t six[6] = {868700000}, odd[1] = {868700050}, high[1] = {1700000000};
    uint8_t list[FR_CFLIST_SIZE] = {0};
    uint32_t hz[5];

    (void)state;
    assert_int_equal(fr_cflist_from_frequencies(six, 6, list), FR_E_INVALID);
    assert_int_equal(fr_cflist_from_frequencies(odd, 1, list), FR_E_INVALID);
    assert_int_equal(fr_cflist_from_frequencies(high, 1, list), FR_E_INVALID);
    assert_int_equal(fr_cflist_from_frequencies(NULL, 0, list), FR_OK);
    list[15] = 1;
    assert_int_equal(fr_cflist_to_frequencies(list, hz), FR_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(join_request_both_ways), cmocka_unit_test(rejoin_both_ways),
        cmocka_unit_test(join_accept_both_ways),  cmocka_unit_test(wrong_frames),
        cmocka_unit_test(channel_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
