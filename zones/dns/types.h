/* The numbers of the DNS that fedroam uses: types, classes, opcodes, response codes, limits, and
 * the names of the types.
 *
 * Owns: nothing. Threads: any. Errors: none. Trust: values read from a peer may be outside these
 * enums; they travel as uint16_t and are only compared with them. See RFC 1035 3.2, RFC 6895. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FR_DNS_HEADER_SIZE = 12,
    FR_DNS_MESSAGE_MAX = 65535, /* RFC 8484 6, RFC 1035 4.2.2 */
    FR_DNS_TEXT_MAX = 1024,     /* bytes of TXT RDATA that we read or write */
    FR_DNS_TLSA_MAX = 64,       /* bytes of certificate association data (SHA-512) */
    FR_DNS_UDP_SIZE = 1232,     /* what our OPT records name; without meaning over HTTP */
};

enum fr_dns_type {
    FR_DNS_A = 1,
    FR_DNS_NS = 2,
    FR_DNS_CNAME = 5,
    FR_DNS_SOA = 6,
    FR_DNS_HINFO = 13,
    FR_DNS_TXT = 16,
    FR_DNS_SIG = 24,
    FR_DNS_KEY = 25,
    FR_DNS_AAAA = 28,
    FR_DNS_SRV = 33,
    FR_DNS_NAPTR = 35,
    FR_DNS_OPT = 41,
    FR_DNS_RRSIG = 46,
    FR_DNS_NSEC = 47,
    FR_DNS_TLSA = 52,
    FR_DNS_SVCB = 64,
    FR_DNS_TKEY = 249,
    FR_DNS_TSIG = 250,
    FR_DNS_IXFR = 251,
    FR_DNS_AXFR = 252,
    FR_DNS_MAILB = 253,
    FR_DNS_MAILA = 254,
    FR_DNS_ANY = 255,
};

enum fr_dns_class { FR_DNS_IN = 1, FR_DNS_CLASS_ANY = 255 };

enum fr_dns_opcode { FR_DNS_QUERY = 0, FR_DNS_NOTIFY = 4 };

enum fr_dns_rcode {
    FR_DNS_NOERROR = 0,
    FR_DNS_FORMERR = 1,
    FR_DNS_SERVFAIL = 2,
    FR_DNS_NXDOMAIN = 3,
    FR_DNS_NOTIMP = 4,
    FR_DNS_REFUSED = 5,
    FR_DNS_NOTAUTH = 9,
    FR_DNS_BADVERS = 16, /* needs the upper bits of OPT, RFC 6891 6.1.3 */
};

enum fr_dns_option { FR_DNS_OPTION_PADDING = 12, FR_DNS_OPTION_EDE = 15 };

enum fr_dns_section { FR_DNS_ANSWER, FR_DNS_AUTHORITY, FR_DNS_ADDITIONAL };

/* Extended DNS errors that we send, RFC 8914 4. */
enum fr_dns_ede {
    FR_DNS_EDE_NONE = -1,
    FR_DNS_EDE_OTHER = 0,
    FR_DNS_EDE_STALE_ANSWER = 3,
    FR_DNS_EDE_NOT_READY = 14,
    FR_DNS_EDE_FILTERED = 17,
    FR_DNS_EDE_PROHIBITED = 18,
    FR_DNS_EDE_NOT_AUTHORITATIVE = 20,
    FR_DNS_EDE_NO_REACHABLE_AUTHORITY = 22,
    FR_DNS_EDE_NETWORK_ERROR = 23,
};

/* "A", "AAAA", … or "TYPE65280" (RFC 3597). Returns out. */
enum { FR_DNS_TYPE_TEXT_SIZE = 10 };
const char *fr_dns_type_print(uint16_t type, char out[static FR_DNS_TYPE_TEXT_SIZE]);

/* The reverse, any letter case; false when the word is no type we know and not TYPEn. */
bool fr_dns_type_parse(const char *text, uint16_t *out);

/* "NOERROR", "NXDOMAIN", …; "RCODE" for a code without a name here. */
const char *fr_dns_rcode_text(unsigned rcode);
