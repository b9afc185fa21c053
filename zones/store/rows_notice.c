/* Rows of what operators are told. See rows.h; the pieces are rows.c's. */
#include "store/rows.h"
#include "store/rows_parts.h"

#include <string.h>

enum fr_err fr_notice_read(struct fr_span value, struct fr_notice_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_notice_row got = {0};

    memcpy(got.id, row->id, sizeof got.id);
    fr_row_read_form(&r);
    got.level = (enum fr_notice_level)fr_rd_u8(&r);
    got.stage = (enum fr_notice_stage)fr_rd_u8(&r);
    if (fr_notice_level_text(got.level)[0] == '\0' || got.stage == FR_STAGE_NONE ||
        fr_notice_stage_text(got.stage)[0] == '\0')
        fr_rd_fail(&r, FR_E_MALFORMED);
    got.begun_s = fr_row_read_time(&r);
    got.since_s = fr_row_read_time(&r);
    got.until_s = fr_row_read_time(&r);
    got.told = fr_rd_u8(&r);
    got.told_s = fr_row_read_time(&r);
    got.acked_s = fr_row_read_time(&r);
    fr_row_read_text(&r, got.acked_by, FR_ACTOR_MAX);
    fr_row_read_text(&r, got.acked_why, FR_REASON_MAX);
    fr_row_read_text(&r, got.what, FR_NOTICE_WHAT_MAX);
    fr_row_read_text(&r, got.mend, FR_NOTICE_MEND_MAX);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_notice_write(struct fr_wr *w, const struct fr_notice_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_wr_u8(w, (uint8_t)row->level);
    fr_wr_u8(w, (uint8_t)row->stage);
    fr_row_write_time(w, row->begun_s);
    fr_row_write_time(w, row->since_s);
    fr_row_write_time(w, row->until_s);
    fr_wr_u8(w, row->told);
    fr_row_write_time(w, row->told_s);
    fr_row_write_time(w, row->acked_s);
    fr_row_write_text(w, row->acked_by);
    fr_row_write_text(w, row->acked_why);
    fr_row_write_text(w, row->what);
    fr_row_write_text(w, row->mend);
}
