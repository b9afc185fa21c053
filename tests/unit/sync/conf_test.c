#include "sync/conf.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "support/unit.h"

#define FED "federations:\n  - {name: fed.test, netid: \"000013\", broker: https://broker.fed.test"

static enum fr_err load(const char *text, enum fr_sync_kind kind, struct fr_diag *diag,
                        struct fr_sync_conf *out)
{
    enum fr_err err =
        fr_conf_parse(&fr_sync_schema, "/etc/sync.yaml", fr_span_str(text), diag, out);
    return err ? err : fr_sync_conf_check(out, kind, diag);
}

static void test_defaults(void **state)
{
    (void)state;
    struct fr_sync_conf c = {0};
    struct fr_diag diag = {0};
    assert_int_equal(
        load("database: {dsn_file: dsn}\n" FED "}\n", FR_SYNC_CHIRPSTACK_V4, &diag, &c), FR_OK);
    assert_string_equal(c.database.dsn_file, "/etc/dsn");
    assert_int_equal(c.timeout_ms, 300000);
    assert_int_equal(c.every_ms, 300000);
    assert_int_equal(c.federations[0].netid, 0x13);
    assert_int_equal(c.federations[0].max_withdraw, 5);
    assert_false(fr_sync_place_is_set(&c.names));
    fr_conf_free(&fr_sync_schema, &c);
}

static void test_what_does_not_go_together(void **state)
{
    (void)state;
    static const char dsn[] = "database: {dsn_file: dsn}\n";
    static const struct {
        enum fr_sync_kind kind;
        const char *database, *rest, *said; /* said NULL: fine */
    } rows[] = {
        {FR_SYNC_CHIRPSTACK_V4, "", FED "}\n", "database needs"},
        {FR_SYNC_CHIRPSTACK_V4, "database: {dsn_file: a, dsn_env: B}\n", FED "}\n",
         "database needs"},
        {FR_SYNC_CHIRPSTACK_V4, "database: {sqlite: a}\n", FED "}\n", NULL},
        {FR_SYNC_CHIRPSTACK_V3, "database: {sqlite: a}\n", FED "}\n", "sqlite is for"},
        {FR_SYNC_CHIRPSTACK_V4, dsn, "application_server: {dsn_env: A}\n" FED "}\n",
         "chirpstack-v3"},
        {FR_SYNC_CHIRPSTACK_V3, dsn, "application_server: {dsn_env: A}\n" FED ", tags: [a]}\n",
         NULL},
        {FR_SYNC_CHIRPSTACK_V3, dsn, FED ", tags: [a]}\n", "need application_server"},
        {FR_SYNC_CHIRPSTACK_V3, dsn, FED ", service_profiles: [a]}\n", NULL},
        {FR_SYNC_CHIRPSTACK_V4, dsn, FED ", service_profiles: [a]}\n", "are of chirpstack-v3"},
        {FR_SYNC_CHIRPSTACK_V4, dsn, FED ", also: [abp, roaming]}\n", "no roaming"},
        {FR_SYNC_CHIRPSTACK_V4, dsn, FED ", state: /s}\n", "one of them"},
        {FR_SYNC_CHIRPSTACK_V4, dsn,
         FED "}\n"
             "  - {name: fed.test, netid: 13, state: /s}\n",
         "NetID"},
        {FR_SYNC_CHIRPSTACK_V4, dsn,
         FED "}\n"
             "  - {name: fed.test, netid: \"000013\", state: /s}\n",
         "filled twice"},
        {FR_SYNC_CHIRPSTACK_V4, dsn,
         FED "}\n"
             "  - {name: b.test, netid: \"000013\", state: /s}\n",
         NULL},
        {FR_SYNC_CHIRPSTACK_V4, dsn, FED ", max_withdraw: 101}\n", "max_withdraw"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1024];
        struct fr_sync_conf c = {0};
        struct fr_diag diag = {0};
        (void)snprintf(text, sizeof text, "%s%s", rows[i].database, rows[i].rest);
        const enum fr_err err = load(text, rows[i].kind, &diag, &c);
        fr_diag_print(&diag, err, text, sizeof text);
        if (err != (rows[i].said ? FR_E_CONFIG : FR_OK) ||
            (rows[i].said && !strstr(text, rows[i].said)))
            fail_msg("row %zu: %s", i, text);
        fr_conf_free(&fr_sync_schema, &c);
    }
}

/* Each key stands in docs/publishing-devices.md as fr_conf_reference() writes it. */
static void test_the_documentation(void **state)
{
    (void)state;
    struct fr_buf reference = FR_BUF_INIT(1 << 20), page = FR_BUF_INIT(1 << 20);
    struct fr_diag diag = {0};
    unsigned rows = 0, missing = 0;
    char text[1024];
    assert_int_equal(fr_conf_reference(&fr_sync_schema, &reference), FR_OK);
    if (fr_file_read(FR_SOURCE_DIR "/docs/publishing-devices.md", &diag, &page) != FR_OK)
        fail_msg("%s", diag.what);
    struct fr_span rest = fr_buf_span(&reference), line;
    while (fr_span_cut(rest, '\n', &line, &rest)) {
        if (!fr_span_starts(line, "| `")) continue;
        rows++;
        assert_true(fr_span_copy(line, text, sizeof text));
        if (strstr(fr_buf_str(&page), text)) continue;
        missing++;
        print_error("docs/publishing-devices.md has not: %s\n", text);
    }
    fr_buf_deinit(&reference);
    fr_buf_deinit(&page);
    assert_true(rows > 20);
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_what_does_not_go_together),
        cmocka_unit_test(test_the_documentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
