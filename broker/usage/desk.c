#include "usage/desk.h"

#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "store/policy.h"
#include "usage/account.h"
#include "usage/walk.h"

#define LOG_EVERY_MS 60000
#define DAY_S 86400
#define CONNECTION_RETRY_S 10
#define PREPAID_PART 100 /* of a second's queries is taken at once … */
#define PREPAID_MAX 1000 /* … and never more than this */

struct fr_till {
    struct fr_desk *desk;
    struct fr_account *account;
    uint32_t prepaid; /* queries */
    struct fr_walk walk;
    struct fr_account_ring *ring; /* of the last look-ups; NULL: no memory for it */
    struct fr_till *next;
};

enum fr_err fr_desk_new(struct fr_usage *usage, struct fr_desk **out)
{
    struct fr_desk *desk = fr_calloc(1, sizeof *desk);

    if (desk == NULL) return FR_E_NOMEM;
    desk->usage = usage;
    enum fr_err err = fr_pairs_new(&desk->pairs);
    if (err != FR_OK) {
        fr_free(desk);
        return err;
    }
    fr_usage_join(usage, desk);
    *out = desk;
    return FR_OK;
}

void fr_desk_free(struct fr_desk *desk)
{
    if (desk == NULL) return;
    fr_usage_leave(desk->usage, desk);
    fr_pairs_free(desk->pairs);
    while (desk->tills != NULL) {
        struct fr_till *till = desk->tills;
        desk->tills = till->next;
        fr_usage_give_ring(desk->usage, till->ring);
        fr_free(till);
    }
    fr_free(desk);
}

static enum fr_err read_limits(struct fr_snap *snap, struct fr_budget_limits *out)
{
    struct fr_budget_limits limits = {0};

    enum fr_err err = fr_policy_get(snap, FR_POLICY_BUDGET_QUERIES, &limits.queries);
    if (err == FR_OK) err = fr_policy_get(snap, FR_POLICY_BUDGET_CONNECTIONS, &limits.connections);
    if (err == FR_OK) err = fr_policy_get(snap, FR_POLICY_BUDGET_MISSES, &limits.misses);
    if (err == FR_OK) err = fr_policy_get(snap, FR_POLICY_BUDGET_UNKNOWN, &limits.unknown);
    if (err == FR_OK) *out = limits;
    return err;
}

enum fr_err fr_desk_refresh(struct fr_desk *desk, struct fr_snap *snap)
{
    uint64_t txn = fr_snap_txn(snap);

    if (desk->has_limits && desk->txn == txn) return FR_OK;
    uint64_t standing = fr_snap_standing(snap);
    if (!desk->has_limits || desk->standing != standing) {
        enum fr_err err = read_limits(snap, &desk->limits);
        if (err != FR_OK) return err;
        for (struct fr_till *till = desk->tills; till != NULL; till = till->next) till->prepaid = 0;
        desk->standing = standing;
        desk->has_limits = true;
    }
    desk->txn = txn;
    return FR_OK;
}

enum fr_err fr_desk_till(struct fr_desk *desk, const char *member, struct fr_till **out)
{
    for (struct fr_till *till = desk->tills; till != NULL; till = till->next) {
        if (strcmp(till->account->member, member) != 0) continue;
        *out = till;
        return FR_OK;
    }
    struct fr_till *till = fr_calloc(1, sizeof *till);
    if (till == NULL) return FR_E_NOMEM;
    till->desk = desk;
    till->account = fr_usage_account(desk->usage, member);
    if (till->account == NULL) {
        fr_free(till);
        return FR_E_NOMEM;
    }
    till->ring = fr_usage_take_ring(desk->usage, till->account);
    till->next = desk->tills;
    desk->tills = till;
    *out = till;
    return FR_OK;
}

const char *fr_till_member(const struct fr_till *till)
{
    return till->account->member;
}

const struct fr_desk_counters *fr_desk_counters(const struct fr_desk *desk)
{
    return &desk->counters;
}

/* --- telling --- */

/* At most once in LOG_EVERY_MS over all workers. */
static bool is_time_to_log(atomic_int_fast64_t *logged_ms, int64_t now_ms)
{
    int_fast64_t last = atomic_load_explicit(logged_ms, memory_order_relaxed);

    if (last != 0 && now_ms - last < LOG_EVERY_MS) return false;
    return atomic_compare_exchange_strong(logged_ms, &last, now_ms == 0 ? 1 : now_ms);
}

static bool refuse(struct fr_till *till, enum fr_budget budget, uint32_t limit, int64_t wait_s,
                   struct fr_refusal *why)
{
    struct fr_account *account = till->account;
    const struct fr_usage *usage = till->desk->usage;
    uint32_t retry_s = wait_s < 1 ? 1 : (uint32_t)wait_s;

    till->desk->counters.over[budget]++;
    atomic_fetch_add_explicit(&account->refused[budget], 1, memory_order_relaxed);
    fr_hours_add(&account->refused_by_hour[budget], fr_clock_real_s(usage->clock));
    if (is_time_to_log(&account->logged_ms[budget], fr_clock_mono_ms(usage->clock)))
        FR_LOG(usage->log, FR_LOG_WARN, "budget.exceeded", FR_STR("federation", usage->federation),
               FR_STR("member", account->member), FR_STR("budget", fr_budget_text(budget)),
               FR_UINT("limit", limit),
               FR_UINT("refused", atomic_exchange(&account->refused[budget], 0)),
               FR_UINT("retry_after", retry_s));
    *why = (struct fr_refusal){budget, retry_s};
    return false;
}

static void look_for_walk(struct fr_till *till, uint64_t eui)
{
    const struct fr_usage *usage = till->desk->usage;
    struct fr_account *account = till->account;

    if (!fr_walk_look(&till->walk, eui)) return;
    till->desk->counters.walks++;
    fr_hours_add(&account->walks, fr_clock_real_s(usage->clock));
    if (is_time_to_log(&account->walked_ms, fr_clock_mono_ms(usage->clock)))
        FR_LOG(usage->log, FR_LOG_WARN, "budget.walk", FR_STR("federation", usage->federation),
               FR_STR("member", account->member), FR_EUI("deveui", eui),
               FR_UINT("steps", FR_WALK_STEPS));
}

/* --- charging --- */

bool fr_till_enter(struct fr_till *till, struct fr_refusal *why)
{
    uint32_t limit = till->desk->limits.connections;
    unsigned before = atomic_fetch_add(&till->account->connections, 1);

    if (limit == 0 || before < limit) return true;
    atomic_fetch_sub(&till->account->connections, 1);
    return refuse(till, FR_BUDGET_CONNECTIONS, limit, CONNECTION_RETRY_S, why);
}

void fr_till_leave(struct fr_till *till)
{
    atomic_fetch_sub(&till->account->connections, 1);
}

bool fr_till_query(struct fr_till *till, struct fr_refusal *why)
{
    uint32_t limit = till->desk->limits.queries;
    const struct fr_bucket_size size = {limit, limit};

    if (till->prepaid > 0) {
        till->prepaid--;
        return true;
    }
    if (limit == 0) return true;
    int64_t now_ms = fr_clock_mono_ms(till->desk->usage->clock);
    uint32_t part = limit / PREPAID_PART;
    if (part > PREPAID_MAX) part = PREPAID_MAX;
    if (part > 1 && fr_bucket_take(&till->account->queries, size, now_ms, part)) {
        till->prepaid = part - 1;
        return true;
    }
    if (fr_bucket_take(&till->account->queries, size, now_ms, 1)) return true;
    return refuse(till, FR_BUDGET_QUERIES, limit, 1, why);
}

static uint64_t unknown_today(const struct fr_account *account, int64_t day)
{
    struct fr_sketch *sketch = atomic_load(&account->sketch);

    return sketch != NULL && atomic_load(&account->day) == day ? fr_sketch_count(sketch) : 0;
}

/* Is a budget for devices used up? Then no question about a device is answered. */
static bool is_used_up(struct fr_till *till, int64_t now_ms, int64_t now_s, struct fr_refusal *why)
{
    const struct fr_budget_limits *limits = &till->desk->limits;
    struct fr_account *account = till->account;
    const struct fr_bucket_size size = {limits->misses, limits->misses};

    if (limits->unknown != 0 && unknown_today(account, now_s / DAY_S) >= limits->unknown)
        return !refuse(till, FR_BUDGET_UNKNOWN, limits->unknown, DAY_S - now_s % DAY_S, why);
    int64_t wait_ms = limits->misses == 0 ? 0 : fr_bucket_wait_ms(&account->misses, size, now_ms);
    if (wait_ms > 0)
        return !refuse(till, FR_BUDGET_MISSES, limits->misses, (wait_ms + 999) / 1000, why);
    atomic_store_explicit(&account->is_tight, false, memory_order_relaxed);
    return false;
}

/* Whether the next question must look closely is found out here, by the one that pays: so it is
 * refused before, and not after, one more was answered. */
static void charge(struct fr_till *till, uint64_t eui, int64_t now_ms, int64_t now_s)
{
    const struct fr_budget_limits *limits = &till->desk->limits;
    struct fr_usage *usage = till->desk->usage;
    struct fr_account *account = till->account;
    const struct fr_bucket_size size = {limits->misses, limits->misses};
    struct fr_sketch *sketch = fr_usage_sketch(usage, account, now_s / DAY_S);
    uint8_t bytes[8];
    struct fr_wr w = fr_wr(bytes, sizeof bytes);
    bool is_tight = false;

    fr_wr_u64(&w, eui);
    if (sketch != NULL) {
        fr_sketch_add(sketch, fr_siphash(&usage->key, fr_wr_done(&w)));
        is_tight = limits->unknown != 0 && fr_sketch_count(sketch) >= limits->unknown;
    }
    if (limits->misses != 0)
        is_tight = !fr_bucket_take(&account->misses, size, now_ms, 1) ||
                   fr_bucket_wait_ms(&account->misses, size, now_ms) > 0 || is_tight;
    if (is_tight) atomic_store_explicit(&account->is_tight, true, memory_order_relaxed);
}

bool fr_till_device(struct fr_till *till, uint64_t eui, bool is_unknown, struct fr_refusal *why)
{
    bool is_tight = atomic_load_explicit(&till->account->is_tight, memory_order_relaxed);

    look_for_walk(till, eui);
    if (!is_tight && !is_unknown) return true;
    const struct fr_clock *clock = till->desk->usage->clock;
    int64_t now_ms = fr_clock_mono_ms(clock), now_s = fr_clock_real_s(clock);
    if (is_tight && is_used_up(till, now_ms, now_s, why)) return false;
    if (is_unknown) charge(till, eui, now_ms, now_s);
    return true;
}

/* Written once a second at most: the word is shared by all workers. */
static void note_time(struct fr_account *account, int64_t now_s)
{
    if (atomic_load_explicit(&account->looked_up_s, memory_order_relaxed) != now_s)
        atomic_store_explicit(&account->looked_up_s, now_s, memory_order_relaxed);
}

void fr_till_tell(struct fr_till *till, const struct fr_told *told)
{
    struct fr_usage *usage = till->desk->usage;

    if (told->answer == FR_NOTE_FOUND)
        fr_pairs_count(till->desk->pairs, till->account->index, told->netid);
    const struct fr_recent_lookup lookup = {
        .when_ms = fr_clock_real_ms(usage->clock),
        .deveui = told->deveui,
        .netid = told->netid,
        .type = told->type,
        .answer = told->answer,
    };
    if (till->ring != NULL) fr_recent_put(&till->ring->recent, &lookup);
    if (told->answer != FR_NOTE_REFUSED) note_time(till->account, lookup.when_ms / 1000);
    if (!fr_notes_is_on(usage->notes)) return;
    struct fr_note note = {
        .when_ms = lookup.when_ms,
        .deveui = told->deveui,
        .netid = told->netid,
        .type = told->type,
        .answer = (uint8_t)told->answer,
    };
    memcpy(note.member, till->account->member, sizeof note.member);
    fr_notes_put(usage->notes, &note);
}
