#include "frames/frame.h"

#include "base/wire.h"

enum fr_err fr_frame_mtype(struct fr_span frame, enum fr_mtype *out)
{
    struct fr_rd r = fr_rd(frame);
    uint8_t mhdr = fr_rd_u8(&r);

    if (fr_rd_err(&r)) return fr_rd_err(&r);
    if ((mhdr & 3) != 0) return FR_E_UNSUPPORTED; /* Major: only "LoRaWAN R1" exists */
    *out = (enum fr_mtype)(mhdr >> 5);
    return FR_OK;
}

const char *fr_mtype_text(enum fr_mtype mtype)
{
    static const char *const words[] = {
        "Join-request",      "Join-accept",         "Unconfirmed data up", "Unconfirmed data down",
        "Confirmed data up", "Confirmed data down", "Rejoin-request",      "Proprietary",
    };
    return words[mtype & 7];
}

enum fr_err fr_frame_split_mic(struct fr_span frame, struct fr_span *message,
                               uint8_t mic[FR_MIC_SIZE])
{
    struct fr_rd r = fr_rd(frame);

    if (frame.n <= FR_MIC_SIZE) return FR_E_TRUNCATED;
    *message = fr_rd_span(&r, frame.n - FR_MIC_SIZE);
    fr_rd_bytes(&r, mic, FR_MIC_SIZE);
    return fr_rd_end(&r);
}
