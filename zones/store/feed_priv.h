#pragma once
/* Inside of zones/store: the rows behind the feed. feed.c keeps them, feed_tap.c writes entries, feed_out.c and feed_in.c
 * carry them from store to store. */
#include "base/wire.h"
#include "db/tap.h"
#include "store/feed.h"
#include "store/tables.h"

/* Meta rows of this machine alone. */
#define FR_LOCAL_META "replica."
#define FR_META_ROLE FR_LOCAL_META "role"
#define FR_META_ON FR_LOCAL_META "feed"
#define FR_META_TERM FR_LOCAL_META "term"
#define FR_META_FORKS FR_LOCAL_META "forks"
#define FR_META_BASE FR_LOCAL_META "base"
#define FR_META_BASE_TERM FR_LOCAL_META "base_term"
#define FR_META_BYTES FR_LOCAL_META "bytes"
#define FR_META_SAVED FR_LOCAL_META "saved"
#define FR_META_CONTACT FR_LOCAL_META "contact"
#define FR_META_PRIMARY FR_LOCAL_META "primary"
#define FR_META_IMAGE FR_LOCAL_META "image" /* how far an image is: see feed_in.c */
#define FR_META_ERASED "erased" /* in entries, too: journal record of the last erasure */
#define FR_META_TARGET FR_LOCAL_META "target" /* position at which an image has become whole */

/* The value of an entry but its position. */
struct fr_feed_entry {
    uint64_t position;
    bool has_more; /* its transaction goes on in the next one */
    uint32_t term;
    int64_t when_s;
    uint64_t sequence;
    struct fr_span ops;
};
enum fr_err fr_feed_entry_read(struct fr_span value, struct fr_feed_entry *entry);
struct fr_span fr_feed_key(uint64_t position, uint8_t out[8]);

/* Which rows are in no entry. */
bool fr_feed_is_local(uint32_t table, struct fr_span key);

/* Absent ones are 0. */
enum fr_err fr_feed_meta(struct fr_txn *txn, const char *name, uint64_t *out);
enum fr_err fr_feed_put_text(struct fr_txn *txn, const char *name, const char *text);
enum fr_err fr_feed_head(struct fr_txn *txn, struct fr_feed_place *out);

/* The forks as they lie in the store and in messages. */
#define FR_FORKS_SIZE (1 + FR_FEED_FORKS * 20)
void fr_feed_forks_write(struct fr_wr *w, const struct fr_feed_fork *forks, size_t n);
void fr_feed_forks_read(struct fr_rd *r, struct fr_feed_fork forks[FR_FEED_FORKS], size_t *n);

/* What was erased is in entries up to now: here and at every replica they are kept for FR_FEED_ERASED_S at most. */
enum fr_err fr_feed_note_erasure(struct fr_txn *txn);

/* Adds one entry and counts its bytes. */
enum fr_err fr_feed_add(struct fr_txn *txn, const struct fr_feed_entry *entry);

/* Hangs the tap on a store that was just opened. */
void fr_feed_listen(struct fr_store *store);
