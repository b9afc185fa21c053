#include "base/mem.h"
#include "base/wire.h"
#include "store/bulk.h"
#include "store/journal.h"
#include "store/network.h"
#include "store/rows.h"

#include <inttypes.h>
#include <string.h>

/* Apart: table and list are merged into the generation that nobody reads, in key order, step by step. Between two steps others
 * change the current generation; what they touch above the merge's position is met there, what they touch below it stands
 * in the journal and is taken over at the beginning of the next step. So after each step the other generation is, up to the
 * position, what the present state and the list come to; and the last step makes it the current one. */

#define CLEAR_AT_ONCE 4096

static uint32_t other(const struct fr_bulk_step *step)
{
    return step->table == FR_TABLE_DEVICES_0 ? FR_TABLE_DEVICES_1 : FR_TABLE_DEVICES_0;
}

static enum fr_err count(struct fr_bulk *bulk, uint32_t netid, int64_t by)
{
    struct fr_net *net;

    enum fr_err err = fr_nets_at(&bulk->nets, netid, &net);
    if (err == FR_OK) net->devices += by;
    return err;
}

enum fr_err fr_bulk_drop(struct fr_bulk_step *step, bool *is_left)
{
    enum fr_err err = FR_OK;

    do {
        err = fr_txn_drop_some(step->snap.txn, other(step), CLEAR_AT_ONCE, is_left);
    } while (err == FR_OK && *is_left && !fr_bulk_is_over(step->deadline_ms));
    return err;
}

enum fr_err fr_bulk_clear(struct fr_bulk *bulk, struct fr_bulk_step *step)
{
    bool is_left = true;

    enum fr_err err = fr_bulk_drop(step, &is_left);
    if (err || is_left) return err;
    bulk->phase = FR_BULK_MERGE;
    bulk->seen = fr_snap_sequence(&step->snap);
    bulk->change = (uint32_t)(bulk->seen + 1);
    return FR_OK;
}

/* --- what others did meanwhile --- */

/* How one row of ours, that somebody else has changed, is counted now. */
static enum fr_err recount(struct fr_bulk *bulk, struct fr_bulk_step *step, uint64_t eui,
                           const struct fr_device_row *ours, const struct fr_device_row *theirs,
                           struct fr_diag *diag)
{
    enum fr_device_outcome outcome = FR_DEVICE_SAME;
    bool is_listed = false;

    if (ours->netid == bulk->job.netid && ours->change == bulk->change)
        bulk->report.count[FR_DEVICE_ADDED]--;
    if (theirs->netid == 0) return FR_OK;
    enum fr_err err = fr_list_find(bulk->list, eui, &is_listed);
    if (err == FR_OK && is_listed)
        err = fr_bulk_outcome(bulk, &step->snap, eui, theirs->netid, &outcome);
    if (err || !is_listed) return err;
    if (outcome == FR_DEVICE_SAME || outcome == FR_DEVICE_TAKEN) bulk->report.count[outcome]++;
    return outcome == FR_DEVICE_TAKEN ? fr_bulk_refuse_late(bulk, eui, diag) : FR_OK;
}

/* A device that somebody changed: theirs is acknowledged, ours was not visible yet. */
static enum fr_err replay_device(struct fr_bulk *bulk, struct fr_bulk_step *step, uint64_t eui,
                                 struct fr_diag *diag)
{
    struct fr_txn *txn = step->snap.txn;
    struct fr_device_row ours = {0}, theirs = {0};
    uint8_t key[8], bytes[FR_DEVICE_VALUE_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_span value;

    if (eui >= bulk->from) return FR_OK; /* the merge will meet it */
    enum fr_err err = fr_device_get(&step->snap, eui, &theirs);
    if (err && err != FR_E_NOT_FOUND) return err;
    err = fr_txn_get(txn, other(step), fr_device_key(eui, key), &value);
    if (err == FR_OK) err = fr_device_read(value, &ours);
    if (err && err != FR_E_NOT_FOUND) return err;
    if (ours.netid == theirs.netid && ours.flags == theirs.flags && ours.change == theirs.change)
        return FR_OK;
    err = recount(bulk, step, eui, &ours, &theirs, diag);
    if (err == FR_OK && ours.netid != 0) err = count(bulk, ours.netid, -1);
    if (err == FR_OK && theirs.netid != 0) err = count(bulk, theirs.netid, 1);
    if (err) return err;
    if (theirs.netid == 0) return fr_txn_delete(txn, other(step), fr_device_key(eui, key));
    fr_device_write(&w, &theirs);
    return fr_txn_put(txn, other(step), fr_device_key(eui, key), fr_wr_done(&w));
}

/* A network that changed hands: what was decided by its holder no longer holds. */
static enum fr_err replay_network(struct fr_bulk *bulk, struct fr_bulk_step *step, uint32_t netid,
                                  struct fr_diag *diag)
{
    struct fr_network_row holder = {0};
    struct fr_net *net;

    enum fr_err err = fr_nets_at(&bulk->nets, netid, &net);
    if (err == FR_OK) err = fr_network_get(&step->snap, netid, &holder);
    if (err && err != FR_E_NOT_FOUND) return err;
    bool is_own = strcmp(holder.member, bulk->member) == 0;
    if (!net->is_known || net->is_own == is_own) return FR_OK;
    return fr_diag_fail(diag, FR_E_BUSY, "NetID %06" PRIx32 " changed hands meanwhile: try again",
                        netid);
}

static enum fr_err replay_facts(struct fr_bulk *bulk, struct fr_bulk_step *step,
                                struct fr_span facts, struct fr_diag *diag)
{
    enum fr_err err = FR_OK;
    struct fr_fact fact;

    while (err == FR_OK) {
        err = fr_fact_next(&facts, &fact);
        if (err) break;
        struct fr_rd r = fr_rd(fact.key);
        if (fact.kind == FR_FACT_DEVICE)
            err = replay_device(bulk, step, fr_rd_u64(&r), diag);
        else if (fact.kind == FR_FACT_NETWORK)
            err = replay_network(bulk, step, fr_rd_u24(&r), diag);
        if (err == FR_OK) err = fr_rd_err(&r);
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

static enum fr_err replay(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag)
{
    struct fr_journal_record record;
    enum fr_err err = FR_OK;

    while (err == FR_OK) {
        err = fr_journal_next(&step->snap, bulk->seen + 1, &record);
        if (err) break;
        /* Copied: what a snapshot lends is good only until the next write. */
        uint8_t *facts = fr_memdup(record.facts.p, record.facts.n);
        if (facts == NULL) return FR_E_NOMEM;
        err = replay_facts(bulk, step, (struct fr_span){facts, record.facts.n}, diag);
        fr_free(facts);
        if (err == FR_OK) bulk->seen = record.sequence;
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

/* --- the merge --- */

static enum fr_err append(struct fr_bulk *bulk, struct fr_bulk_step *step,
                          const struct fr_device_row *row)
{
    uint8_t key[8], bytes[FR_DEVICE_VALUE_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    enum fr_err err = count(bulk, row->netid, 1);
    if (err) return err;
    fr_device_write(&w, row);
    err =
        fr_txn_append(step->snap.txn, other(step), fr_device_key(row->deveui, key), fr_wr_done(&w));
    return err == FR_E_EXISTS ? FR_E_MALFORMED : err;
}

static enum fr_err merge_one(struct fr_bulk *bulk, struct fr_bulk_step *step,
                             const struct fr_walk_item *item, struct fr_diag *diag)
{
    struct fr_device_row row = item->device;
    enum fr_device_outcome outcome = FR_DEVICE_SAME;

    if (item->is_listed) {
        enum fr_err err =
            fr_bulk_outcome(bulk, &step->snap, item->eui, item->device.netid, &outcome);
        if (err == FR_OK && fr_device_outcome_is_refusal(outcome))
            err = fr_bulk_refuse_late(bulk, item->eui, diag);
        if (err) return err;
        bulk->report.count[outcome]++;
    } else if (bulk->job.mode == FR_DEVICE_REPLACE && row.netid == bulk->job.netid) {
        bulk->report.count[FR_DEVICE_REMOVED]++;
        return FR_OK;
    }
    if (outcome == FR_DEVICE_ADDED || outcome == FR_DEVICE_MOVED) {
        row.netid = bulk->job.netid;
        row.change = bulk->change;
    }
    return row.netid != 0 ? append(bulk, step, &row) : FR_OK;
}

enum fr_err fr_bulk_merge(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag)
{
    struct fr_walk walk;
    struct fr_walk_item item;

    enum fr_err err = replay(bulk, step, diag);
    if (err == FR_OK) err = fr_walk_begin(&walk, &step->snap, bulk->list, bulk->at, bulk->from);
    if (err) return err;
    for (size_t n = 1; err == FR_OK; n++) {
        if (n % FR_BULK_CLOCK_EVERY == 0 && fr_bulk_is_over(step->deadline_ms)) break;
        err = fr_walk_next(&walk, &item);
        if (err == FR_OK) err = merge_one(bulk, step, &item, diag);
        if (err) break;
        bulk->at = walk.at;
        bulk->from = item.eui == UINT64_MAX ? item.eui : item.eui + 1;
    }
    fr_walk_end(&walk);
    if (err != FR_E_NOT_FOUND) return err;
    bulk->phase = FR_BULK_FINISH;
    bulk->from = UINT64_MAX; /* no device is above it */
    return FR_OK;
}

/* --- the flip --- */

/* What a network's device count has to be moved by. */
static enum fr_err note_count(void *data, const struct fr_network_row *row)
{
    struct fr_bulk *bulk = data;
    struct fr_net *net;

    enum fr_err err = fr_nets_at(&bulk->nets, row->netid, &net);
    if (err) return err;
    net->has_row = true;
    net->devices -= (int64_t)row->devices;
    return FR_OK;
}

/* Networks count what the other generation holds, which is what was put there. */
static enum fr_err move_counts(struct fr_bulk *bulk, struct fr_bulk_step *step)
{
    uint64_t devices = 0;
    int64_t sum = 0;

    enum fr_err err = fr_txn_count(step->snap.txn, other(step), &devices);
    for (size_t i = 0; i < bulk->nets.room; i++) sum += bulk->nets.slots[i].devices;
    if (err == FR_OK && sum != (int64_t)devices) err = FR_E_MALFORMED;
    if (err == FR_OK) err = fr_network_each(&step->snap, note_count, bulk);
    for (size_t i = 0; err == FR_OK && i < bulk->nets.room; i++) {
        const struct fr_net *net = &bulk->nets.slots[i];
        if (net->has_row) err = fr_network_count_devices(step->snap.txn, net->netid, net->devices);
    }
    return err;
}

enum fr_err fr_bulk_flip(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag)
{
    enum fr_err err = replay(bulk, step, diag);

    if (err == FR_OK) err = move_counts(bulk, step);
    if (err == FR_OK)
        err = fr_meta_put_u64(step->snap.txn, "generation", other(step) == FR_TABLE_DEVICES_1);
    if (err) return err;
    step->table = other(step);
    step->snap.generation = -1;
    return FR_OK;
}
