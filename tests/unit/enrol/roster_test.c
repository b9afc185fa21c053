#include "enrol/listed.h"

#include "base/file.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NET(netid, member, more) "{\"netid\":\"" netid "\",\"member\":\"" member "\"" more "}"
#define AT(...) ",\"endpoints\":[" __VA_ARGS__ "]"
#define PAGE(networks) "{\"networks\":[" networks "]}"

static struct fr_roster roster_of(const char *text)
{
    struct fr_roster roster = {0};
    bool has_more = true;
    assert_int_equal(fr_roster_read(fr_span_str(text), NULL, &roster, &has_more), FR_OK);
    assert_false(has_more);
    return roster;
}

/* --- reading --- */

static const struct {
    const char *text;
    enum fr_err err;
    size_t n;
    bool has_more;
} pages[] = {
    {PAGE(""), FR_OK, 0, false},
    {PAGE(NET("000013", "acme", AT())), FR_OK, 1, false},
    {PAGE(NET("000013", "acme", AT("\"192.0.2.1:8005\"")) "," NET("000014", "umbra", AT())), FR_OK,
     2, false},
    {"{\"networks\":[" NET("000013", "acme", AT()) "],\"next\":\"000013\"}", FR_OK, 1, true},
    {"{\"networks\":[],\"next\":\"000013\"}", FR_OK, 0, false}, /* going in circles */
    {PAGE(NET("000014", "umbra", AT()) "," NET("000013", "acme", AT())), FR_E_MALFORMED, 0, false},
    {PAGE(NET("000013", "acme", AT()) "," NET("000013", "acme", AT())), FR_E_MALFORMED, 0, false},
    {PAGE(NET("13", "acme", AT())), FR_E_MALFORMED, 0, false},
    {PAGE(NET("0x000013", "acme", AT())), FR_E_MALFORMED, 0, false},
    {PAGE(NET("000013", "../acme", AT())), FR_E_MALFORMED, 0, false},
    {PAGE(NET("000013", "", AT())), FR_E_MALFORMED, 0, false},
    {PAGE(NET("000013", "acme", "")), FR_E_MALFORMED, 0, false},
    {PAGE(NET("000013", "acme", AT("\"192.0.2.1\""))), FR_E_MALFORMED, 0, false},
    {PAGE(NET("000013", "acme", AT("7"))), FR_E_MALFORMED, 0, false},
    {PAGE("7"), FR_E_MALFORMED, 0, false},
    {"{\"networks\":{}}", FR_E_MALFORMED, 0, false},
    {"{\"networks\":[],\"networks\":[]}", FR_E_MALFORMED, 0, false},
    {"[]", FR_E_MALFORMED, 0, false},
    {"", FR_E_MALFORMED, 0, false},
};

static void pages_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pages); i++) {
        struct fr_roster roster = {0};
        struct fr_diag diag = {0};
        bool has_more = false;
        CHECK_ROW(pages[i].text, fr_roster_read(fr_span_str(pages[i].text), &diag, &roster,
                                                &has_more) == pages[i].err);
        CHECK_ROW(pages[i].text, roster.n == pages[i].n && has_more == pages[i].has_more);
        CHECK_ROW(pages[i].text, pages[i].err == FR_OK || diag.what[0]);
        fr_roster_free(&roster);
    }
}

static void a_second_page_goes_on_behind_the_first(void **state)
{
    struct fr_roster roster = roster_of(PAGE(NET("000013", "acme", AT())));
    bool has_more;

    (void)state;
    assert_int_equal(
        fr_roster_read(FR_SPAN_LIT(PAGE(NET("000013", "acme", AT()))), NULL, &roster, &has_more),
        FR_E_MALFORMED);
    assert_int_equal(roster.n, 1);
    assert_int_equal(
        fr_roster_read(FR_SPAN_LIT(PAGE(NET("000014", "umbra", AT()))), NULL, &roster, &has_more),
        FR_OK);
    assert_int_equal(roster.n, 2);
    fr_roster_free(&roster);
}

static void what_would_not_show_is_left_out(void **state)
{
    struct fr_roster roster = roster_of(
        PAGE(NET("000013", "acme", ",\"org\":\"A\\u001b[2J\",\"noc\":\"n@a.example\"" AT()) "," NET(
            "000014", "umbra", ",\"org\":\"\\u202egnol\",\"state\":\"suspended\"" AT())));

    (void)state;
    assert_string_equal(roster.list[0].org, "");
    assert_string_equal(roster.list[0].noc, "n@a.example");
    assert_false(roster.list[0].is_suspended);
    assert_string_equal(roster.list[1].org, "");
    assert_true(roster.list[1].is_suspended);
    fr_roster_free(&roster);
}

static void more_endpoints_than_are_kept(void **state)
{
    struct fr_roster roster = roster_of(PAGE(NET(
        "000013", "acme",
        AT("\"[::1]:1\",\"[::1]:2\",\"[::1]:3\",\"[::1]:4\",\"[::1]:5\",\"[::1]:6\",\"[::1]:7\","
           "\"[::1]:8\",\"[::1]:9\""))));

    (void)state;
    assert_int_equal(roster.list[0].n_endpoints, FR_ROSTER_ENDPOINTS);
    assert_int_equal(roster.list[0].endpoints[7].port, 8);
    fr_roster_free(&roster);
}

/* --- comparing --- */

#define A PAGE(NET("000013", "acme", AT("\"192.0.2.1:8005\"")))
#define B NET("000014", "umbra", AT("\"192.0.2.2:8005\""))

static const struct {
    const char *before, *after, *told;
} changes[] = {
    {A, A, ""},
    {PAGE(""), A, "joined 000013 acme;"},
    {A, PAGE(""), "left 000013 acme;"},
    {A, PAGE(B), "left 000013 acme;joined 000014 umbra;"},
    {PAGE(B), A, "joined 000013 acme;left 000014 umbra;"},
    {A, PAGE(NET("000013", "acme", AT("\"192.0.2.1:8006\""))), "moved 000013 acme;"},
    {A, PAGE(NET("000013", "acme", AT())), "moved 000013 acme;"},
    {A, PAGE(NET("000013", "acme", ",\"org\":\"x\"" AT("\"192.0.2.1:8005\""))),
     "changed 000013 acme;"},
    {A, PAGE(NET("000013", "acme", ",\"org\":\"x\"" AT("\"192.0.2.3:8005\""))),
     "moved 000013 acme;changed 000013 acme;"},
    {A, PAGE(NET("000013", "other", AT("\"192.0.2.1:8005\""))),
     "left 000013 acme;joined 000013 other;"},
    {A, PAGE(NET("000013", "acme", ",\"state\":\"suspended\"" AT("\"192.0.2.1:8005\""))),
     "left 000013 acme;"},
    {PAGE(NET("000013", "acme", ",\"state\":\"suspended\"" AT())), PAGE(""), ""},
};

static enum fr_err note(void *data, enum fr_roster_change change,
                        const struct fr_roster_network *network)
{
    fr_buf_printf(data, "%s %06x %s;", fr_roster_change_text(change), (unsigned)network->netid,
                  network->member);
    return FR_OK;
}

static void what_became_of_each_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct fr_roster before = roster_of(changes[i].before), after = roster_of(changes[i].after);
        struct fr_buf told = FR_BUF_INIT(1024);
        assert_int_equal(fr_roster_compare(&before, &after, note, &told), FR_OK);
        CHECK_ROW(changes[i].told, strcmp(fr_buf_str(&told), changes[i].told) == 0);
        fr_buf_deinit(&told);
        fr_roster_free(&before);
        fr_roster_free(&after);
    }
}

static enum fr_err refuse(void *data, enum fr_roster_change change,
                          const struct fr_roster_network *network)
{
    (void)data;
    (void)change;
    (void)network;
    return FR_E_IO;
}

static void the_first_error_ends_it(void **state)
{
    struct fr_roster none = {0}, one = roster_of(A);

    (void)state;
    assert_int_equal(fr_roster_compare(&none, &one, refuse, NULL), FR_E_IO);
    fr_roster_free(&one);
}

/* --- which a server lists --- */

#define ALL                                                                                        \
    PAGE(NET("000013", "acme", AT("\"192.0.2.1:8005\"")) "," NET(                                  \
        "000014", "umbra",                                                                         \
        AT("\"[2001:db8::1]:9001\",\"192.0.2.2:8005\"")) "," NET("000015", "nowhere",              \
                                                                 AT()) "," NET("000016", "acme",   \
                                                                               ",\"state\":"       \
                                                                               "\"suspended\"" AT( \
                                                                                   "\"192.0.2.1:"  \
                                                                                   "8007\"")))

static const struct {
    const char *peers[3];
    const char *listed;
} choices[] = {
    {{NULL}, "000014:9001 000015:8005 "},
    {{"000014"}, "000014:9001 "},
    {{"000014:7000"}, "000014:7000 "},
    {{"000015", "000014"}, "000014:9001 000015:8005 "},
    {{"000099"}, ""},
    {{"000099:8005", "000015"}, "000015:8005 "},
    {{"000013"}, ""},
    /* the server's own */ {{"000016"}, ""}, /* not to be found */
};

static void a_server_lists_everybody_or_who_was_chosen(void **state)
{
    struct fr_roster roster = roster_of(ALL);

    (void)state;
    for (size_t i = 0; i < COUNT(choices); i++) {
        char *peers[3];
        struct fr_wallet_entry entry = {.name = (char *)(uintptr_t) "fed.test", .peers = peers};
        struct fr_listed listed = {0};
        struct fr_buf text = FR_BUF_INIT(1024);
        for (; entry.n_peers < 3 && choices[i].peers[entry.n_peers]; entry.n_peers++)
            peers[entry.n_peers] = (char *)(uintptr_t)choices[i].peers[entry.n_peers];
        assert_int_equal(fr_listed_choose(&entry, &roster, 0x13, NULL, &listed), FR_OK);
        for (size_t k = 0; k < listed.n; k++) fr_buf_printf(&text, "%s ", listed.list[k]);
        CHECK_ROW(choices[i].listed, strcmp(fr_buf_str(&text), choices[i].listed) == 0);
        fr_buf_deinit(&text);
        fr_listed_free(&listed);
    }
    fr_roster_free(&roster);
}

/* --- kept --- */

static void what_was_listed_is_kept(void **state)
{
    char folder[] = "/tmp/fr-listed-XXXXXX", path[64];
    struct fr_roster roster = roster_of(ALL);
    struct fr_wallet_entry entry = {.name = (char *)(uintptr_t) "fed.test"};
    struct fr_listed listed = {0}, read = {0};
    struct fr_diag diag = {0};
    bool changed = false;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/peers", folder);
    assert_int_equal(fr_listed_load(folder, NULL, &read), FR_OK);
    assert_int_equal(read.n, 0);
    assert_int_equal(fr_listed_choose(&entry, &roster, 0x13, NULL, &listed), FR_OK);
    assert_int_equal(fr_listed_save(folder, &listed, NULL, &changed), FR_OK);
    assert_true(changed);
    assert_int_equal(fr_listed_save(folder, &listed, NULL, &changed), FR_OK);
    assert_false(changed);
    assert_int_equal(fr_listed_load(folder, NULL, &read), FR_OK);
    assert_true(fr_listed_is_same(&listed, &read));
    fr_listed_free(&read);
    static const char *const bad[] = {"x\n", "000014\n", "000014:0\n", "000014:70000\n", "\n"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(fr_file_write(path, 0644, fr_span_str(bad[i]), NULL), FR_OK);
        CHECK_ROW(bad[i], fr_listed_load(folder, &diag, &read) == FR_E_MALFORMED);
        CHECK_ROW(bad[i], strstr(diag.hint, "renew --all") != NULL);
    }
    fr_listed_free(&listed);
    fr_roster_free(&roster);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_read),
        cmocka_unit_test(a_second_page_goes_on_behind_the_first),
        cmocka_unit_test(what_would_not_show_is_left_out),
        cmocka_unit_test(more_endpoints_than_are_kept),
        cmocka_unit_test(what_became_of_each_is_told),
        cmocka_unit_test(the_first_error_ends_it),
        cmocka_unit_test(a_server_lists_everybody_or_who_was_chosen),
        cmocka_unit_test(what_was_listed_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
