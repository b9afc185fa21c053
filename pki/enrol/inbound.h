/* Asking a federation's broker to connect back to this member's registered endpoints.
 *
 * Owns     The answer's text is the caller's (fr_inbound_free).
 * Threads  One; blocks, for half a minute at most.
 * Errors   FR_E_BUSY (asked too often), FR_E_DENIED, FR_E_AUTH, FR_E_NET, FR_E_TIMEOUT,
 *          FR_E_UNSUPPORTED (the broker is older), FR_E_MALFORMED; diag says what. An endpoint that is
 *          not as it should be is an answer.
 * Limits   FR_INBOUND_ENDPOINTS endpoints.
 * Trust    The answer is the broker's, whose certificate was verified. */
#pragma once

#include "enrol/pairs.h"

#define FR_INBOUND_ENDPOINTS 32

struct fr_inbound_end {
    bool is_right;
    const char *netid, *endpoint, *name;
    uint64_t ms;
    const char *step, *seen, *todo; /* when it is not */
};

struct fr_inbound {
    struct fr_buf text; /* the answer as it came: JSON */
    bool is_right;      /* every one is, and there is one */
    size_t n;
    struct fr_inbound_end ends[FR_INBOUND_ENDPOINTS];
    void *object; /* what the texts belong to */
};

enum fr_err fr_inbound_ask(const char *folder, const struct fr_wallet_entry *entry,
                           const struct fr_pair *pair, struct fr_diag *diag,
                           struct fr_inbound *out);
/* An answer as the broker gives it. */
enum fr_err fr_inbound_read(struct fr_span text, struct fr_diag *diag, struct fr_inbound *out);

void fr_inbound_free(struct fr_inbound *inbound); /* a zeroed one is legal */
