#include "resolver/brokers_priv.h"

#include "base/mem.h"
#include "dns/message.h"
#include <stdio.h>
#include <string.h>

/* ID 0 (RFC 8484 4.1), and an OPT so that a refusal may say why (RFC 8914). No padding: the
 * names of one kind are all of one length, so it would hide nothing. */
enum fr_err fr_question_write(const struct fr_dname *name, uint16_t type,
                              uint8_t out[FR_QUESTION_MAX], size_t *n)
{
    struct fr_dns_writer w;
    fr_dns_writer_init(&w, out, FR_QUESTION_MAX, 0, 0);
    enum fr_err err = fr_dns_write_question(&w, name, type, FR_DNS_IN);
    if (err) return err;
    err = fr_dns_write_opt(&w, 0, FR_DNS_EDE_NONE, 0);
    if (err) return err;
    *n = fr_dns_writer_finish(&w).n;
    return FR_OK;
}

/* ---- the budget ---- */

static void hold(struct fr_brokers *b, const struct fr_judgement *j)
{
    uint32_t s = j->retry_after_s > 0 ? j->retry_after_s : 1; /* a 429 that does not say */
    if (s > FR_RETRY_AFTER_MAX_S) s = FR_RETRY_AFTER_MAX_S;
    b->held_until_ms = fr_loop_now_ms(b->loop) + (int64_t)s * 1000;
    memcpy(b->held_reason, j->reason, sizeof b->held_reason);
    FR_LOG(fr_options_log(b->options), FR_LOG_WARN, "federation.over_budget",
           FR_STR("federation", b->federation->name), FR_UINT("retry_after_s", s),
           FR_STR("why", j->reason));
}

bool fr_brokers_is_held(struct fr_brokers *b, struct fr_judgement *j)
{
    int64_t left_ms = b->held_until_ms - fr_loop_now_ms(b->loop);
    if (left_ms <= 0) return false;
    *j = (struct fr_judgement){.result = FEDROAM_OVER_BUDGET,
                               .status = 429,
                               .ede = FR_DNS_EDE_NONE,
                               .retry_after_s = (uint32_t)((left_ms + 999) / 1000)};
    memcpy(j->reason, b->held_reason, sizeof j->reason);
    return true;
}

/* ---- health ---- */

static void say_failed(const struct fr_broker *k, int64_t now_ms)
{
    FR_LOG(fr_options_log(k->set->options), FR_LOG_WARN, "broker.failed",
           FR_STR("federation", k->set->federation->name), FR_STR("broker", k->host),
           FR_INT("rest_ms", k->breaker.rests_until_ms - now_ms), FR_STR("why", k->reason));
}

void fr_broker_heard(struct fr_broker *k, const struct fr_link_result *r,
                     const struct fr_judgement *j)
{
    int64_t now_ms = fr_loop_now_ms(k->set->loop);
    if (j->result == FEDROAM_OVER_BUDGET) hold(k->set, j);
    if (j->may_ask_another) {
        memcpy(k->reason, j->reason, sizeof k->reason);
        if (fr_breaker_state(&k->breaker, now_ms) != FR_BREAKER_OPEN) {
            fr_breaker_fail(&k->breaker, now_ms, (int64_t)r->retry_after_s * 1000);
            say_failed(k, now_ms);
        }
        if (!k->probe)
            fr_timer_start(k->set->loop, &k->probe_timer, k->breaker.rests_until_ms - now_ms);
    } else if (r->end != FR_LINK_OURS) {
        k->answered_ms = now_ms;
        if (k->breaker.failures > 0)
            FR_LOG(fr_options_log(k->set->options), FR_LOG_INFO, "broker.back",
                   FR_STR("federation", k->set->federation->name), FR_STR("broker", k->host));
        fr_breaker_close(&k->breaker);
        fr_timer_stop(&k->probe_timer);
    }
}

static void on_probe(void *data, const struct fr_link_result *r)
{
    struct fr_broker *k = data;
    struct fr_judgement j;
    k->probe = NULL;
    fr_doh_judge(r, k->host, &k->set->federation->zone, FR_DNS_SOA, &j);
    fr_broker_heard(k, r, &j);
}

/* Not when the federation wants to hear nothing: then when it does again. */
static void probe(struct fr_broker *k)
{
    struct fr_brokers *b = k->set;
    int64_t held_ms = b->held_until_ms - fr_loop_now_ms(b->loop);
    uint8_t message[FR_QUESTION_MAX];
    size_t n = 0;
    struct fr_diag diag = {0};
    if (k->probe) return;
    if (held_ms > 0) {
        fr_timer_start(b->loop, &k->probe_timer, held_ms);
        return;
    }
    if (fr_question_write(&b->federation->zone, FR_DNS_SOA, message, &n) != FR_OK) return;
    /* Where it cannot be sent, the next look-up tries the broker itself and says why. */
    if (k->link->ops->ask(k->link, fr_span(message, n), FR_PROBE_MS, on_probe, k, &diag,
                          &k->probe) == FR_OK)
        b->counts.probes++;
}

static void on_probe_timer(struct fr_timer *t)
{
    probe(t->data);
}

/* The kept connection is gone: made anew before somebody needs it. One that ends right after an
 * answer is a server's way of not keeping connections. */
static void on_lost(void *data)
{
    struct fr_broker *k = data;
    int64_t now_ms = fr_loop_now_ms(k->set->loop);
    if (fr_breaker_state(&k->breaker, now_ms) == FR_BREAKER_CLOSED &&
        now_ms - k->answered_ms >= FR_LOST_AFTER_MS)
        probe(k);
}

/* ---- the set ---- */

enum fr_err fr_brokers_new(const struct fedroam_options *options,
                           const struct fr_federation_opt *federation, struct fr_loop *loop,
                           const struct fr_link_maker *maker, struct fr_brokers **out)
{
    struct fr_link *links[FR_BROKERS_MAX];
    struct fr_brokers *b = fr_calloc(1, sizeof *b);
    if (!b) return FR_E_NOMEM;
    enum fr_err err = maker->make(maker->data, federation, loop, links);
    if (err) {
        fr_free(b);
        return err;
    }
    b->options = options;
    b->federation = federation;
    b->loop = loop;
    b->n = federation->n_brokers;
    for (size_t i = 0; i < b->n; i++) {
        struct fr_broker *k = &b->brokers[i];
        *k =
            (struct fr_broker){.set = b, .link = links[i], .host = federation->brokers[i].url.host};
        fr_timer_init(&k->probe_timer, on_probe_timer, k);
        links[i]->on_lost = on_lost;
        links[i]->lost_data = k;
    }
    *out = b;
    return FR_OK;
}

void fr_brokers_free(struct fr_brokers *b)
{
    if (!b) return;
    while (b->asks) fr_ask_cancel(b->asks);
    for (size_t i = 0; i < b->n; i++) {
        struct fr_broker *k = &b->brokers[i];
        fr_timer_stop(&k->probe_timer);
        if (k->probe) k->link->ops->cancel(k->link, k->probe);
        k->link->on_lost = NULL;
        k->link->ops->free(k->link);
    }
    fr_free(b);
}

bool fr_brokers_is_idle(const struct fr_brokers *b)
{
    return !b->asks;
}

void fr_brokers_set_options(struct fr_brokers *b, const struct fedroam_options *options)
{
    b->options = options;
}

enum fr_err fr_brokers_reload(struct fr_brokers *b, struct fr_diag *diag)
{
    enum fr_err err = FR_OK;
    for (size_t i = 0; i < b->n && !err; i++)
        err = b->brokers[i].link->ops->reload(b->brokers[i].link, diag);
    return err;
}

struct fr_brokers_counts fr_brokers_counts(const struct fr_brokers *b)
{
    return b->counts;
}

void fr_brokers_add_counts(const struct fr_brokers *b, struct fr_brokers_counts *sum)
{
    sum->exchanges += b->counts.exchanges;
    sum->failures += b->counts.failures;
    sum->hedges += b->counts.hedges;
    sum->probes += b->counts.probes;
    sum->held += b->counts.held;
}

void fr_brokers_add_traffic(struct fr_brokers *b, struct fr_resolver_traffic *sum)
{
    for (size_t i = 0; i < b->n; i++) b->brokers[i].link->ops->add_traffic(b->brokers[i].link, sum);
}
