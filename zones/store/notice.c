#include "store/notice.h"

#include "store/rows.h"
#include "store/tables.h"

#include <stdio.h>
#include <string.h>

const char *fr_notice_level_text(enum fr_notice_level level)
{
    static const char *const words[] = {[FR_NOTICE_PLAN] = "plan",
                                        [FR_NOTICE_WARNING] = "warning",
                                        [FR_NOTICE_CRITICAL] = "critical"};

    return level >= FR_NOTICE_PLAN && level <= FR_NOTICE_CRITICAL ? words[level] : "";
}

const char *fr_notice_stage_text(enum fr_notice_stage stage)
{
    static const char *const words[] = {
        [FR_STAGE_NONE] = "none",   [FR_STAGE_OPEN] = "open", [FR_STAGE_HALF] = "half",
        [FR_STAGE_THIRD] = "third", [FR_STAGE_YEAR] = "365d", [FR_STAGE_90D] = "90d",
        [FR_STAGE_30D] = "30d",     [FR_STAGE_7D] = "7d",     [FR_STAGE_OVERDUE] = "overdue",
        [FR_STAGE_3D] = "3d",       [FR_STAGE_1D] = "1d",     [FR_STAGE_OVER] = "expired",
    };

    return stage <= FR_STAGE_OVER && words[stage] ? words[stage] : "";
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_notice_row *out)
{
    struct fr_notice_row row = {0};

    if (key.n == 0 || !fr_span_copy(key, row.id, sizeof row.id)) return FR_E_MALFORMED;
    enum fr_err err = fr_notice_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_notice_get(struct fr_snap *snap, const char *id, struct fr_notice_row *out)
{
    struct fr_span value, key = fr_span_str(id);

    if (key.n == 0 || key.n > FR_NOTICE_ID_MAX) return FR_E_NOT_FOUND;
    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_NOTICES, key, &value);
    return err ? err : read_row(key, value, out);
}

struct visit {
    fr_notice_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_notice_row row;

    enum fr_err err = read_row(key, value, &row);
    return err ? err : v->fn(v->data, &row);
}

enum fr_err fr_notice_each(struct fr_snap *snap, fr_notice_fn fn, void *data)
{
    struct visit v = {fn, data};

    return fr_snap_visit(snap, FR_TABLE_NOTICES, (struct fr_span){0}, visit_row, &v);
}

static enum fr_err check(const struct fr_notice_row *row, struct fr_diag *diag)
{
    if (row->id[0] == '\0' || fr_text_check(row->id, FR_NOTICE_ID_MAX, "notice", diag) ||
        fr_notice_level_text(row->level)[0] == '\0' || row->stage == FR_STAGE_NONE ||
        fr_notice_stage_text(row->stage)[0] == '\0')
        return FR_E_INVALID;
    return FR_OK;
}

static enum fr_err write_row(struct fr_change *change, const struct fr_notice_row *row)
{
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_notice_write(&w, row);
    enum fr_err err = fr_wr_err(&w);
    if (err) return err;
    return fr_change_put(change, FR_TABLE_NOTICES, FR_FACT_NOTICE, fr_span_str(row->id),
                         fr_wr_done(&w));
}

enum fr_err fr_notice_put(struct fr_change *change, const struct fr_notice_row *row,
                          struct fr_diag *diag)
{
    struct fr_notice_row there, clean = *row;
    uint64_t n = 0;

    enum fr_err err = check(row, diag);
    if (err) return err;
    fr_text_copy(row->what, clean.what, sizeof clean.what);
    fr_text_copy(row->mend, clean.mend, sizeof clean.mend);
    err = fr_notice_get(fr_change_snap(change), row->id, &there);
    if (err == FR_E_NOT_FOUND) {
        err = fr_txn_count(fr_change_txn(change), FR_TABLE_NOTICES, &n);
        if (!err && n >= FR_NOTICES_MAX)
            err = fr_diag_fail(diag, FR_E_LIMIT, "there are %d notices already", FR_NOTICES_MAX);
    }
    return err ? err : write_row(change, &clean);
}

enum fr_err fr_notice_remove(struct fr_change *change, const char *id)
{
    enum fr_err err = fr_txn_delete(fr_change_txn(change), FR_TABLE_NOTICES, fr_span_str(id));

    return err ? err : fr_change_note(change, FR_FACT_NOTICE, fr_span_str(id), (struct fr_span){0});
}

enum fr_err fr_notice_told(struct fr_change *change, const char *id, enum fr_notice_stage stage,
                           enum fr_notice_way way)
{
    struct fr_notice_row row;

    enum fr_err err = fr_notice_get(fr_change_snap(change), id, &row);
    if (err == FR_E_NOT_FOUND || (!err && row.stage != stage)) return FR_OK; /* over meanwhile */
    if (err) return err;
    row.told |= (uint8_t)way;
    row.told_s = fr_change_now(change);
    return write_row(change, &row);
}

enum fr_err fr_notice_ack(struct fr_change *change, const char *id, const char *by, const char *why,
                          struct fr_diag *diag)
{
    struct fr_notice_row row;

    enum fr_err err = fr_notice_get(fr_change_snap(change), id, &row);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no notice %s", id);
    if (err || row.acked_s > 0) return err;
    row.acked_s = fr_change_now(change);
    fr_text_copy(by, row.acked_by, sizeof row.acked_by);
    fr_text_copy(why, row.acked_why, sizeof row.acked_why);
    return write_row(change, &row);
}
