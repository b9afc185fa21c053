#include "asking.h"

#include "dns/response.h"

struct got {
    struct fr_job job;
    unsigned ends;
    size_t n;
    unsigned rcode;
    int ede;
};

static void on_reply(struct fr_job *job, struct fr_span message)
{
    struct got *g = (struct got *)job;
    struct fr_dns_response r;
    g->ends++;
    g->n = message.n;
    if (message.n == 0) return;
    assert_int_equal(fr_dns_response_read(message, &r), FR_OK);
    g->rcode = r.rcode;
    g->ede = r.edns.ede;
}

static void take(struct asking *a, struct got *g, struct fr_span message)
{
    *g = (struct got){.job = {.reply = on_reply}};
    fr_desk_take(a->desk, &g->job, message, false);
}

static void test_each_end_of_a_job(void **state)
{
    (void)state;
    struct asking a;
    struct got refused, dropped, failed[3];
    uint8_t q[512];
    asking_start(&a);
    take(&a, &refused, asking_query("example.org", q));
    assert_int_equal(refused.ends, 1);
    assert_int_equal(refused.rcode, FR_DNS_REFUSED);
    assert_int_equal(refused.ede, FR_DNS_EDE_NOT_AUTHORITATIVE);
    take(&a, &dropped, fr_span("scrap", 5));
    assert_int_equal(dropped.ends, 1);
    assert_int_equal(dropped.n, 0);

    for (int i = 0; i < 3; i++) take(&a, &failed[i], asking_query("1.deveui.fed.test", q));
    assert_int_equal(failed[2].ends, 1); /* two may wait */
    assert_int_equal(failed[2].rcode, FR_DNS_SERVFAIL);
    assert_int_equal(failed[0].ends, 0);
    asking_turns(&a, 5);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(failed[i].ends, 1);
        assert_int_equal(failed[i].rcode, FR_DNS_SERVFAIL);
    }
    const struct fr_desk_counters *c = fr_desk_counters(a.desk);
    assert_int_equal(c->queries, 5);
    assert_int_equal(c->answers, 4);
    assert_int_equal(c->refused, 1);
    assert_int_equal(c->dropped, 1);
    assert_int_equal(c->failed, 3);
    assert_int_equal(c->too_many, 1);
    asking_stop(&a);
}

static void test_a_dropped_job_and_a_new_source(void **state)
{
    (void)state;
    struct asking a, b;
    struct got g, h;
    uint8_t q[512];
    asking_start(&a);
    asking_start(&b);
    take(&a, &g, asking_query("1.deveui.fed.test", q));
    take(&a, &h, asking_query("2.deveui.fed.test", q));
    fr_desk_drop(&g.job);
    fr_desk_set_source(a.desk, b.source); /* h still holds the old one */
    assert_ptr_equal(fr_desk_source(a.desk), b.source);
    asking_turns(&a, 5);
    assert_int_equal(g.ends, 0);
    assert_int_equal(h.ends, 1);
    asking_stop(&a);
    asking_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_end_of_a_job),
        cmocka_unit_test(test_a_dropped_job_and_a_new_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
