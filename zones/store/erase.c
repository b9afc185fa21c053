#include "store/erase.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/feed_priv.h"
#include "store/rows.h"
#include "store/tables.h"

#include <string.h>

#define RECORD_MAX (FR_CHANGE_FACTS_MAX + 1024)
#define REWRITES_AT_ONCE 64
#define CLOCK_EVERY 64

static bool is_listed(const struct fr_erasure *erasure, uint64_t eui)
{
    for (size_t i = 0; i < erasure->n; i++)
        if (erasure->euis[i] == eui) return true;
    return false;
}

/* Does this fact carry what is to go? */
static bool is_meant(const struct fr_erasure *erasure, const struct fr_fact *fact)
{
    struct fr_rd r = fr_rd(fact->key);

    if (erasure->member != NULL)
        return fact->kind == FR_FACT_MEMBER && fact->value.n > 0 &&
               fr_span_is(fact->key, erasure->member);
    return (fact->kind == FR_FACT_DEVICE || fact->kind == FR_FACT_RELEASE ||
            fact->kind == FR_FACT_CONFLICT) &&
           is_listed(erasure, fr_rd_u64(&r));
}

/* The member as it was, without its words. */
static enum fr_err put_blank_member(struct fr_buf *out, const struct fr_fact *fact)
{
    struct fr_member_row row = {0};
    uint8_t bytes[FR_ROW_MAX];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    enum fr_err err = fr_member_read(fact->value, &row);
    if (err) return err;
    row.org[0] = row.noc[0] = row.security[0] = '\0';
    fr_member_write(&w, &row);
    fr_fact_write(out, FR_FACT_MEMBER, fact->key, fr_wr_done(&w));
    return FR_OK;
}

/* The record's facts as they are to be; *n of them were meant. */
static enum fr_err rewrite_facts(const struct fr_erasure *erasure,
                                 const struct fr_journal_record *record, struct fr_buf *out,
                                 uint32_t *kept, uint64_t *n)
{
    struct fr_span facts = record->facts;
    struct fr_fact fact;
    enum fr_err err = FR_OK;

    for (*n = *kept = 0; err == FR_OK;) {
        err = fr_fact_next(&facts, &fact);
        if (err) break;
        bool is_to_go = is_meant(erasure, &fact);
        *n += is_to_go;
        if (is_to_go && erasure->member == NULL) continue;
        if (is_to_go)
            err = put_blank_member(out, &fact);
        else
            fr_fact_write(out, fact.kind, fact.key, fact.value);
        ++*kept;
    }
    return err == FR_E_NOT_FOUND ? fr_buf_err(out) : err;
}

static bool has_any(const struct fr_erasure *erasure, const struct fr_journal_record *record)
{
    struct fr_span facts = record->facts;
    struct fr_fact fact;

    while (fr_fact_next(&facts, &fact) == FR_OK)
        if (is_meant(erasure, &fact)) return true;
    return false;
}

static enum fr_err put_record(struct fr_txn *txn, const struct fr_journal_record *record)
{
    uint8_t bytes[8], *value = fr_malloc(RECORD_MAX);
    struct fr_wr k = fr_wr(bytes, sizeof bytes), w = fr_wr(value, RECORD_MAX);

    if (value == NULL) return FR_E_NOMEM;
    fr_wr_u64(&k, record->sequence);
    fr_journal_write(&w, record);
    enum fr_err err = fr_wr_err(&w);
    if (err == FR_OK) err = fr_txn_put(txn, FR_TABLE_JOURNAL, fr_wr_done(&k), fr_wr_done(&w));
    fr_free(value);
    return err;
}

static enum fr_err rewrite(struct fr_erasure *erasure, struct fr_snap *snap, uint64_t sequence)
{
    struct fr_buf facts = FR_BUF_INIT(FR_CHANGE_FACTS_MAX);
    struct fr_journal_record record;
    uint64_t n = 0;

    enum fr_err err = fr_journal_next(snap, sequence, &record);
    if (err || record.sequence != sequence) return err == FR_E_NOT_FOUND ? FR_OK : err;
    err = rewrite_facts(erasure, &record, &facts, &record.n_facts, &n);
    record.facts = fr_buf_span(&facts);
    if (err == FR_OK && n > 0) err = put_record(snap->txn, &record);
    fr_buf_deinit(&facts);
    erasure->facts += n;
    erasure->records += n > 0;
    return err;
}

/* Numbers of records to rewrite, looked for without the writer's lock. FR_E_NOT_FOUND: there are no more. */
static enum fr_err find(struct fr_erasure *erasure, struct fr_store *store, int64_t deadline_ms,
                        uint64_t found[REWRITES_AT_ONCE], size_t *n)
{
    struct fr_journal_record record;
    struct fr_snap *snap = NULL;

    enum fr_err err = fr_snap_begin(store, &snap);
    for (size_t i = 1; err == FR_OK && *n < REWRITES_AT_ONCE; i++) {
        if (i % CLOCK_EVERY == 0 && fr_clock_mono_ms(fr_clock_system()) >= deadline_ms) break;
        err = fr_journal_next(snap, erasure->at, &record);
        if (err == FR_OK && record.sequence >= erasure->since) err = FR_E_NOT_FOUND;
        if (err) break;
        if (has_any(erasure, &record)) found[(*n)++] = record.sequence;
        erasure->at = record.sequence + 1;
    }
    fr_snap_end(snap);
    return err;
}

enum fr_err fr_erase_step(struct fr_store *store, struct fr_erasure *erasure, unsigned budget_ms,
                          bool *done)
{
    struct fr_snap snap = {.store = store, .generation = -1};
    uint64_t found[REWRITES_AT_ONCE];
    size_t n = 0;

    enum fr_err end =
        find(erasure, store, fr_clock_mono_ms(fr_clock_system()) + budget_ms, found, &n);
    if (end && end != FR_E_NOT_FOUND) return end;
    *done = end == FR_E_NOT_FOUND;
    if (n == 0 && !*done) return FR_OK;
    enum fr_err err = fr_txn_write(store->db, &snap.txn);
    if (err) return err;
    for (size_t i = 0; err == FR_OK && i < n; i++) err = rewrite(erasure, &snap, found[i]);
    if (err == FR_OK && *done) err = fr_feed_note_erasure(snap.txn);
    if (err == FR_OK) return fr_txn_commit(snap.txn);
    fr_txn_end(snap.txn);
    return err;
}
