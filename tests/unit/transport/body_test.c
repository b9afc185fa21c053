#include <stdlib.h>
#include <string.h>

#include "support/loopback.h"
#include "support/unit.h"

/* Bodies that are taken as they come, and made as they are sent: by both protocols, over TLS. */

#define LARGE 300000

struct setup {
    struct test_ca *ca;
    struct test_id server, member;
    struct lb lb;
    struct fr_tls_ctx *ctx;
    struct fr_http_client *client;
};

static void start(struct setup *s, bool is_h2)
{
    struct fr_http_server_conf server = fr_http_server_conf_default();
    struct fr_http_client_conf client = fr_http_client_conf_default();
    *s = (struct setup){.ca = test_ca_new("root")};
    test_issue(s->ca, &(struct test_leaf){.cn = "server", .names = {"h.test"}}, &s->server);
    test_issue(s->ca, &(struct test_leaf){.cn = "acme", .names = {"acme.member.test"}}, &s->member);
    server.body_bytes = 1000;
    server.is_h2_off = !is_h2;
    lb_start(&s->lb, &server);
    s->lb.services[0] =
        (struct lb_service){"h.test", lb_server_ctx(&s->server, s->ca), FR_TLS_CERT_REQUIRE, "x"};
    lb_listen_tls(&s->lb);
    s->ctx = lb_client_ctx(&s->member, s->ca);
    s->client = lb_client(&s->lb, "h.test", s->ctx, &client);
}

static void stop(struct setup *s)
{
    fr_http_client_free(s->client);
    lb_stop(&s->lb);
    fr_tls_ctx_unref(s->ctx);
    test_id_free(&s->server);
    test_id_free(&s->member);
    test_ca_free(s->ca);
}

static char *text_of(size_t n)
{
    char *text = malloc(n + 1);
    assert_non_null(text);
    memset(text, 'x', n);
    text[n] = '\0';
    return text;
}

static void bodies_of_any_size_both_ways(void **state)
{
    static const size_t sizes[] = {1, 999, 1001, 16384, LARGE};
    (void)state;
    for (int is_h2 = 0; is_h2 < 2; is_h2++) {
        struct setup s;
        start(&s, is_h2);
        for (size_t i = 0; i < COUNT(sizes); i++) {
            struct lb_answer a;
            char *body = text_of(sizes[i]);
            lb_call(&s.lb, s.client, "POST", "/take", body, &a);
            assert_int_equal(a.fault, FR_HTTP_OK);
            assert_int_equal(a.proto, is_h2 ? FR_HTTP_2 : FR_HTTP_1_1);
            assert_int_equal(a.status, 200);
            assert_int_equal(a.body_n, sizes[i]);
            for (size_t at = 0; at < a.body_n && at < sizeof a.body - 1; at++)
                assert_int_equal(a.body[at], 'a' + at % 26);
            free(body);
        }
        assert_int_equal(s.lb.ended, COUNT(sizes));
        assert_int_equal(s.lb.requests, 0); /* none of them was gathered */
        stop(&s);
    }
}

static void other_bodies_keep_their_limit(void **state)
{
    (void)state;
    for (int is_h2 = 0; is_h2 < 2; is_h2++) {
        struct setup s;
        struct lb_answer a;
        char *body = text_of(1001);
        start(&s, is_h2);
        lb_call(&s.lb, s.client, "POST", "/echo", body, &a);
        assert_int_equal(a.status, 413);
        free(body);
        stop(&s);
    }
}

static void an_answer_may_come_before_the_body(void **state)
{
    (void)state;
    for (int is_h2 = 0; is_h2 < 2; is_h2++) {
        struct setup s;
        struct lb_answer a;
        char *body = text_of(20000);
        start(&s, is_h2);
        lb_call(&s.lb, s.client, "POST", "/no", body, &a);
        assert_int_equal(a.status, 403);
        assert_int_equal(s.lb.requests, 0);
        lb_call(&s.lb, s.client, "GET", "/echo", "", &a);
        assert_int_equal(a.status, 200);
        free(body);
        stop(&s);
    }
}

/* The peer gives up in the middle, before and behind the body's end. */
static void a_peer_may_go(void **state)
{
    (void)state;
    for (int is_h2 = 0; is_h2 < 2; is_h2++) {
        struct setup s;
        char *body = text_of(LARGE);
        start(&s, is_h2);
        for (int i = 0; i < 40; i++) {
            struct lb_answer a;
            lb_send(s.client, "POST", "/take", body, &a);
            lb_turns(&s.lb, i);
            if (!a.is_done) fr_http_cancel(a.call);
            lb_turns(&s.lb, 5);
        }
        free(body);
        fr_http_client_free(s.client);
        s.client = NULL;
        lb_turns(&s.lb, 20);
        assert_int_equal(fr_http_server_counters(s.lb.server)->open, 0);
        assert_true(s.lb.gone > 0);
        stop(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_of_any_size_both_ways),
        cmocka_unit_test(other_bodies_keep_their_limit),
        cmocka_unit_test(an_answer_may_come_before_the_body),
        cmocka_unit_test(a_peer_may_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
