#include "dns/xfr_ask.h"

#include <stdlib.h>
#include <string.h>

#include "dns/message.h"
#include "dns/xfr.h"
#include "hex.h"
#include "support/unit.h"

static struct fr_dname dname(const char *text)
{
    struct fr_dname name;

    assert_int_equal(fr_dname_parse(fr_span_str(text), &name), FR_OK);
    return name;
}

/* What our own secondary writes is what this reads. */
static void own_questions(void **state)
{
    static const uint16_t types[] = {FR_DNS_SOA, FR_DNS_AXFR, FR_DNS_IXFR};
    const struct fr_dname zone = dname("fed.test");
    uint8_t memory[512];
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct fr_xfr_ask ask;
        assert_int_equal(
            fr_xfr_question_write(&zone, types[i], 77, 0xfffffffe, memory, sizeof memory, &n),
            FR_OK);
        assert_int_equal(fr_xfr_ask_read(fr_span(memory, n), &ask), FR_OK);
        assert_int_equal(ask.rcode, FR_DNS_NOERROR);
        assert_int_equal(ask.id, 77);
        assert_int_equal(ask.type, types[i]);
        assert_int_equal(ask.have, types[i] == FR_DNS_IXFR ? 0xfffffffe : 0);
        assert_true(fr_dname_equal(fr_dname_span(&ask.zone), fr_dname_span(&zone)));
        for (size_t cut = 0; cut < n; cut++) {
            uint8_t *copy = malloc(cut ? cut : 1);
            memcpy(copy, memory, cut);
            enum fr_err err = fr_xfr_ask_read(fr_span(copy, cut), &ask);
            assert_int_equal(err, cut < FR_DNS_HEADER_SIZE ? FR_E_TRUNCATED : FR_OK);
            if (!err) assert_int_equal(ask.rcode, FR_DNS_FORMERR);
            free(copy);
        }
    }
}

static void others(void **state)
{
    static const struct {
        const char *label, *hex;
        enum fr_err err;
        enum fr_dns_rcode rcode;
    } rows[] = {
        {"an answer", "0007 8000 0001 0000 0000 0000 00 0006 0001", FR_E_MALFORMED, 0},
        {"an update", "0007 2800 0001 0000 0000 0000 00 0006 0001", FR_OK, FR_DNS_NOTIMP},
        {"NOTIFY", "0007 2000 0001 0000 0000 0000 00 0006 0001", FR_OK, FR_DNS_NOTIMP},
        {"SOA of the root", "0007 0000 0001 0000 0000 0000 00 0006 0001", FR_OK, FR_DNS_NOERROR},
        {"A", "0007 0000 0001 0000 0000 0000 00 0001 0001", FR_OK, FR_DNS_REFUSED},
        {"ANY", "0007 0000 0001 0000 0000 0000 00 00ff 0001", FR_OK, FR_DNS_REFUSED},
        {"class CH", "0007 0000 0001 0000 0000 0000 00 0006 0003", FR_OK, FR_DNS_FORMERR},
        {"two questions", "0007 0000 0002 0000 0000 0000 00 0006 0001 00 0006 0001", FR_OK,
         FR_DNS_FORMERR},
        {"IXFR without a serial", "0007 0000 0001 0000 0000 0000 00 00fb 0001", FR_OK,
         FR_DNS_FORMERR},
        {"IXFR with the SOA of another zone",
         "0007 0000 0001 0000 0001 0000 00 00fb 0001"
         "0161 00 0006 0001 00000000 0016 00 00 00000001 00000000 00000000 00000000 00000000",
         FR_OK, FR_DNS_FORMERR},
        {"IXFR with an A",
         "0007 0000 0001 0000 0001 0000 00 00fb 0001 00 0001 0001 00000000 0004 c0000201", FR_OK,
         FR_DNS_FORMERR},
        {"AXFR with an authority",
         "0007 0000 0001 0000 0001 0000 00 00fc 0001"
         "00 0006 0001 00000000 0016 00 00 00000001 00000000 00000000 00000000 00000000",
         FR_OK, FR_DNS_FORMERR},
        {"with OPT", "0007 0000 0001 0000 0000 0001 00 0006 0001 00 0029 04d0 00000000 0000", FR_OK,
         FR_DNS_NOERROR},
        {"with more behind it", "0007 0000 0001 0000 0000 0000 00 0006 0001 00", FR_OK,
         FR_DNS_FORMERR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t reply[512];
        struct fr_xfr_ask ask;
        size_t n = 0;
        uint8_t *bytes = hex_bytes(rows[i].hex, &n);
        enum fr_err err = fr_xfr_ask_read(fr_span(bytes, n), &ask);
        free(bytes);
        if (err != rows[i].err) fail_msg("%s", rows[i].label);
        if (rows[i].err) continue;
        if (ask.rcode != rows[i].rcode) fail_msg("%s: %d", rows[i].label, ask.rcode);
        assert_int_equal(fr_xfr_answer_write(&ask, ask.rcode, NULL, reply, sizeof reply, &n),
                         FR_OK);
        assert_int_equal(reply[1], 7);
        assert_int_equal(reply[3] & 15, ask.rcode);
        assert_int_equal(fr_xfr_ask_read(fr_span(reply, n), &ask), FR_E_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(own_questions), cmocka_unit_test(others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
