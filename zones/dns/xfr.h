/* Zone transfer as messages: the questions (SOA, AXFR, IXFR) and the reader of what comes back.
 *
 * Model: a *transfer* takes the answer's messages one by one and calls back for each record: ADD
 *   for what the zone holds or gains, DELETE for what it loses. It may be *full* (AXFR, or IXFR
 *   answered by the whole zone), *changes* (IXFR, the differences one after another), or nothing
 *   when the zone is what we have. The records of SOA are the transfer's punctuation and are not
 *   called back. Nothing may be believed before the state is DONE (and, with TSIG, the stream
 *   closed): whoever takes the records keeps them apart until then.
 * Owns: nothing. Threads: one at a time per transfer. Errors: FR_E_MALFORMED, FR_E_TRUNCATED,
 *   FR_E_LIMIT, FR_E_DENIED (an RCODE: refused), FR_E_CONFLICT (a serial that went back); `why` is
 *   a constant text for people. After a failure nothing more may be fed.
 * Units and limits: records and bytes of a transfer as given; serials compare as RFC 1982 says.
 * Trust: all bytes are a peer's; every difference must lead from the last serial to a later one,
 *   never past the one that was announced, so a lying primary cannot make us go round.
 * See RFC 5936 (AXFR), RFC 1995 (IXFR), RFC 1035 4.2.2. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "dns/rr.h"
#include "dns/types.h"

/* a is later than b (RFC 1982 3.2). */
bool fr_serial_is_later(uint32_t a, uint32_t b);

/* A question about a zone: type FR_DNS_SOA, FR_DNS_AXFR or FR_DNS_IXFR, the last with the serial
 * that we have. Gives the message's length in *n; FR_E_LIMIT. */
enum fr_err fr_xfr_question_write(const struct fr_dname *zone, uint16_t type, uint16_t id,
                                  uint32_t have, uint8_t *memory, size_t max, size_t *n);

/* The answer to a question for SOA: FR_OK with the zone's SOA; *why otherwise. */
enum fr_err fr_xfr_soa_read(struct fr_span message, const struct fr_dname *zone, uint16_t id,
                            struct fr_soa *out, const char **why);

enum fr_xfr_part { FR_XFR_ADD, FR_XFR_DELETE };

/* A record of a transfer; only what concerns devices is taken apart. */
struct fr_xfr_record {
    struct fr_dname owner;
    uint16_t type, class;
    uint32_t ttl;
    struct fr_dname target; /* CNAME */
};

typedef enum fr_err (*fr_xfr_fn)(void *data, enum fr_xfr_part part,
                                 const struct fr_xfr_record *record);

enum fr_xfr_state {
    FR_XFR_BEGIN,   /* no record seen */
    FR_XFR_SECOND,  /* the SOA that opens it seen; what follows tells full from changes */
    FR_XFR_FULL,    /* the zone's records */
    FR_XFR_DELETES, /* changes: what goes */
    FR_XFR_ADDS,    /* changes: what comes */
    FR_XFR_DONE,
    FR_XFR_CURRENT, /* there is nothing newer than what we have */
};

struct fr_xfr_options {
    struct fr_dname zone;
    uint16_t type; /* that was asked for: FR_DNS_AXFR or FR_DNS_IXFR */
    uint16_t id;
    uint32_t have; /* IXFR: our serial */
    uint64_t records_max, bytes_max;
    fr_xfr_fn record; /* its failure ends the transfer and is returned */
    void *data;
};

struct fr_xfr {
    struct fr_xfr_options options;
    enum fr_xfr_state state;
    struct fr_soa soa; /* the new one; from FR_XFR_SECOND on */
    uint32_t at;       /* changes: the serial reached so far */
    uint64_t records, bytes, messages;
    unsigned rcode; /* of a refusal */
    const char *why;
};

void fr_xfr_init(struct fr_xfr *xfr, const struct fr_xfr_options *options);

/* The next message. */
enum fr_err fr_xfr_take(struct fr_xfr *xfr, struct fr_span message);

/* Nothing more is to come. */
bool fr_xfr_is_over(const struct fr_xfr *xfr);
/* The records given were the whole zone. */
bool fr_xfr_is_full(const struct fr_xfr *xfr);
