#include "enrol/ticket.h"

#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ID "5e3f9c3f2a7d4b1c8f0e6d5c4b3a2918"
#define EST "https://ca.fed.test:8443/.well-known/est"
#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define GOOD                                                                                       \
    "{\"fed\":\"fed.test\",\"est\":\"" EST                                                         \
    "\",\"broker\":\"https://broker.fed.test/dns-query\",\"root\":\"" ROOT "\",\"id\":\"" ID       \
    "\",\"profiles\":[\"ns\",\"doh\"]}"

static enum fr_err parse(const char *form, const char *json, const char *secret,
                         struct fr_ticket *out, struct fr_diag *diag)
{
    struct fr_buf text = FR_BUF_INIT(16384);

    fr_buf_printf(&text, "%s.", form);
    assert_int_equal(fr_base64url_print(fr_span_str(json), &text), FR_OK);
    fr_buf_printf(&text, ".%s", secret);
    const enum fr_err err = fr_ticket_parse(fr_buf_span(&text), diag, out);
    fr_buf_deinit(&text);
    return err;
}

static void a_good_one_is_read(void **state)
{
    struct fr_ticket t;
    (void)state;
    assert_int_equal(parse("FR1", GOOD, SECRET, &t, NULL), FR_OK);
    assert_string_equal(t.fed, "fed.test");
    assert_string_equal(t.est, EST);
    assert_string_equal(t.est_url.host, "ca.fed.test");
    assert_int_equal(t.est_url.port, 8443);
    assert_string_equal(t.broker, "https://broker.fed.test/dns-query");
    assert_string_equal(t.id, ID);
    assert_string_equal(t.secret, SECRET);
    assert_int_equal(t.root[1], 0x11);
    assert_int_equal(t.n_profiles, 2);
    assert_int_equal(t.profiles[0], FR_WALLET_NS);
    assert_int_equal(t.profiles[1], FR_WALLET_DOH);
    fr_ticket_wipe(&t);
    assert_string_equal(t.secret, "");
}

static void others_are_refused_and_never_quoted(void **state)
{
#define FACTS(fed, est, root, id, profiles)                                                        \
    "{\"fed\":" fed ",\"est\":" est ",\"root\":" root ",\"id\":" id ",\"profiles\":" profiles "}"
#define Q(x) "\"" x "\""
    static const struct {
        const char *form, *json, *secret;
        enum fr_err err;
    } rows[] = {
        {"FR2", GOOD, SECRET, FR_E_UNSUPPORTED},
        {"XX1", GOOD, SECRET, FR_E_MALFORMED},
        {"FR1", GOOD, "AAAA", FR_E_MALFORMED},
        {"FR1", GOOD, "", FR_E_MALFORMED},
        {"FR1", GOOD, SECRET SECRET SECRET, FR_E_MALFORMED},
        {"FR1", GOOD, SECRET ".x", FR_E_MALFORMED},
        {"FR1", GOOD "x", SECRET, FR_E_MALFORMED},
        {"FR1", "[]", SECRET, FR_E_MALFORMED},
        {"FR1", "{}", SECRET, FR_E_MALFORMED},
        {"FR1", "", SECRET, FR_E_MALFORMED},
        {"FR1", "{\"fed\":1}", SECRET, FR_E_MALFORMED},
        {"FR1", FACTS(Q("../x"), Q(EST), Q(ROOT), Q(ID), "[\"ns\"]"), SECRET, FR_E_MALFORMED},
        {"FR1", FACTS(Q("fed.test\\u0000"), Q(EST), Q(ROOT), Q(ID), "[\"ns\"]"), SECRET,
         FR_E_MALFORMED},
        {"FR1", FACTS(Q("fed.test"), Q("http://ca.fed.test/"), Q(ROOT), Q(ID), "[\"ns\"]"), SECRET,
         FR_E_MALFORMED},
        {"FR1", FACTS(Q("fed.test"), Q(EST), Q("00"), Q(ID), "[\"ns\"]"), SECRET, FR_E_MALFORMED},
        {"FR1", FACTS(Q("fed.test"), Q(EST), Q(ROOT), Q("../../etc/passwd"), "[\"ns\"]"), SECRET,
         FR_E_MALFORMED},
        {"FR1", FACTS(Q("fed.test"), Q(EST), Q(ROOT), Q(ID), "[]"), SECRET, FR_E_MALFORMED},
        {"FR1", FACTS(Q("fed.test"), Q(EST), Q(ROOT), Q(ID), "[\"ns\",\"ns\"]"), SECRET,
         FR_E_MALFORMED},
        {"FR1", FACTS(Q("fed.test"), Q(EST), Q(ROOT), Q(ID), "[\"broker\"]"), SECRET,
         FR_E_MALFORMED},
        {"FR1", FACTS(Q("fed.test"), Q(EST), Q(ROOT), Q(ID), "[\"ns\",\"doh\",\"js\",\"x\"]"),
         SECRET, FR_E_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_ticket t = {.id = "untouched"};
        struct fr_diag diag = {0};
        const enum fr_err err = parse(rows[i].form, rows[i].json, rows[i].secret, &t, &diag);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fr_err_text(err));
        assert_string_equal(t.id, "untouched");
        assert_true(diag.what[0] != '\0');
        assert_null(strstr(diag.what, SECRET));
    }
}

static void every_cut_is_refused(void **state)
{
    struct fr_buf text = FR_BUF_INIT(4096);
    struct fr_ticket t;

    (void)state;
    fr_buf_add_str(&text, "FR1.");
    assert_int_equal(fr_base64url_print(fr_span_str(GOOD), &text), FR_OK);
    fr_buf_add_str(&text, "." SECRET);
    for (size_t n = 0; n + 23 < text.n; n++)
        assert_int_not_equal(fr_ticket_parse(fr_span(text.p, n), NULL, &t), FR_OK);
    fr_buf_add_str(&text, " \n");
    assert_int_equal(fr_ticket_parse(fr_buf_span(&text), NULL, &t), FR_OK);
    fr_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one_is_read),
        cmocka_unit_test(others_are_refused_and_never_quoted),
        cmocka_unit_test(every_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
