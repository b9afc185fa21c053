#include "gateway/dedup.h"

#include "base/mem.h"
#include "base/random.h"
#include "base/siphash.h"

#include <stdlib.h>
#include <string.h>

struct group {
    struct group *next;          /* in the bucket */
    struct group *newer, *older; /* by age, over all */
    bool is_closed;
    struct fr_frame frame;
};

struct fr_dedup {
    uint32_t window_ms, memory_ms;
    size_t n, max, n_buckets;
    struct fr_siphash_key
        key; /* strangers choose the frames: the hash must not be theirs to aim at */
    struct group *oldest, *newest;
    struct group *first_open; /* every group newer than it is open, too */
    struct group *buckets[];
};

enum fr_err fr_dedup_new(uint32_t window_ms, uint32_t memory_ms, size_t max, struct fr_dedup **out)
{
    size_t n_buckets = 16;

    while (n_buckets < max) n_buckets *= 2;
    struct fr_dedup *d = fr_calloc(1, sizeof *d + n_buckets * sizeof d->buckets[0]);
    if (d == NULL) return FR_E_NOMEM;
    d->window_ms = window_ms;
    d->memory_ms = memory_ms;
    d->max = max;
    d->n_buckets = n_buckets;
    enum fr_err err = fr_random(&d->key, sizeof d->key);
    if (err) {
        fr_free(d);
        return err;
    }
    *out = d;
    return FR_OK;
}

void fr_dedup_free(struct fr_dedup *d)
{
    if (d == NULL) return;
    for (struct group *g = d->oldest, *newer; g != NULL; g = newer) {
        newer = g->newer;
        fr_free(g);
    }
    fr_free(d);
}

static struct group **bucket_of(struct fr_dedup *d, struct fr_span phy)
{
    return &d->buckets[fr_siphash(&d->key, phy) & (d->n_buckets - 1)];
}

static void forget_oldest(struct fr_dedup *d)
{
    struct group *g = d->oldest, **at = bucket_of(d, fr_span(g->frame.phy, g->frame.phy_n));

    while (*at != g) at = &(*at)->next;
    *at = g->next;
    d->oldest = g->newer;
    if (d->oldest != NULL)
        d->oldest->older = NULL;
    else
        d->newest = NULL;
    d->n--;
    fr_free(g);
}

static void forget_old(struct fr_dedup *d, int64_t now_ms)
{
    while (d->oldest != NULL && d->oldest->is_closed &&
           now_ms - d->oldest->frame.received_ms >= (int64_t)d->window_ms + d->memory_ms) {
        forget_oldest(d);
    }
}

/* One entry a gateway; beyond the cap the weakest gives way. */
static void add_reception(struct fr_frame *f, uint64_t gateway, const struct fr_rx *rx)
{
    struct fr_reception new = {
        .gateway = gateway, .tmst_us = rx->tmst_us, .rssi_dbm = rx->rssi_dbm, .snr_db = rx->snr_db};
    size_t weakest = 0;

    for (size_t i = 0; i < f->n; i++) {
        if (f->receptions[i].gateway == gateway) return;
        if (f->receptions[i].snr_db < f->receptions[weakest].snr_db) weakest = i;
    }
    if (f->n < FR_DEDUP_GWS)
        f->receptions[f->n++] = new;
    else if (new.snr_db > f->receptions[weakest].snr_db)
        f->receptions[weakest] = new;
}

static struct group *new_group(struct fr_dedup *d, int64_t now_ms, const struct fr_rx *rx)
{
    struct group *g = fr_calloc(1, sizeof *g);

    if (g == NULL) return NULL;
    g->frame.phy_n = rx->phy_n;
    memcpy(g->frame.phy, rx->phy, rx->phy_n);
    g->frame.freq_hz = rx->freq_hz;
    g->frame.dr = rx->dr;
    g->frame.received_ms = now_ms;
    struct group **at = bucket_of(d, fr_span(rx->phy, rx->phy_n));
    g->next = *at;
    *at = g;
    g->older = d->newest;
    if (d->newest != NULL)
        d->newest->newer = g;
    else
        d->oldest = g;
    d->newest = g;
    if (d->first_open == NULL) d->first_open = g;
    d->n++;
    return g;
}

enum fr_dedup_verdict fr_dedup_add(struct fr_dedup *d, int64_t now_ms, uint64_t gateway,
                                   const struct fr_rx *rx)
{
    struct fr_span phy = fr_span(rx->phy, rx->phy_n);

    forget_old(d, now_ms);
    for (struct group *g = *bucket_of(d, phy); g != NULL; g = g->next) {
        if (!fr_span_equal(phy, fr_span(g->frame.phy, g->frame.phy_n))) continue;
        if (g->is_closed) return FR_DEDUP_LATE;
        add_reception(&g->frame, gateway, rx);
        return FR_DEDUP_COPY;
    }
    if (d->n >= d->max) {
        if (!d->oldest->is_closed) return FR_DEDUP_FULL;
        forget_oldest(d);
    }
    struct group *g = new_group(d, now_ms, rx);
    if (g == NULL) return FR_DEDUP_FULL;
    add_reception(&g->frame, gateway, rx);
    return FR_DEDUP_NEW;
}

static int best_first(const void *a, const void *b)
{
    const struct fr_reception *x = a, *y = b;

    if (x->snr_db != y->snr_db) return x->snr_db < y->snr_db ? 1 : -1;
    return (x->rssi_dbm < y->rssi_dbm) - (x->rssi_dbm > y->rssi_dbm);
}

bool fr_dedup_next(struct fr_dedup *d, int64_t now_ms, struct fr_frame *out)
{
    struct group *g = d->first_open;

    if (g == NULL || now_ms - g->frame.received_ms < (int64_t)d->window_ms) return false;
    g->is_closed = true;
    d->first_open = g->newer;
    qsort(g->frame.receptions, g->frame.n, sizeof g->frame.receptions[0], best_first);
    *out = g->frame;
    return true;
}

int64_t fr_dedup_due_ms(const struct fr_dedup *d)
{
    return d->first_open == NULL ? -1 : d->first_open->frame.received_ms + (int64_t)d->window_ms;
}
