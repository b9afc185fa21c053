#include "enrol/renew_facts.h"

#include "support/unit.h"

#include <string.h>

#define D0 "00000000000000000000000000000000000000000000000000000000000000"
#define CA(last, state) "{\"name\":\"x\",\"sha256\":\"" D0 last "\",\"state\":\"" state "\"}"
#define TOLD(cas) "{\"authorities\":[" cas "],\"key_after_s\":120}"

static const struct {
    const char *text;
    enum fr_err err;
    size_t n;
    bool is_ending; /* what the CA whose digest ends with 01 signed */
} rows[] = {
    {TOLD(""), FR_OK, 0, false},
    {TOLD(CA("01", "active")), FR_OK, 1, false},
    {TOLD(CA("01", "ready")), FR_OK, 1, false},
    {TOLD(CA("01", "of a later version")), FR_OK, 1, false},
    {TOLD(CA("01", "tainted") "," CA("02", "active")), FR_OK, 2, true},
    {TOLD(CA("02", "active") "," CA("01", "retired")), FR_OK, 2, true},
    {TOLD(CA("01", "revoked")), FR_OK, 1, true},
    {TOLD(CA("02", "tainted")), FR_OK, 1, false}, /* a replica that does not know ours yet */
    {TOLD("{\"sha256\":\"01\",\"state\":\"active\"}"), FR_E_MALFORMED, 0, false},
    {TOLD("{\"sha256\":\"" D0 "0g\",\"state\":\"active\"}"), FR_E_MALFORMED, 0, false},
    {TOLD("{\"sha256\":\"" D0 "01\"}"), FR_E_MALFORMED, 0, false},
    {TOLD("7"), FR_E_MALFORMED, 0, false},
    {"{\"authorities\":[]}", FR_E_MALFORMED, 0, false},
    {"{\"authorities\":[],\"key_after_s\":-1}", FR_E_MALFORMED, 0, false},
    {"{\"authorities\":[],\"key_after_s\":99999999}", FR_E_MALFORMED, 0, false},
    {"{\"key_after_s\":1}", FR_E_MALFORMED, 0, false},
    {"", FR_E_MALFORMED, 0, false},
};

static void answers_are_read(void **state)
{
    const struct fr_pair pair = {.issuer = {[FR_SHA256_SIZE - 1] = 1}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_renew_facts renewal = {0};
        struct fr_diag diag = {0};
        CHECK_ROW(rows[i].text,
                  fr_renew_facts_read(fr_span_str(rows[i].text), &diag, &renewal) == rows[i].err);
        CHECK_ROW(rows[i].text, renewal.n == rows[i].n);
        CHECK_ROW(rows[i].text, rows[i].err || renewal.key_after_s == 120);
        CHECK_ROW(rows[i].text, fr_renew_facts_is_ending(&renewal, &pair) == rows[i].is_ending);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
