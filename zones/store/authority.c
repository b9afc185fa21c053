#include "store/authority.h"

#include "names/member.h"
#include "store/rows.h"
#include "store/tables.h"

const char *fr_authority_state_text(enum fr_authority_state state)
{
    switch (state) {
    case FR_AUTHORITY_ACTIVE: return "active";
    case FR_AUTHORITY_RETIRED: return "retired";
    case FR_AUTHORITY_REVOKED: return "revoked";
    }
    return "unknown";
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_authority_row *out)
{
    struct fr_authority_row row = {0};

    if (!fr_span_copy(key, row.name, sizeof row.name)) return FR_E_MALFORMED;
    enum fr_err err = fr_authority_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_authority_get(struct fr_snap *snap, const char *name, struct fr_authority_row *out)
{
    struct fr_span value;

    if (name[0] == '\0') return FR_E_NOT_FOUND;
    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_AUTHORITIES, fr_span_str(name), &value);
    return err ? err : read_row(fr_span_str(name), value, out);
}

struct visit {
    fr_authority_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_authority_row row;

    enum fr_err err = read_row(key, value, &row);
    return err ? err : v->fn(v->data, &row);
}

enum fr_err fr_authority_each(struct fr_snap *snap, fr_authority_fn fn, void *data)
{
    struct visit v = {fn, data};

    return fr_snap_visit(snap, FR_TABLE_AUTHORITIES, (struct fr_span){0}, visit_row, &v);
}

static enum fr_err put_row(struct fr_change *change, const struct fr_authority_row *row)
{
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_authority_write(&w, row);
    enum fr_err err = fr_wr_err(&w);
    if (err) return err;
    return fr_change_put(change, FR_TABLE_AUTHORITIES, FR_FACT_AUTHORITY, fr_span_str(row->name),
                         fr_wr_done(&w));
}

enum fr_err fr_authority_add(struct fr_change *change, const struct fr_authority_row *row,
                             struct fr_diag *diag)
{
    struct fr_authority_row there;

    if (!fr_is_host_label(fr_span_str(row->name)))
        return fr_diag_fail(diag, FR_E_INVALID, "\"%s\" is no name for an authority", row->name);
    if (row->der_size == 0 || row->der_size > FR_AUTHORITY_DER_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "certificate of authority %s: %u bytes", row->name,
                            row->der_size);
    enum fr_err err = fr_authority_get(fr_change_snap(change), row->name, &there);
    if (err == FR_OK)
        return fr_diag_fail(diag, FR_E_EXISTS, "authority %s exists already", row->name);
    if (err != FR_E_NOT_FOUND) return err;
    return put_row(change, row);
}

enum fr_err fr_authority_set_state(struct fr_change *change, const char *name,
                                   enum fr_authority_state state, struct fr_diag *diag)
{
    struct fr_authority_row row;

    enum fr_err err = fr_authority_get(fr_change_snap(change), name, &row);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "no authority %s", name);
    if (err) return err;
    row.state = state;
    return put_row(change, &row);
}
