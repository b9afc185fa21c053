#pragma once
/*
 * The feed on its way from primary to replica: one message for each request.
 *
 * Model: a replica asks with what it has (fr_feed_ask); the primary answers from one snapshot with a *head* (who it is and how
 *   far it is) and, by kind, the entries that follow, a slice of an image, or word that their histories differ. A replica asks
 *   again with what it has on disk by then: that is also its receipt. An *image* is all rows of all tables, in slices read at
 *   different moments; the entries from the moment of its first slice on make it whole.
 * Owns: a message is the caller's buffer.
 * Threads: the snap's; applying belongs to the writer's thread.
 * Errors of applying (the diag says it in words, with the primary's address left to the caller): FR_E_TRUNCATED,
 *   FR_E_MALFORMED, FR_E_UNSUPPORTED (another form), FR_E_SCHEMA (another release's store), FR_E_CONFLICT (another federation,
 *   an older term, or a primary that has gone back), the store's.
 * Units and limits: fr_feed_write stops at `room` bytes, but goes on to the end of a transaction (64 MiB at most), or of one
 *   row, that is longer.
 * Trust: a message is a peer's bytes, read with bounds; rows that it carries are read strictly where they are used.
 */
#include "base/buf.h"
#include "store/feed.h"

#define FR_FEED_TYPE "application/vnd.fedroam.feed"
#define FR_FEED_MESSAGE_MAX (66 * 1024 * 1024) /* longer ones are not taken */

/* Where an image is: rows up to and with `key` of `table` have come. */
struct fr_feed_cursor {
    uint64_t base; /* position when it began; 0: none has begun */
    uint32_t base_term;
    uint32_t table; /* index in the order of images */
    uint16_t key_n;
    uint8_t key[511];
};

struct fr_feed_ask {
    struct fr_feed_place have; /* the last entry on disk */
    uint32_t term;             /* the newest the asker knows */
    bool wants_image;
    struct fr_feed_cursor image; /* when it does */
    bool is_part;                /* what the asker has is no whole copy yet: no receipt */
    bool is_herald; /* of a primary that makes its term known; it is answered with a head alone */
    size_t n_forks;
    struct fr_feed_fork forks[FR_FEED_FORKS]; /* that the asker knows */
};
enum fr_err fr_feed_ask_of(struct fr_snap *snap, struct fr_feed_ask *out);

enum fr_feed_kind {
    FR_FEED_ENTRIES, /* maybe none */
    FR_FEED_IMAGE, /* a slice; the first one when the asker gave no cursor, or one that is too old */
    FR_FEED_DIFFERENT, /* the asker has entries that are not of this history */
};

struct fr_feed_message_head {
    enum fr_feed_kind kind;
    uint32_t schema;
    char federation[FR_FEDERATION_MAX + 1];
    uint32_t term;
    struct fr_feed_place head;
    uint64_t sequence;
    size_t n_forks;
    struct fr_feed_fork forks[FR_FEED_FORKS];
    int64_t now_ms; /* the primary's clock */
};

/* What would be answered: is there news for this ask? Cheap; for waiting. */
enum fr_err fr_feed_has_news(struct fr_snap *snap, const struct fr_feed_ask *ask, bool *out);

/* Appends the answer to `out`. */
enum fr_err fr_feed_write(struct fr_snap *snap, const struct fr_feed_ask *ask, int64_t now_ms,
                          size_t room, struct fr_buf *out);

/* The head alone; *rest is what follows it. */
enum fr_err fr_feed_head_read(struct fr_span message, struct fr_feed_message_head *out,
                              struct fr_span *rest);

struct fr_feed_applied {
    struct fr_feed_message_head head;
    struct fr_feed_state state; /* after it */
    uint64_t entries, rows;     /* taken over */
    bool is_behind;             /* there is more to ask for at once */
};

/* Takes a message over, in one transaction (an image's beginning: in several, emptying the tables first). The store's role is
 * replica. FR_FEED_DIFFERENT with the same or an older term is FR_E_CONFLICT; with a newer one an image is begun. */
enum fr_err fr_feed_apply(struct fr_store *store, struct fr_span message, struct fr_diag *diag,
                          struct fr_feed_applied *out);

/* For the road between: an ask as a query string ("have=…"), at most FR_FEED_QUERY bytes, and back. FR_E_MALFORMED. */
#define FR_FEED_QUERY 2500
void fr_feed_ask_print(const struct fr_feed_ask *ask, struct fr_buf *out);
enum fr_err fr_feed_ask_parse(struct fr_span query, struct fr_feed_ask *out);
