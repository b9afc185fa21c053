/* What a secondary asks of us: its question for SOA, AXFR or IXFR, read; and short answers to it.
 *
 * Model: header, one question, for IXFR the secondary's SOA in the authority section, and what may
 * be in the additional section (OPT, TSIG). Whoever answers looks at `rcode` first.
 * Owns: nothing. Threads: any. Errors: none of its own: the RCODE says what is wrong.
 * Trust: the message is a peer's. See RFC 1995 3, RFC 5936 2.1. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "dns/rr.h"
#include "dns/types.h"

struct fr_xfr_ask {
    uint16_t id;
    uint8_t opcode;
    bool recursion_desired;
    enum fr_dns_rcode rcode; /* NOERROR: type is SOA, AXFR or IXFR; else what to answer */
    bool has_question;       /* zone and type count */
    struct fr_dname zone;
    uint16_t type;
    uint32_t have; /* IXFR: the secondary's serial */
};

/* FR_E_TRUNCATED when there is no header to answer to, FR_E_MALFORMED when it is itself an answer
 * (never answered, or two servers would talk for ever). */
enum fr_err fr_xfr_ask_read(struct fr_span message, struct fr_xfr_ask *out);

/* An answer of header and question, with the zone's SOA when it is not NULL (its owner the
 * question's name); unsigned. FR_E_LIMIT. */
enum fr_err fr_xfr_answer_write(const struct fr_xfr_ask *ask, enum fr_dns_rcode rcode,
                                const struct fr_rr *soa, uint8_t *memory, size_t max, size_t *n);
