#include "store/grace.h"

#include "store/member.h"
#include "store/rows.h"
#include "store/tables.h"

#include <stdio.h>
#include <string.h>

/* Everybody's row has a key that no member's id can be. */
#define EVERYBODY "*"

static struct fr_span key_of(const char *member)
{
    return fr_span_str(member[0] != '\0' ? member : EVERYBODY);
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_grace_row *out)
{
    struct fr_grace_row row = {0};

    if (!fr_span_is(key, EVERYBODY) && !fr_span_copy(key, row.member, sizeof row.member))
        return FR_E_MALFORMED;
    enum fr_err err = fr_grace_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

struct visit {
    fr_grace_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_grace_row row;

    enum fr_err err = read_row(key, value, &row);
    return err ? err : v->fn(v->data, &row);
}

enum fr_err fr_grace_each(struct fr_snap *snap, fr_grace_fn fn, void *data)
{
    struct visit v = {fn, data};

    return fr_snap_visit(snap, FR_TABLE_GRACE, (struct fr_span){0}, visit_row, &v);
}

static enum fr_err get(struct fr_snap *snap, const char *member, struct fr_grace_row *out)
{
    struct fr_span value;

    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_GRACE, key_of(member), &value);
    return err ? err : read_row(key_of(member), value, out);
}

enum fr_err fr_grace_is_open(struct fr_snap *snap, const char *member, int64_t now_s, bool *out)
{
    const char *const whose[] = {member, ""};
    bool is_open = false;

    for (size_t i = 0; i < 2 && !is_open; i++) {
        struct fr_grace_row row;
        enum fr_err err = get(snap, whose[i], &row);
        if (err && err != FR_E_NOT_FOUND) return err;
        is_open = err == FR_OK && now_s <= row.until_s;
    }
    *out = is_open;
    return FR_OK;
}

static enum fr_err check_member(struct fr_change *change, const char *member, struct fr_diag *diag)
{
    struct fr_member_row row;

    if (member[0] == '\0') return FR_OK;
    enum fr_err err = fr_member_get(fr_change_snap(change), member, &row);
    if (err == FR_E_NOT_FOUND || (err == FR_OK && row.state == FR_MEMBER_REMOVED))
        return fr_diag_fail(diag, FR_E_NOT_FOUND, "there is no member %s", member);
    return err;
}

enum fr_err fr_grace_open(struct fr_change *change, const char *member, int64_t until_s,
                          struct fr_diag *diag)
{
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    const int64_t now_s = fr_change_now(change);
    struct fr_grace_row row = {.opened_s = now_s, .until_s = until_s}, there;

    enum fr_err err = check_member(change, member, diag);
    if (err) return err;
    if (until_s <= now_s) return fr_diag_fail(diag, FR_E_RANGE, "that time is over");
    if (until_s > now_s + FR_GRACE_MAX_S)
        return fr_diag_fail(diag, FR_E_RANGE, "a grace lasts at most %lld days",
                            (long long)(FR_GRACE_MAX_S / 86400));
    err = get(fr_change_snap(change), member, &there);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (err == FR_OK && there.until_s == until_s) return FR_OK;
    (void)snprintf(row.member, sizeof row.member, "%s", member);
    fr_grace_write(&w, &row);
    err = fr_wr_err(&w);
    if (err) return err;
    return fr_change_put(change, FR_TABLE_GRACE, FR_FACT_GRACE, key_of(member), fr_wr_done(&w));
}

enum fr_err fr_grace_close(struct fr_change *change, const char *member, struct fr_diag *diag)
{
    enum fr_err err = fr_txn_delete(fr_change_txn(change), FR_TABLE_GRACE, key_of(member));

    if (err == FR_E_NOT_FOUND)
        return fr_diag_fail(diag, err, "no grace is open for %s",
                            member[0] != '\0' ? member : "everybody");
    if (err) return err;
    return fr_change_note(change, FR_FACT_GRACE, key_of(member), (struct fr_span){0});
}
