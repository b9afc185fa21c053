#include "transport/h2_huffman.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

#include "support/unit.h"

/* A header block of nghttp2's with the text as a value in Huffman's code; the span is its octets. */
static struct fr_span encoded(nghttp2_hd_deflater *deflater, struct fr_span text, uint8_t *room,
                              size_t size)
{
    nghttp2_nv nv = {(uint8_t *)(uintptr_t) "a", (uint8_t *)(uintptr_t)text.p, 1, text.n,
                     NGHTTP2_NV_FLAG_NO_INDEX};
    ssize_t n = nghttp2_hd_deflate_hd(deflater, room, size, &nv, 1);
    size_t at = 0;

    assert_true(n > 0);
    if (room[at] >> 5 == 1) at++;                    /* the table's size */
    assert_int_equal(room[at++], 0x10);              /* never indexed, a name of its own … */
    at += 1 + (room[at] & 0x7f);                     /* … which is this */
    if (!(room[at] & 0x80)) return fr_span(NULL, 0); /* not shorter in the code */
    size_t length = room[at++] & 0x7f;
    assert_int_equal((ssize_t)(at + length), n);
    return fr_span(room + at, length);
}

static void every_text_comes_back(void **state)
{
    static struct fr_h2_huffman huffman;
    nghttp2_hd_deflater *deflater;
    uint8_t room[4096], text[64];
    unsigned n_coded = 0;

    (void)state;
    fr_h2_huffman_init(&huffman);
    assert_int_equal(nghttp2_hd_deflate_new(&deflater, 0), 0);
    /* Each octet between 'a's, which are short enough for the whole to be coded. */
    for (unsigned octet = 0; octet < 256; octet++)
        for (size_t before = 0; before < 16; before++) {
            struct fr_buf out = FR_BUF_INIT(4096);

            memset(text, 'a', sizeof text);
            text[before] = (uint8_t)octet;
            struct fr_span code = encoded(deflater, fr_span(text, 16 + before), room, sizeof room);
            if (code.n == 0) continue;
            n_coded++;
            assert_int_equal(fr_h2_huffman_read(&huffman, code, &out), FR_OK);
            assert_int_equal(out.n, 16 + before);
            assert_memory_equal(out.p, text, out.n);
            fr_buf_deinit(&out);
        }
    assert_int_equal(n_coded, 256 * 16);
    nghttp2_hd_deflate_del(deflater);
}

static void bad_codes_are_refused(void **state)
{
    static const struct {
        const char *label;
        uint8_t octets[8];
        size_t n;
        enum fr_err want;
        const char *text;
    } rows[] = {
        {"nothing", {0}, 0, FR_OK, ""},
        {"a, three bits of padding", {0x1f}, 1, FR_OK, "a"},
        {"padding of zeros", {0x18}, 1, FR_E_MALFORMED, NULL},
        {"padding of an octet", {0x1f, 0xff}, 2, FR_E_MALFORMED, NULL},
        {"only padding", {0xff}, 1, FR_E_MALFORMED, NULL},
        {"EOS", {0xff, 0xff, 0xff, 0xff}, 4, FR_E_MALFORMED, NULL},
        {"EOS behind a", {0x1f, 0xff, 0xff, 0xff, 0xff}, 5, FR_E_MALFORMED, NULL},
        {"half of a long code", {0xff, 0xff, 0xe2}, 3, FR_E_MALFORMED, NULL},
        {"the longest code, 10", {0xff, 0xff, 0xff, 0xf3}, 4, FR_OK, "\n"},
    };
    static struct fr_h2_huffman huffman;

    (void)state;
    fr_h2_huffman_init(&huffman);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_buf out = FR_BUF_INIT(100);
        enum fr_err err = fr_h2_huffman_read(&huffman, fr_span(rows[i].octets, rows[i].n), &out);

        CHECK_ROW(rows[i].label, err == rows[i].want);
        if (rows[i].text) CHECK_ROW(rows[i].label, strcmp(fr_buf_str(&out), rows[i].text) == 0);
        fr_buf_deinit(&out);
    }
}

static void the_buffer_has_the_last_word(void **state)
{
    static struct fr_h2_huffman huffman;
    struct fr_buf out = FR_BUF_INIT(3);

    (void)state;
    fr_h2_huffman_init(&huffman);
    assert_int_equal(fr_h2_huffman_read(&huffman, FR_SPAN_LIT("\x18\xc6\x31\x8c\x63"), &out),
                     FR_E_LIMIT);
    fr_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_comes_back),
        cmocka_unit_test(bad_codes_are_refused),
        cmocka_unit_test(the_buffer_has_the_last_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
