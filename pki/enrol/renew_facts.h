/* What a federation says about renewing: which of its CAs sign no more, and when a new key may be used.
 *
 * Model    GET /renewal of the broker's API. A certificate is due at once when the CA that signed it is
 *          tainted, retired or revoked; a CA that the answer does not name says nothing, for a
 *          replica may know of a new one a moment later.
 * Owns     Plain values.
 * Threads  Any; asking blocks.
 * Errors   FR_E_MALFORMED; those of enrol/member_api.h.
 * Limits   FR_RENEW_FACTS_CAS CAs; more are left out.
 * Trust    The answer is the broker's, whose certificate was verified. */
#pragma once

#include "enrol/member_api.h"

#define FR_RENEW_FACTS_CAS 64

struct fr_renew_facts {
    uint32_t key_after_s;
    size_t n;
    struct fr_renew_facts_ca {
        uint8_t sha256[FR_SHA256_SIZE];
        bool is_ending; /* it signs no more */
    } cas[FR_RENEW_FACTS_CAS];
};

enum fr_err fr_renew_facts_read(struct fr_span text, struct fr_diag *diag,
                                struct fr_renew_facts *out);
enum fr_err fr_renew_facts_ask(struct fr_publisher *publisher, struct fr_diag *diag,
                               struct fr_renew_facts *out);

/* Whether the CA that signed this certificate signs no more. */
bool fr_renew_facts_is_ending(const struct fr_renew_facts *renewal, const struct fr_pair *pair);
