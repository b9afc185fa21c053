#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/loopback.h"
#include "support/unit.h"

/* The n-th allocation fails, for every n until none does: nothing leaks (ASan watches), every call is answered, and the next
 * request is served as if nothing had been. */

/* The server abandons a session that nghttp2 has left in pieces (h2_server.c, h2_reply). */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnghttp2";
}

struct outcome {
    bool is_done;
    enum fr_http_fault fault;
};

static void on_done(void *data, const struct fr_http_result *r)
{
    struct outcome *o = data;

    assert_false(o->is_done);
    o->is_done = true;
    o->fault = r->fault;
}

static void try_all(struct lb *lb, const char *host, struct fr_tls_ctx *tls, unsigned min_failures)
{
    const struct fr_http_field type = FR_HTTP_FIELD("content-type", "text/plain");
    const struct fr_http_request req = {.method = "POST",
                                        .target = "/echo?x",
                                        .fields = &type,
                                        .n_fields = 1,
                                        .body = fr_span_str("hello")};
    unsigned n = 0, faults = 0;
    bool has_failed = true;

    while (has_failed) {
        struct fr_http_client *client = lb_client(lb, host, tls, NULL);
        struct outcome o = {0};
        struct lb_answer after;

        fr_mem_fail_nth(++n);
        enum fr_err err = fr_http_send(client, &req, 2000, on_done, &o, NULL);
        for (int i = 0; i < 400 && !err && !o.is_done; i++) {
            if (i > 60)
                lb->skew_ms += 100; /* a peer that said nothing is found out by its deadline */
            (void)fr_loop_poll_turn(lb->loop, 1);
        }
        has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        assert_true(err == FR_E_NOMEM || o.is_done);
        if (err || o.fault != FR_HTTP_OK) faults++;
        if (!has_failed) assert_true(!err && o.fault == FR_HTTP_OK);

        lb_call(lb, client, "GET", "/echo", "", &after);
        if (after.fault != FR_HTTP_OK) fail_msg("after failure %u: %s", n, after.text);
        fr_http_client_free(client);
        lb_turns(lb, 3);
    }
    assert_true(n > min_failures && faults > 0);
    assert_int_equal(fr_http_server_counters(lb->server)->in_progress, 0);
}

static void plain_http1(void **state)
{
    struct lb lb;

    (void)state;
    lb_start(&lb, NULL);
    lb_listen(&lb);
    try_all(&lb, "h.test", NULL, 10);
    lb_stop(&lb);
}

static void http2_over_tls(void **state)
{
    struct test_ca *ca = test_ca_new("CA");
    struct test_id server, member;
    struct fr_tls_ctx *tls;
    struct lb lb;

    (void)state;
    test_issue(ca, &(struct test_leaf){.cn = "server", .names = {"h.test"}}, &server);
    test_issue(ca, &(struct test_leaf){.cn = "acme", .names = {"acme.member.test"}}, &member);
    tls = lb_client_ctx(&member, ca);
    lb_start(&lb, NULL);
    lb.services[0] =
        (struct lb_service){"h.test", lb_server_ctx(&server, ca), FR_TLS_CERT_REQUIRE, "x"};
    lb_listen_tls(&lb);
    try_all(&lb, "h.test", tls, 40);
    lb_stop(&lb);
    fr_tls_ctx_unref(tls);
    test_id_free(&server);
    test_id_free(&member);
    test_ca_free(ca);
}

static void making_things(void **state)
{
    const struct fr_http_server_conf conf = fr_http_server_conf_default();
    const struct fr_http_handler handler = {0};
    struct test_ca *ca = test_ca_new("CA");
    struct test_id id;
    bool has_failed = true;

    (void)state;
    test_issue(ca, &(struct test_leaf){.cn = "server", .names = {"h.test"}}, &id);
    for (unsigned n = 1; has_failed; n++) {
        struct fr_http_listen how = {.at.ip = {.family = 4, .b = {127, 0, 0, 1}}};
        struct fr_tls_pem pem = {.chain = fr_span_str(id.chain),
                                 .key = fr_span_str(id.key),
                                 .ca = fr_span_str(test_ca_pem(ca))};
        struct fr_http_server *server = NULL;
        struct fr_tls_acceptor *acceptor = NULL;
        struct fr_tls_ctx *ctx = NULL;
        struct fr_loop *loop = NULL;

        fr_mem_fail_nth(n);
        enum fr_err err = fr_loop_poll_new(NULL, &loop);
        if (!err) err = fr_http_server_new(loop, &conf, &handler, &server);
        if (!err) err = fr_tls_server_new(&pem, NULL, &ctx);
        if (!err) err = fr_tls_acceptor_new(60, 10, &acceptor);
        how.tls = acceptor;
        if (!err) err = fr_http_server_listen(server, &how, NULL, NULL);
        has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        assert_int_equal(err, has_failed ? FR_E_NOMEM : FR_OK);
        fr_http_server_free(server);
        fr_tls_acceptor_unref(acceptor);
        fr_tls_ctx_unref(ctx);
        fr_loop_poll_free(loop);
    }
    test_id_free(&id);
    test_ca_free(ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making_things),
        cmocka_unit_test(plain_http1),
        cmocka_unit_test(http2_over_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
