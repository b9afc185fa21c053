/* Rows of DNS secondaries. See rows.h; the pieces are rows.c's. */
#include "store/rows.h"
#include "store/rows_parts.h"

#include <string.h>

enum fr_err fr_downstream_read(struct fr_span value, struct fr_downstream_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_downstream_row got = {0};

    memcpy(got.name, row->name, sizeof got.name);
    fr_row_read_form(&r);
    got.n_addrs = fr_rd_u8(&r);
    if (got.n_addrs > FR_DOWNSTREAM_ADDRS_MAX) fr_rd_fail(&r, FR_E_MALFORMED);
    for (uint8_t i = 0; fr_rd_err(&r) == FR_OK && i < got.n_addrs; i++) {
        got.addrs[i].ip.family = fr_rd_u8(&r);
        if (got.addrs[i].ip.family != 4 && got.addrs[i].ip.family != 6)
            fr_rd_fail(&r, FR_E_MALFORMED);
        fr_rd_bytes(&r, got.addrs[i].ip.b, got.addrs[i].ip.family == 4 ? 4 : 16);
        got.addrs[i].port = fr_rd_u16(&r);
    }
    fr_row_read_text(&r, got.key_name, FR_DNS_NAME_MAX);
    fr_row_read_text(&r, got.key_algorithm, sizeof got.key_algorithm - 1);
    fr_rd_bytes(&r, got.key_id, sizeof got.key_id);
    const uint8_t has_xot = fr_rd_u8(&r);
    if (has_xot > 1) fr_rd_fail(&r, FR_E_MALFORMED);
    got.has_xot = has_xot == 1;
    got.created_s = fr_row_read_time(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_downstream_write(struct fr_wr *w, const struct fr_downstream_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_wr_u8(w, row->n_addrs);
    for (uint8_t i = 0; i < row->n_addrs; i++) {
        fr_wr_u8(w, row->addrs[i].ip.family);
        fr_wr_bytes(w, row->addrs[i].ip.b, row->addrs[i].ip.family == 4 ? 4 : 16);
        fr_wr_u16(w, row->addrs[i].port);
    }
    fr_row_write_text(w, row->key_name);
    fr_row_write_text(w, row->key_algorithm);
    fr_wr_bytes(w, row->key_id, sizeof row->key_id);
    fr_wr_u8(w, row->has_xot);
    fr_row_write_time(w, row->created_s);
}
