/* An import in place that was cut short is finished later. Its mark in meta says that one is under way, whose and why; its list is
 * kept in a file beside the store, synced before the first row is written. Whoever comes next goes through the whole list again,
 * which finds most of it done, and ends with the one record that the import was to leave. */
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/bulk.h"
#include "store/network.h"
#include "store/rows.h"
#include "store/rows_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEPT_NAME "import.pending"
#define MARK_MAX 16
#define MARK_PREFIX "bulk."
#define MARK_VALUE_MAX (32 + FR_ACTOR_MAX + FR_REASON_MAX + FR_SERIAL_SIZE)

struct mark {
    uint32_t netid;
    int64_t since_s;
    bool is_full; /* the older form has nothing but the time: its list was not kept */
    enum fr_device_mode mode;
    struct fr_journal_record record;
};

static struct fr_span mark_key(uint32_t netid, char out[MARK_MAX])
{
    snprintf(out, MARK_MAX, MARK_PREFIX "%06" PRIx32, netid & 0xffffff);
    return fr_span_str(out);
}

enum fr_err fr_bulk_mark(struct fr_bulk *bulk, struct fr_txn *txn)
{
    const struct fr_journal_record *record = &bulk->record;
    uint8_t bytes[MARK_VALUE_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    char mark[MARK_MAX];

    fr_wr_u64(&w, (uint64_t)record->when_s);
    fr_wr_u8(&w, (uint8_t)bulk->job.mode);
    fr_row_write_text(&w, record->actor);
    fr_row_write_text(&w, record->reason);
    fr_wr_u8(&w, record->has_serial);
    if (record->has_serial) fr_wr_bytes(&w, record->serial, sizeof record->serial);
    enum fr_err err = fr_wr_err(&w);
    if (err) return err;
    return fr_txn_put(txn, FR_DB_META, mark_key(bulk->job.netid, mark), fr_wr_done(&w));
}

enum fr_err fr_bulk_unmark(struct fr_txn *txn, uint32_t netid)
{
    char mark[MARK_MAX];
    enum fr_err err = fr_txn_delete(txn, FR_DB_META, mark_key(netid, mark));

    return err == FR_E_NOT_FOUND ? FR_OK : err; /* it was over in one step */
}

static void read_rest(struct fr_rd *r, struct mark *out)
{
    uint8_t mode = fr_rd_u8(r);

    if (mode > FR_DEVICE_REMOVE) fr_rd_fail(r, FR_E_MALFORMED);
    out->mode = (enum fr_device_mode)mode;
    fr_row_read_text(r, out->record.actor, FR_ACTOR_MAX);
    fr_row_read_text(r, out->record.reason, FR_REASON_MAX);
    out->record.has_serial = fr_rd_u8(r) == 1;
    if (out->record.has_serial) fr_rd_bytes(r, out->record.serial, sizeof out->record.serial);
    out->is_full = true;
}

static enum fr_err read_mark(void *data, struct fr_span key, struct fr_span value)
{
    struct mark *out = data;
    struct fr_rd r = fr_rd(value);
    struct fr_span digits = {key.p + sizeof MARK_PREFIX - 1, key.n - (sizeof MARK_PREFIX - 1)};
    uint64_t netid = 0;

    out->since_s = (int64_t)(fr_rd_u64(&r) & INT64_MAX);
    if (value.n > 8) read_rest(&r, out);
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) err = fr_hex_parse_u64(digits, 6, &netid);
    out->netid = (uint32_t)netid;
    out->record.when_s = out->since_s;
    return err ? FR_E_MALFORMED : FR_E_EXISTS; /* the first one ends the walk */
}

static enum fr_err find_mark(struct fr_snap *snap, struct mark *out)
{
    enum fr_err err = fr_snap_visit(snap, FR_DB_META, FR_SPAN_LIT(MARK_PREFIX), read_mark, out);

    if (err == FR_OK) return FR_E_NOT_FOUND;
    return err == FR_E_EXISTS ? FR_OK : err;
}

enum fr_err fr_bulk_find_pending(struct fr_snap *snap, struct fr_bulk_pending *out)
{
    struct mark mark = {0};

    enum fr_err err = find_mark(snap, &mark);
    if (err == FR_OK) *out = (struct fr_bulk_pending){mark.netid, mark.since_s};
    return err;
}

/* --- the list --- */

enum fr_err fr_bulk_keep_list(struct fr_bulk *bulk, struct fr_diag *diag)
{
    enum fr_err err = fr_list_keep(bulk->list, KEPT_NAME, diag);

    bulk->is_kept = err == FR_OK;
    return err;
}

void fr_bulk_drop_list(const struct fr_store *store)
{
    char *path = fr_path_join(store->dir, KEPT_NAME);

    if (path != NULL) (void)unlink(path);
    fr_free(path);
}

/* --- finishing --- */

/* The NetID was given up: there is nothing to finish. */
static enum fr_err give_up(struct fr_store *store, uint32_t netid)
{
    struct fr_txn *txn = NULL;

    enum fr_err err = fr_txn_write(store->db, &txn);
    if (err) return err;
    err = fr_bulk_unmark(txn, netid);
    if (err) {
        fr_txn_end(txn);
        return err;
    }
    err = fr_txn_commit(txn);
    if (err == FR_OK) fr_bulk_drop_list(store);
    return err;
}

static bool has_list(const struct fr_store *store)
{
    char *path = fr_path_join(store->dir, KEPT_NAME);
    bool has = path == NULL || fr_file_exists(path); /* without memory nothing is given up */

    fr_free(path);
    return has;
}

#define CUT_SHORT "cut short, its list is lost: what had been written stays"

/* The one record that the import was to leave, so that whoever reads the journal knows that rows have come: how many of them
 * only the list could tell. */
static enum fr_err write_cut_short(struct fr_txn *txn, const struct mark *mark, uint64_t devices)
{
    struct fr_journal_record record = mark->record;
    struct fr_buf facts = FR_BUF_INIT(256);
    uint8_t key[3], value[33];
    struct fr_wr k = fr_wr(key, sizeof key), v = fr_wr(value, sizeof value);
    uint64_t sequence = 0;

    if (snprintf(record.reason, sizeof record.reason, CUT_SHORT "%s%s",
                 mark->record.reason[0] ? "; " : "",
                 mark->record.reason) >= (int)sizeof record.reason)
        fr_text_copy(CUT_SHORT, record.reason, sizeof record.reason);
    fr_wr_u24(&k, mark->netid);
    fr_wr_u8(&v, (uint8_t)mark->mode);
    for (unsigned i = 0; i < 3; i++) fr_wr_u64(&v, 0);
    fr_wr_u64(&v, devices);
    fr_fact_write(&facts, FR_FACT_IMAGE, fr_wr_done(&k), fr_wr_done(&v));
    record.n_facts = 1;
    record.facts = fr_buf_span(&facts);
    enum fr_err err = fr_buf_err(&facts);
    if (err == FR_OK) err = fr_journal_append(txn, &record, &sequence);
    fr_buf_deinit(&facts);
    return err;
}

/* The list was on another machine, or on another disk. Under the lock nobody is between its list and its mark. */
static enum fr_err cut_short(struct fr_store *store, struct mark *mark)
{
    struct fr_network_row network = {0};
    struct fr_snap snap = {.store = store, .generation = -1};
    struct fr_span value;
    char key[MARK_MAX];
    int lock_fd = -1;

    enum fr_err err = fr_bulk_lock(store, &lock_fd);
    if (err || lock_fd < 0) return err ? err : FR_E_BUSY;
    if (has_list(store)) err = FR_E_BUSY; /* the next look */
    if (err == FR_OK) err = fr_txn_write(store->db, &snap.txn);
    if (err) goto out;
    err = fr_txn_get(snap.txn, FR_DB_META, mark_key(mark->netid, key), &value);
    if (err == FR_OK) err = fr_network_get(&snap, mark->netid, &network);
    if (err == FR_OK) err = write_cut_short(snap.txn, mark, network.devices);
    if (err == FR_OK) err = fr_bulk_unmark(snap.txn, mark->netid);
    if (err == FR_OK)
        err = fr_txn_commit(snap.txn);
    else
        fr_txn_end(snap.txn);
out:
    (void)close(lock_fd);
    return err;
}

static enum fr_err begin(struct fr_store *store, const struct mark *mark, struct fr_bulk **out)
{
    struct fr_device_job job = {.netid = mark->netid, .mode = mark->mode, .keep_going = true};
    const struct fr_change_by by = {
        .actor = mark->record.actor,
        .serial = mark->record.has_serial ? mark->record.serial : NULL,
        .reason = mark->record.reason,
        .now_s = mark->since_s,
    };
    struct fr_list *list = NULL;
    struct fr_bulk *bulk = NULL;

    enum fr_err err = fr_list_open_kept(store->dir, KEPT_NAME, NULL, &list);
    if (err) return err;
    job.list = list;
    err = fr_bulk_new(store, &job, &by, NULL, &bulk);
    if (err) {
        fr_list_free(list);
        return err;
    }
    bulk->own_list = list;
    bulk->is_kept = bulk->is_resumed = true;
    *out = bulk;
    return FR_OK;
}

/* Some file may be left of a bulk that ended before its first row. */
static void drop_stray_list(struct fr_store *store)
{
    char *path = fr_path_join(store->dir, KEPT_NAME);
    int lock_fd = -1;

    if (path != NULL && fr_file_exists(path) && fr_bulk_lock(store, &lock_fd) == FR_OK &&
        lock_fd >= 0)
        (void)unlink(path);
    if (lock_fd >= 0) (void)close(lock_fd);
    fr_free(path);
}

enum fr_err fr_bulk_resume(struct fr_store *store, struct fr_bulk **out)
{
    struct fr_snap *snap = NULL;
    struct fr_network_row network;
    struct mark mark = {0};

    enum fr_err err = fr_snap_begin(store, &snap);
    if (err) return err;
    err = find_mark(snap, &mark);
    bool is_pending = err == FR_OK;
    if (is_pending) err = fr_network_get(snap, mark.netid, &network);
    fr_snap_end(snap);
    if (!is_pending) drop_stray_list(store);
    if (!is_pending || !mark.is_full) return is_pending ? FR_E_NOT_FOUND : err;
    if (err == FR_E_NOT_FOUND)
        err = give_up(store, mark.netid);
    else if (err == FR_OK && has_list(store))
        return begin(store, &mark, out);
    else if (err == FR_OK)
        err = cut_short(store, &mark);
    return err ? err : FR_E_NOT_FOUND;
}
