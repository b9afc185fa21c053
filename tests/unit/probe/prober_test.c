#include "probe/prober.h"

#include "support/unit.h"

#include "transport/loop_poll.h"
#include "unit/store/fixture.h"

static int64_t fake_ms(void *data)
{
    return *(int64_t *)data;
}

static int64_t mono_ms, real_ms = NOW * 1000LL;

static int64_t fake_real_ms(void *data)
{
    (void)data;
    return real_ms;
}

static const struct fr_clock clock_of_test = {fake_ms, fake_real_ms, &mono_ms};

static struct fr_prober *prober_of(struct fixture *f, struct fr_loop *loop)
{
    const struct fr_prober_options options = {
        .loop = loop, .state = f->dir, .store = f->store, .clock = &clock_of_test};
    struct fr_prober *prober = NULL;

    assert_int_equal(fr_prober_new(&options, &prober), FR_OK);
    return prober;
}

static void count(struct fr_probe_ask *ask)
{
    ++*(int *)ask->data;
}

static enum fr_err probe(struct fr_prober *prober, struct fr_loop *loop, const char *member,
                         bool is_member, uint32_t *retry_after_s)
{
    int n = 0;
    struct fr_probe_ask ask = {.is_member = is_member,
                               .loop = loop,
                               .done = count,
                               .data = &n,
                               .json = FR_BUF_INIT(FR_RUN_JSON_MAX)};

    strcpy(ask.member, member);
    fr_prober_ask(prober, &ask);
    for (int i = 0; n == 0 && i < 100; i++) (void)fr_loop_poll_turn(loop, 100);
    assert_int_equal(n, 1);
    assert_true(ask.err != FR_OK || ask.json.n > 0);
    fr_buf_deinit(&ask.json);
    *retry_after_s = ask.retry_after_s;
    return ask.err;
}

static void set_endpoint(struct fixture *f, const char *text)
{
    struct fr_change *change = begin_change(f->store);
    const struct fr_addr one = addr(text);

    assert_int_equal(fr_network_set_endpoints(change, 0x13, &one, 1, NULL), FR_OK);
    commit_change(change);
}

static void a_member_asks_for_itself_now_and_then(void **state)
{
    struct fixture *f = *state;
    struct fr_loop *loop = NULL;
    uint32_t retry = 0;

    assert_int_equal(fr_loop_poll_new(NULL, &loop), FR_OK);
    struct fr_prober *prober = prober_of(f, loop);
    set_endpoint(f, "10.0.0.1:8005"); /* not connected to: nothing here does */
    for (int i = 0; i < FR_PROBE_ASKS; i++)
        assert_int_equal(probe(prober, loop, "acme", true, &retry), FR_OK);
    assert_int_equal(probe(prober, loop, "acme", true, &retry), FR_E_BUSY);
    assert_in_range(retry, 1, FR_PROBE_ASKS_MS / 1000 + 1);
    assert_int_equal(probe(prober, loop, "bolt", true, &retry), FR_OK);
    assert_int_equal(probe(prober, loop, "acme", false, &retry), FR_OK); /* the operator may */
    assert_int_equal(probe(prober, loop, "nobody", false, &retry), FR_E_NOT_FOUND);
    assert_string_equal(fr_run_result(fr_prober_last(prober, "acme")), "wrong");
    assert_string_equal(fr_run_result(fr_prober_last(prober, "bolt")), "none");
    assert_null(fr_prober_last(prober, "nobody"));
    fr_prober_stop(prober);
    assert_int_equal(probe(prober, loop, "bolt", false, &retry), FR_E_CANCELLED);
    fr_prober_free(prober);
    fr_loop_poll_free(loop);
}

/* Without the broker's certificate nobody can be asked anything, and who asks is told. */
static void without_a_certificate_the_ask_fails(void **state)
{
    struct fixture *f = *state;
    struct fr_loop *loop = NULL;
    uint32_t retry = 0;

    assert_int_equal(fr_loop_poll_new(NULL, &loop), FR_OK);
    struct fr_prober *prober = prober_of(f, loop);
    set_endpoint(f, "192.0.2.1:8005");
    assert_int_not_equal(probe(prober, loop, "acme", false, &retry), FR_OK);
    assert_null(fr_prober_last(prober, "acme"));
    fr_prober_free(prober);
    fr_loop_poll_free(loop);
}

static void set_every(struct fixture *f, const char *text)
{
    struct fr_change *change = begin_change(f->store);

    assert_int_equal(fr_policy_set(change, FR_POLICY_PROBE_EVERY, text, NULL), FR_OK);
    commit_change(change);
}

static void by_the_clock_every_member_is_looked_at(void **state)
{
    struct fixture *f = *state;
    struct fr_loop *loop = NULL;

    assert_int_equal(fr_loop_poll_new(NULL, &loop), FR_OK);
    struct fr_prober *prober = prober_of(f, loop);
    set_endpoint(f, "10.0.0.1:8005");
    fr_prober_tend(prober, false, true); /* the policy is 0 */
    fr_prober_free(prober);

    set_every(f, "1");
    prober = prober_of(f, loop);
    fr_prober_tend(prober, true, false); /* another broker does */
    assert_null(fr_prober_last(prober, "acme"));
    for (int i = 0; i < 3; i++) {
        mono_ms += 6000;
        fr_prober_tend(prober, true, true);
    }
    assert_non_null(fr_prober_last(prober, "acme"));
    assert_non_null(fr_prober_last(prober, "bolt"));

    /* Again when its time has come, and not before. */
    const struct fr_run *first = fr_prober_last(prober, "acme");
    real_ms += 100000;
    mono_ms += 1000;
    fr_prober_tend(prober, false, true);
    assert_ptr_equal(fr_prober_last(prober, "acme"), first);
    mono_ms += 6000;
    fr_prober_tend(prober, false, true);
    assert_int_equal(fr_prober_last(prober, "acme")->when_s, real_ms / 1000);
    fr_prober_free(prober);
    fr_loop_poll_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_member_asks_for_itself_now_and_then),
        STORE_TEST(without_a_certificate_the_ask_fails),
        STORE_TEST(by_the_clock_every_member_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
