#include "store/change.h"

#include "base/buf.h"
#include "base/mem.h"
#include "store/feed.h"
#include "store/tables.h"

#include <stdlib.h>
#include <string.h>

struct fr_batch {
    struct fr_store *store;
    struct fr_txn *txn;
};

/* Where a fact's stored form lies in the change's buffer. */
struct noted {
    size_t at, n;   /* whole form */
    size_t key_end; /* of kind and key, what tells facts apart */
    uint32_t order;
};

struct fr_change {
    struct fr_batch *batch;
    bool owns_batch;
    struct fr_snap snap; /* its txn is what the change writes to */
    struct fr_journal_record record;
    struct fr_buf facts; /* in the order noted, repeats included */
    struct noted *noted;
    uint32_t n_noted, room;
    bool moves_standing;
};

/* Repeats are folded away at the end, so more than the record's limit may be noted meanwhile. */
#define FACTS_NOTED_MAX (4 * FR_CHANGE_FACTS_MAX)

/* Where changes are made instead. */
static enum fr_err refuse(struct fr_store *store, struct fr_diag *diag)
{
    struct fr_feed_state state = {0};
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err == FR_OK) err = fr_feed_get(snap, &state);
    fr_snap_end(snap);
    if (err) return fr_diag_fail(diag, err, "the store cannot be read: %s", fr_err_text(err));
    (void)fr_diag_fail(
        diag, FR_E_DENIED,
        state.role == FR_ROLE_DEPOSED
            ? "another broker has taken over as the primary%s%s: nothing is changed here"
            : "this is a replica: changes are made at the primary%s%s",
        state.primary[0] != '\0' ? ", " : "", state.primary);
    fr_diag_hint(diag, "when the primary is lost: fedroam promote");
    return FR_E_DENIED;
}

enum fr_err fr_store_check_role(struct fr_store *store, struct fr_diag *diag)
{
    struct fr_feed_state state = {0};
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err == FR_OK) err = fr_feed_get(snap, &state);
    fr_snap_end(snap);
    return err == FR_OK && state.role != FR_ROLE_PRIMARY ? refuse(store, diag) : err;
}

enum fr_err fr_batch_begin(struct fr_store *store, struct fr_diag *diag, struct fr_batch **out)
{
    struct fr_batch *batch = fr_calloc(1, sizeof *batch);

    if (batch == NULL) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    batch->store = store;
    enum fr_err err = fr_txn_write(store->db, &batch->txn);
    if (err) {
        fr_free(batch);
        if (err == FR_E_DENIED) return refuse(store, diag);
        return fr_diag_fail(diag, err, "the store cannot be written to: %s", fr_err_text(err));
    }
    *out = batch;
    return FR_OK;
}

enum fr_err fr_batch_commit(struct fr_batch *batch, struct fr_diag *diag)
{
    enum fr_err err = fr_txn_commit(batch->txn);

    fr_free(batch);
    if (err == FR_E_FULL) {
        (void)fr_diag_fail(diag, err, "the store is full; nothing was changed");
        fr_diag_hint(diag, "free disk space for the state directory (fedroam store info)");
    } else if (err) {
        (void)fr_diag_fail(diag, err, "the change could not be written: %s", fr_err_text(err));
    }
    return err;
}

void fr_batch_abort(struct fr_batch *batch)
{
    if (batch == NULL) return;
    fr_txn_end(batch->txn);
    fr_free(batch);
}

static enum fr_err change_new(struct fr_batch *batch, const struct fr_change_by *by,
                              bool owns_batch, struct fr_diag *diag, struct fr_change **out)
{
    struct fr_change *change = fr_calloc(1, sizeof *change);
    struct fr_txn *txn = batch->txn;

    if (change == NULL) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    if (!owns_batch) {
        enum fr_err err = fr_txn_nested(batch->txn, &txn);
        if (err) {
            fr_free(change);
            return fr_diag_fail(diag, err, "the store cannot be written to: %s", fr_err_text(err));
        }
    }
    change->batch = batch;
    change->owns_batch = owns_batch;
    change->snap = (struct fr_snap){.store = batch->store, .txn = txn, .generation = -1};
    change->facts = FR_BUF_INIT(FACTS_NOTED_MAX);
    change->record.when_s = by->now_s;
    fr_text_copy(by->actor, change->record.actor, sizeof change->record.actor);
    fr_text_copy(by->reason, change->record.reason, sizeof change->record.reason);
    change->record.has_serial = by->serial != NULL;
    if (by->serial != NULL) memcpy(change->record.serial, by->serial, FR_SERIAL_SIZE);
    *out = change;
    return FR_OK;
}

enum fr_err fr_batch_change(struct fr_batch *batch, const struct fr_change_by *by,
                            struct fr_diag *diag, struct fr_change **out)
{
    return change_new(batch, by, false, diag, out);
}

enum fr_err fr_store_change(struct fr_store *store, const struct fr_change_by *by,
                            struct fr_diag *diag, struct fr_change **out)
{
    struct fr_batch *batch = NULL;

    enum fr_err err = fr_batch_begin(store, diag, &batch);
    if (err) return err;
    err = change_new(batch, by, true, diag, out);
    if (err) fr_batch_abort(batch);
    return err;
}

struct fr_txn *fr_change_txn(struct fr_change *change)
{
    return change->snap.txn;
}

struct fr_snap *fr_change_snap(struct fr_change *change)
{
    return &change->snap;
}

bool fr_change_is_empty(const struct fr_change *change)
{
    return change->n_noted == 0;
}

int64_t fr_change_now(const struct fr_change *change)
{
    return change->record.when_s;
}

/* Does this kind of row say who is who, and who sees whom? See fr_snap_standing. */
static bool is_of_standing(enum fr_fact_kind kind)
{
    return kind == FR_FACT_MEMBER || kind == FR_FACT_NETWORK || kind == FR_FACT_POLICY ||
           kind == FR_FACT_VISIBILITY;
}

enum fr_err fr_change_note(struct fr_change *change, enum fr_fact_kind kind, struct fr_span key,
                           struct fr_span value)
{
    if (change->n_noted == change->room) {
        uint32_t room = change->room ? change->room * 2 : 16;
        struct noted *noted = fr_reallocarray(change->noted, room, sizeof *noted);
        if (noted == NULL) return FR_E_NOMEM;
        change->noted = noted;
        change->room = room;
    }
    if (is_of_standing(kind)) change->moves_standing = true;
    size_t at = change->facts.n;
    fr_fact_write(&change->facts, kind, key, value);
    enum fr_err err = fr_buf_err(&change->facts);
    if (err) return err;
    change->noted[change->n_noted] = (struct noted){
        .at = at, .n = change->facts.n - at, .key_end = 3 + key.n, .order = change->n_noted};
    change->n_noted++;
    return FR_OK;
}

enum fr_err fr_change_put(struct fr_change *change, enum fr_store_table table,
                          enum fr_fact_kind kind, struct fr_span key, struct fr_span value)
{
    struct fr_span there;

    enum fr_err err = fr_txn_get(change->snap.txn, table, key, &there);
    if (err == FR_OK && fr_span_equal(there, value)) return FR_OK;
    if (err && err != FR_E_NOT_FOUND) return err;
    err = fr_txn_put(change->snap.txn, table, key, value);
    return err ? err : fr_change_note(change, kind, key, value);
}

static int by_key(const void *a, const void *b, void *facts)
{
    const struct noted *x = a, *y = b;
    const uint8_t *bytes = facts;
    size_t n = x->key_end < y->key_end ? x->key_end : y->key_end;

    int order = memcmp(bytes + x->at, bytes + y->at, n);
    if (order != 0) return order;
    if (x->key_end != y->key_end) return x->key_end < y->key_end ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static bool is_same_key(const uint8_t *facts, const struct noted *a, const struct noted *b)
{
    return a->key_end == b->key_end && memcmp(facts + a->at, facts + b->at, a->key_end) == 0;
}

/* A device that a change touches twice was, before it, what its first fact says. */
static void keep_was(uint8_t *facts, const struct noted *first, const struct noted *next)
{
    const size_t was = FR_FACT_DEVICE_SIZE / 2;

    if (facts[first->at] == FR_FACT_DEVICE)
        memcpy(facts + next->at + next->n - was, facts + first->at + first->n - was, was);
}

/* Of each row the last fact stays, in order of kind and key. */
static enum fr_err fold(struct fr_change *change, struct fr_buf *out)
{
    uint8_t *facts = change->facts.p;

    qsort_r(change->noted, change->n_noted, sizeof *change->noted, by_key, change->facts.p);
    change->record.n_facts = 0;
    for (uint32_t i = 0; i < change->n_noted; i++) {
        const struct noted *fact = &change->noted[i];
        if (i + 1 < change->n_noted && is_same_key(facts, fact, fact + 1)) {
            keep_was(facts, fact, fact + 1);
            continue;
        }
        fr_buf_add(out, facts + fact->at, fact->n);
        change->record.n_facts++;
    }
    return fr_buf_err(out);
}

static void change_free(struct fr_change *change)
{
    fr_buf_deinit(&change->facts);
    fr_free(change->noted);
    fr_free(change);
}

enum fr_err fr_change_commit(struct fr_change *change, struct fr_diag *diag, uint64_t *sequence)
{
    struct fr_buf facts = FR_BUF_INIT(FR_CHANGE_FACTS_MAX);
    uint64_t number = 0;
    enum fr_err err = FR_OK;

    if (fr_change_is_empty(change)) {
        number = fr_snap_sequence(&change->snap);
        fr_change_cancel(change);
        goto out;
    }
    err = fold(change, &facts);
    if (err == FR_OK) {
        change->record.facts = fr_buf_span(&facts);
        err = fr_journal_append(change->snap.txn, &change->record, &number);
    }
    if (err == FR_OK && change->moves_standing)
        err = fr_meta_put_u64(change->snap.txn, "standing", number);
    if (err) {
        fr_change_cancel(change);
        (void)fr_diag_fail(diag, err,
                           err == FR_E_LIMIT  ? "the change is too large"
                           : err == FR_E_FULL ? "the store is full; nothing was changed"
                                              : "the change could not be recorded");
        goto out;
    }
    if (change->owns_batch)
        err = fr_batch_commit(change->batch, diag);
    else
        err = fr_txn_commit(change->snap.txn);
    change_free(change);
out:
    fr_buf_deinit(&facts);
    if (err == FR_OK) *sequence = number;
    return err;
}

void fr_change_cancel(struct fr_change *change)
{
    if (change == NULL) return;
    if (change->owns_batch)
        fr_batch_abort(change->batch);
    else
        fr_txn_end(change->snap.txn);
    change_free(change);
}
