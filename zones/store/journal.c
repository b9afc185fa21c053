#include "store/journal.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/acted_write.h"
#include "store/policy.h"
#include "store/rows.h"
#include "store/tables.h"

#define RECORD_MAX (FR_CHANGE_FACTS_MAX + 1024)

static struct fr_span sequence_key(uint64_t sequence, uint8_t out[8])
{
    struct fr_wr w = fr_wr(out, 8);

    fr_wr_u64(&w, sequence);
    return fr_wr_done(&w);
}

void fr_fact_write(struct fr_buf *out, enum fr_fact_kind kind, struct fr_span key,
                   struct fr_span value)
{
    uint8_t head[3], size[4];
    struct fr_wr h = fr_wr(head, sizeof head), s = fr_wr(size, sizeof size);

    fr_wr_u8(&h, (uint8_t)kind);
    fr_wr_u16(&h, (uint16_t)key.n);
    fr_wr_u32(&s, (uint32_t)value.n);
    fr_buf_add_span(out, fr_wr_done(&h));
    fr_buf_add_span(out, key);
    fr_buf_add_span(out, fr_wr_done(&s));
    fr_buf_add_span(out, value);
}

enum fr_err fr_fact_next(struct fr_span *facts, struct fr_fact *out)
{
    if (facts->n == 0) return FR_E_NOT_FOUND;
    struct fr_rd r = fr_rd(*facts);
    uint8_t kind = fr_rd_u8(&r);
    if (kind < FR_FACT_MEMBER || kind > FR_FACT_LAST) fr_rd_fail(&r, FR_E_UNSUPPORTED);
    struct fr_span key = fr_rd_span(&r, fr_rd_u16(&r));
    struct fr_span value = fr_rd_span(&r, fr_rd_u32(&r));
    struct fr_span rest = fr_rd_rest(&r);
    enum fr_err err = fr_rd_err(&r);
    if (err) return err;
    *out = (struct fr_fact){.kind = kind, .key = key, .value = value};
    *facts = rest;
    return FR_OK;
}

/* Stored as NetID (3), flags (1), and the same of what was; by schema 3 as NetID, flags when there are any, or nothing. */
enum fr_err fr_fact_device_read(struct fr_span value, struct fr_fact_device *out)
{
    struct fr_rd r = fr_rd(value);
    struct fr_fact_device got = {.has_was = value.n == FR_FACT_DEVICE_SIZE};

    if (value.n > 0) got.netid = fr_rd_u24(&r);
    if (value.n > 3) got.flags = fr_rd_u8(&r);
    if (got.has_was) {
        got.was_netid = fr_rd_u24(&r);
        got.was_flags = fr_rd_u8(&r);
    }
    enum fr_err err = fr_rd_end(&r);
    if (err == FR_OK) *out = got;
    return err;
}

enum fr_err fr_journal_append(struct fr_txn *txn, const struct fr_journal_record *record,
                              uint64_t *sequence)
{
    uint8_t key[8];
    uint64_t last = 0;
    uint8_t *bytes = NULL;

    enum fr_err err = fr_meta_get_u64(txn, "sequence", &last);
    if (err) return err;
    bytes = fr_malloc(RECORD_MAX);
    if (bytes == NULL) return FR_E_NOMEM;
    struct fr_wr w = fr_wr(bytes, RECORD_MAX);
    fr_journal_write(&w, record);
    err = fr_wr_err(&w);
    if (err == FR_OK)
        err = fr_txn_append(txn, FR_TABLE_JOURNAL, sequence_key(last + 1, key), fr_wr_done(&w));
    if (err == FR_OK) err = fr_meta_put_u64(txn, "sequence", last + 1);
    if (err == FR_OK) err = fr_acted_raise(txn, record->when_s);
    fr_free(bytes);
    if (err == FR_OK) *sequence = last + 1;
    return err;
}

enum fr_err fr_journal_next(struct fr_snap *snap, uint64_t from, struct fr_journal_record *out)
{
    struct fr_cursor *cursor = NULL;
    struct fr_journal_record record = {0};
    struct fr_span key, value;
    uint8_t bytes[8];

    enum fr_err err = fr_cursor_open(snap->txn, FR_TABLE_JOURNAL, &cursor);
    if (err) return err;
    err = fr_cursor_seek(cursor, sequence_key(from, bytes), &key, &value);
    if (err) goto out;
    struct fr_rd r = fr_rd(key);
    record.sequence = fr_rd_u64(&r);
    err = fr_rd_end(&r);
    if (err == FR_OK) err = fr_journal_read(value, &record);
    if (err == FR_OK) *out = record;
out:
    fr_cursor_close(cursor);
    return err;
}

enum fr_err fr_journal_first(struct fr_snap *snap, uint64_t *sequence)
{
    struct fr_journal_record record;

    enum fr_err err = fr_journal_next(snap, 0, &record);
    if (err == FR_OK) *sequence = record.sequence;
    return err;
}

enum fr_err fr_journal_latest(struct fr_snap *snap, uint64_t n, uint64_t *sequence)
{
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;

    enum fr_err err = fr_cursor_open(snap->txn, FR_TABLE_JOURNAL, &cursor);
    if (err) return err;
    err = fr_cursor_last(cursor, &key, &value);
    for (uint64_t i = 0; err == FR_OK; i++) {
        struct fr_rd r = fr_rd(key);
        *sequence = fr_rd_u64(&r) + (n == 0);
        err = fr_rd_end(&r);
        if (err || i + 1 >= n) break;
        if (fr_cursor_prev(cursor, &key, &value) != FR_OK) break; /* there are fewer */
    }
    fr_cursor_close(cursor);
    return err;
}

/* --- trimming --- */

struct keep {
    int64_t since_s;
    uint64_t last;    /* number of the last record */
    uint64_t n, rows; /* how many there are, how many may stay */
};

static enum fr_err read_keep(struct fr_snap *snap, int64_t now_s, struct keep *out)
{
    uint32_t keep_s = 0, rows = 0;
    uint64_t n = 0;

    enum fr_err err = fr_policy_get(snap, FR_POLICY_JOURNAL_KEEP, &keep_s);
    if (err == FR_OK) err = fr_policy_get(snap, FR_POLICY_JOURNAL_ROWS, &rows);
    if (err == FR_OK) err = fr_txn_count(snap->txn, FR_TABLE_JOURNAL, &n);
    if (err) return err;
    *out = (struct keep){now_s - (int64_t)keep_s, fr_snap_sequence(snap), n, rows};
    return FR_OK;
}

static bool is_kept(const struct keep *keep, const struct fr_journal_record *record)
{
    if (record->sequence >= keep->last) return true;
    return record->when_s >= keep->since_s && keep->n <= keep->rows;
}

static enum fr_err trim(struct fr_snap *snap, struct keep *keep, size_t limit, uint64_t *removed,
                        bool *left)
{
    struct fr_journal_record record;
    uint8_t key[8];

    *left = false;
    for (*removed = 0;; ++*removed) {
        enum fr_err err = fr_journal_next(snap, 0, &record);
        if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
        if (is_kept(keep, &record)) return FR_OK;
        *left = *removed == limit;
        if (*left) return FR_OK;
        err = fr_txn_delete(snap->txn, FR_TABLE_JOURNAL, sequence_key(record.sequence, key));
        if (err) return err;
        keep->n--;
    }
}

enum fr_err fr_journal_trim_count(struct fr_snap *snap, int64_t now_s, size_t limit,
                                  struct fr_journal_count *count, bool *left)
{
    struct fr_journal_record record;
    struct keep keep;

    enum fr_err err = read_keep(snap, now_s, &keep);
    *left = false;
    if (err == FR_OK) keep.n -= count->n; /* as if those were gone */
    for (size_t i = 0; err == FR_OK; i++) {
        *left = i == limit;
        if (*left) return FR_OK;
        err = fr_journal_next(snap, count->next, &record);
        if (err || is_kept(&keep, &record)) break;
        keep.n--;
        count->n++;
        count->next = record.sequence + 1;
    }
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

/* Looked at without the writer's lock first: mostly there is nothing to do. */
static enum fr_err has_work(struct fr_store *store, int64_t now_s, bool *out)
{
    struct fr_journal_record record;
    struct fr_snap *snap = NULL;
    struct keep keep;

    enum fr_err err = fr_snap_begin(store, &snap);
    if (err) return err;
    err = read_keep(snap, now_s, &keep);
    if (err == FR_OK) err = fr_journal_next(snap, 0, &record);
    *out = err == FR_OK && !is_kept(&keep, &record);
    fr_snap_end(snap);
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

enum fr_err fr_journal_trim(struct fr_store *store, int64_t now_s, size_t limit, uint64_t *removed,
                            bool *left)
{
    struct fr_snap snap = {.store = store, .generation = -1};
    struct keep keep;
    uint64_t n = 0;
    bool is_left = false;

    enum fr_err err = has_work(store, now_s, &is_left);
    if (err || !is_left) goto out;
    err = fr_txn_write(store->db, &snap.txn);
    if (err) return err;
    err = read_keep(&snap, now_s, &keep);
    if (err == FR_OK) err = trim(&snap, &keep, limit, &n, &is_left);
    if (err == FR_OK)
        err = fr_txn_commit(snap.txn);
    else
        fr_txn_end(snap.txn);
out:
    if (err) return err;
    *removed = n;
    *left = is_left;
    return FR_OK;
}
