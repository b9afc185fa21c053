#include "answer/answer.h"

#include "answer/general.h"
#include "base/buf.h"
#include "base/mem.h"
#include "dns/query.h"
#include "dns/response.h"
#include "unit/answer/fixture.h"

#include <strings.h>

#define DEVICE "70b3d57ed0000001.deveui.fed.test. 3600 IN CNAME 000013.netid.fed.test.\n"
#define A4 "000013.netid.fed.test. 60 IN A 192.0.2.10\n"
#define A6 "000013.netid.fed.test. 60 IN AAAA 2001:db8::a\n"
#define TXT "000013.netid.fed.test. 60 IN TXT \"v=fedroam1 member=acme\"\n"
#define SRV                                                                                        \
    "_fedroam._tcp.000013.netid.fed.test. 60 IN SRV 1 0 8005 e1.000013.netid.fed.test.\n"          \
    "_fedroam._tcp.000013.netid.fed.test. 60 IN SRV 2 0 8006 e2.000013.netid.fed.test.\n"
#define E1 "e1.000013.netid.fed.test. 60 IN A 192.0.2.10\n"
#define E2 "e2.000013.netid.fed.test. 60 IN AAAA 2001:db8::a\n"
#define PIN                                                                                        \
    "_ns.000013.netid.fed.test. 60 IN TLSA 3 1 1 "                                                 \
    "0101010101010101010101010101010101010101010101010101010101010101\n"

/* answer: the section as text, one record a line. has_soa: one SOA, and nothing else, in
 * Authority. */
static const struct {
    const char *name, *type;
    unsigned rcode;
    const char *answer;
    bool has_soa;
    unsigned max_age_s;
} ROWS[] = {
    {"70b3d57ed0000001.deveui.fed.test", "A", 0, DEVICE A4, false, 60},
    {"70B3D57ED0000001.DEVEUI.FED.TEST", "A", 0, DEVICE A4, false, 60},
    {"70b3d57ed0000001.deveui.fed.test", "AAAA", 0, DEVICE A6, false, 60},
    {"70b3d57ed0000001.deveui.fed.test", "CNAME", 0, DEVICE, false, 3600},
    {"70b3d57ed0000001.deveui.fed.test", "ANY", 0, DEVICE, false, 3600},
    {"70b3d57ed0000001.deveui.fed.test", "TXT", 0, DEVICE TXT, false, 60},
    {"70b3d57ed0000001.deveui.fed.test", "SRV", 0, DEVICE, true, 60},
    {"70b3d57ed0000001.deveui.fed.test", "TYPE65280", 0, DEVICE, true, 60},
    {"70b3d57ed0000003.deveui.fed.test", "A", 0,
     "70b3d57ed0000003.deveui.fed.test. 3600 IN CNAME 00002a.netid.fed.test.\n", true, 60},
    {"70b3d57ed0000004.deveui.fed.test", "A", 0,
     "70b3d57ed0000004.deveui.fed.test. 3600 IN CNAME 000020.netid.fed.test.\n", true, 60},
    {"70b3d57ed0000004.deveui.fed.test", "AAAA", 0,
     "70b3d57ed0000004.deveui.fed.test. 3600 IN CNAME 000020.netid.fed.test.\n"
     "000020.netid.fed.test. 60 IN AAAA 2001:db8::20\n",
     false, 60},
    {"70b3d57ed0000001.deveui.fed.test", "NSEC", 0, "", true, 60},
    {"70b3d57ed0000009.deveui.fed.test", "SOA", 3, "", true, 0},
    {"deveui.fed.test", "SOA", 0, "", true, 60},
    {"000013.netid.fed.test", "A", 0, A4, false, 60},
    {"000013.netid.fed.test", "AAAA", 0, A6, false, 60},
    {"000013.netid.fed.test", "TXT", 0, TXT, false, 60},
    {"000013.netid.fed.test", "ANY", 0, A4, false, 60},
    {"000013.netid.fed.test", "CNAME", 0, "", true, 60},
    {"00002a.netid.fed.test", "A", 0, "", true, 60},
    {"00002A.NetID.fed.test", "TXT", 0,
     "00002a.netid.fed.test. 60 IN TXT \"v=fedroam1 member=acme\"\n", false, 60},
    {"_fedroam._tcp.000013.netid.fed.test", "SRV", 0, SRV, false, 60},
    {"_fedroam._tcp.000013.netid.fed.test", "A", 0, "", true, 60},
    {"_ns.000013.netid.fed.test", "TLSA", 0, PIN, false, 60},
    {"_8005._tcp.000013.netid.fed.test", "TLSA", 0,
     "_8005._tcp.000013.netid.fed.test. 60 IN CNAME _ns.000013.netid.fed.test.\n" PIN, false, 60},
    {"_8005._tcp.000013.netid.fed.test", "A", 0,
     "_8005._tcp.000013.netid.fed.test. 60 IN CNAME _ns.000013.netid.fed.test.\n", true, 60},
    {"e1.000013.netid.fed.test", "A", 0, E1, false, 60},
    {"e1.000013.netid.fed.test", "AAAA", 0, "", true, 60},
    {"e2.000013.netid.fed.test", "AAAA", 0, E2, false, 60},
    {"fed.test", "NS", 0, "fed.test. 3600 IN NS localhost.\n", false, 3600},
    {"fed.test", "A", 0, "", true, 60},
    /* names between */
    {"deveui.fed.test", "A", 0, "", true, 60},
    {"netid.fed.test", "ANY", 0, "", true, 60},
    {"_tcp.000013.netid.fed.test", "SRV", 0, "", true, 60},
    /* nobody there */
    {"70b3d57ed0000009.deveui.fed.test", "A", 3, "", true, 60},
    {"0.deveui.fed.test", "A", 3, "", true, 60},
    {"70b3d57ed00000011.deveui.fed.test", "A", 3, "", true, 60},
    {"70b3d57ed000000g.deveui.fed.test", "A", 3, "", true, 60},
    {"x.70b3d57ed0000001.deveui.fed.test", "A", 3, "", true, 60},
    {"000014.netid.fed.test", "A", 3, "", true, 60},
    {"_tcp.00002a.netid.fed.test", "SRV", 3, "", true, 60},
    {"_fedroam._tcp.00002a.netid.fed.test", "SRV", 3, "", true, 60},
    {"_ns.000020.netid.fed.test", "TLSA", 3, "", true, 60},
    {"_8005._tcp.000020.netid.fed.test", "TLSA", 3, "", true, 60},
    {"_8007._tcp.000013.netid.fed.test", "TLSA", 3, "", true, 60},
    {"_08005._tcp.000013.netid.fed.test", "TLSA", 3, "", true, 60},
    {"_fedroam._udp.000013.netid.fed.test", "SRV", 3, "", true, 60},
    {"e0.000013.netid.fed.test", "A", 3, "", true, 60},
    {"e3.000013.netid.fed.test", "A", 3, "", true, 60},
    {"joineui.fed.test", "A", 3, "", true, 60},
    {"broker.fed.test", "A", 3, "", true, 60},
    {"ca.fed.test", "A", 3, "", true, 60},
    {"nothing.fed.test", "A", 3, "", true, 60},
    /* not ours */
    {"fed.example", "A", 5, "", false, 0},
    {"xfed.test", "A", 5, "", false, 0},
    {"test", "A", 5, "", false, 0},
    {".", "NS", 5, "", false, 0},
    {"70b3d57ed0000001.deveui.other.test", "A", 5, "", false, 0},
    /* other questions */
    {"fed.test", "AXFR", 4, "", false, 0},
    {"fed.test", "IXFR", 4, "", false, 0},
    {"fed.test", "MAILB", 4, "", false, 0},
    {"fed.test", "OPT", 1, "", false, 0},
    {"fed.test", "TSIG", 1, "", false, 0},
};

static void query_make(const char *name, const char *type, size_t pad_to, struct fr_buf *out)
{
    struct fr_dname dname;
    uint16_t number = 0;

    assert_int_equal(fr_dname_parse(fr_span_str(name), &dname), FR_OK);
    assert_true(fr_dns_type_parse(type, &number));
    fr_buf_reset(out);
    assert_int_equal(fr_dns_query_write(&dname, number, pad_to, out), FR_OK);
}

/* One section as text. */
static void print_section(const struct fr_dns_response *response, enum fr_dns_section section,
                          struct fr_buf *out)
{
    struct fr_dns_walk walk;
    struct fr_rr rr;

    fr_buf_reset(out);
    fr_dns_walk_init(&walk, response);
    while (fr_dns_walk_next(&walk, &rr))
        if (walk.section == section) assert_int_equal(fr_rr_print(&rr, out), FR_OK);
    for (size_t i = 0; i < out->n; i++)
        if (out->p[i] == '\t') out->p[i] = ' ';
}

static void check_row(struct fr_answerer *a, struct fixture *f, size_t i)
{
    struct fr_buf query = FR_BUF_INIT(1024), text = FR_BUF_INIT(65536);
    struct fr_answer answer;
    struct fr_dns_response response;

    query_make(ROWS[i].name, ROWS[i].type, 0, &query);
    assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &answer), FR_OK);
    assert_int_equal(fr_dns_response_read(answer.message, &response), FR_OK);
    print_section(&response, FR_DNS_ANSWER, &text);
    if (response.rcode != ROWS[i].rcode || (unsigned)answer.rcode != response.rcode)
        fail_msg("%s %s: rcode %u", ROWS[i].name, ROWS[i].type, response.rcode);
    if (strcasecmp(fr_buf_str(&text), ROWS[i].answer) != 0)
        fail_msg("%s %s:\n%s", ROWS[i].name, ROWS[i].type, fr_buf_str(&text));
    if (response.authoritative != (ROWS[i].rcode == 0 || ROWS[i].rcode == 3))
        fail_msg("%s %s: AA", ROWS[i].name, ROWS[i].type);
    print_section(&response, FR_DNS_AUTHORITY, &text);
    bool has_soa = response.count[1] == 1 && strcasestr(fr_buf_str(&text), " IN SOA ") != NULL;
    if (has_soa != ROWS[i].has_soa || response.count[1] != (ROWS[i].has_soa ? 1 : 0))
        fail_msg("%s %s: authority\n%s", ROWS[i].name, ROWS[i].type, fr_buf_str(&text));
    bool is_cacheable = ROWS[i].rcode == FR_DNS_NOERROR || ROWS[i].rcode == FR_DNS_NXDOMAIN;
    if (answer.max_age_s != ROWS[i].max_age_s || answer.is_cacheable != is_cacheable)
        fail_msg("%s %s: max-age %u", ROWS[i].name, ROWS[i].type, answer.max_age_s);
    fr_buf_deinit(&query);
    fr_buf_deinit(&text);
}

static void rows(void **state)
{
    struct fr_answerer *a = NULL;

    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    /* twice, so that the frequent ones come from a template too */
    for (size_t i = 0; i < 2 * sizeof ROWS / sizeof ROWS[0]; i++)
        check_row(a, *state, i % (sizeof ROWS / sizeof ROWS[0]));
    fr_answerer_free(a);
}

/* One exchange is enough: what the partner needs of the network is there. */
static void extras(void **state)
{
    struct fixture *f = *state;
    struct fr_answerer *a = NULL;
    struct fr_buf query = FR_BUF_INIT(1024), text = FR_BUF_INIT(65536);
    struct fr_answer answer;
    struct fr_dns_response response;

    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    query_make("70b3d57ed0000001.deveui.fed.test", "A", 0, &query);
    assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &answer), FR_OK);
    assert_int_equal(fr_dns_response_read(answer.message, &response), FR_OK);
    print_section(&response, FR_DNS_ADDITIONAL, &text);
    assert_string_equal(fr_buf_str(&text), A6 E1 E2 SRV PIN);

    query_make("_fedroam._tcp.000013.netid.fed.test", "SRV", 0, &query);
    assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &answer), FR_OK);
    assert_int_equal(fr_dns_response_read(answer.message, &response), FR_OK);
    print_section(&response, FR_DNS_ADDITIONAL, &text);
    assert_string_equal(fr_buf_str(&text), A4 A6 E1 E2 PIN);

    query_make("70b3d57ed0000001.deveui.fed.test", "CNAME", 0, &query);
    assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &answer), FR_OK);
    assert_int_equal(fr_dns_response_read(answer.message, &response), FR_OK);
    assert_int_equal(response.count[2], 0);
    fr_buf_deinit(&query);
    fr_buf_deinit(&text);
    fr_answerer_free(a);
}

/* The template gives the bytes of the general path, for every frequent type, with and without
 * EDNS, RD, padding. */
static void short_path_is_the_general_one(void **state)
{
    static const char *const names[] = {"70b3d57ed0000001.deveui.fed.test",
                                        "70B3d57ed0000002.DEVEUI.fed.TEST",
                                        "70b3d57ed0000003.deveui.fed.test",
                                        "70b3d57ed0000099.deveui.fed.test",
                                        "000013.netid.fed.test",
                                        "000020.netid.fed.test",
                                        "0000ff.netid.fed.test"};
    static const char *const types[] = {"A", "AAAA", "CNAME", "SRV", "TLSA"};
    static const size_t pads[] = {0, 128};
    static struct fr_answer_room room;
    struct fixture *f = *state;
    struct fr_answerer *a = NULL;
    struct fr_asker asker = {.member = "beta"};
    struct fr_buf query = FR_BUF_INIT(1024);

    assert_int_equal(fr_sight_new(&asker.sight), FR_OK);
    assert_int_equal(fr_sight_refresh(asker.sight, f->snap), FR_OK);
    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    assert_int_equal(fr_zone_init(&room.zone, FED), FR_OK);
    for (size_t i = 0; i < 7 * 5 * 2 * 2 * 2; i++) {
        struct fr_answer answer, general;
        struct fr_dns_query q;
        query_make(names[i % 7], types[i / 7 % 5], pads[i / 35 % 2], &query);
        query.p[0] = (uint8_t)i;
        if (i / 70 % 2 == 1) query.p[2] |= 1;
        if (i / 140 == 0) /* the template is made … */
            assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &answer),
                             FR_OK);
        /* … and used */
        assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &answer), FR_OK);
        assert_int_equal(fr_dns_query_read(fr_buf_span(&query), &q), FR_OK);
        fr_answer_general(&room, f->snap, &asker, &q, NOW, &general);
        assert_int_equal(answer.message.n, general.message.n);
        assert_memory_equal(answer.message.p, general.message.p, general.message.n);
        assert_int_equal(answer.rcode, general.rcode);
        assert_int_equal(answer.max_age_s, general.max_age_s);
        assert_int_equal(answer.owner.kind, general.owner.kind);
        assert_true(answer.owner.eui == general.owner.eui);
        assert_int_equal(answer.owner.netid, general.owner.netid);
        assert_int_equal(answer.has_home, general.has_home);
        assert_int_equal(answer.has_home, i % 7 < 3);
        if (answer.has_home) assert_int_equal(answer.netid, general.netid);
    }
    fr_buf_deinit(&query);
    fr_answerer_free(a);
    fr_sight_free(asker.sight);
}

static unsigned rcode_of(struct fr_answerer *a, struct fixture *f, const char *name,
                         const char *type, int64_t now_s)
{
    struct fr_buf query = FR_BUF_INIT(1024);
    struct fr_answer answer;

    query_make(name, type, 0, &query);
    assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), now_s, &answer), FR_OK);
    fr_buf_deinit(&query);
    return (unsigned)answer.rcode;
}

/* A change is seen by the next snapshot, whatever was remembered. */
static void suspended_members_vanish(void **state)
{
    static const char device[] = "70b3d57ed0000001.deveui.fed.test";
    struct fixture *f = *state;
    struct fr_answerer *a = NULL;

    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rcode_of(a, f, device, "A", NOW), FR_DNS_NOERROR);
        assert_int_equal(rcode_of(a, f, "000013.netid.fed.test", "A", NOW), FR_DNS_NOERROR);
    }
    set_member_state(f, "acme", FR_MEMBER_SUSPENDED);
    assert_int_equal(rcode_of(a, f, device, "A", NOW), FR_DNS_NXDOMAIN);
    assert_int_equal(rcode_of(a, f, "000013.netid.fed.test", "A", NOW), FR_DNS_NXDOMAIN);
    assert_int_equal(rcode_of(a, f, "_ns.000013.netid.fed.test", "TLSA", NOW), FR_DNS_NXDOMAIN);
    assert_int_equal(rcode_of(a, f, "_tcp.000013.netid.fed.test", "A", NOW), FR_DNS_NXDOMAIN);
    assert_int_equal(rcode_of(a, f, "deveui.fed.test", "A", NOW), FR_DNS_NOERROR);
    set_member_state(f, "beta", FR_MEMBER_SUSPENDED);
    assert_int_equal(rcode_of(a, f, "deveui.fed.test", "A", NOW), FR_DNS_NXDOMAIN);
    assert_int_equal(rcode_of(a, f, "netid.fed.test", "A", NOW), FR_DNS_NXDOMAIN);
    set_member_state(f, "acme", FR_MEMBER_ACTIVE);
    assert_int_equal(rcode_of(a, f, device, "A", NOW), FR_DNS_NOERROR);
    fr_answerer_free(a);
}

static void pins_end_with_their_certificates(void **state)
{
    struct fixture *f = *state;
    struct fr_answerer *a = NULL;

    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    assert_int_equal(rcode_of(a, f, "_ns.000013.netid.fed.test", "TLSA", NOT_AFTER), 0);
    assert_int_equal(rcode_of(a, f, "_ns.000013.netid.fed.test", "TLSA", NOT_AFTER + 1), 3);
    revoke_cert(f, 1);
    assert_int_equal(rcode_of(a, f, "_ns.000013.netid.fed.test", "TLSA", NOW), 3);
    assert_int_equal(rcode_of(a, f, "_8005._tcp.000013.netid.fed.test", "TLSA", NOW), 3);
    fr_answerer_free(a);
}

static void an_empty_zone_has_its_apex(void **state)
{
    struct fixture *f = *state;
    struct fr_answerer *a = NULL;

    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    assert_int_equal(rcode_of(a, f, "fed.test", "SOA", NOW), 0);
    assert_int_equal(rcode_of(a, f, "deveui.fed.test", "A", NOW), 3);
    assert_int_equal(rcode_of(a, f, "netid.fed.test", "A", NOW), 3);
    fr_answerer_free(a);
}

/* What is not a plain question still gets its own answer, with the ID and the question where
 * there is one. */
static void other_messages(void **state)
{
    struct fixture *f = *state;
    struct fr_answerer *a = NULL;
    struct fr_buf query = FR_BUF_INIT(1024);
    struct fr_answer answer;
    struct fr_dns_response response;

    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    query_make("000013.netid.fed.test", "A", 0, &query);
    for (size_t n = 0; n < FR_DNS_HEADER_SIZE; n++)
        assert_int_equal(fr_answer(a, f->snap, "beta", fr_span(query.p, n), NOW, &answer),
                         FR_E_TRUNCATED);
    for (size_t n = FR_DNS_HEADER_SIZE; n < query.n; n++) {
        assert_int_equal(fr_answer(a, f->snap, "beta", fr_span(query.p, n), NOW, &answer), FR_OK);
        assert_int_equal(answer.rcode, FR_DNS_FORMERR);
        assert_int_equal(answer.message.n, FR_DNS_HEADER_SIZE);
        assert_false(answer.is_cacheable);
    }
    query.p[0] = 0xab;
    query.p[1] = 0xcd;
    query.p[query.n - 1] = 3; /* class CH */
    assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &answer), FR_OK);
    assert_int_equal(fr_dns_response_read(answer.message, &response), FR_OK);
    assert_int_equal(response.rcode, FR_DNS_REFUSED);
    assert_int_equal(response.id, 0xabcd);
    assert_int_equal(response.class, 3);
    assert_false(response.edns.present);

    query.p[2] = 0x28; /* UPDATE */
    assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &answer), FR_OK);
    assert_int_equal(answer.rcode, FR_DNS_NOTIMP);
    assert_int_equal(answer.message.p[2] & 0x78, 0x28);

    query_make("other.test", "A", 128, &query);
    assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &answer), FR_OK);
    assert_int_equal(fr_dns_response_read(answer.message, &response), FR_OK);
    assert_int_equal(response.edns.ede, FR_DNS_EDE_NOT_AUTHORITATIVE);
    assert_int_equal(answer.message.n, 468);

    query.p[12 + 12 + 4 + 6] = 1; /* EDNS version 1: behind root, type, size, extended RCODE */
    assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &answer), FR_OK);
    assert_int_equal(fr_dns_response_read(answer.message, &response), FR_OK);
    assert_int_equal(response.rcode, FR_DNS_BADVERS);
    fr_buf_deinit(&query);
    fr_answerer_free(a);
}

/* All endpoints and more certificates than are published: everything is there, and fits. */
static void the_largest_network(void **state)
{
    struct fixture *f = *state;
    struct fr_answerer *a = NULL;
    struct fr_buf query = FR_BUF_INIT(1024);
    struct fr_addr addrs[FR_ENDPOINTS_MAX];
    struct fr_diag diag = {0};
    struct fr_answer answer;
    struct fr_dns_response response;
    char text[32];

    struct fr_change *change = change_begin(f);
    for (size_t i = 0; i < FR_ENDPOINTS_MAX; i++) {
        (void)snprintf(text, sizeof text, "[2001:db8::%zu]:%zu", i + 1, 8001 + i);
        must(fr_endpoint_parse(fr_span_str(text), &diag, &addrs[i]), &diag);
    }
    addrs[7].ip.family = 4;
    must(fr_network_set_endpoints(change, 0x000013, addrs, FR_ENDPOINTS_MAX, &diag), &diag);
    for (uint8_t number = 3; number < 3 + FR_PINS_MAX; number++)
        add_cert(change, number, "acme", FR_PROFILE_NS, 0x000013);
    change_end(f, change);

    assert_int_equal(fr_answerer_new(FED, &a), FR_OK);
    query_make("_ns.000013.netid.fed.test", "TLSA", 0, &query);
    assert_int_equal(fr_answer(a, f->snap, "beta", fr_buf_span(&query), NOW, &answer), FR_OK);
    assert_int_equal(fr_dns_response_read(answer.message, &response), FR_OK);
    assert_int_equal(response.count[0], FR_PINS_MAX);
    assert_int_equal(response.count[2], 2 + 2 * FR_ENDPOINTS_MAX);
    assert_int_equal(rcode_of(a, f, "_8008._tcp.000013.netid.fed.test", "TLSA", NOW), 0);
    fr_buf_deinit(&query);
    fr_answerer_free(a);
}

static void out_of_memory(void **state)
{
    struct fr_answerer *a = NULL;

    (void)state;
    for (unsigned nth = 1; nth <= 2; nth++) {
        fr_mem_fail_nth(nth);
        assert_int_equal(fr_answerer_new(FED, &a), FR_E_NOMEM);
        fr_mem_fail_nth(0);
        assert_null(a);
    }
}

static void bad_federation_names(void **state)
{
    struct fr_answerer *a = NULL;

    (void)state;
    assert_int_equal(fr_answerer_new("", &a), FR_E_INVALID);
    assert_int_equal(fr_answerer_new("a..b", &a), FR_E_INVALID);
    assert_null(a);
}

static int fixture_empty(void **state)
{
    return fixture_open(state, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(extras, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(short_path_is_the_general_one, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(suspended_members_vanish, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(pins_end_with_their_certificates, fixture_new,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(an_empty_zone_has_its_apex, fixture_empty, fixture_free),
        cmocka_unit_test_setup_teardown(other_messages, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(the_largest_network, fixture_new, fixture_free),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(bad_federation_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
