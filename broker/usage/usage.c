#include "usage/usage.h"

#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "usage/account.h"

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
    if (err != FR_OK) {
        fr_usage_free(usage);
        return err;
    }
    *out = usage;
    return FR_OK;
}

void fr_usage_free(struct fr_usage *usage)
{
    if (usage == NULL) return;
    for (size_t i = 0; i < usage->n; i++) {
        fr_free(atomic_load(&usage->accounts[i]->sketch));
        fr_free(usage->accounts[i]);
    }
    fr_free(usage->accounts);
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
    int64_t day = fr_clock_real_s(usage->clock) / 86400;

    pthread_mutex_lock(&usage->lock);
    for (size_t i = 0; i < usage->n; i++) {
        struct fr_account *account = usage->accounts[i];
        struct fr_sketch *sketch = atomic_load(&account->sketch);
        bool is_today = sketch != NULL && atomic_load(&account->day) == day;
        const struct fr_usage_row row = {
            .member = account->member,
            .unknown_today = is_today ? fr_sketch_count(sketch) : 0,
            .connections = atomic_load(&account->connections),
        };
        fn(data, &row);
    }
    pthread_mutex_unlock(&usage->lock);
}
