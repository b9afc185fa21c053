#pragma once
/*
 * The bytes of the DNS stub: what a query asks, and the answer to it.
 *
 * Model: a query is dropped, answered at once with a code, or *asked*: its name is in one of the
 *   three trees of a federation, "deveui", "netid" or "joineui". The answer is the broker's message
 *   under the query's own header: ID, question in the letters it came in, TTLs less their age, no
 *   AA. Over UDP it is cut (TC) when Answer or Authority do not fit; Additional is left out first.
 *   Pure: bytes in, bytes out.
 * Owns: nothing; a question borrows the message of its query only while it is read.
 * Threads: any. Errors: none; what is wrong with a query is in the answer to it.
 * Units and limits: UDP answers of at most 1232 bytes, 512 without EDNS; stale TTLs are 30 s.
 * Trust: queries are a local program's bytes, and perhaps a stranger's.
 * See: RFC 1035 4, 2181 9, 6891, 8767, 8914, 9619.
 */
#include "dns/query.h"
#include "names/dname.h"
#include "resolver/records.h"

enum { FR_STUB_TREES = 3, FR_STUB_STALE_TTL_S = 30 };

/* The trees of one federation. */
struct fr_stub_zone {
    struct fr_dname trees[FR_STUB_TREES];
};

/* FR_E_LIMIT: the name is too long to have names below it. FR_E_MALFORMED: it is none. */
enum fr_err fr_stub_zone_init(const char *federation, struct fr_stub_zone *out);
bool fr_stub_zone_equal(const struct fr_stub_zone *a, const struct fr_stub_zone *b);

enum fr_stub_verdict {
    FR_STUB_DROP,   /* no query: nothing may be said */
    FR_STUB_ANSWER, /* fr_stub_write_error() with rcode and ede */
    FR_STUB_ASK,    /* ask for name and type in the federation */
};

struct fr_stub_question {
    struct fr_dns_query query; /* query.wire does not outlive the reading */
    size_t federation;         /* ASK: place in the zones */
    enum fr_dns_rcode rcode;   /* ANSWER */
    int ede;
    size_t max; /* bytes that the answer may have */
};

/* is_stream: it came over TCP, so that there is room for every answer. */
enum fr_stub_verdict fr_stub_read(struct fr_span message, const struct fr_stub_zone *zones,
                                  size_t n_zones, bool is_stream, struct fr_stub_question *out);

/* The room that fr_stub_write…() needs for any answer. */
enum { FR_STUB_ANSWER_MAX = 65535 };

/* Each gives the answer, which lies in `memory`. *out_cut: TC is set. */
struct fr_span fr_stub_write_error(const struct fr_stub_question *q, enum fr_dns_rcode rcode,
                                   int ede, uint8_t memory[static FR_STUB_ANSWER_MAX]);
struct fr_span fr_stub_write(const struct fr_stub_question *q, const struct fr_records_answer *a,
                             uint8_t memory[static FR_STUB_ANSWER_MAX], bool *out_cut);
