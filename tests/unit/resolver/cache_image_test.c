#include "resolver/cache_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolver/options.h"
#include <fedroam/answer.h>

enum { STALE_MS = 86400000 };

static const struct fr_cache_moment made = {.mono_ms = 5000000, .real_s = 1700000000};

static struct fedroam_options *names(const char *first, const char *second)
{
    struct fedroam_options *o = fedroam_options_new();
    assert_non_null(o);
    assert_int_equal(fedroam_options_add_federation(o, first, "a", "b", "c"), FEDROAM_OK);
    if (second) assert_int_equal(fedroam_options_add_federation(o, second, "a", "b", "c"), 0);
    return o;
}

static struct fr_cache *cache(void)
{
    const struct fr_cache_limits limits = {
        .max_entries = 100, .max_bytes = SIZE_MAX, .keep_ms = STALE_MS};
    struct fr_cache *c = NULL;
    assert_int_equal(fr_cache_new(&limits, &c), FR_OK);
    return c;
}

static struct fr_cache_key key(uint16_t federation, uint8_t kind, uint64_t id)
{
    return (struct fr_cache_key){.federation = federation, .kind = kind, .id = id};
}

static struct fr_place *place(void)
{
    static const char hosts[] = "\0e1.000013.netid.fed.test\0e2.000013.netid.fed.test";
    struct fr_place *p = fr_calloc(1, sizeof *p + sizeof hosts);
    assert_non_null(p);
    p->ttl_s = 60;
    p->n_endpoints = 2;
    p->endpoints[0] = (struct fr_place_endpoint){
        .addr = {.ip = {.family = 4, .b = {192, 0, 2, 1}}, .port = 8005}, .host_at = 1};
    p->endpoints[1] = (struct fr_place_endpoint){
        .addr = {.ip = {.family = 6, .b = {0x20, 1}}, .port = 8006}, .host_at = 26};
    p->n_pins = 1;
    memset(p->pins[0], 0xab, sizeof p->pins[0]);
    p->text_n = sizeof hosts;
    memcpy(p->text, hosts, sizeof hosts);
    return p;
}

/* One of each kind, made 10 s before the image. */
static void fill(struct fr_cache *c)
{
    int64_t at_ms = made.mono_ms - 10000;
    fr_cache_put_device(c, key(0, FEDROAM_DEVICE, 1), 0x13, 3600, at_ms);
    fr_cache_put_unknown(c, key(1, FEDROAM_DEVICE, 2), 60, 600, at_ms);
    fr_cache_put_place(c, key(0, FEDROAM_NETWORK, 0x13), place(), at_ms);
    fr_cache_put_negative(c, key(0, FEDROAM_JOIN_SERVER, 9), 60, at_ms);
    fr_cache_put_place(c, key(FR_PUBLIC_TREES, FEDROAM_JOIN_SERVER, 9), place(), at_ms);
    fr_cache_put_message(c, key(0, FR_CACHE_MESSAGE, 9), FR_SPAN_LIT("bytes"), false, 60, 0, at_ms);
}

static struct fr_buf image(void)
{
    struct fedroam_options *o = names("fed.test", "other.test");
    struct fr_cache *c = cache();
    struct fr_buf out = FR_BUF_INIT(100000);
    fill(c);
    assert_int_equal(fr_cache_image_write(c, o, made, &out), FR_OK);
    fr_cache_free(c);
    fedroam_options_free(o);
    return out;
}

static void test_a_round_trip(void **state)
{
    (void)state;
    /* The restarted program has another clock and another order of federations. */
    const struct fr_cache_moment now = {.mono_ms = 1000000, .real_s = made.real_s + 20};
    struct fedroam_options *o = names("other.test", "fed.test");
    struct fr_buf b = image();
    struct fr_cache *c = cache();
    struct fr_cache_hit hit;
    assert_int_equal(fr_cache_image_read(c, o, now, fr_buf_span(&b)), FR_OK);
    assert_int_equal(fr_cache_counts(c).entries, 4);
    assert_int_equal(fr_cache_get(c, key(1, FEDROAM_DEVICE, 1), now.mono_ms, &hit), FR_CACHE_FRESH);
    assert_int_equal(hit.netid, 0x13);
    assert_int_equal(hit.left_ms, 3600000 - 30000);
    assert_int_equal(fr_cache_get(c, key(0, FEDROAM_DEVICE, 2), now.mono_ms, &hit), FR_CACHE_FRESH);
    assert_true(hit.is_negative);
    assert_int_equal(hit.left_ms, 30000);
    assert_int_equal(fr_cache_get(c, key(1, FEDROAM_NETWORK, 0x13), now.mono_ms, &hit),
                     FR_CACHE_FRESH);
    struct fr_place *p = place();
    assert_memory_equal(hit.place, p, sizeof *p + p->text_n);
    fr_place_free(p);
    assert_int_equal(fr_cache_get(c, key(1, FEDROAM_JOIN_SERVER, 9), now.mono_ms + 30000, &hit),
                     FR_CACHE_MISS);
    assert_int_equal(fr_cache_get(c, key(1, FEDROAM_NETWORK, 0x13), now.mono_ms + 30000, &hit),
                     FR_CACHE_STALE);
    assert_int_equal(
        fr_cache_get(c, key(1, FEDROAM_NETWORK, 0x13), now.mono_ms + 30000 + STALE_MS, &hit),
        FR_CACHE_MISS);
    fr_cache_free(c);
    fedroam_options_free(o);
    fr_buf_deinit(&b);
}

static void test_what_time_and_change_leave(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        int64_t later_s;
        enum fr_err err;
        size_t entries;
    } rows[] = {
        {"fed.test", "other.test", 0, FR_OK, 4},
        {"fed.test", NULL, 0, FR_OK, 3},
        {"new.test", NULL, 0, FR_OK, 0},
        {"fed.test", "other.test", 100, FR_OK, 3}, /* the unknown one is remembered, not used */
        {"fed.test", "other.test", 80000, FR_OK, 2},
        {"fed.test", "other.test", 100000, FR_OK, 0},
        {"fed.test", "other.test", 1000000000, FR_OK, 0},
        {"fed.test", "other.test", -1, FR_E_MALFORMED, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct fr_cache_moment now = {.mono_ms = 77, .real_s = made.real_s + rows[i].later_s};
        struct fedroam_options *o = names(rows[i].first, rows[i].second);
        struct fr_buf b = image();
        struct fr_cache *c = cache();
        assert_int_equal(fr_cache_image_read(c, o, now, fr_buf_span(&b)), rows[i].err);
        if (fr_cache_counts(c).entries != rows[i].entries)
            fail_msg("row %zu: %zu entries", i, fr_cache_counts(c).entries);
        fr_cache_free(c);
        fedroam_options_free(o);
        fr_buf_deinit(&b);
    }
}

/* Cut anywhere, or one bit wrong anywhere: nothing of it is used. */
static void test_damage(void **state)
{
    (void)state;
    struct fedroam_options *o = names("fed.test", "other.test");
    struct fr_buf b = image();
    struct fr_cache *c = cache();
    for (size_t n = 0; n < b.n; n++) {
        assert_int_equal(fr_cache_image_read(c, o, made, fr_span(b.p, n)), FR_E_MALFORMED);
        b.p[n] ^= 0x10;
        assert_int_equal(fr_cache_image_read(c, o, made, fr_buf_span(&b)), FR_E_MALFORMED);
        b.p[n] ^= 0x10;
    }
    assert_int_equal(fr_cache_counts(c).entries, 0);
    struct fr_buf small = FR_BUF_INIT(100);
    fill(c);
    assert_int_equal(fr_cache_image_write(c, o, made, &small), FR_E_LIMIT);
    fr_buf_deinit(&small);
    fr_cache_free(c);
    fedroam_options_free(o);
    fr_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_round_trip),
        cmocka_unit_test(test_what_time_and_change_leave),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
