/* An HTTP/1 answer as the client reads it: head, then body in pieces. The first byte chooses the method and the pieces. */
#include "transport/h1_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fr_h1_limits limits = {.head_bytes = 1024};
    struct fr_buf body = FR_BUF_INIT(4096);
    struct fr_h1_message m;
    struct fr_h1_body b;
    struct fr_head head;
    size_t at = 0, n, step;

    if (size == 0) return 0;
    struct fr_span in = fr_span(data + 1, size - 1);
    step = (data[0] >> 1) + 1u;
    fr_head_init(&head, limits.head_bytes);
    if (fr_h1_scan(in, &at, &n) == FR_OK &&
        fr_h1_response_read(fr_span(in.p, n), &limits, data[0] & 1 ? "HEAD" : "GET", &head, &m) ==
            FR_OK) {
        fr_h1_body_init(&b, &m);
        while (n < in.n && !b.is_done) {
            size_t take = in.n - n < step ? in.n - n : step, used;

            if (fr_h1_body_read(&b, fr_span(in.p + n, take), &body, &used) != FR_OK) break;
            if (used == 0 || used > take) __builtin_trap();
            n += used;
        }
        if (body.n > 4096) __builtin_trap();
    }
    fr_buf_deinit(&body);
    fr_head_deinit(&head);
    return 0;
}
