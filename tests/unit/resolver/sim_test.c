#include "sim.h"

#include "resolver/peer.h"
#include <inttypes.h>

/* Random courses of things: brokers are lost, slow, dead, silent, refuse, say 429; devices move,
 * appear and vanish; keys are revoked. Whatever happens, each look-up ends once, by its deadline, with
 * a result that the truth of that time allows; and when all is well again, with the right one. */

enum {
    DEVICES = 12,
    COURSE_MS = 1800000, /* of trouble */
    CALM_MS = 4200000,   /* past every TTL, rest and Retry-After */
    SLACK_MS = 10000,    /* a shared question may have begun that long before a look-up */
    REST_MS = 310000,    /* a broker that was in trouble may rest for that long */
    BUDGET_S = 60,
    UNKNOWN_MAX_S = 600,
};

/* What held when. */
struct fact {
    size_t n;
    struct {
        int64_t since_ms;
        uint32_t value;
    } list[512];
};

struct world {
    struct sim sim;
    uint64_t seed;
    int federations, brokers;
    struct fact homes[SIM_FEDERATIONS][DEVICES];
    struct fact faults[SIM_FEDERATIONS], forbids[SIM_FEDERATIONS], budgets[SIM_FEDERATIONS];
    struct fact gone, revoked;
    unsigned results[FEDROAM_FAILED + 1], verdicts[FEDROAM_PEER_UNDECIDED + 1], open;
};

static void note(struct fact *f, int64_t now_ms, uint32_t value)
{
    if (f->n > 0 && f->list[f->n - 1].value == value) return;
    assert_true(f->n < sizeof f->list / sizeof *f->list);
    f->list[f->n].since_ms = now_ms;
    f->list[f->n++].value = value;
}

static uint32_t now_is(const struct fact *f)
{
    return f->n > 0 ? f->list[f->n - 1].value : 0;
}

/* Had the fact this value at any moment of that time? */
static bool held(const struct fact *f, uint32_t value, int64_t from_ms, int64_t to_ms)
{
    for (size_t i = 0; i < f->n; i++) {
        int64_t end_ms = i + 1 < f->n ? f->list[i + 1].since_ms : INT64_MAX;
        if (f->list[i].value == value && f->list[i].since_ms <= to_ms && end_ms >= from_ms)
            return true;
    }
    return false;
}

#define FIRST_EUI 0x70b3d57ed0000000u

static uint32_t home_of(void *data, int federation, uint64_t deveui)
{
    const struct world *w = data;
    return now_is(&w->homes[federation][deveui - FIRST_EUI]);
}

/* ---- look-ups and what they may come to ---- */

struct probe {
    struct world *w;
    uint64_t device;
    int federation; /* -1: none named */
    int64_t start_ms, deadline_ms;
};

__attribute__((noreturn, format(printf, 2, 3))) static void wrong(const struct world *w,
                                                                  const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fail_msg("seed %" PRIu64 " at %" PRId64 " ms: %s", w->seed, w->sim.now_ms, text);
    abort();
}

static bool is_asked(const struct probe *p, int federation)
{
    return p->federation < 0 || p->federation == federation;
}

static void check_found(const struct probe *p, const struct fedroam_answer *a)
{
    const struct world *w = p->w;
    int federation = strcmp(fedroam_answer_federation(a), sim_zones[0]) != 0;
    /* Also of a fresh answer the alias may be the cache's, within its TTL, and only the network asked. */
    int64_t from_ms = p->start_ms - SLACK_MS - 3600000;
    enum fedroam_freshness freshness = fedroam_answer_freshness(a);
    if (freshness == FEDROAM_STALE) {
        from_ms -= 86400000;
        if (!held(&w->faults[federation], 1, p->start_ms - REST_MS, w->sim.now_ms))
            wrong(w, "a stale answer without trouble");
    }
    if (!is_asked(p, federation) ||
        !held(&w->homes[federation][p->device], fedroam_answer_netid(a), from_ms, w->sim.now_ms))
        wrong(w, "device %u was not in %06x of %s", (unsigned)p->device, fedroam_answer_netid(a),
              fedroam_answer_federation(a));
}

static void check_unknown(const struct probe *p)
{
    const struct world *w = p->w;
    int64_t from_ms = p->start_ms - SLACK_MS - (UNKNOWN_MAX_S + 60) * 1000;
    for (int i = 0; i < w->federations; i++)
        if (is_asked(p, i) && !held(&w->homes[i][p->device], 0, from_ms, w->sim.now_ms))
            wrong(w, "device %u was in %s all the time", (unsigned)p->device, sim_zones[i]);
}

static bool any(const struct probe *p, const struct fact facts[SIM_FEDERATIONS], int64_t before_ms)
{
    for (int i = 0; i < p->w->federations; i++)
        if (is_asked(p, i) && held(&facts[i], 1, p->start_ms - before_ms, p->w->sim.now_ms))
            return true;
    return false;
}

static void on_end(void *data, const struct fedroam_answer *a)
{
    struct probe *p = data;
    struct world *w = p->w;
    enum fedroam_result result = fedroam_answer_result(a);
    bool is_allowed = true;
    if (w->sim.now_ms > p->deadline_ms) wrong(w, "a look-up ended after its deadline");
    w->results[result]++;
    switch (result) {
    case FEDROAM_FOUND: check_found(p, a); break;
    case FEDROAM_UNKNOWN: check_unknown(p); break;
    case FEDROAM_REFUSED: is_allowed = any(p, w->forbids, SLACK_MS); break;
    case FEDROAM_OVER_BUDGET: is_allowed = any(p, w->budgets, SLACK_MS + BUDGET_S * 1000); break;
    case FEDROAM_NO_BROKER: is_allowed = any(p, w->faults, REST_MS); break;
    case FEDROAM_BAD_ANSWER:
    case FEDROAM_FAILED: is_allowed = false; break;
    }
    if (!is_allowed)
        wrong(w, "%s without a cause: %s", fedroam_result_text(result), fedroam_answer_reason(a));
    w->open--;
    fr_free(p);
}

static void look_up(struct world *w, uint64_t device, int federation, uint32_t timeout_ms)
{
    struct probe *p = fr_calloc(1, sizeof *p);
    assert_non_null(p);
    *p = (struct probe){.w = w,
                        .device = device,
                        .federation = federation,
                        .start_ms = w->sim.now_ms,
                        .deadline_ms = w->sim.now_ms + timeout_ms};
    w->open++;
    assert_int_equal(fedroam_lookup_device(w->sim.f, federation < 0 ? NULL : sim_zones[federation],
                                           FIRST_EUI + device, timeout_ms, on_end, p, NULL),
                     FEDROAM_OK);
}

static void on_verdict(void *data, enum fedroam_peer verdict, const char *why,
                       const struct fedroam_answer *network)
{
    struct probe *p = data;
    struct world *w = p->w;
    int64_t from_ms = p->start_ms - SLACK_MS - 60000, to_ms = w->sim.now_ms;
    bool has_trouble = any(p, w->faults, REST_MS) || any(p, w->forbids, SLACK_MS) ||
                       any(p, w->budgets, SLACK_MS + BUDGET_S * 1000);
    (void)network;
    bool is_allowed = false;
    w->verdicts[verdict]++;
    switch (verdict) {
    case FEDROAM_PEER_OK:
        is_allowed = held(&w->revoked, 0, from_ms, to_ms) && held(&w->gone, 0, from_ms, to_ms);
        break;
    case FEDROAM_PEER_REVOKED: is_allowed = held(&w->revoked, 1, from_ms, to_ms); break;
    case FEDROAM_PEER_UNKNOWN: is_allowed = held(&w->gone, 1, from_ms, to_ms); break;
    case FEDROAM_PEER_STALE:
    case FEDROAM_PEER_UNDECIDED: is_allowed = has_trouble; break;
    case FEDROAM_PEER_WRONG_NETID: break;
    }
    if (to_ms > p->deadline_ms) wrong(w, "a check ended after its deadline");
    if (!is_allowed) wrong(w, "peer %s without a cause: %s", fedroam_peer_text(verdict), why);
    w->open--;
    fr_free(p);
}

static void check_peer(struct world *w, uint32_t timeout_ms)
{
    uint8_t key[FR_PEER_KEY];
    struct probe *p = fr_calloc(1, sizeof *p);
    assert_non_null(p);
    memset(key, 0xaa, sizeof key);
    *p = (struct probe){.w = w, .start_ms = w->sim.now_ms};
    p->deadline_ms = w->sim.now_ms + timeout_ms;
    w->open++;
    const struct fr_peer_call call = {.done = on_verdict, .data = p};
    assert_int_equal(fr_peer_start(w->sim.f, "fed.test", 0x13, key, timeout_ms, call, NULL), FR_OK);
}

/* ---- what happens ---- */

static void look_at_faults(struct world *w, int federation)
{
    bool has_fault = false, forbids = false;
    for (int b = 0; b < w->brokers; b++) {
        const struct sim_broker *k = &w->sim.brokers[federation][b];
        if (k->is_dead || k->is_silent || k->loss > 0 || k->max_ms > 100) has_fault = true;
        if (k->is_forbidding) forbids = true;
    }
    note(&w->faults[federation], w->sim.now_ms, has_fault);
    note(&w->forbids[federation], w->sim.now_ms, forbids);
}

static void mend(struct sim_broker *k)
{
    uint64_t asked = k->asked;
    *k = (struct sim_broker){.min_ms = 5, .max_ms = 30, .asked = asked};
}

static void trouble_broker(struct world *w)
{
    struct sim *s = &w->sim;
    int federation = (int)sim_below(s, (uint64_t)w->federations);
    struct sim_broker *k = &s->brokers[federation][sim_below(s, (uint64_t)w->brokers)];
    mend(k);
    switch (sim_below(s, 8)) {
    case 0: k->is_dead = true; break;
    case 1: k->is_silent = true; break;
    case 2: k->loss = 1 + (unsigned)sim_below(s, 600); break;
    case 3: k->max_ms = 500 + (int64_t)sim_below(s, 3000); break;
    case 4: k->is_forbidding = sim_below(s, 4) == 0; break;
    default: break; /* it is well again */
    }
    look_at_faults(w, federation);
}

static void spend_budget(struct world *w)
{
    int federation = (int)sim_below(&w->sim, (uint64_t)w->federations);
    int64_t until_ms = w->sim.now_ms + (1 + (int64_t)sim_below(&w->sim, BUDGET_S)) * 1000;
    note(&w->budgets[federation], w->sim.now_ms, 1);
    for (int b = 0; b < w->brokers; b++) w->sim.brokers[federation][b].budget_until_ms = until_ms;
}

static void end_budgets(struct world *w)
{
    for (int i = 0; i < w->federations; i++)
        if (w->sim.brokers[i][0].budget_until_ms <= w->sim.now_ms &&
            w->sim.brokers[i][w->brokers - 1].budget_until_ms <= w->sim.now_ms)
            note(&w->budgets[i], w->sim.now_ms, 0);
}

static void move_device(struct world *w)
{
    struct sim *s = &w->sim;
    uint64_t d = sim_below(s, DEVICES);
    for (int i = 0; i < w->federations; i++) {
        uint32_t netid = sim_below(s, 2) ? 0x14 + (uint32_t)sim_below(s, 3) : 0;
        note(&w->homes[i][d], s->now_ms, netid);
    }
}

static void happen(struct world *w)
{
    struct sim *s = &w->sim;
    static const uint32_t timeouts_ms[] = {250, 600, 2000, 5000};
    uint32_t timeout_ms = timeouts_ms[sim_below(s, 4)];
    uint64_t what = sim_below(s, 100);
    end_budgets(w);
    if (what < 60) {
        look_up(w, sim_below(s, DEVICES),
                sim_below(s, 3) ? -1 : (int)sim_below(s, (uint64_t)w->federations), timeout_ms);
    } else if (what < 78) {
        check_peer(w, timeout_ms);
    } else if (what < 88) {
        trouble_broker(w);
    } else if (what < 95) {
        move_device(w);
    } else if (what < 97) {
        s->is_key_revoked = !s->is_key_revoked;
        note(&w->revoked, s->now_ms, s->is_key_revoked);
    } else if (what < 98) {
        s->is_network_gone = !s->is_network_gone;
        note(&w->gone, s->now_ms, s->is_network_gone);
    } else if (what < 99) {
        spend_budget(w);
    } else {
        assert_int_equal(fedroam_flush(s->f, NULL), FEDROAM_OK);
    }
}

static void begin(struct world *w, uint64_t seed)
{
    struct sim *s = &w->sim;
    *w = (struct world){.seed = seed};
    sim_init(s, seed);
    s->home = home_of;
    s->data = w;
    w->federations = 1 + (int)sim_below(s, 2);
    w->brokers = 1 + (int)sim_below(s, SIM_BROKERS);
    struct fedroam_options *o = sim_options(w->federations, w->brokers);
    assert_int_equal(fedroam_options_set_hedge(o, sim_below(s, 2) ? 100 : 0), 0);
    assert_int_equal(fedroam_options_set_ask(o, (enum fedroam_ask)sim_below(s, 2)), 0);
    assert_int_equal(fedroam_options_set_cache_entries(o, sim_below(s, 3) ? 1000 : 16), 0);
    assert_int_equal(fedroam_options_set_unknown_max(o, UNKNOWN_MAX_S), 0);
    assert_int_equal(fedroam_options_set_prefetch(o, (uint32_t)sim_below(s, 30)), 0);
    sim_open(s, o);
    note(&w->revoked, 0, 0);
    note(&w->gone, 0, 0);
    for (int i = 0; i < SIM_FEDERATIONS; i++) {
        note(&w->faults[i], 0, 0);
        note(&w->forbids[i], 0, 0);
        note(&w->budgets[i], 0, 0);
        for (int d = 0; d < DEVICES; d++) note(&w->homes[i][d], 0, 0);
    }
    for (int d = 0; d < DEVICES; d++) move_device(w);
}

/* All is well, for long enough: every device is found where it is. */
static void end(struct world *w)
{
    struct sim *s = &w->sim;
    for (int i = 0; i < w->federations; i++)
        for (int b = 0; b < w->brokers; b++) mend(&s->brokers[i][b]);
    sim_run(s, s->now_ms + CALM_MS);
    assert_int_equal(w->open, 0);
    for (int i = 0; i < SIM_FEDERATIONS; i++) {
        w->faults[i].n = w->forbids[i].n = w->budgets[i].n = 0;
        for (int d = 0; d < DEVICES; d++) { /* what was before counts no more */
            uint32_t netid = now_is(&w->homes[i][d]);
            w->homes[i][d].n = 0;
            note(&w->homes[i][d], 0, netid);
        }
    }
    memset(w->results, 0, sizeof w->results);
    for (uint64_t d = 0; d < DEVICES; d++) look_up(w, d, -1, 2000);
    sim_run(s, s->now_ms + 2000);
    assert_int_equal(w->open, 0);
    assert_int_equal(w->results[FEDROAM_FOUND] + w->results[FEDROAM_UNKNOWN], DEVICES);
    sim_close(s);
}

struct sums {
    uint64_t results[FEDROAM_FAILED + 1], verdicts[FEDROAM_PEER_UNDECIDED + 1];
};

static void run(uint64_t seed, struct sums *sums)
{
    static struct world w; /* too large for a stack */
    begin(&w, seed);
    struct sim *s = &w.sim;
    while (s->now_ms < COURSE_MS) {
        /* Bursts, and pauses in which TTLs end. */
        int64_t pause_ms = (int64_t)sim_below(s, sim_below(s, 10) ? 2000 : 60000);
        sim_run(s, s->now_ms + pause_ms);
        happen(&w);
    }
    sim_run(s, s->now_ms + 6000);
    if (w.open > 0) wrong(&w, "%u look-ups did not end", w.open);
    for (size_t i = 0; i <= FEDROAM_FAILED; i++) sums->results[i] += w.results[i];
    for (size_t i = 0; i <= FEDROAM_PEER_UNDECIDED; i++) sums->verdicts[i] += w.verdicts[i];
    end(&w);
}

static void test_random_courses(void **state)
{
    (void)state;
    const char *one = getenv("FR_SEED"), *is_long = getenv("FR_LONG");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1;
    uint64_t n = one ? 1 : is_long && is_long[0] == '1' ? 10000 : 200;
    struct sums sums = {0};
    for (uint64_t i = 0; i < n; i++) run(first + i, &sums);
    for (size_t i = 0; i <= FEDROAM_FAILED; i++)
        print_message("%-12s %" PRIu64 "\n", fedroam_result_text((enum fedroam_result)i),
                      sums.results[i]);
    for (size_t i = 0; i <= FEDROAM_PEER_UNDECIDED; i++)
        print_message("peer %-12s %" PRIu64 "\n", fedroam_peer_text((enum fedroam_peer)i),
                      sums.verdicts[i]);
    if (one) return;
    for (size_t i = 0; i <= FEDROAM_NO_BROKER; i++) assert_true(sums.results[i] > 0);
    assert_true(sums.verdicts[FEDROAM_PEER_OK] && sums.verdicts[FEDROAM_PEER_REVOKED] &&
                sums.verdicts[FEDROAM_PEER_STALE] && sums.verdicts[FEDROAM_PEER_UNKNOWN]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_courses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
