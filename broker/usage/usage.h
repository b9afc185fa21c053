#pragma once
/*
 * How much each member of a federation uses, for all workers of the process together.
 *
 * Model: an *account* for each member that has asked since the start: its buckets, its sketch of the
 *   unknown devices asked for today, its open connections. Workers come to it through a desk
 *   (usage/desk.h). Accounts are made at a member's first request and stay; what is in them is in
 *   memory only, so that a restart begins anew.
 *   The *budgets* are policy (store/policy.h, keys budget.*): what a member may use of each.
 * Owns: the accounts. Borrows log and clock. Threads: any.
 * Errors: FR_E_NOMEM, FR_E_IO (no random key).
 * Units and limits: one account for each member of the registry, at most about 17 KiB, and 8 KiB for each
 *   worker that it asks (the last look-ups).
 */
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "usage/recent.h"

struct fr_usage;

enum fr_budget {
    FR_BUDGET_QUERIES,     /* a second */
    FR_BUDGET_CONNECTIONS, /* open at once */
    FR_BUDGET_MISSES,      /* unknown devices a second */
    FR_BUDGET_UNKNOWN,     /* different unknown devices a day */
    FR_BUDGETS,
};
const char *fr_budget_text(enum fr_budget budget); /* "misses": of metrics and log lines */

struct fr_usage_options {
    const char *federation;
    const struct fr_log *log;     /* may be NULL */
    const struct fr_clock *clock; /* NULL: the system's */
};

enum fr_err fr_usage_new(const struct fr_usage_options *options, struct fr_usage **out);
void fr_usage_free(struct fr_usage *usage); /* after every desk. NULL is fine */

/* What a member has used; for metrics. */
struct fr_usage_row {
    const char *member;
    uint64_t unknown_today;
    unsigned connections;
    int64_t looked_up_s;          /* last answer about a device; 0: none since the start */
    uint64_t refused[FR_BUDGETS]; /* in 24 hours */
    uint64_t walks;               /* alarms in 24 hours */
    uint64_t turned_away;         /* in 24 hours: its certificates were refused */
};
typedef void (*fr_usage_fn)(void *data, const struct fr_usage_row *row);
void fr_usage_each(struct fr_usage *usage, fr_usage_fn fn, void *data);

/* The last look-ups of a member, of each worker newest first. */
void fr_usage_recent(struct fr_usage *usage, const char *member, fr_recent_fn fn, void *data);

/* A certificate of this member was refused. */
void fr_usage_note_turned_away(struct fr_usage *usage, const char *member);
