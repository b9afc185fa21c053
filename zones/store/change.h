#pragma once
/*
 * Changing a federation's state: a change is all or nothing, says who and why, and leaves exactly one journal record.
 *
 * Model: a *change* collects what one operation does (rows through the other headers' functions, which note what changed);
 *   ending it writes its journal record and raises the sequence. A *batch* is one durable commit: several changes may share
 *   it, and one of them can be cancelled without the others. A change that changed nothing leaves no record.
 * Owns: a change is ended by exactly one of commit and cancel; a batch by commit or abort.
 * Threads: the thread that began it. At most one batch exists at a time over all processes; begin waits for the other.
 * Errors: db/txn.h's; FR_E_FULL: no room; FR_E_LIMIT: the change is too large for one record
 *   (FR_CHANGE_FACTS_MAX bytes of facts).
 * Trust: actor and reason are people's text: printable UTF-8 without control bytes, cut at FR_ACTOR_MAX and FR_REASON_MAX.
 */
#include "base/diag.h"
#include "base/err.h"
#include "store/store.h"

#include <stdint.h>

#define FR_CHANGE_FACTS_MAX (256 * 1024)

struct fr_batch;
struct fr_change;

struct fr_change_by {
    const char *actor;     /* "local:operator", "cert:<serial>", … */
    const uint8_t *serial; /* the actor's certificate (FR_SERIAL_SIZE bytes), or NULL */
    const char *reason;    /* or NULL */
    int64_t now_s;         /* when */
};

/* May it be changed at all: FR_E_DENIED on a replica, with a diag that names the primary (store/feed.h). A change is refused
 * in the same way when it begins. */
enum fr_err fr_store_check_role(struct fr_store *store, struct fr_diag *diag);

enum fr_err fr_batch_begin(struct fr_store *store, struct fr_diag *diag, struct fr_batch **out);
/* After success everything in it is on disk. Every change in it must have ended. The handle is gone either way. */
enum fr_err fr_batch_commit(struct fr_batch *batch, struct fr_diag *diag);
void fr_batch_abort(struct fr_batch *batch); /* NULL is fine */

/* A change inside a batch; one at a time. `by` is copied. */
enum fr_err fr_batch_change(struct fr_batch *batch, const struct fr_change_by *by,
                            struct fr_diag *diag, struct fr_change **out);
/* A change with a batch of its own: its commit is durable. */
enum fr_err fr_store_change(struct fr_store *store, const struct fr_change_by *by,
                            struct fr_diag *diag, struct fr_change **out);

/*
 * Ends it: its record is written (and, when it has a batch of its own, all is on disk). *sequence is its number, or the
 * present one when it changed nothing. On failure nothing of the change is left. The handle is gone either way.
 */
enum fr_err fr_change_commit(struct fr_change *change, struct fr_diag *diag, uint64_t *sequence);
void fr_change_cancel(
    struct fr_change *change); /* undoes it; NULL is fine; what --dry-run ends with */

/* State as this change sees it so far, for the getters; valid until the change ends. */
struct fr_snap *fr_change_snap(struct fr_change *change);
bool fr_change_is_empty(const struct fr_change *change); /* nothing differs so far */
int64_t fr_change_now(const struct fr_change *change);
