#include "resolver/place.h"

#include "message.h"

#define PINS "_ns." NETWORK
#define PIN "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* A scripted zone: what each question is answered. The test asks until the place is complete. */
struct told {
    const char *name;
    uint16_t type, flags;
    const char *answer, *authority, *additional;
};

static const struct {
    const char *label;
    struct told told[6];
    const char *endpoints; /* in order; NULL: a bad answer; "-": no such network */
    unsigned asked;
    uint32_t ttl_s;
    size_t pins;
} rows[] = {
    {"all in one answer",
     {{NETWORK, FR_DNS_A, OK, NETWORK " 60 A 192.0.2.1", "",
       SERVICE " 50 SRV 0 0 8005 e1." NETWORK "\ne1." NETWORK " 40 A 192.0.2.1"}},
     "192.0.2.1:8005",
     1,
     40,
     0},
    {"order by priority, then weight; both families",
     {{NETWORK, FR_DNS_A, OK, NETWORK " 60 A 192.0.2.1", "",
       SERVICE " 60 SRV 20 0 8007 e3." NETWORK "\n" SERVICE " 60 SRV 10 5 8006 e2." NETWORK
               "\n" SERVICE " 60 SRV 10 9 8005 e1." NETWORK "\n"
               "e1." NETWORK " 60 A 192.0.2.1\ne2." NETWORK " 60 AAAA 2001:db8::2\n"
               "e3." NETWORK " 60 A 192.0.2.3\ne3." NETWORK " 60 AAAA 2001:db8::3"}},
     "192.0.2.1:8005 [2001:db8::2]:8006 192.0.2.3:8007 [2001:db8::3]:8007",
     1,
     60,
     0},
    {"no extras: SRV, addresses and pins are asked for",
     {{NETWORK, FR_DNS_A, OK, NETWORK " 60 A 192.0.2.9", "", ""},
      {SERVICE, FR_DNS_SRV, OK, SERVICE " 60 SRV 0 0 8005 e1." NETWORK, "", ""},
      {"e1." NETWORK, FR_DNS_A, OK, "", SOA60, ""},
      {"e1." NETWORK, FR_DNS_AAAA, OK, "e1." NETWORK " 60 AAAA 2001:db8::1", "", ""},
      {PINS, FR_DNS_TLSA, OK, PINS " 60 TLSA 3 1 1 " PIN, "", ""}},
     "[2001:db8::1]:8005",
     5,
     60,
     1},
    {"an address and no SRV: the default port",
     {{NETWORK, FR_DNS_A, OK, NETWORK " 600 A 192.0.2.9", "", NETWORK " 600 AAAA 2001:db8::9"},
      {SERVICE, FR_DNS_SRV, NX, "", SOA60, ""},
      {PINS, FR_DNS_TLSA, NX, "", SOA60, ""}},
     "192.0.2.9:8005 [2001:db8::9]:8005",
     3,
     60,
     0},
    {"only an IPv6 address, asked for last",
     {{NETWORK, FR_DNS_A, OK, "", SOA60, ""},
      {SERVICE, FR_DNS_SRV, NX, "", SOA60, ""},
      {NETWORK, FR_DNS_AAAA, OK, NETWORK " 60 AAAA 2001:db8::9", "", ""},
      {PINS, FR_DNS_TLSA, NX, "", SOA60, ""}},
     "[2001:db8::9]:8005",
     4,
     60,
     0},
    {"a network without endpoints",
     {{NETWORK, FR_DNS_A, OK, "", SOA60, ""},
      {SERVICE, FR_DNS_SRV, NX, "", SOA60, ""},
      {NETWORK, FR_DNS_AAAA, OK, "", SOA60, ""},
      {PINS, FR_DNS_TLSA, NX, "", SOA60, ""}},
     "",
     4,
     60,
     0},
    {"missing glue that nobody has",
     {{NETWORK, FR_DNS_A, OK, "", SOA60, SERVICE " 60 SRV 0 0 8005 e1." NETWORK},
      {"e1." NETWORK, FR_DNS_A, NX, "", SOA60, ""},
      {"e1." NETWORK, FR_DNS_AAAA, NX, "", SOA60, ""}},
     "",
     3,
     60,
     0},
    {"no such network", {{NETWORK, FR_DNS_A, NX, "", SOA60, ""}}, "-", 1, 60, 0},
    {"records of other names are ignored",
     {{NETWORK, FR_DNS_A, OK, NETWORK " 60 A 192.0.2.1", "",
       "e1.000014.netid.fed.test. 60 A 192.0.2.66\n_fedroam._tcp.000014.netid.fed.test. 60 SRV 0 0 "
       "1 e1." NETWORK "\n" SERVICE " 60 SRV 0 0 8005 e1." NETWORK "\ne1." NETWORK
       " 60 A 192.0.2.1"}},
     "192.0.2.1:8005",
     1,
     60,
     0},
    {"records in Authority are ignored",
     {{NETWORK, FR_DNS_A, OK, NETWORK " 60 A 192.0.2.1", NETWORK " 60 A 192.0.2.66",
       SERVICE " 60 SRV 0 0 8005 " NETWORK}},
     "192.0.2.1:8005",
     1,
     60,
     0},
    {"the service is declared absent",
     {{NETWORK, FR_DNS_A, OK, NETWORK " 60 A 192.0.2.1", "", SERVICE " 60 SRV 0 0 0 ."}},
     "192.0.2.1:8005",
     1,
     60,
     0},
    {"the same SRV and address twice count once",
     {{NETWORK, FR_DNS_A, OK, NETWORK " 60 A 192.0.2.1", "",
       SERVICE " 60 SRV 0 0 8005 e1." NETWORK "\n" SERVICE " 60 SRV 0 0 8005 e1." NETWORK "\n"
               "e1." NETWORK " 60 A 192.0.2.1\ne1." NETWORK " 60 A 192.0.2.1"}},
     "192.0.2.1:8005",
     1,
     60,
     0},
    {"SRV target in another zone",
     {{NETWORK, FR_DNS_A, OK, NETWORK " 60 A 192.0.2.1", "",
       SERVICE " 60 SRV 0 0 8005 e1.evil.test."}},
     NULL,
     1,
     0,
     0},
    {"SRV with port 0",
     {{NETWORK, FR_DNS_A, OK, NETWORK " 60 A 192.0.2.1", "", SERVICE " 60 SRV 0 0 0 e1." NETWORK}},
     NULL,
     1,
     0,
     0},
    {"the network is an alias",
     {{NETWORK, FR_DNS_A, OK,
       NETWORK " 60 CNAME 000014.netid.fed.test.\n000014.netid.fed.test. 60 A 192.0.2.4", "", ""}},
     NULL,
     1,
     0,
     0},
};

static void print_endpoints(const struct fr_place *p, char *out, size_t size)
{
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < p->n_endpoints; i++) {
        char text[FR_ADDR_TEXT];
        fr_addr_print(&p->endpoints[i].addr, text);
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? " " : "", text);
    }
}

static void test_places(void **state)
{
    (void)state;
    struct fr_dname zone = test_name("fed.test");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fr_place_draft draft;
        struct fr_dname name;
        uint16_t type;
        unsigned asked = 0;
        enum fr_err err = FR_OK;
        assert_int_equal(fr_place_network(&zone, 0x13, &draft), FR_OK);
        while (err == FR_OK && fr_place_next(&draft, &name, &type)) {
            const struct told *t = &rows[i].told[asked++];
            if (asked > 6 || !t->name) fail_msg("%s: asks too much", rows[i].label);
            struct fr_dname expected = test_name(t->name);
            if (t->type != type || !fr_dname_equal(fr_dname_span(&expected), fr_dname_span(&name)))
                fail_msg("%s: question %u is another one", rows[i].label, asked);
            struct message m =
                test_message(t->name, t->type, t->flags, t->answer, t->authority, t->additional);
            struct fr_reply reply;
            const char *why = NULL;
            fr_reply_read(fr_span(m.b, m.n), 0, &name, type, &reply);
            if (reply.verdict == FR_VERDICT_BAD) fail_msg("%s: %s", rows[i].label, reply.why);
            err = fr_place_learn(&draft, &reply, &name, type, &why);
            if (err != FR_OK && !why) fail_msg("%s: no reason", rows[i].label);
        }
        if ((err == FR_OK) != (rows[i].endpoints != NULL))
            fail_msg("%s: %s", rows[i].label, fr_err_text(err));
        if (asked != rows[i].asked) fail_msg("%s: %u questions", rows[i].label, asked);
        if (err != FR_OK) continue;
        if (draft.is_missing != (rows[i].endpoints[0] == '-'))
            fail_msg("%s: missing?", rows[i].label);
        if (draft.is_missing) continue;
        struct fr_place *place = NULL;
        char text[1024];
        assert_int_equal(fr_place_new(&draft, &place), FR_OK);
        print_endpoints(place, text, sizeof text);
        if (strcmp(text, rows[i].endpoints) != 0) fail_msg("%s: %s", rows[i].label, text);
        if (place->n_pins != rows[i].pins) fail_msg("%s: pins", rows[i].label);
        if (place->ttl_s != rows[i].ttl_s)
            fail_msg("%s: ttl %u", rows[i].label, (unsigned)place->ttl_s);
        fr_place_free(place);
    }
}

static void learn(struct fr_place_draft *d, const char *name, uint16_t type,
                  const struct message *m, enum fr_err expected)
{
    struct fr_dname asked = test_name(name);
    struct fr_reply reply;
    const char *why = NULL;
    fr_reply_read(fr_span(m->b, m->n), 0, &asked, type, &reply);
    assert_int_equal(fr_place_learn(d, &reply, &asked, type, &why), expected);
}

static void test_a_device_answer_tells_all(void **state)
{
    (void)state;
    struct fr_dname zone = test_name("fed.test"), name;
    uint16_t type;
    struct fr_place_draft draft;
    struct message m = test_message(
        DEVICE, FR_DNS_A, OK, DEVICE " 3600 CNAME " NETWORK "\n" NETWORK " 60 A 192.0.2.1", "",
        SERVICE " 60 SRV 0 0 8005 e1." NETWORK "\ne1." NETWORK " 60 A 192.0.2.1\n"
                "_ns." NETWORK
                " 60 TLSA 3 1 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
                "_ns." NETWORK
                " 60 TLSA 3 1 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
                "_ns." NETWORK
                " 60 TLSA 2 1 1 ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
                "_ns.000014.netid.fed.test. 60 TLSA 3 1 1 "
                "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    assert_int_equal(fr_place_network(&zone, 0x13, &draft), FR_OK);
    learn(&draft, DEVICE, FR_DNS_A, &m, FR_OK);
    assert_false(fr_place_next(&draft, &name, &type));
    struct fr_place *place = NULL;
    assert_int_equal(fr_place_new(&draft, &place), FR_OK);
    assert_int_equal(place->n_endpoints, 1);
    assert_string_equal(place->text + place->endpoints[0].host_at, "e1.000013.netid.fed.test");
    assert_int_equal(place->n_pins, 1);
    assert_int_equal(place->pins[0][31], 0x1f);
    fr_place_free(place);
}

/* More than the caps: the rest is left out, the number of questions stays bounded. */
static void test_caps(void **state)
{
    (void)state;
    struct fr_dname zone = test_name("fed.test"), name;
    uint16_t type;
    struct fr_place_draft draft;
    char extras[4096];
    size_t n = 0;
    for (unsigned i = 1; i <= 20; i++)
        n += (size_t)snprintf(extras + n, sizeof extras - n,
                              SERVICE " 60 SRV 0 0 %u e%u." NETWORK "\n", 8000 + i, i);
    struct message m = test_message(NETWORK, FR_DNS_A, OK, NETWORK " 60 A 192.0.2.1", "", extras);
    assert_int_equal(fr_place_network(&zone, 0x13, &draft), FR_OK);
    assert_true(fr_place_next(&draft, &name, &type));
    learn(&draft, NETWORK, FR_DNS_A, &m, FR_OK);
    assert_int_equal(draft.n_hosts, FR_PLACE_HOSTS_MAX);
    unsigned asked = 1;
    while (fr_place_next(&draft, &name, &type)) {
        draft.hosts[0].is_asked4 = true;
        asked++;
    }
    assert_int_equal(asked, FR_PLACE_ASKS_MAX);

    n = (size_t)snprintf(extras, sizeof extras, SERVICE " 60 SRV 0 0 8005 e1." NETWORK "\n");
    for (unsigned i = 1; i <= 40; i++)
        n += (size_t)snprintf(extras + n, sizeof extras - n, "e1." NETWORK " 60 A 192.0.2.%u\n", i);
    m = test_message(NETWORK, FR_DNS_A, OK, NETWORK " 60 A 192.0.2.1", "", extras);
    assert_int_equal(fr_place_network(&zone, 0x13, &draft), FR_OK);
    learn(&draft, NETWORK, FR_DNS_A, &m, FR_OK);
    struct fr_place *place = NULL;
    assert_int_equal(fr_place_new(&draft, &place), FR_OK);
    assert_int_equal(place->n_endpoints, FR_PLACE_ADDRESSES_MAX);
    fr_place_free(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_a_device_answer_tells_all),
        cmocka_unit_test(test_caps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
