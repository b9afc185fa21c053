#pragma once
/*
 * The HTTPS API of one federation on one worker: https://broker.<fed>/api/v1/…
 *
 * Model: a request is matched against the table of rows (api/route.h), passes the gate with the
 *   rights its row needs, and goes to the row's handler (api/call.h). Reads are answered at once
 *   from the request's snapshot; changes are operations of broker/admin, handed to the federation's
 *   writer and answered when they are on disk. Refusals are problem details (api/problem.h).
 * Owns: what is under way. The gate, writer, loop, store and log are the caller's and outlive it;
 *   with something under way it must not be freed (fr_api_under_way).
 * Threads: one for each worker and federation; its thread.
 * Errors: every request is answered here.
 * Units and limits: struct fr_api_limits; bodies by the server's limit.
 * Trust: everything in an exchange but the peer's certificate.
 * See: docs/api/openapi.yaml, RFC 9457.
 */

#include "access/gate.h"
#include "admin/writer.h"
#include "replica/feeder.h"

struct fr_api;
struct fr_prober; /* probe/prober.h */

struct fr_api_limits {
    unsigned under_way; /* of one member at once on this worker; more get 429 */
};

struct fr_api_options {
    struct fr_gate *gate;
    struct fr_writer *writer;
    struct fr_store *store;
    struct fr_loop *loop;
    struct fr_feeder *feeder; /* the primary's side of its replicas */
    struct fr_prober *prober; /* connects back to members; of another thread */
    struct fr_api_limits limits;
    void (*on_idle)(void *data); /* nothing is under way any more */
    void *data;
};

/* Refusals are counted by status. */
#define FR_API_REFUSALS 13

struct fr_api_counters {
    uint64_t requests;
    uint64_t changes;                  /* that were made, or would change nothing */
    uint64_t unchanged;                /* 304: what the caller has already */
    uint64_t batch_lines;              /* that came to something, refused ones included */
    uint64_t refused[FR_API_REFUSALS]; /* by fr_api_refusal_status */
};

/* The HTTP status that refused[i] counts; the last one stands for all others. */
unsigned fr_api_refusal_status(size_t i);

enum fr_err fr_api_new(const struct fr_api_options *options, struct fr_api **out);
void fr_api_free(struct fr_api *api); /* NULL is fine */

/* Whether this path is the API's to answer. */
bool fr_api_is_meant(struct fr_span path);

/* The head of a request, its body to come: takes the body of those that are long, or answers. */
void fr_api_head(struct fr_api *api, struct fr_http_exchange *x);

/* Answers x, now or later. */
void fr_api_request(struct fr_api *api, struct fr_http_exchange *x);

/* Who waits for changes, or for a list, is answered now, and nobody may wait any more. */
void fr_api_stop(struct fr_api *api);

unsigned fr_api_under_way(const struct fr_api *api);
const struct fr_api_counters *fr_api_counters(const struct fr_api *api);
