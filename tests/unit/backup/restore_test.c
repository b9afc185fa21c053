/* A whole way: a federation is packed, unpacked, checked and restored. */
#include "backup/restore.h"

#include "base/clock.h"
#include "store/unknown.h"
#include "support/unit.h"
#include "unit/ca/federation.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct fr_span secret = FR_SPAN_LIT("secret");

static void count_fault(void *data, const char *what)
{
    unsigned *n = data;
    print_message("%s\n", what);
    (*n)++;
}

static void count_left(void *data, uint64_t record, const char *op, const char *why)
{
    unsigned *n = data;
    print_message("%llu %s: %s\n", (unsigned long long)record, op, why);
    (*n)++;
}

static int pack(struct federation *f)
{
    struct fr_backup_manifest manifest;
    struct fr_sealed_sum sum;
    struct fr_diag diag = {0};
    int fd = memfd_create("backup", 0);
    const struct fr_backup_options options = {.state = f->dir,
                                              .fd = fd,
                                              .passphrase = secret,
                                              .log2_n = 10,
                                              .now_s = fr_clock_real_s(fr_clock_system())};
    federation_close(f); /* once in a process */
    if (fr_backup_create(&options, &diag, &manifest, &sum)) fail_msg("%s", diag.what);
    federation_open(f);
    assert_string_equal(manifest.federation, fr_store_federation(f->store));
    return fd;
}

static void check(struct federation *f, int fd)
{
    char place[128], key[256];
    struct fr_backup_manifest manifest;
    struct fr_backup_report report;
    struct fr_sealed_sum sum;
    unsigned faults = 0;
    (void)snprintf(place, sizeof place, "%s/place", f->root);
    assert_int_equal(mkdir(place, 0700), 0);
    assert_true(lseek(fd, 0, SEEK_SET) == 0);
    assert_int_equal(fr_backup_unpack(fd, secret, place, NULL, &manifest, &sum), FR_OK);
    assert_int_equal(fr_backup_check(place, &manifest, NULL, count_fault, &faults, NULL, &report),
                     FR_OK);
    assert_int_equal(report.faults, 0);
    assert_int_equal(report.keys, 1);
    assert_int_equal(report.members, 1);
    /* Without the issuing key nobody could go on from it. */
    (void)snprintf(key, sizeof key, "%s/ca/%s.key", place, fr_ca_name(f->ca));
    assert_int_equal(unlink(key), 0);
    assert_int_equal(fr_backup_check(place, &manifest, NULL, count_fault, &faults, NULL, &report),
                     FR_OK);
    assert_true(report.faults > 0 && report.keys == 0);
    fr_backup_remove(place);
    assert_int_not_equal(access(place, F_OK), 0);
}

static void there_and_back(void **state)
{
    static const uint32_t netids[] = {0x13, 0};
    struct federation f;
    struct fr_restore_report report;
    struct fr_diag diag = {0};
    char out[128];
    unsigned left = 0;
    (void)state;
    federation_make(&f);
    add_member(&f, "acme", netids);
    int fd = pack(&f);
    check(&f, fd);
    (void)snprintf(out, sizeof out, "%s/out", f.root);
    struct fr_restore_options options = {
        .fd = fd, .passphrase = secret, .state = out, .now_s = fr_clock_real_s(fr_clock_system())};
    assert_true(lseek(fd, 0, SEEK_SET) == 0);
    assert_int_equal(fr_restore(&options, count_left, &left, &diag, &report), FR_E_INVALID);
    options.is_forgetful = true;
    options.state = f.dir; /* there is something in it */
    assert_int_equal(fr_restore(&options, count_left, &left, &diag, &report), FR_E_EXISTS);
    options.state = out;
    options.now_s -= 86400; /* made tomorrow */
    assert_int_equal(fr_restore(&options, count_left, &left, &diag, &report), FR_E_BUSY);
    assert_int_not_equal(access(out, F_OK), 0);
    options.now_s += 86400;
    assert_true(lseek(fd, 0, SEEK_SET) == 0);
    if (fr_restore(&options, count_left, &left, &diag, &report)) fail_msg("%s", diag.what);
    assert_int_equal(left, 0);
    (void)close(fd);

    struct fr_store *store = NULL;
    struct fr_snap *snap = NULL;
    int64_t backup_s = 0;
    const struct fr_store_options again = {.dir = out, .is_read_only = true, .map_size = 1u << 30};
    assert_int_equal(fr_store_open(&again, NULL, &store), FR_OK);
    assert_int_equal(fr_snap_begin(store, &snap), FR_OK);
    assert_int_equal(fr_restored_get(snap, &backup_s), FR_OK);
    assert_int_equal(backup_s, report.manifest.made_s);
    assert_true(fr_snap_sequence(snap) >= report.manifest.sequence + FR_RESTORE_STEP);
    fr_snap_end(snap);
    fr_store_close(store);
    fr_backup_remove(out);
    federation_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
