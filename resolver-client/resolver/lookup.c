#include "resolver/lookup.h"

#include "base/mem.h"
#include "resolver/flight.h"
#include <stdio.h>
#include <string.h>

/* ---- the two lists ---- */

static void list_remove(struct fr_lookup_list *list, struct fedroam_lookup *l)
{
    if (l->prev)
        l->prev->next = l->next;
    else
        list->first = l->next;
    if (l->next)
        l->next->prev = l->prev;
    else
        list->last = l->prev;
    l->prev = l->next = NULL;
}

/* Behind `before`, or first when that is NULL. */
static void list_insert(struct fr_lookup_list *list, struct fedroam_lookup *before,
                        struct fedroam_lookup *l)
{
    struct fedroam_lookup *after = before ? before->next : list->first;
    l->prev = before;
    l->next = after;
    if (before)
        before->next = l;
    else
        list->first = l;
    if (after)
        after->prev = l;
    else
        list->last = l;
}

/* Deadlines mostly come in order, so the place is near the end. */
static void open_insert(struct fedroam *f, struct fedroam_lookup *l)
{
    struct fedroam_lookup *before = f->open.last;
    while (before && before->until_ms > l->until_ms) before = before->prev;
    list_insert(&f->open, before, l);
    int64_t now_ms = fr_loop_now_ms(f->loop);
    if (!f->deadline.is_armed || f->deadline.due_ms > l->until_ms)
        fr_timer_start(f->loop, &f->deadline, l->until_ms - now_ms);
}

static void lookup_free(struct fedroam_lookup *l)
{
    for (size_t i = 0; i < l->n_parts; i++) fr_flight_leave(&l->parts[i]);
    list_remove(l->is_ready ? &l->f->ready : &l->f->open, l);
    l->f->n_lookups--;
    fedroam_answer_free(l->answer);
    fr_free(l);
}

/* Decided: no part waits any more, the call-back comes at the end of the turn. */
static void make_ready(struct fedroam_lookup *l)
{
    struct fedroam *f = l->f;
    for (size_t i = 0; i < l->n_parts; i++) fr_flight_leave(&l->parts[i]);
    list_remove(&f->open, l);
    l->is_ready = true;
    list_insert(&f->ready, f->ready.last, l);
    fr_loop_defer(f->loop, &f->delivery);
}

/* ---- parts ---- */

/* Of several federations that did not find it, the answer that needs somebody's attention most.
 * "Unknown" is told only when all say so. */
static int weight(const struct fedroam_answer *a)
{
    static const int weights[] = {
        [FEDROAM_UNKNOWN] = 1,    [FEDROAM_NO_BROKER] = 2, [FEDROAM_OVER_BUDGET] = 3,
        [FEDROAM_BAD_ANSWER] = 4, [FEDROAM_REFUSED] = 5,   [FEDROAM_FAILED] = 6,
        [FEDROAM_FOUND] = 7,
    };
    return weights[fedroam_answer_result(a)];
}

/* Of equals, the federation configured first. */
static bool is_better(const struct fedroam_answer *a, uint16_t federation,
                      const struct fedroam_lookup *l)
{
    if (!l->answer) return true;
    int more = weight(a) - weight(l->answer);
    return more > 0 || (more == 0 && federation < l->answered_by);
}

static void part_end(struct fr_part *p, struct fedroam_answer *a)
{
    struct fedroam_lookup *l = p->lookup;
    fr_flight_leave(p);
    p->is_done = true;
    l->n_open--;
    if (a && is_better(a, p->federation, l)) {
        struct fedroam_answer *lighter = l->answer;
        l->answer = a;
        l->answered_by = p->federation;
        a = lighter;
    }
    fedroam_answer_free(a);
    bool is_found = l->answer && fedroam_answer_result(l->answer) == FEDROAM_FOUND;
    if (is_found || l->n_open == 0) make_ready(l);
}

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
    (void)fr_answer_found(p->lookup->q, fr_part_federation(p), p->netid, place, ttl_s, freshness,
                          &a);
    part_end(p, a);
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
    part_end(p, a);
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

/* No broker: what the cache still has, past its TTL, is better than nothing. False: it has
 * nothing. */
static bool end_stale(struct fr_part *p)
{
    struct fedroam *f = p->lookup->f;
    int64_t now_ms = fr_loop_now_ms(f->loop);
    struct fr_cache_hit hit;
    if (p->lookup->q.kind == FEDROAM_DEVICE && p->netid == FEDROAM_NO_NETID) {
        if (fr_cache_get(f->cache, device_key(p), now_ms, &hit) == FR_CACHE_MISS || hit.is_negative)
            return false;
        p->netid = hit.netid;
        p->netid_until_ms = now_ms + hit.left_ms;
    }
    if (fr_cache_get(f->cache, place_key(p), now_ms, &hit) == FR_CACHE_MISS || hit.is_negative)
        return false;
    f->counts[FEDROAM_COUNT_STALE]++;
    end_found(p, hit.place, hit.left_ms, FEDROAM_STALE);
    return true;
}

void fr_part_fault(struct fr_part *p, const struct fr_judgement *j)
{
    struct fedroam_answer *a = NULL;
    fr_flight_leave(p);
    if (j->result == FEDROAM_NO_BROKER && end_stale(p)) return;
    (void)fr_answer_fault(p->lookup->q, fr_part_federation(p), j, &a);
    part_end(p, a);
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

static void seek_place(struct fr_part *p, const struct fr_place_draft *known)
{
    struct fedroam *f = p->lookup->f;
    struct fr_cache_hit hit;
    if (fr_cache_get(f->cache, place_key(p), fr_loop_now_ms(f->loop), &hit) != FR_CACHE_FRESH)
        join_flight(p, place_key(p), known);
    else if (hit.is_negative)
        fr_part_unknown(p, (uint32_t)(hit.left_ms / 1000), "");
    else
        end_found(p, hit.place, hit.left_ms, p->was_asked ? FEDROAM_FRESH : FEDROAM_CACHED);
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

static void start_part(struct fr_part *p)
{
    struct fedroam *f = p->lookup->f;
    int64_t now_ms = fr_loop_now_ms(f->loop);
    struct fr_cache_hit hit;
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
        seek_place(p, NULL);
    }
}

/* ---- look-ups ---- */

static void expire(struct fedroam_lookup *l)
{
    struct fr_judgement j = {.result = FEDROAM_NO_BROKER, .ede = FR_DNS_EDE_NONE};
    (void)snprintf(j.reason, sizeof j.reason, "no answer within %u ms", (unsigned)l->timeout_ms);
    for (size_t i = 0; i < l->n_parts && !l->is_ready; i++)
        if (!l->parts[i].is_done) fr_part_fault(&l->parts[i], &j);
}

static void on_deadline(struct fr_timer *t)
{
    struct fedroam *f = t->data;
    int64_t now_ms = fr_loop_now_ms(f->loop);
    while (f->open.first && f->open.first->until_ms <= now_ms) expire(f->open.first);
    if (f->open.first) fr_timer_start(f->loop, t, f->open.first->until_ms - now_ms);
}

static void deliver(struct fr_defer *d)
{
    struct fedroam *f = d->data;
    size_t n = 0;
    for (struct fedroam_lookup *l = f->ready.first; l; l = l->next) n++;
    /* Call-backs may start and cancel look-ups: take the first of the list each time, and leave
     * what gets ready meanwhile to the next turn. */
    for (; n > 0 && f->ready.first; n--) {
        struct fedroam_lookup *l = f->ready.first;
        struct fedroam_answer *answer = l->answer;
        fedroam_answer_cb done = l->done;
        void *data = l->data;
        if (answer && fedroam_answer_freshness(answer) == FEDROAM_CACHED)
            f->counts[FEDROAM_COUNT_CACHED]++;
        l->answer = NULL;
        lookup_free(l);
        done(data, answer ? answer : fr_answer_no_memory());
        fedroam_answer_free(answer);
    }
    if (f->ready.first) fr_loop_defer(f->loop, d);
}

void fr_lookups_init(struct fedroam *f)
{
    fr_timer_init(&f->deadline, on_deadline, f);
    fr_defer_init(&f->delivery, deliver, f);
}

enum fr_err fr_lookup_start(struct fedroam *f, struct fr_question q, const char *federation,
                            uint32_t timeout_ms, fedroam_answer_cb done, void *data,
                            struct fedroam_lookup **out)
{
    size_t first = 0, n = f->options->n_federations;
    if (federation) {
        first = fr_options_find(f->options, federation);
        if (first == n) return FR_E_NOT_FOUND;
        n = 1;
    }
    if (f->n_lookups >= f->options->pending) return FR_E_LIMIT;
    struct fedroam_lookup *l = fr_calloc(1, sizeof *l + n * sizeof l->parts[0]);
    if (!l) return FR_E_NOMEM;
    l->f = f;
    l->q = q;
    l->timeout_ms = timeout_ms ? timeout_ms : f->options->timeout_ms;
    l->until_ms = fr_loop_now_ms(f->loop) + l->timeout_ms;
    l->done = done;
    l->data = data;
    l->n_open = l->n_parts = n;
    for (size_t i = 0; i < n; i++)
        l->parts[i] = (struct fr_part){
            .lookup = l, .federation = (uint16_t)(first + i), .netid = FEDROAM_NO_NETID};
    f->n_lookups++;
    f->counts[FEDROAM_COUNT_LOOKUPS]++;
    open_insert(f, l);
    for (size_t i = 0; i < n && !l->is_ready; i++) start_part(&l->parts[i]);
    if (out) *out = l;
    return FR_OK;
}

void fedroam_lookup_cancel(struct fedroam_lookup *lookup)
{
    lookup_free(lookup);
}

void fr_lookups_free(struct fedroam *f)
{
    while (f->open.first) lookup_free(f->open.first);
    while (f->ready.first) lookup_free(f->ready.first);
    fr_timer_stop(&f->deadline);
    fr_defer_cancel(&f->delivery);
}
