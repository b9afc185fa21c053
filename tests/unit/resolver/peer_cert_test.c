#include "net.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/hex.h"
#include "support/test_pki.h"
#include "transport/tls.h"
#include <fedroam/peer.h>

/* The public check of a peer: a certificate as it comes from TLS, over the simulated network. */

struct verdict {
    unsigned times;
    enum fedroam_peer verdict;
};

static void on_verdict(void *data, enum fedroam_peer verdict, const char *why)
{
    struct verdict *v = data;
    v->times++;
    v->verdict = verdict;
    assert_int_equal(why[0] == 0, verdict == FEDROAM_PEER_OK);
}

static int64_t real_now(void *data)
{
    (void)data;
    return fr_clock_real_ms(fr_clock_system());
}

/* The first certificate of a PEM text. */
static struct fr_buf der_of(const char *pem)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
    struct fr_buf out = FR_BUF_INIT(8192);
    char text[8192];
    size_t n = 0;
    const char *p = strstr(pem, begin);
    assert_non_null(p);
    for (p += sizeof begin - 1; *p != '-'; p++)
        if (*p != '\n') text[n++] = *p;
    assert_int_equal(fr_base64_parse(fr_span(text, n), &out), FR_OK);
    return out;
}

struct scene {
    struct net net;
    struct test_ca *ca;
    char pins[256];
};

static struct fr_buf issue(struct scene *s, struct test_leaf leaf)
{
    struct test_id id;
    test_issue(s->ca, &leaf, &id);
    struct fr_buf der = der_of(id.chain);
    test_id_free(&id);
    return der;
}

/* The records of network 000013 have this certificate's key. */
static void publish(struct scene *s, const struct fr_buf *der)
{
    struct fr_tls_peer *cert = NULL;
    char hex[65];
    assert_int_equal(fr_tls_peer_of(fr_buf_span(der), &cert), FR_OK);
    fr_hex_print(cert->spki_sha256, 32, hex);
    fr_tls_peer_unref(cert);
    snprintf(s->pins, sizeof s->pins, "_ns.000013.netid.fed.test. 60 TLSA 3 1 1 %s", hex);
    s->net.pins = s->pins;
}

static void start(struct scene *s)
{
    struct fedroam_options *o = net_options(2, 1);
    net_init(&s->net);
    s->net.clock.real_ms = real_now;
    assert_int_equal(net_open(&s->net, o), FR_OK);
    fedroam_options_free(o);
    s->ca = test_ca_new("fed.test");
}

static void stop(struct scene *s)
{
    net_stop(&s->net);
    test_ca_free(s->ca);
}

static enum fedroam_peer check(struct scene *s, const char *federation, const struct fr_buf *der,
                               uint32_t sender_id)
{
    struct verdict v = {0};
    assert_int_equal(fedroam_check_peer(s->net.f, federation, der->p, der->n, sender_id, 0,
                                        on_verdict, &v, NULL),
                     FEDROAM_OK);
    assert_int_equal(v.times, 0);
    net_run(&s->net, 50);
    assert_int_equal(v.times, 1);
    return v.verdict;
}

static void test_certificates(void **state)
{
    (void)state;
    static const struct {
        struct test_leaf leaf;
        const char *federation;
        uint32_t sender_id;
        enum fedroam_peer verdict;
        unsigned asked;
    } rows[] = {
        {{"000013", {"000013.netid.fed.test"}, 0, 0}, "fed.test", 0x13, FEDROAM_PEER_OK, 1},
        {{"000013", {"x.fed.test", "000013.netid.FED.test"}, 0, 0}, "fed.test", 0x13, 0, 1},
        {{"000013", {"000013.netid.fed.test"}, 0, 0},
         "fed.test",
         0x14,
         FEDROAM_PEER_WRONG_NETID,
         0},
        {{"000013", {"000013.netid.fed.test"}, 0, 0},
         "other.test",
         0x13,
         FEDROAM_PEER_WRONG_NETID,
         0},
        {{"acme", {"acme.member.fed.test"}, 0, 0}, "fed.test", 0x13, FEDROAM_PEER_WRONG_NETID, 0},
        {{"000013.netid.fed.test", {NULL}, 0, 0}, "fed.test", 0x13, FEDROAM_PEER_WRONG_NETID, 0},
        {{"000013", {"000013.netid.fed.test"}, -7200, -3600},
         "fed.test",
         0x13,
         FEDROAM_PEER_REVOKED,
         0},
        {{"000013", {"000013.netid.fed.test"}, 3600, 7200},
         "fed.test",
         0x13,
         FEDROAM_PEER_REVOKED,
         0},
        {{"000015", {"000015.netid.fed.test"}, 0, 0}, "fed.test", 0x15, FEDROAM_PEER_UNKNOWN, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene s;
        start(&s);
        struct fr_buf der = issue(&s, rows[i].leaf);
        publish(&s, &der);
        enum fedroam_peer verdict = check(&s, rows[i].federation, &der, rows[i].sender_id);
        if (verdict != rows[i].verdict) fail_msg("row %zu: %s", i, fedroam_peer_text(verdict));
        assert_int_equal(net_asked(&s.net), rows[i].asked);
        fr_buf_deinit(&der);
        stop(&s);
    }
}

static void test_another_key_of_the_same_name(void **state)
{
    (void)state;
    const struct test_leaf leaf = {.cn = "000013", .names = {"000013.netid.fed.test"}};
    struct scene s;
    start(&s);
    struct fr_buf one = issue(&s, leaf), two = issue(&s, leaf);
    publish(&s, &one);
    assert_int_equal(check(&s, "fed.test", &one, 0x13), FEDROAM_PEER_OK);
    net_skip(&s.net, 2000);
    assert_int_equal(check(&s, "fed.test", &two, 0x13), FEDROAM_PEER_REVOKED);
    publish(&s, &two);
    net_skip(&s.net, 2000);
    assert_int_equal(check(&s, "fed.test", &two, 0x13), FEDROAM_PEER_OK); /* asked past the cache */
    assert_int_equal(check(&s, "fed.test", &one, 0x13), FEDROAM_PEER_REVOKED);
    fr_buf_deinit(&one);
    fr_buf_deinit(&two);
    stop(&s);
}

static void test_wrong_arguments(void **state)
{
    (void)state;
    struct scene s;
    struct verdict v = {0};
    enum fedroam_peer verdict;
    struct fedroam_peer_check *c = NULL;
    start(&s);
    struct fr_buf der =
        issue(&s, (struct test_leaf){.cn = "000014", .names = {"000013.netid.fed.test"}});
    struct fedroam *f = s.net.f;
    const uint8_t *p = der.p;
    assert_int_equal(fedroam_check_peer(f, NULL, p, der.n, 0x13, 0, on_verdict, &v, NULL),
                     FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_check_peer(f, "fed.test", NULL, 0, 0x13, 0, on_verdict, &v, NULL),
                     FEDROAM_E_ARGUMENT);
    assert_int_equal(
        fedroam_check_peer(f, "fed.test", p, der.n, 0x1000000, 0, on_verdict, &v, NULL),
        FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_check_peer(f, "fed.test", p, der.n, 0x13, 0, NULL, &v, NULL),
                     FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_check_peer(f, "none.test", p, der.n, 0x13, 0, on_verdict, &v, NULL),
                     FEDROAM_E_FEDERATION);
    for (size_t n = 0; n < der.n; n++) /* every truncation */
        assert_int_equal(fedroam_check_peer(f, "fed.test", p, n, 0x13, 0, on_verdict, &v, NULL),
                         FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_wait_peer(f, "fed.test", p, der.n, 0x13, 0, &verdict),
                     FEDROAM_E_STATE);
    assert_int_equal(fedroam_check_peer(f, "fed.test", p, der.n, 0x99, 0, on_verdict, &v, &c), 0);
    fedroam_check_peer_cancel(c); /* decided, not told yet */
    assert_int_equal(fedroam_check_peer(f, "fed.test", p, der.n, 0x13, 0, on_verdict, &v, &c), 0);
    fr_buf_deinit(&der);
    stop(&s);
    assert_int_equal(v.times, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_another_key_of_the_same_name),
        cmocka_unit_test(test_wrong_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
