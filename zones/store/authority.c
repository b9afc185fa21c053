#include "store/authority.h"

#include "base/siphash.h"
#include "names/member.h"
#include "store/cert.h"
#include "store/rows.h"
#include "store/tables.h"

#include <string.h>

const char *fr_authority_state_text(enum fr_authority_state state)
{
    switch (state) {
    case FR_AUTHORITY_ACTIVE: return "active";
    case FR_AUTHORITY_TAINTED: return "tainted";
    case FR_AUTHORITY_REVOKED: return "revoked";
    case FR_AUTHORITY_RETIRED: return "retired";
    case FR_AUTHORITY_READY: return "ready";
    case FR_AUTHORITY_PREPARED: return "prepared";
    }
    return "unknown";
}

bool fr_authority_is_trusted(const struct fr_authority_row *row)
{
    return row->state == FR_AUTHORITY_ACTIVE || row->state == FR_AUTHORITY_TAINTED ||
           row->state == FR_AUTHORITY_READY;
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

/* The key is fixed: the number tells one set from another and guards nothing. */
static enum fr_err digest_row(void *data, const struct fr_authority_row *row)
{
    static const struct fr_siphash_key KEY = {"fedroam authorit"};
    uint64_t *digest = data;
    uint8_t bytes[FR_DIGEST_SIZE + 1];

    memcpy(bytes, row->sha256, FR_DIGEST_SIZE);
    bytes[FR_DIGEST_SIZE] = (uint8_t)row->state;
    *digest += fr_siphash(&KEY, fr_span(bytes, sizeof bytes));
    return FR_OK;
}

enum fr_err fr_authority_digest(struct fr_snap *snap, uint64_t *out)
{
    uint64_t digest = 0;
    enum fr_err err = fr_authority_each(snap, digest_row, &digest);

    if (err == FR_OK) *out = digest;
    return err;
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

static enum fr_err check_der(const struct fr_authority_row *row, bool may_be_absent,
                             struct fr_diag *diag)
{
    if ((row->der_size > 0 || may_be_absent) && row->der_size <= FR_AUTHORITY_DER_MAX) return FR_OK;
    return fr_diag_fail(diag, FR_E_LIMIT, "certificate of authority %s: %u bytes", row->name,
                        row->der_size);
}

static enum fr_err find_row(struct fr_change *change, const char *name, struct fr_diag *diag,
                            struct fr_authority_row *out)
{
    enum fr_err err = fr_authority_get(fr_change_snap(change), name, out);

    return err == FR_E_NOT_FOUND ? fr_diag_fail(diag, err, "no authority %s", name) : err;
}

enum fr_err fr_authority_add(struct fr_change *change, const struct fr_authority_row *row,
                             struct fr_diag *diag)
{
    struct fr_authority_row there;

    if (!fr_is_host_label(fr_span_str(row->name)))
        return fr_diag_fail(diag, FR_E_INVALID, "\"%s\" is no name for an authority", row->name);
    enum fr_err err = check_der(row, row->state == FR_AUTHORITY_PREPARED, diag);
    if (err) return err;
    err = fr_authority_get(fr_change_snap(change), row->name, &there);
    if (err == FR_OK)
        return fr_diag_fail(diag, FR_E_EXISTS, "authority %s exists already", row->name);
    if (err != FR_E_NOT_FOUND) return err;
    there = *row;
    there.since_s = fr_change_now(change);
    return put_row(change, &there);
}

enum fr_err fr_authority_certify(struct fr_change *change, const struct fr_authority_row *row,
                                 struct fr_diag *diag)
{
    struct fr_authority_row there;
    enum fr_err err = find_row(change, row->name, diag, &there);

    if (!err) err = check_der(row, false, diag);
    if (err) return err;
    if (there.state != FR_AUTHORITY_PREPARED)
        return fr_diag_fail(diag, FR_E_CONFLICT, "authority %s has its certificate: it is %s",
                            row->name, fr_authority_state_text(there.state));
    there = *row;
    there.kind = FR_AUTHORITY_ISSUING;
    there.state = FR_AUTHORITY_READY;
    there.since_s = fr_change_now(change);
    return put_row(change, &there);
}

/* Which states lead to which, as bits. */
#define FROM(state) (1u << FR_AUTHORITY_##state)
static const unsigned LEADS_TO[] = {
    [FR_AUTHORITY_ACTIVE] = FROM(READY),
    [FR_AUTHORITY_TAINTED] = FROM(ACTIVE) | FROM(READY),
    [FR_AUTHORITY_RETIRED] = FROM(TAINTED) | FROM(READY) | FROM(PREPARED),
    [FR_AUTHORITY_REVOKED] = FROM(ACTIVE) | FROM(READY) | FROM(TAINTED) | FROM(RETIRED),
    [FR_AUTHORITY_READY] = 0,
    [FR_AUTHORITY_PREPARED] = 0,
};

enum fr_err fr_authority_set_state(struct fr_change *change, const char *name,
                                   enum fr_authority_state state, uint8_t cause,
                                   struct fr_diag *diag)
{
    struct fr_authority_row row;

    enum fr_err err = find_row(change, name, diag, &row);
    if (err) return err;
    if (row.kind == FR_AUTHORITY_ROOT)
        return fr_diag_fail(diag, FR_E_CONFLICT, "%s is the root, not an issuing CA", name);
    if (row.state == state) return FR_OK;
    if ((LEADS_TO[state] & 1u << row.state) == 0)
        return fr_diag_fail(diag, FR_E_CONFLICT, "authority %s is %s: that cannot become %s", name,
                            fr_authority_state_text(row.state), fr_authority_state_text(state));
    row.state = state;
    row.cause = cause;
    row.since_s = fr_change_now(change);
    return put_row(change, &row);
}

struct weighing {
    const char *name;
    struct fr_authority_load load;
};

static enum fr_err weigh(void *data, const struct fr_cert_row *row)
{
    struct weighing *w = data;

    if (row->status == FR_CERT_REVOKED || strcmp(row->authority, w->name) != 0) return FR_OK;
    w->load.live++; /* they come by their end: each is the last so far */
    w->load.last_s = row->not_after_s;
    memcpy(w->load.serial, row->serial, FR_SERIAL_SIZE);
    memcpy(w->load.last_member, row->member, sizeof w->load.last_member);
    return FR_OK;
}

enum fr_err fr_authority_load(struct fr_snap *snap, const char *name, int64_t now_s,
                              struct fr_authority_load *out)
{
    struct weighing w = {.name = name};
    enum fr_err err = fr_cert_row_each_ending(snap, now_s, INT64_MAX, weigh, &w);

    if (err == FR_OK) *out = w.load;
    return err;
}
