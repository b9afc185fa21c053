#include "store/cert_index.h"

#include "base/wire.h"
#include "store/rows.h"
#include "store/tables.h"

#include <string.h>

enum fr_err fr_cert_index_member(struct fr_change *change, const struct fr_cert_row *row)
{
    uint8_t key[FR_MEMBER_ID_MAX + 1 + FR_SERIAL_SIZE];
    struct fr_wr w = fr_wr(key, sizeof key);

    fr_wr_bytes(&w, row->member, strlen(row->member) + 1);
    fr_wr_bytes(&w, row->serial, FR_SERIAL_SIZE);
    return fr_txn_put(fr_change_txn(change), FR_TABLE_CERTS_BY_MEMBER, fr_wr_done(&w),
                      (struct fr_span){0});
}

enum fr_err fr_cert_index_expiry(struct fr_change *change, const struct fr_cert_row *row)
{
    uint8_t key[8 + FR_SERIAL_SIZE];
    struct fr_wr w = fr_wr(key, sizeof key);

    fr_wr_u64(&w, (uint64_t)row->not_after_s);
    fr_wr_bytes(&w, row->serial, FR_SERIAL_SIZE);
    return fr_txn_put(fr_change_txn(change), FR_TABLE_CERTS_BY_EXPIRY, fr_wr_done(&w),
                      (struct fr_span){0});
}

static enum fr_err put_by_netid(struct fr_txn *txn, const struct fr_cert_row *row)
{
    uint8_t key[3 + FR_SERIAL_SIZE];
    struct fr_wr w = fr_wr(key, sizeof key);

    if (row->profile != FR_PROFILE_NS) return FR_OK;
    fr_wr_u24(&w, row->netid);
    fr_wr_bytes(&w, row->serial, FR_SERIAL_SIZE);
    return fr_txn_put(txn, FR_TABLE_CERTS_BY_NETID, fr_wr_done(&w), (struct fr_span){0});
}

enum fr_err fr_cert_index_netid(struct fr_change *change, const struct fr_cert_row *row)
{
    return put_by_netid(fr_change_txn(change), row);
}

enum fr_err fr_cert_index_again(struct fr_txn *txn)
{
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;
    struct fr_cert_row row;

    enum fr_err err = fr_cursor_open(txn, FR_TABLE_CERTS, &cursor);
    if (err) return err;
    err = fr_cursor_first(cursor, &key, &value);
    while (err == FR_OK) {
        err = key.n == FR_SERIAL_SIZE ? FR_OK : FR_E_MALFORMED;
        if (err == FR_OK) memcpy(row.serial, key.p, FR_SERIAL_SIZE);
        if (err == FR_OK) err = fr_cert_row_read(value, &row);
        if (err == FR_OK) err = put_by_netid(txn, &row);
        if (err) goto out;
        err = fr_cursor_next(cursor, &key, &value);
    }
    if (err == FR_E_NOT_FOUND) err = FR_OK;
out:
    fr_cursor_close(cursor);
    return err;
}

static enum fr_err read_key(struct fr_snap *snap, const uint8_t spki[FR_DIGEST_SIZE],
                            struct fr_key_row *out)
{
    struct fr_span value;

    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_KEYS, fr_span(spki, FR_DIGEST_SIZE), &value);
    return err ? err : fr_key_read(value, out);
}

static enum fr_err put_key(struct fr_change *change, const uint8_t spki[FR_DIGEST_SIZE],
                           const struct fr_key_row *row)
{
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_key_write(&w, row);
    return fr_change_put(change, FR_TABLE_KEYS, FR_FACT_KEY, fr_span(spki, FR_DIGEST_SIZE),
                         fr_wr_done(&w));
}

enum fr_err fr_key_get(struct fr_snap *snap, const uint8_t spki[FR_DIGEST_SIZE],
                       char member[FR_MEMBER_ID_MAX + 1], bool *is_blocked)
{
    struct fr_key_row row;

    enum fr_err err = read_key(snap, spki, &row);
    if (err) return err;
    memcpy(member, row.member, sizeof row.member);
    *is_blocked = row.is_blocked;
    return FR_OK;
}

enum fr_err fr_key_block(struct fr_change *change, const uint8_t spki[FR_DIGEST_SIZE])
{
    struct fr_key_row row = {0};

    enum fr_err err = read_key(fr_change_snap(change), spki, &row);
    if (err && err != FR_E_NOT_FOUND) return err;
    row.is_blocked = true;
    return put_key(change, spki, &row);
}

enum fr_err fr_key_claim(struct fr_change *change, const uint8_t spki[FR_DIGEST_SIZE],
                         const char *member, struct fr_diag *diag)
{
    struct fr_key_row row = {0};

    enum fr_err err = read_key(fr_change_snap(change), spki, &row);
    if (err == FR_E_NOT_FOUND) {
        if (!fr_span_copy(fr_span_str(member), row.member, sizeof row.member)) return FR_E_INVALID;
        return put_key(change, spki, &row);
    }
    if (err) return err;
    if (row.is_blocked) {
        (void)fr_diag_fail(diag, FR_E_DENIED, "that key is blocked");
        fr_diag_hint(diag, "make a new key");
        return FR_E_DENIED;
    }
    if (strcmp(row.member, member) == 0) return FR_OK;
    (void)fr_diag_fail(diag, FR_E_CONFLICT, "that key belongs to %s",
                       row.member[0] != '\0' ? row.member : "the broker");
    fr_diag_hint(diag, "make a new key");
    return FR_E_CONFLICT;
}

static struct fr_span pin_key(uint32_t netid, const uint8_t serial[FR_SERIAL_SIZE],
                              uint8_t out[3 + FR_SERIAL_SIZE])
{
    struct fr_wr w = fr_wr(out, 3 + FR_SERIAL_SIZE);

    fr_wr_u24(&w, netid);
    if (serial != NULL) fr_wr_bytes(&w, serial, FR_SERIAL_SIZE);
    return fr_wr_done(&w);
}

/* Pins are not noted: they follow from the certificates' facts. */
enum fr_err fr_pin_put(struct fr_change *change, const struct fr_cert_row *row)
{
    uint8_t key[3 + FR_SERIAL_SIZE], bytes[64];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_pin_row pin = {.not_after_s = row->not_after_s};

    memcpy(pin.spki, row->spki, sizeof pin.spki);
    fr_pin_write(&w, &pin);
    return fr_txn_put(fr_change_txn(change), FR_TABLE_PINS, pin_key(row->netid, row->serial, key),
                      fr_wr_done(&w));
}

enum fr_err fr_pin_delete(struct fr_change *change, const struct fr_cert_row *row)
{
    uint8_t key[3 + FR_SERIAL_SIZE];

    enum fr_err err =
        fr_txn_delete(fr_change_txn(change), FR_TABLE_PINS, pin_key(row->netid, row->serial, key));
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

struct pins {
    int64_t now_s;
    fr_pin_fn fn;
    void *data;
    size_t n;
    uint8_t seen[FR_PINS_MAX][FR_DIGEST_SIZE];
};

static enum fr_err visit_pin(void *data, struct fr_span key, struct fr_span value)
{
    struct pins *p = data;
    struct fr_pin_row pin;

    (void)key;
    enum fr_err err = fr_pin_read(value, &pin);
    if (err || pin.not_after_s < p->now_s || p->n == FR_PINS_MAX) return err;
    for (size_t i = 0; i < p->n; i++)
        if (memcmp(p->seen[i], pin.spki, FR_DIGEST_SIZE) == 0) return FR_OK;
    memcpy(p->seen[p->n++], pin.spki, FR_DIGEST_SIZE);
    return p->fn(p->data, pin.spki, pin.not_after_s);
}

enum fr_err fr_pin_each(struct fr_snap *snap, uint32_t netid, int64_t now_s, fr_pin_fn fn,
                        void *data)
{
    uint8_t prefix[3 + FR_SERIAL_SIZE];
    struct pins p = {.now_s = now_s, .fn = fn, .data = data};

    return fr_snap_visit(snap, FR_TABLE_PINS, pin_key(netid, NULL, prefix), visit_pin, &p);
}
