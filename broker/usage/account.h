#pragma once
/* Inside of broker/usage: an account, and how desks come to one. See usage/usage.h. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/siphash.h"
#include "store/limits.h"
#include "usage/bucket.h"
#include "usage/sketch.h"
#include "usage/usage.h"

struct fr_account {
    char member[FR_MEMBER_ID_MAX + 1];
    uint32_t index; /* among the usage's accounts */
    struct fr_bucket queries, misses;
    atomic_uint connections;
    atomic_bool is_tight; /* a budget for devices may be used up: look closely */
    atomic_int_fast64_t day;
    _Atomic(struct fr_sketch *) sketch; /* NULL until the first unknown device */
    atomic_int_fast64_t logged_ms[FR_BUDGETS], walked_ms;
    atomic_uint_fast64_t refused[FR_BUDGETS]; /* since the line of log before */
};

struct fr_usage {
    const char *federation;
    const struct fr_log *log;
    const struct fr_clock *clock;
    struct fr_siphash_key key;
    pthread_mutex_t lock; /* the list, the making of sketches, the turn of the day */
    struct fr_account **accounts;
    size_t n, room;
};

/* The member's account, made if need be. NULL: no memory. */
struct fr_account *fr_usage_account(struct fr_usage *usage, const char *member);

/* The sketch of today. NULL: no memory. */
struct fr_sketch *fr_usage_sketch(struct fr_usage *usage, struct fr_account *account, int64_t day);
