#pragma once
/* Inside of broker/usage: an account, and how desks come to one. See usage/usage.h. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/siphash.h"
#include "store/limits.h"
#include "store/lookups.h"
#include "usage/bucket.h"
#include "usage/desk.h"
#include "usage/hours.h"
#include "usage/notes.h"
#include "usage/pairs.h"
#include "usage/recent.h"
#include "usage/sketch.h"
#include "usage/usage.h"

/* 0: none. */
struct fr_budget_limits {
    uint32_t queries, connections, misses, unknown;
};

/* The last look-ups at one desk; kept for the next desk when this one is gone. */
struct fr_account_ring {
    struct fr_recent recent;
    bool is_used; /* by a till; under the usage's lock, as is the list */
    struct fr_account_ring *next;
};

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
    struct fr_hours refused_by_hour[FR_BUDGETS];
    struct fr_hours walks;           /* through neighbouring DevEUIs */
    struct fr_hours turned_away;     /* at the gate: revoked, expired, without the right */
    atomic_int_fast64_t looked_up_s; /* last answer about a device; 0: none since the start */
    struct fr_account_ring *rings;
};

struct fr_usage {
    const char *federation;
    const struct fr_log *log;
    const struct fr_clock *clock;
    struct fr_siphash_key key;
    pthread_mutex_t lock; /* the list, the making of sketches, the turn of the day */
    struct fr_account **accounts;
    size_t n, room;
    struct fr_desk *desks;         /* those whose counts are still to be read */
    struct fr_lookup_row *counted; /* for the store, not there yet */
    size_t n_counted, counted_room;
    uint64_t counts_lost;
    struct fr_notes *notes;
};

struct fr_desk {
    struct fr_usage *usage;
    struct fr_budget_limits limits;
    bool has_limits;
    uint64_t txn, standing; /* of the limits */
    struct fr_till *tills;
    struct fr_pairs *pairs; /* look-ups that found a device */
    struct fr_desk_counters counters;
    struct fr_desk *next; /* of the usage */
};

/* A desk that is read from, until it leaves; what it has counted by then is kept. */
void fr_usage_join(struct fr_usage *usage, struct fr_desk *desk);
void fr_usage_leave(struct fr_usage *usage, struct fr_desk *desk);

/* All that was counted and not taken yet, now the caller's; `day` is that of what was counted since
 * the last time. */
void fr_usage_gather(struct fr_usage *usage, uint32_t day, struct fr_lookup_row **rows, size_t *n);
/* Takes them back for the next time. */
void fr_usage_give_back(struct fr_usage *usage, struct fr_lookup_row *rows, size_t n);
uint64_t fr_usage_counts_lost(struct fr_usage *usage);

/* The member's account, made if need be. NULL: no memory. */
struct fr_account *fr_usage_account(struct fr_usage *usage, const char *member);

/* A ring for a till, until it is given back. NULL: no memory. */
struct fr_account_ring *fr_usage_take_ring(struct fr_usage *usage, struct fr_account *account);
void fr_usage_give_ring(struct fr_usage *usage, struct fr_account_ring *ring);

/* The sketch of today. NULL: no memory. */
struct fr_sketch *fr_usage_sketch(struct fr_usage *usage, struct fr_account *account, int64_t day);
