#include "probe/run.h"

#include "support/unit.h"

#include "unit/store/fixture.h"

static void set_endpoints(struct fr_store *store, uint32_t netid, const char *const *texts,
                          size_t n)
{
    struct fr_change *change = begin_change(store);
    struct fr_addr list[FR_ENDPOINTS_MAX];

    for (size_t i = 0; i < n; i++) list[i] = addr(texts[i]);
    assert_int_equal(fr_network_set_endpoints(change, netid, list, n, NULL), FR_OK);
    commit_change(change);
}

static void allow_private(struct fr_store *store)
{
    struct fr_change *change = begin_change(store);

    assert_int_equal(fr_policy_set(change, FR_POLICY_PROBE_PRIVATE, "allowed", NULL), FR_OK);
    commit_change(change);
}

static enum fr_err plan(struct fr_store *store, const char *member, struct fr_run *run)
{
    struct fr_snap *snap = begin_snap(store);
    enum fr_err err = fr_run_plan(snap, member, NOW, run);

    fr_snap_end(snap);
    return err;
}

static void what_may_be_connected_to_is_what_is_registered(void **state)
{
    static const char *const texts[] = {"192.0.2.1:8005", "10.0.0.1:8005", "169.254.169.254:80",
                                        "[2001:db8::1]:443"};
    static struct fr_run run;
    struct fixture *f = *state;

    set_endpoints(f->store, 0x13, texts, COUNT(texts));
    set_endpoints(f->store, 0x2b, texts, 1);
    assert_int_equal(plan(f->store, "acme", &run), FR_OK);
    assert_int_equal(run.n, COUNT(texts)); /* its own, and not bolt's */
    assert_int_equal(run.n_over, 2);
    assert_int_equal(run.n_wrong, 2);
    assert_false(run.targets[0].is_over);
    assert_int_equal(run.targets[1].finding.wrong, FR_CHECK_ADDRESS);
    assert_int_equal(run.targets[2].finding.wrong, FR_CHECK_ADDRESS);
    assert_false(run.targets[3].is_over);

    allow_private(f->store);
    assert_int_equal(plan(f->store, "acme", &run), FR_OK);
    assert_false(run.targets[1].is_over);
    assert_true(run.targets[2].is_over); /* never */
    assert_int_equal(plan(f->store, "nobody", &run), FR_E_NOT_FOUND);
}

static void a_run_is_told_step_by_step(void **state)
{
    static const char *const texts[] = {"192.0.2.1:8005", "192.0.2.2:8005"};
    static struct fr_run run;
    struct fixture *f = *state;
    struct fr_buf json = FR_BUF_INIT(FR_RUN_JSON_MAX);
    struct fr_check_finding finding = {.wrong = FR_CHECK_STEPS, .ms = 12};
    char line[200];

    assert_int_equal(plan(f->store, "acme", &run), FR_OK);
    assert_string_equal(fr_run_result(&run), "none");
    set_endpoints(f->store, 0x13, texts, COUNT(texts));
    assert_int_equal(plan(f->store, "acme", &run), FR_OK);
    fr_run_found(&run, 0, &finding);
    finding = (struct fr_check_finding){.wrong = FR_CHECK_NAME, .seen = "an\"other", .todo = "do"};
    fr_run_found(&run, 1, &finding);
    assert_string_equal(fr_run_result(&run), "wrong");
    fr_run_print(&run, line, sizeof line);
    assert_string_equal(line, "000013 192.0.2.2:8005 name: an\"other");
    assert_int_equal(fr_run_write(&run, FED, &json), FR_OK);
    const char *text = fr_buf_str(&json);
    assert_non_null(strstr(text,
                           "\"name\":\"000013.netid.fed.test\",\"endpoint\":\"192.0.2.1:8005\","
                           "\"result\":\"right\",\"ms\":12"));
    assert_non_null(strstr(text,
                           "{\"step\":\"chain\",\"state\":\"right\"},{\"step\":\"name\",\"state\":"
                           "\"wrong\",\"seen\":\"an\\\"other\",\"todo\":\"do\"},{\"step\":\"http\","
                           "\"state\":\"untried\"}"));
    fr_buf_deinit(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_may_be_connected_to_is_what_is_registered),
        STORE_TEST(a_run_is_told_step_by_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
