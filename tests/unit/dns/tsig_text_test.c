#include "dns/tsig_text.h"

#include <string.h>

#include "support/unit.h"

#define SECRET "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

static void keys_in_every_form(void **state)
{
    static const struct {
        const char *label, *text;
        enum fr_err err;
    } rows[] = {
        {"tsig-keygen",
         "key \"acme.key\" {\n\talgorithm hmac-sha256;\n\tsecret \"" SECRET "\";\n};\n", FR_OK},
        {"in one line", "key acme.key { secret " SECRET "; algorithm HMAC-SHA256. };", FR_OK},
        {"with comments",
         "// ours\n# too\nkey acme.key { algorithm hmac-sha256; secret \"" SECRET "\"; };", FR_OK},
        {"keymgr", "# hmac-sha256:acme.key:" SECRET "\nkey:\n  - id: acme.key\n", FR_OK},
        {"one line", "hmac-sha256:acme.key:" SECRET, FR_OK},
        {"CRLF", "hmac-sha256:acme.key:" SECRET "\r\n", FR_OK},
        {"nothing", "", FR_E_MALFORMED},
        {"cut", "key \"acme.key\" { algorithm hmac-sha256; secret ", FR_E_MALFORMED},
        {"no name", "key { }", FR_E_MALFORMED},
        {"bad name", "hmac-sha256:a..b:" SECRET, FR_E_MALFORMED},
        {"md5", "key acme.key { algorithm hmac-md5; secret " SECRET "; };", FR_E_UNSUPPORTED},
        {"short", "hmac-sha256:acme.key:MDEyMzQ1Njc4OQ==", FR_E_RANGE},
        {"no base64", "hmac-sha256:acme.key:(((((((((", FR_E_RANGE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_tsig_key key = {0};
        struct fr_diag diag = {0};
        struct fr_dname name;

        CHECK_ROW(rows[i].label,
                  fr_tsig_key_parse(fr_span_str(rows[i].text), &diag, &key) == rows[i].err);
        CHECK_ROW(rows[i].label, strstr(diag.what, "MDEy") == NULL); /* never in a message */
        if (rows[i].err) continue;
        assert_int_equal(fr_dname_parse(fr_span_str("acme.key"), &name), FR_OK);
        CHECK_ROW(rows[i].label, fr_dname_equal(fr_dname_span(&name), fr_dname_span(&key.name)));
        CHECK_ROW(rows[i].label, key.algorithm == FR_TSIG_SHA256 && key.n == 32);
        assert_memory_equal(key.secret, "0123456789abcdef0123456789abcdef", 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keys_in_every_form)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
