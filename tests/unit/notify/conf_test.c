#include "notify/conf.h"

#include "support/unit.h"

#include <string.h>

static const struct fr_conf_schema schema = {
    .title = "notify", .size = sizeof(struct fr_notify_conf), .rows = fr_notify_rows};

static enum fr_err load(const char *text, struct fr_diag *diag, struct fr_notify_conf *out)
{
    enum fr_err err = fr_conf_parse(&schema, "broker.yaml", fr_span_str(text), diag, out);

    return err ? err : fr_notify_conf_check(out, diag);
}

static void what_may_stand_there(void **state)
{
    static const struct {
        const char *label, *text, *why; /* NULL: it may */
    } rows[] = {
        {"nothing", "{}", NULL},
        {"a program", "exec: [/bin/true]", NULL},
        {"a program alone", "exec: /bin/true", NULL},
        {"with arguments", "exec: [/bin/true, --noc, \"two words\"]", NULL},
        {"a receiver", "post: https://page.example/hook?team=noc", NULL},
        {"both", "{exec: [/bin/true], post: \"http://127.0.0.1:9/\", addresses: [127.0.0.1]}",
         NULL},
        {"no path", "exec: [true]", "no absolute path"},
        {"not there", "exec: [/no/such/program]", "cannot be run"},
        {"not to be run", "exec: [/etc/passwd]", "cannot be run"},
        {"another scheme", "post: ftp://page.example/", "no http or https URL"},
        {"a user in it", "post: https://me:secret@page.example/", "no http or https URL"},
        {"no address", "{post: \"https://page.example/\", addresses: [page.example]}",
         "no address"},
        {"addresses alone", "addresses: [127.0.0.1]", "without post"},
        {"no time", "{exec: [/bin/true], exec_time: 1ms}", "exec_time"},
        {"unknown", "email: noc@page.example", "email"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fr_notify_conf conf = {0};
        struct fr_diag diag = {0};
        const enum fr_err err = load(rows[i].text, &diag, &conf);
        if ((err == FR_OK) != (rows[i].why == NULL)) fail_msg("%s: %s", rows[i].label, diag.what);
        if (rows[i].why && !strstr(diag.what, rows[i].why))
            fail_msg("%s: %s", rows[i].label, diag.what);
        fr_conf_free(&schema, &conf);
    }
}

static void copies_are_equal_until_something_differs(void **state)
{
    static const char *const texts[] = {
        "{}",
        "exec: [/bin/true]",
        "exec: [/bin/true, x]",
        "exec: [/bin/true, y]",
        "{exec: [/bin/true], exec_time: 1s}",
        "post: https://page.example/",
        "post: https://page.example/2",
        "{post: \"https://page.example/\", ca: ca.pem}",
        "{post: \"https://page.example/\", post_time: 1s}",
        "{post: \"https://page.example/\", addresses: [192.0.2.1]}",
    };
    struct fr_notify_conf confs[COUNT(texts)] = {0}, copy;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_int_equal(load(texts[i], NULL, &confs[i]), FR_OK);
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(fr_notify_conf_copy(&confs[i], &copy), FR_OK);
        for (size_t other = 0; other < COUNT(texts); other++)
            assert_int_equal(fr_notify_conf_equal(&copy, &confs[other]), i == other);
        assert_null(copy.exec[copy.n_exec]); /* an argv */
        fr_notify_conf_free(&copy);
    }
    for (size_t i = 0; i < COUNT(texts); i++) fr_conf_free(&schema, &confs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_may_stand_there),
                                       cmocka_unit_test(copies_are_equal_until_something_differs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
