#include "ca/issuing.h"

#include "ca/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1795157000LL /* November 2026 */
#define DAY 86400LL

static void names_by_year_and_letter(void **state)
{
    static const struct {
        int64_t now_s;
        unsigned letter;
        const char *want; /* NULL: refused */
    } rows[] = {
        {NOW, 0, "2026a"},    {NOW, 25, "2026z"}, {NOW, 26, NULL}, {NOW + 365 * DAY, 1, "2027b"},
        {INT64_MAX, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[FR_HOST_MAX + 1] = "";
        enum fr_err err = fr_issuing_name(rows[i].now_s, rows[i].letter, name);
        assert_int_equal(err, rows[i].want != NULL ? FR_OK : FR_E_RANGE);
        if (!err) assert_string_equal(name, rows[i].want);
    }
}

static void long_federations_fit_into_a_common_name(void **state)
{
    static const char LONG[] = "a-federation-with-a-long-name.of-an-organisation.example";
    char text[FR_CERT_CN_MAX + 1];

    (void)state;
    fr_issuing_print_name("fed.test", "2026a", text);
    assert_string_equal(text, "fed.test Issuing CA 2026a");
    fr_issuing_print_name(LONG, "2026a", text);
    assert_string_equal(text, "Issuing CA 2026a");
}

static void an_issuing_ca_stays_inside_its_root(void **state)
{
    static const struct {
        const char *name;
        int64_t from_s, lifetime_s;
        enum fr_err err;
        int64_t want_until_s;
    } rows[] = {
        {"2026a", NOW, 548 * DAY, FR_OK, NOW + 548 * DAY - 1},
        {"2026a", NOW + 5400 * DAY, 548 * DAY, FR_OK, NOW + 15 * 365 * DAY - 1},
        {"2026a", NOW + 15 * 365 * DAY, 548 * DAY, FR_E_EXPIRED, 0},
        {"2026a", NOW - 301, 548 * DAY, FR_E_EXPIRED, 0},
        {"root", NOW, DAY, FR_E_INVALID, 0},
        {"A b", NOW, DAY, FR_E_INVALID, 0},
        {"", NOW, DAY, FR_E_INVALID, 0},
    };
    struct fr_authority_texts texts;
    struct fr_cert_spec spec;

    (void)state;
    assert_int_equal(fr_root_fill("fed.test", NOW, &texts, &spec), FR_OK);
    assert_int_equal(spec.kind, FR_X509_ROOT);
    assert_null(spec.crl_url);
    const struct fr_cert_fields root = {.not_before_s = spec.not_before_s,
                                        .not_after_s = spec.not_after_s};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct fr_issuing_dates dates = {rows[i].from_s, rows[i].lifetime_s};
        enum fr_err err =
            fr_issuing_fill("fed.test", rows[i].name, dates, &root, true, &texts, &spec);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fr_err_text(err));
        if (err) continue;
        assert_int_equal(spec.not_after_s, rows[i].want_until_s);
        assert_true(spec.not_before_s >= root.not_before_s);
        assert_string_equal(spec.permitted_dns, "fed.test");
        assert_string_equal(spec.crl_url, "http://crl.fed.test/root.crl");
        assert_string_equal(spec.issuer_url, "http://crl.fed.test/root.cer");
    }
    const struct fr_issuing_dates dates = {NOW, DAY};
    assert_int_equal(fr_issuing_fill("fed.test", "2026a", dates, &root, false, &texts, &spec),
                     FR_OK);
    assert_null(spec.crl_url);
    assert_null(spec.issuer_url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_by_year_and_letter),
        cmocka_unit_test(long_federations_fit_into_a_common_name),
        cmocka_unit_test(an_issuing_ca_stays_inside_its_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
