#include "store/token.h"

#include "store/rows.h"
#include "store/tables.h"

#include <string.h>

const char *fr_slot_state_text(enum fr_slot_state state)
{
    switch (state) {
    case FR_SLOT_OPEN: return "open";
    case FR_SLOT_WAITING: return "waiting";
    case FR_SLOT_APPROVED: return "approved";
    case FR_SLOT_USED: return "used";
    }
    return "?";
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_token_row *out)
{
    struct fr_token_row row = {0};

    if (key.n != FR_TOKEN_ID_SIZE) return FR_E_MALFORMED;
    memcpy(row.id, key.p, key.n);
    enum fr_err err = fr_token_row_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_token_get(struct fr_snap *snap, const uint8_t id[FR_TOKEN_ID_SIZE],
                         struct fr_token_row *out)
{
    struct fr_span value, key = fr_span(id, FR_TOKEN_ID_SIZE);

    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_TOKENS, key, &value);
    return err ? err : read_row(key, value, out);
}

struct visit {
    fr_token_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_token_row row;

    enum fr_err err = read_row(key, value, &row);
    return err ? err : v->fn(v->data, &row);
}

enum fr_err fr_token_each(struct fr_snap *snap, fr_token_fn fn, void *data)
{
    struct visit v = {fn, data};

    return fr_snap_visit(snap, FR_TABLE_TOKENS, (struct fr_span){0}, visit_row, &v);
}

static enum fr_err put(struct fr_change *change, const struct fr_token_row *row)
{
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_token_row_write(&w, row);
    enum fr_err err = fr_wr_err(&w);
    if (err) return err;
    return fr_change_put(change, FR_TABLE_TOKENS, FR_FACT_TOKEN, fr_span(row->id, sizeof row->id),
                         fr_wr_done(&w));
}

enum fr_err fr_token_add(struct fr_change *change, const struct fr_token_row *row,
                         struct fr_diag *diag)
{
    struct fr_token_row there;

    if (row->n_slots < 1 || row->n_slots > FR_TOKEN_SLOTS_MAX)
        return fr_diag_fail(diag, FR_E_INVALID, "a token is for one to three profiles");
    enum fr_err err = fr_token_get(fr_change_snap(change), row->id, &there);
    if (err == FR_OK) return fr_diag_fail(diag, FR_E_EXISTS, "there is a token of that id");
    return err == FR_E_NOT_FOUND ? put(change, row) : err;
}

enum fr_err fr_token_put(struct fr_change *change, const struct fr_token_row *row)
{
    struct fr_token_row there;

    enum fr_err err = fr_token_get(fr_change_snap(change), row->id, &there);
    return err ? err : put(change, row);
}
