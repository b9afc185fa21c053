/* One HTTPS request to a federation's host, waited for.
 *
 * Model    Addresses are tried in order; the host's certificate is verified as the TLS context says.
 * Owns     The answer's body belongs to the caller, from FR_EXCHANGE_ANSWER_INIT.
 * Threads  One; blocks.
 * Errors   fr_http_fault_err()'s, with what to do; a status is an answer, whatever it is.
 * Limits   FR_EXCHANGE_MS for the whole; the body's own cap.
 * Trust    The answer is a peer's. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "enrol/est_client.h"
#include "transport/http.h"

#define FR_EXCHANGE_MS 30000

struct fr_exchange_request {
    const struct fr_est_place *place;
    struct fr_tls_ctx *tls;
    const char *method, *target;
    const struct fr_http_field *fields;
    size_t n_fields;
    struct fr_span body;
};

struct fr_exchange_answer {
    unsigned status;
    char retry_after[16]; /* "": none */
    struct fr_buf body;
};

#define FR_EXCHANGE_ANSWER_INIT(max_)                                                              \
    {                                                                                              \
        .body = FR_BUF_INIT(max_)                                                                  \
    }

enum fr_err fr_exchange(const struct fr_exchange_request *request, struct fr_diag *diag,
                        struct fr_exchange_answer *answer);
