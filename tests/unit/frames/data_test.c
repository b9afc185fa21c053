#include "frames/data.h"
#include "support/unit.h"

#include <string.h>

static void both_ways(void **state)
{
    static const struct {
        const char *label;
        const char *frame;
        size_t n;
        enum fr_mtype mtype;
        uint8_t fopts_n;
        bool has_fport;
        uint8_t fport;
        size_t payload_n;
    } rows[] = {
        {"payload", "\x40\x04\x03\x02\x01\x80\x01\x00\x01\xa6\x94\x64\x26\x15\xd6\xc3\xb5\x82", 18,
         FR_MTYPE_UNCONFIRMED_UP, 0, true, 1, 5},
        {"FOpts and payload",
         "\x80\x04\x03\x02\x01\x03\x00\x00\x06\x73\x07\x0a\xe2\x64\xd4\xf7\xe1\x17\xd2\xc0", 20,
         FR_MTYPE_CONFIRMED_UP, 3, true, 10, 4},
        {"no FPort", "\x40\x00\x00\x00\x0a\x00\x08\x00\xb4\x14\x51\xa9", 12,
         FR_MTYPE_UNCONFIRMED_UP, 0, false, 0, 0},
        {"FOpts alone", "\x60\x04\x03\x02\x01\x03\x00\x00\xdf\xb4\xf1\xe2\x4f\x1f\x9f", 15,
         FR_MTYPE_UNCONFIRMED_DOWN, 3, false, 0, 0},
        {"FPort without payload", "\xa0\x04\x03\x02\x01\x70\x00\x00\x05\x01\x02\x03\x04", 13,
         FR_MTYPE_CONFIRMED_DOWN, 0, true, 5, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_span frame = fr_span(rows[i].frame, rows[i].n);
        struct fr_data_frame d;
        uint8_t out[64];
        struct fr_wr w = fr_wr(out, sizeof out);
        CHECK_ROW(rows[i].label, fr_data_frame_read(frame, &d) == FR_OK);
        CHECK_ROW(rows[i].label, d.mtype == rows[i].mtype && d.fopts_n == rows[i].fopts_n);
        CHECK_ROW(rows[i].label, d.has_fport == rows[i].has_fport && d.fport == rows[i].fport);
        CHECK_ROW(rows[i].label, d.payload.n == rows[i].payload_n);
        fr_data_frame_write(&w, &d);
        CHECK_ROW(rows[i].label, fr_span_equal(fr_wr_done(&w), frame));
        /* shorter at every length: refused, or read as something that is whole in itself */
        for (size_t n = 0; n < rows[i].n; n++) {
            enum fr_err err = fr_data_frame_read(fr_span(rows[i].frame, n), &d);
            CHECK_ROW(rows[i].label, n >= (size_t)FR_DATA_MIN + rows[i].fopts_n
                                         ? err == FR_OK
                                         : err == FR_E_TRUNCATED);
        }
    }
    assert_true(fr_mtype_is_up(FR_MTYPE_CONFIRMED_UP) && !fr_mtype_is_up(FR_MTYPE_CONFIRMED_DOWN));
    assert_true(fr_mtype_is_down(FR_MTYPE_UNCONFIRMED_DOWN) &&
                !fr_mtype_is_down(FR_MTYPE_JOIN_ACCEPT));
}

static void refused(void **state)
{
    struct fr_data_frame d;
    uint8_t big[256] = {0x40};

    (void)state;
    assert_int_equal(fr_data_frame_read(FR_SPAN_LIT("\x40\4\3\2\1\1\0\0\7\0\1\2\3\4"), &d),
                     FR_E_MALFORMED); /* FPort 0 and FOpts */
    assert_int_equal(fr_data_frame_read(FR_SPAN_LIT("\x00\4\3\2\1\0\0\0\1\2\3\4"), &d),
                     FR_E_MALFORMED);
    assert_int_equal(fr_data_frame_read(FR_SPAN_LIT("\xe0\4\3\2\1\0\0\0\1\2\3\4"), &d),
                     FR_E_MALFORMED);
    assert_int_equal(fr_data_frame_read(FR_SPAN_LIT("\x43\4\3\2\1\0\0\0\1\2\3\4"), &d),
                     FR_E_UNSUPPORTED);
    assert_int_equal(fr_data_frame_read(fr_span(big, 256), &d), FR_E_LIMIT);
    assert_int_equal(fr_data_frame_read(fr_span(big, 255), &d), FR_OK);
}

static void what_a_frame_cannot_say(void **state)
{
    struct fr_data_frame good = {.mtype = FR_MTYPE_UNCONFIRMED_UP};
    uint8_t out[64];

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct fr_data_frame bad = good;
        struct fr_wr w = fr_wr(out, sizeof out);
        if (i == 0) bad.mtype = FR_MTYPE_JOIN_ACCEPT;
        if (i == 1) bad.fopts_n = 16;
        if (i == 2) bad.payload = FR_SPAN_LIT("x");
        bad.has_fport = i == 3; /* port 0 */
        if (i == 3) bad.fopts_n = 1;
        fr_data_frame_write(&w, &bad);
        assert_int_equal(fr_wr_err(&w), FR_E_INVALID);
    }
}

static void kinds(void **state)
{
    enum fr_mtype mtype;
    struct fr_span message;
    uint8_t mic[4];

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t mhdr = (uint8_t)(i << 5);
        assert_int_equal(fr_frame_mtype(fr_span(&mhdr, 1), &mtype), FR_OK);
        assert_int_equal(mtype, i);
        assert_true(strlen(fr_mtype_text(mtype)) > 0);
    }
    assert_int_equal(fr_frame_mtype((struct fr_span){0}, &mtype), FR_E_TRUNCATED);
    assert_int_equal(fr_frame_split_mic(FR_SPAN_LIT("1234"), &message, mic), FR_E_TRUNCATED);
    assert_int_equal(fr_frame_split_mic(FR_SPAN_LIT("x1234"), &message, mic), FR_OK);
    assert_true(fr_span_is(message, "x"));
    assert_memory_equal(mic, "1234", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(refused),
        cmocka_unit_test(what_a_frame_cannot_say),
        cmocka_unit_test(kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
