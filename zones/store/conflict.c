#include "store/conflict.h"

#include "base/mem.h"
#include "store/device_write.h"
#include "store/joineui.h"
#include "store/network.h"
#include "store/rows.h"

#include <stdlib.h>
#include <string.h>

/* EUI, of a JoinEUI the count of its bits (at most 64, where no id begins), the claimant. */
#define KEY_SIZE (9 + FR_MEMBER_ID_MAX)
#define BITS_MAX 64
#define DROP_AT_ONCE (FR_CONFLICTS_MAX / 16)

static struct fr_span conflict_key(const struct fr_conflict_row *row, uint8_t out[KEY_SIZE])
{
    struct fr_wr w = fr_wr(out, KEY_SIZE);

    fr_wr_u64(&w, row->eui);
    if (row->nibbles > 0) fr_wr_u8(&w, (uint8_t)(4 * row->nibbles));
    fr_wr_bytes(&w, row->claimant, strlen(row->claimant));
    return fr_wr_done(&w);
}

static enum fr_err read_row(struct fr_span key, struct fr_span value, struct fr_conflict_row *out)
{
    struct fr_rd r = fr_rd(key);
    struct fr_conflict_row row = {.eui = fr_rd_u64(&r)};
    struct fr_span rest = fr_rd_rest(&r);

    enum fr_err err = fr_rd_err(&r);
    if (err) return err;
    if (rest.n > 0 && rest.p[0] <= BITS_MAX) {
        row.nibbles = rest.p[0] / 4;
        rest = fr_span(rest.p + 1, rest.n - 1);
    }
    if (!fr_span_copy(rest, row.claimant, sizeof row.claimant)) return FR_E_MALFORMED;
    err = fr_conflict_read(value, &row);
    if (err == FR_OK) *out = row;
    return err;
}

struct visit {
    fr_conflict_fn fn;
    void *data;
    const char *member;
};

static enum fr_err visit_row(void *data, struct fr_span key, struct fr_span value)
{
    const struct visit *v = data;
    struct fr_conflict_row row;

    enum fr_err err = read_row(key, value, &row);
    if (err) return err;
    if (v->member != NULL && strcmp(v->member, row.claimant) != 0 &&
        strcmp(v->member, row.owner) != 0)
        return FR_OK;
    return v->fn(v->data, &row);
}

enum fr_err fr_conflict_each(struct fr_snap *snap, const char *member, fr_conflict_fn fn,
                             void *data)
{
    struct visit v = {fn, data, member};

    return fr_snap_visit(snap, FR_TABLE_CONFLICTS, (struct fr_span){0}, visit_row, &v);
}

static enum fr_err take(struct fr_change *change, const struct fr_conflict_row *row)
{
    uint8_t bytes[KEY_SIZE];
    struct fr_span key = conflict_key(row, bytes);

    enum fr_err err = fr_txn_delete(fr_change_txn(change), FR_TABLE_CONFLICTS, key);
    return err ? err : fr_change_note(change, FR_FACT_CONFLICT, key, (struct fr_span){0});
}

/* --- room --- */

struct rows {
    struct fr_conflict_row *rows;
    size_t n, max;
};

static enum fr_err collect(void *data, const struct fr_conflict_row *row)
{
    struct rows *rows = data;

    if (rows->n == rows->max) return FR_E_CLOSED;
    rows->rows[rows->n++] = *row;
    return FR_OK;
}

static int by_last(const void *a, const void *b)
{
    const struct fr_conflict_row *x = a, *y = b;

    return x->last_s < y->last_s ? -1 : x->last_s > y->last_s;
}

/* Takes the oldest away when there is no room for one more. */
static enum fr_err make_room(struct fr_change *change)
{
    struct rows all = {.max = FR_CONFLICTS_MAX + 1};
    uint64_t count = 0;

    enum fr_err err = fr_txn_count(fr_change_txn(change), FR_TABLE_CONFLICTS, &count);
    if (err || count < FR_CONFLICTS_MAX) return err;
    all.rows = fr_calloc(all.max, sizeof *all.rows);
    if (all.rows == NULL) return FR_E_NOMEM;
    err = fr_conflict_each(fr_change_snap(change), NULL, collect, &all);
    if (err == FR_E_CLOSED) err = FR_OK;
    if (all.n > 0) qsort(all.rows, all.n, sizeof *all.rows, by_last);
    for (size_t i = 0; err == FR_OK && i < all.n && i < DROP_AT_ONCE; i++)
        err = take(change, &all.rows[i]);
    fr_free(all.rows);
    return err;
}

/* --- noting --- */

/* `claim`: what was claimed, by whom, whose it is. */
static enum fr_err count_claim(struct fr_change *change, const struct fr_conflict_row *claim)
{
    struct fr_conflict_row row = *claim;
    uint8_t bytes[KEY_SIZE], value[FR_ROW_MAX];
    struct fr_wr w = fr_wr(value, sizeof value);
    struct fr_span there, key = conflict_key(claim, bytes);

    row.first_s = fr_change_now(change);
    enum fr_err err = fr_txn_get(fr_change_txn(change), FR_TABLE_CONFLICTS, key, &there);
    if (err == FR_OK) err = read_row(key, there, &row);
    if (err == FR_E_NOT_FOUND) err = make_room(change);
    if (err) return err;
    row.count++;
    row.last_s = fr_change_now(change);
    row.netid = claim->netid;
    memcpy(row.owner, claim->owner, sizeof row.owner);
    fr_conflict_write(&w, &row);
    return fr_change_put(change, FR_TABLE_CONFLICTS, FR_FACT_CONFLICT, key, fr_wr_done(&w));
}

static enum fr_err note_one(struct fr_change *change, const struct fr_network_row *claimant,
                            uint64_t eui)
{
    struct fr_snap *snap = fr_change_snap(change);
    struct fr_conflict_row claim = {.eui = eui, .netid = claimant->netid};
    struct fr_device_row device;
    struct fr_network_row owner;

    enum fr_err err = fr_device_get(snap, eui, &device);
    if (err == FR_OK) err = fr_network_get(snap, device.netid, &owner);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    if (strcmp(owner.member, claimant->member) == 0) return FR_OK;
    memcpy(claim.claimant, claimant->member, sizeof claim.claimant);
    memcpy(claim.owner, owner.member, sizeof claim.owner);
    return count_claim(change, &claim);
}

enum fr_err fr_conflict_note_joineui(struct fr_change *change, const char *claimant, uint64_t base,
                                     uint8_t nibbles)
{
    struct fr_conflict_row claim = {.eui = base, .nibbles = nibbles};
    struct fr_joineui_row holder;

    enum fr_err err = fr_joineui_holder(fr_change_snap(change), base, nibbles, claimant, &holder);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err;
    if (strcmp(holder.member, claimant) == 0) return FR_OK;
    (void)fr_span_copy(fr_span_str(claimant), claim.claimant, sizeof claim.claimant);
    memcpy(claim.owner, holder.member, sizeof claim.owner);
    return count_claim(change, &claim);
}

enum fr_err fr_conflict_note(struct fr_change *change, uint32_t netid, const uint64_t *euis,
                             size_t n)
{
    struct fr_network_row claimant;

    enum fr_err err = fr_network_get(fr_change_snap(change), netid, &claimant);
    if (err) return err == FR_E_NOT_FOUND ? FR_OK : err; /* given up meanwhile */
    for (size_t i = 0; err == FR_OK && i < n && i < FR_CONFLICTS_AT_ONCE; i++)
        err = note_one(change, &claimant, euis[i]);
    return err;
}

/* --- forgetting --- */

static enum fr_err forget(struct fr_change *change, const uint64_t *eui, const char *member,
                          uint64_t *count)
{
    struct rows some = {.max = FR_CONFLICTS_AT_ONCE};
    struct visit v = {collect, &some, member};
    uint8_t bytes[8];
    struct fr_span prefix = {0};

    some.rows = fr_calloc(some.max, sizeof *some.rows);
    if (some.rows == NULL) return FR_E_NOMEM;
    if (eui != NULL) prefix = fr_device_key(*eui, bytes);
    enum fr_err err =
        fr_snap_visit(fr_change_snap(change), FR_TABLE_CONFLICTS, prefix, visit_row, &v);
    if (err == FR_E_CLOSED) err = FR_OK;
    for (size_t i = 0; err == FR_OK && i < some.n; i++) err = take(change, &some.rows[i]);
    if (err == FR_OK) *count = some.n;
    fr_free(some.rows);
    return err;
}

enum fr_err fr_conflict_forget(struct fr_change *change, uint64_t eui, uint64_t *count)
{
    return forget(change, &eui, NULL, count);
}

enum fr_err fr_conflict_forget_member(struct fr_change *change, const char *member, uint64_t *count)
{
    return forget(change, NULL, member, count);
}
