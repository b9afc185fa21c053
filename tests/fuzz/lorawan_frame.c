/* Any bytes as a LoRaWAN frame. What a codec accepts it must write again byte for byte, but for
 * the RFU bits of the first byte. */
#include "frames/data.h"
#include "frames/join.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct fr_wr *w, struct fr_span frame)
{
    struct fr_span out = fr_wr_done(w);

    if (out.n != frame.n || out.p[0] != (frame.p[0] & 0xe0) ||
        memcmp(out.p + 1, frame.p + 1, out.n - 1) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_span frame = fr_span(data, size), message;
    uint8_t out[FR_FRAME_MAX], mic[FR_MIC_SIZE];
    enum fr_mtype mtype;
    struct fr_join_request join;
    struct fr_rejoin_request rejoin;
    struct fr_join_accept accept;
    struct fr_data_frame d;
    struct fr_wr w;

    if (fr_frame_mtype(frame, &mtype) == FR_OK && fr_mtype_text(mtype)[0] == '\0') abort();
    if (fr_frame_split_mic(frame, &message, mic) == FR_OK && message.n + FR_MIC_SIZE != size)
        abort();
    if (fr_join_request_read(frame, &join) == FR_OK) {
        w = fr_wr(out, sizeof out);
        fr_join_request_write(&w, &join);
        same(&w, frame);
    }
    if (fr_rejoin_request_read(frame, &rejoin) == FR_OK) {
        w = fr_wr(out, sizeof out);
        fr_rejoin_request_write(&w, &rejoin);
        same(&w, frame);
    }
    if (fr_join_accept_read(frame, &accept) == FR_OK) {
        uint32_t hz[5];
        w = fr_wr(out, sizeof out);
        fr_join_accept_write(&w, &accept);
        same(&w, frame);
        if (fr_cflist_to_frequencies(accept.cflist, hz) == FR_OK && hz[0] % 100 != 0) abort();
    }
    if (fr_data_frame_read(frame, &d) == FR_OK) {
        w = fr_wr(out, sizeof out);
        fr_data_frame_write(&w, &d);
        same(&w, frame);
    }
    return 0;
}
