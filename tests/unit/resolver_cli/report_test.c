#include "resolver_cli/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolver/answer.h"
#include "resolver/doh.h"
#include "resolver/options.h"

static struct fr_federation_opt federation = {.name = (char[]){"fed.test"},
                                              .ca = (char[]){"ca.pem"},
                                              .chain = (char[]){"me.chain.pem"},
                                              .key = (char[]){"me.key"}};

/* The text is the caller's. */
static char *print(const struct fedroam_answer *a, enum fr_output output)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct fr_lookup_report report = {a, 2, 34};
    assert_non_null(out);
    assert_int_equal(fr_lookup_report_print(&report, output, out), FR_OK);
    fclose(out);
    return text;
}

static void check(const struct fedroam_answer *a, enum fr_output output, const char *expected)
{
    char *text = print(a, output);
    assert_string_equal(text, expected);
    free(text);
}

static void test_found(void **state)
{
    (void)state;
    static const char host[] = "\0e1.000013.netid.fed.test";
    struct fr_place *place = fr_calloc(1, sizeof *place + sizeof host);
    struct fedroam_answer *a = NULL;
    uint64_t draws = 1;
    assert_non_null(place);
    place->n_endpoints = 1;
    place->endpoints[0].addr = (struct fr_addr){{4, {192, 0, 2, 1}}, 8005};
    place->text_n = sizeof host;
    place->endpoints[0].host_at = 1;
    memcpy(place->text, host, sizeof host);
    assert_int_equal(fr_answer_found((struct fr_question){FEDROAM_DEVICE, 0x70b3d57ed0000001},
                                     &federation,
                                     &(struct fr_answer_place){.netid = 0x13,
                                                               .place = place,
                                                               .ttl_s = 60,
                                                               .freshness = FEDROAM_FRESH,
                                                               .draws = &draws},
                                     &a),
                     FR_OK);
    check(a, FR_OUTPUT_TEXT,
          "result       found\n"
          "id           70b3d57ed0000001\n"
          "federation   fed.test\n"
          "netid        000013\n"
          "endpoints    192.0.2.1:8005\n"
          "hosts        e1.000013.netid.fed.test\n"
          "tls_name     000013.netid.fed.test\n"
          "pins         -\n"
          "ca           ca.pem\n"
          "certificate  me.chain.pem\n"
          "key          me.key\n"
          "ttl          60\n"
          "freshness    fresh\n"
          "exchanges    2\n"
          "ms           34\n");
    fedroam_answer_free(a);
    fr_place_free(place);
}

static void test_refused(void **state)
{
    (void)state;
    struct fr_judgement j = {.result = FEDROAM_REFUSED, .status = 403, .ede = 18, .reason = "no"};
    struct fedroam_answer *a = NULL;
    assert_int_equal(
        fr_answer_fault((struct fr_question){FEDROAM_NETWORK, 0x13}, &federation, &j, &a), FR_OK);
    check(a, FR_OUTPUT_TEXT,
          "result       refused\n"
          "id           000013\n"
          "federation   fed.test\n"
          "ttl          -\n"
          "freshness    -\n"
          "reason       no\n"
          "http_status  403\n"
          "ede          18\n"
          "tls_alert    -\n"
          "retry_after  -\n"
          "exchanges    2\n"
          "ms           34\n");
    char *json = print(a, FR_OUTPUT_JSON);
    static const char *const keys[] = {
        "result",      "id",  "federation",  "netid",       "endpoints", "hosts",     "tls_name",
        "pins",        "ca",  "certificate", "key",         "ttl",       "freshness", "reason",
        "http_status", "ede", "tls_alert",   "retry_after", "exchanges", "ms"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char key[32];
        snprintf(key, sizeof key, "\"%s\": ", keys[i]);
        if (!strstr(json, key)) fail_msg("no %s in %s", key, json);
    }
    free(json);
    fedroam_answer_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_found),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
