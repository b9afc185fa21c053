/* What the agent's stub makes of a query, and of a broker's message in answer to it: the first two
 * bytes say how long the query is, the rest is the message. */

#include <stdint.h>
#include <stdlib.h>

#include "agent/stub.h"

static uint8_t memory[FR_STUB_ANSWER_MAX];

/* Whatever is sent must be a response to the query, and fit. */
static void check(const struct fr_stub_question *q, struct fr_span bytes, bool is_cut)
{
    struct fr_dns_response r;
    if (bytes.n > q->max) abort();
    if (q->query.opcode != FR_DNS_QUERY) return; /* our reader wants standard queries */
    if (fr_dns_response_read(bytes, &r) != FR_OK) abort();
    if (r.id != q->query.id || r.has_question != q->query.has_question) abort();
    if (r.truncated != is_cut || (is_cut && r.count[FR_DNS_ANSWER] != 0)) abort();
    if (r.edns.present != q->query.edns.present) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_stub_zone zones[2];
    struct fr_stub_question q;
    struct fr_records_answer a = {.result = FEDROAM_FOUND, .reason = "", .age_s = 7};
    bool is_cut = false;
    if (size < 2) return 0;
    size_t n = (size_t)data[0] << 8 | data[1];
    if (n > size - 2) n = size - 2;
    struct fr_span query = fr_span(data + 2, n), message = fr_span(data + 2 + n, size - 2 - n);
    if (fr_stub_zone_init("fed.test", &zones[0]) != FR_OK) abort();
    if (fr_stub_zone_init("other.test", &zones[1]) != FR_OK) abort();
    for (unsigned is_stream = 0; is_stream < 2; is_stream++) {
        switch (fr_stub_read(query, zones, 2, is_stream, &q)) {
        case FR_STUB_DROP: break;
        case FR_STUB_ANSWER:
            check(&q, fr_stub_write_error(&q, q.rcode, q.ede, memory), false);
            break;
        case FR_STUB_ASK:
            check(&q, fr_stub_write_error(&q, FR_DNS_SERVFAIL, 22, memory), false);
            if (fr_dns_response_read(message, &a.message) != FR_OK) break;
            a.freshness = is_stream ? FEDROAM_STALE : FEDROAM_CACHED;
            struct fr_span answer = fr_stub_write(&q, &a, memory, &is_cut);
            check(&q, answer, is_cut);
            break;
        }
    }
    return 0;
}
