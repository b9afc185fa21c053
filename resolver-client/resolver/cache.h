#pragma once
/* What was learnt, for as long as it may be used: devices → NetID, networks and Join Servers →
 * place, (name, type) → whole DNS message, and what does not exist.
 *
 * Model: keyed by (federation, kind, number). An entry is fresh until its TTL ends; a positive
 *   one is then kept `keep_ms` longer for the case that no broker can be reached. A device that
 *   is not found again is asked about less and less often. The least recently used entry goes when
 *   the cache is full.
 * Owns: its entries and their places. Threads: one at a time. Errors: FR_E_NOMEM from
 *   fr_cache_new alone: an entry that cannot be stored is not stored.
 * Units and limits: times are monotonic ms, given by the caller; at most max_entries entries in
 *   at most max_bytes, the table itself included.
 * Trust: keys come from devices on the air, so the table hashes with a random key. See RFC 2308,
 *   RFC 8767. */

#include "base/err.h"
#include "resolver/place.h"

struct fr_cache;

/* In the place of a federation: what public trees say. */
enum { FR_PUBLIC_TREES = UINT16_MAX };

struct fr_cache_key {
    uint16_t federation;
    uint8_t kind; /* enum fedroam_kind, or FR_CACHE_MESSAGE */
    uint64_t id;
};

enum { FR_CACHE_MESSAGE = 0x80 };

enum fr_cache_age { FR_CACHE_MISS, FR_CACHE_FRESH, FR_CACHE_STALE };

struct fr_cache_hit {
    bool is_negative;
    uint32_t netid;               /* a device's */
    const struct fr_place *place; /* of the others; borrowed until the next put */
    struct fr_span message;       /* of FR_CACHE_MESSAGE; likewise */
    int64_t left_ms;              /* of its TTL; 0 when stale */
    int64_t age_ms;               /* since its TTLs began to run */
    int64_t past_ms;              /* since they ended; 0 when fresh */
    int64_t ttl_ms;
    unsigned uses; /* times it was got since it was put, this one included */
};

struct fr_cache_limits {
    size_t max_entries, max_bytes;
    int64_t keep_ms; /* positive entries, past their TTL */
};

/* Entries that are there keep their times. */
void fr_cache_set_limits(struct fr_cache *c, struct fr_cache_limits limits);

enum fr_err fr_cache_new(const struct fr_cache_limits *limits, struct fr_cache **out);
void fr_cache_free(struct fr_cache *c);

enum fr_cache_age fr_cache_get(struct fr_cache *c, struct fr_cache_key key, int64_t now_ms,
                               struct fr_cache_hit *out);

/* Each replaces what is there; a TTL of 0 only removes it. `place` becomes the cache's, also
 * when it is not stored. */
void fr_cache_put_negative(struct fr_cache *c, struct fr_cache_key key, uint32_t ttl_s,
                           int64_t now_ms);
/* A negative entry for a device: each time in a row for twice as long as the last time, from ttl_s up
 * to max_s (ttl_s alone when that is longer). Its memory ends max_s after it was last fresh. The
 * time it is fresh, in s; 0: not stored (ttl_s is 0, no memory). */
uint32_t fr_cache_put_unknown(struct fr_cache *c, struct fr_cache_key key, uint32_t ttl_s,
                              uint32_t max_s, int64_t now_ms);
void fr_cache_put_device(struct fr_cache *c, struct fr_cache_key key, uint32_t netid,
                         uint32_t ttl_s, int64_t now_ms);
void fr_cache_put_place(struct fr_cache *c, struct fr_cache_key key, struct fr_place *place,
                        int64_t now_ms);

/* The key of a message: a keyed hash of name (in any letter case) and type, so the message that is
 * found may, once in a very long while, be about another name. */
struct fr_cache_key fr_cache_message_key(const struct fr_cache *c, uint16_t federation,
                                         const struct fr_dname *name, uint16_t type);

/* Copies the message, which was age_s old when it came; a negative one is not kept past ttl_s. */
void fr_cache_put_message(struct fr_cache *c, struct fr_cache_key key, struct fr_span message,
                          bool is_negative, uint32_t ttl_s, uint32_t age_s, int64_t now_ms);

/* Forgets all entries of a federation. */
void fr_cache_flush(struct fr_cache *c, uint16_t federation);

struct fr_cache_counts {
    size_t entries, bytes;
    uint64_t evicted; /* by a limit */
    uint64_t changes; /* entries put so far: to see whether there is anything to save */
};
struct fr_cache_counts fr_cache_counts(const struct fr_cache *c);

/* An entry as it stands, for saving and restoring; messages are not among them. */
struct fr_cache_kept {
    struct fr_cache_key key;
    bool is_negative;
    uint32_t netid;
    struct fr_place *place; /* each: the cache's. restore: becomes the cache's, in any case */
    int64_t since_ms, fresh_until_ms, keep_until_ms;
};

/* The least recently used first; until fn gives false. */
void fr_cache_each(const struct fr_cache *c, bool (*fn)(void *data, const struct fr_cache_kept *e),
                   void *data);
void fr_cache_restore(struct fr_cache *c, const struct fr_cache_kept *e);
