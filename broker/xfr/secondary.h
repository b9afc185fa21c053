#pragma once
/*
 * The broker as a secondary of its members' own name servers: it follows their zones and keeps the devices in the store.
 *
 * Model: each row of store/primary.h becomes an *inbound* (xfr/inbound.h). Rows are looked at when the store has moved. NOTIFY
 *   from a listed server, a person's request, or time starts a look at the zone's SOA; what is newer is transferred and handed to
 *   the writer as one task. Nothing here is in the way of look-ups: sockets and timers are main's loop's, the store is written by
 *   the writer alone.
 * Owns: inbounds. Borrows everything in the options, until freed. Threads: the loop's.
 * Errors: of starting: FR_E_NOMEM. What goes wrong with a zone is in its state, the log and the counters.
 * Units and limits: fr_secondary_limits.
 * Trust: servers are members' machines: whatever they say is limited, checked, and proved by TSIG or TLS before it is believed.
 */
#include "admin/writer.h"
#include "base/addr.h"
#include "base/clock.h"
#include "dns/notify.h"
#include "store/store.h"

struct fr_secondary;

struct fr_secondary_limits {
    unsigned at_once;     /* transfers that run together */
    uint64_t records_max; /* of one transfer */
    uint64_t bytes_max;   /* of one transfer */
    uint32_t transfer_ms; /* for one transfer as a whole */
    uint32_t idle_ms;     /* without a message */
    uint32_t connect_ms;
};

struct fr_secondary_options {
    struct fr_loop *loop; /* with posts enabled */
    const char *state;    /* directory */
    struct fr_store *store;
    struct fr_writer *writer;
    const struct fr_log *log;
    const struct fr_clock *clock;
    struct fr_secondary_limits limits;
};

enum fr_err fr_secondary_new(const struct fr_secondary_options *options, struct fr_secondary **out);

/* Every second: takes in rows that changed, and limits. `is_renewed`: the broker's own certificate is another one now. */
void fr_secondary_tend(struct fr_secondary *secondary, const struct fr_secondary_limits *limits,
                       bool is_renewed);

/* A NOTIFY came from this address: FR_DNS_NOERROR, or the RCODE to refuse it with. `message` is checked if it is signed;
 * the answer's signature is put with fr_secondary_sign. */
struct fr_notify_proof {
    bool is_signed;
    unsigned error;  /* enum fr_tsig_error */
    const void *key; /* what signs the answer; NULL: nothing does */
    uint8_t mac[64];
    uint8_t mac_n;
};
enum fr_dns_rcode fr_secondary_notified(struct fr_secondary *secondary, const struct fr_ip *from,
                                        const struct fr_notify *notify, struct fr_span message,
                                        struct fr_notify_proof *proof);

struct fr_secondary_counts {
    uint64_t full, changes; /* transfers taken */
    uint64_t current;       /* looks that found nothing new */
    uint64_t failures;
    uint64_t notifies, notifies_refused;
    uint64_t zones, held, failing, expired; /* now */
};
void fr_secondary_count(const struct fr_secondary *secondary, struct fr_secondary_counts *out);

/* No new transfers; running ones end. What the writer has is finished by it: free after fr_writer_stop, when its call-backs
 * have run or cannot run any more. */
void fr_secondary_stop(struct fr_secondary *secondary);
void fr_secondary_free(struct fr_secondary *secondary); /* NULL is legal */
