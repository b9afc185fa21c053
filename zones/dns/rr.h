/* A resource record as a typed value: read from a message, written to one, printed as a line of a
 * master file.
 *
 * Model: one struct per record; `type` says which member of `data` counts; a type we do not know is
 * carried as raw RDATA (RFC 3597). A record is a plain value but for `raw`, which borrows the
 * message it was read from.
 * Owns: nothing. Threads: any. Units and limits: TTL in seconds, at most 2^31-1 (RFC 2181 8, larger
 * reads as 0); numbers in host order; addresses in network order. Trust: fr_rr_read takes a peer's
 * bytes.
 * See RFC 1035 3.3, 3596, 2782, 6698, 3403, 3597. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "dns/name.h"
#include "dns/types.h"

struct fr_buf;
struct fr_rd;

/* A character-string of RFC 1035 3.3. */
struct fr_dns_string {
    uint8_t n;
    uint8_t b[255];
};

struct fr_soa {
    struct fr_dname mname, rname;
    uint32_t serial, refresh, retry, expire, minimum;
};

struct fr_srv {
    uint16_t priority, weight, port;
    struct fr_dname target;
};

struct fr_tlsa {
    uint8_t usage, selector, matching;
    uint8_t n;
    uint8_t data[FR_DNS_TLSA_MAX];
};

struct fr_naptr {
    uint16_t order, preference;
    struct fr_dns_string flags, services, regexp;
    struct fr_dname replacement;
};

struct fr_hinfo {
    struct fr_dns_string cpu, os;
};

/* One or more character-strings, as on the wire: a length octet and that many bytes, again and
 * again. */
struct fr_txt {
    uint16_t n;
    uint8_t b[FR_DNS_TEXT_MAX];
};

struct fr_rr {
    struct fr_dname owner;
    uint16_t type, class;
    uint32_t ttl;
    union {
        uint8_t a[4];
        uint8_t aaaa[16];
        struct fr_dname name; /* CNAME, NS */
        struct fr_soa soa;
        struct fr_srv srv;
        struct fr_tlsa tlsa;
        struct fr_naptr naptr;
        struct fr_hinfo hinfo;
        struct fr_txt txt;
        struct fr_span raw; /* every other type; borrowed */
    } data;
};

/* Reads one whole record at the cursor of r, which spans the whole message. RDATA must be used
 * up exactly. On a fault r's sticky error is set and *out is not to be used. */
void fr_rr_read(struct fr_rd *r, struct fr_rr *out);

/* Passes over n records, of which only the outline is looked at. */
void fr_rr_skip(struct fr_rd *r, unsigned n);

/* Appends one text string to a TXT record's data, split into pieces of 255; FR_E_LIMIT beyond
 * FR_DNS_TEXT_MAX. */
enum fr_err fr_txt_add(struct fr_txt *txt, const char *text);

/* Prints one line of a master file: owner, TTL, class, type, RDATA, newline; absolute names, RFC
 * 3597 form for other types. */
enum fr_err fr_rr_print(const struct fr_rr *rr, struct fr_buf *out);

/* Prints the RDATA alone ("0 0 8005 e1.000013.netid.fed.test."). */
enum fr_err fr_rdata_print(const struct fr_rr *rr, struct fr_buf *out);
