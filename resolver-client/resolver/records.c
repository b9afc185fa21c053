#include "resolver/records.h"

#include "base/mem.h"
#include "names/owner.h"
#include "resolver/handle.h"
#include <stdio.h>

struct fr_records_trip {
    struct fedroam *f;
    struct fr_records_trip *next;
    struct fr_records_query *queries; /* that wait for it */
    uint16_t federation, type;
    struct fr_dname name;
    struct fr_owner owner;
    struct fr_ask *ask;
};

struct fr_records_query {
    struct fedroam *f;
    struct fr_records_query *next, **at; /* of a trip, or of the handle's starting ones */
    uint16_t federation, type;
    struct fr_dname name;
    struct fr_owner owner; /* what the name is; an apex for names that are none of ours */
    uint32_t timeout_ms;
    int64_t until_ms;
    struct fr_defer start;
    struct fr_timer deadline;
    fr_records_done done;
    void *data;
};

static void link_query(struct fr_records_query **head, struct fr_records_query *q)
{
    q->next = *head;
    q->at = head;
    if (q->next) q->next->at = &q->next;
    *head = q;
}

static void unlink_query(struct fr_records_query *q)
{
    *q->at = q->next;
    if (q->next) q->next->at = q->at;
}

void fr_records_cancel(struct fr_records_query *q)
{
    unlink_query(q);
    fr_defer_cancel(&q->start);
    fr_timer_stop(&q->deadline);
    q->f->n_records--;
    fr_free(q);
}

static void end(struct fr_records_query *q, const struct fr_records_answer *answer)
{
    fr_records_done done = q->done;
    void *data = q->data;

    fr_records_cancel(q);
    done(data, answer);
}

static struct fr_cache_key key_of(struct fedroam *f, uint16_t federation,
                                  const struct fr_dname *name, uint16_t type)
{
    return fr_cache_message_key(f->cache, federation, name, type);
}

/* The kept message for a query; its key is a hash, so the message itself says whether it is the
 * one. */
static enum fr_cache_age kept(const struct fr_records_query *q, struct fr_records_answer *out)
{
    struct fr_cache_hit hit;
    struct fr_cache_key key = key_of(q->f, q->federation, &q->name, q->type);
    enum fr_cache_age age = fr_cache_get(q->f->cache, key, fr_loop_now_ms(q->f->loop), &hit);

    if (age == FR_CACHE_MISS) return FR_CACHE_MISS;
    if (hit.past_ms > (int64_t)q->f->options->stale_s * 1000) return FR_CACHE_MISS;
    *out = (struct fr_records_answer){.result = FEDROAM_FOUND,
                                      .freshness =
                                          age == FR_CACHE_STALE ? FEDROAM_STALE : FEDROAM_CACHED,
                                      .age_s = (uint32_t)(hit.age_ms / 1000),
                                      .ede = FR_DNS_EDE_NONE,
                                      .reason = ""};
    if (fr_dns_response_read(hit.message, &out->message) != FR_OK || out->message.type != q->type ||
        !fr_dname_equal(fr_dname_span(&out->message.name), fr_dname_span(&q->name)))
        return FR_CACHE_MISS;
    return age;
}

/* Nothing came of it: what is kept past its TTL serves where no broker can be reached. */
static void fail(struct fr_records_query *q, const struct fr_judgement *j)
{
    struct fr_records_answer a;

    if (j->result == FEDROAM_NO_BROKER && kept(q, &a) != FR_CACHE_MISS) {
        q->f->counts[FEDROAM_COUNT_STALE]++;
        end(q, &a);
        return;
    }
    a = (struct fr_records_answer){.result = j->result,
                                   .status = j->status,
                                   .ede = j->ede,
                                   .retry_after_s = j->retry_after_s,
                                   .reason = j->reason};
    end(q, &a);
}

static void fail_local(struct fr_records_query *q, enum fr_err err)
{
    struct fr_judgement j = {.result = FEDROAM_FAILED, .ede = FR_DNS_EDE_NONE};

    fr_diag_print(NULL, err, j.reason, sizeof j.reason);
    fail(q, &j);
}

static void on_deadline(struct fr_timer *t)
{
    struct fr_records_query *q = t->data;
    struct fr_judgement j = {.result = FEDROAM_NO_BROKER, .ede = FR_DNS_EDE_NONE};

    (void)snprintf(j.reason, sizeof j.reason, "no answer within %u ms", (unsigned)q->timeout_ms);
    fail(q, &j);
}

/* How long the reply may be kept: the smallest TTL of its Answer, and of what it says is not
 * there. */
static uint32_t ttl_of(const struct fr_reply *r)
{
    uint32_t ttl_s = FR_TTL_MAX_S;
    struct fr_dns_walk walk;
    struct fr_rr rr;

    fr_dns_walk_init(&walk, &r->message);
    while (fr_dns_walk_next(&walk, &rr)) {
        uint32_t left_s = fr_reply_ttl(r, rr.ttl);
        if (walk.section == FR_DNS_ANSWER && left_s < ttl_s) ttl_s = left_s;
    }
    bool has_data =
        fr_dns_response_find(&r->message, FR_DNS_ANSWER, &r->target, r->message.type, 0, &rr);
    if (!has_data && r->negative_ttl_s < ttl_s) ttl_s = r->negative_ttl_s;
    return ttl_s;
}

/* What the answer says about a device is the same for every way to look it up: its network, or
 * that there is none, which is then asked less and less often. The time the message is kept. */
static uint32_t learn_device(const struct fr_records_trip *t, const struct fr_reply *r)
{
    const struct fr_cache_key key = {
        .federation = t->federation, .kind = FEDROAM_DEVICE, .id = t->owner.eui};
    const struct fr_dname *zone = &t->f->options->federations[t->federation]->zone;
    int64_t now_ms = fr_loop_now_ms(t->f->loop);
    uint32_t ttl_s = ttl_of(r), netid = 0;
    const char *why = "";

    if (r->verdict == FR_VERDICT_NONE && !r->has_chain)
        return fr_cache_put_unknown(t->f->cache, key, ttl_s, t->f->options->unknown_max_s, now_ms);
    if (fr_reply_netid(r, zone, &netid, &why) == FR_OK)
        fr_cache_put_device(t->f->cache, key, netid, r->target_ttl_s, now_ms);
    return ttl_s;
}

static void keep(const struct fr_records_trip *t, const struct fr_reply *r)
{
    bool is_negative = r->verdict != FR_VERDICT_DATA;
    uint32_t ttl_s = t->owner.kind == FR_OWNER_DEVEUI ? learn_device(t, r) : ttl_of(r);

    fr_cache_put_message(t->f->cache, key_of(t->f, t->federation, &t->name, t->type),
                         r->message.wire, is_negative, ttl_s, r->age_s, fr_loop_now_ms(t->f->loop));
}

static void detach(struct fr_records_trip *t)
{
    struct fr_records_trip **at = &t->f->records_trips;

    while (*at != t) at = &(*at)->next;
    *at = t->next;
}

static void on_ask(void *data, const struct fr_judgement *j)
{
    struct fr_records_trip *t = data;

    detach(t); /* nobody joins it while it ends */
    if (j->result == FEDROAM_FOUND) {
        const struct fr_records_answer a = {.result = FEDROAM_FOUND,
                                            .freshness = FEDROAM_FRESH,
                                            .message = j->reply.message,
                                            .age_s = j->reply.age_s,
                                            .status = j->status,
                                            .ede = j->ede,
                                            .reason = ""};
        keep(t, &j->reply);
        while (t->queries) end(t->queries, &a);
    } else {
        while (t->queries) fail(t->queries, j);
    }
    fr_free(t);
}

static struct fr_records_trip *find_trip(const struct fr_records_query *q)
{
    struct fr_records_trip *t = q->f->records_trips;

    while (t && (t->federation != q->federation || t->type != q->type ||
                 !fr_dname_equal(fr_dname_span(&t->name), fr_dname_span(&q->name))))
        t = t->next;
    return t;
}

static enum fr_err start_trip(const struct fr_records_query *q, struct fr_records_trip **out)
{
    struct fr_records_trip *t = fr_calloc(1, sizeof *t);

    if (!t) return FR_E_NOMEM;
    t->f = q->f;
    t->federation = q->federation;
    t->type = q->type;
    t->name = q->name;
    t->owner = q->owner;
    enum fr_err err = fr_brokers_ask(q->f->brokers[q->federation], &t->name, t->type, q->until_ms,
                                     on_ask, t, &t->ask);
    if (err) {
        fr_free(t);
        return err;
    }
    t->next = q->f->records_trips;
    q->f->records_trips = t;
    *out = t;
    return FR_OK;
}

static void on_start(struct fr_defer *d)
{
    struct fr_records_query *q = d->data;
    struct fedroam *f = q->f;
    const struct fr_federation_opt *federation = f->options->federations[q->federation];
    struct fr_records_answer a;

    if (q->owner.kind == FR_OWNER_DEVEUI && !fr_federation_takes(federation, q->owner.eui)) {
        a = (struct fr_records_answer){.result = FEDROAM_UNKNOWN,
                                       .ede = FR_DNS_EDE_NONE,
                                       .reason = "the federation is not asked about this DevEUI"};
        end(q, &a);
        return;
    }
    if (kept(q, &a) == FR_CACHE_FRESH) {
        f->counts[FEDROAM_COUNT_CACHED]++;
        end(q, &a);
        return;
    }
    struct fr_records_trip *t = find_trip(q);
    if (t) {
        f->counts[FEDROAM_COUNT_SHARED]++;
    } else {
        enum fr_err err = start_trip(q, &t);
        if (err) {
            fail_local(q, err);
            return;
        }
    }
    unlink_query(q);
    link_query(&t->queries, q);
}

enum fr_err fr_records_ask(struct fedroam *f, size_t federation, const struct fr_dname *name,
                           uint16_t type, uint32_t timeout_ms, fr_records_done done, void *data,
                           struct fr_records_query **out)
{
    if (federation >= f->options->n_federations) return FR_E_NOT_FOUND;
    if (f->n_records >= f->options->pending) return FR_E_LIMIT;
    struct fr_records_query *q = fr_calloc(1, sizeof *q);
    if (!q) return FR_E_NOMEM;
    q->f = f;
    q->federation = (uint16_t)federation;
    q->type = type;
    q->name = *name;
    if (fr_owner_read(fr_dname_span(name), &f->options->federations[federation]->zone, &q->owner) !=
        FR_OK)
        q->owner = (struct fr_owner){.kind = FR_OWNER_APEX};
    q->timeout_ms = timeout_ms ? timeout_ms : f->options->timeout_ms;
    q->until_ms = fr_loop_now_ms(f->loop) + q->timeout_ms;
    q->done = done;
    q->data = data;
    fr_defer_init(&q->start, on_start, q);
    fr_timer_init(&q->deadline, on_deadline, q);
    link_query(&f->records_starting, q);
    fr_loop_defer(f->loop, &q->start);
    fr_timer_start(f->loop, &q->deadline, q->timeout_ms);
    f->n_records++;
    f->counts[FEDROAM_COUNT_LOOKUPS]++;
    *out = q;
    return FR_OK;
}

void fr_records_free(struct fedroam *f)
{
    while (f->records_starting) fr_records_cancel(f->records_starting);
    while (f->records_trips) {
        struct fr_records_trip *t = f->records_trips;
        while (t->queries) fr_records_cancel(t->queries);
        f->records_trips = t->next;
        fr_ask_cancel(t->ask);
        fr_free(t);
    }
}
