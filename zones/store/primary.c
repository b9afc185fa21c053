#include "store/primary.h"

#include "base/mem.h"
#include "names/dname.h"
#include "store/member.h"
#include "store/network.h"
#include "store/rows.h"
#include "store/tables.h"

#include <string.h>

/* One table, three kinds of rows under one key: kind (1), member, zero byte, zone. */
#define KEY_SIZE (2 + FR_MEMBER_ID_MAX + FR_DNS_NAME_MAX)
#define LEFT_SIZE (2 + FR_PRIMARY_LEFT_MAX * (FR_PRIMARY_LEFT_TEXT + 48))

enum kind { KIND_ROW = 'c', KIND_STATE = 's', KIND_LEFT = 'l' };

static struct fr_span row_key(enum kind kind, const char *member, const char *zone,
                              uint8_t out[KEY_SIZE])
{
    struct fr_wr w = fr_wr(out, KEY_SIZE);

    fr_wr_u8(&w, (uint8_t)kind);
    fr_wr_bytes(&w, member, strlen(member) + 1);
    fr_wr_bytes(&w, zone, strlen(zone));
    return fr_wr_done(&w);
}

static bool is_name(const char *member, const char *zone)
{
    return strlen(member) <= FR_MEMBER_ID_MAX && strlen(zone) <= FR_DNS_NAME_MAX;
}

static enum fr_err get(struct fr_snap *snap, enum kind kind, const char *member, const char *zone,
                       struct fr_span *value)
{
    uint8_t key[KEY_SIZE];

    if (!is_name(member, zone)) return FR_E_NOT_FOUND;
    return fr_txn_get(snap->txn, FR_TABLE_PRIMARIES, row_key(kind, member, zone, key), value);
}

static enum fr_err put(struct fr_change *change, enum kind kind, const char *member,
                       const char *zone, struct fr_span value)
{
    uint8_t key[KEY_SIZE];

    return fr_change_put(change, FR_TABLE_PRIMARIES, FR_FACT_PRIMARY,
                         row_key(kind, member, zone, key), value);
}

/* --- reading --- */

enum fr_err fr_primary_get(struct fr_snap *snap, const char *member, const char *zone,
                           struct fr_primary_row *out)
{
    struct fr_primary_row row = {0};
    struct fr_span value;

    enum fr_err err = get(snap, KIND_ROW, member, zone, &value);
    if (err) return err;
    (void)fr_span_copy(fr_span_str(member), row.member, sizeof row.member);
    (void)fr_span_copy(fr_span_str(zone), row.zone, sizeof row.zone);
    err = fr_primary_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_primary_state_get(struct fr_snap *snap, const char *member, const char *zone,
                                 struct fr_primary_state *out)
{
    struct fr_span value;

    enum fr_err err = get(snap, KIND_STATE, member, zone, &value);
    if (err == FR_E_NOT_FOUND) {
        *out = (struct fr_primary_state){0};
        return FR_OK;
    }
    return err ? err : fr_primary_state_read(value, out);
}

enum fr_err fr_primary_left_get(struct fr_snap *snap, const char *member, const char *zone,
                                struct fr_primary_left *out)
{
    struct fr_span value;

    out->n = 0;
    enum fr_err err = get(snap, KIND_LEFT, member, zone, &value);
    if (err == FR_E_NOT_FOUND) return FR_OK;
    return err ? err : fr_primary_left_read(value, out);
}

struct visit {
    fr_primary_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_primary_row row = {0};
    struct fr_span member, zone;

    if (!fr_span_cut(fr_span(key.p + 1, key.n - 1), '\0', &member, &zone) ||
        !fr_span_copy(member, row.member, sizeof row.member) ||
        !fr_span_copy(zone, row.zone, sizeof row.zone))
        return FR_E_MALFORMED;
    enum fr_err err = fr_primary_read(value, &row);
    return err ? err : v->fn(v->data, &row);
}

enum fr_err fr_primary_each(struct fr_snap *snap, fr_primary_fn fn, void *data)
{
    static const uint8_t prefix[] = {KIND_ROW};
    struct visit v = {fn, data};

    return fr_snap_visit(snap, FR_TABLE_PRIMARIES, fr_span(prefix, 1), visit_row, &v);
}

/* --- changes --- */

static enum fr_err check_member(struct fr_snap *snap, const char *id, struct fr_diag *diag)
{
    struct fr_member_row row;

    enum fr_err err = fr_member_get(snap, id, &row);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "there is no member %s", id);
    if (err) return err;
    if (row.state == FR_MEMBER_REMOVED)
        return fr_diag_fail(diag, FR_E_CONFLICT, "member %s was removed", id);
    return FR_OK;
}

static enum fr_err check_netids(struct fr_snap *snap, const struct fr_primary_row *row,
                                struct fr_diag *diag)
{
    struct fr_network_row network;

    if (row->n_netids == 0)
        return fr_diag_fail(diag, FR_E_INVALID, "no NetID was named for the zone to fill");
    for (uint8_t i = 0; i < row->n_netids; i++) {
        enum fr_err err = fr_network_get(snap, row->netids[i], &network);
        if (err && err != FR_E_NOT_FOUND) return err;
        if (err || strcmp(network.member, row->member) != 0)
            return fr_diag_fail(diag, FR_E_INVALID, "the NetID %06x is not one of %s",
                                (unsigned)row->netids[i], row->member);
    }
    return FR_OK;
}

struct others {
    const struct fr_primary_row *row;
    struct fr_diag *diag;
    size_t n;
};

/* Two zones that fill one NetID would take each other's devices away. */
static enum fr_err check_other(void *data, const struct fr_primary_row *other)
{
    struct others *others = data;
    const struct fr_primary_row *row = others->row;

    if (strcmp(other->member, row->member) == 0 && strcmp(other->zone, row->zone) == 0)
        return FR_OK;
    if (++others->n >= FR_PRIMARIES_MAX)
        return fr_diag_fail(others->diag, FR_E_LIMIT, "there are %d primaries already",
                            FR_PRIMARIES_MAX);
    for (uint8_t i = 0; i < row->n_netids; i++)
        for (uint8_t k = 0; k < other->n_netids; k++)
            if (row->netids[i] == other->netids[k])
                return fr_diag_fail(others->diag, FR_E_CONFLICT,
                                    "the NetID %06x is filled by the zone %s already",
                                    (unsigned)row->netids[i], other->zone);
    return FR_OK;
}

static enum fr_err check_proof(const struct fr_primary_row *row, struct fr_diag *diag)
{
    if (row->n_addrs == 0)
        return fr_diag_fail(diag, FR_E_INVALID, "no address of the name server was given");
    if (row->has_tls && !row->has_pin && row->ca[0] == '\0')
        return fr_diag_fail(diag, FR_E_INVALID,
                            "over TLS the server's key (pin) or CA must be known");
    if (row->ca[0] != '\0' && !row->has_pin && row->tls_name[0] == '\0')
        return fr_diag_fail(diag, FR_E_INVALID, "with a CA the server's name must be given");
    if (!row->has_tls && row->key_name[0] == '\0')
        return fr_diag_fail(
            diag, FR_E_INVALID,
            "a transfer in clear text needs a TSIG key, or anybody on the way could "
            "change it");
    if (row->refresh_min_s == 0 || row->refresh_min_s > row->refresh_max_s || row->max_gone > 100)
        return fr_diag_fail(diag, FR_E_INVALID, "the bounds of the primary do not fit together");
    return FR_OK;
}

enum fr_err fr_primary_put(struct fr_change *change, const struct fr_primary_row *row,
                           struct fr_diag *diag)
{
    struct fr_snap *snap = fr_change_snap(change);
    struct others others = {.row = row, .diag = diag};
    struct fr_primary_row next = *row, old;
    struct fr_dname name;
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    if (!is_name(row->member, row->zone) ||
        fr_dname_parse(fr_span_str(row->zone), &name) != FR_OK || name.n < 2)
        return fr_diag_fail(diag, FR_E_INVALID, "\"%s\" is not the name of a zone", row->zone);
    enum fr_err err = check_member(snap, row->member, diag);
    if (err == FR_OK) err = check_proof(row, diag);
    if (err == FR_OK) err = check_netids(snap, row, diag);
    if (err == FR_OK) err = fr_primary_each(snap, check_other, &others);
    if (err) return err;
    err = fr_primary_get(snap, row->member, row->zone, &old);
    if (err && err != FR_E_NOT_FOUND) return err;
    next.created_s = err ? fr_change_now(change) : old.created_s;
    fr_primary_write(&w, &next);
    if (fr_wr_err(&w)) return fr_wr_err(&w);
    return put(change, KIND_ROW, row->member, row->zone, fr_wr_done(&w));
}

static enum fr_err take(struct fr_change *change, enum kind kind, const char *member,
                        const char *zone)
{
    uint8_t bytes[KEY_SIZE];
    struct fr_span key = row_key(kind, member, zone, bytes);

    enum fr_err err = fr_txn_delete(fr_change_txn(change), FR_TABLE_PRIMARIES, key);
    if (err) return err;
    return fr_change_note(change, FR_FACT_PRIMARY, key, (struct fr_span){0});
}

enum fr_err fr_primary_remove(struct fr_change *change, const char *member, const char *zone)
{
    if (!is_name(member, zone)) return FR_E_NOT_FOUND;
    enum fr_err err = take(change, KIND_ROW, member, zone);
    if (err) return err;
    err = take(change, KIND_STATE, member, zone);
    if (err == FR_OK || err == FR_E_NOT_FOUND) err = take(change, KIND_LEFT, member, zone);
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

struct search {
    const char *member;
    char zone[FR_DNS_NAME_MAX + 1];
};

static enum fr_err find_of(void *data, const struct fr_primary_row *row)
{
    struct search *search = data;

    if (strcmp(row->member, search->member) != 0) return FR_OK;
    memcpy(search->zone, row->zone, sizeof search->zone);
    return FR_E_EXISTS; /* ends the walk: a row must not go while a cursor stands on it */
}

enum fr_err fr_primary_forget(struct fr_change *change, const char *member)
{
    struct search search = {.member = member};
    enum fr_err err = FR_OK;

    do {
        err = fr_primary_each(fr_change_snap(change), find_of, &search);
        if (err != FR_E_EXISTS) return err;
        err = fr_primary_remove(change, member, search.zone);
    } while (err == FR_OK);
    return err;
}

enum fr_err fr_primary_note(struct fr_change *change, const char *member, const char *zone,
                            const struct fr_primary_state *state,
                            const struct fr_primary_left *left)
{
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_span there;

    enum fr_err err = get(fr_change_snap(change), KIND_ROW, member, zone, &there);
    if (err) return err;
    fr_primary_state_write(&w, state);
    err = put(change, KIND_STATE, member, zone, fr_wr_done(&w));
    if (err || left == NULL) return err;
    uint8_t *long_bytes = fr_malloc(LEFT_SIZE);
    if (long_bytes == NULL) return FR_E_NOMEM;
    w = fr_wr(long_bytes, LEFT_SIZE);
    fr_primary_left_write(&w, left);
    err = fr_wr_err(&w) ? fr_wr_err(&w) : put(change, KIND_LEFT, member, zone, fr_wr_done(&w));
    fr_free(long_bytes);
    return err;
}
