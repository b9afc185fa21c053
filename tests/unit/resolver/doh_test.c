#include "resolver/doh.h"

#include "message.h"

static struct fr_link_result http(unsigned status, const char *type, const char *body)
{
    return (struct fr_link_result){.end = FR_LINK_ANSWERED,
                                   .status = status,
                                   .content_type = fr_span_str(type),
                                   .body = fr_span_str(body),
                                   .text = "",
                                   .alert = ""};
}

static void test_statuses(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        unsigned status;
        const char *type, *body;
        enum fedroam_result result;
        bool may_ask_another;
        const char *reason;
    } rows[] = {
        {"forbidden", 403, "text/plain; charset=utf-8", "certificate revoked\n", FEDROAM_REFUSED,
         false, "broker.fed.test: HTTP 403 Forbidden: certificate revoked"},
        {"forbidden without words", 403, "", "", FEDROAM_REFUSED, false,
         "broker.fed.test: HTTP 403 Forbidden"},
        {"unauthorised", 401, "text/html", "<b>no</b>", FEDROAM_REFUSED, false,
         "broker.fed.test: HTTP 401 Unauthorized"},
        {"control characters are not passed on", 403, "text/plain", "a\x1b[31m\xc3\xa9",
         FEDROAM_REFUSED, false, "broker.fed.test: HTTP 403 Forbidden: a?[31m??"},
        {"over budget", 429, "", "", FEDROAM_OVER_BUDGET, false,
         "broker.fed.test: HTTP 429 Too Many Requests"},
        {"unavailable", 503, "", "", FEDROAM_NO_BROKER, true,
         "broker.fed.test: HTTP 503 Service Unavailable"},
        {"an unknown 5xx", 599, "", "", FEDROAM_NO_BROKER, true, "broker.fed.test: HTTP 599"},
        {"wrong path", 404, "", "", FEDROAM_BAD_ANSWER, false,
         "broker.fed.test: HTTP 404 Not Found: is the path of the broker's URL right?"},
        {"misdirected", 421, "", "", FEDROAM_BAD_ANSWER, false,
         "broker.fed.test: HTTP 421 Misdirected Request"},
        {"a redirect", 302, "", "", FEDROAM_BAD_ANSWER, false, "broker.fed.test: HTTP 302"},
        {"not DNS", 200, "text/html", "<html>", FEDROAM_BAD_ANSWER, false,
         "broker.fed.test: the answer is not application/dns-message"},
        {"empty DNS", 200, "application/dns-message", "", FEDROAM_BAD_ANSWER, false,
         "broker.fed.test: the answer is not a DNS response"},
    };
    struct fr_dname name = test_name(DEVICE);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fr_link_result r = http(rows[i].status, rows[i].type, rows[i].body);
        struct fr_judgement j;
        r.retry_after_s = 30;
        fr_doh_judge(&r, "broker.fed.test", &name, FR_DNS_A, &j);
        if (j.result != rows[i].result || j.may_ask_another != rows[i].may_ask_another ||
            j.status != rows[i].status)
            fail_msg("%s: result %d status %u", rows[i].label, j.result, j.status);
        if (strcmp(j.reason, rows[i].reason) != 0) fail_msg("%s: %s", rows[i].label, j.reason);
        if (j.retry_after_s != (rows[i].status == 429 ? 30 : 0))
            fail_msg("%s: retry", rows[i].label);
    }
}

static void test_dns_codes(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        uint16_t flags;
        int ede;
        enum fedroam_result result;
        const char *reason;
    } rows[] = {
        {"unknown is a usable answer", NX, -1, FEDROAM_FOUND, ""},
        {"refused", 0x8405, -1, FEDROAM_REFUSED, "b: REFUSED"},
        {"refused with a known code", 0x8405, 18, FEDROAM_REFUSED,
         "b: REFUSED (EDE 18 Prohibited)"},
        {"refused with an unknown code", 0x8405, 9999, FEDROAM_REFUSED, "b: REFUSED (EDE 9999)"},
        {"servfail", 0x8402, 14, FEDROAM_NO_BROKER, "b: SERVFAIL (EDE 14 Not Ready)"},
        {"formerr", 0x8401, -1, FEDROAM_BAD_ANSWER,
         "b: the broker did not understand the question"},
    };
    struct fr_dname name = test_name(DEVICE);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message m =
            test_message_ede(DEVICE, FR_DNS_A, rows[i].flags, "", "", "", rows[i].ede);
        struct fr_link_result r = http(200, "Application/DNS-Message; charset=x", "");
        struct fr_judgement j;
        r.body = fr_span(m.b, m.n);
        fr_doh_judge(&r, "b", &name, FR_DNS_A, &j);
        if (j.result != rows[i].result || j.ede != rows[i].ede)
            fail_msg("%s: result %d ede %d", rows[i].label, j.result, j.ede);
        if (strcmp(j.reason, rows[i].reason) != 0) fail_msg("%s: %s", rows[i].label, j.reason);
    }
}

static void test_transport(void **state)
{
    (void)state;
    struct fr_dname name = test_name(DEVICE);
    struct fr_link_result r = {.end = FR_LINK_ALERT,
                               .text = "TLS alert: certificate expired",
                               .alert = "certificate expired"};
    struct fr_judgement j;
    fr_doh_judge(&r, "b", &name, FR_DNS_A, &j);
    assert_int_equal(j.result, FEDROAM_REFUSED);
    assert_false(j.may_ask_another);
    assert_string_equal(j.alert, "certificate expired");
    assert_string_equal(j.reason, "TLS alert: certificate expired");
    r = (struct fr_link_result){.end = FR_LINK_DOWN, .text = "connection refused", .alert = ""};
    fr_doh_judge(&r, "b", &name, FR_DNS_A, &j);
    assert_int_equal(j.result, FEDROAM_NO_BROKER);
    assert_true(j.may_ask_another);
    assert_string_equal(j.reason, "connection refused");
    r = (struct fr_link_result){.end = FR_LINK_OURS, .text = "out of memory", .alert = ""};
    fr_doh_judge(&r, "b", &name, FR_DNS_A, &j);
    assert_int_equal(j.result, FEDROAM_FAILED);
    assert_false(j.may_ask_another);
}

static void test_reasons_are_cut_not_overrun(void **state)
{
    (void)state;
    char host[256], text[1024];
    memset(host, 'h', sizeof host - 1);
    memset(text, 't', sizeof text - 1);
    host[sizeof host - 1] = text[sizeof text - 1] = 0;
    struct fr_dname name = test_name(DEVICE);
    struct fr_link_result r = {.end = FR_LINK_DOWN, .text = text, .alert = text};
    struct fr_judgement j;
    fr_doh_judge(&r, host, &name, FR_DNS_A, &j);
    assert_int_equal(strlen(j.reason), FR_REASON_TEXT - 1);
    r.end = FR_LINK_ALERT;
    fr_doh_judge(&r, host, &name, FR_DNS_A, &j);
    assert_int_equal(strlen(j.alert), sizeof j.alert - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_dns_codes),
        cmocka_unit_test(test_transport),
        cmocka_unit_test(test_reasons_are_cut_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
