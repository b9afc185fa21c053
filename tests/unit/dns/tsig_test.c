#include "dns/tsig.h"

#include <ldns/ldns.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "dns/message.h"
#include "dns/xfr.h"
#include "support/unit.h"

/* ldns is the oracle: what it signs we take, what we sign it takes. */

#define NOW ((int64_t)time(NULL)) /* ldns asks the system for the time */

static const char SECRET[] = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

static struct fr_tsig_key key_of(enum fr_tsig_algorithm algorithm)
{
    struct fr_tsig_key key = {.algorithm = algorithm, .n = 32};

    assert_int_equal(fr_dname_parse(fr_span_str("Member.Key"), &key.name), FR_OK);
    memcpy(key.secret, "0123456789abcdef0123456789abcdef", 32);
    return key;
}

static size_t question(uint8_t *memory, uint16_t type)
{
    struct fr_dname zone;
    size_t n = 0;

    assert_int_equal(fr_dname_parse(fr_span_str("deveui.acme.test"), &zone), FR_OK);
    assert_int_equal(fr_xfr_question_write(&zone, type, 0x1234, 7, memory, 2048, &n), FR_OK);
    return n;
}

static ldns_pkt *parsed(const uint8_t *p, size_t n)
{
    ldns_pkt *pkt = NULL;

    assert_int_equal(ldns_wire2pkt(&pkt, p, n), LDNS_STATUS_OK);
    return pkt;
}

static ldns_rdf *mac_of(const struct fr_tsig_mac *mac)
{
    uint8_t bytes[2 + FR_TSIG_MAC_MAX] = {0, mac->n};

    memcpy(bytes + 2, mac->b, mac->n);
    return ldns_rdf_new_frm_data(LDNS_RDF_TYPE_INT16_DATA, 2u + mac->n, bytes);
}

static void ldns_takes_what_we_sign(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FR_TSIG_ALGORITHMS; i++) {
        struct fr_tsig_key key = key_of((enum fr_tsig_algorithm)i);
        uint8_t memory[2048];
        struct fr_tsig_mac mac;
        size_t n = question(memory, FR_DNS_IXFR);

        if (i == FR_TSIG_SHA224 || i == FR_TSIG_SHA384) continue; /* not known to ldns 1.8 */
        assert_int_equal(fr_tsig_sign(&key, FR_TSIG_REQUEST, NULL, FR_TSIG_NOERROR, NOW, memory,
                                      sizeof memory, &n, &mac),
                         FR_OK);
        ldns_pkt *pkt = parsed(memory, n);
        CHECK_ROW(fr_tsig_algorithm_text(key.algorithm),
                  ldns_pkt_tsig_verify(pkt, memory, n, "member.key", SECRET, NULL));
        ldns_pkt_free(pkt);
    }
}

/* Bytes of a packet that ldns signed. */
static size_t wire_of(ldns_pkt *pkt, uint8_t *memory, size_t max)
{
    uint8_t *wire = NULL;
    size_t n = 0;

    assert_int_equal(ldns_pkt2wire(&wire, pkt, &n), LDNS_STATUS_OK);
    assert_true(n <= max);
    memcpy(memory, wire, n);
    LDNS_FREE(wire);
    return n;
}

static void we_take_what_ldns_signs(void **state)
{
    uint8_t memory[2048];

    (void)state;
    for (unsigned i = 0; i < FR_TSIG_ALGORITHMS; i++) {
        struct fr_tsig_key key = key_of((enum fr_tsig_algorithm)i);
        char name[32];
        struct fr_tsig tsig;
        struct fr_tsig_mac mac;
        enum fr_tsig_error error;

        if (i == FR_TSIG_SHA224 || i == FR_TSIG_SHA384) continue; /* not known to ldns 1.8 */
        (void)snprintf(name, sizeof name, "%s.", fr_tsig_algorithm_text(key.algorithm));
        size_t n = question(memory, FR_DNS_AXFR);
        ldns_pkt *pkt = parsed(memory, n);
        assert_int_equal(ldns_pkt_tsig_sign(pkt, "member.key.", SECRET, 300, name, NULL),
                         LDNS_STATUS_OK);
        n = wire_of(pkt, memory, sizeof memory);
        ldns_pkt_free(pkt);
        assert_int_equal(fr_tsig_find(fr_span(memory, n), &tsig), FR_OK);
        assert_int_equal(fr_tsig_check(&key, FR_TSIG_REQUEST, NULL, NOW, fr_span(memory, n), &tsig,
                                       &error, &mac),
                         FR_OK);
        /* every byte of it counts; the ID in front does not, a forwarder may change it */
        for (size_t at = 2; at < n; at++) {
            memory[at] ^= 1;
            if (fr_tsig_find(fr_span(memory, n), &tsig) == FR_OK && tsig.mac.n == 32)
                assert_int_not_equal(fr_tsig_check(&key, FR_TSIG_REQUEST, NULL, NOW,
                                                   fr_span(memory, n), &tsig, &error, &mac),
                                     FR_OK);
            memory[at] ^= 1;
        }
    }
}

static void what_is_wrong_is_said(void **state)
{
    struct fr_tsig_key key = key_of(FR_TSIG_SHA256), other = key, longer = key;
    uint8_t memory[2048];
    struct fr_tsig tsig;
    struct fr_tsig_mac mac;
    enum fr_tsig_error error = FR_TSIG_NOERROR;
    const int64_t now = 1800000000;
    size_t n = question(memory, FR_DNS_SOA);

    (void)state;
    other.secret[0] ^= 1;
    longer.algorithm = FR_TSIG_SHA512;
    assert_int_equal(fr_tsig_find(fr_span(memory, n), &tsig), FR_E_NOT_FOUND);
    assert_int_equal(fr_tsig_sign(&key, FR_TSIG_REQUEST, NULL, FR_TSIG_NOERROR, now, memory,
                                  sizeof memory, &n, &mac),
                     FR_OK);
    const struct fr_span message = fr_span(memory, n);
    const struct {
        const char *label;
        const struct fr_tsig_key *key;
        int64_t now_s;
        enum fr_err err;
        enum fr_tsig_error error;
    } rows[] = {
        {"as signed", &key, now, FR_OK, FR_TSIG_NOERROR},
        {"five minutes late", &key, now + 300, FR_OK, FR_TSIG_NOERROR},
        {"five minutes early", &key, now - 300, FR_OK, FR_TSIG_NOERROR},
        {"later", &key, now + 301, FR_E_AUTH, FR_TSIG_BADTIME},
        {"earlier", &key, now - 301, FR_E_AUTH, FR_TSIG_BADTIME},
        {"another secret", &other, now, FR_E_AUTH, FR_TSIG_BADSIG},
        {"another algorithm", &longer, now, FR_E_AUTH, FR_TSIG_BADKEY},
    };
    assert_int_equal(fr_tsig_find(message, &tsig), FR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i].label, fr_tsig_check(rows[i].key, FR_TSIG_REQUEST, NULL, rows[i].now_s,
                                               message, &tsig, &error, &mac) == rows[i].err);
        CHECK_ROW(rows[i].label, error == rows[i].error);
    }
    tsig.mac.n = 16; /* half of it would be enough for an attacker with patience */
    assert_int_equal(fr_tsig_check(&key, FR_TSIG_REQUEST, NULL, now, message, &tsig, &error, &mac),
                     FR_E_AUTH);
    assert_int_equal(error, FR_TSIG_BADTRUNC);
}

static void a_record_that_is_cut_or_not_last_is_refused(void **state)
{
    struct fr_tsig_key key = key_of(FR_TSIG_SHA256);
    uint8_t memory[2048];
    struct fr_tsig tsig;
    struct fr_tsig_mac mac;
    size_t n = question(memory, FR_DNS_SOA);

    (void)state;
    assert_int_equal(fr_tsig_sign(&key, FR_TSIG_REQUEST, NULL, FR_TSIG_NOERROR, 1, memory,
                                  sizeof memory, &n, &mac),
                     FR_OK);
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);
        memcpy(copy, memory, cut);
        assert_int_not_equal(fr_tsig_find(fr_span(copy, cut), &tsig), FR_OK);
        free(copy);
    }
    /* signed twice: the first is not last */
    assert_int_equal(fr_tsig_sign(&key, FR_TSIG_REQUEST, NULL, FR_TSIG_NOERROR, 1, memory,
                                  sizeof memory, &n, &mac),
                     FR_OK);
    assert_int_equal(fr_tsig_find(fr_span(memory, n), &tsig), FR_E_MALFORMED);
    /* no room */
    n = question(memory, FR_DNS_SOA);
    assert_int_equal(
        fr_tsig_sign(&key, FR_TSIG_REQUEST, NULL, FR_TSIG_NOERROR, 1, memory, n + 20, &n, &mac),
        FR_E_LIMIT);
}

/* --- streams --- */

static size_t answer(uint8_t *memory, uint16_t id)
{
    struct fr_dns_writer w;
    struct fr_rr rr = {.type = FR_DNS_A, .class = FR_DNS_IN, .ttl = id};

    assert_int_equal(fr_dname_parse(fr_span_str("a.test"), &rr.owner), FR_OK);
    fr_dns_writer_init(&w, memory, 1024, 0x1234, FR_DNS_QR | FR_DNS_AA);
    assert_int_equal(fr_dns_write_rr(&w, FR_DNS_ANSWER, &rr), FR_OK);
    return fr_dns_writer_finish(&w).n;
}

static struct fr_tsig_mac request_mac(void)
{
    struct fr_tsig_mac mac = {.n = 32};

    memset(mac.b, 0x5a, 32);
    return mac;
}

/* ldns signs a stream whose every message is signed; the first covers the request's MAC, the others the one before and the
 * timers. */
static void we_take_a_stream_of_ldns(void **state)
{
    struct fr_tsig_key key = key_of(FR_TSIG_SHA256);
    struct fr_tsig_mac mac = request_mac();
    struct fr_tsig_stream stream;
    ldns_rdf *prior = mac_of(&mac);
    unsigned error = 0;

    (void)state;
    assert_int_equal(fr_tsig_stream_init(&stream, &key, &mac), FR_OK);
    for (uint16_t i = 0; i < 5; i++) {
        uint8_t memory[2048];
        size_t n = answer(memory, i);
        ldns_pkt *pkt = parsed(memory, n);
        assert_int_equal(
            i == 0 ? ldns_pkt_tsig_sign(pkt, "member.key.", SECRET, 300, "hmac-sha256.", prior)
                   : ldns_pkt_tsig_sign_next(pkt, "member.key.", SECRET, 300, "hmac-sha256.", prior,
                                             1),
            LDNS_STATUS_OK);
        n = wire_of(pkt, memory, sizeof memory);
        assert_int_equal(fr_tsig_stream_take(&stream, NOW, fr_span(memory, n), &error), FR_OK);
        assert_true(fr_tsig_stream_is_closed(&stream));
        ldns_rdf_deep_free(prior);
        prior = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(pkt), 3));
        ldns_pkt_free(pkt);
    }
    ldns_rdf_deep_free(prior);
    fr_tsig_stream_deinit(&stream);
}

enum { STREAM = 6 };

struct sent {
    uint8_t b[STREAM][1024];
    size_t n[STREAM];
};

/* Six messages of which those in `signed_mask` are signed: made by us as a primary would. */
static void send_some(struct sent *sent, unsigned signed_mask, const struct fr_tsig_key *key)
{
    struct fr_tsig_mac mac = request_mac();
    struct fr_tsig_stream out;

    assert_int_equal(fr_tsig_stream_init(&out, key, &mac), FR_OK);
    for (unsigned i = 0; i < STREAM; i++) {
        unsigned error;
        sent->n[i] = answer(sent->b[i], (uint16_t)i);
        if ((signed_mask >> i & 1) != 0)
            assert_int_equal(
                fr_tsig_stream_sign(&out, 1000, sent->b[i], sizeof sent->b[i], &sent->n[i]), FR_OK);
        else
            assert_int_equal(
                fr_tsig_stream_take(&out, 1000, fr_span(sent->b[i], sent->n[i]), &error), FR_OK);
    }
    fr_tsig_stream_deinit(&out);
}

/* Takes messages in the order given; FR_OK only if all are covered at the end. */
static enum fr_err receive(const struct sent *sent, const struct fr_tsig_key *key,
                           const unsigned *order, size_t n)
{
    struct fr_tsig_mac mac = request_mac();
    struct fr_tsig_stream in;
    enum fr_err err = fr_tsig_stream_init(&in, key, &mac);

    for (size_t i = 0; !err && i < n; i++) {
        unsigned error = 0;
        err = fr_tsig_stream_take(&in, 1000, fr_span(sent->b[order[i]], sent->n[order[i]]), &error);
    }
    if (!err && !fr_tsig_stream_is_closed(&in)) err = FR_E_AUTH;
    fr_tsig_stream_deinit(&in);
    return err;
}

static void a_stream_is_whole_and_in_order_or_refused(void **state)
{
    static const unsigned in_order[] = {0, 1, 2, 3, 4, 5}, swapped[] = {0, 2, 1, 3, 4, 5},
                          without[] = {0, 1, 3, 4, 5}, twice[] = {0, 1, 1, 2, 3, 4, 5};
    struct fr_tsig_key key = key_of(FR_TSIG_SHA512), other = key;
    struct sent sent;

    (void)state;
    other.secret[5] ^= 1;
    send_some(&sent, 0x29, &key); /* 0, 3 and 5 are signed: the others wait for those */
    assert_int_equal(receive(&sent, &key, in_order, 6), FR_OK);
    assert_int_equal(receive(&sent, &key, in_order, 5), FR_E_AUTH); /* its end is not covered */
    assert_int_equal(receive(&sent, &key, in_order, 4), FR_OK);
    assert_int_equal(receive(&sent, &key, swapped, 6), FR_E_AUTH);
    assert_int_equal(receive(&sent, &key, without, 5), FR_E_AUTH);
    assert_int_equal(receive(&sent, &key, twice, 7), FR_E_AUTH);
    assert_int_equal(receive(&sent, &other, in_order, 6), FR_E_AUTH);
    assert_int_equal(receive(&sent, &key, in_order + 1, 5), FR_E_AUTH); /* begins unsigned */
    sent.b[2][20] ^= 1;
    assert_int_equal(receive(&sent, &key, in_order, 6), FR_E_AUTH);
}

static void a_hundred_unsigned_messages_are_too_many(void **state)
{
    struct fr_tsig_key key = key_of(FR_TSIG_SHA256);
    struct fr_tsig_mac mac = request_mac();
    struct fr_tsig_stream out, in;
    uint8_t memory[1024];
    unsigned error = 0;
    size_t n = answer(memory, 0);

    (void)state;
    assert_int_equal(fr_tsig_stream_init(&out, &key, &mac), FR_OK);
    assert_int_equal(fr_tsig_stream_init(&in, &key, &mac), FR_OK);
    assert_int_equal(fr_tsig_stream_sign(&out, 1, memory, sizeof memory, &n), FR_OK);
    assert_int_equal(fr_tsig_stream_take(&in, 1, fr_span(memory, n), &error), FR_OK);
    n = answer(memory, 1);
    for (int i = 0; i < FR_TSIG_UNSIGNED_MAX; i++)
        assert_int_equal(fr_tsig_stream_take(&in, 1, fr_span(memory, n), &error), FR_OK);
    assert_int_equal(fr_tsig_stream_take(&in, 1, fr_span(memory, n), &error), FR_E_AUTH);
    fr_tsig_stream_deinit(&out);
    fr_tsig_stream_deinit(&in);
}

static void a_refusal_tells_its_reason(void **state)
{
    static const enum fr_tsig_error errors[] = {FR_TSIG_BADKEY, FR_TSIG_BADSIG, FR_TSIG_BADTIME};
    struct fr_tsig_key key = key_of(FR_TSIG_SHA256);
    struct fr_tsig_mac mac = request_mac(), out;

    (void)state;
    for (size_t i = 0; i < COUNT(errors); i++) {
        struct fr_tsig_stream in;
        uint8_t memory[1024];
        unsigned error = 0;
        size_t n = answer(memory, 0);

        assert_int_equal(fr_tsig_sign(&key, FR_TSIG_ANSWER, &mac, errors[i], 50, memory,
                                      sizeof memory, &n, &out),
                         FR_OK);
        assert_int_equal(fr_tsig_stream_init(&in, &key, &mac), FR_OK);
        assert_int_equal(fr_tsig_stream_take(&in, 50, fr_span(memory, n), &error), FR_E_AUTH);
        assert_int_equal(error, errors[i]);
        fr_tsig_stream_deinit(&in);
    }
}

static void every_algorithm_signs_for_itself(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FR_TSIG_ALGORITHMS; i++) {
        struct fr_tsig_key key = key_of((enum fr_tsig_algorithm)i);
        uint8_t memory[2048];
        struct fr_tsig tsig;
        struct fr_tsig_mac sent, got;
        enum fr_tsig_error error;
        size_t n = question(memory, FR_DNS_IXFR);

        assert_int_equal(fr_tsig_sign(&key, FR_TSIG_REQUEST, NULL, FR_TSIG_NOERROR, 9, memory,
                                      sizeof memory, &n, &sent),
                         FR_OK);
        assert_int_equal(fr_tsig_find(fr_span(memory, n), &tsig), FR_OK);
        assert_int_equal(
            fr_tsig_check(&key, FR_TSIG_REQUEST, NULL, 9, fr_span(memory, n), &tsig, &error, &got),
            FR_OK);
        assert_int_equal(got.n, sent.n);
        assert_memory_equal(got.b, sent.b, got.n);
    }
}

static void algorithms_have_names(void **state)
{
    enum fr_tsig_algorithm algorithm;

    (void)state;
    for (unsigned i = 0; i < FR_TSIG_ALGORITHMS; i++) {
        assert_true(
            fr_tsig_algorithm_parse(fr_tsig_algorithm_text((enum fr_tsig_algorithm)i), &algorithm));
        assert_int_equal(algorithm, i);
    }
    assert_true(fr_tsig_algorithm_parse("HMAC-SHA256.", &algorithm));
    assert_false(fr_tsig_algorithm_parse("hmac-md5", &algorithm));
    assert_false(fr_tsig_algorithm_parse("hmac-sha1", &algorithm));
    assert_false(fr_tsig_algorithm_parse("", &algorithm));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ldns_takes_what_we_sign),
        cmocka_unit_test(we_take_what_ldns_signs),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_record_that_is_cut_or_not_last_is_refused),
        cmocka_unit_test(we_take_a_stream_of_ldns),
        cmocka_unit_test(a_stream_is_whole_and_in_order_or_refused),
        cmocka_unit_test(a_hundred_unsigned_messages_are_too_many),
        cmocka_unit_test(a_refusal_tells_its_reason),
        cmocka_unit_test(every_algorithm_signs_for_itself),
        cmocka_unit_test(algorithms_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
