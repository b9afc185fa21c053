#include "resolver/reply.h"

#include "message.h"

static const struct {
    const char *label;
    uint16_t flags;
    const char *name; /* in the question of the answer */
    uint16_t type;
    const char *answer, *authority;
    enum fr_verdict verdict;
    const char *netid; /* DATA: expected, NULL: refused */
} rows[] = {
    {"a device", OK, DEVICE, FR_DNS_A, DEVICE " 3600 CNAME " NETWORK "\n" NETWORK " 60 A 192.0.2.1",
     "", FR_VERDICT_DATA, "000013"},
    {"a device whose network has no A", OK, DEVICE, FR_DNS_A, DEVICE " 3600 CNAME " NETWORK, SOA60,
     FR_VERDICT_DATA, "000013"},
    {"the answer's letter case differs", OK, "70B3D57ED0000001.DEVEUI.fed.TEST.", FR_DNS_A,
     "70B3D57ED0000001.deveui.FED.test. 3600 CNAME 000013.NETID.Fed.test.", "", FR_VERDICT_DATA,
     "000013"},
    {"unknown", NX, DEVICE, FR_DNS_A, "", SOA60, FR_VERDICT_NONE, NULL},
    {"no data", OK, DEVICE, FR_DNS_A, "", SOA60, FR_VERDICT_NODATA, NULL},
    {"refused", 0x8405, DEVICE, FR_DNS_A, "", "", FR_VERDICT_REFUSED, NULL},
    {"servfail", 0x8402, DEVICE, FR_DNS_A, "", "", FR_VERDICT_FAILED, NULL},
    {"formerr", 0x8401, DEVICE, FR_DNS_A, "", "", FR_VERDICT_BAD, NULL},
    {"notimp", 0x8404, DEVICE, FR_DNS_A, "", "", FR_VERDICT_BAD, NULL},
    {"truncated (TC)", 0x8600, DEVICE, FR_DNS_A, "", "", FR_VERDICT_BAD, NULL},
    {"a query, not a response", 0x0000, DEVICE, FR_DNS_A, "", "", FR_VERDICT_BAD, NULL},
    {"another device's answer", OK, "70b3d57ed0000002.deveui.fed.test.", FR_DNS_A,
     "70b3d57ed0000002.deveui.fed.test. 60 CNAME " NETWORK, "", FR_VERDICT_BAD, NULL},
    {"another type's answer", OK, DEVICE, FR_DNS_AAAA, DEVICE " 60 CNAME " NETWORK, "",
     FR_VERDICT_BAD, NULL},
    {"target in another zone", OK, DEVICE, FR_DNS_A, DEVICE " 60 CNAME 000013.netid.evil.test.", "",
     FR_VERDICT_DATA, NULL},
    {"our zone only as a prefix of another", OK, DEVICE, FR_DNS_A,
     DEVICE " 60 CNAME 000013.netid.fed.test.evil.test.", "", FR_VERDICT_DATA, NULL},
    {"a label in front of the NetID", OK, DEVICE, FR_DNS_A,
     DEVICE " 60 CNAME x.000013.netid.fed.test.", "", FR_VERDICT_DATA, NULL},
    {"a NetID label of five digits", OK, DEVICE, FR_DNS_A, DEVICE " 60 CNAME 00013.netid.fed.test.",
     "", FR_VERDICT_DATA, NULL},
    {"a NetID label that is not hex", OK, DEVICE, FR_DNS_A,
     DEVICE " 60 CNAME 00001g.netid.fed.test.", "", FR_VERDICT_DATA, NULL},
    {"no netid label", OK, DEVICE, FR_DNS_A, DEVICE " 60 CNAME 000013.deveui.fed.test.", "",
     FR_VERDICT_DATA, NULL},
    {"NetID 000000", OK, DEVICE, FR_DNS_A, DEVICE " 60 CNAME 000000.netid.fed.test.", "",
     FR_VERDICT_DATA, NULL},
    {"NetID 000001", OK, DEVICE, FR_DNS_A, DEVICE " 60 CNAME 000001.netid.fed.test.", "",
     FR_VERDICT_DATA, NULL},
    {"NetID with RFU bits", OK, DEVICE, FR_DNS_A, DEVICE " 60 CNAME 100013.netid.fed.test.", "",
     FR_VERDICT_DATA, NULL},
    {"the apex as a network", OK, DEVICE, FR_DNS_A, DEVICE " 60 CNAME fed.test.", "",
     FR_VERDICT_DATA, NULL},
    {"an address without an alias", OK, DEVICE, FR_DNS_A, DEVICE " 60 A 192.0.2.1", "",
     FR_VERDICT_DATA, NULL},
    {"two aliases", OK, DEVICE, FR_DNS_A,
     DEVICE " 60 CNAME " NETWORK "\n" DEVICE " 60 CNAME 000014.netid.fed.test.", "",
     FR_VERDICT_DATA, NULL},
    {"an alias of an alias", OK, DEVICE, FR_DNS_A,
     DEVICE " 60 CNAME 000014.netid.fed.test.\n000014.netid.fed.test. 60 CNAME " NETWORK, "",
     FR_VERDICT_DATA, NULL},
    {"an alias of itself", OK, DEVICE, FR_DNS_A, DEVICE " 60 CNAME " DEVICE, "", FR_VERDICT_BAD,
     NULL},
    {"two aliases in a circle", OK, DEVICE, FR_DNS_A,
     DEVICE " 60 CNAME " NETWORK "\n" NETWORK " 60 CNAME " DEVICE, "", FR_VERDICT_BAD, NULL},
};

static void test_verdicts(void **state)
{
    (void)state;
    struct fr_dname name = test_name(DEVICE), zone = test_name("fed.test");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message m = test_message(rows[i].name, rows[i].type, rows[i].flags, rows[i].answer,
                                        rows[i].authority, "");
        struct fr_reply reply;
        uint32_t netid = 0xdead;
        const char *why = NULL;
        fr_reply_read(fr_span(m.b, m.n), 0, &name, FR_DNS_A, &reply);
        if (reply.verdict != rows[i].verdict)
            fail_msg("%s: verdict %d", rows[i].label, reply.verdict);
        if (reply.verdict == FR_VERDICT_BAD && !reply.why[0])
            fail_msg("%s: no reason", rows[i].label);
        if (reply.verdict != FR_VERDICT_DATA) continue;
        enum fr_err err = fr_reply_netid(&reply, &zone, &netid, &why);
        if ((err == FR_OK) != (rows[i].netid != NULL))
            fail_msg("%s: %s", rows[i].label, fr_err_text(err));
        if (err == FR_OK && netid != 0x000013) fail_msg("%s: %06x", rows[i].label, (unsigned)netid);
        if (err != FR_OK && (netid != 0xdead || !why))
            fail_msg("%s: touched or no reason", rows[i].label);
    }
}

static void test_every_truncation_is_bad(void **state)
{
    (void)state;
    struct fr_dname name = test_name(DEVICE);
    struct message m = test_message(DEVICE, FR_DNS_A, OK,
                                    DEVICE " 3600 CNAME " NETWORK "\n" NETWORK " 60 A 192.0.2.1",
                                    "", SERVICE " 60 SRV 0 0 8005 e1." NETWORK);
    for (size_t n = 0; n < m.n; n++) {
        struct fr_reply reply;
        fr_reply_read(fr_span(m.b, n), 0, &name, FR_DNS_A, &reply);
        if (reply.verdict != FR_VERDICT_BAD) fail_msg("cut to %zu of %zu bytes", n, m.n);
    }
}

static void test_an_id_that_is_not_ours_is_bad(void **state)
{
    (void)state;
    struct fr_dname name = test_name(DEVICE);
    struct message m = test_message(DEVICE, FR_DNS_A, NX, "", SOA60, "");
    struct fr_reply reply;
    m.b[1] = 1;
    fr_reply_read(fr_span(m.b, m.n), 0, &name, FR_DNS_A, &reply);
    assert_int_equal(reply.verdict, FR_VERDICT_BAD);
}

static void test_ttls(void **state)
{
    (void)state;
    static const struct {
        const char *label, *soa;
        uint32_t age_s, negative_s;
    } ttls[] = {
        {"the smaller is the TTL", "fed.test. 30 SOA a.fed.test. b.fed.test. 1 2 3 4 60", 0, 30},
        {"the smaller is MINIMUM", "fed.test. 300 SOA a.fed.test. b.fed.test. 1 2 3 4 60", 0, 60},
        {"less the age", "fed.test. 300 SOA a.fed.test. b.fed.test. 1 2 3 4 60", 20, 40},
        {"older than that", "fed.test. 300 SOA a.fed.test. b.fed.test. 1 2 3 4 60", 61, 0},
        {"at most three hours", "fed.test. 99999 SOA a.fed.test. b.fed.test. 1 2 3 4 99999", 0,
         10800},
        {"no SOA: not to be kept", "", 0, 0},
    };
    struct fr_dname name = test_name(DEVICE);
    for (size_t i = 0; i < sizeof ttls / sizeof *ttls; i++) {
        struct message m = test_message(DEVICE, FR_DNS_A, NX, "", ttls[i].soa, "");
        struct fr_reply reply;
        fr_reply_read(fr_span(m.b, m.n), ttls[i].age_s, &name, FR_DNS_A, &reply);
        if (reply.negative_ttl_s != ttls[i].negative_s)
            fail_msg("%s: %u", ttls[i].label, (unsigned)reply.negative_ttl_s);
    }
    struct fr_reply reply = {.age_s = 100};
    assert_int_equal(fr_reply_ttl(&reply, 3600), 3500);
    assert_int_equal(fr_reply_ttl(&reply, 99), 0);
    assert_int_equal(fr_reply_ttl(&reply, 0x7fffffff), FR_TTL_MAX_S - 100);
}

static void test_the_extended_error_is_told(void **state)
{
    (void)state;
    struct fr_dname name = test_name(DEVICE);
    struct message m = test_message_ede(DEVICE, FR_DNS_A, 0x8405, "", "", "", 18);
    struct fr_reply reply;
    fr_reply_read(fr_span(m.b, m.n), 0, &name, FR_DNS_A, &reply);
    assert_int_equal(reply.verdict, FR_VERDICT_REFUSED);
    assert_int_equal(reply.ede, 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_every_truncation_is_bad),
        cmocka_unit_test(test_an_id_that_is_not_ours_is_bad),
        cmocka_unit_test(test_ttls),
        cmocka_unit_test(test_the_extended_error_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
