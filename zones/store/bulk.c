#include "store/bulk.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/check.h"
#include "store/network.h"
#include "store/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_NAME "import.lock"

bool fr_bulk_is_over(int64_t deadline_ms)
{
    return fr_clock_mono_ms(fr_clock_system()) >= deadline_ms;
}

/* --- one at a time --- */

/* The lock ends with its process, whatever ends that. *fd stays negative when somebody else has it. */
enum fr_err fr_bulk_lock(const struct fr_store *store, int *fd)
{
    char *path = fr_path_join(store->dir, LOCK_NAME);

    if (path == NULL) return FR_E_NOMEM;
    int lock_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    fr_free(path);
    if (lock_fd < 0) return fr_err_from_errno(errno);
    if (flock(lock_fd, LOCK_EX | LOCK_NB) == 0)
        *fd = lock_fd;
    else
        (void)close(lock_fd);
    return FR_OK;
}

/* --- beginning --- */

static void copy_by(const struct fr_change_by *by, struct fr_journal_record *record)
{
    record->when_s = by->now_s;
    fr_text_copy(by->actor, record->actor, sizeof record->actor);
    fr_text_copy(by->reason, record->reason, sizeof record->reason);
    record->has_serial = by->serial != NULL;
    if (by->serial != NULL) memcpy(record->serial, by->serial, FR_SERIAL_SIZE);
}

static enum fr_err list_of(struct fr_bulk *bulk, struct fr_diag *diag)
{
    const struct fr_device_job *job = &bulk->job;

    enum fr_err err = fr_list_new(bulk->store->dir, diag, &bulk->own_list);
    for (size_t i = 0; err == FR_OK && i < job->n; i++)
        err = fr_list_add(bulk->own_list, job->euis[i], (uint32_t)i, diag);
    bulk->list = bulk->own_list;
    return err;
}

static enum fr_err take_lock(struct fr_bulk *bulk, struct fr_diag *diag)
{
    enum fr_err err = fr_bulk_lock(bulk->store, &bulk->lock_fd);

    if (err) return fr_diag_fail(diag, err, LOCK_NAME ": %s", fr_err_text(err));
    if (bulk->lock_fd >= 0) return FR_OK;
    (void)fr_diag_fail(diag, FR_E_BUSY, "another import is under way");
    fr_diag_hint(diag, "try again when it is over");
    return FR_E_BUSY;
}

enum fr_err fr_bulk_new(struct fr_store *store, const struct fr_device_job *job,
                        const struct fr_change_by *by, struct fr_diag *diag, struct fr_bulk **out)
{
    struct fr_bulk *bulk = fr_calloc(1, sizeof *bulk);
    struct fr_snap *snap = NULL;
    enum fr_err err = FR_OK;

    if (bulk == NULL) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    err = fr_store_check_role(store, diag);
    if (err) {
        fr_free(bulk);
        return err;
    }
    bulk->store = store;
    bulk->job = *job;
    bulk->lock_fd = -1;
    bulk->list = job->list;
    if (by != NULL) copy_by(by, &bulk->record);
    err = fr_snap_begin(store, &snap);
    if (err) {
        err = fr_diag_fail(diag, err, "the store cannot be read: %s", fr_err_text(err));
        goto out;
    }
    bulk->sequence = bulk->seen = fr_snap_sequence(snap);
    bulk->change = (uint32_t)(bulk->seen + 1);
    err = fr_judge_read(snap, &bulk->job, bulk->record.when_s, diag, &bulk->judge,
                        &bulk->report.before);
    if (err == FR_OK && !job->is_dry) err = take_lock(bulk, diag);
    if (err == FR_OK && bulk->list == NULL) err = list_of(bulk, diag);
    if (err) goto out;
    *out = bulk;
    bulk = NULL;
out:
    fr_snap_end(snap);
    fr_bulk_free(bulk);
    return err;
}

void fr_bulk_free(struct fr_bulk *bulk)
{
    if (bulk == NULL) return;
    if (bulk->lock_fd >= 0) (void)close(bulk->lock_fd);
    fr_list_free(bulk->own_list);
    fr_nets_deinit(&bulk->nets);
    fr_judge_deinit(&bulk->judge);
    fr_free(bulk->refusals);
    fr_free(bulk->touched);
    fr_free(bulk);
}

/* --- the steps that write --- */

/* The one record of the whole bulk, and the end of its mark. */
static enum fr_err finish(struct fr_bulk *bulk, struct fr_bulk_step *step)
{
    const uint64_t *count = bulk->report.count;
    struct fr_buf facts = FR_BUF_INIT(256);
    struct fr_network_row network = {0};
    uint8_t key[3], value[33];
    struct fr_wr k = fr_wr(key, sizeof key), v = fr_wr(value, sizeof value);

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
    if (err == FR_OK) err = fr_bulk_unmark(step->snap.txn, bulk->job.netid);
    if (err == FR_OK) bulk->phase = FR_BULK_DONE;
    fr_buf_deinit(&facts);
    return err;
}

/* The list was checked for a holder of the NetID who may have given it up since. */
static enum fr_err check_holder(struct fr_bulk *bulk, struct fr_bulk_step *step,
                                struct fr_diag *diag)
{
    char before[FR_MEMBER_ID_MAX + 1];
    uint64_t devices = 0;

    memcpy(before, bulk->judge.member, sizeof before);
    enum fr_err err =
        fr_judge_read(&step->snap, &bulk->job, bulk->record.when_s, diag, &bulk->judge, &devices);
    if (err || strcmp(before, bulk->judge.member) == 0) return err;
    return fr_diag_fail(diag, FR_E_CONFLICT, "NetID %06" PRIx32 " was given to %s meanwhile",
                        bulk->job.netid, bulk->judge.member);
}

/* Works through as many phases as the time allows. */
static enum fr_err run_phases(struct fr_bulk *bulk, struct fr_bulk_step *step, struct fr_diag *diag)
{
    enum fr_err err = check_holder(bulk, step, diag);

    do {
        if (err) break;
        switch (bulk->phase) {
        case FR_BULK_CLEAR: err = fr_bulk_clear(bulk, step); break;
        case FR_BULK_MERGE: err = fr_bulk_merge(bulk, step, diag); break;
        case FR_BULK_WRITE: err = fr_bulk_write(bulk, step, diag); break;
        case FR_BULK_LEAVE: err = fr_bulk_leave(bulk, step); break;
        case FR_BULK_FINISH:
            if (bulk->is_apart) err = fr_bulk_flip(bulk, step, diag);
            if (err == FR_OK) err = finish(bulk, step);
            break;
        case FR_BULK_SORT:
        case FR_BULK_CHECK:
        case FR_BULK_DONE: return FR_OK;
        }
    } while (err == FR_OK && bulk->phase != FR_BULK_DONE && !fr_bulk_is_over(step->deadline_ms));
    return err;
}

static enum fr_err begin_step(struct fr_store *store, unsigned work_ms, struct fr_bulk_step *step)
{
    *step = (struct fr_bulk_step){.snap = {.store = store, .generation = -1}};
    enum fr_err err = fr_txn_write(store->db, &step->snap.txn);
    step->deadline_ms = fr_clock_mono_ms(fr_clock_system()) + work_ms;
    return err ? err : fr_snap_devices(&step->snap, &step->table);
}

static enum fr_err end_step(struct fr_bulk_step *step, enum fr_err err)
{
    if (err == FR_OK) return fr_txn_commit(step->snap.txn);
    fr_txn_end(step->snap.txn);
    return err;
}

/* The commit of what a step has written takes its time too: the work is cut so that both fit. */
static void adapt(unsigned *work_ms, unsigned budget_ms, int64_t began_ms)
{
    int64_t took_ms = fr_clock_mono_ms(fr_clock_system()) - began_ms;
    unsigned most = budget_ms - budget_ms / 5;

    if (took_ms > budget_ms)
        *work_ms = *work_ms * budget_ms / (unsigned)(took_ms + 1);
    else if (took_ms < most)
        *work_ms += *work_ms / 4 + 1;
    if (*work_ms > most) *work_ms = most;
}

static enum fr_err write_step(struct fr_bulk *bulk, unsigned budget_ms, struct fr_diag *diag)
{
    struct fr_bulk_step step;
    int64_t began_ms = fr_clock_mono_ms(fr_clock_system());

    if (bulk->work_ms == 0 || bulk->work_ms > budget_ms) bulk->work_ms = budget_ms / 4;
    enum fr_err err = begin_step(bulk->store, bulk->work_ms, &step);
    if (err == FR_OK) err = run_phases(bulk, &step, diag);
    if (err == FR_OK) err = fr_tally_flush(&step.tally, step.snap.txn);
    if (err == FR_OK && !bulk->is_apart && bulk->phase != FR_BULK_DONE)
        err = fr_bulk_mark(bulk, step.snap.txn);
    err = end_step(&step, err);
    if (err == FR_OK && bulk->phase == FR_BULK_DONE && bulk->is_kept)
        fr_bulk_drop_list(bulk->store);
    adapt(&bulk->work_ms, budget_ms, began_ms);
    return err;
}

enum fr_err fr_bulk_step(struct fr_bulk *bulk, unsigned budget_ms, struct fr_diag *diag, bool *done)
{
    int64_t deadline_ms = fr_clock_mono_ms(fr_clock_system()) + budget_ms;
    bool is_write = bulk->phase > FR_BULK_CHECK && bulk->phase < FR_BULK_DONE;
    struct fr_diag told = {0};
    enum fr_err err = FR_OK;
    bool is_sorted = false;

    if (bulk->phase == FR_BULK_SORT) {
        err = fr_list_finish(bulk->list, budget_ms, &told, &is_sorted);
        if (is_sorted) bulk->phase = FR_BULK_CHECK;
    } else if (bulk->phase == FR_BULK_CHECK) {
        err = fr_bulk_check(bulk, deadline_ms, &told);
    } else if (bulk->phase == FR_BULK_WRITE && !bulk->is_kept) {
        err = fr_bulk_keep_list(bulk, &told); /* from here on it is finished, whatever happens */
    } else if (is_write) {
        err = write_step(bulk, budget_ms, &told);
    }
    if (err == FR_OK) *done = bulk->phase == FR_BULK_DONE;
    if (err == FR_OK || diag == NULL) return err;
    if (told.what[0] == '\0' && !fr_store_is_damage(err)) /* that is not the list's fault */
        (void)fr_diag_fail(&told, err,
                           err == FR_E_FULL ? "the store is full" : "the list could not be %s",
                           is_write ? "written" : "checked");
    *diag = told;
    if (is_write && !bulk->is_apart && bulk->is_kept)
        fr_diag_hint(diag, "if it has begun, it is finished by itself as soon as that can be");
    return err;
}

void fr_bulk_report(const struct fr_bulk *bulk, struct fr_device_report *report, uint64_t *sequence)
{
    *report = bulk->report;
    *sequence = bulk->sequence;
}

/* --- afterwards --- */

static enum fr_err has_leftovers(struct fr_store *store, bool *is_left)
{
    struct fr_snap *snap = NULL;
    uint32_t table = 0;
    uint64_t rows = 0;

    enum fr_err err = fr_snap_begin(store, &snap);
    if (err == FR_OK) err = fr_snap_devices(snap, &table);
    table = table == FR_TABLE_DEVICES_0 ? FR_TABLE_DEVICES_1 : FR_TABLE_DEVICES_0;
    if (err == FR_OK) err = fr_txn_count(snap->txn, table, &rows);
    fr_snap_end(snap);
    *is_left = rows > 0;
    return err;
}

/* One part of finishing an import that was cut short; *is_left: there is more of it. */
static enum fr_err resume_some(struct fr_store *store, unsigned budget_ms, bool *is_left)
{
    bool done = false;
    enum fr_err err = FR_OK;

    *is_left = false;
    if (store->resumed == NULL) err = fr_bulk_resume(store, &store->resumed);
    if (err == FR_E_NOT_FOUND || err == FR_E_BUSY) return FR_OK; /* none, or another's */
    if (err == FR_OK) err = fr_bulk_step(store->resumed, budget_ms, NULL, &done);
    *is_left = err == FR_OK && !done;
    if (*is_left) return FR_OK;
    fr_bulk_free(store->resumed);
    store->resumed = NULL;
    return err;
}

enum fr_err fr_bulk_tidy(struct fr_store *store, unsigned budget_ms, bool *done)
{
    struct fr_bulk_step step;
    bool is_left = false;
    int lock_fd = -1;

    enum fr_err err = fr_store_check_role(store, NULL);
    if (err == FR_E_DENIED) { /* the primary tidies up for its replicas too */
        *done = true;
        return FR_OK;
    }
    if (err == FR_OK) err = resume_some(store, budget_ms, &is_left);
    if (err == FR_OK && is_left) *done = false;
    if (err || is_left) return err;
    err = has_leftovers(store, &is_left);
    if (err == FR_OK && is_left) err = fr_bulk_lock(store, &lock_fd);
    if (err) return err;
    if (lock_fd >= 0) {
        err = begin_step(store, budget_ms / 2, &step);
        if (err == FR_OK) err = fr_bulk_drop(&step, &is_left);
        err = end_step(&step, err);
        (void)close(lock_fd);
        if (err) return err;
    }
    *done = !is_left || lock_fd < 0;
    return FR_OK;
}
