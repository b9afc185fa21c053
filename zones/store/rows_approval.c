/* Rows of requests that wait for approval. See rows.h; the pieces are rows.c's. */
#include "store/rows.h"
#include "store/rows_parts.h"

#include <string.h>

enum fr_err fr_approval_read(struct fr_span value, struct fr_approval_row *row)
{
    struct fr_rd r = fr_rd(value);
    struct fr_approval_row got = {0};

    memcpy(got.id, row->id, sizeof got.id);
    fr_row_read_form(&r);
    const uint8_t state = fr_rd_u8(&r);
    if (state > FR_APPROVAL_FAILED) fr_rd_fail(&r, FR_E_MALFORMED);
    got.state = (enum fr_approval_state)state;
    fr_row_read_text(&r, got.op, FR_APPROVAL_OP_MAX);
    fr_row_read_text(&r, got.args, FR_APPROVAL_ARGS_MAX);
    fr_rd_bytes(&r, got.digest, sizeof got.digest);
    fr_row_read_text(&r, got.reason, FR_REASON_MAX);
    fr_row_read_text(&r, got.asker, FR_ACTOR_MAX);
    fr_row_read_text(&r, got.person, FR_ACTOR_MAX);
    got.asked_s = fr_row_read_time(&r);
    got.expires_s = fr_row_read_time(&r);
    got.needed = fr_rd_u8(&r);
    got.n = fr_rd_u8(&r);
    if (got.n > FR_APPROVAL_PERSONS_MAX) fr_rd_fail(&r, FR_E_MALFORMED);
    for (uint8_t i = 0; fr_rd_err(&r) == FR_OK && i < got.n; i++) {
        fr_row_read_text(&r, got.by[i].person, FR_ACTOR_MAX);
        got.by[i].when_s = fr_row_read_time(&r);
    }
    fr_row_read_text(&r, got.closer, FR_ACTOR_MAX);
    got.closed_s = fr_row_read_time(&r);
    fr_row_read_text(&r, got.why, FR_APPROVAL_WHY_MAX);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *row = got;
    return err;
}

void fr_approval_write(struct fr_wr *w, const struct fr_approval_row *row)
{
    fr_wr_u8(w, FR_ROW_FORM);
    fr_wr_u8(w, (uint8_t)row->state);
    fr_row_write_text(w, row->op);
    fr_row_write_text(w, row->args);
    fr_wr_bytes(w, row->digest, sizeof row->digest);
    fr_row_write_text(w, row->reason);
    fr_row_write_text(w, row->asker);
    fr_row_write_text(w, row->person);
    fr_row_write_time(w, row->asked_s);
    fr_row_write_time(w, row->expires_s);
    fr_wr_u8(w, row->needed);
    fr_wr_u8(w, row->n);
    for (uint8_t i = 0; i < row->n; i++) {
        fr_row_write_text(w, row->by[i].person);
        fr_row_write_time(w, row->by[i].when_s);
    }
    fr_row_write_text(w, row->closer);
    fr_row_write_time(w, row->closed_s);
    fr_row_write_text(w, row->why);
}
