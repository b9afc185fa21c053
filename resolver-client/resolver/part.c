#include "resolver/part.h"

#include "resolver/flight.h"
#include "resolver/lookup.h"

static void end_found(struct fr_part *p, const struct fr_place *place, int64_t left_ms,
                      enum fedroam_freshness freshness)
{
    struct fedroam_answer *a = NULL;
    if (p->netid != FEDROAM_NO_NETID) {
        int64_t netid_left_ms = p->netid_until_ms - fr_loop_now_ms(p->lookup->f->loop);
        if (netid_left_ms < left_ms) left_ms = netid_left_ms;
    }
    uint32_t ttl_s = left_ms > 0 ? (uint32_t)(left_ms / 1000) : 0;
    /* Without memory the part ends with no answer; that is told in the end. */
    (void)fr_answer_found(p->lookup->q, fr_part_federation(p),
                          &(struct fr_answer_place){.netid = p->netid,
                                                    .place = place,
                                                    .ttl_s = ttl_s,
                                                    .freshness = freshness,
                                                    .draws = &p->lookup->f->draws},
                          &a);
    fr_lookup_part_ended(p, a);
}

void fr_part_found(struct fr_part *p, const struct fr_place *place)
{
    end_found(p, place, (int64_t)place->ttl_s * 1000, FEDROAM_FRESH);
}

void fr_part_unknown(struct fr_part *p, uint32_t ttl_s, const char *reason)
{
    struct fedroam_answer *a = NULL;
    (void)fr_answer_unknown(p->lookup->q, fr_part_federation(p), ttl_s,
                            p->was_asked ? FEDROAM_FRESH : FEDROAM_CACHED, reason, &a);
    fr_lookup_part_ended(p, a);
}

/* The key of the place that the part looks for; of a device, once its NetID is known. */
static struct fr_cache_key place_key(const struct fr_part *p)
{
    const struct fr_question *q = &p->lookup->q;
    if (q->kind == FEDROAM_JOIN_SERVER)
        return (struct fr_cache_key){
            .federation = p->federation, .kind = FEDROAM_JOIN_SERVER, .id = q->id};
    return fr_network_key(p->federation, p->netid);
}

static struct fr_cache_key device_key(const struct fr_part *p)
{
    return (struct fr_cache_key){
        .federation = p->federation, .kind = FEDROAM_DEVICE, .id = p->lookup->q.id};
}

/* A positive answer that may be used now that no broker can be reached. */
static bool may_serve(const struct fr_part *p, const struct fr_cache_hit *hit)
{
    return !hit->is_negative && hit->past_ms <= p->lookup->rule.stale_ms;
}

/* No broker: what the cache still has, past its TTL, is better than nothing. False: it has
 * nothing. */
static bool end_stale(struct fr_part *p)
{
    struct fedroam *f = p->lookup->f;
    int64_t now_ms = fr_loop_now_ms(f->loop);
    struct fr_cache_hit hit;
    if (p->lookup->q.kind == FEDROAM_DEVICE && p->netid == FEDROAM_NO_NETID) {
        if (fr_cache_get(f->cache, device_key(p), now_ms, &hit) == FR_CACHE_MISS ||
            !may_serve(p, &hit))
            return false;
        p->netid = hit.netid;
        p->netid_until_ms = now_ms + hit.left_ms;
    }
    if (fr_cache_get(f->cache, place_key(p), now_ms, &hit) == FR_CACHE_MISS || !may_serve(p, &hit))
        return false;
    f->counts[FEDROAM_COUNT_STALE]++;
    end_found(p, hit.place, hit.left_ms, FEDROAM_STALE);
    return true;
}

void fr_part_fault(struct fr_part *p, const struct fr_judgement *j)
{
    struct fedroam_answer *a = NULL;
    fr_flight_leave(p);
    bool is_unreachable = j->result == FEDROAM_NO_BROKER ||
                          (j->result == FEDROAM_OVER_BUDGET && p->lookup->rule.stale_over_budget);
    if (is_unreachable && end_stale(p)) return;
    (void)fr_answer_fault(p->lookup->q, fr_part_federation(p), j, &a);
    fr_lookup_part_ended(p, a);
}

static void join_flight(struct fr_part *p, struct fr_cache_key key,
                        const struct fr_place_draft *known)
{
    enum fr_err err = fr_flight_join(p, key, known);
    if (err == FR_OK) return;
    struct fr_judgement j = {.result = FEDROAM_FAILED, .ede = FR_DNS_EDE_NONE};
    fr_diag_print(NULL, err, j.reason, sizeof j.reason);
    fr_part_fault(p, &j);
}

/* A name in use is asked for again before its TTL ends, so that nobody waits for it then. */
static void refresh(struct fr_part *p, struct fr_cache_key key, const struct fr_cache_hit *hit)
{
    struct fedroam *f = p->lookup->f;
    if (hit->uses >= 2 && hit->left_ms * 100 <= hit->ttl_ms * f->options->prefetch_percent)
        fr_flight_prefetch(f, key);
}

static void seek_place(struct fr_part *p, const struct fr_place_draft *known)
{
    struct fedroam *f = p->lookup->f;
    struct fr_cache_hit hit;
    if (fr_cache_get(f->cache, place_key(p), fr_loop_now_ms(f->loop), &hit) != FR_CACHE_FRESH ||
        hit.age_ms > p->lookup->rule.age_ms)
        join_flight(p, place_key(p), known);
    else if (hit.is_negative)
        fr_part_unknown(p, (uint32_t)(hit.left_ms / 1000), "");
    else {
        refresh(p, place_key(p), &hit);
        end_found(p, hit.place, hit.left_ms, p->was_asked ? FEDROAM_FRESH : FEDROAM_CACHED);
    }
}

void fr_part_set_netid(struct fr_part *p, uint32_t netid, uint32_t ttl_s)
{
    p->netid = netid;
    p->netid_until_ms = fr_loop_now_ms(p->lookup->f->loop) + (int64_t)ttl_s * 1000;
}

void fr_part_go_on(struct fr_part *p, const struct fr_place_draft *known)
{
    fr_flight_leave(p);
    seek_place(p, known);
}

/* Federations are not asked about devices that their configuration leaves out. */
static bool is_left_out(const struct fr_part *p)
{
    const struct fr_question *q = &p->lookup->q;
    return q->kind == FEDROAM_DEVICE && !fr_federation_takes(fr_part_federation(p), q->id);
}

int64_t fr_part_home_age_ms(struct fr_part *p)
{
    struct fedroam *f = p->lookup->f;
    struct fr_cache_hit hit;
    if (is_left_out(p)) return -1;
    enum fr_cache_age age = fr_cache_get(f->cache, device_key(p), fr_loop_now_ms(f->loop), &hit);
    return age == FR_CACHE_MISS || hit.is_negative ? -1 : hit.age_ms;
}

void fr_part_start(struct fr_part *p)
{
    struct fedroam *f = p->lookup->f;
    int64_t now_ms = fr_loop_now_ms(f->loop);
    struct fr_cache_hit hit;
    p->is_started = true;
    if (is_left_out(p)) {
        fr_part_unknown(p, f->options->unknown_max_s,
                        "the configuration leaves this DevEUI out (only, except)");
        return;
    }
    if (p->lookup->q.kind == FEDROAM_NETWORK)
        fr_part_set_netid(p, (uint32_t)p->lookup->q.id, UINT32_MAX);
    if (p->lookup->q.kind != FEDROAM_DEVICE) {
        seek_place(p, NULL);
        return;
    }
    if (fr_cache_get(f->cache, device_key(p), now_ms, &hit) != FR_CACHE_FRESH) {
        join_flight(p, device_key(p), NULL);
    } else if (hit.is_negative) {
        fr_part_unknown(p, (uint32_t)(hit.left_ms / 1000), "");
    } else {
        p->netid = hit.netid;
        p->netid_until_ms = now_ms + hit.left_ms;
        refresh(p, device_key(p), &hit);
        seek_place(p, NULL);
    }
}
