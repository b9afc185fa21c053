#include "store/import.h"

#include "base/mem.h"

#include "fixture.h"

#include <stdio.h>

static const struct text {
    const char *label;
    const char *text;
    bool records, keep_going;
    enum fr_err err;
    const char *where; /* of the failure */
    const char *rows;  /* "line:eui " */
    const char *addrs;
    size_t left_out;
} texts[] = {
    {"empty", "", false, false, FR_OK, "", "", "", 0},
    {"one a line", "70b3d57ed0000001\n70B3D57ED0000002\n", false, false, FR_OK, "",
     "1:70b3d57ed0000001 2:70b3d57ed0000002 ", "", 0},
    {"no newline at the end", "70b3d57ed0000001", false, false, FR_OK, "", "1:70b3d57ed0000001 ",
     "", 0},
    {"CRLF, mark, blank lines, comments",
     "\xef\xbb\xbf# list\r\n\r\n  70-b3-d5-7e-d0-00-00-01 \r\n; more\r\n0x70b3d57ed0000002\r\n",
     false, false, FR_OK, "", "3:70b3d57ed0000001 5:70b3d57ed0000002 ", "", 0},
    {"CSV",
     "DevEUI,comment\n70b3d57ed0000001,\"a, "
     "b\"\n\"70b3d57ed0000002\"\n70b3d57ed0000003;semicolon\n",
     false, false, FR_OK, "", "2:70b3d57ed0000001 3:70b3d57ed0000002 4:70b3d57ed0000003 ", "", 0},
    {"repeated lines are the store's matter", "70b3d57ed0000001\n70b3d57ed0000001\n", false, false,
     FR_OK, "", "1:70b3d57ed0000001 2:70b3d57ed0000001 ", "", 0},
    {"too short", "70b3d57ed0000001\n70b3d57ed000002\n", false, false, FR_E_MALFORMED, "list:2",
     NULL, "", 0},
    {"too long", "70b3d57ed00000011\n", false, false, FR_E_MALFORMED, "list:1", NULL, "", 0},
    {"left out", "70b3d57ed0000001\nnonsense\n70b3d57ed0000002\n", false, true, FR_OK, "",
     "1:70b3d57ed0000001 3:70b3d57ed0000002 ", "", 1},
    {"control bytes", "70b3d57ed0000001\n\x01\n", false, false, FR_E_MALFORMED, "list:2", NULL, "",
     0},
    {"a word after the EUI", "70b3d57ed0000001,x\n70b3d57ed0000002 y\n", false, false,
     FR_E_MALFORMED, "list:2", NULL, "", 0},
    {"master, whole",
     "$ORIGIN iot-roam.test.\n$TTL 1h\n@ IN SOA ns1 hostmaster (\n  1 ; serial\n  3600 600\n  "
     "86400 60 )\n  NS ns1\n"
     "ns1 A 192.0.2.1\n000013.netid 600 IN A 192.0.2.19\n000013.netid NAPTR 10 10 \"S\" \"LWN;x\" "
     "\"\" a.b.\n"
     "5817b1c3eb890bc4.deveui 300 IN CNAME 000013.netid.iot-roam.test.\n"
     "0004A30B001C0530.DEVEUI IN 300 CNAME 000013.netid\n"
     "x TXT \"( not open\" ; (\n",
     false, false, FR_OK, "", "11:5817b1c3eb890bc4 12:0004a30b001c0530 ", "", 0},
    {"master, absolute, tabs, CRLF",
     "5817b1c3eb890bc4.deveui.iot-roam.net.\t60\tIN\tCNAME\t000013.netid.iot-roam.net.\r\n", false,
     false, FR_OK, "", "1:5817b1c3eb890bc4 ", "", 0},
    {"master, A per device, no origin",
     "5817b1c3eb890bc4 60 IN A 192.0.2.7\n0004a30b001c0530 60 IN A 192.0.2.7\n", false, false,
     FR_OK, "", "1:5817b1c3eb890bc4 2:0004a30b001c0530 ", "", 0},
    {"the same with addresses",
     "5817b1c3eb890bc4 60 IN A 192.0.2.7\n000013.netid A 192.0.2.8\n000013.netid AAAA 2001:db8::1\n"
     "000014.netid A 192.0.2.9\n0004a30b001c0530 60 IN A 192.0.2.7\n",
     true, false, FR_OK, "", "1:5817b1c3eb890bc4 5:0004a30b001c0530 ",
     "192.0.2.7:8005 192.0.2.8:8005 [2001:db8::1]:8005 ", 0},
    {"owner kept from the line before",
     "5817b1c3eb890bc4.deveui.x. A 192.0.2.7\n  AAAA 2001:db8::1\n", false, false, FR_OK, "",
     "1:5817b1c3eb890bc4 2:5817b1c3eb890bc4 ", "", 0},
    {"origin below deveui",
     "$ORIGIN deveui.fed.test.\n5817b1c3eb890bc4 CNAME 000013.netid.fed.test.\n", false, false,
     FR_OK, "", "2:5817b1c3eb890bc4 ", "", 0},
    {"a CNAME in parentheses", "5817b1c3eb890bc4.deveui.x. CNAME (\n 000013.netid.x. )\n", false,
     false, FR_OK, "", "1:5817b1c3eb890bc4 ", "", 0},
    {"another network", "5817b1c3eb890bc4.deveui.x. CNAME 000014.netid.x.\n", false, false,
     FR_E_CONFLICT, "list:1", NULL, "", 0},
    {"a target that is none", "5817b1c3eb890bc4.deveui.x. CNAME host.x.\n", false, false,
     FR_E_MALFORMED, "list:1", NULL, "", 0},
    {"not a DevEUI under deveui", "ok TXT x\n5817b1c3eb890bc.deveui.x. CNAME 000013.netid.x.\n",
     false, false, FR_E_MALFORMED, "list:2", NULL, "", 0},
    {"left out of a master file",
     "a.deveui.x. CNAME 000013.netid.x.\n5817b1c3eb890bc4.deveui.x. CNAME 000013.netid.x.\n", false,
     true, FR_OK, "", "2:5817b1c3eb890bc4 ", "", 1},
    {"bad address", "5817b1c3eb890bc4 A 192.0.2.777\n", false, false, FR_E_MALFORMED, "list:1",
     NULL, "", 0},
    {"v6 in A", "5817b1c3eb890bc4 A 2001:db8::1\n", true, false, FR_E_MALFORMED, "list:1", NULL, "",
     0},
    {"include", "$INCLUDE /etc/passwd\n", false, false, FR_E_MALFORMED, "list:1", NULL, "", 0},
    {"generate", "$GENERATE 1-9 a$ A 192.0.2.$\n", false, false, FR_E_MALFORMED, "list:1", NULL, "",
     0},
    {"not closed (", "@ SOA a b (\n 1\n", false, false, FR_E_MALFORMED, "list:1", NULL, "", 0},
    {"not open )", "@ SOA a b )\n", false, false, FR_E_MALFORMED, "list:1", NULL, "", 0},
    {"nested (", "@ SOA a b ( ( 1 ) )\n", false, false, FR_E_MALFORMED, "list:1", NULL, "", 0},
    {"not closed quote", "@ TXT \"abc\n", false, false, FR_E_MALFORMED, "list:1", NULL, "", 0},
    {"no owner yet", "$TTL 60\n  A 192.0.2.1\n", false, false, FR_E_MALFORMED, "list:2", NULL, "",
     0},
    {"no type", "5817b1c3eb890bc4.deveui 60 IN\n", false, false, FR_E_MALFORMED, "list:1", NULL, "",
     0},
    {"type without value", "5817b1c3eb890bc4.deveui CNAME\n", false, false, FR_E_MALFORMED,
     "list:1", NULL, "", 0},
    {"empty label", "5817b1c3eb890bc4..deveui. CNAME 000013.netid.\n", false, false, FR_E_MALFORMED,
     "list:1", NULL, "", 0},
};

static enum fr_err on_device(void *data, uint64_t eui, size_t line, struct fr_diag *diag)
{
    char *rows = data;
    size_t at = strlen(rows);

    (void)diag;
    if (at < 480) snprintf(rows + at, 512 - at, "%zu:%016llx ", line, (unsigned long long)eui);
    return FR_OK;
}

static void render(const struct fr_import *import, char addrs[256])
{
    const struct fr_addr *list;
    size_t n = fr_import_addrs(import, &list);
    char text[FR_ADDR_TEXT];

    addrs[0] = '\0';
    for (size_t i = 0, used = 0; i < n; i++) {
        fr_addr_print(&list[i], text);
        used += (size_t)snprintf(addrs + used, 256 - used, "%s ", text);
    }
}

/* The text in pieces of `piece` bytes: where it is cut must not matter. */
static void read_text(const struct text *t, size_t piece)
{
    char rows[512] = "", addrs[256];
    struct fr_import_options options = {.name = "list",
                                        .netid = 0x13,
                                        .records = t->records,
                                        .keep_going = t->keep_going,
                                        .device = on_device,
                                        .data = rows};
    struct fr_import *import = NULL;
    struct fr_diag diag = {0};
    size_t size = strlen(t->text);
    enum fr_err err = fr_import_new(&options, &import);

    for (size_t at = 0; err == FR_OK && at < size; at += piece)
        err = fr_import_feed(import, fr_span(t->text + at, size - at < piece ? size - at : piece),
                             &diag);
    if (err == FR_OK) err = fr_import_end(import, &diag);
    if (err != t->err)
        fail_msg("%s: %s (%s: %s)", t->label, fr_err_text(err), diag.where, diag.what);
    if (err) {
        if (strcmp(diag.where, t->where) != 0)
            fail_msg("%s: at %s: %s", t->label, diag.where, diag.what);
    } else {
        render(import, addrs);
        if (strcmp(rows, t->rows) != 0) fail_msg("%s: rows %s", t->label, rows);
        if (strcmp(addrs, t->addrs) != 0) fail_msg("%s: addresses %s", t->label, addrs);
        if (fr_import_left_out(import) != t->left_out) fail_msg("%s: left out", t->label);
    }
    fr_import_free(import);
}

static void every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        read_text(&texts[i], 1 << 20);
        read_text(&texts[i], 1);
        read_text(&texts[i], 7);
    }
}

/* Cut anywhere: never a crash, never more rows than the whole. */
static void every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t n = 0; n < strlen(texts[i].text); n++) {
            struct fr_import_options options = {.name = "list", .netid = 0x13};
            struct fr_import *import = NULL;
            assert_int_equal(fr_import_new(&options, &import), FR_OK);
            char *copy = malloc(n ? n : 1);
            memcpy(copy, texts[i].text, n);
            enum fr_err err = fr_import_feed(import, fr_span(copy, n), NULL);
            free(copy);
            if (err == FR_OK) err = fr_import_end(import, NULL);
            assert_true(err == FR_OK || err == FR_E_MALFORMED || err == FR_E_CONFLICT);
            fr_import_free(import);
        }
    }
}

static void long_lines_are_limited(void **state)
{
    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        struct fr_import_options options = {.name = "list", .netid = 0x13, .keep_going = mode == 1};
        struct fr_import *import = NULL;
        struct fr_diag diag = {0};
        char piece[1000];
        enum fr_err err = FR_OK;

        memset(piece, mode == 2 ? ' ' : 'a', sizeof piece);
        assert_int_equal(fr_import_new(&options, &import), FR_OK);
        assert_int_equal(fr_import_feed(import, FR_SPAN_LIT("70b3d57ed0000001\n"), &diag), FR_OK);
        for (int i = 0; err == FR_OK && i < 50; i++)
            err = fr_import_feed(import, fr_span(piece, sizeof piece), &diag);
        if (err == FR_OK) err = fr_import_feed(import, FR_SPAN_LIT("\n70b3d57ed0000002\n"), &diag);
        if (err == FR_OK) err = fr_import_end(import, &diag);
        assert_int_equal(err, mode == 1 ? FR_OK : FR_E_MALFORMED);
        if (mode == 1) assert_int_equal(fr_import_left_out(import), 1);
        if (mode != 1) assert_string_equal(diag.where, "list:2");
        fr_import_free(import);
    }
}

static void a_record_over_many_lines_is_limited(void **state)
{
    (void)state;
    struct fr_import_options options = {.name = "list", .netid = 0x13};
    struct fr_import *import = NULL;
    enum fr_err err = FR_OK;

    assert_int_equal(fr_import_new(&options, &import), FR_OK);
    assert_int_equal(fr_import_feed(import, FR_SPAN_LIT("@ TXT (\n"), NULL), FR_OK);
    for (int i = 0; err == FR_OK && i < 10000; i++)
        err = fr_import_feed(import, FR_SPAN_LIT(" abcdefgh\n"), NULL);
    assert_int_equal(err, FR_E_MALFORMED);
    fr_import_free(import);
}

static void without_memory(void **state)
{
    (void)state;
    static const char text[] = "70b3d57ed0000001\n70b3d57ed0000002\n";

    for (unsigned long n = 1;; n++) {
        struct fr_import_options options = {.name = "list", .netid = 0x13, .keep_going = true};
        struct fr_import *import = NULL;
        fr_mem_fail_nth(n);
        enum fr_err err = fr_import_new(&options, &import);
        if (err == FR_OK) err = fr_import_feed(import, fr_span_str(text), NULL);
        bool failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        fr_import_free(import);
        if (!failed) {
            assert_int_equal(err, FR_OK);
            break;
        }
        assert_int_equal(err, FR_E_NOMEM);
    }
}

struct others {
    char text[512];
    enum fr_err err;
};

static enum fr_err note_other(void *data, const char *record, const char *origin, const char **why)
{
    struct others *others = data;
    size_t n = strlen(others->text);

    snprintf(others->text + n, sizeof others->text - n, "%s|%s\n", record, origin);
    *why = "not liked";
    return others->err;
}

static void other_records_are_judged_by_somebody_else(void **state)
{
    struct others others = {.err = FR_OK};
    struct fr_import_options options = {
        .name = "list", .netid = 0x13, .other = note_other, .data = &others};
    static const char text[] =
        "@ SOA a b 1 2\n"
        "$ORIGIN Fed.Test.\n@ IN SOA a b (\n 1 ; serial\n 2 )\n  TXT \"a;b\" \"\"\n"
        "5817b1c3eb890bc4.deveui CNAME 000013.netid\nns1 300 A 192.0.2.1\n";
    static const char want[] = "@ SOA a b 1 2|\n"
                               "fed.test. IN SOA a b 1 2|fed.test\n"
                               "fed.test. TXT \"a;b\" \"\"|fed.test\n"
                               "ns1.fed.test. 300 A 192.0.2.1|fed.test\n";
    struct fr_import *import = NULL;
    struct fr_diag diag = {0};

    (void)state;
    assert_int_equal(fr_import_new(&options, &import), FR_OK);
    assert_int_equal(fr_import_feed(import, fr_span_str(text), &diag), FR_OK);
    assert_string_equal(others.text, want);
    others.err = FR_E_RANGE;
    assert_int_equal(fr_import_feed(import, FR_SPAN_LIT("x TXT y\n"), &diag), FR_E_MALFORMED);
    assert_string_equal(diag.what, "not liked");
    assert_string_equal(diag.where, "list:9");
    fr_import_free(import);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(long_lines_are_limited),
        cmocka_unit_test(a_record_over_many_lines_is_limited),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(other_records_are_judged_by_somebody_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
