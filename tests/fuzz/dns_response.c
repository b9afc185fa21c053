/* A broker's response as a hostile one would send it: read, walked, printed, written again. */
#include "base/buf.h"
#include "dns/message.h"
#include "dns/response.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t memory[FR_DNS_MESSAGE_MAX];

static void print(const struct fr_rr *rr, struct fr_buf *out)
{
    fr_buf_reset(out);
    if (fr_rr_print(rr, out) != FR_OK) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_dns_response response, again;
    struct fr_dns_walk walk, walk_again;
    struct fr_dns_writer w;
    struct fr_dname name;
    struct fr_rr rr, rr_again;
    uint32_t ttl_s = 0;

    if (fr_dns_response_read(fr_span(data, size), &response) != FR_OK) return 0;
    (void)fr_dns_response_chain(&response, &name, &ttl_s);
    (void)fr_dns_response_negative_ttl(&response, &ttl_s);

    /* uncompressed targets may make the copy longer than a message can be: then there is nothing
     * to compare */
    fr_dns_writer_init(&w, memory, sizeof memory, response.id, FR_DNS_QR);
    if (response.has_question &&
        fr_dns_write_question(&w, &response.name, response.type, response.class) != FR_OK)
        abort();
    fr_dns_walk_init(&walk, &response);
    while (fr_dns_walk_next(&walk, &rr))
        if (fr_dns_write_rr(&w, walk.section, &rr) != FR_OK) return 0;
    if (fr_dns_response_read(fr_dns_writer_finish(&w), &again) != FR_OK) abort();

    struct fr_buf a = FR_BUF_INIT(1u << 20), b = FR_BUF_INIT(1u << 20);
    fr_dns_walk_init(&walk, &response);
    fr_dns_walk_init(&walk_again, &again);
    while (fr_dns_walk_next(&walk, &rr)) {
        if (!fr_dns_walk_next(&walk_again, &rr_again)) abort();
        print(&rr, &a);
        print(&rr_again, &b);
        if (strcasecmp(fr_buf_str(&a), fr_buf_str(&b)) != 0) abort();
    }
    if (fr_dns_walk_next(&walk_again, &rr_again)) abort();
    fr_buf_deinit(&a);
    fr_buf_deinit(&b);
    return 0;
}
