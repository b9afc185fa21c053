/* What a hostile primary sends: the first two octets choose what was asked for, then messages, each behind its length. The same
 * bytes are read as an answer, as a transfer, as a signed stream, as NOTIFY and as a secondary's question. */
#include "base/wire.h"
#include "dns/notify.h"
#include "dns/tsig.h"
#include "dns/xfr.h"
#include "dns/xfr_ask.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t ZONE[] = "\x04"
                              "acme\x04test";

static enum fr_err count(void *data, enum fr_xfr_part part, const struct fr_xfr_record *record)
{
    unsigned long *records = data;

    (void)part;
    if (fr_dname_check(fr_dname_span(&record->owner)) != FR_OK) abort();
    if (record->type == FR_DNS_CNAME && fr_dname_check(fr_dname_span(&record->target)) != FR_OK)
        abort();
    ++*records;
    return FR_OK;
}

static void take_notify(struct fr_span message)
{
    struct fr_notify notify;
    uint8_t reply[512];
    size_t n = 0;

    if (fr_notify_read(message, &notify) != FR_OK) return;
    if (fr_notify_answer_write(&notify, notify.rcode, reply, sizeof reply, &n) != FR_OK) abort();
    if (fr_notify_read(fr_span(reply, n), &notify) != FR_E_MALFORMED) abort();
}

static void take_ask(struct fr_span message)
{
    struct fr_xfr_ask ask;
    uint8_t reply[512];
    size_t n = 0;

    if (fr_xfr_ask_read(message, &ask) != FR_OK) return;
    if (fr_xfr_answer_write(&ask, ask.rcode, NULL, reply, sizeof reply, &n) != FR_OK) abort();
    if (fr_xfr_ask_read(fr_span(reply, n), &ask) != FR_E_MALFORMED) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_rd r = fr_rd(fr_span(data, size));
    struct fr_tsig_key key = {.name = {.b = {0}, .n = 1}, .algorithm = FR_TSIG_SHA256, .n = 32};
    const struct fr_tsig_mac mac = {.n = 32};
    struct fr_tsig_stream stream;
    struct fr_xfr xfr;
    unsigned long records = 0;
    bool is_good = true, is_signed = true;
    struct fr_xfr_options options = {.zone = {.n = sizeof ZONE},
                                     .records_max = 1000,
                                     .bytes_max = 1u << 20,
                                     .record = count,
                                     .data = &records};

    for (size_t i = 0; i < sizeof ZONE; i++) options.zone.b[i] = ZONE[i];
    options.type = (fr_rd_u8(&r) & 1) != 0 ? FR_DNS_IXFR : FR_DNS_AXFR;
    options.have = fr_rd_u8(&r);
    fr_xfr_init(&xfr, &options);
    if (fr_tsig_stream_init(&stream, &key, &mac) != FR_OK) abort();
    while (fr_rd_left(&r) > 0) {
        struct fr_span message = fr_rd_span(&r, fr_rd_u16(&r));
        struct fr_soa soa;
        const char *why = NULL;
        unsigned error = 0;

        if (fr_rd_err(&r)) break;
        take_notify(message);
        take_ask(message);
        if (fr_xfr_soa_read(message, &options.zone, 0, &soa, &why) != FR_OK && !why) abort();
        is_signed = is_signed && fr_tsig_stream_take(&stream, 0, message, &error) == FR_OK;
        is_good = is_good && fr_xfr_take(&xfr, message) == FR_OK;
        if (!is_good && !xfr.why) abort();
    }
    if (records > options.records_max) abort();
    fr_tsig_stream_deinit(&stream);
    return 0;
}
