#include <openssl/pem.h>
#include <string.h>

#include "support/test_pki.h"
#include "support/unit.h"
#include "transport/tls_ctx.h"

/* What a session keeps of a client: written, read again, and cut short. That sessions carry it over TLS: tls_test.c. */

static struct fr_tls_peer *peer_of(const char *pem)
{
    struct fr_tls_peer *peer = NULL;
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    unsigned char *der = NULL;
    int n = i2d_X509(cert, &der);

    assert_true(n > 0);
    assert_int_equal(fr_tls_peer_of(fr_span(der, (size_t)n), &peer), FR_OK);
    OPENSSL_free(der);
    X509_free(cert);
    BIO_free(bio);
    return peer;
}

static void what_is_kept_of_a_peer_comes_back(void **state)
{
    struct test_ca *ca = test_ca_new("CA");
    struct fr_tls_peer *peer, *again = NULL;
    struct test_id id;
    uint8_t kept[1024];
    struct fr_wr w = fr_wr(kept, sizeof kept);

    (void)state;
    test_issue(ca, &(struct test_leaf){.cn = "acme", .names = {"acme.member.test", "b.test"}}, &id);
    peer = peer_of(id.chain);
    fr_tls_peer_write(peer, &w);
    assert_int_equal(fr_wr_err(&w), FR_OK);
    assert_int_equal(fr_tls_peer_restore(fr_span(kept, w.at), &again), FR_OK);
    assert_memory_equal(again->cert_sha256, peer->cert_sha256, 32);
    assert_memory_equal(again->spki_sha256, peer->spki_sha256, 32);
    assert_memory_equal(again->serial, peer->serial, FR_TLS_SERIAL);
    assert_int_equal(again->has_serial, peer->has_serial);
    assert_true(again->not_before_s == peer->not_before_s);
    assert_true(again->not_after_s == peer->not_after_s);
    assert_int_equal(again->n_names, 2);
    assert_string_equal(again->names[0], "acme.member.test");
    assert_string_equal(again->names[1], "b.test");
    assert_string_equal(again->subject, peer->subject);
    assert_true(again->is_resumed && !peer->is_resumed);
    fr_tls_peer_unref(again);

    for (size_t n = 0; n < w.at; n++) {
        again = NULL;
        assert_int_equal(fr_tls_peer_restore(fr_span(kept, n), &again), FR_E_MALFORMED);
        assert_null(again);
    }
    kept[w.at] = 0;
    assert_int_equal(fr_tls_peer_restore(fr_span(kept, w.at + 1), &again), FR_E_MALFORMED);
    fr_tls_peer_unref(peer);
    test_id_free(&id);
    test_ca_free(ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_of_a_peer_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
