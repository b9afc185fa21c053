#pragma once
/*
 * Enrolment over Secure Transport (EST) of one federation: the service at https://ca.<fed>/.well-known/est.
 *
 * Model: cacerts and csrattrs are answered at once, to whoever asks. simpleenroll (with a token by
 *   HTTP Basic, or with a certificate that has the right enrol) and simplereenroll (with the
 *   certificate to renew) are read and checked here, on the worker, as far as no state is needed;
 *   then they are tasks of the federation's writer, and answered when those are over. A label is a
 *   profile. Answers are the way real clients need them: see docs/enrolment.md.
 * Owns: what is under way. The gate, writer, loop and log are the caller's and outlive it; with
 *   tasks under way it must not be freed (fr_est_under_way).
 * Threads: one for each worker and federation; its thread.
 * Errors: every request is answered here. Limits: FR_CSR_MAX for a request, fr_est_limits.
 * Trust: everything in an exchange but the peer's certificate.
 * See: RFC 7030, RFC 8951.
 */

#include "access/gate.h"
#include "admin/writer.h"
#include "est/est_request.h"

struct fr_est;

struct fr_est_limits {
    unsigned under_way; /* tasks at the writer; more get 503 */
    unsigned failures;  /* of one /24 or /56 at once, one more each second; more get 429 */
};

struct fr_est_options {
    struct fr_gate *gate;
    struct fr_writer *writer;
    struct fr_store *store;
    struct fr_loop *loop;
    struct fr_est_limits limits;
    void (*on_idle)(void *data); /* nothing is under way any more */
    void *data;
};

#define FR_EST_REFUSALS 10

struct fr_est_counters {
    uint64_t requests[FR_EST_OPS];
    uint64_t issued, renewed, repeated, pending;
    uint64_t refused[FR_EST_REFUSALS]; /* by fr_est_refusal_status */
};

/* The HTTP status that refused[i] counts. */
unsigned fr_est_refusal_status(size_t i);

enum fr_err fr_est_new(const struct fr_est_options *options, struct fr_est **out);
void fr_est_free(struct fr_est *est);

/* Whether this path is EST's to answer. */
bool fr_est_is_meant(struct fr_span path);

/* Answers x, now or later. */
void fr_est_request(struct fr_est *est, struct fr_http_exchange *x);

unsigned fr_est_under_way(const struct fr_est *est);
const struct fr_est_counters *fr_est_counters(const struct fr_est *est);
