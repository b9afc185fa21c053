/* NOTIFY: a primary's word that a zone changed (RFC 1996), read and answered.
 *
 * Owns: nothing. Threads: any. Errors: none of its own: the RCODE says what is wrong.
 * Trust: the message is a peer's; the serial it may carry is a hint and is not used. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "dns/types.h"
#include "names/dname.h"

struct fr_notify {
    uint16_t id;
    uint8_t opcode;
    enum fr_dns_rcode rcode; /* NOERROR: it is a NOTIFY; else what to answer */
    bool has_question;       /* zone counts */
    struct fr_dname zone;
};

/* FR_E_TRUNCATED when there is no header to answer to, FR_E_MALFORMED when it is itself an answer
 * (never answered, or two servers would talk for ever). */
enum fr_err fr_notify_read(struct fr_span message, struct fr_notify *out);

/* The answer, unsigned: header and question. FR_E_LIMIT. */
enum fr_err fr_notify_answer_write(const struct fr_notify *notify, enum fr_dns_rcode rcode,
                                   uint8_t *memory, size_t max, size_t *n);
