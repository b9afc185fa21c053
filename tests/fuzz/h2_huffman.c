/* Huffman's code: what ours makes of any octets must be what nghttp2 makes of them as the value of a field. */
#include <nghttp2/nghttp2.h>
#include <string.h>

#include "transport/h2_huffman.h"

static bool theirs(const uint8_t *data, size_t size, uint8_t *out, size_t *out_n)
{
    uint8_t block[512] = {0x10, 1, 'a', 0x80 | 0x7f};
    nghttp2_hd_inflater *inflater;
    size_t n = 3;
    bool is_good = false;

    if (size < 0x7f) {
        block[n++] = (uint8_t)(0x80 | size);
    } else {
        block[n++] = 0xff;
        block[n++] = (uint8_t)((size - 0x7f) & 0x7f) | 0x80;
        block[n++] = (uint8_t)((size - 0x7f) >> 7);
    }
    memcpy(block + n, data, size);
    if (nghttp2_hd_inflate_new(&inflater) != 0) __builtin_trap();
    const uint8_t *p = block;
    for (size_t left = n + size;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, p, left, 1);

        if (used < 0) break;
        p += used;
        left -= (size_t)used;
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            is_good = true;
            *out_n = nv.valuelen;
            memcpy(out, nv.value, nv.valuelen);
        }
        if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
    }
    nghttp2_hd_inflate_del(inflater);
    return is_good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fr_h2_huffman huffman;
    struct fr_buf ours = FR_BUF_INIT(4096);
    uint8_t text[1024];
    size_t n = 0;

    if (size > 400) return 0;
    if (huffman.sorted[0] == 0) fr_h2_huffman_init(&huffman);
    bool is_good = theirs(data, size, text, &n);
    if ((fr_h2_huffman_read(&huffman, fr_span(data, size), &ours) == FR_OK) != is_good)
        __builtin_trap();
    if (is_good && !fr_span_equal(fr_buf_span(&ours), fr_span(text, n))) __builtin_trap();
    fr_buf_deinit(&ours);
    return 0;
}
