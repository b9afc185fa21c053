/* The n-th allocation fails, for every n until all goes through: nothing leaks, nothing is half done. */
#include "base/buf.h"
#include "base/mem.h"
#include "store/check.h"
#include "store/export.h"

#include "fixture.h"

/* One use of the library that allocates; gives what it failed with. */
typedef enum fr_err (*use_fn)(struct fr_store *store);

static enum fr_err change_some(struct fr_store *store)
{
    static const uint64_t euis[] = {1, 2, 3, 10};
    struct fr_change_by by = by_tester();
    struct fr_device_job job = {.netid = 0x13, .mode = FR_DEVICE_REPLACE, .euis = euis, .n = 4};
    struct fr_device_report report;
    struct fr_member_row row = {.id = "calm"};
    struct fr_change *change = NULL;
    uint64_t sequence;

    enum fr_err err = fr_store_change(store, &by, NULL, &change);
    if (err) return err;
    err = fr_member_add(change, &row, NULL);
    if (err == FR_OK) err = fr_device_apply(change, &job, NULL, &report);
    if (err) {
        fr_change_cancel(change);
        return err;
    }
    return fr_change_commit(change, NULL, &sequence);
}

static enum fr_err change_in_batch(struct fr_store *store)
{
    struct fr_change_by by = by_tester();
    struct fr_member_row row = {.id = "dove"};
    struct fr_batch *batch = NULL;
    struct fr_change *change = NULL;
    uint64_t sequence;

    enum fr_err err = fr_batch_begin(store, NULL, &batch);
    if (err) return err;
    err = fr_batch_change(batch, &by, NULL, &change);
    if (err == FR_OK) {
        err = fr_member_add(change, &row, NULL);
        if (err)
            fr_change_cancel(change);
        else
            err = fr_change_commit(change, NULL, &sequence);
    }
    if (err) {
        fr_batch_abort(batch);
        return err;
    }
    return fr_batch_commit(batch, NULL);
}

static enum fr_err run_bulk(struct fr_store *store)
{
    static const uint64_t euis[] = {5, 6, 7};
    struct fr_change_by by = by_tester();
    struct fr_device_job job = {.netid = 0x2a, .mode = FR_DEVICE_REPLACE, .euis = euis, .n = 3};
    struct fr_bulk *bulk = NULL;
    bool done = false;

    enum fr_err err = fr_bulk_new(store, &job, &by, NULL, &bulk);
    while (err == FR_OK && !done) err = fr_bulk_step(bulk, 1000, NULL, &done);
    fr_bulk_free(bulk);
    return err;
}

static enum fr_err swallow(void *data, struct fr_span text)
{
    (void)data;
    (void)text;
    return FR_OK;
}

static void ignore(void *data, const struct fr_finding *finding)
{
    (void)data;
    (void)finding;
}

static enum fr_err read_all(struct fr_store *store)
{
    struct fr_snap *snap = NULL;
    const struct fr_export_options options = {.now_s = NOW, .piece = swallow};
    struct fr_export_report exported;
    struct fr_check_report report;
    struct fr_store_info info;

    enum fr_err err = fr_store_read_info(store, &info);
    if (err == FR_OK) err = fr_snap_begin(store, &snap);
    if (err == FR_OK) err = fr_export_zone(snap, &options, &exported);
    if (err == FR_OK) err = fr_check_store(snap, ignore, NULL, &report);
    fr_snap_end(snap);
    return err;
}

static void each_allocation_fails_once(void **state)
{
    struct fixture *f = *state;
    static const use_fn uses[] = {change_some, change_in_batch, run_bulk, read_all};

    for (size_t u = 0; u < sizeof uses / sizeof uses[0]; u++) {
        for (unsigned long n = 1;; n++) {
            struct fr_store_info before, after;
            assert_int_equal(fr_store_read_info(f->store, &before), FR_OK);
            fr_mem_fail_nth(n);
            enum fr_err err = uses[u](f->store);
            bool failed = fr_mem_failed();
            fr_mem_fail_nth(0);
            assert_int_equal(fr_store_read_info(f->store, &after), FR_OK);
            if (!failed) {
                if (err) fail_msg("use %zu: %s", u, fr_err_text(err));
                break;
            }
            if (err != FR_E_NOMEM) fail_msg("use %zu, allocation %lu: %s", u, n, fr_err_text(err));
            assert_int_equal(after.sequence, before.sequence);
            assert_int_equal(after.members, before.members);
            assert_int_equal(after.devices, before.devices);
        }
    }
}

static void opening_without_memory(void **state)
{
    struct fixture *f = *state;
    struct fr_store_options options = store_options(f->dir);

    for (unsigned long n = 1;; n++) {
        fr_store_close(f->store);
        f->store = NULL;
        fr_mem_fail_nth(n);
        enum fr_err err = fr_store_open(&options, NULL, &f->store);
        bool failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        if (!failed) {
            assert_int_equal(err, FR_OK);
            return;
        }
        assert_int_equal(err, FR_E_NOMEM);
        assert_null(f->store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(each_allocation_fails_once),
        STORE_TEST(opening_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
