#pragma once
/*
 * The prober of one federation: connects to members' registered endpoints, when asked and by the clock.
 *
 * Model: an *ask* is about one member; asks about a member that is being looked at share that run.
 *   Endpoints are taken from the store and nowhere else. Every member that has endpoints is looked at
 *   each policy probe.every, a tenth of it earlier or later by chance; the *last* run of each member is
 *   kept in memory, and a restart begins anew. Who it shows itself as is the broker's own certificate.
 * Owns: runs and what is known of members. Borrows all in the options; asks are the caller's until
 *   they are done.
 * Threads: the loop's; fr_prober_ask is for any.
 * Errors: in an ask: FR_E_NOT_FOUND (no such member), FR_E_BUSY (this member asks too often, or too many
 *   wait), FR_E_CANCELLED (the broker stops), FR_E_NOMEM, those of the broker's files.
 * Units and limits: FR_PROBE_AT_ONCE connections at once, FR_PROBE_RUNS runs waiting, and of one member
 *   FR_PROBE_ASKS asks of its own in FR_PROBE_ASKS_MS.
 * Trust: endpoints are members' words (probe/reach.h), and what listens there is anybody's.
 */
#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "probe/run.h"

#define FR_PROBE_AT_ONCE 8
#define FR_PROBE_RUNS 4096
#define FR_PROBE_ASKS 6
#define FR_PROBE_ASKS_MS 60000

struct fr_prober;

struct fr_prober_options {
    struct fr_loop *loop; /* with posts enabled */
    const char *state;    /* directory */
    struct fr_store *store;
    const struct fr_log *log;
    const struct fr_clock *clock;
};

struct fr_probe_ask {
    char member[FR_MEMBER_ID_MAX + 1];
    bool is_member;                         /* it asks for itself, and not too often */
    struct fr_loop *loop;                   /* whose thread asks, and is answered */
    void (*done)(struct fr_probe_ask *ask); /* once; may be called from inside fr_prober_ask */
    void *data;
    /* the outcome */
    enum fr_err err;
    struct fr_diag diag;
    uint32_t retry_after_s; /* FR_E_BUSY */
    struct fr_buf
        json; /* of the run; from FR_BUF_INIT(FR_RUN_JSON_MAX) by the asker, who ends it */
    /* the prober's */
    struct fr_prober *prober;
    struct fr_probe_ask *next;
    struct fr_post post;
};

enum fr_err fr_prober_new(const struct fr_prober_options *options, struct fr_prober **out);

/* Every second. `is_renewed`: the broker's own certificate is another one now; `by_clock`: this broker
 * looks at members by itself. */
void fr_prober_tend(struct fr_prober *prober, bool is_renewed, bool by_clock);

void fr_prober_ask(struct fr_prober *prober, struct fr_probe_ask *ask);

/* The last run of each member that had one. */
typedef void (*fr_probed_fn)(void *data, const struct fr_run *run);
void fr_prober_each(const struct fr_prober *prober, fr_probed_fn fn, void *data);
const struct fr_run *fr_prober_last(const struct fr_prober *prober,
                                    const char *member); /* or NULL */

/* Whoever waits is answered now; asks are refused from here on. */
void fr_prober_stop(struct fr_prober *prober);

/* After every thread that asks is done with it. NULL is legal. */
void fr_prober_free(struct fr_prober *prober);
