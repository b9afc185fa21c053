#include "resolver/cache.h"

#include "base/mem.h"
#include "base/random.h"
#include "base/siphash.h"
#include "base/wire.h"
#include <string.h>

struct entry {
    struct entry *chain;         /* next of the same bucket */
    struct entry *newer, *older; /* by last use */
    struct fr_cache_key key;
    bool is_negative;
    uint32_t netid;
    struct fr_place *place;
    uint8_t *message;
    size_t n_message;
    int64_t since_ms, fresh_until_ms, keep_until_ms;
    unsigned uses;
};

struct fr_cache {
    struct fr_siphash_key hash_key;
    struct fr_cache_limits limits;
    size_t n, bytes;
    uint64_t evicted, changes;
    size_t n_buckets; /* a power of two */
    struct entry **buckets;
    struct entry *newest, *oldest;
};

enum { FIRST_BUCKETS = 64, BLOCK_COST = 16 /* what an allocation costs beside its bytes */ };

static size_t cost(const struct entry *e)
{
    size_t n = sizeof *e + BLOCK_COST;
    if (e->place) n += sizeof *e->place + e->place->text_n + BLOCK_COST;
    if (e->message) n += e->n_message + BLOCK_COST;
    return n;
}

enum fr_err fr_cache_new(const struct fr_cache_limits *limits, struct fr_cache **out)
{
    struct fr_cache *c = fr_calloc(1, sizeof *c);
    if (!c) return FR_E_NOMEM;
    c->buckets = fr_calloc(FIRST_BUCKETS, sizeof *c->buckets);
    enum fr_err err = c->buckets ? fr_random(&c->hash_key, sizeof c->hash_key) : FR_E_NOMEM;
    if (err) {
        fr_free(c->buckets);
        fr_free(c);
        return err;
    }
    c->n_buckets = FIRST_BUCKETS;
    c->bytes = FIRST_BUCKETS * sizeof *c->buckets;
    c->limits = *limits;
    *out = c;
    return FR_OK;
}

static void entry_free(struct entry *e)
{
    fr_place_free(e->place);
    fr_free(e->message);
    fr_free(e);
}

void fr_cache_free(struct fr_cache *c)
{
    if (!c) return;
    for (struct entry *e = c->newest; e;) {
        struct entry *older = e->older;
        entry_free(e);
        e = older;
    }
    fr_free(c->buckets);
    fr_free(c);
}

static bool same_key(struct fr_cache_key a, struct fr_cache_key b)
{
    return a.id == b.id && a.federation == b.federation && a.kind == b.kind;
}

static uint64_t hash(const struct fr_cache *c, struct fr_cache_key key)
{
    uint8_t bytes[11];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    fr_wr_u64(&w, key.id);
    fr_wr_u16(&w, key.federation);
    fr_wr_u8(&w, key.kind);
    return fr_siphash(&c->hash_key, fr_wr_done(&w));
}

static struct entry **find(struct fr_cache *c, struct fr_cache_key key)
{
    struct entry **at = &c->buckets[hash(c, key) & (c->n_buckets - 1)];
    while (*at && !same_key((*at)->key, key)) at = &(*at)->chain;
    return at;
}

static void unlink_age(struct fr_cache *c, struct entry *e)
{
    if (e->newer)
        e->newer->older = e->older;
    else
        c->newest = e->older;
    if (e->older)
        e->older->newer = e->newer;
    else
        c->oldest = e->newer;
    e->newer = e->older = NULL;
}

static void link_newest(struct fr_cache *c, struct entry *e)
{
    e->older = c->newest;
    if (c->newest) c->newest->newer = e;
    c->newest = e;
    if (!c->oldest) c->oldest = e;
}

static void remove_at(struct fr_cache *c, struct entry **at)
{
    struct entry *e = *at;
    *at = e->chain;
    unlink_age(c, e);
    c->n--;
    c->bytes -= cost(e);
    entry_free(e);
}

/* Makes room for the newest, which stays. */
static void evict(struct fr_cache *c)
{
    while ((c->n > c->limits.max_entries || c->bytes > c->limits.max_bytes) &&
           c->oldest != c->newest) {
        remove_at(c, find(c, c->oldest->key));
        c->evicted++;
    }
}

void fr_cache_set_limits(struct fr_cache *c, struct fr_cache_limits limits)
{
    c->limits = limits;
    evict(c);
}

/* Doubles the table; when there is no memory for it, chains just get longer. */
static void grow(struct fr_cache *c)
{
    size_t n = c->n_buckets * 2;
    struct entry **buckets = fr_calloc(n, sizeof *buckets);
    if (!buckets) return;
    fr_free(c->buckets);
    c->bytes += (n - c->n_buckets) * sizeof *buckets;
    c->buckets = buckets;
    c->n_buckets = n;
    for (struct entry *e = c->newest; e; e = e->older) {
        struct entry **at = &buckets[hash(c, e->key) & (n - 1)];
        e->chain = *at;
        *at = e;
    }
}

enum fr_cache_age fr_cache_get(struct fr_cache *c, struct fr_cache_key key, int64_t now_ms,
                               struct fr_cache_hit *out)
{
    struct entry **at = find(c, key);
    struct entry *e = *at;
    if (!e) return FR_CACHE_MISS;
    bool is_fresh = now_ms < e->fresh_until_ms;
    if (now_ms >= e->keep_until_ms) {
        remove_at(c, at);
        return FR_CACHE_MISS;
    }
    if (!is_fresh && e->is_negative) return FR_CACHE_MISS;
    unlink_age(c, e);
    link_newest(c, e);
    e->uses++;
    *out = (struct fr_cache_hit){.is_negative = e->is_negative,
                                 .netid = e->netid,
                                 .place = e->place,
                                 .message = fr_span(e->message, e->n_message),
                                 .left_ms = is_fresh ? e->fresh_until_ms - now_ms : 0,
                                 .age_ms = now_ms - e->since_ms,
                                 .past_ms = is_fresh ? 0 : now_ms - e->fresh_until_ms,
                                 .ttl_ms = e->fresh_until_ms - e->since_ms,
                                 .uses = e->uses};
    return is_fresh ? FR_CACHE_FRESH : FR_CACHE_STALE;
}

/* Puts a copy of the entry in as the newest, in the place of what has its key. False: no memory, or
 * it is over already (a TTL of 0); what it points to stays the caller's. */
static bool put(struct fr_cache *c, const struct entry *entry)
{
    struct entry **at = find(c, entry->key);
    if (*at) remove_at(c, at);
    c->changes++;
    if (entry->fresh_until_ms <= entry->since_ms) return false;
    struct entry *e = fr_memdup(entry, sizeof *entry);
    if (!e) return false;
    if (c->n >= c->n_buckets) grow(c);
    at = find(c, e->key);
    e->chain = *at;
    *at = e;
    link_newest(c, e);
    c->n++;
    c->bytes += cost(e);
    evict(c);
    return true;
}

/* Fresh for ttl_s from now, kept for keep_ms longer. */
static struct entry entry_for(struct fr_cache_key key, uint32_t ttl_s, int64_t keep_ms,
                              int64_t now_ms)
{
    int64_t until_ms = now_ms + (int64_t)ttl_s * 1000;
    return (struct entry){.key = key,
                          .since_ms = now_ms,
                          .fresh_until_ms = until_ms,
                          .keep_until_ms = until_ms + keep_ms};
}

void fr_cache_put_negative(struct fr_cache *c, struct fr_cache_key key, uint32_t ttl_s,
                           int64_t now_ms)
{
    struct entry e = entry_for(key, ttl_s, 0, now_ms);
    e.is_negative = true;
    (void)put(c, &e); /* what cannot be stored is not stored */
}

uint32_t fr_cache_put_unknown(struct fr_cache *c, struct fr_cache_key key, uint32_t ttl_s,
                              uint32_t max_s, int64_t now_ms)
{
    const struct entry *last = *find(c, key);
    if (last && last->is_negative && now_ms < last->keep_until_ms && ttl_s > 0) {
        int64_t twice_s = (last->fresh_until_ms - last->since_ms) / 1000 * 2;
        if (twice_s > max_s) twice_s = max_s;
        if (twice_s > ttl_s) ttl_s = (uint32_t)twice_s;
    }
    struct entry e = entry_for(key, ttl_s, (int64_t)max_s * 1000, now_ms);
    e.is_negative = true;
    return put(c, &e) ? ttl_s : 0;
}

void fr_cache_put_device(struct fr_cache *c, struct fr_cache_key key, uint32_t netid,
                         uint32_t ttl_s, int64_t now_ms)
{
    struct entry e = entry_for(key, ttl_s, c->limits.keep_ms, now_ms);
    e.netid = netid;
    (void)put(c, &e);
}

void fr_cache_put_place(struct fr_cache *c, struct fr_cache_key key, struct fr_place *place,
                        int64_t now_ms)
{
    struct entry e = entry_for(key, place->ttl_s, c->limits.keep_ms, now_ms);
    e.place = place;
    if (!put(c, &e)) fr_place_free(place);
}

struct fr_cache_key fr_cache_message_key(const struct fr_cache *c, uint16_t federation,
                                         const struct fr_dname *name, uint16_t type)
{
    uint8_t bytes[FR_DNAME_WIRE + 2];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    for (size_t i = 0; i < name->n; i++) {
        uint8_t b = name->b[i]; /* a label's length is below 'A' */
        fr_wr_u8(&w, b >= 'A' && b <= 'Z' ? (uint8_t)(b | 0x20) : b);
    }
    fr_wr_u16(&w, type);
    return (struct fr_cache_key){.federation = federation,
                                 .kind = FR_CACHE_MESSAGE,
                                 .id = fr_siphash(&c->hash_key, fr_wr_done(&w))};
}

void fr_cache_put_message(struct fr_cache *c, struct fr_cache_key key, struct fr_span message,
                          bool is_negative, uint32_t ttl_s, uint32_t age_s, int64_t now_ms)
{
    struct entry e = entry_for(key, ttl_s, is_negative ? 0 : c->limits.keep_ms, now_ms);
    e.message = ttl_s > 0 ? fr_memdup(message.p, message.n) : NULL;
    e.n_message = message.n;
    e.is_negative = is_negative;
    e.since_ms -= (int64_t)age_s * 1000;
    if (!e.message) e.fresh_until_ms = e.since_ms; /* only removes what is there */
    if (!put(c, &e)) fr_free(e.message);
}

void fr_cache_flush(struct fr_cache *c, uint16_t federation)
{
    for (struct entry *e = c->newest; e;) {
        struct entry *older = e->older;
        if (e->key.federation == federation) remove_at(c, find(c, e->key));
        e = older;
    }
}

struct fr_cache_counts fr_cache_counts(const struct fr_cache *c)
{
    return (struct fr_cache_counts){
        .entries = c->n, .bytes = c->bytes, .evicted = c->evicted, .changes = c->changes};
}

void fr_cache_each(const struct fr_cache *c, bool (*fn)(void *data, const struct fr_cache_kept *e),
                   void *data)
{
    for (const struct entry *e = c->oldest; e; e = e->newer) {
        struct fr_cache_kept kept = {.key = e->key,
                                     .is_negative = e->is_negative,
                                     .netid = e->netid,
                                     .place = e->place,
                                     .since_ms = e->since_ms,
                                     .fresh_until_ms = e->fresh_until_ms,
                                     .keep_until_ms = e->keep_until_ms};
        if (!e->message && !fn(data, &kept)) return;
    }
}

void fr_cache_restore(struct fr_cache *c, const struct fr_cache_kept *kept)
{
    struct entry e = {.key = kept->key,
                      .is_negative = kept->is_negative,
                      .netid = kept->netid,
                      .place = kept->place,
                      .since_ms = kept->since_ms,
                      .fresh_until_ms = kept->fresh_until_ms,
                      .keep_until_ms = kept->keep_until_ms};
    if (!put(c, &e)) fr_place_free(e.place);
}
