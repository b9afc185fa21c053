#include "usage/usage.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "usage/account.h"

#define COUNTED_MAX 65536 /* rows that wait while the store takes none */

const char *fr_budget_text(enum fr_budget budget)
{
    static const char *const texts[FR_BUDGETS] = {
        [FR_BUDGET_QUERIES] = "queries",
        [FR_BUDGET_CONNECTIONS] = "connections",
        [FR_BUDGET_MISSES] = "misses",
        [FR_BUDGET_UNKNOWN] = "unknown",
    };

    return texts[budget];
}

enum fr_err fr_usage_new(const struct fr_usage_options *options, struct fr_usage **out)
{
    struct fr_usage *usage = fr_calloc(1, sizeof *usage);

    if (usage == NULL) return FR_E_NOMEM;
    pthread_mutex_init(&usage->lock, NULL);
    usage->federation = options->federation;
    usage->log = options->log;
    usage->clock = options->clock != NULL ? options->clock : fr_clock_system();
    enum fr_err err = fr_random(usage->key.b, sizeof usage->key.b);
    if (err == FR_OK) err = fr_notes_new(&usage->notes);
    if (err != FR_OK) {
        fr_usage_free(usage);
        return err;
    }
    *out = usage;
    return FR_OK;
}

static void free_rings(struct fr_account *account)
{
    while (account->rings != NULL) {
        struct fr_account_ring *ring = account->rings;
        account->rings = ring->next;
        fr_free(ring);
    }
}

void fr_usage_free(struct fr_usage *usage)
{
    if (usage == NULL) return;
    for (size_t i = 0; i < usage->n; i++) {
        fr_free(atomic_load(&usage->accounts[i]->sketch));
        free_rings(usage->accounts[i]);
        fr_free(usage->accounts[i]);
    }
    fr_free(usage->accounts);
    fr_free(usage->counted);
    fr_notes_free(usage->notes);
    pthread_mutex_destroy(&usage->lock);
    fr_free(usage);
}

static struct fr_account *find(const struct fr_usage *usage, const char *member)
{
    for (size_t i = 0; i < usage->n; i++)
        if (strcmp(usage->accounts[i]->member, member) == 0) return usage->accounts[i];
    return NULL;
}

static struct fr_account *add(struct fr_usage *usage, const char *member)
{
    struct fr_account *account = fr_calloc(1, sizeof *account);

    if (account == NULL) return NULL;
    if (usage->n == usage->room) {
        size_t room = usage->room ? 2 * usage->room : 16;
        void *accounts = fr_reallocarray(usage->accounts, room, sizeof *usage->accounts);
        if (accounts == NULL) {
            fr_free(account);
            return NULL;
        }
        usage->accounts = accounts;
        usage->room = room;
    }
    (void)fr_span_copy(fr_span_str(member), account->member, sizeof account->member);
    account->index = (uint32_t)usage->n;
    usage->accounts[usage->n++] = account;
    return account;
}

struct fr_account *fr_usage_account(struct fr_usage *usage, const char *member)
{
    pthread_mutex_lock(&usage->lock);
    struct fr_account *account = find(usage, member);
    if (account == NULL) account = add(usage, member);
    pthread_mutex_unlock(&usage->lock);
    return account;
}

struct fr_sketch *fr_usage_sketch(struct fr_usage *usage, struct fr_account *account, int64_t day)
{
    struct fr_sketch *sketch = atomic_load(&account->sketch);

    if (sketch != NULL && atomic_load(&account->day) == day) return sketch;
    pthread_mutex_lock(&usage->lock);
    sketch = atomic_load(&account->sketch);
    bool is_new = sketch == NULL;
    if (is_new) sketch = fr_malloc(sizeof *sketch);
    if (sketch != NULL && (is_new || atomic_load(&account->day) != day)) {
        fr_sketch_reset(sketch);
        atomic_store(&account->day, day);
        atomic_store(&account->sketch, sketch);
    }
    pthread_mutex_unlock(&usage->lock);
    return sketch;
}

void fr_usage_each(struct fr_usage *usage, fr_usage_fn fn, void *data)
{
    int64_t now_s = fr_clock_real_s(usage->clock), day = now_s / 86400;

    pthread_mutex_lock(&usage->lock);
    for (size_t i = 0; i < usage->n; i++) {
        struct fr_account *account = usage->accounts[i];
        struct fr_sketch *sketch = atomic_load(&account->sketch);
        bool is_today = sketch != NULL && atomic_load(&account->day) == day;
        struct fr_usage_row row = {
            .member = account->member,
            .unknown_today = is_today ? fr_sketch_count(sketch) : 0,
            .connections = atomic_load(&account->connections),
            .looked_up_s = atomic_load(&account->looked_up_s),
            .walks = fr_hours_sum(&account->walks, now_s),
            .turned_away = fr_hours_sum(&account->turned_away, now_s),
        };
        for (int b = 0; b < FR_BUDGETS; b++)
            row.refused[b] = fr_hours_sum(&account->refused_by_hour[b], now_s);
        fn(data, &row);
    }
    pthread_mutex_unlock(&usage->lock);
}

void fr_usage_note_turned_away(struct fr_usage *usage, const char *member)
{
    struct fr_account *account = fr_usage_account(usage, member);

    if (account != NULL) fr_hours_add(&account->turned_away, fr_clock_real_s(usage->clock));
}

/* --- the last look-ups --- */

struct fr_account_ring *fr_usage_take_ring(struct fr_usage *usage, struct fr_account *account)
{
    pthread_mutex_lock(&usage->lock);
    struct fr_account_ring *ring = account->rings;
    while (ring != NULL && ring->is_used) ring = ring->next;
    if (ring == NULL) {
        ring = fr_calloc(1, sizeof *ring);
        if (ring != NULL) {
            ring->next = account->rings;
            account->rings = ring;
        }
    }
    if (ring != NULL) ring->is_used = true;
    pthread_mutex_unlock(&usage->lock);
    return ring;
}

void fr_usage_give_ring(struct fr_usage *usage, struct fr_account_ring *ring)
{
    if (ring == NULL) return;
    pthread_mutex_lock(&usage->lock);
    ring->is_used = false;
    pthread_mutex_unlock(&usage->lock);
}

void fr_usage_recent(struct fr_usage *usage, const char *member, fr_recent_fn fn, void *data)
{
    pthread_mutex_lock(&usage->lock);
    struct fr_account *account = find(usage, member);
    for (struct fr_account_ring *ring = account != NULL ? account->rings : NULL; ring != NULL;
         ring = ring->next)
        fr_recent_each(&ring->recent, fn, data);
    pthread_mutex_unlock(&usage->lock);
}

/* --- counts of look-ups --- */

static bool has_room(struct fr_usage *usage)
{
    if (usage->n_counted < usage->counted_room) return true;
    if (usage->n_counted >= COUNTED_MAX) return false;
    size_t room = usage->counted_room ? 2 * usage->counted_room : 64;
    void *counted = fr_reallocarray(usage->counted, room, sizeof *usage->counted);
    if (counted == NULL) return false;
    usage->counted = counted;
    usage->counted_room = room;
    return true;
}

struct reading {
    struct fr_usage *usage;
    uint32_t day;
};

static void add_count(void *data, uint32_t account, uint32_t netid, uint64_t more)
{
    const struct reading *reading = data;
    struct fr_usage *usage = reading->usage;

    if (!has_room(usage)) {
        usage->counts_lost += more;
        return;
    }
    struct fr_lookup_row *row = &usage->counted[usage->n_counted++];
    *row = (struct fr_lookup_row){.day = reading->day, .netid = netid, .count = more};
    memcpy(row->visited, usage->accounts[account]->member, sizeof row->visited);
}

void fr_usage_join(struct fr_usage *usage, struct fr_desk *desk)
{
    pthread_mutex_lock(&usage->lock);
    desk->next = usage->desks;
    usage->desks = desk;
    pthread_mutex_unlock(&usage->lock);
}

void fr_usage_leave(struct fr_usage *usage, struct fr_desk *desk)
{
    struct reading reading = {usage, (uint32_t)(fr_clock_real_s(usage->clock) / 86400)};

    pthread_mutex_lock(&usage->lock);
    fr_pairs_read(desk->pairs, add_count, &reading);
    usage->counts_lost += fr_pairs_lost(desk->pairs);
    struct fr_desk **at = &usage->desks;
    while (*at != desk) at = &(*at)->next;
    *at = desk->next;
    pthread_mutex_unlock(&usage->lock);
}

void fr_usage_gather(struct fr_usage *usage, uint32_t day, struct fr_lookup_row **rows, size_t *n)
{
    struct reading reading = {usage, day};

    pthread_mutex_lock(&usage->lock);
    for (struct fr_desk *desk = usage->desks; desk != NULL; desk = desk->next)
        fr_pairs_read(desk->pairs, add_count, &reading);
    *rows = usage->counted;
    *n = usage->n_counted;
    usage->counted = NULL;
    usage->n_counted = usage->counted_room = 0;
    pthread_mutex_unlock(&usage->lock);
}

void fr_usage_give_back(struct fr_usage *usage, struct fr_lookup_row *rows, size_t n)
{
    pthread_mutex_lock(&usage->lock);
    for (size_t i = 0; i < n; i++) {
        if (has_room(usage))
            usage->counted[usage->n_counted++] = rows[i];
        else
            usage->counts_lost += rows[i].count;
    }
    pthread_mutex_unlock(&usage->lock);
    fr_free(rows);
}

uint64_t fr_usage_counts_lost(struct fr_usage *usage)
{
    pthread_mutex_lock(&usage->lock);
    uint64_t lost = usage->counts_lost;
    for (struct fr_desk *desk = usage->desks; desk != NULL; desk = desk->next)
        lost += fr_pairs_lost(desk->pairs);
    pthread_mutex_unlock(&usage->lock);
    return lost;
}
