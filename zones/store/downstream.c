#include "store/downstream.h"

#include "store/rows.h"
#include "store/tables.h"

#include <string.h>

static bool is_name(const char *name)
{
    const size_t n = strlen(name);

    if (n == 0 || n > FR_DOWNSTREAM_NAME_MAX || name[0] == '-' || name[n - 1] == '-') return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

enum fr_err fr_downstream_get(struct fr_snap *snap, const char *name, struct fr_downstream_row *out)
{
    struct fr_downstream_row row = {0};
    struct fr_span value;

    if (!fr_span_copy(fr_span_str(name), row.name, sizeof row.name)) return FR_E_NOT_FOUND;
    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_DOWNSTREAMS, fr_span_str(name), &value);
    if (err == FR_OK) err = fr_downstream_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

struct visit {
    fr_downstream_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_downstream_row row = {0};

    if (!fr_span_copy(key, row.name, sizeof row.name)) return FR_E_MALFORMED;
    enum fr_err err = fr_downstream_read(value, &row);
    return err ? err : v->fn(v->data, &row);
}

enum fr_err fr_downstream_each(struct fr_snap *snap, fr_downstream_fn fn, void *data)
{
    struct visit v = {fn, data};

    return fr_snap_visit(snap, FR_TABLE_DOWNSTREAMS, (struct fr_span){0}, visit_row, &v);
}

struct others {
    const struct fr_downstream_row *row;
    struct fr_diag *diag;
    size_t n;
};

/* The key's name is all that tells one asker from another. */
static enum fr_err check_other(void *data, const struct fr_downstream_row *other)
{
    struct others *others = data;

    if (strcmp(other->name, others->row->name) == 0) return FR_OK;
    if (++others->n >= FR_DOWNSTREAMS_MAX)
        return fr_diag_fail(others->diag, FR_E_LIMIT, "there are %d secondaries already",
                            FR_DOWNSTREAMS_MAX);
    if (others->row->key_name[0] && strcmp(other->key_name, others->row->key_name) == 0)
        return fr_diag_fail(others->diag, FR_E_CONFLICT,
                            "the TSIG key %s is that of the secondary %s already", other->key_name,
                            other->name);
    return FR_OK;
}

enum fr_err fr_downstream_put(struct fr_change *change, const struct fr_downstream_row *row,
                              struct fr_diag *diag)
{
    struct others others = {.row = row, .diag = diag};
    struct fr_downstream_row next = *row, old;
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    if (!is_name(row->name))
        return fr_diag_fail(diag, FR_E_INVALID,
                            "\"%s\" is no name for a secondary: lower-case letters, digits and "
                            "dashes, at most %d",
                            row->name, FR_DOWNSTREAM_NAME_MAX);
    if (row->key_name[0] == '\0' && !row->has_xot)
        return fr_diag_fail(
            diag, FR_E_INVALID,
            "a secondary proves itself by a TSIG key, or by a certificate over TLS");
    enum fr_err err = fr_downstream_each(fr_change_snap(change), check_other, &others);
    if (err) return err;
    err = fr_downstream_get(fr_change_snap(change), row->name, &old);
    if (err && err != FR_E_NOT_FOUND) return err;
    next.created_s = err ? fr_change_now(change) : old.created_s;
    fr_downstream_write(&w, &next);
    if (fr_wr_err(&w)) return fr_wr_err(&w);
    return fr_change_put(change, FR_TABLE_DOWNSTREAMS, FR_FACT_DOWNSTREAM, fr_span_str(row->name),
                         fr_wr_done(&w));
}

enum fr_err fr_downstream_remove(struct fr_change *change, const char *name)
{
    if (!is_name(name)) return FR_E_NOT_FOUND;
    enum fr_err err = fr_txn_delete(fr_change_txn(change), FR_TABLE_DOWNSTREAMS, fr_span_str(name));
    if (err) return err;
    return fr_change_note(change, FR_FACT_DOWNSTREAM, fr_span_str(name), (struct fr_span){0});
}
