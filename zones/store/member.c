#include "store/member.h"

#include "names/member.h"
#include "store/network.h"
#include "store/rows.h"
#include "store/tables.h"

#include <string.h>

const char *fr_member_state_text(enum fr_member_state state)
{
    switch (state) {
    case FR_MEMBER_ACTIVE: return "active";
    case FR_MEMBER_SUSPENDED: return "suspended";
    case FR_MEMBER_REMOVED: return "removed";
    }
    return "unknown";
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_member_row *out)
{
    struct fr_member_row row = {0};

    if (!fr_span_copy(key, row.id, sizeof row.id)) return FR_E_MALFORMED;
    enum fr_err err = fr_member_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_member_get(struct fr_snap *snap, const char *id, struct fr_member_row *out)
{
    struct fr_span value;

    if (id[0] == '\0' || strlen(id) > FR_MEMBER_ID_MAX) return FR_E_NOT_FOUND;
    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_MEMBERS, fr_span_str(id), &value);
    return err ? err : read_row(fr_span_str(id), value, out);
}

struct visit {
    fr_member_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_member_row row;

    enum fr_err err = read_row(key, value, &row);
    return err ? err : v->fn(v->data, &row);
}

enum fr_err fr_member_each(struct fr_snap *snap, fr_member_fn fn, void *data)
{
    struct visit v = {fn, data};

    return fr_snap_visit(snap, FR_TABLE_MEMBERS, (struct fr_span){0}, visit_row, &v);
}

struct sound_visit {
    fr_member_fn fn;
    fr_member_bad_fn bad;
    void *data;
};

static enum fr_err visit_sound(void *data, struct fr_span key, struct fr_span value)
{
    const struct sound_visit *v = data;
    struct fr_member_row row;

    enum fr_err err = read_row(key, value, &row);
    if (err == FR_OK) return v->fn(v->data, &row);
    if (v->bad != NULL) v->bad(v->data, key, err);
    return FR_OK;
}

enum fr_err fr_member_each_sound(struct fr_snap *snap, fr_member_fn fn, fr_member_bad_fn bad,
                                 void *data)
{
    struct sound_visit v = {fn, bad, data};

    return fr_snap_visit(snap, FR_TABLE_MEMBERS, (struct fr_span){0}, visit_sound, &v);
}

static enum fr_err check_texts(const struct fr_member_row *row, struct fr_diag *diag)
{
    enum fr_err err = fr_text_check(row->org, FR_ORG_MAX, "the organisation", diag);

    if (err == FR_OK) err = fr_text_check(row->noc, FR_CONTACT_MAX, "the NOC contact", diag);
    if (err == FR_OK)
        err = fr_text_check(row->security, FR_CONTACT_MAX, "the security contact", diag);
    return err;
}

static enum fr_err put_row(struct fr_change *change, const struct fr_member_row *row)
{
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_member_write(&w, row);
    enum fr_err err = fr_wr_err(&w);
    if (err) return err;
    return fr_change_put(change, FR_TABLE_MEMBERS, FR_FACT_MEMBER, fr_span_str(row->id),
                         fr_wr_done(&w));
}

enum fr_err fr_member_add(struct fr_change *change, const struct fr_member_row *row,
                          struct fr_diag *diag)
{
    struct fr_member_row there, fresh = *row;

    enum fr_err err = fr_member_check(fr_span_str(row->id), diag);
    if (err == FR_OK) err = check_texts(row, diag);
    if (err) return err;
    err = fr_member_get(fr_change_snap(change), row->id, &there);
    if (err == FR_OK)
        return fr_diag_fail(diag, FR_E_EXISTS, "member %s exists already (%s)", row->id,
                            fr_member_state_text(there.state));
    if (err != FR_E_NOT_FOUND) return err;
    fresh.state = FR_MEMBER_ACTIVE;
    fresh.created_s = fr_change_now(change);
    fresh.changed_s = fresh.created_s;
    return put_row(change, &fresh);
}

enum fr_err fr_member_set(struct fr_change *change, const struct fr_member_row *row,
                          struct fr_diag *diag)
{
    struct fr_member_row there;

    enum fr_err err = check_texts(row, diag);
    if (err) return err;
    err = fr_member_get(fr_change_snap(change), row->id, &there);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "no member %s", row->id);
    if (err) return err;
    if (there.state == FR_MEMBER_REMOVED && row->state == FR_MEMBER_REMOVED) return FR_OK;
    if (there.state == FR_MEMBER_REMOVED)
        return fr_diag_fail(diag, FR_E_CONFLICT, "member %s was removed", row->id);
    struct fr_member_row next = there;
    next.state = row->state;
    memcpy(next.org, row->org, sizeof next.org);
    memcpy(next.noc, row->noc, sizeof next.noc);
    memcpy(next.security, row->security, sizeof next.security);
    if (next.state == there.state && strcmp(next.org, there.org) == 0 &&
        strcmp(next.noc, there.noc) == 0 && strcmp(next.security, there.security) == 0)
        return FR_OK;
    next.changed_s = fr_change_now(change);
    return put_row(change, &next);
}

static enum fr_err found_network(void *data, const struct fr_network_row *row)
{
    *(uint32_t *)data = row->netid;
    return FR_OK;
}

enum fr_err fr_member_blank(struct fr_change *change, const char *id, struct fr_diag *diag)
{
    struct fr_member_row row;
    uint32_t netid = 0;

    enum fr_err err = fr_member_get(fr_change_snap(change), id, &row);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "no member %s", id);
    if (err == FR_OK) err = fr_network_each_of(fr_change_snap(change), id, found_network, &netid);
    if (err) return err;
    if (row.state != FR_MEMBER_REMOVED || netid != 0) {
        (void)fr_diag_fail(diag, FR_E_CONFLICT, "member %s is not removed yet", id);
        fr_diag_hint(diag, "fedroam member remove %s", id);
        return FR_E_CONFLICT;
    }
    if (row.org[0] == '\0' && row.noc[0] == '\0' && row.security[0] == '\0') return FR_OK;
    row.org[0] = row.noc[0] = row.security[0] = '\0';
    row.changed_s = fr_change_now(change);
    return put_row(change, &row);
}
