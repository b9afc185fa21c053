#include "frames/data.h"

enum { ADR = 0x80, ADR_ACK_REQ = 0x40, ACK = 0x20, CLASS_B = 0x10, FOPTS_LEN = 0x0f };

bool fr_mtype_is_up(enum fr_mtype mtype)
{
    return mtype == FR_MTYPE_UNCONFIRMED_UP || mtype == FR_MTYPE_CONFIRMED_UP;
}

bool fr_mtype_is_down(enum fr_mtype mtype)
{
    return mtype == FR_MTYPE_UNCONFIRMED_DOWN || mtype == FR_MTYPE_CONFIRMED_DOWN;
}

static void read_fctrl(struct fr_rd *r, struct fr_data_frame *out)
{
    uint8_t fctrl = fr_rd_u8(r);

    out->adr = (fctrl & ADR) != 0;
    out->adr_ack_req = (fctrl & ADR_ACK_REQ) != 0;
    out->ack = (fctrl & ACK) != 0;
    out->class_b = (fctrl & CLASS_B) != 0;
    out->fopts_n = fctrl & FOPTS_LEN;
}

static void write_fctrl(struct fr_wr *w, const struct fr_data_frame *in)
{
    fr_wr_u8(w, (uint8_t)((in->adr ? ADR : 0) | (in->adr_ack_req ? ADR_ACK_REQ : 0) |
                          (in->ack ? ACK : 0) | (in->class_b ? CLASS_B : 0) | in->fopts_n));
}

enum fr_err fr_data_frame_read(struct fr_span frame, struct fr_data_frame *out)
{
    struct fr_rd r = fr_rd(frame);
    struct fr_data_frame d = {0};
    enum fr_err err = fr_frame_mtype(frame, &d.mtype);

    if (err) return err;
    if (!fr_mtype_is_up(d.mtype) && !fr_mtype_is_down(d.mtype)) return FR_E_MALFORMED;
    if (frame.n > FR_FRAME_MAX) return FR_E_LIMIT;
    fr_rd_skip(&r, 1);
    d.dev_addr = fr_rd_u32le(&r);
    read_fctrl(&r, &d);
    d.fcnt = fr_rd_u16le(&r);
    fr_rd_bytes(&r, d.fopts, d.fopts_n);
    d.has_fport = fr_rd_left(&r) > FR_MIC_SIZE;
    if (d.has_fport) {
        d.fport = fr_rd_u8(&r);
        d.payload = fr_rd_span(&r, fr_rd_left(&r) - FR_MIC_SIZE);
    }
    fr_rd_bytes(&r, d.mic, sizeof d.mic);
    if (d.has_fport && d.fport == 0 && d.fopts_n > 0) fr_rd_fail(&r, FR_E_MALFORMED);
    if (fr_rd_end(&r)) return fr_rd_end(&r);
    *out = d;
    return FR_OK;
}

void fr_data_frame_write(struct fr_wr *w, const struct fr_data_frame *in)
{
    bool is_data = fr_mtype_is_up(in->mtype) || fr_mtype_is_down(in->mtype);

    if (!is_data || in->fopts_n > FR_FOPTS_MAX || (!in->has_fport && in->payload.n > 0) ||
        (in->has_fport && in->fport == 0 && in->fopts_n > 0)) {
        fr_wr_fail(w, FR_E_INVALID);
        return;
    }
    fr_wr_u8(w, (uint8_t)(in->mtype << 5));
    fr_wr_u32le(w, in->dev_addr);
    write_fctrl(w, in);
    fr_wr_u16le(w, in->fcnt);
    fr_wr_bytes(w, in->fopts, in->fopts_n);
    if (in->has_fport) {
        fr_wr_u8(w, in->fport);
        fr_wr_span(w, in->payload);
    }
    fr_wr_bytes(w, in->mic, sizeof in->mic);
}

uint32_t fr_fcnt_full(uint32_t next, uint16_t on_air)
{
    if (next > 0 && (uint16_t)(next - 1) == on_air) return next - 1;
    return next + (uint16_t)(on_air - next);
}
