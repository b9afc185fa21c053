#include "resolver/link_http.h"

#include "base/mem.h"
#include "base/parse.h"
#include "resolver/handle.h"
#include "resolver/identity.h"
#include "resolver/link_way.h"
#include "resolver/options.h"
#include <stdio.h>
#include <string.h>

/* A link has one way, that of the configuration, or as many as its discovery finds. A question goes over the first
 * that does not rest; when that cannot be connected it rests and the question goes over the next. */

TAILQ_HEAD(call_list, fr_link_call);

struct http_link {
    struct fr_link link;
    struct fedroam *f; /* for its options and counts */
    const struct fr_federation_opt *federation;
    const struct fr_broker_opt *broker;
    struct fr_loop *loop;
    struct fr_identity *identity;
    unsigned generation; /* of the identity, when it was used last; 0: never */
    struct fr_link_ways ways, retired;
    struct fr_discovery *discovery;  /* NULL: the configuration says it all */
    struct call_list waiting;        /* for it */
    struct fr_resolver_traffic past; /* of ways that are gone */
    uint64_t exchanges;
};

struct fr_link_call {
    struct http_link *l;
    TAILQ_ENTRY(fr_link_call) entry;
    fr_link_done done; /* NULL: cancelled */
    void *data;
    int64_t until_ms;
    struct fr_timer patience;  /* while it waits */
    struct fr_link_way *way;   /* it travels over; NULL: it waits */
    struct fr_http_call *call; /* there */
    unsigned n_tries;
    size_t n_message;
    uint8_t message[];
};

enum {
    PATIENCE_MS = 1000,   /* of a question that has a way, until another one is discovered */
    WAY_REST_MS = 300000, /* of a way that could not be connected, while there is another */
};

static int64_t now_ms(const struct http_link *l)
{
    return fr_loop_now_ms(l->loop);
}

static const char *host_of(const struct http_link *l)
{
    return l->broker->url.host;
}

/* ---- ways ---- */

static struct fr_link_way *first_well(const struct http_link *l)
{
    struct fr_link_way *w;
    TAILQ_FOREACH(w, &l->ways, link)
    if (w->rests_until_ms <= now_ms(l)) return w;
    return NULL;
}

/* The one to take; NULL: nobody knows where the broker is. */
static struct fr_link_way *choose(const struct http_link *l)
{
    struct fr_link_way *well = first_well(l);
    return well ? well : TAILQ_FIRST(&l->ways);
}

static void way_over(struct http_link *l, struct fr_link_way *w)
{
    fr_link_way_add_traffic(w, &l->past);
    fr_link_way_free(w);
}

static void retire(struct http_link *l, struct fr_link_way *w)
{
    TAILQ_REMOVE(&l->ways, w, link);
    if (w->n_calls == 0) {
        way_over(l, w);
        return;
    }
    w->is_retired = true;
    TAILQ_INSERT_TAIL(&l->retired, w, link);
}

/* A question came back from it. */
static void leave_way(struct http_link *l, struct fr_link_way *w)
{
    if (--w->n_calls > 0 || !w->is_retired) return;
    TAILQ_REMOVE(&l->retired, w, link);
    way_over(l, w);
}

/* The old one that leads to the same place, with its connection; or a new one. NULL: no memory. */
static struct fr_link_way *take_way(struct http_link *l, const struct fr_way *way)
{
    struct fr_link_way *w;
    TAILQ_FOREACH(w, &l->ways, link)
    if (fr_way_equal(&w->way, way)) {
        TAILQ_REMOVE(&l->ways, w, link);
        w->way = *way;
        return w;
    }
    return fr_link_way_new(way, &w) == FR_OK ? w : NULL;
}

static void set_ways(struct http_link *l, const struct fr_ways *ways)
{
    struct fr_link_ways fresh = TAILQ_HEAD_INITIALIZER(fresh);
    struct fr_link_way *w;
    for (size_t i = 0; i < ways->n; i++)
        if ((w = take_way(l, &ways->list[i])) != NULL) TAILQ_INSERT_TAIL(&fresh, w, link);
    if (TAILQ_EMPTY(&fresh)) return; /* where it was last is better than nowhere */
    while ((w = TAILQ_FIRST(&l->ways)) != NULL) retire(l, w);
    TAILQ_CONCAT(&l->ways, &fresh, link);
}

static void on_way_lost(void *data)
{
    struct http_link *l = data;
    if (l->link.on_lost) l->link.on_lost(l->link.lost_data);
}

/* ---- our certificate ---- */

/* With several addresses or ways a dead one must not take all the time; a single one may. */
static struct fr_link_way_conf conf_of(struct http_link *l)
{
    const struct fedroam_options *o = l->f->options;
    bool has_others = l->broker->n_addresses > 1 || l->discovery;
    return (struct fr_link_way_conf){.loop = l->loop,
                                     .url = &l->broker->url,
                                     .connect_ms =
                                         has_others ? o->broker_timeout_ms : o->timeout_ms,
                                     .queue = o->pending,
                                     .on_lost = on_way_lost,
                                     .lost_data = l};
}

/* Brings a way up to the identity's files; NULL: looks at them only. */
static enum fr_err ready(struct http_link *l, struct fr_link_way *w, struct fr_diag *diag)
{
    struct fr_tls_ctx *tls = NULL;
    unsigned generation = 0;
    enum fr_err err = fr_identity_get(l->identity, now_ms(l), diag, &tls, &generation);
    if (err) return err;
    if (l->generation != 0 && l->generation != generation) l->f->counts[FEDROAM_COUNT_RELOADS]++;
    l->generation = generation;
    const struct fr_link_way_conf conf = conf_of(l);
    if (w) err = fr_link_way_ready(w, &conf, tls, generation);
    return err ? fr_diag_fail(diag, err, "the connection to %s cannot be prepared", host_of(l))
               : FR_OK;
}

/* ---- questions ---- */

static void on_http(void *data, const struct fr_http_result *h);

static enum fr_err send_call(struct fr_link_call *call, struct fr_diag *diag)
{
    struct http_link *l = call->l;
    struct fr_link_way *w = choose(l);
    int64_t left_ms = call->until_ms - now_ms(l);
    enum fr_err err = ready(l, w, diag);
    if (err) return err;
    err = fr_link_way_send(w, fr_span(call->message, call->n_message),
                           left_ms > 1 ? (uint32_t)left_ms : 1, on_http, call, &call->call);
    if (err) return fr_diag_fail(diag, err, "the question to %s cannot be queued", host_of(l));
    call->way = w;
    call->n_tries++;
    w->n_calls++;
    return FR_OK;
}

static void finish(struct fr_link_call *call, const struct fr_link_result *r)
{
    if (call->done) call->done(call->data, r);
    fr_free(call);
}

static void finish_failed(struct fr_link_call *call, enum fr_link_end end, const char *text)
{
    finish(call, &(struct fr_link_result){.end = end, .text = text, .alert = ""});
}

static uint32_t read_seconds(const struct fr_http_result *r, const char *name)
{
    uint64_t v = 0;
    struct fr_span text = fr_http_find(r->fields, r->n_fields, name);
    /* A date (Retry-After may be one) or nonsense counts as not said. */
    if (fr_parse_u64(text, 0, UINT32_MAX, &v) != FR_OK) return 0;
    return (uint32_t)v;
}

static void finish_heard(struct fr_link_call *call, const struct fr_http_result *h)
{
    struct fr_link_result r = {.end = FR_LINK_DOWN, .text = h->text, .alert = h->alert_word};
    if (h->fault == FR_HTTP_OK) {
        r.end = FR_LINK_ANSWERED;
        r.status = h->status;
        r.content_type = fr_http_find(h->fields, h->n_fields, "content-type");
        r.body = h->body;
        r.age_s = read_seconds(h, "age");
        r.retry_after_s = read_seconds(h, "retry-after");
    } else if (h->fault == FR_HTTP_TLS_ALERT) {
        r.end = FR_LINK_ALERT;
    } else if (h->fault == FR_HTTP_NO_MEMORY || h->fault == FR_HTTP_BUSY) {
        r.end = FR_LINK_OURS;
    }
    finish(call, &r);
}

/* The way could not be connected, or whoever is there is not the broker. */
static bool is_no_way(const struct fr_http_result *h)
{
    return h->fault != FR_HTTP_OK && !h->is_sent && h->fault != FR_HTTP_NO_MEMORY &&
           h->fault != FR_HTTP_BUSY && h->fault != FR_HTTP_CANCELLED;
}

/* Puts the question on the next way. False: there is none, or no time. */
static bool goes_on(struct fr_link_call *call, struct fr_link_way *failed, const char *why)
{
    struct http_link *l = call->l;
    struct fr_link_way *w;
    struct fr_diag diag = {0};
    if (!l->discovery) return false;
    if (!failed->is_retired && failed->rests_until_ms <= now_ms(l))
        FR_LOG(fr_options_log(l->f->options), FR_LOG_WARN, "broker.way_failed",
               FR_STR("federation", l->federation->name), FR_STR("broker", host_of(l)),
               FR_STR("why", why));
    failed->rests_until_ms = now_ms(l) + WAY_REST_MS;
    if (!first_well(l)) { /* none is better than another, and perhaps there are new ones */
        TAILQ_FOREACH(w, &l->ways, link) w->rests_until_ms = 0;
        fr_discovery_expire(l->discovery);
        return false;
    }
    return call->n_tries < FR_WAYS_MAX && now_ms(l) < call->until_ms &&
           send_call(call, &diag) == FR_OK;
}

static void on_http(void *data, const struct fr_http_result *h)
{
    struct fr_link_call *call = data;
    struct http_link *l = call->l;
    struct fr_link_way *w = call->way;
    if (!(call->done && is_no_way(h) && goes_on(call, w, h->text))) finish_heard(call, h);
    leave_way(l, w);
}

/* ---- discovery ---- */

static void say_ways(const struct http_link *l, const struct fr_ways *ways)
{
    const struct fr_way *way = &ways->list[0];
    char at[FR_ADDR_TEXT] = "", target[FR_DNAME_TEXT] = "";
    if (ways->n > 0) fr_addr_print(&way->addresses[0], at);
    if (ways->n > 0 && way->is_discovered) fr_dname_print(fr_dname_span(&way->target), target);
    FR_LOG(fr_options_log(l->f->options), ways->n > 0 ? FR_LOG_INFO : FR_LOG_WARN,
           "broker.looked_up", FR_STR("federation", l->federation->name),
           FR_STR("broker", host_of(l)), FR_UINT("ways", ways->n), FR_STR("at", at),
           FR_STR("target", target), FR_STR("why", ways->why));
}

static void send_waiting(struct fr_link_call *call)
{
    struct http_link *l = call->l;
    struct fr_diag diag = {0};
    char text[320];
    fr_timer_stop(&call->patience);
    TAILQ_REMOVE(&l->waiting, call, entry);
    if (!choose(l)) {
        (void)snprintf(text, sizeof text, "%s is not found in public DNS", host_of(l));
        finish_failed(call, FR_LINK_DOWN, text);
        return;
    }
    enum fr_err err = send_call(call, &diag);
    if (err == FR_OK) return;
    fr_diag_print(&diag, err, text, sizeof text);
    finish_failed(call, FR_LINK_OURS, text);
}

static void on_discovered(void *data)
{
    struct http_link *l = data;
    struct fr_link_call *call;
    const struct fr_ways *ways = fr_discovery_ways(l->discovery);
    say_ways(l, ways);
    set_ways(l, ways);
    while ((call = TAILQ_FIRST(&l->waiting)) != NULL) send_waiting(call);
}

static void on_patience(struct fr_timer *t)
{
    send_waiting(t->data);
}

/* Where the broker is must be known, and still hold, before a question goes out: how long it is to wait for
 * that. With a way that may do, until the run under way has had its time; without, as long as it can. */
static int64_t time_to_wait(struct http_link *l, uint32_t within_ms)
{
    if (!l->discovery) return 0;
    bool is_fresh = fr_discovery_is_fresh(l->discovery);
    if (!is_fresh || fr_discovery_is_ending(l->discovery)) fr_discovery_start(l->discovery);
    if (is_fresh) return 0;
    if (!choose(l)) return within_ms;
    int64_t half_ms = within_ms / 2;
    int64_t left_ms = PATIENCE_MS - fr_discovery_running_ms(l->discovery);
    return left_ms < half_ms ? left_ms : half_ms;
}

static void wait_for_ways(struct fr_link_call *call, int64_t time_ms)
{
    struct http_link *l = call->l;
    fr_timer_init(&call->patience, on_patience, call);
    fr_timer_start(l->loop, &call->patience, time_ms);
    TAILQ_INSERT_TAIL(&l->waiting, call, entry);
}

/* ---- the link ---- */

static enum fr_err http_ask(struct fr_link *link, struct fr_span message, uint32_t within_ms,
                            fr_link_done done, void *data, struct fr_diag *diag,
                            struct fr_link_call **out)
{
    struct http_link *l = (struct http_link *)link;
    enum fr_err err = ready(l, NULL, diag);
    if (err) return err;
    struct fr_link_call *call = fr_calloc(1, sizeof *call + message.n);
    if (!call) return FR_E_NOMEM;
    call->l = l;
    call->done = done;
    call->data = data;
    call->until_ms = now_ms(l) + within_ms;
    call->n_message = message.n;
    memcpy(call->message, message.p, message.n);
    int64_t wait_ms = time_to_wait(l, within_ms);
    if (wait_ms > 0)
        wait_for_ways(call, wait_ms);
    else if (!choose(l))
        err = fr_diag_fail(diag, FR_E_NET, "%s is not found in public DNS", host_of(l));
    else
        err = send_call(call, diag);
    if (err) {
        fr_free(call);
        return err;
    }
    l->exchanges++;
    *out = call;
    return FR_OK;
}

static void http_cancel(struct fr_link *link, struct fr_link_call *call)
{
    struct http_link *l = (struct http_link *)link;
    call->done = NULL;
    if (call->way) {
        fr_http_cancel(call->call); /* comes back in on_http, which frees the call */
        return;
    }
    fr_timer_stop(&call->patience);
    TAILQ_REMOVE(&l->waiting, call, entry);
    fr_free(call);
}

static enum fr_err http_reload(struct fr_link *link, struct fr_diag *diag)
{
    struct http_link *l = (struct http_link *)link;
    enum fr_err err = fr_identity_reload(l->identity, now_ms(l), diag);
    return err ? err : ready(l, choose(l), diag);
}

static void http_add_traffic(struct fr_link *link, struct fr_resolver_traffic *sum)
{
    struct http_link *l = (struct http_link *)link;
    const struct fr_link_way *w;
    sum->exchanges += l->exchanges;
    fr_traffic_add(sum, &l->past);
    TAILQ_FOREACH(w, &l->ways, link) fr_link_way_add_traffic(w, sum);
    TAILQ_FOREACH(w, &l->retired, link) fr_link_way_add_traffic(w, sum);
}

static void free_ways(struct fr_link_ways *ways)
{
    struct fr_link_way *w;
    while ((w = TAILQ_FIRST(ways)) != NULL) {
        TAILQ_REMOVE(ways, w, link);
        w->is_retired = false; /* what comes back now does not end it again */
        fr_link_way_free(w);
    }
}

static void http_free(struct fr_link *link)
{
    struct http_link *l = (struct http_link *)link;
    fr_discovery_free(l->discovery);
    free_ways(&l->ways);
    free_ways(&l->retired);
    fr_identity_unref(l->identity);
    fr_free(l);
}

static const struct fr_link_ops http_ops = {.ask = http_ask,
                                            .cancel = http_cancel,
                                            .reload = http_reload,
                                            .add_traffic = http_add_traffic,
                                            .free = http_free};

static enum fr_err find_ways(struct http_link *l)
{
    struct fr_ways configured = {.n = l->broker->n_addresses > 0};
    enum fr_err err = FR_OK;
    if (fr_discovery_is_wanted(l->broker))
        err =
            fr_discovery_new(l->loop, l->f->public_dns, l->broker, on_discovered, l, &l->discovery);
    if (err || configured.n == 0) return err;
    configured.list[0] = fr_way_configured(l->broker);
    set_ways(l, &configured);
    return TAILQ_EMPTY(&l->ways) ? FR_E_NOMEM : FR_OK;
}

static enum fr_err link_new(struct fedroam *f, const struct fr_federation_opt *federation,
                            const struct fr_broker_opt *broker, struct fr_identity *identity,
                            struct fr_loop *loop, struct fr_link **out)
{
    struct http_link *l = fr_calloc(1, sizeof *l);
    if (!l) return FR_E_NOMEM;
    *l = (struct http_link){.link = {.ops = &http_ops},
                            .f = f,
                            .federation = federation,
                            .broker = broker,
                            .loop = loop,
                            .identity = fr_identity_ref(identity)};
    TAILQ_INIT(&l->ways);
    TAILQ_INIT(&l->retired);
    TAILQ_INIT(&l->waiting);
    enum fr_err err = find_ways(l);
    if (err)
        http_free(&l->link);
    else
        *out = &l->link;
    return err;
}

enum fr_err fr_link_http_make(void *data, const struct fr_federation_opt *federation,
                              struct fr_loop *loop, struct fr_link **out)
{
    struct fr_identity *identity = NULL;
    size_t n = 0;
    enum fr_err err =
        fr_identity_new(federation->ca, federation->chain, federation->key, &identity);
    if (err) return err;
    for (; n < federation->n_brokers && !err; n++)
        err = link_new(data, federation, &federation->brokers[n], identity, loop, &out[n]);
    if (err)
        while (--n > 0) http_free(out[n - 1]);
    fr_identity_unref(identity);
    return err;
}
