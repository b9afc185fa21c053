#include "base/mem.h"
#include "base/wire.h"
#include "store/bulk.h"
#include "store/journal.h"
#include "store/network.h"
#include "store/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Apart: table and list are merged into the generation that nobody reads, in key order, step by step. Between two steps others
 * change the current generation, and the journal says what they touched: below the merge's position it is taken over at the
 * beginning of the next step; above it, it is remembered, and left as it stands when the merge comes to it. So after each
 * step the other generation is, up to the position, what the bulk would have made of the state it began with, and then the
 * others of that; and the last step makes it the current one. */

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
    return FR_OK;
}

/* --- what others did meanwhile --- */

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static enum fr_err touch(struct fr_bulk *bulk, uint64_t eui)
{
    if (bulk->n_touched == bulk->touched_room) {
        size_t room = bulk->touched_room ? bulk->touched_room * 2 : 64;
        uint64_t *touched = fr_reallocarray(bulk->touched, room, sizeof *touched);
        if (touched == NULL) return FR_E_NOMEM;
        bulk->touched = touched;
        bulk->touched_room = room;
    }
    bulk->touched[bulk->n_touched++] = eui;
    bulk->is_touched_sorted = false;
    return FR_OK;
}

static void sort_touched(struct fr_bulk *bulk)
{
    if (bulk->is_touched_sorted || bulk->n_touched == 0) return;
    qsort(bulk->touched, bulk->n_touched, sizeof *bulk->touched, by_number);
    bulk->touched_at = 0;
    bulk->is_touched_sorted = true;
}

/* Asked in ascending order. */
static bool is_touched(struct fr_bulk *bulk, uint64_t eui)
{
    while (bulk->touched_at < bulk->n_touched && bulk->touched[bulk->touched_at] < eui)
        bulk->touched_at++;
    return bulk->touched_at < bulk->n_touched && bulk->touched[bulk->touched_at] == eui;
}

/* How a listed device is counted that somebody else has put where it is now. */
static enum fr_err count_theirs(struct fr_bulk *bulk, struct fr_bulk_step *step,
                                const struct fr_device_row *theirs, struct fr_diag *diag)
{
    enum fr_device_outcome outcome = FR_DEVICE_SAME;

    if (theirs->netid == 0) return FR_OK;
    enum fr_err err = fr_bulk_outcome(bulk, &step->snap, theirs, &outcome);
    if (err) return err;
    bool is_refused = fr_device_outcome_is_refusal(outcome);
    if (outcome == FR_DEVICE_SAME || is_refused) bulk->report.count[outcome]++;
    return is_refused ? fr_bulk_refuse_late(bulk, theirs->deveui, diag) : FR_OK;
}

/* How one row of ours, that somebody else has changed, is counted now. */
static enum fr_err recount(struct fr_bulk *bulk, struct fr_bulk_step *step, uint64_t eui,
                           const struct fr_device_row *ours, const struct fr_device_row *theirs,
                           struct fr_diag *diag)
{
    bool is_listed = false;

    if (ours->netid == bulk->job.netid && ours->change == bulk->change &&
        bulk->report.count[FR_DEVICE_ADDED] > 0)
        bulk->report.count[FR_DEVICE_ADDED]--;
    enum fr_err err = fr_list_find(bulk->list, eui, &is_listed);
    return err || !is_listed ? err : count_theirs(bulk, step, theirs, diag);
}

/* A device that somebody changed: theirs is acknowledged, ours was not visible yet. */
static enum fr_err replay_device(struct fr_bulk *bulk, struct fr_bulk_step *step, uint64_t eui,
                                 struct fr_diag *diag)
{
    struct fr_txn *txn = step->snap.txn;
    struct fr_device_row ours = {.deveui = eui}, theirs = {.deveui = eui};
    uint8_t key[8], bytes[FR_DEVICE_VALUE_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    struct fr_span value;

    if (eui >= bulk->from) return touch(bulk, eui);
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
    if (!net->is_known || strcmp(net->member, holder.member) == 0) return FR_OK;
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
        if (fact.kind == FR_FACT_DEVICE || fact.kind == FR_FACT_RELEASE)
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
    sort_touched(bulk);
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

/* What the list makes of an item: row->netid is 0 when there is to be none. */
static enum fr_err decide(struct fr_bulk *bulk, struct fr_bulk_step *step,
                          const struct fr_bulk_item *item, struct fr_device_row *row,
                          struct fr_diag *diag)
{
    enum fr_device_outcome outcome = FR_DEVICE_SAME;

    if (!item->is_listed) {
        if (bulk->job.mode != FR_DEVICE_REPLACE || row->netid != bulk->job.netid) return FR_OK;
        bulk->report.count[FR_DEVICE_REMOVED]++;
        row->netid = 0;
        return FR_OK;
    }
    enum fr_err err = fr_bulk_outcome(bulk, &step->snap, row, &outcome);
    if (err == FR_OK && fr_device_outcome_is_refusal(outcome))
        err = fr_bulk_refuse_late(bulk, item->eui, diag);
    if (err) return err;
    bulk->report.count[outcome]++;
    if (outcome != FR_DEVICE_ADDED && outcome != FR_DEVICE_MOVED) return FR_OK;
    row->netid = bulk->job.netid;
    row->change = bulk->change;
    return FR_OK;
}

static enum fr_err merge_one(struct fr_bulk *bulk, struct fr_bulk_step *step,
                             const struct fr_bulk_item *item, struct fr_diag *diag)
{
    struct fr_device_row row = item->device;
    enum fr_err err = FR_OK;

    if (!is_touched(bulk, item->eui))
        err = decide(bulk, step, item, &row, diag);
    else if (item->is_listed)
        err = count_theirs(bulk, step, &row, diag);
    return err || row.netid == 0 ? err : append(bulk, step, &row);
}

enum fr_err fr_bulk_merge(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag)
{
    struct fr_bulk_walk walk;
    struct fr_bulk_item item;

    enum fr_err err = replay(bulk, step, diag);
    if (err == FR_OK)
        err = fr_bulk_walk_begin(&walk, &step->snap, bulk->list, bulk->at, bulk->from);
    if (err) return err;
    for (size_t n = 1; err == FR_OK; n++) {
        if (n % FR_BULK_CLOCK_EVERY == 0 && fr_bulk_is_over(step->deadline_ms)) break;
        err = fr_bulk_walk_next(&walk, &item);
        if (err == FR_OK) err = merge_one(bulk, step, &item, diag);
        if (err) break;
        bulk->at = walk.at;
        bulk->from = item.eui == UINT64_MAX ? item.eui : item.eui + 1;
    }
    fr_bulk_walk_end(&walk);
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
