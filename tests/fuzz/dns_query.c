/* A peer's query: whatever the bytes, a verdict; and what is accepted can be answered with its
 * own question. */
#include "dns/message.h"
#include "dns/query.h"
#include "dns/response.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_dns_query q;
    struct fr_dns_writer w;
    struct fr_dns_response response;
    uint8_t memory[1024];

    if (fr_dns_query_read(fr_span(data, size), &q) != FR_OK) {
        if (size >= FR_DNS_HEADER_SIZE) abort();
        return 0;
    }
    if (!q.has_question) {
        if (q.rcode == FR_DNS_NOERROR) abort();
        return 0;
    }
    fr_dns_writer_init(&w, memory, sizeof memory, q.id, FR_DNS_QR);
    if (fr_dns_write_question(&w, &q.name, q.type, q.class) != FR_OK) abort();
    if (q.edns.present &&
        fr_dns_write_opt(&w, (unsigned)q.rcode, 20, q.edns.padded ? 468 : 0) != FR_OK)
        abort();
    if (fr_dns_response_read(fr_dns_writer_finish(&w), &response) != FR_OK) abort();
    if (!fr_dname_equal(fr_dname_span(&response.name), fr_dname_span(&q.name)) ||
        response.type != q.type || response.class != q.class)
        abort();
    return 0;
}
