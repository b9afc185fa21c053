#include "est/est.h"
#include "est/est_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Which paths are EST's; what a request comes to is tests/system/test_est.py. */
static void paths(void **state)
{
    (void)state;
    assert_true(fr_est_is_meant(fr_span_str("/.well-known/est")));
    assert_true(fr_est_is_meant(fr_span_str("/.well-known/est/x")));
    assert_false(fr_est_is_meant(fr_span_str("/.well-known/estx")));
    assert_false(fr_est_is_meant(fr_span_str("/dns-query")));
}

static void every_outcome_has_a_status(void **state)
{
    static const struct {
        enum fr_err err;
        unsigned status;
    } rows[] = {
        {FR_OK, 200},          {FR_E_PENDING, 202},  {FR_E_MALFORMED, 400}, {FR_E_CRYPTO, 400},
        {FR_E_INVALID, 400},   {FR_E_AUTH, 401},     {FR_E_DENIED, 403},    {FR_E_REVOKED, 403},
        {FR_E_NOT_FOUND, 403}, {FR_E_CONFLICT, 409}, {FR_E_BUSY, 503},      {FR_E_NOMEM, 503},
        {FR_E_IO, 503},        {FR_E_EXPIRED, 503},  {FR_E_LIMIT, 503},     {FR_E_INTERNAL, 503},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(fr_est_status_of(rows[i].err), rows[i].status);
    for (size_t i = 0; i < FR_EST_REFUSALS; i++) assert_true(fr_est_refusal_status(i) >= 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(every_outcome_has_a_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
