#pragma once
/*
 * What a replica follows: every write to the store's tables, numbered, as long as somebody follows.
 *
 * Model: with the feed on, each transaction also writes what it did to the rows as *entries*: position (1 …, no gaps), term,
 *   when, journal sequence, row operations (db/tap.h). A replica that has applied the entries up to a position holds the same
 *   rows as the primary had there; it keeps the entries too. A *term* is the reign of one primary: promotion begins the next.
 *   Position and term of the last entry say whether two stores share their history up to there.
 *   Local to each machine, and in no entry: the look-up counts, the entries themselves, and meta rows named "replica.…".
 * Role: *primary* (may be changed), *replica* (follows; every change is refused), *deposed* (was primary, has met a newer
 *   term; every change is refused until it follows the new primary).
 * Threads: the snap's, or the writer's.
 * Errors: db/txn.h's; FR_E_DENIED: not the primary.
 * Units and limits: an entry holds FR_FEED_ENTRY bytes of operations, or one longer operation. Entries are kept as long as the
 *   journal's records (policy journal.keep) and at most FR_FEED_BYTES of them, oldest dropped first; those from before an erasure
 *   (store/erase.h) FR_FEED_ERASED_S. A replica farther behind takes a whole image.
 */
#include "store/store.h"

#define FR_FEED_ENTRY 4000 /* fits, with its head, into one page: no run of pages has to be found */
#define FR_FEED_ERASED_S 3600 /* those from before an erasure */
#define FR_FEED_BYTES (2ULL << 30)
#define FR_FEED_FORKS 16

enum fr_role { FR_ROLE_PRIMARY, FR_ROLE_REPLICA, FR_ROLE_DEPOSED };
const char *fr_role_text(enum fr_role role);

struct fr_feed_place {
    uint64_t position;
    uint32_t term;
};

/* The beginning of a term: the last entry and the journal's last record before it. */
struct fr_feed_fork {
    uint32_t term;
    uint64_t position, sequence;
};

struct fr_feed_state {
    enum fr_role role;
    bool is_on;                /* entries are written */
    uint32_t term;             /* the newest this store has seen; 0: there was no feed yet */
    struct fr_feed_place head; /* the last entry, or base when there is none */
    struct fr_feed_place base; /* the last one that is not kept any more */
    uint64_t sequence;         /* the journal's last record */
    bool has_image;            /* replica: no whole image has come yet */
    size_t n_forks;
    struct fr_feed_fork forks[FR_FEED_FORKS]; /* of the last terms, ascending */
    bool is_saved;                /* deposed: what would be lost has been written elsewhere */
    char primary[FR_URL_MAX + 1]; /* replica, deposed: where changes are made; "" when unknown */
};
/* For a store whose last entry is of `term`: the first term begun elsewhere after it. False: none is known. What its journal
 * holds after that fork's sequence is lost to the federation. */
bool fr_feed_find_fork(const struct fr_feed_fork *forks, size_t n, uint32_t term,
                       struct fr_feed_fork *out);

enum fr_err fr_feed_get(struct fr_snap *snap, struct fr_feed_state *out);

/* FR_E_NOT_FOUND: that entry is not kept. */
enum fr_err fr_feed_term_at(struct fr_snap *snap, uint64_t position, uint32_t *out);

/* Writes entries from now on. Costs nothing when they are written already. */
enum fr_err fr_feed_turn_on(struct fr_store *store);

/* Drops entries that are over their time or too many, a bounded number; *left: there are more. */
enum fr_err fr_feed_trim(struct fr_store *store, int64_t now_s, bool *left);

/* Makes a store that nobody has changed yet a replica of the primary at that URL. */
enum fr_err fr_feed_make_replica(struct fr_store *store, const char *primary, struct fr_diag *diag);

/* A replica becomes the primary of a new term; with `is_forced` also one whose image is not whole (what is missing is lost).
 * FR_E_CONFLICT: it is the primary, or its image is not whole. */
enum fr_err fr_feed_promote(struct fr_store *store, bool is_forced, struct fr_diag *diag,
                            struct fr_feed_state *out);

/* A primary that was restored from a backup: what follows is of a new term, so that replicas that know more notice. Nothing
 * where nobody follows. FR_E_CONFLICT: not the primary. */
enum fr_err fr_feed_begin_anew(struct fr_store *store);

/* A primary has met a newer term, which began as one of the forks says: it changes nothing any more. FR_E_CONFLICT: the term is
 * not newer. */
enum fr_err fr_feed_depose(struct fr_store *store, uint32_t term, const struct fr_feed_fork *forks,
                           size_t n_forks, const char *primary);

/* What would be lost is kept elsewhere. */
enum fr_err fr_feed_note_saved(struct fr_store *store);

/* A deposed primary of which that has been noted follows the new one. */
enum fr_err fr_feed_follow(struct fr_store *store, const char *primary);

/* When this machine last knew itself in step with its primary; kept across restarts. 0: never. */
enum fr_err fr_feed_note_contact(struct fr_store *store, int64_t now_s);
enum fr_err fr_feed_contact(struct fr_snap *snap, int64_t *out);
