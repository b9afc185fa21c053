#include "xfr/undo.h"

#include "base/mem.h"
#include "base/wire.h"

#include <string.h>

size_t fr_undo_find(const struct fr_undo *undo, uint64_t eui)
{
    size_t low = 0, high = undo->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (undo->rows[mid].eui < eui)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static enum fr_err add(struct fr_undo *undo, const struct fr_undo_row *row)
{
    const size_t at = fr_undo_find(undo, row->eui);

    if (at < undo->n && undo->rows[at].eui == row->eui) return FR_OK; /* an earlier fact said it */
    if (undo->n == FR_UNDO_MAX) return FR_E_LIMIT;
    if (undo->n == undo->room) {
        const size_t room = undo->room ? undo->room * 2 : 64;
        struct fr_undo_row *rows = fr_reallocarray(undo->rows, room, sizeof *rows);
        if (!rows) return FR_E_NOMEM;
        undo->rows = rows;
        undo->room = room;
    }
    memmove(undo->rows + at + 1, undo->rows + at, (undo->n - at) * sizeof *undo->rows);
    undo->rows[at] = *row;
    undo->n++;
    return FR_OK;
}

enum fr_err fr_undo_take(struct fr_undo *undo, struct fr_span facts, uint64_t from)
{
    struct fr_fact fact;
    enum fr_err err;

    while ((err = fr_fact_next(&facts, &fact)) == FR_OK) {
        struct fr_fact_device device;
        if (fact.kind == FR_FACT_IMAGE) return FR_E_CONFLICT;
        if (fact.kind != FR_FACT_DEVICE) continue;
        struct fr_rd r = fr_rd(fact.key);
        struct fr_undo_row row = {.eui = fr_rd_u64(&r)};
        err = fr_rd_end(&r);
        if (!err) err = fr_fact_device_read(fact.value, &device);
        if (err) return err;
        if (row.eui < from) continue;
        if (!device.has_was) return FR_E_CONFLICT;
        row.netid = device.was_netid;
        row.flags = device.was_flags;
        err = add(undo, &row);
        if (err) return err;
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

void fr_undo_drop(struct fr_undo *undo, uint64_t eui)
{
    const size_t at = fr_undo_find(undo, eui);

    if (at == 0) return;
    memmove(undo->rows, undo->rows + at, (undo->n - at) * sizeof *undo->rows);
    undo->n -= at;
}

void fr_undo_deinit(struct fr_undo *undo)
{
    fr_free(undo->rows);
    *undo = (struct fr_undo){0};
}
