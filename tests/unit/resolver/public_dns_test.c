#include "resolver/public_dns.h"

#include "public.h"

#include "base/clock.h"
#include "transport/loop_poll.h"

static int64_t now_ms;

static int64_t mono(void *data)
{
    (void)data;
    return now_ms;
}

static const struct fr_clock CLOCK = {.mono_ms = mono, .real_ms = mono};

struct scene {
    struct fr_loop *loop;
    struct fedroam_options *o;
    struct public_dns theirs;
    struct fr_public_dns *dns;
};

static void start(struct scene *s)
{
    *s = (struct scene){0};
    now_ms = 1000;
    assert_int_equal(fr_loop_poll_new(&CLOCK, &s->loop), FR_OK);
    s->o = fedroam_options_new();
    assert_non_null(s->o);
    assert_int_equal(fedroam_options_add_federation(s->o, "fed.test", "a", "b", "c"), FEDROAM_OK);
    assert_int_equal(fedroam_options_add_federation(s->o, "other.test", "a", "b", "c"), FEDROAM_OK);
    public_use(&s->theirs, s->o);
    assert_int_equal(fr_public_dns_new(s->loop, &s->dns), FR_OK);
    assert_false(fr_public_dns_is_there(s->dns));
    assert_int_equal(fr_public_dns_set(s->dns, s->o, s->o), FR_OK);
    assert_true(fr_public_dns_is_there(s->dns));
    s->theirs.rows[s->theirs.n_rows++] = (struct public_row){
        .name = "broker.fed.test", .type = FR_DNS_A, .answer = "broker.fed.test. 60 A 192.0.2.1"};
}

static void stop(struct scene *s)
{
    fr_public_dns_free(s->dns);
    assert_int_equal(s->theirs.opened, s->theirs.closed);
    fedroam_options_free(s->o);
    assert_int_equal(s->theirs.released, 1);
    fr_loop_poll_free(s->loop);
}

static void turn(struct scene *s, int64_t ms)
{
    now_ms += ms;
    while (fr_loop_poll_turn(s->loop, 0)) {
    }
}

struct end {
    unsigned times, records, rcode;
    bool has_response;
    char why[128];
    struct fr_public_dns *free_inside;
};

static void on_end(void *data, const struct fr_dns_response *r, const char *why)
{
    struct end *e = data;
    e->times++;
    e->has_response = r;
    if (r) e->records = r->count[0];
    if (r) e->rcode = r->rcode;
    snprintf(e->why, sizeof e->why, "%s", why);
    if (e->free_inside) fr_public_dns_free(e->free_inside);
}

static struct fr_public_question *ask(struct scene *s, const char *name, struct end *e)
{
    struct fr_public_question *q = NULL;
    struct fr_dname n = test_name(name);
    *e = (struct end){0};
    assert_int_equal(fr_public_ask(s->dns, &n, FR_DNS_A, on_end, e, &q), FR_OK);
    assert_int_equal(e->times, 0); /* never from inside */
    return q;
}

static void test_an_answer_and_none(void **state)
{
    (void)state;
    struct scene s;
    struct end e;
    start(&s);
    for (int inside = 0; inside < 2; inside++) {
        s.theirs.answers_inside = inside;
        ask(&s, "broker.fed.test", &e);
        turn(&s, 0);
        assert_int_equal(e.times, 1);
        assert_true(e.has_response);
        assert_int_equal(e.records, 1);
        ask(&s, "nobody.test", &e);
        turn(&s, 0);
        assert_true(e.has_response);
        assert_int_equal(e.rcode, FR_DNS_NXDOMAIN);
    }
    assert_string_equal(s.theirs.log[0], "broker.fed.test 1");
    stop(&s);
}

/* What says which devices, networks and JoinEUIs there are goes to the broker and nowhere else. */
static void test_private_names_are_not_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum fr_err err;
    } rows[] = {
        {"70b3d57ed0000001.deveui.fed.test", FR_E_INVALID},
        {"70B3D57ED0000001.DEVEUI.FED.TEST", FR_E_INVALID},
        {"deveui.fed.test", FR_E_INVALID},
        {"000013.netid.other.test", FR_E_INVALID},
        {"_ns.000013.netid.fed.test", FR_E_INVALID},
        {"1.0.joineui.fed.test", FR_E_INVALID},
        {".", FR_E_INVALID},
        {"a\\032b.test", FR_E_INVALID},
        {"a\\.b.test", FR_E_INVALID},
        {"_dns.broker.fed.test", FR_OK},
        {"broker.fed.test", FR_OK},
        {"deveui.test", FR_OK},
        {"1.0.joineui.elsewhere.test", FR_OK},
    };
    struct scene s;
    struct end e = {0};
    start(&s);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_public_question *q = NULL;
        struct fr_dname name = test_name(rows[i].name);
        unsigned before = s.theirs.asked;
        enum fr_err err = fr_public_ask(s.dns, &name, FR_DNS_A, on_end, &e, &q);
        if (err != rows[i].err) fail_msg("%s: %s", rows[i].name, fr_err_text(err));
        assert_int_equal(s.theirs.asked - before, err == FR_OK);
        fr_public_cancel(q);
    }
    turn(&s, 0);
    assert_int_equal(e.times, 0);
    stop(&s);
}

static void test_messages_that_are_no_answer(void **state)
{
    (void)state;
    const struct message other = test_message("other.test", FR_DNS_A, OK, "", "", "");
    const struct message type = test_message("broker.fed.test", FR_DNS_AAAA, OK, "", "", "");
    const struct message cut = test_message("broker.fed.test", FR_DNS_A, OK | 0x0200, "", "", "");
    const struct message failed = test_message("broker.fed.test", FR_DNS_A, OK | 2, "", "", "");
    const struct message question = test_message("broker.fed.test", FR_DNS_A, 0, "", "", "");
    const struct {
        const struct message *m;
        size_t n;
        const char *why;
    } rows[] = {
        {&other, other.n, "the answer is to another question"},
        {&type, type.n, "the answer is to another question"},
        {&cut, cut.n, "the answer is cut short"},
        {&failed, failed.n, "SERVFAIL"},
        {&question, question.n, "the answer is not a DNS message"},
        {&other, other.n - 1, "the answer is not a DNS message"},
        {&other, 3, "the answer is not a DNS message"},
    };
    struct scene s;
    struct end e;
    start(&s);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s.theirs.raw = rows[i].m->b;
        s.theirs.raw_n = rows[i].n;
        ask(&s, "broker.fed.test", &e);
        turn(&s, 0);
        assert_int_equal(e.times, 1);
        assert_false(e.has_response);
        assert_string_equal(e.why, rows[i].why);
    }
    stop(&s);
}

static void test_silence_ends(void **state)
{
    (void)state;
    struct scene s;
    struct end e;
    start(&s);
    s.theirs.is_silent = true;
    ask(&s, "broker.fed.test", &e);
    turn(&s, FR_PUBLIC_MS - 1);
    assert_int_equal(e.times, 0);
    turn(&s, 1);
    assert_int_equal(e.times, 1);
    assert_string_equal(e.why, "no answer in time");
    assert_int_equal(s.theirs.cancelled, 1);
    assert_int_equal(fr_public_dns_counts(s.dns).asked, 1);
    assert_int_equal(fr_public_dns_counts(s.dns).failed, 1);
    s.theirs.is_refusing = true;
    ask(&s, "broker.fed.test", &e);
    turn(&s, 0);
    assert_string_equal(e.why, "a limit is reached");
    stop(&s);
}

static void test_cancelled_at_every_moment(void **state)
{
    (void)state;
    struct scene s;
    struct end e;
    start(&s);
    fr_public_cancel(ask(&s, "broker.fed.test", &e));
    assert_int_equal(s.theirs.cancelled, 1);
    s.theirs.answers_inside = true; /* answered, not told yet */
    fr_public_cancel(ask(&s, "broker.fed.test", &e));
    assert_int_equal(s.theirs.cancelled, 1);
    fr_public_cancel(NULL);
    turn(&s, FR_PUBLIC_MS);
    assert_int_equal(e.times, 0);
    stop(&s);
}

static void test_freed_from_a_call_back(void **state)
{
    (void)state;
    struct scene s;
    struct end e, other;
    start(&s);
    ask(&s, "broker.fed.test", &e);
    ask(&s, "other.test", &other);
    e.free_inside = other.free_inside = s.dns; /* whichever comes first is the only one */
    turn(&s, 0);
    s.dns = NULL;
    stop(&s);
    assert_int_equal(e.times + other.times, 1);
}

static void test_questions_go_over_to_another_session(void **state)
{
    (void)state;
    struct scene s;
    struct end e;
    struct public_dns second = {0};
    struct fedroam_options *none = fedroam_options_new();
    start(&s);
    s.theirs.is_silent = true;
    ask(&s, "broker.fed.test", &e);
    second.fail_open = FEDROAM_E_SYSTEM;
    second.rows[second.n_rows++] = s.theirs.rows[0];
    public_use(&second, none);
    assert_int_equal(fr_public_dns_set(s.dns, none, s.o), FR_E_IO); /* the old one stays */
    assert_int_equal(s.theirs.closed + s.theirs.cancelled, 0);
    second.fail_open = FEDROAM_OK;
    assert_int_equal(fr_public_dns_set(s.dns, none, s.o), FR_OK);
    assert_int_equal(s.theirs.closed, 1);
    turn(&s, 0);
    assert_int_equal(e.times, 1);
    assert_true(e.has_response);
    second.is_silent = true;
    ask(&s, "broker.fed.test", &e);
    assert_int_equal(fedroam_options_set_public_dns(none, NULL, NULL), FEDROAM_OK);
    assert_int_equal(second.released, 1);
    assert_int_equal(fr_public_dns_set(s.dns, none, s.o), FR_OK);
    turn(&s, 0);
    assert_int_equal(e.times, 1);
    assert_string_equal(e.why, "public DNS is not asked any more");
    assert_int_equal(second.closed, 1);
    struct fr_public_question *q = NULL;
    struct fr_dname name = test_name("a.test");
    assert_int_equal(fr_public_ask(s.dns, &name, FR_DNS_A, on_end, &e, &q), FR_E_UNSUPPORTED);
    fedroam_options_free(none);
    stop(&s);
}

static void test_a_limit(void **state)
{
    (void)state;
    struct scene s;
    struct end e[FR_PUBLIC_OPEN_MAX], one = {0};
    struct fr_public_question *q = NULL;
    struct fr_dname name = test_name("a.test");
    start(&s);
    s.theirs.is_silent = true;
    for (size_t i = 0; i < FR_PUBLIC_OPEN_MAX; i++) ask(&s, "a.test", &e[i]);
    assert_int_equal(fr_public_ask(s.dns, &name, FR_DNS_A, on_end, &one, &q), FR_E_LIMIT);
    stop(&s); /* with all of them under way */
}

static void test_without_memory(void **state)
{
    (void)state;
    struct scene s;
    struct fr_dname name = test_name("broker.fed.test");
    start(&s);
    for (unsigned long n = 1;; n++) {
        struct end e = {0};
        struct fr_public_question *q = NULL;
        fr_mem_fail_nth(n);
        enum fr_err err = fr_public_ask(s.dns, &name, FR_DNS_A, on_end, &e, &q);
        turn(&s, 0);
        bool has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        assert_int_equal(e.times, err == FR_OK);
        if (!has_failed) {
            assert_true(e.has_response);
            break;
        }
        assert_false(e.has_response);
    }
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_and_none),
        cmocka_unit_test(test_private_names_are_not_asked_for),
        cmocka_unit_test(test_messages_that_are_no_answer),
        cmocka_unit_test(test_silence_ends),
        cmocka_unit_test(test_cancelled_at_every_moment),
        cmocka_unit_test(test_freed_from_a_call_back),
        cmocka_unit_test(test_questions_go_over_to_another_session),
        cmocka_unit_test(test_a_limit),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
