#include "enrol/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum fr_err read_one(const char *text, struct fr_diag *diag, struct fr_toml **out)
{
    assert_int_equal(fr_toml_new(out), FR_OK);
    return fr_toml_add(*out, "a.toml", fr_span_str(text), diag);
}

static void values_are_found_by_path(void **state)
{
    static const char TEXT[] =
        "\xef\xbb\xbf# first\r\ntitle = \"a\\u00e9\\n\\\"\"\n\n[network]\nnet_id='000013' # ours\n"
        "  enabled_regions = [\n \"eu868\", # one\n 'us915',\n]\n[a.b . \"c.d\"]\nx.y = 1_000\nz = "
        "2026-11-20 07:32:00Z\n"
        "[[roaming.servers]]\nnet_id = "
        "\"000014\"\n[roaming.servers.more]\nq=true\n[[roaming.servers]]\nnet_id = "
        "\"000021\"\n[roaming]\nw = { a = 1, b.c = [ {}, {x=\"}\"} ] }\nlong = \"\"\"\none \\\n   "
        "two\"\"\"\nraw = '''a\\'''\n";
    static const struct {
        const char *path;
        enum fr_toml_kind kind;
        const char *value;
        unsigned line;
    } rows[] = {
        {"title", FR_TOML_TEXT, "a\xc3\xa9\n\"", 2},
        {"network", FR_TOML_TABLE, "", 4},
        {"network.net_id", FR_TOML_TEXT, "000013", 5},
        {"network.enabled_regions", FR_TOML_VALUE, "", 6},
        {"a.b.c\1d.x.y", FR_TOML_SCALAR, "1_000", 11},
        {"a.b.c\1d.z", FR_TOML_SCALAR, "2026-11-20 07:32:00Z", 12},
        {"roaming.servers", FR_TOML_TABLES, "", 13},
        {"roaming.servers.0.net_id", FR_TOML_TEXT, "000014", 14},
        {"roaming.servers.0.more.q", FR_TOML_SCALAR, "true", 16},
        {"roaming.servers.1.net_id", FR_TOML_TEXT, "000021", 18},
        {"roaming", FR_TOML_TABLE, "", 19},
        {"roaming.w", FR_TOML_VALUE, "", 20},
        {"roaming.long", FR_TOML_TEXT, "one two", 21},
        {"roaming.raw", FR_TOML_TEXT, "a\\", 24},
    };
    struct fr_toml *toml = NULL;
    struct fr_diag diag = {0};

    (void)state;
    if (read_one(TEXT, &diag, &toml) != FR_OK) fail_msg("%s: %s", diag.where, diag.what);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct fr_toml_entry *e = fr_toml_find(toml, rows[i].path);
        if (e == NULL) fail_msg("no %s", rows[i].path);
        assert_int_equal(e->kind, rows[i].kind);
        assert_string_equal(e->value, rows[i].value);
        assert_int_equal(e->line, rows[i].line);
        assert_string_equal(e->file, "a.toml");
    }
    assert_null(fr_toml_find(toml, "roaming.servers.2"));
    assert_ptr_equal(fr_toml_at(toml, 0), fr_toml_find(toml, "title"));
    assert_null(fr_toml_at(toml, fr_toml_count(toml)));
    fr_toml_free(toml);
}

static void what_is_no_toml_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        enum fr_err err;
        const char *where;
    } rows[] = {
        {"a", FR_E_MALFORMED, "a.toml:1"},
        {"a =", FR_E_MALFORMED, "a.toml:1"},
        {"\n= 1", FR_E_MALFORMED, "a.toml:2"},
        {"a = b", FR_E_MALFORMED, "a.toml:1"},
        {"a = 01", FR_E_MALFORMED, "a.toml:1"},
        {"a = 1__0", FR_E_MALFORMED, "a.toml:1"},
        {"a = 1_", FR_E_MALFORMED, "a.toml:1"},
        {"a = 1.", FR_E_MALFORMED, "a.toml:1"},
        {"a = .5", FR_E_MALFORMED, "a.toml:1"},
        {"a = 0xg", FR_E_MALFORMED, "a.toml:1"},
        {"a = 2026-13", FR_E_MALFORMED, "a.toml:1"},
        {"a = True", FR_E_MALFORMED, "a.toml:1"},
        {"a = \"x", FR_E_MALFORMED, "a.toml:1"},
        {"a = \"x\ny\"", FR_E_MALFORMED, "a.toml:1"},
        {"a = \"\\q\"", FR_E_MALFORMED, "a.toml:1"},
        {"a = \"\\ud800\"", FR_E_MALFORMED, "a.toml:1"},
        {"a = \"\\u00\"", FR_E_MALFORMED, "a.toml:1"},
        {"a = \"\"\"x", FR_E_MALFORMED, "a.toml:1"},
        {"a = 1 b = 2", FR_E_MALFORMED, "a.toml:1"},
        {"a = [1", FR_E_MALFORMED, "a.toml:1"},
        {"a = [1 2]", FR_E_MALFORMED, "a.toml:1"},
        {"a = {b = 1,}", FR_E_MALFORMED, "a.toml:1"},
        {"a = {b = 1\n}", FR_E_MALFORMED, "a.toml:1"},
        {"[a", FR_E_MALFORMED, "a.toml:1"},
        {"[a]]", FR_E_MALFORMED, "a.toml:1"},
        {"[[a]", FR_E_MALFORMED, "a.toml:1"},
        {"[]", FR_E_MALFORMED, "a.toml:1"},
        {"[a.]", FR_E_MALFORMED, "a.toml:1"},
        {"# \x01", FR_E_MALFORMED, "a.toml:1"},
        {"a=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", FR_E_MALFORMED, "a.toml:1"},
        {"a = 1\na = 2", FR_E_CONFLICT, "a.toml:2"},
        {"[a]\n[a]", FR_E_CONFLICT, "a.toml:2"},
        {"[a]\nb = 1\n[a.b]", FR_E_CONFLICT, "a.toml:3"},
        {"[a]\n[[a]]", FR_E_CONFLICT, "a.toml:2"},
        {"[[a]]\n[a]", FR_E_CONFLICT, "a.toml:2"},
        {"a = []\n[[a]]", FR_E_CONFLICT, "a.toml:2"},
        {"a.b = 1\n[a]", FR_E_CONFLICT, "a.toml:2"},
        {"[a.b]\n[a]\nb.c = 1", FR_E_CONFLICT, "a.toml:3"},
        {"a.b = 1\na.b.c = 2", FR_E_CONFLICT, "a.toml:2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_toml *toml = NULL;
        struct fr_diag diag = {0};
        const enum fr_err err = read_one(rows[i].text, &diag, &toml);
        if (err != rows[i].err) fail_msg("%s: %s", rows[i].text, fr_err_text(err));
        assert_string_equal(diag.where, rows[i].where);
        fr_toml_free(toml);
    }
}

static void files_are_one_text(void **state)
{
    struct fr_toml *toml = NULL;
    struct fr_diag diag = {0};

    (void)state;
    assert_int_equal(read_one("[x]\na = 1\n", &diag, &toml), FR_OK);
    assert_int_equal(fr_toml_add(toml, "b.toml", fr_span_str("b = 2\n[y]\n"), &diag), FR_OK);
    assert_string_equal(fr_toml_find(toml, "x.b")->file, "b.toml"); /* the table goes on */
    assert_int_equal(fr_toml_add(toml, "c.toml", fr_span_str("\n[x]\n"), &diag), FR_E_CONFLICT);
    assert_string_equal(diag.where, "c.toml:2");
    assert_non_null(strstr(diag.what, "a.toml:1"));
    fr_toml_free(toml);
}

static void every_cut_ends_without_harm(void **state)
{
    static const char TEXT[] =
        "[a]\nb = { c = [ 1, \"x\\u0041\", '''y\nz''' ], d.e = 0x1f }\n[[f.g]]\nh = 1e5\n";

    (void)state;
    for (size_t n = 0; n < sizeof TEXT; n++) {
        struct fr_toml *toml = NULL;
        assert_int_equal(fr_toml_new(&toml), FR_OK);
        (void)fr_toml_add(toml, "a.toml", fr_span(TEXT, n), NULL); /* either is fine */
        fr_toml_free(toml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_path),
        cmocka_unit_test(what_is_no_toml_is_refused_with_its_line),
        cmocka_unit_test(files_are_one_text),
        cmocka_unit_test(every_cut_ends_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
