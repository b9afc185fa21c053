#pragma once
/* Simulated federations for long and random courses of things: a loop whose clock jumps from event to
 * event, and brokers that lose, delay, die, refuse, and know where a device is at each moment. */

#include "message.h"

#include "base/mem.h"
#include "resolver/open_with.h"
#include "resolver/options.h"
#include "transport/loop.h"
#include <fedroam/fedroam.h>
#include <stdlib.h>

enum { SIM_FEDERATIONS = 2, SIM_BROKERS = 3 };

struct sim_broker {
    bool is_dead;   /* refuses connections */
    bool is_silent; /* swallows everything */
    bool is_forbidding;
    unsigned loss; /* of 1000 questions so many have no answer */
    int64_t min_ms, max_ms;
    int64_t budget_until_ms;
    uint64_t asked;
};

struct sim_timers { /* a heap by due time, then by age */
    size_t n, cap;
    struct sim_timer {
        int64_t due_ms;
        uint64_t seq;
        struct fr_timer *t;
    } * list;
    uint64_t seq;
};

struct sim {
    struct fr_loop loop; /* first */
    int64_t now_ms;
    uint64_t rng;
    struct sim_timers timers;
    struct sim_broker brokers[SIM_FEDERATIONS][SIM_BROKERS];
    /* The truth: the NetID of a device in a federation now; 0: not there. And whether a question may be
     * answered (false: 429 with retry_after_s). */
    uint32_t (*home)(void *data, int federation, uint64_t deveui);
    bool (*allows)(void *data, int federation, uint64_t deveui, bool is_found,
                   uint32_t *retry_after_s);
    /* What stands below joineui; NULL: nothing. False: nothing at this name. */
    bool (*join_server)(void *data, int federation, const char *name, uint16_t type,
                        struct message *out);
    void *data;
    bool is_network_gone; /* network 000013 of the first federation */
    bool is_key_revoked;  /* its only key */
    struct fedroam *f;
};

static inline uint64_t sim_random(struct sim *s)
{
    uint64_t z = s->rng += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline uint64_t sim_below(struct sim *s, uint64_t n)
{
    return sim_random(s) % n;
}

/* ---- the loop ---- */

static inline bool sim_before(const struct sim_timer *a, const struct sim_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->seq < b->seq;
}

static inline size_t *sim_at(struct fr_timer *t)
{
    return (size_t *)(void *)t->priv;
}

static inline void sim_place(struct sim_timers *h, size_t i, struct sim_timer e)
{
    h->list[i] = e;
    *sim_at(e.t) = i;
}

static inline void sim_sift(struct sim_timers *h, size_t i, struct sim_timer e)
{
    while (i > 0 && sim_before(&e, &h->list[(i - 1) / 2])) {
        sim_place(h, i, h->list[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (size_t k; (k = 2 * i + 1) < h->n; i = k) {
        if (k + 1 < h->n && sim_before(&h->list[k + 1], &h->list[k])) k++;
        if (!sim_before(&h->list[k], &e)) break;
        sim_place(h, i, h->list[k]);
    }
    sim_place(h, i, e);
}

static inline void sim_timer_start(struct fr_loop *loop, struct fr_timer *t)
{
    struct sim_timers *h = &((struct sim *)loop)->timers;
    if (h->n == h->cap) {
        h->cap = h->cap ? 2 * h->cap : 64;
        h->list = realloc(h->list, h->cap * sizeof *h->list);
        assert_non_null(h->list);
    }
    sim_sift(h, h->n++, (struct sim_timer){t->due_ms, h->seq++, t});
}

static inline void sim_timer_stop(struct fr_loop *loop, struct fr_timer *t)
{
    struct sim_timers *h = &((struct sim *)loop)->timers;
    size_t i = *sim_at(t);
    struct sim_timer last = h->list[--h->n];
    if (i < h->n) sim_sift(h, i, last);
}

static inline enum fr_err sim_watch(struct fr_loop *loop, struct fr_watch *w, unsigned want)
{
    (void)loop, (void)w, (void)want;
    return FR_E_IO; /* there is nothing to watch here */
}

static inline void sim_wake(struct fr_loop *loop)
{
    (void)loop; /* sim_run looks after each event */
}

static inline int64_t sim_now(struct fr_loop *loop)
{
    return ((struct sim *)loop)->now_ms;
}

static inline int64_t sim_real(struct fr_loop *loop)
{
    return 1700000000 + sim_now(loop) / 1000;
}

static const struct fr_loop_ops sim_loop_ops = {sim_watch, sim_timer_start, sim_timer_stop,
                                                sim_wake,  sim_now,         sim_real};

/* Everything up to this moment happens. */
static inline void sim_run(struct sim *s, int64_t until_ms)
{
    for (;;) {
        while (fr_loop_has_deferred(&s->loop)) (void)fr_loop_run_deferred(&s->loop);
        if (s->timers.n == 0 || s->timers.list[0].due_ms > until_ms) break;
        struct fr_timer *t = s->timers.list[0].t;
        s->now_ms = t->due_ms > s->now_ms ? t->due_ms : s->now_ms;
        fr_timer_stop(t);
        t->fn(t);
    }
    s->now_ms = until_ms;
}

/* ---- the brokers ---- */

struct sim_link {
    struct fr_link link;
    struct sim *sim;
    int federation, broker;
};

struct fr_link_call {
    struct sim_link *link;
    struct fr_timer timer;
    fr_link_done done;
    void *data;
    struct fr_dns_query question;
    bool is_lost;
    const char *refused; /* at once: nobody listens there */
};

static const char *const sim_zones[SIM_FEDERATIONS] = {"fed.test", "other.test"};

static inline uint64_t sim_eui(const struct fr_dname *name)
{
    uint64_t eui = 0;
    for (int i = 1; i <= 16; i++)
        eui = eui << 4 | (uint64_t)(name->b[i] <= '9' ? name->b[i] - '0' : name->b[i] - 'a' + 10);
    return eui;
}

/* The records of a network: written behind a device's alias, too. */
static inline size_t sim_network(const struct sim *s, int federation, uint32_t netid, bool has_key,
                                 char *answer, size_t n_answer, char *more, size_t n_more)
{
    (void)s;
    const char *zone = sim_zones[federation];
    snprintf(more, n_more, "_fedroam._tcp.%06x.netid.%s. 60 SRV 0 0 8005 %06x.netid.%s.%s%s%s%s",
             netid, zone, netid, zone, has_key ? "\n_ns." : "",
             has_key ? "000013.netid.fed.test." : "", has_key ? " 60 TLSA 3 1 1 " : "",
             has_key ? "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" : "");
    int m = snprintf(answer, n_answer, "%06x.netid.%s. 60 A 192.0.2.%u", netid, zone, netid & 0xff);
    return (size_t)m;
}

static inline struct message sim_answer(struct sim *s, int federation, const struct fr_dns_query *q,
                                        bool *is_found)
{
    static struct fr_rr soas[SIM_FEDERATIONS];
    char name[FR_DNAME_TEXT], answer[512] = "", more[512] = "";
    const char *zone = sim_zones[federation], *reason = NULL;
    uint32_t netid = 0;
    fr_dname_print(fr_dname_span(&q->name), name);
    *is_found = true;
    struct message own;
    if (s->join_server && strstr(name, ".joineui.") &&
        s->join_server(s->data, federation, name, q->type, &own))
        return own;
    if (strstr(name, ".deveui.")) {
        netid = s->home(s->data, federation, sim_eui(&q->name));
    } else if (strstr(name, ".netid.")) {
        netid = (uint32_t)strtoul(strstr(name, ".netid.") - 6, NULL, 16);
        if (netid == 0x13 && federation == 0 && s->is_network_gone) netid = 0;
    }
    if (netid) {
        size_t n = strstr(name, ".deveui.")
                       ? (size_t)snprintf(answer, sizeof answer, "%s. 3600 CNAME %06x.netid.%s.\n",
                                          name, netid, zone)
                       : 0;
        sim_network(s, federation, netid, netid == 0x13 && federation == 0 && !s->is_key_revoked,
                    answer + n, sizeof answer - n, more, sizeof more);
        return test_message(name, q->type, OK, answer, "", more);
    }
    /* Not there: by far the most answers, so written without parsing text. */
    struct message m = {0};
    struct fr_dname root = test_name(".");
    struct fr_dns_writer w;
    struct fr_rr *soa = &soas[federation];
    snprintf(more, sizeof more, "%s. 60 IN SOA b.%s. noc.%s. 7 3600 600 604800 60", zone, zone,
             zone);
    if (soa->type == 0) assert_int_equal(fr_rr_parse(more, &root, NULL, 60, soa, &reason), FR_OK);
    *is_found = q->type == FR_DNS_SOA;
    fr_dns_writer_init(&w, m.b, sizeof m.b, 0, NX);
    assert_int_equal(fr_dns_write_question(&w, &q->name, q->type, FR_DNS_IN), FR_OK);
    assert_int_equal(fr_dns_write_rr(&w, FR_DNS_AUTHORITY, soa), FR_OK);
    m.n = fr_dns_writer_finish(&w).n;
    return m;
}

static inline void sim_reply(struct fr_timer *t)
{
    struct fr_link_call *call = t->data;
    struct sim *s = call->link->sim;
    struct sim_broker *b = &s->brokers[call->link->federation][call->link->broker];
    struct fr_link_result r = {.end = FR_LINK_DOWN, .text = "no answer in time", .alert = ""};
    struct message m;
    bool is_found = false;
    uint32_t retry_after_s = 0;
    if (call->refused) {
        r.text = call->refused;
    } else if (!call->is_lost) {
        r = (struct fr_link_result){
            .end = FR_LINK_ANSWERED, .status = 200, .text = "", .alert = ""};
        r.content_type = FR_SPAN_LIT("application/dns-message");
        m = sim_answer(s, call->link->federation, &call->question, &is_found);
        r.body = fr_span(m.b, m.n);
        uint64_t eui = call->question.name.b[0] == 16 ? sim_eui(&call->question.name) : 0;
        if (b->is_forbidding) r.status = 403;
        if (b->budget_until_ms > s->now_ms)
            retry_after_s = (uint32_t)((b->budget_until_ms - s->now_ms + 999) / 1000);
        else if (s->allows && eui)
            (void)s->allows(s->data, call->link->federation, eui, is_found, &retry_after_s);
        if (retry_after_s && r.status == 200) {
            r.status = 429;
            r.retry_after_s = retry_after_s;
        }
    }
    call->done(call->data, &r);
    fr_free(call);
}

static inline enum fr_err sim_ask(struct fr_link *link, struct fr_span message, uint32_t within_ms,
                                  fr_link_done done, void *data, struct fr_diag *diag,
                                  struct fr_link_call **out)
{
    struct sim_link *l = (struct sim_link *)link;
    struct sim *s = l->sim;
    struct sim_broker *b = &s->brokers[l->federation][l->broker];
    struct fr_link_call *call = fr_calloc(1, sizeof *call);
    (void)diag;
    assert_non_null(call);
    *call = (struct fr_link_call){.link = l, .done = done, .data = data};
    assert_int_equal(fr_dns_query_read(message, &call->question), FR_OK);
    b->asked++;
    int64_t delay_ms = b->min_ms + (int64_t)sim_below(s, (uint64_t)(b->max_ms - b->min_ms) + 1);
    call->refused = b->is_dead ? "connection refused" : NULL;
    call->is_lost = b->is_silent || sim_below(s, 1000) < b->loss || delay_ms >= within_ms;
    fr_timer_init(&call->timer, sim_reply, call);
    fr_timer_start(&s->loop, &call->timer, call->is_lost && !call->refused ? within_ms : delay_ms);
    *out = call;
    return FR_OK;
}

static inline void sim_cancel(struct fr_link *link, struct fr_link_call *call)
{
    (void)link;
    fr_timer_stop(&call->timer);
    fr_free(call);
}

static inline enum fr_err sim_reload(struct fr_link *link, struct fr_diag *diag)
{
    (void)link, (void)diag;
    return FR_OK;
}

static inline void sim_traffic(struct fr_link *link, struct fr_resolver_traffic *sum)
{
    (void)link, (void)sum;
}

static inline void sim_link_free(struct fr_link *link)
{
    fr_free(link);
}

static const struct fr_link_ops sim_ops = {sim_ask, sim_cancel, sim_reload, sim_traffic,
                                           sim_link_free};

static inline enum fr_err sim_make(void *data, const struct fr_federation_opt *f,
                                   struct fr_loop *loop, struct fr_link **out)
{
    (void)loop;
    for (size_t i = 0; i < f->n_brokers; i++) {
        struct sim_link *l = fr_calloc(1, sizeof *l);
        assert_non_null(l);
        *l = (struct sim_link){{.ops = &sim_ops}, data, strcmp(f->name, sim_zones[0]) != 0, (int)i};
        out[i] = &l->link;
    }
    return FR_OK;
}

/* A healthy world; the caller sets the truth, then opens. */
static inline void sim_init(struct sim *s, uint64_t seed)
{
    *s = (struct sim){.now_ms = 1000, .rng = seed};
    fr_loop_init(&s->loop, &sim_loop_ops);
    for (int i = 0; i < SIM_FEDERATIONS; i++)
        for (int b = 0; b < SIM_BROKERS; b++)
            s->brokers[i][b] = (struct sim_broker){.min_ms = 5, .max_ms = 30};
}

static inline struct fedroam_options *sim_options(int federations, int brokers)
{
    const char *address = "127.0.0.1";
    struct fedroam_options *o = fedroam_options_new();
    assert_non_null(o);
    for (int i = 0; i < federations; i++) {
        assert_int_equal(fedroam_options_add_federation(o, sim_zones[i], "a", "b", "c"), 0);
        for (int b = 0; b < brokers; b++) {
            char url[64];
            snprintf(url, sizeof url, "https://b%d.%s/dns-query", b, sim_zones[i]);
            assert_int_equal(fedroam_options_add_broker(o, sim_zones[i], url, &address, 1), 0);
        }
    }
    return o;
}

static inline void sim_open(struct sim *s, struct fedroam_options *o)
{
    const struct fr_link_maker maker = {sim_make, s};
    assert_int_equal(fr_resolver_open_with(o, &s->loop, &maker, NULL, &s->f), FR_OK);
    fedroam_options_free(o);
}

static inline void sim_close(struct sim *s)
{
    fedroam_free(s->f);
    fr_loop_deinit(&s->loop);
    free(s->timers.list);
}
