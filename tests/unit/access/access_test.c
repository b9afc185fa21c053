#include "access/access.h"

#include "store/authority.h"
#include "unit/answer/fixture.h"

static struct fr_tls_peer peer_of(uint8_t number)
{
    struct fr_tls_peer peer = {
        .has_serial = true, .not_before_s = NOT_BEFORE, .not_after_s = NOT_AFTER};

    peer.serial[FR_TLS_SERIAL - 1] = number;
    memset(peer.cert_sha256, 0xd0 + number, sizeof peer.cert_sha256);
    return peer;
}

static enum fr_access check(struct fixture *f, struct fr_access_seat *seat, uint8_t number,
                            int64_t now_s, uint32_t rights)
{
    struct fr_tls_peer peer = peer_of(number);

    return fr_access_check(seat, &peer, f->snap, now_s, rights);
}

static void known_certificates(void **state)
{
    struct fixture *f = *state;
    struct fr_access_seat ns = {0}, doh = {0};

    assert_int_equal(check(f, &ns, 1, NOW, FR_RIGHT_LOOKUP | FR_RIGHT_ROAM), FR_ACCESS_OK);
    assert_string_equal(ns.row.member, "acme");
    assert_int_equal(ns.row.netid, 0x000013);
    assert_int_equal(check(f, &doh, 2, NOW, FR_RIGHT_LOOKUP), FR_ACCESS_OK);
    assert_int_equal(check(f, &doh, 2, NOW, FR_RIGHT_ROAM), FR_ACCESS_NO_RIGHT);
    assert_int_equal(check(f, &doh, 2, NOW, FR_RIGHT_LOOKUP | FR_RIGHT_ROAM), FR_ACCESS_NO_RIGHT);
    assert_int_equal(check(f, &doh, 2, NOW, 0), FR_ACCESS_OK);
}

static void strangers(void **state)
{
    struct fixture *f = *state;
    struct fr_access_seat seat = {0};
    struct fr_tls_peer peer = peer_of(1);

    assert_int_equal(fr_access_check(&seat, NULL, f->snap, NOW, 0), FR_ACCESS_NO_CERTIFICATE);
    assert_int_equal(check(f, &seat, 9, NOW, 0), FR_ACCESS_UNKNOWN);

    peer.cert_sha256[31] ^= 1;
    seat = (struct fr_access_seat){0};
    assert_int_equal(fr_access_check(&seat, &peer, f->snap, NOW, 0), FR_ACCESS_DIFFERENT);
    peer = peer_of(1);
    peer.not_after_s++;
    seat = (struct fr_access_seat){0};
    assert_int_equal(fr_access_check(&seat, &peer, f->snap, NOW, 0), FR_ACCESS_DIFFERENT);
    peer = peer_of(1);
    peer.not_before_s--;
    seat = (struct fr_access_seat){0};
    assert_int_equal(fr_access_check(&seat, &peer, f->snap, NOW, 0), FR_ACCESS_DIFFERENT);
    peer = peer_of(1);
    peer.has_serial = false;
    seat = (struct fr_access_seat){0};
    assert_int_equal(fr_access_check(&seat, &peer, f->snap, NOW, 0), FR_ACCESS_UNKNOWN);
}

/* Dates are looked at on each request, also when nothing in the store moves. */
static void dates(void **state)
{
    struct fixture *f = *state;
    struct fr_access_seat seat = {0};

    assert_int_equal(check(f, &seat, 1, NOT_BEFORE - 1, 0), FR_ACCESS_NOT_YET);
    assert_int_equal(check(f, &seat, 1, NOT_BEFORE, 0), FR_ACCESS_OK);
    assert_int_equal(check(f, &seat, 1, NOT_AFTER, 0), FR_ACCESS_OK);
    assert_int_equal(check(f, &seat, 1, NOT_AFTER + 1, 0), FR_ACCESS_EXPIRED);
}

/* What a connection remembers ends with the store's next transaction. */
static void a_revocation_reaches_open_connections(void **state)
{
    struct fixture *f = *state;
    struct fr_access_seat ns = {0}, doh = {0};

    assert_int_equal(check(f, &ns, 1, NOW, 0), FR_ACCESS_OK);
    assert_int_equal(check(f, &doh, 2, NOW, 0), FR_ACCESS_OK);
    revoke_cert(f, 1);
    assert_int_equal(check(f, &ns, 1, NOW, 0), FR_ACCESS_REVOKED);
    assert_int_equal(check(f, &doh, 2, NOW, 0), FR_ACCESS_OK);
}

static void member_states(void **state)
{
    struct fixture *f = *state;
    struct fr_access_seat seat = {0};

    assert_int_equal(check(f, &seat, 2, NOW, 0), FR_ACCESS_OK);
    set_member_state(f, "acme", FR_MEMBER_SUSPENDED);
    assert_int_equal(check(f, &seat, 2, NOW, 0), FR_ACCESS_MEMBER_SUSPENDED);
    set_member_state(f, "acme", FR_MEMBER_ACTIVE);
    assert_int_equal(check(f, &seat, 2, NOW, 0), FR_ACCESS_OK);
}

static void network_states(void **state)
{
    struct fixture *f = *state;
    struct fr_access_seat ns = {0}, doh = {0};
    struct fr_change *change = change_begin(f);
    struct fr_diag diag = {0};

    must(fr_network_set_state(change, 0x000013, FR_NETWORK_SUSPENDED, &diag), &diag);
    change_end(f, change);
    assert_int_equal(check(f, &ns, 1, NOW, 0), FR_ACCESS_NETWORK_SUSPENDED);
    assert_int_equal(check(f, &doh, 2, NOW, 0), FR_ACCESS_OK);
}

/* A CA that signs no more is good; one that is at its end takes with it what it signed. */
static void the_end_of_a_ca_reaches_open_connections(void **state)
{
    static const enum fr_authority_state STEPS[] = {FR_AUTHORITY_TAINTED, FR_AUTHORITY_RETIRED,
                                                    FR_AUTHORITY_REVOKED};
    struct fixture *f = *state;
    struct fr_access_seat seat = {0};
    struct fr_diag diag = {0};
    struct fr_authority_row row = {
        .kind = FR_AUTHORITY_ISSUING, .state = FR_AUTHORITY_ACTIVE, .der_size = 1};

    assert_int_equal(check(f, &seat, 2, NOW, 0), FR_ACCESS_OK);
    (void)snprintf(row.name, sizeof row.name, "%s", seat.row.authority);
    struct fr_change *change = change_begin(f);
    must(fr_authority_add(change, &row, &diag), &diag);
    change_end(f, change);
    assert_int_equal(check(f, &seat, 2, NOW, 0), FR_ACCESS_OK);
    for (size_t i = 0; i < 3; i++) {
        change = change_begin(f);
        must(fr_authority_set_state(change, row.name, STEPS[i], 0, &diag), &diag);
        change_end(f, change);
        assert_int_equal(check(f, &seat, 2, NOW, 0), i == 0 ? FR_ACCESS_OK : FR_ACCESS_AUTHORITY);
    }
}

static void rights_change_without_a_new_certificate(void **state)
{
    struct fixture *f = *state;
    struct fr_access_seat seat = {0};
    struct fr_diag diag = {0};

    assert_int_equal(check(f, &seat, 2, NOW, FR_RIGHT_LOOKUP), FR_ACCESS_OK);
    struct fr_change *change = change_begin(f);
    must(fr_cert_row_set_rights(change, seat.row.serial, FR_RIGHT_PUBLISH, &diag), &diag);
    change_end(f, change);
    assert_int_equal(check(f, &seat, 2, NOW, FR_RIGHT_LOOKUP), FR_ACCESS_NO_RIGHT);
    assert_int_equal(check(f, &seat, 2, NOW, FR_RIGHT_PUBLISH), FR_ACCESS_OK);
}

static void verdicts_have_words(void **state)
{
    (void)state;
    for (int v = FR_ACCESS_OK; v < FR_ACCESS_COUNT; v++) {
        unsigned status = fr_access_status((enum fr_access)v);
        assert_non_null(fr_access_word((enum fr_access)v));
        assert_non_null(fr_access_sentence((enum fr_access)v));
        if (v == FR_ACCESS_OK || v == FR_ACCESS_NO_CERTIFICATE)
            assert_int_equal(status, 0);
        else
            assert_int_equal(status, v == FR_ACCESS_FAULT ? 503 : 403);
    }
}

static void server_names(void **state)
{
    static const struct {
        const char *sni;
        enum fr_service service;
    } rows[] = {
        {NULL, FR_SERVICE_BROKER},
        {"", FR_SERVICE_BROKER},
        {"broker.fed.test", FR_SERVICE_BROKER},
        {"Broker.FED.test", FR_SERVICE_BROKER},
        {"ca.fed.test", FR_SERVICE_CA},
        {"fed.test", FR_SERVICE_NONE},
        {"broker.fed2.test", FR_SERVICE_NONE},
        {"broker.fed.test.", FR_SERVICE_NONE},
        {"xbroker.fed.test", FR_SERVICE_NONE},
        {"broker.fed.tes", FR_SERVICE_NONE},
        {"broker", FR_SERVICE_NONE},
        {"localhost", FR_SERVICE_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (fr_service_of(FED, rows[i].sni) != rows[i].service) fail_msg("%s", rows[i].sni);
}

static void authorities(void **state)
{
    static const struct {
        const char *authority;
        bool broker, ca;
    } rows[] = {
        {"", true, true},
        {"broker.fed.test", true, false},
        {"broker.fed.test:8443", true, false},
        {"BROKER.fed.TEST.:8443", true, false},
        {"ca.fed.test", false, true},
        {"ca.fed.test:443", false, true},
        {"127.0.0.1", true, true},
        {"127.0.0.1:8443", true, true},
        {"[::1]", true, true},
        {"[::1]:8443", true, true},
        {"::1", false, false},
        {"[::1", false, false},
        {"[::1]x", false, false},
        {"[127.0.0.1]", false, false},
        {"[broker.fed.test]", false, false},
        {"broker.fed.test:x", false, false},
        {"broker.fed.test:80:80", false, false},
        {":8443", false, false},
        {"broker.other.test", false, false},
        {"fed.test", false, false},
        {"localhost", false, false},
        {"broker.fed.test@evil.test", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_span authority = fr_span_str(rows[i].authority);
        if (fr_service_answers(FR_SERVICE_BROKER, FED, authority) != rows[i].broker ||
            fr_service_answers(FR_SERVICE_CA, FED, authority) != rows[i].ca)
            fail_msg("%s", rows[i].authority);
        if (authority.n > 0)
            assert_false(fr_service_answers(FR_SERVICE_NONE, FED, fr_span_str("broker.fed.test")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(known_certificates, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(strangers, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(dates, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(a_revocation_reaches_open_connections, fixture_new,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(member_states, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(network_states, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(the_end_of_a_ca_reaches_open_connections, fixture_new,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(rights_change_without_a_new_certificate, fixture_new,
                                        fixture_free),
        cmocka_unit_test(verdicts_have_words),
        cmocka_unit_test(server_names),
        cmocka_unit_test(authorities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
