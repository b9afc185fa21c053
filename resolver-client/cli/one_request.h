#pragma once
/* One HTTP request to one address, waited for.
 *
 * Owns: everything ends with the call. Threads: one. Errors: FR_E_NOMEM and the like; what the
 *   other side did is the result, which is valid only inside the call-back.
 * Trust: the result is a peer's. */

#include "transport/http_client.h"

struct fr_one_request {
    struct fr_addr addr;
    const char *host; /* verified, and the authority */
    struct fr_tls_ctx *tls;
    struct fr_http_request request;
    uint32_t within_ms;
};

enum fr_err fr_one_request(const struct fr_one_request *r, fr_http_done_fn done, void *data);
