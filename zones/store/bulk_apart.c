#include "store/bulk.h"

#include "store/network.h"
#include "store/rows.h"

#include <inttypes.h>

/* A first import is written to the generation that nobody reads, in key order, and becomes visible by one change of a pointer:
 * several times faster than random inserts, pages are full, and answers show all of it or nothing. */

#define CLEAR_AT_ONCE 20000
#define CLOCK_EVERY 4096

static uint32_t other(const struct fr_bulk_step *step)
{
    return step->table == FR_TABLE_DEVICES_0 ? FR_TABLE_DEVICES_1 : FR_TABLE_DEVICES_0;
}

/* Is the other generation still ours to write? */
static enum fr_err check_token(const struct fr_bulk *bulk, const struct fr_bulk_step *step,
                               struct fr_diag *diag)
{
    uint64_t token = 0;

    enum fr_err err = fr_meta_get_u64(step->snap.txn, "apart", &token);
    if (err == FR_OK && token == bulk->token) return FR_OK;
    return fr_diag_fail(diag, FR_E_BUSY, "another import began meanwhile: try again");
}

enum fr_err fr_bulk_clear(struct fr_bulk *bulk, struct fr_bulk_step *step)
{
    bool is_left = false;

    enum fr_err err = fr_meta_put_u64(step->snap.txn, "apart", bulk->token);
    if (err == FR_OK) err = fr_txn_drop_some(step->snap.txn, other(step), CLEAR_AT_ONCE, &is_left);
    if (err == FR_OK && !is_left) bulk->phase = FR_BULK_WRITE;
    return err;
}

enum fr_err fr_bulk_append(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag)
{
    struct fr_device_row row = {.netid = bulk->job.netid,
                                .change = (uint32_t)(fr_snap_sequence(&step->snap) + 1)};
    uint8_t key[8], bytes[FR_DEVICE_VALUE_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    enum fr_err err = check_token(bulk, step, diag);
    if (err) return err;
    fr_device_write(&w, &row);
    struct fr_span value = fr_wr_done(&w);
    for (size_t n = 1; bulk->at < bulk->plan.n; bulk->at++, n++) {
        const struct fr_plan_row *planned = &bulk->plan.rows[bulk->at];
        if (n % CLOCK_EVERY == 0 && fr_bulk_is_over(step)) return FR_OK;
        if (!fr_plan_is_write((enum fr_device_outcome)planned->outcome)) continue;
        err = fr_txn_append(step->snap.txn, other(step), fr_device_key(planned->eui, key), value);
        if (err) return err;
        bulk->report.count[FR_DEVICE_ADDED]++;
        bulk->handled++;
    }
    bulk->phase = FR_BULK_FINISH;
    return FR_OK;
}

struct merge {
    struct fr_bulk *bulk;
    struct fr_bulk_step *step;
};

/* A device that somebody registered while we built: theirs is acknowledged, ours was not visible yet. */
static enum fr_err merge_one(void *data, const struct fr_device_row *row)
{
    struct merge *m = data;
    uint64_t *count = m->bulk->report.count;
    uint8_t key[8], bytes[FR_DEVICE_VALUE_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_span ours;

    enum fr_err err =
        fr_txn_get(m->step->snap.txn, other(m->step), fr_device_key(row->deveui, key), &ours);
    if (err == FR_OK) {
        count[FR_DEVICE_ADDED]--;
        count[row->netid == m->bulk->job.netid ? FR_DEVICE_SAME : FR_DEVICE_TAKEN]++;
        if (row->netid != m->bulk->job.netid) m->bulk->report.refused++;
    } else if (err != FR_E_NOT_FOUND) {
        return err;
    }
    fr_device_write(&w, row);
    return fr_txn_put(m->step->snap.txn, other(m->step), fr_device_key(row->deveui, key),
                      fr_wr_done(&w));
}

enum fr_err fr_bulk_flip(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag)
{
    struct merge m = {bulk, step};
    uint64_t arrived = 0;
    bool is_left = false;

    enum fr_err err = check_token(bulk, step, diag);
    if (err == FR_OK) err = fr_txn_count(step->snap.txn, step->table, &arrived);
    if (err) return err;
    if (arrived > FR_DEVICE_APPLY_MAX)
        return fr_diag_fail(diag, FR_E_BUSY, "%" PRIu64 " devices were added meanwhile: try again",
                            arrived);
    err = fr_device_each(&step->snap, 0, 0, merge_one, &m);
    if (err == FR_OK)
        err = fr_txn_drop_some(step->snap.txn, step->table, FR_DEVICE_APPLY_MAX, &is_left);
    if (err == FR_OK)
        err = fr_tally_add(&step->tally, step->snap.txn, bulk->job.netid,
                           (int64_t)bulk->report.count[FR_DEVICE_ADDED]);
    if (err == FR_OK)
        err = fr_meta_put_u64(step->snap.txn, "generation", other(step) == FR_TABLE_DEVICES_1);
    if (err == FR_OK) err = fr_txn_delete(step->snap.txn, FR_DB_META, FR_SPAN_LIT("apart"));
    if (err) return err;
    step->table = other(step);
    step->snap.generation = -1;
    return FR_OK;
}
