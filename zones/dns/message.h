/* The writer of DNS messages: header, question, records in section order, names compressed, a hard
 * size limit.
 *
 * Model: init, question, records of ANSWER, then AUTHORITY, then ADDITIONAL, at most one OPT,
 * finish. A record that does not fit leaves the message as it was before (FR_E_LIMIT), so a caller
 * may drop extras and go on; sections must be written in order (FR_E_INTERNAL otherwise).
 * Owns: nothing; bytes go into the caller's memory. Threads: one at a time per writer. Errors:
 * FR_E_LIMIT.
 * Units and limits: at most the given size and at most 65,535 octets. See RFC 1035 4.1.4
 * (compression), RFC 6891, RFC 3597 4 (names in SRV, NAPTR are never compressed). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wire.h"
#include "dns/name.h"
#include "dns/query.h"
#include "dns/rr.h"
#include "dns/types.h"

enum { FR_DNS_COMPRESS_MAX = 64 }; /* names remembered as targets of pointers */

struct fr_dns_writer {
    struct fr_wr bytes;
    uint16_t count[4]; /* question, answer, authority, additional */
    unsigned section;  /* the last one written, index of count */
    uint16_t known[FR_DNS_COMPRESS_MAX];
    unsigned n_known;
};

/* The flag bits of a response, for fr_dns_writer_init. */
enum {
    FR_DNS_QR = 0x8000,
    FR_DNS_AA = 0x0400,
    FR_DNS_TC = 0x0200,
    FR_DNS_RD = 0x0100,
    FR_DNS_RA = 0x0080,
    FR_DNS_AD = 0x0020,
    FR_DNS_CD = 0x0010,
};

/* flags: opcode << 11, the bits above and the low four bits of the RCODE. max below 12 is a
 * caller's fault. */
void fr_dns_writer_init(struct fr_dns_writer *w, uint8_t *memory, size_t max, uint16_t id,
                        uint16_t flags);
/* Flags may be set anew until finish. */
void fr_dns_writer_flags(struct fr_dns_writer *w, uint16_t flags);
enum fr_err fr_dns_write_question(struct fr_dns_writer *w, const struct fr_dname *name,
                                  uint16_t type, uint16_t class);
enum fr_err fr_dns_write_rr(struct fr_dns_writer *w, enum fr_dns_section section,
                            const struct fr_rr *rr);
/* OPT: our payload size, version 0, the upper RCODE bits, an extended error when ede is not
 * FR_DNS_EDE_NONE, and padding up to the next multiple of pad_to octets (RFC 8467: 468 for
 * responses) when pad_to is not 0. Write it last. */
enum fr_err fr_dns_write_opt(struct fr_dns_writer *w, unsigned rcode, int ede, size_t pad_to);
/* Puts the counts into the header and gives the message, which lies in the caller's memory. */
struct fr_span fr_dns_writer_finish(struct fr_dns_writer *w);
