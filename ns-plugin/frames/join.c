#include "frames/join.h"

/* The first byte, which must announce `mtype`; its RFU bits are ignored, as the specification
 * asks of receivers. */
static void read_mhdr(struct fr_rd *r, enum fr_mtype mtype)
{
    uint8_t mhdr = fr_rd_u8(r);

    if ((mhdr & 3) != 0) fr_rd_fail(r, FR_E_UNSUPPORTED);
    if (mhdr >> 5 != mtype) fr_rd_fail(r, FR_E_MALFORMED);
}

static void write_mhdr(struct fr_wr *w, enum fr_mtype mtype)
{
    fr_wr_u8(w, (uint8_t)(mtype << 5));
}

enum fr_err fr_join_request_read(struct fr_span frame, struct fr_join_request *out)
{
    struct fr_rd r = fr_rd(frame);
    struct fr_join_request j = {0};

    read_mhdr(&r, FR_MTYPE_JOIN_REQUEST);
    j.join_eui = fr_rd_u64le(&r);
    j.dev_eui = fr_rd_u64le(&r);
    j.dev_nonce = fr_rd_u16le(&r);
    fr_rd_bytes(&r, j.mic, sizeof j.mic);
    if (fr_rd_end(&r)) return fr_rd_end(&r);
    *out = j;
    return FR_OK;
}

void fr_join_request_write(struct fr_wr *w, const struct fr_join_request *in)
{
    write_mhdr(w, FR_MTYPE_JOIN_REQUEST);
    fr_wr_u64le(w, in->join_eui);
    fr_wr_u64le(w, in->dev_eui);
    fr_wr_u16le(w, in->dev_nonce);
    fr_wr_bytes(w, in->mic, sizeof in->mic);
}

enum fr_err fr_rejoin_request_read(struct fr_span frame, struct fr_rejoin_request *out)
{
    struct fr_rd r = fr_rd(frame);
    struct fr_rejoin_request j = {0};

    read_mhdr(&r, FR_MTYPE_REJOIN_REQUEST);
    j.type = fr_rd_u8(&r);
    if (j.type > 2) fr_rd_fail(&r, FR_E_MALFORMED);
    if (j.type == 1) {
        j.join_eui = fr_rd_u64le(&r);
    } else {
        j.netid = fr_rd_u24le(&r);
    }
    j.dev_eui = fr_rd_u64le(&r);
    j.rjcount = fr_rd_u16le(&r);
    fr_rd_bytes(&r, j.mic, sizeof j.mic);
    if (fr_rd_end(&r)) return fr_rd_end(&r);
    *out = j;
    return FR_OK;
}

void fr_rejoin_request_write(struct fr_wr *w, const struct fr_rejoin_request *in)
{
    write_mhdr(w, FR_MTYPE_REJOIN_REQUEST);
    if (in->type > 2) fr_wr_fail(w, FR_E_INVALID);
    fr_wr_u8(w, in->type);
    if (in->type == 1) {
        fr_wr_u64le(w, in->join_eui);
    } else {
        fr_wr_u24le(w, in->netid);
    }
    fr_wr_u64le(w, in->dev_eui);
    fr_wr_u16le(w, in->rjcount);
    fr_wr_bytes(w, in->mic, sizeof in->mic);
}

uint8_t fr_dl_settings_print(struct fr_dl_settings s)
{
    return (uint8_t)(s.opt_neg << 7 | (s.rx1_dr_offset & 7) << 4 | (s.rx2_dr & 15));
}

struct fr_dl_settings fr_dl_settings_parse(uint8_t byte)
{
    return (struct fr_dl_settings){
        .opt_neg = byte >> 7 != 0,
        .rx1_dr_offset = byte >> 4 & 7,
        .rx2_dr = byte & 15,
    };
}

enum fr_err fr_join_accept_read(struct fr_span clear, struct fr_join_accept *out)
{
    struct fr_rd r = fr_rd(clear);
    struct fr_join_accept a = {.has_cflist = clear.n > FR_JOIN_ACCEPT_SIZE};

    read_mhdr(&r, FR_MTYPE_JOIN_ACCEPT);
    a.join_nonce = fr_rd_u24le(&r);
    a.netid = fr_rd_u24le(&r);
    a.dev_addr = fr_rd_u32le(&r);
    a.dl_settings = fr_rd_u8(&r);
    a.rx_delay = fr_rd_u8(&r);
    if (a.has_cflist) fr_rd_bytes(&r, a.cflist, sizeof a.cflist);
    fr_rd_bytes(&r, a.mic, sizeof a.mic);
    if (fr_rd_end(&r)) return fr_rd_end(&r);
    *out = a;
    return FR_OK;
}

void fr_join_accept_write(struct fr_wr *w, const struct fr_join_accept *in)
{
    write_mhdr(w, FR_MTYPE_JOIN_ACCEPT);
    fr_wr_u24le(w, in->join_nonce);
    fr_wr_u24le(w, in->netid);
    fr_wr_u32le(w, in->dev_addr);
    fr_wr_u8(w, in->dl_settings);
    fr_wr_u8(w, in->rx_delay);
    if (in->has_cflist) fr_wr_bytes(w, in->cflist, sizeof in->cflist);
    fr_wr_bytes(w, in->mic, sizeof in->mic);
}

enum fr_err fr_cflist_from_frequencies(const uint32_t *hz, size_t n, uint8_t out[FR_CFLIST_SIZE])
{
    uint8_t list[FR_CFLIST_SIZE] = {0};
    struct fr_wr w = fr_wr(list, 15); /* the last byte is the type, 0 */

    if (n > 5) return FR_E_INVALID;
    for (size_t i = 0; i < n; i++) {
        if (hz[i] % 100 != 0 || hz[i] / 100 > 0xffffff) return FR_E_INVALID;
        fr_wr_u24le(&w, hz[i] / 100);
    }
    if (fr_wr_err(&w)) return fr_wr_err(&w);
    for (size_t i = 0; i < sizeof list; i++) out[i] = list[i];
    return FR_OK;
}

enum fr_err fr_cflist_to_frequencies(const uint8_t cflist[FR_CFLIST_SIZE], uint32_t hz[5])
{
    struct fr_rd r = fr_rd(fr_span(cflist, FR_CFLIST_SIZE));

    if (cflist[FR_CFLIST_SIZE - 1] != 0) return FR_E_UNSUPPORTED;
    for (size_t i = 0; i < 5; i++) hz[i] = fr_rd_u24le(&r) * 100;
    return FR_OK;
}
