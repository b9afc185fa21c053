#include "resolver/brokers_priv.h"

#include "base/mem.h"
#include <stdio.h>

enum { ATTEMPTS = 2 }; /* under way at a time: the first, and its hedge */

struct attempt {
    struct fr_ask *ask;
    struct fr_broker *broker;
    struct fr_link_call *call; /* NULL: none under way */
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
    struct attempt attempts[ATTEMPTS];
    struct fr_timer hedge;
    struct fr_defer ending; /* when there is nothing to wait for */
    struct fr_judgement judgement;
    size_t n_message;
    uint8_t message[FR_QUESTION_MAX];
};

_Static_assert(FR_BROKERS_MAX <= 8, "fr_ask.tried has one bit per broker");

static void unlink_ask(struct fr_ask *a)
{
    if (a->prev)
        a->prev->next = a->next;
    else
        a->b->asks = a->next;
    if (a->next) a->next->prev = a->prev;
}

static void drop_attempts(struct fr_ask *a)
{
    for (size_t i = 0; i < ATTEMPTS; i++) {
        struct attempt *t = &a->attempts[i];
        if (t->call) t->broker->link->ops->cancel(t->broker->link, t->call);
        t->call = NULL;
    }
}

void fr_ask_cancel(struct fr_ask *a)
{
    if (!a) return;
    drop_attempts(a);
    fr_timer_stop(&a->hedge);
    fr_defer_cancel(&a->ending);
    unlink_ask(a);
    fr_free(a);
}

static void end_ask(struct fr_defer *d)
{
    struct fr_ask *a = d->data;
    drop_attempts(a);
    fr_timer_stop(&a->hedge);
    unlink_ask(a);
    a->done(a->data, &a->judgement);
    fr_free(a);
}

/* The first broker not tried that is well; without one, the first whose rest is over. n: none. */
static size_t choose(const struct fr_ask *a, bool well_only)
{
    const struct fr_brokers *b = a->b;
    int64_t now_ms = fr_loop_now_ms(b->loop);
    size_t second = b->n;
    for (size_t i = 0; i < b->n; i++) {
        if (a->tried >> i & 1) continue;
        enum fr_breaker_state state = fr_breaker_state(&b->brokers[i].breaker, now_ms);
        if (state == FR_BREAKER_CLOSED) return i;
        if (state == FR_BREAKER_HALF_OPEN && second == b->n) second = i;
    }
    return well_only ? b->n : second;
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
static int64_t time_for(const struct fr_ask *a)
{
    const struct fedroam_options *o = a->b->options;
    int64_t left_ms = a->until_ms - fr_loop_now_ms(a->b->loop);
    if (choose(a, false) < a->b->n) return o->broker_timeout_ms;
    return left_ms > o->timeout_ms ? left_ms : o->timeout_ms;
}

static bool is_under_way(const struct fr_ask *a)
{
    return a->attempts[0].call || a->attempts[1].call;
}

/* Puts the question to broker i. Failing here is ours alone (memory, a full queue, our certificate):
 * another broker would not help. */
static enum fr_err attempt(struct fr_ask *a, size_t i)
{
    struct fr_brokers *b = a->b;
    struct attempt *t = a->attempts[0].call ? &a->attempts[1] : &a->attempts[0];
    struct fr_link *link = b->brokers[i].link;
    struct fr_diag diag = {0};
    a->tried |= (uint8_t)(1u << i);
    t->ask = a;
    t->broker = &b->brokers[i];
    enum fr_err err = link->ops->ask(link, fr_span(a->message, a->n_message), (uint32_t)time_for(a),
                                     on_link, t, &diag, &t->call);
    if (err == FR_OK) {
        b->counts.exchanges++;
        return FR_OK;
    }
    t->call = NULL;
    if (!is_under_way(a)) {
        a->judgement = (struct fr_judgement){.result = FEDROAM_FAILED, .ede = FR_DNS_EDE_NONE};
        fr_diag_print(&diag, err, a->judgement.reason, sizeof a->judgement.reason);
    }
    return err;
}

/* Asks the next broker, or sums up. */
static void try_next(struct fr_ask *a)
{
    struct fr_brokers *b = a->b;
    size_t i = choose(a, false);
    if (fr_brokers_is_held(b, &a->judgement)) {
        b->counts.held++;
    } else if (i == b->n) {
        sum_up(a);
    } else if (attempt(a, i) == FR_OK) {
        if (b->options->hedge_ms > 0 && choose(a, true) < b->n)
            fr_timer_start(b->loop, &a->hedge, b->options->hedge_ms);
        return;
    }
    fr_loop_defer(b->loop, &a->ending);
}

/* The first has been silent for long enough that a second is worth its cost. */
static void on_hedge(struct fr_timer *t)
{
    struct fr_ask *a = t->data;
    size_t i = choose(a, true);
    if (i == a->b->n || fr_brokers_is_held(a->b, &a->judgement)) return;
    if (attempt(a, i) == FR_OK) a->b->counts.hedges++;
}

static void on_link(void *data, const struct fr_link_result *r)
{
    struct attempt *t = data;
    struct fr_ask *a = t->ask;
    t->call = NULL;
    fr_doh_judge(r, t->broker->host, &a->name, a->type, &a->judgement);
    fr_broker_heard(t->broker, r, &a->judgement);
    if (a->judgement.may_ask_another) {
        a->b->counts.failures++;
        if (is_under_way(a)) return; /* its hedge is the next one */
        fr_timer_stop(&a->hedge);
        try_next(a);
        return;
    }
    /* The body lives only during this call, so the ask ends here and not a turn later. */
    end_ask(&a->ending);
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
    enum fr_err err = fr_question_write(name, type, a->message, &a->n_message);
    if (err) {
        fr_free(a);
        return err;
    }
    fr_defer_init(&a->ending, end_ask, a);
    fr_timer_init(&a->hedge, on_hedge, a);
    if (b->asks) b->asks->prev = a;
    b->asks = a;
    *out = a;
    try_next(a);
    return FR_OK;
}
