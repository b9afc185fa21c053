#pragma once
/* The brokers of one federation, asked in their order: fail-over, and no hammering of one that
 * fails.
 *
 * Model: an *ask* goes to the first broker that is well (breaker.h); when that fails in transport
 *   (or says 5xx, SERVFAIL) the next one is asked at once, each at most once. With a hedge, the next
 *   one is asked as well when the first has been silent for that long, and the first answer counts.
 *   When all rest, the ask ends at once with what they said last. A refusal (403, TLS alert,
 *   REFUSED), a 429 and an answer, good or bad, end the ask. After a 429 every ask ends at once
 *   until its Retry-After is over: the budget is the federation's, so no other broker is turned to.
 *   A *probe*, the SOA of the zone, is put to a broker when its rest is over and when its kept
 *   connection was lost, so that look-ups find it well and connected.
 * Owns: its links. Threads: the loop's. Errors: FR_E_NOMEM; the rest is in the judgement.
 * Units: ms on the loop's clock. See RFC 9520, RFC 8484, RFC 6585 4. */

#include "resolver/doh.h"
#include "resolver/link.h"
#include "resolver/options.h"

struct fr_ask;
struct fr_brokers;
struct fr_loop;

enum {
    FR_PROBE_MS = 5000, /* what a probe may take */
    FR_RETRY_AFTER_MAX_S = 86400,
    FR_LOST_AFTER_MS = 10000, /* a connection that ends sooner after an answer ends on purpose */
};

struct fr_brokers_counts {
    uint64_t exchanges, failures; /* of asks; probes apart */
    uint64_t hedges, probes;
    uint64_t held; /* asks not sent because of an earlier 429 */
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

/* No ask is open. */
bool fr_brokers_is_idle(const struct fr_brokers *b);

/* Other options from now on, borrowed, whose times for links are the same. */
void fr_brokers_set_options(struct fr_brokers *b, const struct fedroam_options *options);

/* Reads the certificate files again now. What the files give; the diag names the file. The working
 * set stays on failure. */
enum fr_err fr_brokers_reload(struct fr_brokers *b, struct fr_diag *diag);

struct fr_brokers_counts fr_brokers_counts(const struct fr_brokers *b);

/* Adds them up. */
void fr_brokers_add_counts(const struct fr_brokers *b, struct fr_brokers_counts *sum);
void fr_brokers_add_traffic(struct fr_brokers *b, struct fr_resolver_traffic *sum);
