#include "store/bulk.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/network.h"
#include "store/rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CLOCK_EVERY 256 /* rows between two looks at the clock */
#define LEAVERS_MAX                                                                                \
    4096 /* collected before they are deleted: a cursor does not like its table to change */
#define MARK_MAX 16
#define MARK_PREFIX "bulk."

bool fr_bulk_is_over(const struct fr_bulk_step *step)
{
    return fr_clock_mono_ms(fr_clock_system()) >= step->deadline_ms;
}

/* A row of meta says that a bulk is under way; the last step takes it away. */
static struct fr_span mark_key(uint32_t netid, char out[MARK_MAX])
{
    snprintf(out, MARK_MAX, MARK_PREFIX "%06" PRIx32, netid);
    return fr_span_str(out);
}

static bool is_chosen_apart(struct fr_snap *snap, const struct fr_device_job *job)
{
    uint64_t devices = 1;

    return job->mode != FR_DEVICE_REMOVE && job->n > FR_DEVICE_APPLY_MAX &&
           fr_device_count(snap, &devices) == FR_OK && devices == 0;
}

static void copy_by(const struct fr_change_by *by, struct fr_journal_record *record)
{
    record->when_s = by->now_s;
    fr_text_copy(by->actor, record->actor, sizeof record->actor);
    fr_text_copy(by->reason, record->reason, sizeof record->reason);
    record->has_serial = by->serial != NULL;
    if (by->serial != NULL) memcpy(record->serial, by->serial, FR_SERIAL_SIZE);
}

static void set_out(struct fr_bulk *bulk)
{
    uint64_t *count = bulk->report.count;

    bulk->report = bulk->plan.report;
    bulk->total = count[FR_DEVICE_ADDED] + count[FR_DEVICE_MOVED] + count[FR_DEVICE_REMOVED];
    count[FR_DEVICE_ADDED] = count[FR_DEVICE_MOVED] = count[FR_DEVICE_REMOVED] = 0;
    if (bulk->total == 0)
        bulk->phase = FR_BULK_DONE;
    else
        bulk->phase = bulk->is_apart ? FR_BULK_CLEAR : FR_BULK_WRITE;
}

enum fr_err fr_bulk_new(struct fr_store *store, const struct fr_device_job *job,
                        const struct fr_change_by *by, struct fr_diag *diag, struct fr_bulk **out)
{
    struct fr_bulk *bulk = NULL;
    struct fr_snap *snap = NULL;

    enum fr_err err = fr_snap_begin(store, &snap);
    if (err) return fr_diag_fail(diag, err, "the store cannot be read: %s", fr_err_text(err));
    bulk = fr_calloc(1, sizeof *bulk);
    if (bulk == NULL) {
        err = fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
        goto out;
    }
    bulk->store = store;
    bulk->job = *job;
    err = fr_plan_make(snap, job, diag, &bulk->plan);
    if (err) goto out;
    if (bulk->plan.report.refused > 0 && !job->keep_going) {
        err = fr_plan_fail(&bulk->plan, diag);
        goto out;
    }
    bulk->is_apart = is_chosen_apart(snap, job);
    bulk->sequence = fr_snap_sequence(snap);
    bulk->token = fr_snap_txn(snap);
    copy_by(by, &bulk->record);
    set_out(bulk);

    *out = bulk;
    bulk = NULL;
out:
    fr_snap_end(snap);
    fr_bulk_free(bulk);
    return err;
}

/* One row of the plan against the present state, which others may have changed since the plan. */
static enum fr_err write_one(struct fr_bulk *bulk, struct fr_bulk_step *step,
                             const struct fr_plan_row *planned, struct fr_diag *diag)
{
    struct fr_device_row row;
    enum fr_device_outcome outcome = FR_DEVICE_SAME;
    uint32_t was = 0;

    enum fr_err err = fr_device_get(&step->snap, planned->eui, &row);
    if (err == FR_OK) was = row.netid;
    if (err && err != FR_E_NOT_FOUND) return err;
    err = fr_plan_outcome(&step->snap, &bulk->job, bulk->plan.member, planned->eui, was, &outcome);
    if (err) return err;
    if (fr_device_outcome_is_refusal(outcome)) bulk->report.refused++;
    if (fr_device_outcome_is_refusal(outcome) && !bulk->job.keep_going)
        return fr_diag_fail(diag, FR_E_CONFLICT,
                            "device %016" PRIx64 " was given to another member meanwhile",
                            planned->eui);
    bulk->report.count[outcome]++;
    if (!fr_plan_is_write(outcome)) return FR_OK;
    if (bulk->job.mode == FR_DEVICE_REMOVE)
        return fr_device_take(step->snap.txn, step->table, planned->eui, was, &step->tally);
    row = (struct fr_device_row){.deveui = planned->eui,
                                 .netid = bulk->job.netid,
                                 .change = (uint32_t)(fr_snap_sequence(&step->snap) + 1)};
    return fr_device_put(step->snap.txn, step->table, &row, was, &step->tally);
}

static enum fr_err write_some(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag)
{
    for (size_t n = 1; bulk->at < bulk->plan.n; bulk->at++, n++) {
        const struct fr_plan_row *row = &bulk->plan.rows[bulk->at];
        if (n % CLOCK_EVERY == 0 && fr_bulk_is_over(step)) return FR_OK;
        if (!fr_plan_is_write((enum fr_device_outcome)row->outcome)) continue;
        enum fr_err err = write_one(bulk, step, row, diag);
        if (err) return err;
        bulk->handled++;
    }
    bulk->phase = bulk->job.mode == FR_DEVICE_REPLACE ? FR_BULK_LEAVE : FR_BULK_FINISH;
    return FR_OK;
}

struct leavers {
    const struct fr_bulk *bulk;
    size_t n;
    uint64_t euis[LEAVERS_MAX];
};

static enum fr_err collect_leaver(void *data, const struct fr_device_row *row)
{
    struct leavers *l = data;

    if (fr_plan_has(&l->bulk->plan, row->deveui)) return FR_OK;
    l->euis[l->n++] = row->deveui;
    return l->n == LEAVERS_MAX ? FR_E_LIMIT : FR_OK;
}

static enum fr_err leave_some(struct fr_bulk *bulk, struct fr_bulk_step *step)
{
    struct leavers *l = fr_malloc(sizeof *l);
    enum fr_err err = l == NULL ? FR_E_NOMEM : FR_OK;

    do { /* at least once: every step moves on, whatever its budget */
        if (err) break;
        l->bulk = bulk;
        l->n = 0;
        err = fr_device_each(&step->snap, bulk->from, bulk->job.netid, collect_leaver, l);
        bool is_full = err == FR_E_LIMIT;
        if (is_full) err = FR_OK;
        for (size_t i = 0; err == FR_OK && i < l->n; i++)
            err = fr_device_take(step->snap.txn, step->table, l->euis[i], bulk->job.netid,
                                 &step->tally);
        bulk->report.count[FR_DEVICE_REMOVED] += l->n;
        bulk->handled += l->n;
        if (is_full)
            bulk->from = l->euis[l->n - 1] + 1;
        else
            bulk->phase = FR_BULK_FINISH;
    } while (err == FR_OK && bulk->phase == FR_BULK_LEAVE && !fr_bulk_is_over(step));
    fr_free(l);
    return err;
}

/* The one record of the whole bulk, and the end of its mark. */
static enum fr_err finish(struct fr_bulk *bulk, struct fr_bulk_step *step)
{
    const uint64_t *count = bulk->report.count;
    struct fr_buf facts = FR_BUF_INIT(256);
    struct fr_network_row network = {0};
    uint8_t key[3], value[33];
    struct fr_wr k = fr_wr(key, sizeof key), v = fr_wr(value, sizeof value);
    char mark[MARK_MAX];

    enum fr_err err = fr_tally_flush(&step->tally, step->snap.txn);
    if (err == FR_OK && bulk->job.netid != 0)
        err = fr_network_get(&step->snap, bulk->job.netid, &network);
    if (err) return err;
    bulk->report.after = network.devices;
    fr_wr_u24(&k, bulk->job.netid);
    fr_wr_u8(&v, (uint8_t)bulk->job.mode);
    fr_wr_u64(&v, count[FR_DEVICE_ADDED]);
    fr_wr_u64(&v, count[FR_DEVICE_MOVED]);
    fr_wr_u64(&v, count[FR_DEVICE_REMOVED]);
    fr_wr_u64(&v, network.devices);
    fr_fact_write(&facts, FR_FACT_IMAGE, fr_wr_done(&k), fr_wr_done(&v));
    bulk->record.n_facts = 1;
    bulk->record.facts = fr_buf_span(&facts);
    err = fr_buf_err(&facts);
    if (err == FR_OK) err = fr_journal_append(step->snap.txn, &bulk->record, &bulk->sequence);
    if (err == FR_OK)
        err = fr_txn_delete(step->snap.txn, FR_DB_META, mark_key(bulk->job.netid, mark));
    if (err == FR_E_NOT_FOUND) err = FR_OK; /* it was over in one step */
    if (err == FR_OK) bulk->phase = FR_BULK_DONE;
    fr_buf_deinit(&facts);
    return err;
}

/* Works through as many phases as the time allows. */
static enum fr_err run_phases(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag)
{
    enum fr_err err = FR_OK;

    do {
        switch (bulk->phase) {
        case FR_BULK_CLEAR: err = fr_bulk_clear(bulk, step); break;
        case FR_BULK_WRITE:
            err = bulk->is_apart ? fr_bulk_append(bulk, step, diag) : write_some(bulk, step, diag);
            break;
        case FR_BULK_LEAVE: err = leave_some(bulk, step); break;
        case FR_BULK_FINISH:
            if (bulk->is_apart) err = fr_bulk_flip(bulk, step, diag);
            if (err == FR_OK) err = finish(bulk, step);
            break;
        case FR_BULK_DONE: return FR_OK;
        }
    } while (err == FR_OK && bulk->phase != FR_BULK_DONE && !fr_bulk_is_over(step));
    return err;
}

static enum fr_err set_mark(struct fr_bulk *bulk, struct fr_txn *txn)
{
    char mark[MARK_MAX];

    if (bulk->phase == FR_BULK_DONE) return FR_OK;
    (void)mark_key(bulk->job.netid, mark);
    return fr_meta_put_u64(txn, mark, (uint64_t)bulk->record.when_s);
}

enum fr_err fr_bulk_step(struct fr_bulk *bulk, unsigned budget_ms, struct fr_diag *diag, bool *done)
{
    struct fr_bulk_step step = {.snap = {.store = bulk->store, .generation = -1}};
    struct fr_diag told = {0};

    if (bulk->phase == FR_BULK_DONE) {
        *done = true;
        return FR_OK;
    }
    enum fr_err err = fr_txn_write(bulk->store->db, &step.snap.txn);
    if (err) goto out;
    step.deadline_ms = fr_clock_mono_ms(fr_clock_system()) + budget_ms;
    err = fr_snap_devices(&step.snap, &step.table);
    if (err == FR_OK) err = run_phases(bulk, &step, &told);
    if (err == FR_OK) err = fr_tally_flush(&step.tally, step.snap.txn);
    if (err == FR_OK) err = set_mark(bulk, step.snap.txn);
    if (err) goto out;
    err = fr_txn_commit(step.snap.txn);
    step.snap.txn = NULL;
    if (err == FR_OK) *done = bulk->phase == FR_BULK_DONE;
out:
    fr_txn_end(step.snap.txn);
    if (err && told.what[0] == '\0')
        (void)fr_diag_fail(
            &told, err, err == FR_E_LIMIT ? "the store is full" : "the list could not be written");
    if (err && diag != NULL) {
        *diag = told;
        if (!bulk->is_apart && bulk->handled > 0)
            fr_diag_hint(diag, "part of the list was taken over: repeat the import");
    }
    return err;
}

void fr_bulk_progress(const struct fr_bulk *bulk, uint64_t *done, uint64_t *total)
{
    *done = bulk->handled;
    *total = bulk->total;
}

void fr_bulk_report(const struct fr_bulk *bulk, struct fr_device_report *report, uint64_t *sequence)
{
    *report = bulk->report;
    *sequence = bulk->sequence;
}

void fr_bulk_free(struct fr_bulk *bulk)
{
    if (bulk == NULL) return;
    fr_plan_deinit(&bulk->plan);
    fr_free(bulk);
}

static enum fr_err read_mark(void *data, struct fr_span key, struct fr_span value)
{
    struct fr_bulk_pending *out = data;
    struct fr_rd r = fr_rd(value);
    struct fr_span digits = {key.p + sizeof MARK_PREFIX - 1, key.n - (sizeof MARK_PREFIX - 1)};
    uint64_t netid = 0;

    out->since_s = (int64_t)(fr_rd_u64(&r) & INT64_MAX);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) err = fr_hex_parse_u64(digits, 6, &netid);
    out->netid = (uint32_t)netid;
    return err ? FR_E_MALFORMED : FR_E_EXISTS; /* the first one ends the walk */
}

enum fr_err fr_bulk_find_pending(struct fr_snap *snap, struct fr_bulk_pending *out)
{
    struct fr_bulk_pending found = {0};

    enum fr_err err = fr_snap_visit(snap, FR_DB_META, FR_SPAN_LIT(MARK_PREFIX), read_mark, &found);
    if (err == FR_OK) return FR_E_NOT_FOUND;
    if (err != FR_E_EXISTS) return err;
    *out = found;
    return FR_OK;
}
