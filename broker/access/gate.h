/* The gate of one federation on one worker: every request passes it before any handler sees it.
 *
 * Model: fr_gate_admit looks at an exchange's peer certificate, the service its SNI chose and its
 * authority, by access/access.h. Either the request may go on, with the store's present snapshot
 * held for it, or it has been answered here: no certificate → the connection closes without a word;
 * refused → 403 with the reason, logged, and the connection closes (but for
 * a right that is lacking); registry unreadable → 503; wrong authority → 421; over its
 * member's budget (usage/usage.h) → 429 with Retry-After.
 * Owns: its snapshot handle; the store, log and clock are the caller's and outlive it. The
 * connection's user pointer (fr_http_conn_set_user) is a seat of ours: call fr_gate_on_close from
 * the server's on_close.
 * Threads: one for each worker and federation; all calls on that worker's thread.
 * Errors: FR_E_NOMEM and the store's, from fr_gate_new. Trust: the exchange is a peer's bytes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"
#include "transport/http_server.h"
#include "usage/desk.h"

#define FR_RETRY_AFTER_S "5" /* for a 503: the registry could not be read */

struct fr_gate;

/* Somebody showed a certificate of the federation's CA that its store does not know, and that is not
 * noted there (store/unknown.h). der: empty where the handshake did not show it. */
typedef void (*fr_gate_unknown_fn)(void *data, const struct fr_tls_peer *cert, struct fr_span der);

struct fr_gate_options {
    struct fr_store *store;
    const struct fr_log *log;      /* may be NULL */
    const struct fr_clock *clock;  /* NULL: the system's */
    struct fr_usage *usage;        /* the federation's; NULL: nobody is charged */
    fr_gate_unknown_fn on_unknown; /* or NULL */
    void *on_unknown_data;
};

struct fr_gate_counters {
    uint64_t admitted;
    uint64_t refused[FR_ACCESS_COUNT]; /* by verdict; FR_ACCESS_OK stays 0 */
    uint64_t misdirected;              /* 421 */
};

enum fr_err fr_gate_new(const struct fr_gate_options *options, struct fr_gate **out);
void fr_gate_free(struct fr_gate *gate);

/* Why a request is answered here, for who puts it into words. */
struct fr_gate_refusal {
    unsigned status;        /* 403, 421, 429 or 503 */
    const char *sentence;   /* for the peer; good for the call */
    uint32_t retry_after_s; /* 0: not to be said */
    bool is_last;           /* the connection is to close behind the answer */
};
/* Answers x. */
typedef void (*fr_gate_refuse_fn)(struct fr_http_exchange *x, const struct fr_gate_refusal *why);

/* What one admitted request may use; valid until fr_gate_leave. */
struct fr_gate_pass {
    struct fr_snap *snap;
    const struct fr_cert_row *who;
    int64_t now_s;
    struct fr_till *till; /* of the member; NULL: nobody is charged. Good as long as the gate */
    fr_gate_refuse_fn refuse;
};

/* service: the one this endpoint belongs to. rights: enum fr_right, or-ed. False: x is gone.
 * True: answer x, and call fr_gate_leave before returning to the loop. */
bool fr_gate_admit(struct fr_gate *gate, struct fr_http_exchange *x, enum fr_service service,
                   uint32_t rights, struct fr_gate_pass *pass);
/* The same; refusals are worded by `refuse` instead of as text. */
bool fr_gate_admit_as(struct fr_gate *gate, struct fr_http_exchange *x, enum fr_service service,
                      uint32_t rights, fr_gate_refuse_fn refuse, struct fr_gate_pass *pass);
/* Like fr_gate_admit without rights, for who renews: a certificate that is over is admitted too while
 * its member has a grace (store/grace.h). */
bool fr_gate_admit_renewal(struct fr_gate *gate, struct fr_http_exchange *x,
                           enum fr_service service, struct fr_gate_pass *pass);
void fr_gate_leave(struct fr_gate *gate);

/* A question about a device and what came of it. */
struct fr_gate_device {
    uint64_t deveui;
    uint16_t type;
    bool is_unknown; /* no such name */
    bool has_home;   /* found: */
    uint32_t netid;
};

/* To be called before it is told: charges it, counts it, notes it. False: x has been answered with
 * 429 instead; only fr_gate_leave is left to do. */
bool fr_gate_charge_device(const struct fr_gate_pass *pass, struct fr_http_exchange *x,
                           const struct fr_gate_device *device);

/* What a member asked about and does not have, or claimed and another has, is a miss like that of a
 * look-up. To be called before it is told, also after fr_gate_leave; till: of the pass, may be NULL.
 * False: x has been answered with 429. */
bool fr_gate_charge_miss(struct fr_till *till, struct fr_http_exchange *x, uint64_t deveui,
                         fr_gate_refuse_fn refuse);

void fr_gate_on_close(struct fr_http_conn *conn);

const char *fr_gate_federation(const struct fr_gate *gate);
const struct fr_log *fr_gate_log(const struct fr_gate *gate);
const struct fr_gate_counters *fr_gate_counters(const struct fr_gate *gate);
/* What was refused for being over a budget; all zero when nobody is charged. */
struct fr_desk_counters fr_gate_desk_counters(const struct fr_gate *gate);
