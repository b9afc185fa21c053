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
};

struct fr_cache {
    struct fr_siphash_key hash_key;
    size_t max, n;
    int64_t stale_ms;
    size_t n_buckets; /* a power of two */
    struct entry **buckets;
    struct entry *newest, *oldest;
};

enum { FIRST_BUCKETS = 64 };

enum fr_err fr_cache_new(size_t max, int64_t stale_ms, struct fr_cache **out)
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
    c->max = max;
    c->stale_ms = stale_ms;
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
    entry_free(e);
}

/* Doubles the table; when there is no memory for it, chains just get longer. */
static void grow(struct fr_cache *c)
{
    size_t n = c->n_buckets * 2;
    struct entry **buckets = fr_calloc(n, sizeof *buckets);
    if (!buckets) return;
    fr_free(c->buckets);
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
    *out = (struct fr_cache_hit){.is_negative = e->is_negative,
                                 .netid = e->netid,
                                 .place = e->place,
                                 .message = fr_span(e->message, e->n_message),
                                 .left_ms = is_fresh ? e->fresh_until_ms - now_ms : 0,
                                 .age_ms = now_ms - e->since_ms};
    return is_fresh ? FR_CACHE_FRESH : FR_CACHE_STALE;
}

/* The entry for the key, empty and newest; NULL when it cannot or (ttl_s 0) must not be stored. */
static struct entry *fresh_entry(struct fr_cache *c, struct fr_cache_key key, uint32_t ttl_s,
                                 int64_t now_ms)
{
    struct entry **at = find(c, key);
    if (*at) remove_at(c, at);
    if (ttl_s == 0) return NULL;
    if (c->n == c->max) remove_at(c, find(c, c->oldest->key));
    if (c->n >= c->n_buckets) grow(c);
    struct entry *e = fr_calloc(1, sizeof *e);
    if (!e) return NULL;
    e->key = key;
    e->since_ms = now_ms;
    e->fresh_until_ms = now_ms + (int64_t)ttl_s * 1000;
    e->keep_until_ms = e->fresh_until_ms + c->stale_ms;
    at = find(c, key);
    e->chain = *at;
    *at = e;
    link_newest(c, e);
    c->n++;
    return e;
}

void fr_cache_put_negative(struct fr_cache *c, struct fr_cache_key key, uint32_t ttl_s,
                           int64_t now_ms)
{
    struct entry *e = fresh_entry(c, key, ttl_s, now_ms);
    if (!e) return;
    e->is_negative = true;
    e->keep_until_ms = e->fresh_until_ms;
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
    struct entry *e = fresh_entry(c, key, ttl_s, now_ms);
    if (!e) return 0;
    e->is_negative = true;
    e->keep_until_ms = e->fresh_until_ms + (int64_t)max_s * 1000;
    return ttl_s;
}

void fr_cache_put_device(struct fr_cache *c, struct fr_cache_key key, uint32_t netid,
                         uint32_t ttl_s, int64_t now_ms)
{
    struct entry *e = fresh_entry(c, key, ttl_s, now_ms);
    if (e) e->netid = netid;
}

void fr_cache_put_place(struct fr_cache *c, struct fr_cache_key key, struct fr_place *place,
                        int64_t now_ms)
{
    struct entry *e = fresh_entry(c, key, place->ttl_s, now_ms);
    if (e)
        e->place = place;
    else
        fr_place_free(place);
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
    uint8_t *copy = ttl_s == 0 ? NULL : fr_malloc(message.n);
    struct entry *e = fresh_entry(c, key, copy ? ttl_s : 0, now_ms);
    if (!e) {
        fr_free(copy);
        return;
    }
    memcpy(copy, message.p, message.n);
    e->message = copy;
    e->n_message = message.n;
    e->is_negative = is_negative;
    if (is_negative) e->keep_until_ms = e->fresh_until_ms;
    e->since_ms = now_ms - (int64_t)age_s * 1000;
}

size_t fr_cache_count(const struct fr_cache *c)
{
    return c->n;
}
