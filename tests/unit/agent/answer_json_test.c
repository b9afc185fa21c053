#include "agent/answer_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/answer.h"
#include "resolver/doh.h"
#include "resolver/options.h"

static char name[] = "fed.test", ca[] = "ca.pem", chain[] = "me.pem", key[] = "me.key";
static const struct fr_federation_opt FEDERATION = {
    .name = name, .ca = ca, .chain = chain, .key = key};
static const struct fr_question DEVICE = {FEDROAM_DEVICE, 0x70b3d57ed0000001};

static void expect(struct fedroam_answer *a, unsigned status, const char *json)
{
    struct fr_buf out = FR_BUF_INIT(4096);
    assert_int_equal(fr_answer_status(a), status);
    fr_answer_json(a, &out);
    assert_int_equal(fr_buf_err(&out), FR_OK);
    assert_string_equal(fr_buf_str(&out), json);
    fr_buf_deinit(&out);
    fedroam_answer_free(a);
}

static void test_found(void **state)
{
    (void)state;
    union {
        struct fr_place place;
        char room[sizeof(struct fr_place) + 64];
    } u = {.place = {.ttl_s = 60, .n_endpoints = 1, .text_n = 26}};
    struct fedroam_answer *a = NULL;
    uint64_t draws = 1;
    u.place.endpoints[0].addr = (struct fr_addr){{4, {192, 0, 2, 1}}, 8005};
    u.place.endpoints[0].host_at = 1;
    memcpy(u.place.text, "\0e1.000013.netid.fed.test", 26);
    assert_int_equal(fr_answer_found(DEVICE, &FEDERATION,
                                     &(struct fr_answer_place){.netid = 0x13,
                                                               .place = &u.place,
                                                               .ttl_s = 60,
                                                               .freshness = FEDROAM_STALE,
                                                               .draws = &draws},
                                     &a),
                     FR_OK);
    expect(a, 200,
           "{\"result\":\"found\",\"id\":\"70b3d57ed0000001\",\"federation\":\"fed.test\","
           "\"netid\":\"000013\",\"endpoints\":[\"192.0.2.1:8005\"],"
           "\"hosts\":[\"e1.000013.netid.fed.test\"],\"tls_name\":\"000013.netid.fed.test\","
           "\"pins\":[],\"ca\":\"ca.pem\",\"certificate\":\"me.pem\",\"key\":\"me.key\","
           "\"ttl\":60,\"freshness\":\"stale\"}\n");
}

static void test_not_found(void **state)
{
    (void)state;
    static const struct {
        enum fedroam_result result;
        unsigned status;
        const char *title;
    } rows[] = {
        {FEDROAM_REFUSED, 403, "Forbidden"},
        {FEDROAM_OVER_BUDGET, 429, "Too Many Requests"},
        {FEDROAM_NO_BROKER, 503, "Service Unavailable"},
        {FEDROAM_BAD_ANSWER, 502, "Bad Gateway"},
        {FEDROAM_FAILED, 500, "Internal Server Error"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fr_judgement j = {.result = rows[i].result, .ede = -1, .reason = "because \"so\""};
        struct fedroam_answer *a = NULL;
        char json[512];
        assert_int_equal(fr_answer_fault(DEVICE, &FEDERATION, &j, &a), FR_OK);
        snprintf(json, sizeof json,
                 "{\"title\":\"%s\",\"status\":%u,\"detail\":\"because \\\"so\\\"\","
                 "\"result\":\"%s\",\"id\":\"70b3d57ed0000001\",\"federation\":\"fed.test\"}\n",
                 rows[i].title, rows[i].status, fedroam_result_text(rows[i].result));
        expect(a, rows[i].status, json);
    }
    struct fedroam_answer *a = NULL;
    const struct fr_question network = {FEDROAM_NETWORK, 0x13};
    assert_int_equal(fr_answer_unknown(network, &FEDERATION, 60, FEDROAM_FRESH, "", &a), FR_OK);
    expect(a, 404,
           "{\"title\":\"Not Found\",\"status\":404,\"detail\":\"no federation knows it\","
           "\"result\":\"unknown\",\"id\":\"000013\",\"federation\":\"fed.test\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
