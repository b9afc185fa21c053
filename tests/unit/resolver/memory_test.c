#include "net.h"

#include "base/file.h"
#include "resolver/memory.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A cache that outlives its handle. */

struct scene {
    char folder[32], path[64];
    struct net net;
    struct asked a;
};

static void setup(struct scene *s)
{
    snprintf(s->folder, sizeof s->folder, "/tmp/fr-memory-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof s->path, "%s/cache", s->folder);
}

static void teardown(struct scene *s)
{
    unlink(s->path);
    rmdir(s->folder);
}

static void start(struct scene *s, int64_t now_ms)
{
    struct fedroam_options *o = net_options(1, 1);
    assert_int_equal(fedroam_options_set_cache_file(o, s->path), FEDROAM_OK);
    net_init(&s->net);
    s->net.now_ms = now_ms;
    assert_int_equal(net_open(&s->net, o), FR_OK);
    fedroam_options_free(o);
}

static void look_up(struct scene *s, uint64_t deveui, enum fedroam_result result,
                    enum fedroam_freshness freshness)
{
    ask(&s->net, &s->a, NULL, deveui, 0);
    net_run(&s->net, 20);
    expect(&s->a, result, freshness);
    done(&s->a);
}

static void test_a_restart(void **state)
{
    (void)state;
    struct scene s;
    setup(&s);
    start(&s, 1000);
    look_up(&s, D1, FEDROAM_FOUND, FEDROAM_FRESH);
    look_up(&s, STRANGER, FEDROAM_UNKNOWN, FEDROAM_FRESH);
    net_stop(&s.net);

    start(&s, 31000);
    look_up(&s, D1, FEDROAM_FOUND, FEDROAM_CACHED);
    look_up(&s, STRANGER, FEDROAM_UNKNOWN, FEDROAM_CACHED);
    assert_int_equal(net_asked(&s.net), 0);
    net_stop(&s.net);

    start(&s, 3700000); /* no broker is there at the restart */
    s.net.brokers[0][0].does = DOWN;
    look_up(&s, D1, FEDROAM_FOUND, FEDROAM_STALE);
    assert_int_equal(fedroam_flush(s.net.f, "none.test"), FEDROAM_E_FEDERATION);
    assert_int_equal(fedroam_flush(s.net.f, "fed.test"), FEDROAM_OK);
    look_up(&s, D1, FEDROAM_NO_BROKER, FEDROAM_FRESH);
    assert_int_equal(fedroam_count(s.net.f, FEDROAM_COUNT_CACHE_ENTRIES), 0);
    net_stop(&s.net);
    teardown(&s);
}

static void test_saved_in_between(void **state)
{
    (void)state;
    struct scene s;
    struct fr_file_stamp first, second;
    setup(&s);
    start(&s, 1000);
    net_skip(&s.net, FR_SAVE_EVERY_MS);
    assert_false(fr_file_exists(s.path)); /* nothing to save */
    look_up(&s, D1, FEDROAM_FOUND, FEDROAM_FRESH);
    net_skip(&s.net, FR_SAVE_EVERY_MS);
    first = fr_file_stamp(s.path);
    assert_true(first.size > 0);
    net_skip(&s.net, FR_SAVE_EVERY_MS);
    second = fr_file_stamp(s.path);
    assert_true(fr_file_stamp_equal(&first, &second));
    assert_int_equal(fedroam_save(s.net.f), FEDROAM_OK);
    second = fr_file_stamp(s.path);
    assert_false(fr_file_stamp_equal(&first, &second));
    unlink(s.path);
    rmdir(s.folder);
    assert_int_equal(fedroam_save(s.net.f), FEDROAM_E_SYSTEM);
    net_stop(&s.net);
}

/* A file that is damaged, or that others can write, is not used. */
static void test_unusable_files(void **state)
{
    (void)state;
    for (int open_to_others = 0; open_to_others < 2; open_to_others++) {
        struct scene s;
        setup(&s);
        start(&s, 1000);
        look_up(&s, D1, FEDROAM_FOUND, FEDROAM_FRESH);
        net_stop(&s.net);
        if (open_to_others)
            assert_int_equal(chmod(s.path, 0666), 0);
        else
            assert_int_equal(fr_file_write(s.path, 0600, FR_SPAN_LIT("FRCACHE1"), NULL), FR_OK);
        start(&s, 2000);
        look_up(&s, D1, FEDROAM_FOUND, FEDROAM_FRESH);
        net_stop(&s.net);
        teardown(&s);
    }
}

static void test_no_file(void **state)
{
    (void)state;
    struct net net;
    net_start(&net, 1, 1);
    assert_int_equal(fedroam_save(net.f), FEDROAM_E_STATE);
    assert_int_equal(fedroam_flush(net.f, NULL), FEDROAM_OK);
    net_stop(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_restart),
        cmocka_unit_test(test_saved_in_between),
        cmocka_unit_test(test_unusable_files),
        cmocka_unit_test(test_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
