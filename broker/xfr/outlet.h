#pragma once
/*
 * The federation's zone as secondaries get it: who may, what is answered, who is told. One for each federation.
 *
 * Model: a question (SOA, AXFR, IXFR) is answered at once with one message, or begins a *transfer*, a series of messages that the
 *   caller fetches as its connection takes them. In clear text a question must be signed with the TSIG key of a downstream
 *   (store/downstream.h); over TLS its peer must have a live certificate with the right `secondary`, and a signature that is there
 *   must be good all the same. Everything else is refused without a look at the zone.
 * Owns: history of the zone, notifier. Transfers are the caller's and must be freed before it. Threads: the loop's.
 * Errors: fr_outlet_ask: FR_E_MALFORMED, FR_E_TRUNCATED: there is nothing to answer to.
 * Units and limits: FR_OUTLET_TRANSFERS together; messages of FR_OUTLET_MESSAGE_MAX.
 * Trust: questions are a peer's.
 */
#include "store/downstream.h"
#include "transport/tls.h"
#include "xfr/notifier.h"
#include "xfr/outgoing.h"

#define FR_OUTLET_TRANSFERS 16
#define FR_OUTLET_MESSAGE_MAX 16384 /* compression reaches no further; a signature comes on top */

struct fr_outlet;
struct fr_outlet_transfer;

struct fr_outlet_options {
    struct fr_loop *loop;
    const char *state; /* directory */
    struct fr_store *store;
    const struct fr_log *log;
    const struct fr_clock *clock;
};

struct fr_outlet_counts {
    uint64_t full, changes, current; /* transfers that reached their end */
    uint64_t failed;                 /* did not, or could not begin */
    uint64_t refused;                /* questions */
    struct fr_notifier_counts notify;
};

/* How far a secondary has come, by what it said and was given; those that were heard last. */
#define FR_OUTLET_COPIES 64
struct fr_outlet_copy {
    char name[FR_DOWNSTREAM_NAME_MAX +
              1]; /* of the downstream, or of the certificate's member or host */
    bool has_key; /* it signs: it is a downstream by that name, unless that was removed since */
    bool has_serial;
    uint32_t serial;
    int64_t silent_ms; /* since it asked for anything */
    int64_t lag_ms;    /* since it was last told that there is nothing newer, or given it */
};

enum fr_err fr_outlet_new(const struct fr_outlet_options *options, struct fr_outlet **out);
void fr_outlet_tend(struct fr_outlet *outlet); /* every second */
const struct fr_dname *fr_outlet_zone(const struct fr_outlet *outlet);
const struct fr_log *fr_outlet_log(const struct fr_outlet *outlet);
void fr_outlet_count(const struct fr_outlet *outlet, struct fr_outlet_counts *out);
size_t fr_outlet_copies(const struct fr_outlet *outlet,
                        struct fr_outlet_copy out[FR_OUTLET_COPIES]);

/* Who asks, and how. */
struct fr_outlet_asker {
    bool is_tls;
    bool is_datagram;               /* gets no transfers, but the SOA that makes it come by TCP */
    const struct fr_tls_peer *cert; /* over TLS; NULL: none was shown */
    const char *from;               /* for the log */
};

/* Answers a question about this zone: either *n octets at `memory` (max: at least FR_OUTLET_MESSAGE_MAX), or *transfer. */
enum fr_err fr_outlet_ask(struct fr_outlet *outlet, const struct fr_outlet_asker *asker,
                          const struct fr_xfr_ask *ask, struct fr_span message, uint8_t *memory,
                          size_t max, size_t *n, struct fr_outlet_transfer **transfer);

/* The next message of a transfer; *done: the last, and the transfer counts as complete. */
enum fr_err fr_outlet_next(struct fr_outlet_transfer *transfer, uint8_t *memory, size_t max,
                           size_t *n, bool *done);
/* `why` is for the log when it did not reach its end. NULL is legal. */
void fr_outlet_end(struct fr_outlet_transfer *transfer, const char *why);

void fr_outlet_free(struct fr_outlet *outlet); /* NULL is legal */
