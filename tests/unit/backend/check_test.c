#include "backend/check.h"

#include "support/unit.h"

static void test_http(void **state)
{
    static const struct {
        const char *method, *type;
        unsigned status;
    } ROWS[] = {
        {"POST", "application/json", 0},
        {"POST", "application/json; charset=utf-8", 0},
        {"POST", "Application/JSON ;charset=utf-8", 0},
        {"GET", "application/json", 405},
        {"post", "application/json", 405},
        {"PUT", "", 405},
        {"POST", "", 415},
        {"POST", "text/plain", 415},
        {"POST", "application/jsonx", 415},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        CHECK_ROW(ROWS[i].type, fr_bi_check_http(fr_span_str(ROWS[i].method),
                                                 fr_span_str(ROWS[i].type)) == ROWS[i].status);
    }
}

/* The status table: one row per situation, and which of two faults counts. */
static void test_envelope(void **state)
{
    static const struct {
        const char *label;
        struct fr_bi_facts facts;
        bool is_1_0;
        const char *type;
        unsigned status;
        bool has_result;
        enum fr_bi_result result;
    } ROWS[] = {
        {"good request", {FR_OK, true, true, true}, true, "PRStartReq", 0, false, FR_BI_SUCCESS},
        {"good answer", {FR_OK, false, true, true}, true, "PRStartAns", 0, false, FR_BI_SUCCESS},
        {"no JSON", {FR_E_MALFORMED, false, false, false}, false, "", 400, false, FR_BI_SUCCESS},
        {"broken envelope",
         {FR_E_MALFORMED, true, true, true},
         true,
         "PRStartReq",
         400,
         true,
         FR_BI_MALFORMED_REQUEST},
        {"too large", {FR_E_LIMIT, false, false, false}, false, "", 413, false, FR_BI_SUCCESS},
        {"out of memory", {FR_E_NOMEM, false, false, false}, false, "", 503, false, FR_BI_SUCCESS},
        {"other version",
         {FR_OK, true, true, true},
         false,
         "PRStartReq",
         200,
         true,
         FR_BI_INVALID_PROTOCOL_VERSION},
        {"version before receiver and sender",
         {FR_OK, true, false, false},
         false,
         "PRStartReq",
         200,
         true,
         FR_BI_INVALID_PROTOCOL_VERSION},
        {"not for us",
         {FR_OK, true, false, true},
         true,
         "PRStartReq",
         200,
         true,
         FR_BI_UNKNOWN_RECEIVER},
        {"receiver before sender",
         {FR_OK, true, false, false},
         true,
         "PRStartReq",
         200,
         true,
         FR_BI_UNKNOWN_RECEIVER},
        {"not who the certificate says",
         {FR_OK, true, true, false},
         true,
         "PRStartReq",
         403,
         true,
         FR_BI_UNKNOWN_SENDER},
        {"an answer not for us",
         {FR_OK, false, false, true},
         true,
         "PRStartAns",
         400,
         false,
         FR_BI_UNKNOWN_RECEIVER},
        {"an answer of another",
         {FR_OK, false, true, false},
         true,
         "PRStartAns",
         403,
         false,
         FR_BI_UNKNOWN_SENDER},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct fr_bi_message m = {.is_version_1_0 = ROWS[i].is_1_0, .type = FR_BI_OTHER_ANS};
        (void)fr_span_copy(fr_span_str(ROWS[i].type), m.type_text, sizeof m.type_text);
        if (fr_span_ends(fr_span_str(ROWS[i].type), "Req")) m.type = FR_BI_PR_START_REQ;
        struct fr_bi_verdict v = fr_bi_check_envelope(&m, &ROWS[i].facts);
        CHECK_ROW(ROWS[i].label, v.status == ROWS[i].status);
        CHECK_ROW(ROWS[i].label, v.has_result == ROWS[i].has_result);
        if (v.has_result) CHECK_ROW(ROWS[i].label, v.result == ROWS[i].result);
    }
}

static void test_members(void **state)
{
    static const struct {
        const char *label;
        enum fr_bi_type type;
        enum fr_err err;
        unsigned status;
        bool has_result;
    } ROWS[] = {
        {"known request", FR_BI_PR_START_REQ, FR_OK, 0, false},
        {"member missing", FR_BI_PR_START_REQ, FR_E_MALFORMED, 200, true},
        {"too many gateways", FR_BI_PR_START_REQ, FR_E_LIMIT, 200, true},
        {"unknown request", FR_BI_OTHER_REQ, FR_OK, 200, true},
        {"unknown answer", FR_BI_OTHER_ANS, FR_OK, 400, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct fr_bi_message m = {.type = ROWS[i].type, .type_text = "FooReq"};
        struct fr_bi_verdict v = fr_bi_check_members(&m, ROWS[i].err);
        CHECK_ROW(ROWS[i].label, v.status == ROWS[i].status && v.has_result == ROWS[i].has_result);
        if (v.has_result) CHECK_ROW(ROWS[i].label, v.result == FR_BI_MALFORMED_REQUEST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
