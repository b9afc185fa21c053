/* Rows about who may have a device: blocks, releases, conflicts. See rows.h; the pieces are rows.c's. */
#include "store/rows.h"
#include "store/rows_parts.h"

#include <string.h>

enum fr_err fr_block_read(struct fr_span value, struct fr_block_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_block_row got = *row;

    fr_row_read_form(&r);
    fr_row_read_text(&r, got.member, FR_MEMBER_ID_MAX);
    got.created_s = fr_row_read_time(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_block_write(struct fr_wr *w, const struct fr_block_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_row_write_text(w, row->member);
    fr_row_write_time(w, row->created_s);
}

enum fr_err fr_release_read(struct fr_span value, struct fr_release_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_release_row got = {.deveui = row->deveui};

    fr_row_read_form(&r);
    fr_row_read_text(&r, got.from, FR_MEMBER_ID_MAX);
    fr_row_read_text(&r, got.to, FR_MEMBER_ID_MAX);
    got.change = fr_rd_u32(&r);
    got.until_s = fr_row_read_time(&r);
    got.created_s = fr_row_read_time(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_release_write(struct fr_wr *w, const struct fr_release_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_row_write_text(w, row->from);
    fr_row_write_text(w, row->to);
    fr_wr_u32(w, row->change);
    fr_row_write_time(w, row->until_s);
    fr_row_write_time(w, row->created_s);
}

enum fr_err fr_conflict_read(struct fr_span value, struct fr_conflict_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_conflict_row got = {.eui = row->eui, .nibbles = row->nibbles};

    memcpy(got.claimant, row->claimant, sizeof got.claimant);
    fr_row_read_form(&r);
    fr_row_read_text(&r, got.owner, FR_MEMBER_ID_MAX);
    got.netid = fr_rd_u24(&r);
    got.count = fr_rd_u64(&r);
    got.first_s = fr_row_read_time(&r);
    got.last_s = fr_row_read_time(&r);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_conflict_write(struct fr_wr *w, const struct fr_conflict_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_row_write_text(w, row->owner);
    fr_wr_u24(w, row->netid);
    fr_wr_u64(w, row->count);
    fr_row_write_time(w, row->first_s);
    fr_row_write_time(w, row->last_s);
}
