#include "store/device_write.h"

#include "base/mem.h"
#include "store/rows.h"

#include <inttypes.h>
#include <string.h>

struct fr_span fr_device_key(uint64_t deveui, uint8_t out[8])
{
    struct fr_wr w = fr_wr(out, 8);

    fr_wr_u64(&w, deveui);
    return fr_wr_done(&w);
}

enum fr_err fr_tally_flush(struct fr_tally *tally, struct fr_txn *txn)
{
    enum fr_err err = FR_OK;

    for (size_t i = 0; err == FR_OK && i < tally->n; i++)
        err = fr_network_count_devices(txn, tally->nets[i].netid, tally->nets[i].by);
    tally->n = 0;
    return err;
}

enum fr_err fr_tally_add(struct fr_tally *tally, struct fr_txn *txn, uint32_t netid, int64_t by)
{
    if (netid == 0) return FR_OK;
    for (size_t i = 0; i < tally->n; i++) {
        if (tally->nets[i].netid != netid) continue;
        tally->nets[i].by += by;
        return FR_OK;
    }
    if (tally->n == sizeof tally->nets / sizeof tally->nets[0]) {
        enum fr_err err = fr_tally_flush(tally, txn);
        if (err) return err;
    }
    tally->nets[tally->n].netid = netid;
    tally->nets[tally->n].by = by;
    tally->n++;
    return FR_OK;
}

/* A device that moves to another NetID stays hidden if it was. */
static enum fr_err keep_flags(struct fr_txn *txn, uint32_t table, struct fr_span key,
                              struct fr_device_row *row)
{
    struct fr_device_row there = {0};
    struct fr_span value;

    enum fr_err err = fr_txn_get(txn, table, key, &value);
    if (err == FR_OK) err = fr_device_read(value, &there);
    if (err == FR_OK) row->flags = there.flags;
    return err == FR_E_NOT_FOUND ? FR_E_MALFORMED : err;
}

enum fr_err fr_device_put(struct fr_txn *txn, uint32_t table, const struct fr_device_row *row,
                          uint32_t was, struct fr_tally *tally)
{
    uint8_t bytes[8], value[FR_DEVICE_VALUE_SIZE];
    struct fr_wr w = fr_wr(value, sizeof value);
    struct fr_span key = fr_device_key(row->deveui, bytes);
    struct fr_device_row put = *row;
    enum fr_err err = was != 0 ? keep_flags(txn, table, key, &put) : FR_OK;

    if (err) return err;
    fr_device_write(&w, &put);
    err = fr_txn_put(txn, table, key, fr_wr_done(&w));
    if (err == FR_OK) err = fr_tally_add(tally, txn, was, -1);
    if (err == FR_OK) err = fr_tally_add(tally, txn, row->netid, 1);
    return err;
}

enum fr_err fr_device_take(struct fr_txn *txn, uint32_t table, uint64_t deveui, uint32_t was,
                           struct fr_tally *tally)
{
    uint8_t key[8];

    enum fr_err err = fr_txn_delete(txn, table, fr_device_key(deveui, key));
    if (err) return err == FR_E_NOT_FOUND ? FR_E_MALFORMED : err;
    return fr_tally_add(tally, txn, was, -1);
}

/* The fact of what a device is now, and what it was; NetID 0: not there. */
static enum fr_err note_device(struct fr_change *change, const struct fr_device_row *row,
                               const struct fr_device_row *was)
{
    uint8_t key[8], bytes[FR_FACT_DEVICE_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    fr_wr_u24(&w, row->netid);
    fr_wr_u8(&w, row->flags);
    fr_wr_u24(&w, was->netid);
    fr_wr_u8(&w, was->flags);
    return fr_change_note(change, FR_FACT_DEVICE, fr_device_key(row->deveui, key), fr_wr_done(&w));
}

/* One write of a change, with its fact. */
static enum fr_err write_noted(struct fr_change *change, uint32_t table, uint64_t deveui,
                               uint32_t was, uint32_t netid, struct fr_tally *tally)
{
    struct fr_txn *txn = fr_change_txn(change);
    uint32_t number = (uint32_t)(fr_snap_sequence(fr_change_snap(change)) + 1);
    struct fr_device_row row = {.deveui = deveui, .netid = netid, .change = number}, there = {0};

    enum fr_err err = fr_device_get(fr_change_snap(change), deveui, &there);
    if (err && err != FR_E_NOT_FOUND) return err;
    err = netid != 0 ? fr_device_put(txn, table, &row, was, tally)
                     : fr_device_take(txn, table, deveui, was, tally);
    if (err == FR_OK && netid != 0) err = fr_device_get(fr_change_snap(change), deveui, &row);
    return err ? err : note_device(change, &row, &there);
}

enum fr_err fr_device_restore(struct fr_change *change, uint32_t table,
                              const struct fr_device_row *row, bool is_noted,
                              struct fr_tally *tally)
{
    struct fr_txn *txn = fr_change_txn(change);
    struct fr_device_row now = *row, was = {0};
    uint8_t key[8], bytes[FR_DEVICE_VALUE_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    enum fr_err err = fr_device_get(fr_change_snap(change), row->deveui, &was);
    if (err && err != FR_E_NOT_FOUND) return err;
    now.change = (uint32_t)(fr_snap_sequence(fr_change_snap(change)) + 1);
    fr_device_write(&w, &now);
    err = row->netid != 0 ? fr_txn_put(txn, table, fr_device_key(row->deveui, key), fr_wr_done(&w))
                          : fr_txn_delete(txn, table, fr_device_key(row->deveui, key));
    if (err == FR_OK) err = fr_tally_add(tally, txn, was.netid, -1);
    if (err == FR_OK) err = fr_tally_add(tally, txn, row->netid, 1);
    if (err == FR_OK && is_noted) err = note_device(change, &now, &was);
    return err;
}

enum fr_err fr_device_set_hidden(struct fr_change *change, const uint64_t *euis, size_t n,
                                 bool is_hidden, struct fr_diag *diag, uint64_t *changed)
{
    struct fr_snap *snap = fr_change_snap(change);
    uint32_t number = (uint32_t)(fr_snap_sequence(snap) + 1);
    uint32_t table = 0;
    uint64_t count = 0;
    enum fr_err err = fr_snap_devices(snap, &table);

    for (size_t i = 0; err == FR_OK && i < n; i++) {
        struct fr_device_row row, was;
        uint8_t key[8], bytes[FR_DEVICE_VALUE_SIZE];
        struct fr_wr w = fr_wr(bytes, sizeof bytes);
        err = fr_device_get(snap, euis[i], &row);
        if (err == FR_E_NOT_FOUND) return fr_diag_fail(diag, err, "no device %016" PRIx64, euis[i]);
        if (err || ((row.flags & FR_DEVICE_HIDDEN) != 0) == is_hidden) continue;
        was = row;
        row.flags = is_hidden ? FR_DEVICE_HIDDEN : 0;
        row.change = number;
        fr_device_write(&w, &row);
        err = fr_txn_put(fr_change_txn(change), table, fr_device_key(euis[i], key), fr_wr_done(&w));
        if (err == FR_OK) err = note_device(change, &row, &was);
        count++;
    }
    if (err == FR_OK) *changed = count;
    return err;
}

static enum fr_err write_rows(struct fr_change *change, const struct fr_device_job *job,
                              const struct fr_plan *plan, uint32_t table, struct fr_tally *tally)
{
    enum fr_err err = FR_OK;

    for (size_t i = 0; err == FR_OK && i < plan->n; i++) {
        const struct fr_plan_row *row = &plan->rows[i];
        if (!fr_plan_is_write((enum fr_device_outcome)row->outcome)) continue;
        uint32_t netid = job->mode == FR_DEVICE_REMOVE ? 0 : job->netid;
        err = write_noted(change, table, row->eui, row->was, netid, tally);
    }
    return err;
}

struct leavers {
    const struct fr_plan *plan;
    uint64_t *euis;
    size_t n, max;
};

static enum fr_err collect_leaver(void *data, const struct fr_device_row *row)
{
    struct leavers *l = data;

    if (fr_plan_has(l->plan, row->deveui)) return FR_OK;
    if (l->n == l->max) return FR_E_MALFORMED; /* the network's count says there are fewer */
    l->euis[l->n++] = row->deveui;
    return FR_OK;
}

/* The devices of the NetID that a replacing list does not name. Called before the list's own are written. */
static enum fr_err take_leavers(struct fr_change *change, const struct fr_device_job *job,
                                const struct fr_plan *plan, uint32_t table, struct fr_tally *tally)
{
    struct leavers l = {.plan = plan, .max = (size_t)plan->report.count[FR_DEVICE_REMOVED]};
    enum fr_err err = FR_OK;

    if (l.max == 0) return FR_OK;
    l.euis = fr_calloc(l.max, sizeof *l.euis);
    if (l.euis == NULL) return FR_E_NOMEM;
    err = fr_device_each(fr_change_snap(change), 0, job->netid, collect_leaver, &l);
    for (size_t i = 0; err == FR_OK && i < l.n; i++)
        err = write_noted(change, table, l.euis[i], job->netid, 0, tally);
    fr_free(l.euis);
    return err;
}

static enum fr_err check_size(const struct fr_device_report *report, struct fr_diag *diag)
{
    uint64_t writes = report->count[FR_DEVICE_ADDED] + report->count[FR_DEVICE_MOVED] +
                      report->count[FR_DEVICE_REMOVED];

    if (writes <= FR_DEVICE_APPLY_MAX) return FR_OK;
    (void)fr_diag_fail(diag, FR_E_LIMIT, "more than %d devices in one change", FR_DEVICE_APPLY_MAX);
    fr_diag_hint(diag, "fedroam zone import takes any number");
    return FR_E_LIMIT;
}

/* In the order of the user's list; a row that is not in the plan was there before in it. */
static void tell_outcomes(const struct fr_device_job *job, const struct fr_plan *plan)
{
    if (job->outcomes == NULL) return;
    memset(job->outcomes, FR_DEVICE_REPEATED, job->n);
    for (size_t i = 0; i < plan->n; i++)
        job->outcomes[plan->rows[i].index] = (uint8_t)plan->rows[i].outcome;
}

enum fr_err fr_device_apply(struct fr_change *change, const struct fr_device_job *job,
                            struct fr_diag *diag, struct fr_device_report *report)
{
    struct fr_snap *snap = fr_change_snap(change);
    struct fr_plan plan = {0};
    struct fr_tally tally = {0};
    uint32_t table = 0;

    enum fr_err err = fr_plan_make(snap, job, fr_change_now(change), diag, &plan);
    if (err) return err;
    if (plan.report.refused > 0 && !job->keep_going) err = fr_plan_fail(&plan.report, diag);
    if (err == FR_OK) err = check_size(&plan.report, diag);
    if (err) goto out;
    err = fr_snap_devices(snap, &table);
    if (err == FR_OK && job->mode == FR_DEVICE_REPLACE)
        err = take_leavers(change, job, &plan, table, &tally);
    if (err == FR_OK) err = write_rows(change, job, &plan, table, &tally);
    if (err == FR_OK) err = fr_tally_flush(&tally, fr_change_txn(change));
    if (err == FR_OK) *report = plan.report;
    if (err == FR_OK) tell_outcomes(job, &plan);
out:
    fr_plan_deinit(&plan);
    return err;
}
