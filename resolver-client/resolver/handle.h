#pragma once
/* The inside of a resolver handle: what open.c, lookup.c and flight.c share.
 *
 * Model: a *look-up* is one call of the host. It has one *part* per federation, started in stages:
 *   where the device was last, then the others; and where there are public trees for what it looks for, one
 *   more for all of them, when every federation said that it does not have it. A part
 *   that the cache cannot serve waits on a *flight*: the questions about one (federation, kind,
 *   number), sent once however many parts wait. A device's flight finds the NetID; unless that
 *   answer told everything, its parts go on to the network's flight. A Join Server's, and any in public
 *   trees, is a hunt (hunt.h).
 *     look-up ─ part ─┐
 *     look-up ─ part ─┼─ flight (device) ─► flight (network) ─► brokers
 * Owns: the handle owns all of it. Threads: the loop's, or whoever has the lock (turns.h). A decided look-up goes to the ready
 *   list, and its call-back runs at the end of the turn, so never from inside a call of the
 *   host. */

#include "resolver/answer.h"
#include "resolver/brokers.h"
#include "resolver/cache.h"
#include "transport/loop.h"
#include <fedroam/fedroam.h>
#include <pthread.h>
#include <sys/queue.h>

struct fr_flight;
struct fr_retired;
struct fr_own_loop;
struct fr_public_dns;
struct fr_records_query;
struct fr_records_trip;

enum { FR_FLIGHT_BUCKETS = 256 };

struct fr_part {
    struct fedroam_lookup *lookup;
    uint16_t federation;
    bool is_started, is_done;
    bool was_asked;              /* a broker was asked for it: the answer is fresh */
    uint32_t netid;              /* FEDROAM_NO_NETID until a device's is known */
    int64_t netid_until_ms;      /* end of the TTL of that */
    struct fr_flight *flight;    /* it waits on, or NULL */
    struct fr_part *prev, *next; /* of that flight */
};

/* What a look-up may take from the cache. */
struct fr_lookup_rule {
    int64_t age_ms;         /* within the TTL: entries up to this old */
    int64_t stale_ms;       /* past it, when no broker can be reached */
    bool stale_over_budget; /* and when the federation hears no more questions */
};

struct fedroam_lookup {
    struct fedroam *f;
    struct fedroam_lookup *prev, *next; /* by deadline while open; then in the ready list */
    struct fr_question q;
    struct fr_lookup_rule rule;
    int64_t until_ms;
    uint32_t timeout_ms;
    fedroam_answer_cb done;
    void *data;
    bool is_ready;
    struct fedroam_answer *answer; /* the best so far; NULL: none yet, or no memory for one */
    uint16_t answered_by;          /* the federation of that */
    size_t n_done, n_started, n_parts;
    bool is_starting;                    /* inside start_stage() */
    int64_t patience_ms;                 /* when the next stage starts; 0: not in that list */
    TAILQ_ENTRY(fedroam_lookup) patient; /* by patience_ms */
    struct fr_part parts[];
};

TAILQ_HEAD(fr_patient_list, fedroam_lookup);

struct fr_lookup_list {
    struct fedroam_lookup *first, *last;
};

/* See turns.h. */
struct fr_turns {
    pthread_mutex_t lock;
    pthread_cond_t turned;
    bool is_waiting;    /* a thread waits for the descriptor, without the lock */
    bool is_processing; /* a thread does what is due, with it */
};

struct fedroam {
    struct fedroam_options *options;
    struct fr_loop *loop;
    struct fr_loop *host_loop;        /* freed with the handle: over a host's call-backs; or NULL */
    struct fr_own_loop *own_loop;     /* freed with the handle: of one without a host; or NULL */
    struct fr_turns turns;            /* of own_loop */
    struct fr_link_maker maker;       /* of all links */
    struct fr_public_dns *public_dns; /* always there, perhaps without a session */
    struct fr_cache *cache;
    struct fr_brokers *brokers[FR_FEDERATIONS_MAX];
    struct fr_flight *flights[FR_FLIGHT_BUCKETS];
    struct fr_lookup_list open, ready;
    size_t n_lookups;
    struct fedroam_peer_check *checks;         /* of peer.h */
    struct fr_records_query *records_starting; /* of records.h */
    struct fr_records_trip *records_trips;
    size_t n_records;         /* queries, starting or on a trip */
    struct fr_timer deadline; /* of the first open look-up */
    struct fr_patient_list patient;
    struct fr_timer patience; /* of the first of these */
    struct fr_defer delivery;
    struct fr_retired *retired;    /* of reload.c */
    struct fr_brokers_counts past; /* of brokers that are gone */
    struct fr_timer retirement;
    uint64_t draws; /* draw.h */
    uint64_t prefetches;
    uint64_t counts[FEDROAM_COUNT_CACHE_ENTRIES];
    struct fr_timer save;   /* of the cache to its file */
    uint64_t saved_changes; /* of the cache, when it was saved or read last */
};

/* NULL: its share is the public trees. */
static inline const struct fr_federation_opt *fr_part_federation(const struct fr_part *p)
{
    if (p->federation == FR_PUBLIC_TREES) return NULL;
    return p->lookup->f->options->federations[p->federation];
}

static inline struct fr_cache_key fr_network_key(uint16_t federation, uint32_t netid)
{
    return (struct fr_cache_key){.federation = federation, .kind = FEDROAM_NETWORK, .id = netid};
}
