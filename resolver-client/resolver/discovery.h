#pragma once
/* Where a broker is, by public DNS: the services of `_dns.<host>`, and the addresses of the host where the
 * configuration has none.
 *
 * Model: the result is a list of *ways* to one broker, in the order to try: those that its SVCB records offer
 *   (one alias is followed), then the one of the configuration. A way is where to connect and what path to ask;
 *   the name that the server must prove is always the configured one, so a record can lead to a wrong door and never
 *   through it. A *run* finds the ways anew; it is started when somebody needs them and they are over, and ends
 *   with a call-back. What a run could not find out leaves the ways as they were.
 * Owns: its questions. Borrows the public DNS and the broker's options. Threads: the loop's. Errors: none: without
 *   an answer the ways are those of the configuration, perhaps none.
 * Units and limits: ms; FR_WAYS_MAX ways of FR_BROKER_ADDRESSES_MAX addresses; ways live for the smallest TTL of what
 *   told them, 1 s to a day. Trust: strangers' answers; see public_dns.h.
 * See: RFC 9460 3, RFC 9461, RFC 8484. */

#include "resolver/options.h"
#include "resolver/services.h"

struct fr_discovery;
struct fr_loop;
struct fr_public_dns;

enum {
    FR_WAYS_MAX = FR_SERVICES_MAX + 1,
    FR_WAY_PATH = 512,             /* of services, or of a URL */
    FR_DISCOVERY_RETRY_MS = 30000, /* after a run that could not ask */
    FR_DISCOVERY_FAST_MS = 1000,   /* between runs while no way works */
};

struct fr_way {
    bool is_discovered; /* by SVCB, through target */
    struct fr_dname target;
    char path[FR_WAY_PATH];
    size_t n;
    struct fr_addr addresses[FR_BROKER_ADDRESSES_MAX];
};

struct fr_ways {
    size_t n;
    struct fr_way list[FR_WAYS_MAX];
    uint32_t ttl_s; /* when they were found */
    char why[160];  /* no way was discovered: what `_dns.<host>` said; "" when it was not asked */
};

/* A run ended; fr_discovery_ways() may have changed. May free the discovery. */
typedef void (*fr_discovery_done)(void *data);

/* Does the broker need public DNS at all: is it to be discovered, or has it no address? */
bool fr_discovery_is_wanted(const struct fr_broker_opt *broker);

enum fr_err fr_discovery_new(struct fr_loop *loop, struct fr_public_dns *dns,
                             const struct fr_broker_opt *broker, fr_discovery_done done, void *data,
                             struct fr_discovery **out);
void fr_discovery_free(struct fr_discovery *d);

/* Were the ways looked for, and is that not over yet? */
bool fr_discovery_is_fresh(const struct fr_discovery *d);

/* In the last tenth of their time, when they are better looked for before it ends? */
bool fr_discovery_is_ending(const struct fr_discovery *d);

/* Starts a run, unless one is under way. done comes later, never from inside. */
void fr_discovery_start(struct fr_discovery *d);

/* How long the run under way lasts; 0 without one. */
int64_t fr_discovery_running_ms(const struct fr_discovery *d);

/* No way worked: they are over now, or a second after the last run. */
void fr_discovery_expire(struct fr_discovery *d);

/* Of the last run; before the first one, of the configuration. */
const struct fr_ways *fr_discovery_ways(const struct fr_discovery *d);

/* The way that the configuration says; without addresses when it says none. */
struct fr_way fr_way_configured(const struct fr_broker_opt *broker);

bool fr_way_equal(const struct fr_way *a, const struct fr_way *b);
