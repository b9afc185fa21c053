#include "enrol/chirpstack.h"

#include "base/file.h"
#include "enrol/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *const PEERS_A[] = {(char[]){"000014:8005"}, (char[]){"000015:9000"}};
static char *const PEERS_B[] = {(char[]){"000015:8005"}, (char[]){"000021:8005"}};

static struct fr_chirpstack two(void)
{
    return (struct fr_chirpstack){
        .netid = 0x13,
        .n = 2,
        .feds = {{"a.test", "/w/a/\"root", "/w/a/chain", "/w/a/key", PEERS_A, 2},
                 {"b.test", "/w/b/root", "/w/b/chain", "/w/b/key", PEERS_B, 2}}};
}

static const char *value(const struct fr_toml *toml, const char *path)
{
    const struct fr_toml_entry *e = fr_toml_find(toml, path);
    if (e == NULL) fail_msg("no %s", path);
    return e->value;
}

/* A NetID is listed once: by the federation joined first. */
static void the_whole_wallet_is_one_document(void **state)
{
    const struct fr_chirpstack cs = two();
    struct fr_buf text = FR_BUF_INIT(65536);
    struct fr_toml *toml = NULL;

    (void)state;
    assert_int_equal(fr_chirpstack_print_v4(&cs, &text), FR_OK);
    assert_int_equal(fr_toml_new(&toml), FR_OK);
    assert_int_equal(fr_toml_add(toml, "f", fr_buf_span(&text), NULL), FR_OK);
    assert_string_equal(value(toml, "backend_interfaces.bind"), FR_CHIRPSTACK_LISTEN);
    assert_string_equal(value(toml, "backend_interfaces.ca_cert"), "/w/a/\"root");
    assert_string_equal(value(toml, "roaming.resolve_net_id_domain_suffix"), ".netid.a.test:8005");
    assert_string_equal(value(toml, "roaming.servers.1.server"),
                        "https://000015.netid.a.test:9000");
    assert_string_equal(value(toml, "roaming.servers.1.passive_roaming_lifetime"), "24h");
    assert_string_equal(value(toml, "roaming.servers.2.net_id"), "000021");
    assert_string_equal(value(toml, "roaming.servers.2.tls_key"), "/w/b/key");
    assert_null(fr_toml_find(toml, "roaming.servers.3"));
    fr_toml_free(toml);
    fr_buf_deinit(&text);
}

static void v3_has_its_own_words(void **state)
{
    const struct fr_chirpstack cs = two();
    struct fr_buf text = FR_BUF_INIT(65536);
    struct fr_toml *toml = NULL;

    (void)state;
    assert_int_equal(fr_chirpstack_print_v3(&cs, &text), FR_OK);
    assert_int_equal(fr_toml_new(&toml), FR_OK);
    assert_int_equal(fr_toml_add(toml, "f", fr_buf_span(&text), NULL), FR_OK);
    assert_string_equal(value(toml, "roaming.resolve_netid_domain_suffix"), ".netid.a.test:8005");
    assert_string_equal(value(toml, "roaming.api.tls_cert"), "/w/a/chain");
    assert_string_equal(value(toml, "roaming.servers.0.passive_roaming"), "true");
    fr_toml_free(toml);
    fr_buf_deinit(&text);
}

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(fr_file_write(path, 0644, fr_span_str(text), NULL), FR_OK);
}

static void a_folder_is_judged_as_the_server_would(void **state)
{
    static const struct {
        const char *text;
        enum fr_err err;
        const char *where, *hint;
    } rows[] = {
        {"[network]\nnet_id=\"000013\"\n", FR_OK, "", ""},
        {"[network]\nnet_id=\"0x000013\"\n", FR_OK, "", ""},
        {"[network]\nnet_id=\"000000\"\n", FR_E_CONFLICT, "chirpstack.toml:2", "000013"},
        {"[network]\nnet_id=\"000014\"\n", FR_E_CONFLICT, "chirpstack.toml:2", "000013"},
        {"[network]\n", FR_E_CONFLICT, "chirpstack.toml:1", "000013"},
        {"", FR_E_CONFLICT, "", "000013"},
        {"[network]\nnet_id=\"000013\"\n[roaming]\nx=1\n", FR_E_CONFLICT, "chirpstack.toml:3",
         "lines 3 to 4"},
        {"roaming = {}\n[network]\nnet_id=\"000013\"\n", FR_E_CONFLICT, "chirpstack.toml:1",
         "lines 1 to 1"},
        {"[network\n", FR_E_MALFORMED, "chirpstack.toml:1", ""},
    };
    const struct fr_chirpstack cs = two();
    char folder[] = "/tmp/fr-chirpstack-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    write_text(folder, "region.toml", "[[regions]]\nid=\"eu868\"\n");
    write_text(folder, "other.txt", "[roaming]\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_diag diag = {0};
        bool changed = false;
        write_text(folder, "chirpstack.toml", rows[i].text);
        const enum fr_err err = fr_chirpstack_write_v4(folder, &cs, &diag, &changed);
        if (err != rows[i].err) fail_msg("row %zu: %s %s", i, diag.where, diag.what);
        if (strstr(diag.where, rows[i].where) == NULL) fail_msg("row %zu: %s", i, diag.where);
        if (strstr(diag.hint, rows[i].hint) == NULL) fail_msg("row %zu: %s", i, diag.hint);
        assert_int_equal(changed, i == 0); /* later rows find it written */
    }
    assert_int_equal(fr_chirpstack_remove_v4(folder, NULL), FR_OK);
    assert_int_equal(fr_chirpstack_remove_v4(folder, NULL), FR_OK);
    assert_int_equal(fr_wallet_erase(folder, 1, NULL), FR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_wallet_is_one_document),
        cmocka_unit_test(v3_has_its_own_words),
        cmocka_unit_test(a_folder_is_judged_as_the_server_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
