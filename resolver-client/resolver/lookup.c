#include "resolver/lookup.h"

#include "base/mem.h"
#include "resolver/flight.h"
#include "resolver/part.h"
#include "resolver/public_dns.h"
#include "resolver/turns.h"
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

static void stop_patience(struct fedroam_lookup *l)
{
    if (l->patience_ms == 0) return;
    TAILQ_REMOVE(&l->f->patient, l, patient);
    l->patience_ms = 0;
}

static void lookup_free(struct fedroam_lookup *l)
{
    for (size_t i = 0; i < l->n_parts; i++) fr_flight_leave(&l->parts[i]);
    stop_patience(l);
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
    stop_patience(l);
    list_remove(&f->open, l);
    l->is_ready = true;
    list_insert(&f->ready, f->ready.last, l);
    fr_loop_defer(f->loop, &f->delivery);
}

/* ---- stages ---- */

/* The next federations are asked when those asked so far take too long. The delay is one for all
 * but the most impatient look-ups, so the place is near the end of the list. */
static void start_patience(struct fedroam_lookup *l)
{
    struct fedroam *f = l->f;
    uint32_t delay_ms = f->options->broker_timeout_ms;
    if (delay_ms > l->timeout_ms / 2) delay_ms = l->timeout_ms / 2;
    int64_t now_ms = fr_loop_now_ms(f->loop);
    l->patience_ms = now_ms + delay_ms;
    struct fedroam_lookup *before = TAILQ_LAST(&f->patient, fr_patient_list);
    while (before && before->patience_ms > l->patience_ms)
        before = TAILQ_PREV(before, fr_patient_list, patient);
    if (before)
        TAILQ_INSERT_AFTER(&f->patient, before, l, patient);
    else
        TAILQ_INSERT_HEAD(&f->patient, l, patient);
    if (!f->patience.is_armed || f->patience.due_ms > l->patience_ms)
        fr_timer_start(f->loop, &f->patience, delay_ms);
}

/* The federation in which the device was last, as far as we remember; n_parts: none. */
static size_t last_home(struct fedroam_lookup *l)
{
    size_t best = l->n_parts;
    int64_t best_ms = INT64_MAX;
    for (size_t i = 0; i < l->n_parts && l->q.kind == FEDROAM_DEVICE; i++) {
        int64_t age_ms = fr_part_home_age_ms(&l->parts[i]);
        if (age_ms < 0 || age_ms >= best_ms) continue;
        best = i;
        best_ms = age_ms;
    }
    return best;
}

/* Public trees come in only when every federation has said that it does not have what is looked for:
 * one that cannot be asked, or refuses, must not make a stranger's word count. */
static void start_public(struct fedroam_lookup *l)
{
    struct fr_part *p = &l->parts[l->n_parts - 1];
    bool is_unknown = l->answer && fedroam_answer_result(l->answer) == FEDROAM_UNKNOWN;
    l->n_started++;
    p->is_started = true;
    if (is_unknown)
        fr_part_start(p);
    else
        fr_lookup_part_ended(p, NULL);
}

static bool has_public(const struct fedroam_lookup *l)
{
    return l->parts[l->n_parts - 1].federation == FR_PUBLIC_TREES;
}

/* Starts the parts of the next stage: the federation where the device was last, alone; then all
 * others at once, or one after the other; the public trees last. */
static void start_stage(struct fedroam_lookup *l)
{
    size_t federations = l->n_parts - has_public(l);
    size_t home = l->n_started == 0 ? last_home(l) : l->n_parts;
    bool is_alone = home < l->n_parts || l->f->options->ask == FEDROAM_ASK_IN_ORDER;
    stop_patience(l);
    l->is_starting = true;
    for (size_t i = home < l->n_parts ? home : 0; i < federations && !l->is_ready; i++) {
        if (l->parts[i].is_started) continue;
        l->n_started++;
        fr_part_start(&l->parts[i]);
        if (is_alone && l->n_done < l->n_started) break;
        if (home < l->n_parts) break;
    }
    if (!l->is_ready && l->n_started == federations && l->n_done == federations &&
        federations < l->n_parts)
        start_public(l);
    l->is_starting = false;
    if (l->is_ready || l->n_started >= federations) return;
    if (l->n_done == l->n_started)
        start_stage(l); /* answered by the cache: not there, so the others */
    else
        start_patience(l);
}

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

/* Of equals, what stands for the shorter time; then the federation configured first. */
static bool is_better(const struct fedroam_answer *a, uint16_t federation,
                      const struct fedroam_lookup *l)
{
    if (!l->answer) return true;
    int more = weight(a) - weight(l->answer);
    if (more != 0) return more > 0;
    uint32_t ttl_s = fedroam_answer_ttl(a), best_s = fedroam_answer_ttl(l->answer);
    return ttl_s != best_s ? ttl_s < best_s : federation < l->answered_by;
}

void fr_lookup_part_ended(struct fr_part *p, struct fedroam_answer *a)
{
    struct fedroam_lookup *l = p->lookup;
    fr_flight_leave(p);
    p->is_done = true;
    l->n_done++;
    if (a && is_better(a, p->federation, l)) {
        struct fedroam_answer *lighter = l->answer;
        l->answer = a;
        l->answered_by = p->federation;
        a = lighter;
    }
    fedroam_answer_free(a);
    bool is_found = l->answer && fedroam_answer_result(l->answer) == FEDROAM_FOUND;
    if (is_found || l->n_done == l->n_parts)
        make_ready(l);
    else if (l->n_done == l->n_started && !l->is_starting)
        start_stage(l);
}

static void on_patience(struct fr_timer *t)
{
    struct fedroam *f = t->data;
    int64_t now_ms = fr_loop_now_ms(f->loop);
    struct fedroam_lookup *l;
    while ((l = TAILQ_FIRST(&f->patient)) && l->patience_ms <= now_ms) {
        stop_patience(l);
        start_stage(l);
    }
    if (l) fr_timer_start(f->loop, t, l->patience_ms - now_ms);
}

/* ---- look-ups ---- */

static void expire(struct fedroam_lookup *l)
{
    l->is_starting = true; /* there is no time for another stage */
    l->n_started = l->n_parts;
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
    TAILQ_INIT(&f->patient);
    fr_timer_init(&f->deadline, on_deadline, f);
    fr_timer_init(&f->patience, on_patience, f);
    fr_defer_init(&f->delivery, deliver, f);
}

struct fr_lookup_rule fr_lookup_rule(const struct fedroam *f)
{
    return (struct fr_lookup_rule){.age_ms = INT64_MAX,
                                   .stale_ms = (int64_t)f->options->stale_s * 1000};
}

/* Is it looked for in public trees when no federation has it? A NetID, too, only where the look-up names
 * no federation: inside one it means something else. */
static bool goes_public(const struct fedroam *f, struct fr_question q, const char *federation)
{
    return !federation && q.kind != FEDROAM_DEVICE && fr_options_trees(f->options, q.kind)->n > 0 &&
           fr_public_dns_is_there(f->public_dns);
}

enum fr_err fr_lookup_start(struct fedroam *f, struct fr_question q, const char *federation,
                            const struct fr_lookup_rule *rule, uint32_t timeout_ms,
                            fedroam_answer_cb done, void *data, struct fedroam_lookup **out)
{
    size_t first = 0, n = f->options->n_federations;
    if (federation) {
        first = fr_options_find(f->options, federation);
        if (first == n) return FR_E_NOT_FOUND;
        n = 1;
    }
    if (f->n_lookups >= f->options->pending) return FR_E_LIMIT;
    size_t federations = n;
    if (goes_public(f, q, federation)) n++;
    struct fedroam_lookup *l = fr_calloc(1, sizeof *l + n * sizeof l->parts[0]);
    if (!l) return FR_E_NOMEM;
    l->f = f;
    l->q = q;
    l->rule = *rule;
    l->timeout_ms = timeout_ms ? timeout_ms : f->options->timeout_ms;
    l->until_ms = fr_loop_now_ms(f->loop) + l->timeout_ms;
    l->done = done;
    l->data = data;
    l->n_parts = n;
    for (size_t i = 0; i < n; i++)
        l->parts[i] = (struct fr_part){.lookup = l,
                                       .federation = i < federations ? (uint16_t)(first + i)
                                                                     : (uint16_t)FR_PUBLIC_TREES,
                                       .netid = FEDROAM_NO_NETID};
    f->n_lookups++;
    f->counts[FEDROAM_COUNT_LOOKUPS]++;
    open_insert(f, l);
    start_stage(l);
    if (out) *out = l;
    return FR_OK;
}

void fedroam_lookup_cancel(struct fedroam_lookup *lookup)
{
    struct fedroam *f = lookup->f;
    fr_enter(f);
    lookup_free(lookup);
    fr_leave(f);
}

void fr_lookups_free(struct fedroam *f)
{
    while (f->open.first) lookup_free(f->open.first);
    while (f->ready.first) lookup_free(f->ready.first);
    fr_timer_stop(&f->deadline);
    fr_timer_stop(&f->patience);
    fr_defer_cancel(&f->delivery);
}
