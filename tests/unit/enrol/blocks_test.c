#include "enrol/blocks.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *const ADDRESSES[] = {(char[]){"192.0.2.1"}, (char[]){"2001:db8::1"}};
static const struct fr_block BLOCK = {.name = "b.test",
                                      .broker = "https://broker.b.test/dns-query",
                                      .ca = "b.test/root.pem",
                                      .certificate = "b.test/doh-x.chain.pem",
                                      .key = "b.test/doh-x.key"};

#define OWN(dash, keys)                                                                            \
    dash "name: b.test\n" keys "broker: https://broker.b.test/dns-query\n" keys                    \
         "ca: b.test/root.pem\n" keys "certificate: b.test/doh-x.chain.pem\n" keys                 \
         "key: b.test/doh-x.key\n"
#define A "  - name: a.test # first\n    broker: x\n    only: [\"70\"]\n"

static const struct {
    const char *before, *after; /* NULL: FR_E_CONFLICT */
} PUT[] = {
    {"", "federations:\n" OWN("  - ", "    ")},
    {"netid: \"000013\"\n", "netid: \"000013\"\nfederations:\n" OWN("  - ", "    ")},
    {"netid: x", "netid: x\nfederations:\n" OWN("  - ", "    ")},
    {"federations:\nlog: {}\n", "federations:\n" OWN("  - ", "    ") "log: {}\n"},
    {"federations: # all\n" A "\n# tail\nlog: {}\n",
     "federations: # all\n" A OWN("  - ", "    ") "\n# tail\nlog: {}\n"},
    {"federations:\n- name: a.test\n  key: k",
     "federations:\n- name: a.test\n  key: k\n" OWN("- ", "  ")},
    {"federations:\n" A OWN("  - ", "    "), "federations:\n" A OWN("  - ", "    ")},
    /* replaced in place; what is not ours stays */
    {"federations:\n  -   broker: old\n      # mine\n      only:\n        - \"70b3\"\n      name: "
     "'b.test'\n" A "x: 1\n",
     "federations:\n" OWN("  -   ", "      ") "      # mine\n      only:\n        - \"70b3\"\n" A
                                              "x: 1\n"},
    {"federations:\n  - only: [\"1\"]\n    name: b.test\n",
     "federations:\n" OWN("  - ", "    ") "    only: [\"1\"]\n"},
    {"federations:\n  - name: b.test\n  - x: 1\n    name: b.test\n", NULL},
    {"federations: []\n", NULL},
    {"federations: [{name: a.test}]\n", NULL},
    {"federations:\n  - {name: a.test}\n", NULL},
    {"federations:\n  name: a.test\n", NULL},
    {"federations:\n\t- name: a.test\n", NULL},
    {"federations:\n" A "federations:\n" A, NULL},
};

static void blocks_are_put(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof PUT / sizeof PUT[0]; i++) {
        struct fr_buf out = FR_BUF_INIT(FR_BLOCKS_MAX), again = FR_BUF_INIT(FR_BLOCKS_MAX);
        struct fr_diag diag = {0};
        const enum fr_err err = fr_blocks_put(fr_span_str(PUT[i].before), &BLOCK, &diag, &out);
        if (PUT[i].after == NULL) {
            assert_int_equal(err, FR_E_CONFLICT);
            assert_non_null(strstr(diag.what, "line "));
        } else {
            assert_int_equal(err, FR_OK);
            assert_string_equal(fr_buf_str(&out), PUT[i].after);
            assert_int_equal(fr_blocks_put(fr_buf_span(&out), &BLOCK, &diag, &again), FR_OK);
            assert_string_equal(fr_buf_str(&again), PUT[i].after); /* twice changes nothing */
        }
        fr_buf_deinit(&out);
        fr_buf_deinit(&again);
    }
}

static void odd_values_are_quoted(void **state)
{
    struct fr_block block = BLOCK;
    struct fr_buf out = FR_BUF_INIT(FR_BLOCKS_MAX);

    (void)state;
    block.addresses = ADDRESSES;
    block.n_addresses = 2;
    block.key = "a b: #\"x";
    assert_int_equal(fr_blocks_put(fr_span_str(""), &block, NULL, &out), FR_OK);
    assert_non_null(strstr(fr_buf_str(&out), "addresses: [\"192.0.2.1\",\"2001:db8::1\"]\n"));
    assert_non_null(strstr(fr_buf_str(&out), "key: \"a b: #\\\"x\"\n"));
    fr_buf_deinit(&out);
}

static void blocks_are_removed(void **state)
{
    static const struct {
        const char *before, *after;
        size_t left;
    } rows[] = {
        {"federations:\n" A OWN("  - ", "    ") "x: 1\n", "federations:\n" A "x: 1\n", 1},
        {"federations:\n" OWN("  - ", "    ") A, "federations:\n" A, 1},
        {"federations:\n" OWN("  - ", "    "), "federations:\n", 0},
        {"federations:\n" A, "federations:\n" A, 1},
        {"x: 1\n", "x: 1\n", 0},
        {"", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_buf out = FR_BUF_INIT(FR_BLOCKS_MAX);
        size_t left = 99;
        assert_int_equal(fr_blocks_remove(fr_span_str(rows[i].before), "b.test", NULL, &out, &left),
                         FR_OK);
        assert_string_equal(fr_buf_str(&out), rows[i].after);
        assert_int_equal(left, rows[i].left);
        fr_buf_deinit(&out);
    }
}

static void scalars_of_the_top_are_found(void **state)
{
    char out[16];

    (void)state;
    assert_true(fr_blocks_scalar(fr_span_str("a: 1\nnetid: \"000013\" # ours\n"), "netid", out,
                                 sizeof out));
    assert_string_equal(out, "000013");
    assert_true(fr_blocks_scalar(fr_span_str("netid: 000014"), "netid", out, sizeof out));
    assert_string_equal(out, "000014");
    assert_false(fr_blocks_scalar(fr_span_str("x:\n  netid: 1\n#netid: 2\nnetids: 3\n"), "netid",
                                  out, sizeof out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_put),
        cmocka_unit_test(odd_values_are_quoted),
        cmocka_unit_test(blocks_are_removed),
        cmocka_unit_test(scalars_of_the_top_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
