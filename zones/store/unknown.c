#include "store/unknown.h"

#include "base/clock.h"
#include "base/wire.h"
#include "store/cert.h"
#include "store/device.h"
#include "store/journal.h"
#include "store/rows.h"
#include "store/tables.h"

#include <stdio.h>
#include <string.h>

#define RESTORED "restored"
#define BACKDATE_S 300 /* a certificate begins so long before it is made */

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_unknown_row *out)
{
    struct fr_unknown_row row = {0};

    if (key.n != FR_SERIAL_SIZE) return FR_E_MALFORMED;
    memcpy(row.serial, key.p, key.n);
    enum fr_err err = fr_unknown_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

enum fr_err fr_unknown_get(struct fr_snap *snap, const uint8_t serial[FR_SERIAL_SIZE],
                           struct fr_unknown_row *out)
{
    struct fr_span value, key = fr_span(serial, FR_SERIAL_SIZE);

    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_UNKNOWNS, key, &value);
    return err ? err : read_row(key, value, out);
}

struct visit {
    fr_unknown_fn fn;
    void *data;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_unknown_row row;

    enum fr_err err = read_row(key, value, &row);
    return err ? err : v->fn(v->data, &row);
}

enum fr_err fr_unknown_each(struct fr_snap *snap, fr_unknown_fn fn, void *data)
{
    struct visit v = {fn, data};

    return fr_snap_visit(snap, FR_TABLE_UNKNOWNS, (struct fr_span){0}, visit_row, &v);
}

enum fr_err fr_unknown_forget(struct fr_change *change, const uint8_t serial[FR_SERIAL_SIZE])
{
    struct fr_span key = fr_span(serial, FR_SERIAL_SIZE);

    enum fr_err err = fr_txn_delete(fr_change_txn(change), FR_TABLE_UNKNOWNS, key);
    return err ? err : fr_change_note(change, FR_FACT_UNKNOWN, key, (struct fr_span){0});
}

/* How many there are, and one that is over. */
struct room {
    int64_t now_s;
    size_t n;
    bool has_over;
    uint8_t over[FR_SERIAL_SIZE];
};

static enum fr_err look_at(void *data, const struct fr_unknown_row *row)
{
    struct room *room = data;

    room->n++;
    if (row->not_after_s < room->now_s && !room->has_over) {
        memcpy(room->over, row->serial, sizeof room->over);
        room->has_over = true;
    }
    return FR_OK;
}

static enum fr_err make_room(struct fr_change *change, struct fr_diag *diag)
{
    struct room room = {.now_s = fr_change_now(change)};

    enum fr_err err = fr_unknown_each(fr_change_snap(change), look_at, &room);
    if (err || room.n < FR_UNKNOWN_MAX) return err;
    if (room.has_over) return fr_unknown_forget(change, room.over);
    return fr_diag_fail(diag, FR_E_LIMIT, "%d unknown certificates are noted already",
                        FR_UNKNOWN_MAX);
}

enum fr_err fr_unknown_note(struct fr_change *change, const struct fr_unknown_row *row,
                            struct fr_diag *diag)
{
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_unknown_row there, fresh = *row;

    fresh.seen_s = fr_change_now(change);
    enum fr_err err = fr_unknown_get(fr_change_snap(change), row->serial, &there);
    if (err == FR_OK) {
        if (there.der_size > 0 || row->der_size == 0) return FR_OK;
        fresh.seen_s = there.seen_s;
    } else if (err == FR_E_NOT_FOUND) {
        err = make_room(change, diag);
    }
    if (err) return err;
    fr_unknown_write(&w, &fresh);
    err = fr_wr_err(&w);
    if (err) return err;
    return fr_change_put(change, FR_TABLE_UNKNOWNS, FR_FACT_UNKNOWN,
                         fr_span(row->serial, FR_SERIAL_SIZE), fr_wr_done(&w));
}

enum fr_err fr_restored_get(struct fr_snap *snap, int64_t *backup_s)
{
    uint64_t at = 0;

    enum fr_err err = fr_meta_get_u64(snap->txn, RESTORED, &at);
    if (err && err != FR_E_NOT_FOUND) return err;
    *backup_s = at > INT64_MAX ? 0 : (int64_t)at;
    return FR_OK;
}

enum fr_err fr_restored_set(struct fr_change *change, int64_t backup_s)
{
    char text[FR_TIME_TEXT];

    fr_time_print(backup_s, text);
    enum fr_err err = fr_meta_put_u64(fr_change_txn(change), RESTORED, (uint64_t)backup_s);
    if (err) return err;
    return fr_change_note(change, FR_FACT_META, fr_span_str(RESTORED), fr_span_str(text));
}

static enum fr_err note_image(struct fr_change *change)
{
    uint8_t key[3], value[33];
    struct fr_wr k = fr_wr(key, sizeof key), v = fr_wr(value, sizeof value);
    uint64_t devices = 0;

    enum fr_err err = fr_device_count(fr_change_snap(change), &devices);
    if (err) return err;
    fr_wr_u24(&k, 0);
    fr_wr_u8(&v, FR_IMAGE_RESTORED);
    for (int i = 0; i < 3; i++) fr_wr_u64(&v, 0);
    fr_wr_u64(&v, devices);
    return fr_change_note(change, FR_FACT_IMAGE, fr_wr_done(&k), fr_wr_done(&v));
}

enum fr_err fr_restored_skip(struct fr_store *store, const struct fr_change_by *by, uint64_t to,
                             struct fr_diag *diag)
{
    struct fr_change *change = NULL;
    uint64_t sequence = 0;

    enum fr_err err = fr_store_change(store, by, diag, &change);
    if (err) return err;
    if (fr_snap_sequence(fr_change_snap(change)) + 1 < to)
        err = fr_meta_put_u64(fr_change_txn(change), "sequence", to - 1);
    if (err == FR_OK) err = note_image(change);
    if (err == FR_OK) return fr_change_commit(change, diag, &sequence);
    fr_change_cancel(change);
    return err;
}

enum fr_err fr_unknown_is_after_backup(struct fr_snap *snap, int64_t not_before_s, bool *out)
{
    int64_t backup_s = 0;

    enum fr_err err = fr_restored_get(snap, &backup_s);
    if (err == FR_OK) *out = backup_s > 0 && not_before_s >= backup_s - BACKDATE_S;
    return err;
}
