#include "resolver/brokers.h"

#include "base/mem.h"
#include "dns/message.h"
#include "transport/loop.h"
#include <stdio.h>
#include <string.h>

struct broker {
    struct fr_link *link;
    const char *host;
    unsigned failures; /* in a row */
    int64_t rests_until_ms;
    char reason[FR_REASON_TEXT]; /* of the last failure */
};

struct fr_brokers {
    const struct fedroam_options *options;
    struct fr_loop *loop;
    struct fr_ask *asks; /* open ones */
    struct fr_brokers_counts counts;
    size_t n;
    struct broker brokers[FR_BROKERS_MAX];
};

struct fr_ask {
    struct fr_brokers *b;
    struct fr_ask *prev, *next;
    fr_ask_done done;
    void *data;
    struct fr_dname name;
    uint16_t type;
    int64_t until_ms;
    uint8_t tried; /* one bit per broker */
    size_t current;
    struct fr_link_call *call;
    struct fr_defer ending; /* when there is nothing to wait for */
    struct fr_judgement judgement;
    size_t n_message;
    uint8_t message[512];
};

_Static_assert(FR_BROKERS_MAX <= 8, "fr_ask.tried has one bit per broker");

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
    b->loop = loop;
    b->n = federation->n_brokers;
    for (size_t i = 0; i < b->n; i++)
        b->brokers[i] = (struct broker){.link = links[i], .host = federation->brokers[i].url.host};
    *out = b;
    return FR_OK;
}

static void unlink_ask(struct fr_ask *a)
{
    if (a->prev)
        a->prev->next = a->next;
    else
        a->b->asks = a->next;
    if (a->next) a->next->prev = a->prev;
}

void fr_ask_cancel(struct fr_ask *a)
{
    if (!a) return;
    if (a->call) {
        struct fr_link *link = a->b->brokers[a->current].link;
        link->ops->cancel(link, a->call);
    }
    fr_defer_cancel(&a->ending);
    unlink_ask(a);
    fr_free(a);
}

void fr_brokers_free(struct fr_brokers *b)
{
    if (!b) return;
    while (b->asks) fr_ask_cancel(b->asks);
    for (size_t i = 0; i < b->n; i++) b->brokers[i].link->ops->free(b->brokers[i].link);
    fr_free(b);
}

static void end_ask(struct fr_defer *d)
{
    struct fr_ask *a = d->data;
    unlink_ask(a);
    a->done(a->data, &a->judgement);
    fr_free(a);
}

/* The first broker not tried and not resting; n when there is none. */
static size_t choose(const struct fr_ask *a, int64_t now_ms)
{
    const struct fr_brokers *b = a->b;
    size_t i = 0;
    while (i < b->n && ((a->tried >> i & 1) || now_ms < b->brokers[i].rests_until_ms)) i++;
    return i;
}

static void note_failure(struct fr_brokers *b, struct broker *k, const char *reason)
{
    int64_t now_ms = fr_loop_now_ms(b->loop);
    b->counts.failures++;
    (void)snprintf(k->reason, sizeof k->reason, "%s", reason);
    if (now_ms < k->rests_until_ms)
        return; /* another question of the same moment said so already */
    int64_t rest_ms = FR_BACKOFF_FIRST_MS;
    for (unsigned i = 0; i < k->failures && rest_ms < FR_BACKOFF_MAX_MS; i++) rest_ms *= 2;
    if (rest_ms > FR_BACKOFF_MAX_MS) rest_ms = FR_BACKOFF_MAX_MS;
    k->failures++;
    k->rests_until_ms = now_ms + rest_ms;
}

/* Nobody left to ask: what each broker said last, in order. */
static void sum_up(struct fr_ask *a)
{
    struct fr_judgement *j = &a->judgement;
    j->result = FEDROAM_NO_BROKER;
    size_t n = 0;
    for (size_t i = 0; i < a->b->n && n < sizeof j->reason; i++) {
        int m = snprintf(j->reason + n, sizeof j->reason - n, "%s%s", i ? "; " : "",
                         a->b->brokers[i].reason);
        if (m < 0) break;
        n += (size_t)m;
    }
}

static void on_link(void *data, const struct fr_link_result *r);

/* With somebody else to turn to, the time of a broker; without, all the time there is, and no
 * less than look-ups have that may still join. */
static int64_t time_for(const struct fr_ask *a, int64_t now_ms)
{
    const struct fedroam_options *o = a->b->options;
    if (choose(a, now_ms) < a->b->n) return o->broker_timeout_ms;
    return a->until_ms - now_ms > o->timeout_ms ? a->until_ms - now_ms : o->timeout_ms;
}

/* Asks the next broker, or sums up. */
static void try_next(struct fr_ask *a)
{
    struct fr_brokers *b = a->b;
    int64_t now_ms = fr_loop_now_ms(b->loop);
    for (;;) {
        size_t i = choose(a, now_ms);
        if (i == b->n) {
            sum_up(a);
            break;
        }
        a->tried |= (uint8_t)(1u << i);
        a->current = i;
        int64_t within_ms = time_for(a, now_ms);
        struct fr_diag diag = {0};
        struct fr_link *link = b->brokers[i].link;
        enum fr_err err = link->ops->ask(link, fr_span(a->message, a->n_message),
                                         (uint32_t)within_ms, on_link, a, &diag, &a->call);
        if (err == FR_OK) {
            b->counts.exchanges++;
            return;
        }
        /* Ours alone: memory, a full queue, our certificate. Another broker would not help. */
        a->judgement = (struct fr_judgement){.result = FEDROAM_FAILED, .ede = FR_DNS_EDE_NONE};
        fr_diag_print(&diag, err, a->judgement.reason, sizeof a->judgement.reason);
        break;
    }
    fr_loop_defer(b->loop, &a->ending);
}

static void on_link(void *data, const struct fr_link_result *r)
{
    struct fr_ask *a = data;
    struct broker *k = &a->b->brokers[a->current];
    a->call = NULL;
    fr_doh_judge(r, k->host, &a->name, a->type, &a->judgement);
    if (a->judgement.may_ask_another) {
        note_failure(a->b, k, a->judgement.reason);
        try_next(a);
        return;
    }
    k->failures = 0;
    /* The body lives only during this call, so the ask ends here and not a turn later. */
    end_ask(&a->ending);
}

/* ID 0 (RFC 8484 4.1), and an OPT so that a refusal may say why (RFC 8914). No padding: the
 * names of one kind are all of one length, so it would hide nothing. */
static enum fr_err write_message(struct fr_ask *a)
{
    struct fr_dns_writer w;
    fr_dns_writer_init(&w, a->message, sizeof a->message, 0, 0);
    enum fr_err err = fr_dns_write_question(&w, &a->name, a->type, FR_DNS_IN);
    if (err) return err;
    err = fr_dns_write_opt(&w, 0, FR_DNS_EDE_NONE, 0);
    if (err) return err;
    a->n_message = fr_dns_writer_finish(&w).n;
    return FR_OK;
}

enum fr_err fr_brokers_ask(struct fr_brokers *b, const struct fr_dname *name, uint16_t type,
                           int64_t until_ms, fr_ask_done done, void *data, struct fr_ask **out)
{
    struct fr_ask *a = fr_calloc(1, sizeof *a);
    if (!a) return FR_E_NOMEM;
    *a = (struct fr_ask){.b = b,
                         .next = b->asks,
                         .done = done,
                         .data = data,
                         .name = *name,
                         .type = type,
                         .until_ms = until_ms,
                         .judgement = {.ede = FR_DNS_EDE_NONE}};
    enum fr_err err = write_message(a);
    if (err) {
        fr_free(a);
        return err;
    }
    fr_defer_init(&a->ending, end_ask, a);
    if (b->asks) b->asks->prev = a;
    b->asks = a;
    *out = a;
    try_next(a);
    return FR_OK;
}

struct fr_brokers_counts fr_brokers_counts(const struct fr_brokers *b)
{
    return b->counts;
}

void fr_brokers_add_traffic(struct fr_brokers *b, struct fr_resolver_traffic *sum)
{
    for (size_t i = 0; i < b->n; i++) b->brokers[i].link->ops->add_traffic(b->brokers[i].link, sum);
}
