#pragma once
/*
 * Transactions on a db/db.h environment: reads see one moment in time, writes are all or nothing and durable when committed.
 *
 * Model: a *read* transaction is a snapshot; reset gives it back (~10 ns), renew takes a new one (~15 ns), so a worker keeps
 *   one and renews it for each request. A *write* transaction is the only one in all processes; begin waits for the one before.
 *   A *nested* write transaction can be undone without undoing its parent. A *cursor* walks one table in key order.
 * Owns: every transaction and cursor begun must be ended. Spans that get and cursors give point into the map: they are valid
 *   until the transaction is reset or ended, and in a write transaction only until its next put or delete.
 * Threads: a write transaction belongs to the thread that began it. A read transaction may move between threads, one at a time.
 * Errors: FR_E_NOT_FOUND (no such key), FR_E_EXISTS (append out of order, insert of a key that is there), FR_E_FULL (the map is full: abort;
 *   nothing is lost), FR_E_BUSY (reader slots taken, or another process enlarged the map while this one had readers: try
 *   again), FR_E_IO, FR_E_NOMEM, FR_E_RANGE (key length), FR_E_PERM (write on a read-only environment). After a failure of a write other than
 *   FR_E_NOT_FOUND and FR_E_EXISTS the transaction can only be aborted.
 * Units and limits: keys 1…511 bytes, values below 4 GiB.
 * Trust: none of it is a peer's bytes.
 */
#include "base/err.h"
#include "base/span.h"
#include "db/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fr_txn;
struct fr_cursor;

#define FR_DB_META UINT32_MAX /* table number of "meta" */

enum fr_err fr_txn_read(struct fr_db *db, struct fr_txn **out);
enum fr_err fr_txn_write(struct fr_db *db, struct fr_txn **out);
enum fr_err fr_txn_nested(struct fr_txn *parent,
                          struct fr_txn **out); /* parent rests until it ends */

/* Read transactions only. Cursors must be closed first. */
void fr_txn_reset(struct fr_txn *txn);
enum fr_err fr_txn_renew(struct fr_txn *txn); /* on failure it stays reset */

/* Which commit a read transaction sees, or which one a write transaction will be. */
uint64_t fr_txn_id(const struct fr_txn *txn);

/* Ends it either way; a failed commit has changed nothing. The handle is gone after both. NULL is fine for end. */
enum fr_err fr_txn_commit(struct fr_txn *txn);
void fr_txn_end(struct fr_txn *txn); /* read: give back; write: abort */

enum fr_err fr_txn_get(struct fr_txn *txn, uint32_t table, struct fr_span key, struct fr_span *out);
enum fr_err fr_txn_put(struct fr_txn *txn, uint32_t table, struct fr_span key,
                       struct fr_span value);
enum fr_err fr_txn_insert(struct fr_txn *txn, uint32_t table, struct fr_span key,
                          struct fr_span value);
/* As put, for keys that only grow: several times faster, pages stay full. */
enum fr_err fr_txn_append(struct fr_txn *txn, uint32_t table, struct fr_span key,
                          struct fr_span value);
enum fr_err fr_txn_delete(struct fr_txn *txn, uint32_t table, struct fr_span key);
enum fr_err fr_txn_count(struct fr_txn *txn, uint32_t table, uint64_t *out); /* rows; O(1) */

/* Deletes at most `limit` rows from the front of a table; *left says whether there are more. */
enum fr_err fr_txn_drop_some(struct fr_txn *txn, uint32_t table, size_t limit, bool *left);

/* Sets the schema version, as the last act of an upgrade. */
enum fr_err fr_txn_set_schema(struct fr_txn *txn, uint32_t schema);

/* Cursors: seek finds the first key >= `key`; each step gives FR_E_NOT_FOUND past the end. Close before the transaction ends. */
enum fr_err fr_cursor_open(struct fr_txn *txn, uint32_t table, struct fr_cursor **out);
enum fr_err fr_cursor_seek(struct fr_cursor *cursor, struct fr_span key, struct fr_span *found,
                           struct fr_span *value);
enum fr_err fr_cursor_first(struct fr_cursor *cursor, struct fr_span *key, struct fr_span *value);
enum fr_err fr_cursor_last(struct fr_cursor *cursor, struct fr_span *key, struct fr_span *value);
enum fr_err fr_cursor_next(struct fr_cursor *cursor, struct fr_span *key, struct fr_span *value);
enum fr_err fr_cursor_prev(struct fr_cursor *cursor, struct fr_span *key, struct fr_span *value);
void fr_cursor_close(struct fr_cursor *cursor);
