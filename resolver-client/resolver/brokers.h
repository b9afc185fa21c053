#pragma once
/* The brokers of one federation, asked in their order: fail-over, and no hammering of one that
 * fails.
 *
 * Model: an ask goes to the first broker that is not backing off; when that fails in transport
 *   (or says 5xx, SERVFAIL) the next one is asked, each at most once. A broker that failed rests
 *   1 s, then 2, 4 … 30 s (RFC 9520 3.2); when all rest, the ask ends at once with what they
 *   said last. A refusal (403, TLS alert, REFUSED), a 429 and an answer, good or bad, end the
 *   ask.
 * Owns: its links. Threads: the loop's. Errors: FR_E_NOMEM; the rest is in the judgement.
 * Units: ms on the loop's clock. See RFC 9520, RFC 8484. */

#include "resolver/doh.h"
#include "resolver/link.h"
#include "resolver/options.h"

struct fr_ask;
struct fr_brokers;
struct fr_loop;

enum { FR_BACKOFF_FIRST_MS = 1000, FR_BACKOFF_MAX_MS = 30000 };

struct fr_brokers_counts {
    uint64_t exchanges, failures;
};

/* `options` and `federation` are borrowed. */
enum fr_err fr_brokers_new(const struct fedroam_options *options,
                           const struct fr_federation_opt *federation, struct fr_loop *loop,
                           const struct fr_link_maker *maker, struct fr_brokers **out);

/* Ends open asks without their call-back. */
void fr_brokers_free(struct fr_brokers *b);

typedef void (*fr_ask_done)(void *data, const struct fr_judgement *j);

/* done comes once, from the loop, never from inside; the ask is gone then. until_ms: when the
 * last of those waiting gives up; a broker is given its time even when that is later, so that
 * impatience is not taken for a failure. */
enum fr_err fr_brokers_ask(struct fr_brokers *b, const struct fr_dname *name, uint16_t type,
                           int64_t until_ms, fr_ask_done done, void *data, struct fr_ask **out);

/* Gives up: done is not called. */
void fr_ask_cancel(struct fr_ask *ask);

struct fr_brokers_counts fr_brokers_counts(const struct fr_brokers *b);
void fr_brokers_add_traffic(struct fr_brokers *b, struct fr_resolver_traffic *sum);
