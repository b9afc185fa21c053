#include "base/wire.h"
#include "store/bulk.h"
#include "store/rows.h"

#define NEAR 16 /* table rows stepped over before the tree is searched instead */

static enum fr_err take(struct fr_bulk_walk *walk, enum fr_err err, struct fr_span key)
{
    walk->has_device = false;
    if (err == FR_E_NOT_FOUND) return FR_OK;
    if (err) return err;
    struct fr_rd r = fr_rd(key);
    walk->device.deveui = fr_rd_u64(&r);
    err = fr_rd_end(&r);
    if (err == FR_OK) err = fr_device_read(walk->value, &walk->device);
    if (err == FR_OK && walk->device.netid == 0) err = FR_E_MALFORMED;
    walk->has_device = err == FR_OK;
    return err;
}

static enum fr_err seek(struct fr_bulk_walk *walk, uint64_t from)
{
    uint8_t bytes[8];
    struct fr_span key;

    enum fr_err err = fr_cursor_seek(walk->cursor, fr_device_key(from, bytes), &key, &walk->value);
    return take(walk, err, key);
}

static enum fr_err next_device(struct fr_bulk_walk *walk)
{
    struct fr_span key;

    enum fr_err err = fr_cursor_next(walk->cursor, &key, &walk->value);
    return take(walk, err, key);
}

static enum fr_err next_rows(struct fr_bulk_walk *walk)
{
    if (walk->n > 0) {
        walk->rows++;
        walk->n--;
        walk->at++;
    }
    return walk->n > 0 ? FR_OK : fr_list_read(walk->list, walk->at, &walk->rows, &walk->n);
}

enum fr_err fr_bulk_walk_begin(struct fr_bulk_walk *walk, struct fr_snap *snap,
                               struct fr_list *list, uint64_t at, uint64_t from)
{
    uint32_t table = 0;

    *walk = (struct fr_bulk_walk){.list = list, .at = at};
    enum fr_err err = fr_list_read(list, at, &walk->rows, &walk->n);
    if (err == FR_OK) err = fr_snap_devices(snap, &table);
    if (err == FR_OK) err = fr_cursor_open(snap->txn, table, &walk->cursor);
    if (err == FR_OK) err = seek(walk, from);
    if (err) fr_bulk_walk_end(walk);
    return err;
}

void fr_bulk_walk_end(struct fr_bulk_walk *walk)
{
    fr_cursor_close(walk->cursor);
    walk->cursor = NULL;
}

/* The item of both sides' first rows, those that are the lower EUI. */
static void compose(const struct fr_bulk_walk *walk, struct fr_bulk_item *out)
{
    const struct fr_list_row *row = walk->n > 0 ? walk->rows : NULL;
    bool is_there = walk->has_device && (row == NULL || walk->device.deveui <= row->eui);
    bool is_listed = row != NULL && (!is_there || walk->device.deveui == row->eui);

    *out = (struct fr_bulk_item){.eui = is_there ? walk->device.deveui : row->eui,
                                 .is_listed = is_listed,
                                 .is_there = is_there};
    out->device.deveui = out->eui;
    if (is_listed) out->row = row->row;
    if (is_there) {
        out->device = walk->device;
        out->value = walk->value;
    }
}

enum fr_err fr_bulk_walk_next(struct fr_bulk_walk *walk, struct fr_bulk_item *out)
{
    enum fr_err err = FR_OK;

    if (walk->n == 0 && !walk->has_device) return FR_E_NOT_FOUND;
    compose(walk, out);
    if (out->is_listed) err = next_rows(walk);
    if (err == FR_OK && out->is_there) err = next_device(walk);
    return err;
}

enum fr_err fr_bulk_walk_next_listed(struct fr_bulk_walk *walk, struct fr_bulk_item *out)
{
    enum fr_err err = FR_OK;

    if (walk->n == 0) return FR_E_NOT_FOUND;
    uint64_t eui = walk->rows->eui;
    for (unsigned i = 0; err == FR_OK && walk->has_device && walk->device.deveui < eui; i++)
        err = i < NEAR ? next_device(walk) : seek(walk, eui);
    if (err) return err;
    compose(walk, out);
    return next_rows(walk);
}
