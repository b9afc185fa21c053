#include "store/feed.h"

#include "base/wire.h"
#include "store/bulk.h"
#include "store/feed_priv.h"
#include "store/policy.h"

#include <string.h>

#define TRIM_AT_ONCE 5000

const char *fr_role_text(enum fr_role role)
{
    switch (role) {
    case FR_ROLE_PRIMARY: return "primary";
    case FR_ROLE_REPLICA: return "replica";
    case FR_ROLE_DEPOSED: return "deposed";
    }
    return "unknown";
}

enum fr_err fr_feed_meta(struct fr_txn *txn, const char *name, uint64_t *out)
{
    uint64_t value = 0;
    enum fr_err err = fr_meta_get_u64(txn, name, &value);

    if (err && err != FR_E_NOT_FOUND) return err;
    *out = value;
    return FR_OK;
}

enum fr_err fr_feed_put_text(struct fr_txn *txn, const char *name, const char *text)
{
    return fr_txn_put(txn, FR_DB_META, fr_span_str(name), fr_span_str(text));
}

static enum fr_err read_place(struct fr_txn *txn, const char *position, const char *term,
                              struct fr_feed_place *out)
{
    uint64_t t = 0;
    enum fr_err err = fr_feed_meta(txn, position, &out->position);

    if (err == FR_OK) err = fr_feed_meta(txn, term, &t);
    out->term = (uint32_t)t;
    return err;
}

enum fr_err fr_feed_head(struct fr_txn *txn, struct fr_feed_place *out)
{
    struct fr_cursor *cursor = NULL;
    struct fr_feed_entry entry;
    struct fr_span key, value;

    enum fr_err err = fr_cursor_open(txn, FR_TABLE_FEED, &cursor);
    if (err) return err;
    err = fr_cursor_last(cursor, &key, &value);
    if (err == FR_OK) {
        struct fr_rd r = fr_rd(key);
        entry.position = fr_rd_u64(&r);
        err = fr_rd_end(&r);
        if (err == FR_OK) err = fr_feed_entry_read(value, &entry);
        if (err == FR_OK) *out = (struct fr_feed_place){entry.position, entry.term};
    } else if (err == FR_E_NOT_FOUND) {
        err = read_place(txn, FR_META_BASE, FR_META_BASE_TERM, out);
    }
    fr_cursor_close(cursor);
    return err;
}

void fr_feed_forks_write(struct fr_wr *w, const struct fr_feed_fork *forks, size_t n)
{
    fr_wr_u8(w, (uint8_t)n);
    for (size_t i = 0; i < n; i++) {
        fr_wr_u32(w, forks[i].term);
        fr_wr_u64(w, forks[i].position);
        fr_wr_u64(w, forks[i].sequence);
    }
}

void fr_feed_forks_read(struct fr_rd *r, struct fr_feed_fork forks[FR_FEED_FORKS], size_t *n)
{
    uint8_t count = fr_rd_u8(r);

    if (count > FR_FEED_FORKS) {
        fr_rd_fail(r, FR_E_MALFORMED);
        count = 0;
    }
    for (uint8_t i = 0; i < count; i++) {
        forks[i].term = fr_rd_u32(r);
        forks[i].position = fr_rd_u64(r);
        forks[i].sequence = fr_rd_u64(r);
    }
    *n = count;
}

bool fr_feed_find_fork(const struct fr_feed_fork *forks, size_t n, uint32_t term,
                       struct fr_feed_fork *out)
{
    for (size_t i = 0; i < n; i++) {
        if (forks[i].term <= term) continue;
        *out = forks[i];
        return true;
    }
    return false;
}

static enum fr_err read_forks(struct fr_txn *txn, struct fr_feed_state *s)
{
    struct fr_span value;

    enum fr_err err = fr_txn_get(txn, FR_DB_META, FR_SPAN_LIT(FR_META_FORKS), &value);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    struct fr_rd r = fr_rd(value);
    fr_feed_forks_read(&r, s->forks, &s->n_forks);
    return fr_rd_end(&r);
}

static enum fr_err get_state(struct fr_txn *txn, struct fr_feed_state *out)
{
    struct fr_feed_state s = {0};
    uint64_t role = 0, is_on = 0, term = 0, target = 0, saved = 0;
    struct fr_span image;

    enum fr_err err = fr_feed_meta(txn, FR_META_ROLE, &role);
    if (err == FR_OK && role > FR_ROLE_DEPOSED) err = FR_E_MALFORMED;
    if (err == FR_OK) err = fr_feed_meta(txn, FR_META_ON, &is_on);
    if (err == FR_OK) err = fr_feed_meta(txn, FR_META_TERM, &term);
    if (err == FR_OK) err = fr_feed_meta(txn, FR_META_TARGET, &target);
    if (err == FR_OK) err = fr_feed_meta(txn, FR_META_SAVED, &saved);
    if (err == FR_OK) err = read_forks(txn, &s);
    if (err == FR_OK) err = fr_feed_head(txn, &s.head);
    if (err == FR_OK) err = read_place(txn, FR_META_BASE, FR_META_BASE_TERM, &s.base);
    if (err == FR_OK) err = fr_feed_meta(txn, "sequence", &s.sequence);
    if (err) return err;
    err = fr_txn_get(txn, FR_DB_META, FR_SPAN_LIT(FR_META_IMAGE), &image);
    if (err && err != FR_E_NOT_FOUND) return err;
    bool is_empty = role == FR_ROLE_REPLICA && s.head.position == 0;
    s.has_image = err == FR_OK || s.head.position < target || is_empty;
    err = fr_meta_get_text(txn, FR_META_PRIMARY, s.primary, sizeof s.primary);
    if (err && err != FR_E_NOT_FOUND) return err;
    s.role = (enum fr_role)role;
    s.is_on = is_on != 0;
    s.is_saved = saved != 0;
    s.term = (uint32_t)term;
    *out = s;
    return FR_OK;
}

enum fr_err fr_feed_get(struct fr_snap *snap, struct fr_feed_state *out)
{
    return get_state(snap->txn, out);
}

enum fr_err fr_feed_term_at(struct fr_snap *snap, uint64_t position, uint32_t *out)
{
    struct fr_feed_entry entry = {.position = position};
    struct fr_feed_place base;
    struct fr_span value;
    uint8_t key[8];

    enum fr_err err = fr_txn_get(snap->txn, FR_TABLE_FEED, fr_feed_key(position, key), &value);
    if (err == FR_OK) err = fr_feed_entry_read(value, &entry);
    if (err == FR_OK) *out = entry.term;
    if (err != FR_E_NOT_FOUND) return err;
    err = read_place(snap->txn, FR_META_BASE, FR_META_BASE_TERM, &base);
    if (err || base.position != position) return err ? err : FR_E_NOT_FOUND;
    *out = base.term;
    return FR_OK;
}

/* --- turning on, trimming --- */

static enum fr_err is_feed_on(struct fr_store *store, bool *out)
{
    struct fr_snap *snap = NULL;
    uint64_t is_on = 0;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err == FR_OK) err = fr_feed_meta(snap->txn, FR_META_ON, &is_on);
    fr_snap_end(snap);
    *out = is_on != 0;
    return err;
}

static enum fr_err end(struct fr_txn *txn, enum fr_err err)
{
    if (err == FR_OK) return fr_txn_commit(txn);
    fr_txn_end(txn);
    return err;
}

/* What was written while it was off is in no entry: the number that stands for it is never given to one, so that nobody can
 * be told to have it. */
static enum fr_err turn_on(struct fr_txn *txn, uint32_t term)
{
    struct fr_feed_place head;

    enum fr_err err = fr_feed_head(txn, &head);
    if (err == FR_OK) err = fr_meta_put_u64(txn, FR_META_BASE, head.position + 1);
    if (err == FR_OK) err = fr_meta_put_u64(txn, FR_META_BASE_TERM, term);
    if (err == FR_OK) err = fr_meta_put_u64(txn, FR_META_TERM, term);
    return err ? err : fr_meta_put_u64(txn, FR_META_ON, 1);
}

enum fr_err fr_feed_turn_on(struct fr_store *store)
{
    struct fr_txn *txn = NULL;
    uint64_t on = 0, term = 0;
    bool is_on = false;

    enum fr_err err = is_feed_on(store, &is_on);
    if (err || is_on) return err;
    err = fr_txn_write(store->db, &txn);
    if (err) return err;
    err = fr_feed_meta(txn, FR_META_ON, &on);
    if (err == FR_OK) err = fr_feed_meta(txn, FR_META_TERM, &term);
    if (err == FR_OK && on == 0) err = turn_on(txn, term == 0 ? 1 : (uint32_t)term);
    return end(txn, err);
}

enum fr_err fr_feed_note_erasure(struct fr_txn *txn)
{
    uint64_t is_on = 0, sequence = 0;

    enum fr_err err = fr_feed_meta(txn, FR_META_ON, &is_on);
    if (err || is_on == 0) return err;
    err = fr_feed_meta(txn, "sequence", &sequence);
    return err ? err : fr_meta_put_u64(txn, FR_META_ERASED, sequence);
}

struct keep {
    int64_t since_s; /* by the journal's policy: what may be read there may be followed here */
    int64_t erased_since_s;
    uint64_t erased; /* journal record of the last erasure */
};

static enum fr_err read_keep(struct fr_txn *txn, int64_t now_s, struct keep *out)
{
    struct fr_snap snap = {.txn = txn, .generation = -1};
    uint32_t keep_s = 0;

    enum fr_err err = fr_policy_get(&snap, FR_POLICY_JOURNAL_KEEP, &keep_s);
    if (err == FR_OK) err = fr_feed_meta(txn, FR_META_ERASED, &out->erased);
    out->since_s = now_s - (int64_t)keep_s;
    out->erased_since_s = now_s - FR_FEED_ERASED_S;
    return err;
}

static bool is_kept(const struct keep *keep, const struct fr_feed_entry *entry)
{
    if (entry->when_s < keep->since_s) return false;
    return entry->sequence > keep->erased || entry->when_s >= keep->erased_since_s;
}

/* The first entry, if it is to go. */
static enum fr_err first_over(struct fr_txn *txn, int64_t now_s, uint64_t bytes,
                              struct fr_feed_entry *out, size_t *size)
{
    struct keep keep = {0};
    struct fr_cursor *cursor = NULL;
    struct fr_span key, value;

    enum fr_err err = read_keep(txn, now_s, &keep);
    if (err == FR_OK) err = fr_cursor_open(txn, FR_TABLE_FEED, &cursor);
    if (err) return err;
    err = fr_cursor_first(cursor, &key, &value);
    if (err == FR_OK) {
        struct fr_rd r = fr_rd(key);
        out->position = fr_rd_u64(&r);
        err = fr_rd_end(&r);
    }
    if (err == FR_OK) err = fr_feed_entry_read(value, out);
    if (err == FR_OK) *size = value.n;
    if (err == FR_OK && bytes <= FR_FEED_BYTES && is_kept(&keep, out)) err = FR_E_NOT_FOUND;
    fr_cursor_close(cursor);
    return err;
}

static enum fr_err drop_first(struct fr_txn *txn, const struct fr_feed_entry *entry)
{
    uint8_t key[8];

    enum fr_err err = fr_txn_delete(txn, FR_TABLE_FEED, fr_feed_key(entry->position, key));
    if (err == FR_OK) err = fr_meta_put_u64(txn, FR_META_BASE, entry->position);
    return err ? err : fr_meta_put_u64(txn, FR_META_BASE_TERM, entry->term);
}

static enum fr_err trim(struct fr_txn *txn, int64_t now_s, unsigned *n)
{
    struct fr_feed_entry entry = {0};
    uint64_t bytes = 0;
    size_t size = 0;
    enum fr_err err = fr_feed_meta(txn, FR_META_BYTES, &bytes);

    while (err == FR_OK && *n < TRIM_AT_ONCE) {
        err = first_over(txn, now_s, bytes, &entry, &size);
        if (err == FR_OK) err = drop_first(txn, &entry);
        if (err) break;
        bytes -= size < bytes ? size : bytes;
        (*n)++;
    }
    if (err == FR_E_NOT_FOUND) err = FR_OK;
    return err ? err : fr_meta_put_u64(txn, FR_META_BYTES, bytes);
}

enum fr_err fr_feed_trim(struct fr_store *store, int64_t now_s, bool *left)
{
    struct fr_feed_entry entry = {0};
    struct fr_snap *snap = NULL;
    struct fr_txn *txn = NULL;
    uint64_t bytes = 0;
    size_t size = 0;
    unsigned n = 0;

    enum fr_err err = fr_snap_begin(store, &snap);
    if (err == FR_OK) err = fr_feed_meta(snap->txn, FR_META_BYTES, &bytes);
    if (err == FR_OK) err = first_over(snap->txn, now_s, bytes, &entry, &size);
    fr_snap_end(snap);
    if (err) {
        *left = false;
        return err == FR_E_NOT_FOUND ? FR_OK : err;
    }
    err = fr_txn_write_local(store->db, &txn);
    if (err) return err;
    err = end(txn, trim(txn, now_s, &n));
    if (err == FR_OK) *left = n == TRIM_AT_ONCE;
    return err;
}

/* --- roles --- */

static enum fr_err set_role(struct fr_txn *txn, enum fr_role role, const char *primary)
{
    enum fr_err err = fr_meta_put_u64(txn, FR_META_ROLE, role);

    return err ? err : fr_feed_put_text(txn, FR_META_PRIMARY, primary);
}

enum fr_err fr_feed_make_replica(struct fr_store *store, const char *primary, struct fr_diag *diag)
{
    struct fr_feed_state state;
    struct fr_txn *txn = NULL;

    enum fr_err err = fr_txn_write_local(store->db, &txn);
    if (err) return fr_diag_fail(diag, err, "the store cannot be written to: %s", fr_err_text(err));
    err = get_state(txn, &state);
    if (err == FR_OK && (state.sequence > 0 || state.is_on))
        err = fr_diag_fail(diag, FR_E_CONFLICT, "%s holds a federation that has been in use",
                           store->dir);
    if (err == FR_OK) err = set_role(txn, FR_ROLE_REPLICA, primary);
    return end(txn, err);
}

static enum fr_err put_forks(struct fr_txn *txn, const struct fr_feed_fork *forks, size_t n)
{
    uint8_t bytes[FR_FORKS_SIZE];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);

    if (n > FR_FEED_FORKS) return FR_E_LIMIT;
    fr_feed_forks_write(&w, forks, n);
    return fr_txn_put(txn, FR_DB_META, FR_SPAN_LIT(FR_META_FORKS), fr_wr_done(&w));
}

static enum fr_err begin_term(struct fr_txn *txn, const struct fr_feed_state *state, uint32_t term)
{
    struct fr_feed_fork forks[FR_FEED_FORKS + 1];
    size_t n = state->n_forks;

    memcpy(forks, state->forks, n * sizeof *forks);
    forks[n++] = (struct fr_feed_fork){term, state->head.position, state->sequence};
    bool is_full = n > FR_FEED_FORKS;
    enum fr_err err = put_forks(txn, forks + is_full, n - is_full);
    if (err == FR_OK) err = fr_meta_put_u64(txn, FR_META_TERM, term);
    if (err == FR_OK) err = fr_meta_put_u64(txn, FR_META_ON, 1);
    if (err == FR_OK) err = fr_meta_put_u64(txn, FR_META_TARGET, 0);
    if (err == FR_OK) err = fr_txn_delete(txn, FR_DB_META, FR_SPAN_LIT(FR_META_IMAGE));
    return err == FR_E_NOT_FOUND ? FR_OK : err;
}

enum fr_err fr_feed_promote(struct fr_store *store, bool is_forced, struct fr_diag *diag,
                            struct fr_feed_state *out)
{
    struct fr_feed_state state;
    struct fr_txn *txn = NULL;

    enum fr_err err = fr_txn_write_local(store->db, &txn);
    if (err) return fr_diag_fail(diag, err, "the store cannot be written to: %s", fr_err_text(err));
    err = get_state(txn, &state);
    if (err == FR_OK && state.role == FR_ROLE_PRIMARY) {
        err = fr_diag_fail(diag, FR_E_CONFLICT, "this is the primary already, of term %u",
                           state.term == 0 ? 1 : state.term);
    } else if (err == FR_OK && state.has_image && !is_forced) {
        err = fr_diag_fail(diag, FR_E_CONFLICT,
                           "the first copy of the federation is not whole: part of it is missing");
        fr_diag_hint(diag, "let it finish; --force makes this the primary with what there is");
    }
    if (err == FR_OK) err = begin_term(txn, &state, (state.term == 0 ? 1 : state.term) + 1);
    if (err == FR_OK) err = set_role(txn, FR_ROLE_PRIMARY, "");
    if (err == FR_OK) err = get_state(txn, &state);
    if (err == FR_OK) fr_bulk_drop_list(store); /* of an import of an older reign of this machine */
    err = end(txn, err);
    if (err == FR_OK) *out = state;
    return err;
}

enum fr_err fr_feed_begin_anew(struct fr_store *store)
{
    struct fr_feed_state state;
    struct fr_txn *txn = NULL;

    enum fr_err err = fr_txn_write_local(store->db, &txn);
    if (err) return err;
    err = get_state(txn, &state);
    if (err == FR_OK && state.role != FR_ROLE_PRIMARY) err = FR_E_CONFLICT;
    if (err == FR_OK && state.is_on) err = begin_term(txn, &state, state.term + 1);
    return end(txn, err);
}

enum fr_err fr_feed_depose(struct fr_store *store, uint32_t term, const struct fr_feed_fork *forks,
                           size_t n_forks, const char *primary)
{
    struct fr_feed_state state;
    struct fr_txn *txn = NULL;

    enum fr_err err = fr_txn_write_local(store->db, &txn);
    if (err) return err;
    err = get_state(txn, &state);
    if (err == FR_OK && (state.role != FR_ROLE_PRIMARY || term <= state.term)) err = FR_E_CONFLICT;
    if (err == FR_OK) err = put_forks(txn, forks, n_forks);
    if (err == FR_OK) err = fr_meta_put_u64(txn, FR_META_SAVED, 0);
    if (err == FR_OK) err = set_role(txn, FR_ROLE_DEPOSED, primary);
    return end(txn, err); /* the term stays: its entries are of that one */
}

static enum fr_err put_one(struct fr_store *store, const char *name, uint64_t value)
{
    struct fr_txn *txn = NULL;
    enum fr_err err = fr_txn_write_local(store->db, &txn);

    return err ? err : end(txn, fr_meta_put_u64(txn, name, value));
}

enum fr_err fr_feed_note_saved(struct fr_store *store)
{
    return put_one(store, FR_META_SAVED, 1);
}

enum fr_err fr_feed_follow(struct fr_store *store, const char *primary)
{
    struct fr_feed_state state;
    struct fr_txn *txn = NULL;

    enum fr_err err = fr_txn_write_local(store->db, &txn);
    if (err) return err;
    err = get_state(txn, &state);
    if (err == FR_OK && (state.role != FR_ROLE_DEPOSED || !state.is_saved)) err = FR_E_CONFLICT;
    if (err == FR_OK) err = set_role(txn, FR_ROLE_REPLICA, primary);
    return end(txn, err);
}

enum fr_err fr_feed_note_contact(struct fr_store *store, int64_t now_s)
{
    return put_one(store, FR_META_CONTACT, now_s < 0 ? 0 : (uint64_t)now_s);
}

enum fr_err fr_feed_contact(struct fr_snap *snap, int64_t *out)
{
    uint64_t contact = 0;
    enum fr_err err = fr_feed_meta(snap->txn, FR_META_CONTACT, &contact);

    if (err == FR_OK) *out = (int64_t)(contact & INT64_MAX);
    return err;
}
