#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#include "support/loopback.h"
#include "support/unit.h"

/* Two federations, A and B, each with its own CA; broker.a and broker.b require a client certificate, ca.a asks for one. */
struct world {
    struct test_ca *ca_a, *ca_b;
    struct test_id server_a, server_b, member_a, member_b, expired_a, wrong_name_a;
};

static struct world W;

static int make_world(void **state)
{
    (void)state;
    W.ca_a = test_ca_new("CA of A");
    W.ca_b = test_ca_new("CA of B");
    test_issue(W.ca_a, &(struct test_leaf){.cn = "server", .names = {"broker.a.test", "ca.a.test"}},
               &W.server_a);
    test_issue(W.ca_b, &(struct test_leaf){.cn = "server", .names = {"broker.b.test"}},
               &W.server_b);
    test_issue(W.ca_a, &(struct test_leaf){.cn = "acme", .names = {"acme.member.a.test"}},
               &W.member_a);
    test_issue(W.ca_b, &(struct test_leaf){.cn = "bolt", .names = {"bolt.member.b.test"}},
               &W.member_b);
    test_issue(W.ca_a,
               &(struct test_leaf){
                   .cn = "old", .names = {"old.member.a.test"}, .from_s = -7000, .to_s = -60},
               &W.expired_a);
    test_issue(W.ca_a, &(struct test_leaf){.cn = "other", .names = {"other.a.test"}},
               &W.wrong_name_a);
    return 0;
}

static int free_world(void **state)
{
    struct test_id *ids[] = {&W.server_a, &W.server_b,  &W.member_a,
                             &W.member_b, &W.expired_a, &W.wrong_name_a};

    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) test_id_free(ids[i]);
    test_ca_free(W.ca_a);
    test_ca_free(W.ca_b);
    return 0;
}

static void start(struct lb *lb)
{
    lb_start(lb, NULL);
    lb->services[0] = (struct lb_service){"broker.a.test", lb_server_ctx(&W.server_a, W.ca_a),
                                          FR_TLS_CERT_REQUIRE, "A"};
    lb->services[1] = (struct lb_service){"broker.b.test", lb_server_ctx(&W.server_b, W.ca_b),
                                          FR_TLS_CERT_REQUIRE, "B"};
    lb->services[2] = (struct lb_service){"ca.a.test", lb_server_ctx(&W.server_a, W.ca_a),
                                          FR_TLS_CERT_REQUEST, "caA"};
    lb_listen_tls(lb);
}

/* One request over a connection of its own. */
static void once(struct lb *lb, const char *host, const struct test_id *id,
                 const struct test_ca *ca, struct lb_answer *out)
{
    struct fr_tls_ctx *ctx = lb_client_ctx(id, ca);
    struct fr_http_client *client = lb_client(lb, host, ctx, NULL);

    lb_call(lb, client, "GET", "/peer", "", out);
    fr_http_client_free(client);
    fr_tls_ctx_unref(ctx);
    lb_turns(lb, 3);
}

static void who_may_connect(void **state)
{
    static const struct {
        const char *label, *host;
        const struct test_id *id;
        bool is_ca_b;
        enum fr_http_fault fault;
        const char *body, *text, *alert, *refusal;
    } rows[] = {
        {"member", "broker.a.test", &W.member_a, false, FR_HTTP_OK,
         "CN=acme full acme.member.a.test", "", "", ""},
        {"member of B", "broker.b.test", &W.member_b, true, FR_HTTP_OK,
         "CN=bolt full bolt.member.b.test", "", "", ""},
        {"no certificate where one is asked", "ca.a.test", NULL, false, FR_HTTP_OK,
         "none ca.a.test", "", "", ""},
        {"certificate where one is asked", "ca.a.test", &W.member_a, false, FR_HTTP_OK,
         "CN=acme full acme.member.a.test", "", "", ""},
        {"no certificate", "broker.a.test", NULL, false, FR_HTTP_TLS_ALERT, "",
         "your certificate was refused by broker.a.test", "certificate required",
         "no client certificate"},
        {"certificate of another CA", "broker.a.test", &W.member_b, false, FR_HTTP_TLS_ALERT, "",
         "unknown ca", "unknown ca", "unable to get local issuer certificate"},
        {"certificate of another CA where one is asked", "ca.a.test", &W.member_b, false,
         FR_HTTP_TLS_ALERT, "", "unknown ca", "unknown ca",
         "unable to get local issuer certificate"},
        {"expired", "broker.a.test", &W.expired_a, false, FR_HTTP_TLS_ALERT, "",
         "certificate expired", "certificate expired", "certificate has expired"},
        {"unknown name", "broker.c.test", &W.member_a, false, FR_HTTP_TLS_ALERT, "",
         "refused the connection", "unrecognized name", "unknown server name"},
        {"no name", "127.0.0.1", &W.member_a, false, FR_HTTP_TLS_ALERT, "",
         "refused the connection", "unrecognized name", "no server name"},
        {"server of another CA", "broker.b.test", &W.member_b, false, FR_HTTP_TLS_UNTRUSTED, "",
         "is not trusted", "", "the peer refused us: unknown ca"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lb lb;
        struct lb_answer a;

        start(&lb);
        once(&lb, rows[i].host, rows[i].id, rows[i].is_ca_b ? W.ca_b : W.ca_a, &a);
        if (a.fault != rows[i].fault || !strstr(a.text, rows[i].text) ||
            strcmp(a.alert, rows[i].alert) != 0 || strcmp(a.body, rows[i].body) != 0 ||
            !strstr(lb.refusal, rows[i].refusal))
            fail_msg("%s: fault %s text \"%s\" alert \"%s\" body \"%s\" refusal \"%s\"",
                     rows[i].label, fr_http_fault_word(a.fault), a.text, a.alert, a.body,
                     lb.refusal);
        CHECK_ROW(rows[i].label, (lb.refusals > 0) == (rows[i].fault != FR_HTTP_OK));
        CHECK_ROW(rows[i].label, a.has_cert == (rows[i].fault == FR_HTTP_OK));
        lb_stop(&lb);
    }
}

static void a_certificate_for_another_name_is_not_accepted(void **state)
{
    struct lb lb;
    struct lb_answer a;

    (void)state;
    lb_start(&lb, NULL);
    lb.services[0] = (struct lb_service){"broker.a.test", lb_server_ctx(&W.wrong_name_a, W.ca_a),
                                         FR_TLS_CERT_NONE, "A"};
    lb_listen_tls(&lb);
    once(&lb, "broker.a.test", NULL, W.ca_a, &a);
    assert_int_equal(a.fault, FR_HTTP_TLS_NAME);
    assert_non_null(strstr(a.text, "is not for the name broker.a.test"));
    assert_int_equal(lb.requests, 0);
    lb_stop(&lb);
}

static void resumption_works_again_and_again_and_carries_the_identity(void **state)
{
    struct lb lb;
    struct lb_answer a;
    struct fr_tls_ctx *ctx = lb_client_ctx(&W.member_a, W.ca_a);

    (void)state;
    start(&lb);
    struct fr_http_client *client = lb_client(&lb, "broker.a.test", ctx, NULL);
    for (int i = 0; i < 4; i++) {
        lb_call(&lb, client, "GET", "/peer", "", &a);
        assert_string_equal(a.body, i ? "CN=acme resumed acme.member.a.test"
                                      : "CN=acme full acme.member.a.test");
        assert_true(a.is_new_connection);
        fr_http_client_close_idle(client);
        lb_turns(&lb, 3);
    }
    assert_int_equal(fr_http_client_counters(client)->handshakes, 4);
    assert_int_equal(fr_http_client_counters(client)->handshakes_resumed, 3);
    assert_int_equal(fr_http_server_counters(lb.server)->handshakes_resumed, 3);

    assert_in_range(fr_tls_acceptor_sessions(lb.acceptor), 1, 4);
    fr_tls_acceptor_flush(lb.acceptor); /* what a revocation does */
    assert_int_equal(fr_tls_acceptor_sessions(lb.acceptor), 0);
    lb_call(&lb, client, "GET", "/peer", "", &a);
    assert_string_equal(a.body, "CN=acme full acme.member.a.test");
    fr_http_client_free(client);
    fr_tls_ctx_unref(ctx);
    lb_stop(&lb);
}

static void a_kept_connection_serves_many_requests(void **state)
{
    struct lb lb;
    struct lb_answer a;
    struct fr_tls_ctx *ctx = lb_client_ctx(&W.member_a, W.ca_a);

    (void)state;
    start(&lb);
    struct fr_http_client *client = lb_client(&lb, "broker.a.test", ctx, NULL);
    for (int i = 0; i < 10; i++) {
        lb_call(&lb, client, "POST", "/echo?q", "hello", &a);
        assert_int_equal(a.fault, FR_HTTP_OK);
        assert_int_equal(a.proto, FR_HTTP_2);
        assert_string_equal(a.body, "POST /echo?q hello");
        assert_string_equal(a.type, "text/x-echo");
        assert_int_equal(a.is_new_connection, i == 0);
    }
    assert_int_equal(fr_http_client_counters(client)->connects, 1);
    assert_int_equal(fr_http_client_counters(client)->round_trips, 2 + 10);
    fr_http_client_free(client);
    fr_tls_ctx_unref(ctx);
    lb_stop(&lb);
}

/* A client of ours cannot be made to offer a session elsewhere: plain OpenSSL here, on the server's loop. */
struct raw_tls {
    SSL_CTX *ctx;
    SSL_SESSION *session;
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct raw_tls *r = SSL_get_app_data(ssl);

    SSL_SESSION_free(r->session);
    r->session = session;
    return 1;
}

static void raw_tls_init(struct raw_tls *r, const struct test_id *id, int version)
{
    *r = (struct raw_tls){.ctx = SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_min_proto_version(r->ctx, version);
    SSL_CTX_set_max_proto_version(r->ctx, version);
    SSL_CTX_set_session_cache_mode(r->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(r->ctx, keep_session);
    if (id) {
        BIO *bio = BIO_new_mem_buf(id->chain, -1);
        X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        BIO_free(bio);
        bio = BIO_new_mem_buf(id->key, -1);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        BIO_free(bio);
        assert_int_equal(SSL_CTX_use_certificate(r->ctx, cert), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(r->ctx, key), 1);
        X509_free(cert);
        EVP_PKEY_free(key);
    }
}

static void raw_tls_deinit(struct raw_tls *r)
{
    SSL_SESSION_free(r->session);
    SSL_CTX_free(r->ctx);
}

/* Connects with SNI `host` (NULL: none) and ALPN `alpn` (NULL: none), sends `text`; returns what came back ("" when the
 * connection was refused). */
static const char *raw_tls_ask(struct lb *lb, struct raw_tls *r, const char *host, const char *alpn,
                               const char *text, bool *out_resumed)
{
    static char answer[8192];
    const struct fr_addr *at = fr_http_listener_addr(lb->listener);
    int fd = -1, errnum, rc = -1, got = 0;
    bool is_sent = false;
    SSL *ssl = SSL_new(r->ctx);

    assert_int_equal(fr_socket_connect(at, &fd, &errnum), FR_OK);
    SSL_set_app_data(ssl, r);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    if (host) SSL_set_tlsext_host_name(ssl, host);
    if (alpn) SSL_set_alpn_protos(ssl, (const unsigned char *)alpn, (unsigned)strlen(alpn));
    if (r->session) SSL_set_session(ssl, r->session);
    for (int i = 0; i < 60; i++) {
        (void)fr_loop_poll_turn(lb->loop, 2);
        if (!SSL_is_init_finished(ssl)) {
            rc = SSL_do_handshake(ssl);
            if (rc != 1 && SSL_get_error(ssl, rc) != SSL_ERROR_WANT_READ &&
                SSL_get_error(ssl, rc) != SSL_ERROR_WANT_WRITE)
                break;
            continue;
        }
        if (!is_sent) is_sent = SSL_write(ssl, text, (int)strlen(text)) > 0;
        rc = SSL_read(ssl, answer + got, (int)sizeof answer - 1 - got);
        if (rc > 0) got += rc;
        if (rc <= 0 && SSL_get_error(ssl, rc) != SSL_ERROR_WANT_READ) break;
    }
    answer[got] = '\0';
    *out_resumed = SSL_session_reused(ssl) == 1;
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
    close(fd);
    lb_turns(lb, 3);
    return answer;
}

#define ASK_PEER "GET /peer HTTP/1.1\r\nHost: x\r\n\r\n"

static void a_session_of_one_service_does_not_resume_on_another(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct raw_tls member, stranger;
        struct lb lb;
        bool is_resumed;

        start(&lb);
        raw_tls_init(&member, &W.member_a, versions[v]);
        raw_tls_init(&stranger, NULL, versions[v]);

        assert_non_null(
            strstr(raw_tls_ask(&lb, &member, "broker.a.test", NULL, ASK_PEER, &is_resumed),
                   "CN=acme full"));
        assert_false(is_resumed);
        assert_non_null(
            strstr(raw_tls_ask(&lb, &member, "broker.a.test", NULL, ASK_PEER, &is_resumed),
                   "CN=acme resumed"));
        assert_true(is_resumed);

        /* A's session at B: a full handshake, in which A's certificate is worth nothing */
        unsigned before = lb.requests;
        assert_string_equal(raw_tls_ask(&lb, &member, "broker.b.test", NULL, ASK_PEER, &is_resumed),
                            "");
        assert_false(is_resumed);
        assert_int_equal(lb.requests, before);

        /* a session made without a certificate at ca.a: no way into broker.a */
        assert_non_null(
            strstr(raw_tls_ask(&lb, &stranger, "ca.a.test", NULL, ASK_PEER, &is_resumed),
                   "none ca.a.test"));
        assert_non_null(
            strstr(raw_tls_ask(&lb, &stranger, "ca.a.test", NULL, ASK_PEER, &is_resumed),
                   "none ca.a.test"));
        assert_true(is_resumed);
        before = lb.requests;
        assert_string_equal(
            raw_tls_ask(&lb, &stranger, "broker.a.test", NULL, ASK_PEER, &is_resumed), "");
        assert_false(is_resumed);
        assert_int_equal(lb.requests, before);

        /* the same service without naming it: there is no such service here */
        assert_string_equal(raw_tls_ask(&lb, &member, NULL, NULL, ASK_PEER, &is_resumed), "");
        raw_tls_deinit(&member);
        raw_tls_deinit(&stranger);
        lb_stop(&lb);
    }
}

static void alpn_decides(void **state)
{
    static const struct {
        const char *label, *alpn, *begins; /* begins NULL: refused */
    } rows[] = {
        {"none", NULL, "HTTP/1.1 200 OK"},
        {"http/1.1", "\x08http/1.1", "HTTP/1.1 200 OK"},
        {"http/1.1 and another",
         "\x03"
         "foo\x08http/1.1",
         "HTTP/1.1 200 OK"},
        {"neither",
         "\x03"
         "dot",
         NULL},
        {"http/1.0", "\x08http/1.0", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct raw_tls member;
        struct lb lb;
        bool is_resumed;

        start(&lb);
        raw_tls_init(&member, &W.member_a, TLS1_3_VERSION);
        const char *answer =
            raw_tls_ask(&lb, &member, "broker.a.test", rows[i].alpn, ASK_PEER, &is_resumed);
        if (rows[i].begins)
            CHECK_ROW(rows[i].label, strncmp(answer, rows[i].begins, strlen(rows[i].begins)) == 0);
        else
            CHECK_ROW(rows[i].label,
                      strcmp(answer, "") == 0 && strstr(lb.refusal, "no application protocol"));
        raw_tls_deinit(&member);
        lb_stop(&lb);
    }
}

static void upper_case_names_are_the_same_name(void **state)
{
    struct raw_tls member;
    struct lb lb;
    bool is_resumed;

    (void)state;
    start(&lb);
    raw_tls_init(&member, &W.member_a, TLS1_3_VERSION);
    assert_non_null(
        strstr(raw_tls_ask(&lb, &member, "BROKER.a.Test", NULL, ASK_PEER, &is_resumed), "CN=acme"));
    raw_tls_deinit(&member);
    lb_stop(&lb);
}

static void bad_pem_is_told(void **state)
{
    static const struct {
        const char *label;
        int chain, key, ca; /* 0 none, 1 right, 2 another's, 3 garbage */
        const char *what;
    } rows[] = {
        {"garbage chain", 3, 1, 1, "no usable certificate"},
        {"garbage key", 1, 3, 1, "no usable private key"},
        {"key of another", 1, 2, 1, "does not belong"},
        {"no key", 1, 0, 1, "no usable private key"},
        {"garbage CA", 1, 1, 3, "no CA certificate"},
    };
    const char *garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *chains[] = {"", W.server_a.chain, W.server_b.chain, garbage};
        const char *keys[] = {"", W.server_a.key, W.server_b.key, garbage};
        const char *cas[] = {"", test_ca_pem(W.ca_a), test_ca_pem(W.ca_b), garbage};
        struct fr_tls_pem pem = {.chain = fr_span_str(chains[rows[i].chain]),
                                 .key = fr_span_str(keys[rows[i].key]),
                                 .ca = fr_span_str(cas[rows[i].ca]),
                                 .name = "x.pem"};
        struct fr_tls_ctx *ctx = NULL;
        struct fr_diag diag = {0};

        CHECK_ROW(rows[i].label, fr_tls_server_new(&pem, &diag, &ctx) == FR_E_MALFORMED && !ctx);
        CHECK_ROW(rows[i].label,
                  strstr(diag.what, rows[i].what) && strcmp(diag.where, "x.pem") == 0);
    }
}

static void new_credentials_replace_the_old_ones(void **state)
{
    struct lb lb;
    struct lb_answer a;
    struct test_id second;
    struct fr_tls_ctx *first_ctx = lb_client_ctx(&W.member_a, W.ca_a), *second_ctx;

    (void)state;
    test_issue(W.ca_a, &(struct test_leaf){.cn = "acme2", .names = {"acme2.member.a.test"}},
               &second);
    second_ctx = lb_client_ctx(&second, W.ca_a);
    start(&lb);
    struct fr_http_client *client = lb_client(&lb, "broker.a.test", first_ctx, NULL);
    lb_call(&lb, client, "GET", "/peer", "", &a);
    fr_http_client_set_tls(client, second_ctx);
    lb_call(&lb, client, "GET", "/peer", "", &a);
    assert_string_equal(a.body, "CN=acme2 full acme2.member.a.test");

    /* and the server's: a fresh context serves new connections, old ones live on */
    struct fr_tls_ctx *old = lb.services[0].ctx;
    lb.services[0].ctx = lb_server_ctx(&W.server_a, W.ca_a);
    fr_tls_ctx_unref(old);
    lb_call(&lb, client, "GET", "/peer", "", &a);
    assert_false(a.is_new_connection);
    fr_http_client_close_idle(client);
    lb_call(&lb, client, "GET", "/peer", "", &a);
    assert_int_equal(a.fault, FR_HTTP_OK);
    fr_http_client_free(client);
    fr_tls_ctx_unref(first_ctx);
    fr_tls_ctx_unref(second_ctx);
    test_id_free(&second);
    lb_stop(&lb);
}

static void a_slow_handshake_is_given_up(void **state)
{
    struct lb lb;
    int fd = -1, errnum;
    char byte;

    (void)state;
    start(&lb);
    assert_int_equal(fr_socket_connect(fr_http_listener_addr(lb.listener), &fd, &errnum), FR_OK);
    lb_turns(&lb, 3);
    assert_int_equal(write(fd, "\x16", 1), 1);
    lb.skew_ms += 4900;
    lb_turns(&lb, 3);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 1);
    lb.skew_ms += 200;
    lb_turns(&lb, 3);
    assert_int_equal(fr_http_server_counters(lb.server)->open, 0);
    assert_int_equal(fr_http_server_counters(lb.server)->late_handshake, 1);
    assert_string_equal(lb.refusal, "handshake took too long");
    assert_true(read(fd, &byte, 1) <= 0);
    close(fd);
    lb_stop(&lb);
}

static void plain_http_to_a_tls_port_is_refused(void **state)
{
    struct lb lb;
    bool is_closed;

    (void)state;
    start(&lb);
    const char *answer = lb_raw(&lb, ASK_PEER, strlen(ASK_PEER), 0, &is_closed);
    assert_null(strstr(answer, "HTTP/1.1 200"));
    assert_true(is_closed);
    assert_int_equal(lb.requests, 0);
    assert_int_equal(lb.refusals, 1);
    lb_stop(&lb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_connect),
        cmocka_unit_test(a_certificate_for_another_name_is_not_accepted),
        cmocka_unit_test(resumption_works_again_and_again_and_carries_the_identity),
        cmocka_unit_test(a_kept_connection_serves_many_requests),
        cmocka_unit_test(a_session_of_one_service_does_not_resume_on_another),
        cmocka_unit_test(alpn_decides),
        cmocka_unit_test(upper_case_names_are_the_same_name),
        cmocka_unit_test(bad_pem_is_told),
        cmocka_unit_test(a_slow_handshake_is_given_up),
        cmocka_unit_test(plain_http_to_a_tls_port_is_refused),
        cmocka_unit_test(new_credentials_replace_the_old_ones),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
