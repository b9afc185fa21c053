#pragma once
/*
 * What a write transaction writes, told to whoever listens: the ground on which a replica follows its primary.
 *
 * Model: a *tap* hangs on an environment. It is asked at the beginning of every write transaction (fr_txn_write) and then
 *   told its writes as *row operations*, in order, just before the commit; nothing that was undone (a nested transaction) is
 *   told. A long transaction is told in parts. What the tap itself writes while it is told is not told again.
 *   fr_txn_write_local begins a write transaction that no tap is asked about.
 * Owns: operations lie in the transaction's memory, for the call.
 * Threads: the write transaction's.
 * Errors: a failure of `begin` or `told` fails the transaction with that code; nothing is written.
 * Units and limits: FR_TAP_PART bytes a part, more when they come from one nested transaction (at most FR_TAP_MAX).
 * Trust: fr_row_op_next reads bytes that may have come from a peer.
 */
#include "base/buf.h"
#include "db/txn.h"

#define FR_TAP_PART (1024 * 1024)
#define FR_TAP_MAX (64 * 1024 * 1024)

enum fr_row_act {
    FR_ROW_PUT,    /* key, value */
    FR_ROW_DELETE, /* key */
    FR_ROW_DROP,   /* every row of the table up to key, which is the last of them */
};

struct fr_row_op {
    enum fr_row_act act;
    uint32_t table; /* number, or FR_DB_META */
    struct fr_span key, value;
};

struct fr_db_tap {
    void *data;
    /* Are the writes of this transaction wanted? */
    enum fr_err (*begin)(void *data, struct fr_txn *txn, bool *is_wanted);
    /* Is a write to this row told? */
    bool (*is_told)(void *data, uint32_t table, struct fr_span key);
    /* Some of its writes, in their stored form. */
    enum fr_err (*told)(void *data, struct fr_txn *txn, struct fr_span ops, bool is_last);
};

/* Before the first transaction; the struct is copied. NULL: none. */
void fr_db_set_tap(struct fr_db *db, const struct fr_db_tap *tap);

enum fr_err fr_txn_write_local(struct fr_db *db, struct fr_txn **out);

/* Appends one operation in its stored form. */
void fr_row_op_write(struct fr_buf *out, const struct fr_row_op *op);

/* Takes one off the front; FR_E_NOT_FOUND when none is left, FR_E_TRUNCATED, FR_E_MALFORMED (no such act or table, a key of
 * a length that no row has). n_tables: how many the environment has. */
enum fr_err fr_row_op_next(struct fr_span *ops, size_t n_tables, struct fr_row_op *out);

/* Does it: what is to go and is not there is no failure. */
enum fr_err fr_row_op_apply(struct fr_txn *txn, const struct fr_row_op *op);
