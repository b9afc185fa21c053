#include "store/device.h"

#include "store/rows.h"
#include "store/tables.h"

const char *fr_device_outcome_text(enum fr_device_outcome outcome)
{
    static const char *const texts[FR_DEVICE_OUTCOMES] = {
        [FR_DEVICE_ADDED] = "added",
        [FR_DEVICE_MOVED] = "moved",
        [FR_DEVICE_SAME] = "same",
        [FR_DEVICE_REPEATED] = "repeated",
        [FR_DEVICE_REMOVED] = "removed",
        [FR_DEVICE_ABSENT] = "absent",
        [FR_DEVICE_RESERVED] = "reserved",
        [FR_DEVICE_TAKEN] = "taken",
        [FR_DEVICE_FOREIGN] = "foreign",
        [FR_DEVICE_OUTSIDE] = "outside",
        [FR_DEVICE_UNRELEASED] = "unreleased",
        [FR_DEVICE_UNKNOWN] = "unknown",
    };

    return (unsigned)outcome < FR_DEVICE_OUTCOMES ? texts[outcome] : "unknown";
}

bool fr_device_outcome_is_refusal(enum fr_device_outcome outcome)
{
    return outcome == FR_DEVICE_RESERVED || outcome == FR_DEVICE_TAKEN ||
           outcome == FR_DEVICE_FOREIGN || outcome == FR_DEVICE_OUTSIDE ||
           outcome == FR_DEVICE_UNRELEASED || outcome == FR_DEVICE_UNKNOWN;
}

static struct fr_span eui_key(uint64_t eui, uint8_t out[8])
{
    struct fr_wr w = fr_wr(out, 8);

    fr_wr_u64(&w, eui);
    return fr_wr_done(&w);
}

enum fr_err fr_device_get(struct fr_snap *snap, uint64_t deveui, struct fr_device_row *out)
{
    uint8_t bytes[8];
    struct fr_span value;
    uint32_t table;
    struct fr_device_row row = {.deveui = deveui};

    enum fr_err err = fr_snap_devices(snap, &table);
    if (err == FR_OK) err = fr_txn_get(snap->txn, table, eui_key(deveui, bytes), &value);
    if (err == FR_OK) err = fr_device_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_device_row *out)
{
    struct fr_rd r = fr_rd(key);

    *out = (struct fr_device_row){.deveui = fr_rd_u64(&r)};
    enum fr_err err = fr_rd_end(&r);
    return err ? err : fr_device_read(value, out);
}

struct walk {
    uint64_t from;
    uint32_t netid; /* 0: all */
    fr_device_fn fn;
    fr_device_bad_fn bad; /* NULL: a row that does not decode ends it */
    void *data;
};

static enum fr_err walk(struct fr_snap *snap, const struct walk *w)
{
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;
    struct fr_device_row row;
    uint8_t bytes[8];
    uint32_t table;

    enum fr_err err = fr_snap_devices(snap, &table);
    if (err == FR_OK) err = fr_cursor_open(snap->txn, table, &cursor);
    if (err) return err;
    err = fr_cursor_seek(cursor, eui_key(w->from, bytes), &key, &value);
    while (err == FR_OK) {
        err = read_row(key, value, &row);
        if (err && w->bad != NULL) {
            w->bad(w->data, row.deveui, err);
            err = FR_OK;
        } else if (err == FR_OK && (w->netid == 0 || w->netid == row.netid)) {
            err = w->fn(w->data, &row);
        }
        if (err) goto out;
        err = fr_cursor_next(cursor, &key, &value);
    }
    if (err == FR_E_NOT_FOUND) err = FR_OK;
out:
    fr_cursor_close(cursor);
    return err;
}

enum fr_err fr_device_each(struct fr_snap *snap, uint64_t from, uint32_t netid, fr_device_fn fn,
                           void *data)
{
    const struct walk w = {from, netid, fn, NULL, data};

    return walk(snap, &w);
}

enum fr_err fr_device_each_sound(struct fr_snap *snap, uint64_t from, fr_device_fn fn,
                                 fr_device_bad_fn bad, void *data)
{
    const struct walk w = {from, 0, fn, bad, data};

    return walk(snap, &w);
}

enum fr_err fr_device_count(struct fr_snap *snap, uint64_t *out)
{
    uint32_t table;

    enum fr_err err = fr_snap_devices(snap, &table);
    return err ? err : fr_txn_count(snap->txn, table, out);
}
