#include "resolver/answer.h"

#include <netinet/in.h>

#include "message.h"

#include "base/mem.h"
#include "resolver/doh.h"
#include "resolver/options.h"

static struct fr_federation_opt federation = {.name = (char[]){"fed.test"},
                                              .ca = (char[]){"ca"},
                                              .chain = (char[]){"chain"},
                                              .key = (char[]){"key"}};

static const struct fr_question device = {FEDROAM_DEVICE, 0x70b3d57ed0000001};

static struct fr_place *make_place(void)
{
    static const char names[] = "\0e1.000013.netid.fed.test\0e2.000013.netid.fed.test";
    struct fr_place *p = fr_calloc(1, sizeof *p + sizeof names);
    assert_non_null(p);
    p->ttl_s = 60;
    p->n_endpoints = 3;
    p->endpoints[0] = (struct fr_place_endpoint){.addr = {{4, {192, 0, 2, 1}}, 8005}, .host_at = 1};
    p->endpoints[1] = (struct fr_place_endpoint){
        .addr = {{6, {0x20, 1, 0xd, 0xb8, [15] = 1}}, 8005}, .host_at = 1};
    p->endpoints[2] =
        (struct fr_place_endpoint){.addr = {{4, {192, 0, 2, 2}}, 8006}, .host_at = 26};
    p->n_pins = 2;
    memset(p->pins[1], 0xab, FR_PIN_SIZE);
    p->text_n = sizeof names;
    memcpy(p->text, names, sizeof names);
    return p;
}

static uint64_t draws = 1;

static enum fr_err found(const struct fr_place *place, uint32_t ttl_s,
                         enum fedroam_freshness freshness, struct fedroam_answer **out)
{
    const struct fr_answer_place found = {0x13, place, ttl_s, freshness, &draws};
    return fr_answer_found(device, &federation, &found, out);
}

static void check_found(const struct fedroam_answer *a)
{
    socklen_t n = 0;
    const struct sockaddr *sa = fedroam_answer_endpoint(a, 1, &n);
    assert_int_equal(fedroam_answer_result(a), FEDROAM_FOUND);
    assert_int_equal(fedroam_answer_endpoint_count(a), 3);
    assert_int_equal(sa->sa_family, AF_INET6);
    assert_int_equal(n, sizeof(struct sockaddr_in6));
    assert_int_equal(ntohs(((const struct sockaddr_in6 *)sa)->sin6_port), 8005);
    assert_string_equal(fedroam_answer_endpoint_text(a, 1), "[2001:db8::1]:8005");
    assert_string_equal(fedroam_answer_endpoint_host(a, 1), "e1.000013.netid.fed.test");
    assert_string_equal(fedroam_answer_endpoint_host(a, 2), "e2.000013.netid.fed.test");
    assert_int_equal(fedroam_answer_endpoint_port(a, 2), 8006);
    assert_int_equal(fedroam_answer_endpoint_port(a, 3), 0);
    assert_int_equal(fedroam_answer_pin_count(a), 2);
    assert_int_equal(fedroam_answer_pin(a, 1)[31], 0xab);
    assert_null(fedroam_answer_pin(a, 2));
    assert_string_equal(fedroam_answer_tls_name(a), "000013.netid.fed.test");
    assert_string_equal(fedroam_answer_key_path(a), "key");
    assert_int_equal(fedroam_answer_ede(a), -1);
}

static void test_found_and_its_copy(void **state)
{
    (void)state;
    struct fedroam_answer *a = NULL, *copy = NULL;
    struct fr_place *place = make_place();
    assert_int_equal(found(place, 17, FEDROAM_CACHED, &a), FR_OK);
    fr_place_free(place);
    check_found(a);
    assert_int_equal(fedroam_answer_ttl(a), 17);
    copy = fedroam_answer_dup(a);
    fedroam_answer_free(a);
    check_found(copy); /* it borrows nothing */
    assert_int_equal(fedroam_answer_freshness(copy), FEDROAM_CACHED);
    fedroam_answer_free(copy);
    fedroam_answer_free(NULL);
}

/* A Join Server of the federation, and one of a public tree: the same places, but whose certificate. */
static void test_join_servers(void **state)
{
    (void)state;
    static const char texts[] = "\0js.example\0/join\0tree.example";
    const struct fr_question q = {FEDROAM_JOIN_SERVER, 0x7000000000000008};
    struct fr_place *p = fr_calloc(1, sizeof *p + sizeof texts);
    struct fedroam_answer *a = NULL;
    socklen_t n = 0;
    assert_non_null(p);
    p->text_n = sizeof texts;
    memcpy(p->text, texts, sizeof texts);
    p->n_endpoints = 3;
    p->endpoints[0] = (struct fr_place_endpoint){.addr = {{4, {192, 0, 2, 1}}, 443},
                                                 .host_at = 1,
                                                 .path_at = 12,
                                                 .service = FEDROAM_SERVICE_LWNS};
    p->endpoints[1] = (struct fr_place_endpoint){
        .addr = {{0}, 8443}, .host_at = 1, .path_at = 12, .service = FEDROAM_SERVICE_LWNS};
    p->endpoints[2] = (struct fr_place_endpoint){.addr = {{4, {192, 0, 2, 2}}, 8080},
                                                 .host_at = 1,
                                                 .path_at = 12,
                                                 .service = FEDROAM_SERVICE_LWN};
    struct fr_answer_place found = {FEDROAM_NO_NETID, p, 60, FEDROAM_FRESH, &draws};
    assert_int_equal(fr_answer_found(q, &federation, &found, &a), FR_OK);
    assert_string_equal(fedroam_answer_endpoint_url(a, 0), "https://js.example/join");
    assert_string_equal(fedroam_answer_endpoint_url(a, 1), "https://js.example:8443/join");
    assert_string_equal(fedroam_answer_endpoint_url(a, 2), "http://js.example:8080/join");
    assert_string_equal(fedroam_answer_endpoint_url(a, 3), "");
    assert_string_equal(fedroam_answer_endpoint_text(a, 1), "js.example:8443");
    assert_null(fedroam_answer_endpoint(a, 1, &n));
    assert_non_null(fedroam_answer_endpoint(a, 2, &n));
    assert_int_equal(fedroam_answer_endpoint_service(a, 2), FEDROAM_SERVICE_LWN);
    assert_int_equal(fedroam_answer_endpoint_service(a, 3), FEDROAM_SERVICE_NONE);
    assert_string_equal(fedroam_answer_endpoint_tls_name(a, 0),
                        "8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineui.fed.test");
    assert_string_equal(fedroam_answer_endpoint_tls_name(a, 2), "");
    assert_string_equal(fedroam_answer_tree(a), "");
    fedroam_answer_free(a);

    p->tree_at = 18;
    assert_int_equal(fr_answer_found(q, NULL, &found, &a), FR_OK);
    assert_string_equal(fedroam_answer_federation(a), "");
    assert_string_equal(fedroam_answer_tree(a), "tree.example");
    assert_string_equal(fedroam_answer_tls_name(a), "");
    assert_string_equal(fedroam_answer_ca_path(a), "");
    assert_string_equal(fedroam_answer_chain_path(a), "");
    assert_string_equal(fedroam_answer_key_path(a), "");
    assert_string_equal(fedroam_answer_endpoint_tls_name(a, 0), "js.example");
    assert_string_equal(fedroam_answer_endpoint_tls_name(a, 2), "");
    fedroam_answer_free(a);
    fr_place_free(p);
}

static void test_fault(void **state)
{
    (void)state;
    struct fedroam_answer *a = NULL;
    struct fr_judgement j = {.result = FEDROAM_REFUSED,
                             .status = 403,
                             .ede = 18,
                             .retry_after_s = 5,
                             .alert = "access denied",
                             .reason = "no"};
    assert_int_equal(fr_answer_fault(device, &federation, &j, &a), FR_OK);
    assert_int_equal(fedroam_answer_result(a), FEDROAM_REFUSED);
    assert_int_equal(fedroam_answer_http_status(a), 403);
    assert_int_equal(fedroam_answer_ede(a), 18);
    assert_int_equal(fedroam_answer_retry_after(a), 5);
    assert_string_equal(fedroam_answer_tls_alert(a), "access denied");
    assert_string_equal(fedroam_answer_reason(a), "no");
    assert_string_equal(fedroam_answer_tls_name(a), "");
    assert_int_equal(fedroam_answer_netid(a), FEDROAM_NO_NETID);
    fedroam_answer_free(a);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct fr_place *place = make_place();
    unsigned long n = 1;
    for (;; n++) {
        struct fedroam_answer *a = NULL;
        fr_mem_fail_nth(n);
        enum fr_err err = found(place, 1, FEDROAM_FRESH, &a);
        bool has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        fedroam_answer_free(a);
        if (!has_failed) break;
        assert_int_equal(err, FR_E_NOMEM);
        assert_null(a);
    }
    assert_true(n > 1);
    fr_place_free(place);

    /* The answer of last resort can be read, copied and freed as any other. */
    const struct fedroam_answer *none = fr_answer_no_memory();
    assert_int_equal(fedroam_answer_result(none), FEDROAM_FAILED);
    assert_string_equal(fedroam_answer_reason(none), "out of memory");
    assert_string_equal(fedroam_answer_federation(none), "");
    struct fedroam_answer *copy = fedroam_answer_dup(none);
    assert_string_equal(fedroam_answer_reason(copy), "out of memory");
    fedroam_answer_free(copy);
    fedroam_answer_free((struct fedroam_answer *)none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_and_its_copy),
        cmocka_unit_test(test_join_servers),
        cmocka_unit_test(test_fault),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
