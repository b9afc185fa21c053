#include "ca/init.h"

#include "base/mem.h"
#include "ca/issuing.h"
#include "federation.h"
#include "store/authority.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct fr_ca_init_options options_for(const char *dir)
{
    return (struct fr_ca_init_options){.dir = dir,
                                       .federation = "fed.test",
                                       .host = "host1",
                                       .map_size = 64 << 20,
                                       .now_s = NOW,
                                       .actor = "test"};
}

static size_t count_entries(const char *dir)
{
    DIR *d = opendir(dir);
    size_t n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL) n++;
    closedir(d);
    return n - 2; /* "." and ".." */
}

static void state_directory_is_private(void **state)
{
    static const char *const FILES[] = {"data.mdb",     "lock.mdb",     "root.pem",
                                        "root.key",     "server.key",   "server.chain.pem",
                                        "ca/2026a.key", "ca/2026a.pem", "crl/root.crl"};
    struct federation f;
    struct stat st;
    char path[256];
    mode_t mask = umask(0);

    (void)state;
    federation_make(&f);
    umask(mask);
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", f.dir, FILES[i]);
        if (stat(path, &st) != 0) fail_msg("%s is missing", FILES[i]);
        if ((st.st_mode & 07777) != 0600) fail_msg("%s has mode %o", FILES[i], st.st_mode);
    }
    assert_int_equal(stat(f.dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    (void)snprintf(path, sizeof path, "%s/ca", f.dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(count_entries(f.root), 1); /* nothing is left of the making */
    federation_remove(&f);
}

static enum fr_err find_broker(void *data, const struct fr_cert_row *row)
{
    *(struct fr_cert_row *)data = *row;
    return FR_OK;
}

static void store_knows_all_three_certificates(void **state)
{
    struct federation f;
    struct fr_snap *snap = NULL;
    struct fr_authority_row *row = calloc(1, sizeof *row);
    struct fr_cert_row broker = {0};
    struct fr_cert_fields fields;
    struct fr_chain *chain = NULL;
    char path[256];

    (void)state;
    federation_make(&f);
    assert_int_equal(fr_snap_begin(f.store, &snap), FR_OK);
    assert_int_equal(fr_authority_get(snap, "root", row), FR_OK);
    assert_int_equal(row->kind, FR_AUTHORITY_ROOT);
    assert_int_equal(row->not_after_s, NOW + FR_ROOT_LIFETIME_S - 1);
    assert_int_equal(fr_authority_get(snap, "2026a", row), FR_OK);
    assert_int_equal(row->state, FR_AUTHORITY_ACTIVE);
    assert_int_equal(fr_cert_row_each(snap, find_broker, &broker), FR_OK);
    assert_int_equal(broker.status, FR_CERT_ISSUED);
    assert_int_equal(broker.profile, FR_PROFILE_BROKER);
    assert_string_equal(broker.host, "host1");
    assert_int_equal(broker.rights, FR_RIGHT_REPLICA);
    (void)snprintf(path, sizeof path, "%s/server.chain.pem", f.dir);
    assert_int_equal(fr_chain_load(path, NULL, &chain), FR_OK);
    assert_int_equal(fr_chain_count(chain), 2);
    assert_int_equal(fr_cert_read_fields(fr_chain_at(chain, 0), &fields), FR_OK);
    assert_memory_equal(fields.serial, broker.serial, FR_SERIAL_SIZE);
    assert_memory_equal(fields.sha256, broker.sha256, FR_DIGEST_SIZE);
    assert_int_equal(fr_cert_verify(fr_chain_at(chain, 0), fr_chain_at(chain, 1), fr_ca_root(f.ca),
                                    FR_CERT_FOR_SERVER, NOW, NULL),
                     FR_OK);
    fr_chain_free(chain);
    fr_snap_end(snap);
    free(row);
    federation_remove(&f);
}

static void nothing_is_overwritten(void **state)
{
    struct federation f;
    struct fr_diag diag = {0};
    struct fr_ca_init_result result;

    (void)state;
    federation_make(&f);
    federation_close(&f);
    struct fr_ca_init_options o = options_for(f.dir);
    assert_int_equal(fr_ca_init(&o, &diag, &result), FR_E_EXISTS);
    char other[128], key[128];
    (void)snprintf(other, sizeof other, "%s/other", f.root);
    (void)snprintf(key, sizeof key, "%s/root.key", f.dir);
    o = options_for(other);
    o.root_out = key;
    assert_int_equal(fr_ca_init(&o, &diag, &result), FR_E_EXISTS);
    assert_int_equal(access(key, F_OK), 0);
    assert_int_equal(count_entries(f.root), 1);
    federation_remove(&f);
}

static void empty_directory_is_taken(void **state)
{
    char root[] = "/tmp/fr-ca-XXXXXX";
    char dir[64], key[64], cmd[128], slashed[72];
    struct fr_ca_init_result result;

    (void)state;
    assert_non_null(mkdtemp(root));
    (void)snprintf(dir, sizeof dir, "%s/s", root);
    (void)snprintf(slashed, sizeof slashed, "%s///", dir);
    (void)snprintf(key, sizeof key, "%s/away.key", root);
    assert_int_equal(mkdir(dir, 0755), 0);
    struct fr_ca_init_options o = options_for(slashed);
    o.root_out = key;
    assert_int_equal(fr_ca_init(&o, NULL, &result), FR_OK);
    assert_int_equal(access(key, F_OK), 0);
    assert_int_equal(count_entries(dir), 7); /* data lock root.pem ca crl server.key, .chain.pem */
    assert_int_equal(count_entries(root), 2);
    (void)snprintf(cmd, sizeof cmd, "rm -r %s", root);
    assert_int_equal(system(cmd), 0);
}

static void bad_options_leave_nothing(void **state)
{
    char root[] = "/tmp/fr-ca-XXXXXX";
    char dir[64];

    (void)state;
    assert_non_null(mkdtemp(root));
    (void)snprintf(dir, sizeof dir, "%s/s", root);
    for (int i = 0; i < 10; i++) {
        struct fr_ca_init_options o = options_for(dir);
        struct fr_ca_init_result result;
        struct fr_diag diag = {0};
        switch (i) {
        case 0: o.federation = "fed"; break;
        case 1: o.federation = "Fed.test"; break;
        case 2: o.federation = "fed.test,DNS:evil.test"; break;
        case 3: o.host = "a.b"; break;
        case 4: o.url = "http://broker.fed.test/"; break;
        case 5: o.url = "nonsense"; break;
        case 6: o.netid_pool = "600100"; break;
        case 7: o.netid_pool = "600102-600100"; break;
        case 8: o.netid_pool = "000000-000010"; break;
        default: o.root_out = "/nonexistent-folder/root.key"; break;
        }
        if (fr_ca_init(&o, &diag, &result) == FR_OK) fail_msg("case %d", i);
        if (diag.what[0] == '\0') fail_msg("case %d says nothing", i);
        if (count_entries(root) != 0) fail_msg("case %d left something", i);
    }
    assert_int_equal(rmdir(root), 0);
}

static void mixed_up_parts_do_not_sign(void **state)
{
    struct federation a, b;
    char from[128], to[128];
    struct fr_diag diag = {0};
    const struct fr_store_options options = {.dir = a.dir, .map_size = 64 << 20};

    (void)state;
    federation_make(&a);
    federation_make(&b);
    federation_close(&a);
    federation_close(&b);
    (void)snprintf(from, sizeof from, "%s/ca/2026a.key", b.dir);
    (void)snprintf(to, sizeof to, "%s/ca/2026a.key", a.dir);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(fr_store_open(&options, &diag, &a.store), FR_OK);
    assert_int_equal(fr_ca_open(a.dir, a.store, &BY, &diag, &a.ca), FR_E_CONFLICT);
    assert_int_equal(chmod(to, 0644), 0);
    assert_int_equal(fr_ca_open(a.dir, a.store, &BY, &diag, &a.ca), FR_E_CONFIG);
    federation_remove(&a);
    federation_remove(&b);
}

static void no_memory_leaves_nothing(void **state)
{
    char root[] = "/tmp/fr-ca-XXXXXX";
    char dir[64], cmd[128];
    unsigned long n = 0;
    bool has_failed = true;

    (void)state;
    assert_non_null(mkdtemp(root));
    (void)snprintf(dir, sizeof dir, "%s/s", root);
    while (has_failed) {
        struct fr_ca_init_options o = options_for(dir);
        struct fr_ca_init_result result;
        fr_mem_fail_nth(++n);
        enum fr_err err = fr_ca_init(&o, NULL, &result);
        has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        if (has_failed != (err != FR_OK)) fail_msg("allocation %lu: %s", n, fr_err_text(err));
        if (has_failed && count_entries(root) != 0) fail_msg("allocation %lu left something", n);
    }
    assert_true(n > 10);
    (void)snprintf(cmd, sizeof cmd, "rm -r %s", root);
    assert_int_equal(system(cmd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_directory_is_private),
        cmocka_unit_test(store_knows_all_three_certificates),
        cmocka_unit_test(nothing_is_overwritten),
        cmocka_unit_test(empty_directory_is_taken),
        cmocka_unit_test(bad_options_leave_nothing),
        cmocka_unit_test(mixed_up_parts_do_not_sign),
        cmocka_unit_test(no_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
