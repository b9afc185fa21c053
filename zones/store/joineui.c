#include "store/joineui.h"

#include "names/eui.h"
#include "store/member.h"
#include "store/rows.h"
#include "store/tables.h"

#include <string.h>

static struct fr_span eui_key(uint64_t eui, uint8_t out[8])
{
    struct fr_wr w = fr_wr(out, 8);

    fr_wr_u64(&w, eui);
    return fr_wr_done(&w);
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_joineui_row *out)
{
    struct fr_rd r = fr_rd(key);
    struct fr_joineui_row row = {.joineui = fr_rd_u64(&r)};

    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) err = fr_joineui_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_joineui_get(struct fr_snap *snap, uint64_t joineui, struct fr_joineui_row *out)
{
    uint8_t bytes[8];
    struct fr_span value, key = eui_key(joineui, bytes);

    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_JOINEUIS, key, &value);
    return err ? err : read_row(key, value, out);
}

enum fr_err fr_joineui_get_live(struct fr_snap *snap, uint64_t joineui, struct fr_joineui_row *out)
{
    struct fr_joineui_row row;
    struct fr_member_row member;

    enum fr_err err = fr_joineui_get(snap, joineui, &row);
    if (err) return err;
    err = fr_member_get(snap, row.member, &member);
    if (err) return err;
    if (member.state != FR_MEMBER_ACTIVE) return FR_E_NOT_FOUND;
    *out = row;
    return FR_OK;
}

struct visit {
    fr_joineui_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_joineui_row row;

    enum fr_err err = read_row(key, value, &row);
    return err ? err : v->fn(v->data, &row);
}

struct sound_visit {
    fr_joineui_fn fn;
    fr_joineui_bad_fn bad;
    void *data;
};

static enum fr_err visit_sound(void *data, struct fr_span key, struct fr_span value)
{
    const struct sound_visit *v = data;
    struct fr_joineui_row row;
    struct fr_rd r = fr_rd(key);

    enum fr_err err = read_row(key, value, &row);
    if (err == FR_OK) return v->fn(v->data, &row);
    v->bad(v->data, fr_rd_u64(&r), err);
    return FR_OK;
}

enum fr_err fr_joineui_each_sound(struct fr_snap *snap, fr_joineui_fn fn, fr_joineui_bad_fn bad,
                                  void *data)
{
    struct sound_visit v = {fn, bad, data};

    return fr_snap_visit(snap, FR_TABLE_JOINEUIS, (struct fr_span){0}, visit_sound, &v);
}

enum fr_err fr_joineui_each(struct fr_snap *snap, fr_joineui_fn fn, void *data)
{
    struct visit v = {fn, data};

    return fr_snap_visit(snap, FR_TABLE_JOINEUIS, (struct fr_span){0}, visit_row, &v);
}

/* One host: at most one address of each family, and the same port. */
static enum fr_err check_host(const struct fr_addr *endpoints, size_t n, struct fr_diag *diag)
{
    if (n <= 1) return FR_OK;
    if (n > FR_JOINEUI_ENDPOINTS_MAX || endpoints[0].ip.family == endpoints[1].ip.family)
        return fr_diag_fail(diag, FR_E_INVALID,
                            "a join server has at most one IPv4 and one IPv6 address");
    if (endpoints[0].port != endpoints[1].port)
        return fr_diag_fail(diag, FR_E_INVALID, "a join server listens on one port");
    return FR_OK;
}

static enum fr_err check_holder(struct fr_change *change, const char *member, struct fr_diag *diag)
{
    struct fr_member_row row;

    enum fr_err err = fr_member_get(fr_change_snap(change), member, &row);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "no member %s", member);
    if (err) return err;
    if (row.state == FR_MEMBER_REMOVED)
        return fr_diag_fail(diag, FR_E_CONFLICT, "member %s was removed", member);
    return FR_OK;
}

static bool is_same(const struct fr_joineui_row *row, const struct fr_addr *endpoints, size_t n)
{
    if (row->n_endpoints != n) return false;
    for (size_t i = 0; i < n; i++)
        if (!fr_addr_equal(&row->endpoints[i], &endpoints[i])) return false;
    return true;
}

enum fr_err fr_joineui_set(struct fr_change *change, uint64_t joineui, const char *member,
                           const struct fr_addr *endpoints, size_t n, struct fr_diag *diag)
{
    uint8_t bytes[FR_ROW_MAX], key[8];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_joineui_row there, row = {.joineui = joineui};
    char text[FR_EUI_TEXT];

    enum fr_err err = fr_eui_check(joineui, diag);
    if (err == FR_OK) err = check_host(endpoints, n, diag);
    if (err == FR_OK) err = check_holder(change, member, diag);
    if (err) return err;
    err = fr_joineui_get(fr_change_snap(change), joineui, &there);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (err == FR_OK && strcmp(there.member, member) != 0) {
        fr_eui_print(joineui, text);
        return fr_diag_fail(diag, FR_E_CONFLICT, "JoinEUI %s belongs to member %s", text,
                            there.member);
    }
    if (err == FR_OK && is_same(&there, endpoints, n)) return FR_OK;
    (void)fr_span_copy(fr_span_str(member), row.member, sizeof row.member);
    row.n_endpoints = (uint8_t)n;
    if (n > 0) memcpy(row.endpoints, endpoints, n * sizeof *endpoints);
    row.changed_s = fr_change_now(change);
    fr_joineui_write(&w, &row);
    return fr_change_put(change, FR_TABLE_JOINEUIS, FR_FACT_JOINEUI, eui_key(joineui, key),
                         fr_wr_done(&w));
}

enum fr_err fr_joineui_remove(struct fr_change *change, uint64_t joineui, struct fr_diag *diag)
{
    uint8_t bytes[8];
    struct fr_span key = eui_key(joineui, bytes);
    char text[FR_EUI_TEXT];

    enum fr_err err = fr_txn_delete(fr_change_txn(change), FR_TABLE_JOINEUIS, key);
    if (err == FR_E_NOT_FOUND) {
        fr_eui_print(joineui, text);
        return fr_diag_fail(diag, err, "no join server with JoinEUI %s", text);
    }
    return err ? err : fr_change_note(change, FR_FACT_JOINEUI, key, (struct fr_span){0});
}
