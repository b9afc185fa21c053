/* Rows of certificates that nobody has issued. See rows.h; the pieces are rows.c's. */
#include "store/rows.h"
#include "store/rows_parts.h"

#include <string.h>

enum fr_err fr_unknown_read(struct fr_span value, struct fr_unknown_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_unknown_row got = {0};

    memcpy(got.serial, row->serial, sizeof got.serial);
    fr_row_read_form(&r);
    got.seen_s = fr_row_read_time(&r);
    got.not_before_s = fr_row_read_time(&r);
    got.not_after_s = fr_row_read_time(&r);
    fr_rd_bytes(&r, got.sha256, sizeof got.sha256);
    fr_row_read_text(&r, got.subject, FR_UNKNOWN_SUBJECT_MAX);
    got.der_size = fr_rd_u16(&r);
    if (got.der_size > FR_UNKNOWN_DER_MAX)
        fr_rd_fail(&r, FR_E_MALFORMED);
    else
        fr_rd_bytes(&r, got.der, got.der_size);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_unknown_write(struct fr_wr *w, const struct fr_unknown_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_row_write_time(w, row->seen_s);
    fr_row_write_time(w, row->not_before_s);
    fr_row_write_time(w, row->not_after_s);
    fr_wr_bytes(w, row->sha256, sizeof row->sha256);
    fr_row_write_text(w, row->subject);
    fr_wr_u16(w, row->der_size);
    fr_wr_bytes(w, row->der, row->der_size);
}
