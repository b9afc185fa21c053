#include "enrol/wallet.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char DIR_TEXT[] = "/tmp/fr-wallet-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(DIR_TEXT) == NULL;
}

static int erase_dir(void **state)
{
    (void)state;
    return fr_wallet_erase(DIR_TEXT, 4, NULL) != FR_OK;
}

static char *ADDRESSES[] = {(char[]){"192.0.2.1"}, (char[]){"2001:db8::1"}};
static char *PEERS[] = {(char[]){"000014:8005"}};

static char B[] = "b.test", C[] = "c.test";
static char EST[] = "https://ca.x.test/est", BROKER[] = "https://broker.x.test/dns-query",
            EXEC[] = "echo \"a: #b\" 'c' \\ \t";

static struct fr_wallet_entry entry(char *name, uint64_t joined_s)
{
    return (struct fr_wallet_entry){.name = name,
                                    .est = EST,
                                    .broker = BROKER,
                                    .addresses = ADDRESSES,
                                    .n_addresses = 2,
                                    .lns = FR_LNS_CHIRPSTACK_V4,
                                    .exec = EXEC,
                                    .peers = PEERS,
                                    .n_peers = 1,
                                    .joined_s = joined_s};
}

static void entries_are_kept_as_they_were(void **state)
{
    const struct fr_wallet_entry e = entry(B, 20), older = entry(C, 10);
    struct fr_wallet_entry *back = NULL;
    struct fr_wallet wallet;

    (void)state;
    assert_int_equal(fr_wallet_open("/tmp/fr-wallet-none", NULL, &wallet), FR_OK);
    assert_int_equal(wallet.n, 0);
    assert_int_equal(fr_wallet_save(DIR_TEXT, &e, NULL), FR_OK);
    assert_int_equal(fr_wallet_save(DIR_TEXT, &older, NULL), FR_OK);
    assert_int_equal(fr_wallet_load(DIR_TEXT, "b.test", NULL, &back), FR_OK);
    assert_string_equal(back->exec, e.exec);
    assert_string_equal(back->broker, e.broker);
    assert_null(back->owner);
    assert_int_equal(back->lns, FR_LNS_CHIRPSTACK_V4);
    assert_int_equal(back->n_addresses, 2);
    assert_string_equal(back->addresses[1], "2001:db8::1");
    assert_string_equal(back->peers[0], "000014:8005");
    fr_wallet_free(back);
    assert_int_equal(fr_wallet_open(DIR_TEXT, NULL, &wallet), FR_OK);
    assert_int_equal(wallet.n, 2);
    assert_string_equal(wallet.entries[0]->name, "c.test"); /* joined first */
    fr_wallet_close(&wallet);
}

static void names_are_no_paths(void **state)
{
    static const char *const rows[] = {"../b.test", "b.test/", "/etc", "", "b", "B.test", "d.test"};
    struct fr_wallet_entry *back = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_not_equal(fr_wallet_load(DIR_TEXT, rows[i], NULL, &back), FR_OK);
}

static void one_command_at_a_time(void **state)
{
    int first = -1, second = -1;

    (void)state;
    assert_int_equal(fr_wallet_lock(DIR_TEXT, NULL, &first), FR_OK);
    assert_int_equal(fr_wallet_lock(DIR_TEXT, NULL, &second), FR_E_BUSY);
    (void)close(first);
    assert_int_equal(fr_wallet_lock(DIR_TEXT, NULL, &second), FR_OK);
    (void)close(second);
}

/* Links are removed, never followed; folders deeper than ours stop it. */
static void erasing_keeps_to_its_own(void **state)
{
    char inner[128], outside[128], link[128];

    (void)state;
    (void)snprintf(inner, sizeof inner, "%s/e/1/2", DIR_TEXT);
    (void)snprintf(outside, sizeof outside, "%s/outside", DIR_TEXT);
    (void)snprintf(link, sizeof link, "%s/e/1/link", DIR_TEXT);
    assert_int_equal(fr_dir_make(inner, 0755, NULL), FR_OK);
    assert_int_equal(fr_dir_make(outside, 0755, NULL), FR_OK);
    assert_int_equal(symlink(outside, link), 0);
    inner[strlen(DIR_TEXT) + 2] = '\0';
    assert_int_equal(fr_wallet_erase(inner, 2, NULL), FR_E_CONFLICT);
    assert_int_equal(fr_wallet_erase(inner, 3, NULL), FR_OK);
    assert_false(fr_file_exists(inner));
    assert_true(fr_file_exists(outside));
    assert_int_equal(fr_wallet_erase(inner, 3, NULL), FR_OK);
}

/* What cannot be taken away stands for a run that was ended: the files that say how far it came stay. */
static void an_entry_goes_keys_first(void **state)
{
    struct fr_wallet_entry e = entry(B, 1);
    char path[128], note[128], key[128], deep[128];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/b.test/wallet.yaml", DIR_TEXT);
    (void)snprintf(note, sizeof note, "%s/b.test/" FR_WALLET_LEAVING, DIR_TEXT);
    (void)snprintf(key, sizeof key, "%s/b.test/key", DIR_TEXT);
    (void)snprintf(deep, sizeof deep, "%s/b.test/1/2/3/4/5", DIR_TEXT);
    assert_int_equal(fr_wallet_save(DIR_TEXT, &e, NULL), FR_OK);
    assert_int_equal(fr_file_write(note, 0644, FR_SPAN_LIT("told\n"), NULL), FR_OK);
    assert_int_equal(fr_dir_make(deep, 0755, NULL), FR_OK);
    assert_int_equal(fr_wallet_remove(DIR_TEXT, B, NULL), FR_E_CONFLICT);
    assert_true(fr_file_exists(path) && fr_file_exists(note));
    for (char *slash = strrchr(deep, '/'); strlen(deep) > strlen(DIR_TEXT) + strlen("/b.test/");
         slash = strrchr(deep, '/')) {
        assert_int_equal(rmdir(deep), 0);
        *slash = '\0';
    }
    assert_int_equal(fr_file_write(key, 0600, FR_SPAN_LIT("k"), NULL), FR_OK);
    assert_int_equal(fr_wallet_remove(DIR_TEXT, B, NULL), FR_OK);
    assert_false(fr_file_exists(path) || fr_file_exists(note) || fr_file_exists(key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_kept_as_they_were), cmocka_unit_test(names_are_no_paths),
        cmocka_unit_test(one_command_at_a_time),         cmocka_unit_test(erasing_keeps_to_its_own),
        cmocka_unit_test(an_entry_goes_keys_first),
    };
    return cmocka_run_group_tests(tests, make_dir, erase_dir);
}
