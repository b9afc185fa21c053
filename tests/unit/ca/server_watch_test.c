/* When a broker's own certificate is renewed: a year by the hour. */
#include "ca/server_watch.h"

#include "ca/server.h"
#include "store/authority.h"
#include "unit/ca/federation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define HOUR_MS (3600 * 1000LL)
#define DAY_S 86400LL
#define LIFE_S (90 * DAY_S)

static int64_t now_ms;

static int64_t read_now(void *data)
{
    (void)data;
    return now_ms;
}

static const struct fr_clock by_hand = {read_now, read_now, NULL};

static void print_chain_path(const struct federation *f, char out[160])
{
    (void)snprintf(out, 160, "%s/server.chain.pem", f->dir);
}

static void renew(struct federation *f)
{
    const struct fr_change_by by = {.actor = "test", .now_s = now_ms / 1000};
    const struct fr_server_request request = {.dir = f->dir, .host = "host1"};
    struct fr_cert_row row;

    assert_int_equal(fr_server_renew(f->ca, f->store, &by, &request, NULL, &row), FR_OK);
}

static void it_is_renewed_at_two_thirds_of_its_life(void **state)
{
    struct federation f;
    struct fr_server_watch watch = {0};
    char chain[160];
    int64_t last_ms;
    unsigned n = 0;

    (void)state;
    federation_make(&f);
    print_chain_path(&f, chain);
    now_ms = last_ms = NOW * 1000;
    for (; now_ms < (NOW + 400 * DAY_S) * 1000; now_ms += HOUR_MS) {
        const bool is_due = fr_server_watch_is_due(&watch, chain, f.store, &by_hand);
        const int64_t age_s = (now_ms - last_ms) / 1000;
        assert_true(watch.not_after_s > now_ms / 1000);
        if (age_s < LIFE_S / 3 * 2 - 2 * 3600) assert_false(is_due);
        if (age_s > LIFE_S / 3 * 2 + 3600) fail_msg("not renewed after %lld s", (long long)age_s);
        if (!is_due) continue;
        fr_server_watch_asked(&watch, &by_hand);
        renew(&f);
        last_ms = now_ms;
        n++;
    }
    assert_int_equal(n, 6);
    federation_remove(&f);
}

static void what_came_to_nothing_is_asked_for_again(void **state)
{
    struct federation f;
    struct fr_server_watch watch = {0};
    char chain[160];

    (void)state;
    federation_make(&f);
    print_chain_path(&f, chain);
    now_ms = (NOW + 70 * DAY_S) * 1000;
    assert_true(fr_server_watch_is_due(&watch, chain, f.store, &by_hand));
    fr_server_watch_asked(&watch, &by_hand);
    assert_false(fr_server_watch_is_due(&watch, chain, f.store, &by_hand));
    now_ms += 9 * 60 * 1000;
    assert_false(fr_server_watch_is_due(&watch, chain, f.store, &by_hand));
    now_ms += 60 * 1000;
    assert_true(fr_server_watch_is_due(&watch, chain, f.store, &by_hand));
    /* nobody signs: there is nothing to ask for */
    struct fr_change *change = begin(&f);
    assert_int_equal(
        fr_authority_set_state(change, fr_ca_name(f.ca), FR_AUTHORITY_TAINTED, 0, NULL), FR_OK);
    commit(change);
    assert_false(fr_server_watch_is_due(&watch, chain, f.store, &by_hand));
    federation_remove(&f);
}

static void a_chain_that_cannot_be_read_is_not_due(void **state)
{
    struct federation f;
    struct fr_server_watch watch = {0};

    (void)state;
    federation_make(&f);
    now_ms = (NOW + 70 * DAY_S) * 1000;
    assert_false(fr_server_watch_is_due(&watch, "/nowhere/chain.pem", f.store, &by_hand));
    federation_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_renewed_at_two_thirds_of_its_life),
        cmocka_unit_test(what_came_to_nothing_is_asked_for_again),
        cmocka_unit_test(a_chain_that_cannot_be_read_is_not_due),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
