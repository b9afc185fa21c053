#include "store/network.h"

#include "names/netid.h"
#include "store/member.h"
#include "store/rows.h"
#include "store/tables.h"

#include <inttypes.h>
#include <string.h>

const char *fr_network_state_text(enum fr_network_state state)
{
    switch (state) {
    case FR_NETWORK_ACTIVE: return "active";
    case FR_NETWORK_SUSPENDED: return "suspended";
    }
    return "unknown";
}

enum fr_err fr_endpoint_parse(struct fr_span text, struct fr_diag *diag, struct fr_addr *out)
{
    struct fr_addr addr;

    enum fr_err err = fr_addr_parse(text, FR_ENDPOINT_PORT_DEFAULT, &addr);
    if (err) {
        (void)fr_diag_fail(diag, err, "endpoint \"%.*s\" is not ADDRESS:PORT", (int)(text.n & 0xff),
                           (const char *)text.p);
        fr_diag_hint(diag, "for example 192.0.2.10:8005 or [2001:db8::1]:8005");
        return err;
    }
    bool is_multicast = addr.ip.family == 4 ? addr.ip.b[0] >= 224 : addr.ip.b[0] == 0xff;
    if (fr_ip_is_any(&addr.ip) || is_multicast)
        return fr_diag_fail(diag, FR_E_INVALID,
                            "endpoint \"%.*s\": nobody can connect to that address",
                            (int)(text.n & 0xff), (const char *)text.p);
    *out = addr;
    return FR_OK;
}

static struct fr_span netid_key(uint32_t netid, uint8_t out[3])
{
    struct fr_wr w = fr_wr(out, 3);

    fr_wr_u24(&w, netid);
    return fr_wr_done(&w);
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_network_row *out)
{
    struct fr_rd r = fr_rd(key);
    struct fr_network_row row = {.netid = fr_rd_u24(&r)};

    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) err = fr_network_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_network_get(struct fr_snap *snap, uint32_t netid, struct fr_network_row *out)
{
    uint8_t bytes[3];
    struct fr_span value, key = netid_key(netid, bytes);

    if (key.n == 0) return FR_E_NOT_FOUND;
    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_NETWORKS, key, &value);
    return err ? err : read_row(key, value, out);
}

enum fr_err fr_network_get_live(struct fr_snap *snap, uint32_t netid, struct fr_network_row *out)
{
    struct fr_network_row row;
    struct fr_member_row member;

    enum fr_err err = fr_network_get(snap, netid, &row);
    if (err) return err;
    if (row.state != FR_NETWORK_ACTIVE) return FR_E_NOT_FOUND;
    err = fr_member_get(snap, row.member, &member);
    if (err) return err;
    if (member.state != FR_MEMBER_ACTIVE) return FR_E_NOT_FOUND;
    *out = row;
    return FR_OK;
}

struct visit {
    fr_network_fn fn;
    void *data;
    const char *member; /* NULL: everybody's */
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_network_row row;

    enum fr_err err = read_row(key, value, &row);
    if (err) return err;
    if (v->member != NULL && strcmp(v->member, row.member) != 0) return FR_OK;
    return v->fn(v->data, &row);
}

struct sound_visit {
    fr_network_fn fn;
    fr_network_bad_fn bad;
    void *data;
};

static enum fr_err visit_sound(void *data, struct fr_span key, struct fr_span value)
{
    const struct sound_visit *v = data;
    struct fr_network_row row;
    struct fr_rd r = fr_rd(key);

    enum fr_err err = read_row(key, value, &row);
    if (err == FR_OK) return v->fn(v->data, &row);
    if (v->bad != NULL) v->bad(v->data, fr_rd_u24(&r), err);
    return FR_OK;
}

enum fr_err fr_network_each_sound(struct fr_snap *snap, fr_network_fn fn, fr_network_bad_fn bad,
                                  void *data)
{
    struct sound_visit v = {fn, bad, data};

    return fr_snap_visit(snap, FR_TABLE_NETWORKS, (struct fr_span){0}, visit_sound, &v);
}

enum fr_err fr_network_each(struct fr_snap *snap, fr_network_fn fn, void *data)
{
    return fr_network_each_of(snap, NULL, fn, data);
}

enum fr_err fr_network_each_of(struct fr_snap *snap, const char *member, fr_network_fn fn,
                               void *data)
{
    struct visit v = {fn, data, member};

    return fr_snap_visit(snap, FR_TABLE_NETWORKS, (struct fr_span){0}, visit_row, &v);
}

static enum fr_err put_row(struct fr_change *change, const struct fr_network_row *row)
{
    uint8_t bytes[FR_ROW_MAX], key[3];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_network_write(&w, row);
    enum fr_err err = fr_wr_err(&w);
    if (err) return err;
    return fr_change_put(change, FR_TABLE_NETWORKS, FR_FACT_NETWORK, netid_key(row->netid, key),
                         fr_wr_done(&w));
}

enum fr_err fr_network_count_devices(struct fr_txn *txn, uint32_t netid, int64_t by)
{
    uint8_t bytes[FR_ROW_MAX], key_bytes[3];
    struct fr_span value, key = netid_key(netid, key_bytes);
    struct fr_network_row row = {.netid = netid};
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    if (by == 0) return FR_OK;
    enum fr_err err = fr_txn_get(txn, FR_TABLE_NETWORKS, key, &value);
    if (err == FR_OK) err = fr_network_read(value, &row);
    if (err) return err;
    if (by < 0 && row.devices < (uint64_t)-by) return FR_E_MALFORMED;
    row.devices += (uint64_t)by;
    fr_network_write(&w, &row);
    return fr_txn_put(txn, FR_TABLE_NETWORKS, key, fr_wr_done(&w));
}

static enum fr_err get_for_change(struct fr_change *change, uint32_t netid, struct fr_diag *diag,
                                  struct fr_network_row *out)
{
    enum fr_err err = fr_network_get(fr_change_snap(change), netid, out);

    if (err == FR_E_NOT_FOUND) {
        (void)fr_diag_fail(diag, err, "no member holds NetID %06" PRIx32, netid);
        fr_diag_hint(diag, "fedroam member add ID --netid %06" PRIx32, netid);
    }
    return err;
}

enum fr_err fr_network_add(struct fr_change *change, uint32_t netid, const char *member,
                           struct fr_diag *diag)
{
    struct fr_network_row row = {.netid = netid, .state = FR_NETWORK_ACTIVE};
    struct fr_member_row holder;

    enum fr_err err = fr_netid_check(netid, diag);
    if (err) return err;
    err = fr_member_get(fr_change_snap(change), member, &holder);
    if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "no member %s", member);
    if (err) return err;
    if (holder.state == FR_MEMBER_REMOVED)
        return fr_diag_fail(diag, FR_E_CONFLICT, "member %s was removed", member);
    err = fr_network_get(fr_change_snap(change), netid, &row);
    if (err == FR_OK && strcmp(row.member, member) == 0) return FR_OK;
    if (err == FR_OK)
        return fr_diag_fail(diag, FR_E_CONFLICT, "NetID %06" PRIx32 " belongs to member %s", netid,
                            row.member);
    if (err != FR_E_NOT_FOUND) return err;
    memcpy(row.member, holder.id, sizeof row.member);
    row.created_s = fr_change_now(change);
    row.changed_s = row.created_s;
    return put_row(change, &row);
}

static bool is_same_list(const struct fr_network_row *row, const struct fr_addr *endpoints,
                         size_t n)
{
    if (row->n_endpoints != n) return false;
    for (size_t i = 0; i < n; i++)
        if (!fr_addr_equal(&row->endpoints[i], &endpoints[i])) return false;
    return true;
}

enum fr_err fr_network_set_endpoints(struct fr_change *change, uint32_t netid,
                                     const struct fr_addr *endpoints, size_t n,
                                     struct fr_diag *diag)
{
    struct fr_network_row row;
    char text[FR_ADDR_TEXT];

    if (n > FR_ENDPOINTS_MAX)
        return fr_diag_fail(diag, FR_E_LIMIT, "at most %d endpoints for a NetID", FR_ENDPOINTS_MAX);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++) {
            if (!fr_addr_equal(&endpoints[i], &endpoints[k])) continue;
            fr_addr_print(&endpoints[i], text);
            return fr_diag_fail(diag, FR_E_INVALID, "endpoint %s is given twice", text);
        }
    enum fr_err err = get_for_change(change, netid, diag, &row);
    if (err) return err;
    if (is_same_list(&row, endpoints, n)) return FR_OK;
    memset(row.endpoints, 0, sizeof row.endpoints);
    if (n > 0) memcpy(row.endpoints, endpoints, n * sizeof *endpoints);
    row.n_endpoints = (uint8_t)n;
    row.changed_s = fr_change_now(change);
    return put_row(change, &row);
}

enum fr_err fr_network_set_state(struct fr_change *change, uint32_t netid,
                                 enum fr_network_state state, struct fr_diag *diag)
{
    struct fr_network_row row;

    enum fr_err err = get_for_change(change, netid, diag, &row);
    if (err || row.state == state) return err;
    row.state = state;
    row.changed_s = fr_change_now(change);
    return put_row(change, &row);
}

static enum fr_err found_pin(void *data, struct fr_span key, struct fr_span value)
{
    (void)key;
    (void)value;
    *(bool *)data = true;
    return FR_OK;
}

enum fr_err fr_network_remove(struct fr_change *change, uint32_t netid, struct fr_diag *diag)
{
    uint8_t bytes[3];
    struct fr_span key = netid_key(netid, bytes);
    struct fr_network_row row;
    bool has_pins = false;

    enum fr_err err = get_for_change(change, netid, diag, &row);
    if (err) return err;
    if (row.devices > 0)
        return fr_diag_fail(diag, FR_E_CONFLICT,
                            "NetID %06" PRIx32 " still has %" PRIu64 " devices", netid,
                            row.devices);
    err = fr_snap_visit(fr_change_snap(change), FR_TABLE_PINS, key, found_pin, &has_pins);
    if (err) return err;
    if (has_pins)
        return fr_diag_fail(diag, FR_E_CONFLICT, "NetID %06" PRIx32 " still has certificates",
                            netid);
    err = fr_txn_delete(fr_change_txn(change), FR_TABLE_NETWORKS, key);
    return err ? err : fr_change_note(change, FR_FACT_NETWORK, key, (struct fr_span){0});
}

enum fr_err fr_network_next_free(struct fr_snap *snap, struct fr_diag *diag, uint32_t *out)
{
    char pool[FR_POOL_MAX + 1];
    struct fr_span first, last;
    struct fr_network_row row;
    uint32_t from, to;

    enum fr_err err = fr_meta_get_text(snap->txn, "netid_pool", pool, sizeof pool);
    if (err == FR_E_NOT_FOUND) {
        (void)fr_diag_fail(diag, err, "this federation has no pool of NetIDs");
        fr_diag_hint(
            diag,
            "give --netid N: a pool is made with the federation, by fedroam ca init --netid-pool");
    }
    if (err) return err;
    if (!fr_span_cut(fr_span_str(pool), '-', &first, &last) ||
        fr_netid_parse(first, &from) != FR_OK || fr_netid_parse(last, &to) != FR_OK)
        return FR_E_MALFORMED;
    for (uint32_t netid = from; netid <= to; netid++) {
        if (fr_netid_check(netid, NULL) != FR_OK) continue;
        err = fr_network_get(snap, netid, &row);
        if (err == FR_E_NOT_FOUND) {
            *out = netid;
            return FR_OK;
        }
        if (err) return err;
    }
    return fr_diag_fail(diag, FR_E_NOT_FOUND, "every NetID of the pool %s is taken", pool);
}
