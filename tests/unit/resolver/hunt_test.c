#include "resolver/hunt.h"

#include "net.h"
#include "public.h"

#define IN_FED 0x7000000000000008u
#define ELSEWHERE 0x7000000000000009u
#define IN_TREE 0x7000000000000001u
#define IN_SECOND 0x7000000000000002u
#define DEAD_END 0x7000000000000003u
#define INTO_FED 0x7000000000000005u
#define NOWHERE 0x7000000000000004u
#define TREE(nibble) nibble ".0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineuis.example"
#define SECOND(nibble) nibble ".0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.second.example"

#define ROW(name_, type_, answer_)                                                                 \
    {                                                                                              \
        .name = name_, .type = type_, .answer = answer_, .additional = ""                          \
    }

static const struct public_row rows[] = {
    ROW(TREE("1"), FR_DNS_NAPTR, TREE("1") ". 60 NAPTR 1 1 S LWNS \"\" _lwns._tcp.op.example."),
    ROW("_lwns._tcp.op.example", FR_DNS_SRV,
        "_lwns._tcp.op.example. 60 SRV 0 0 8443 js.op.example."),
    ROW("js.op.example", FR_DNS_A, "js.op.example. 60 A 192.0.2.7"),
    ROW(SECOND("2"), FR_DNS_A, SECOND("2") ". 60 A 192.0.2.8"),
    ROW(TREE("3"), FR_DNS_NAPTR, TREE("3") ". 60 NAPTR 1 1 S LWN \"\" _lwn._tcp.op.example."),
    ROW(TREE("5"), FR_DNS_NAPTR, TREE("5") ". 60 NAPTR 1 1 A LWNS \"\" j1." JOIN_SERVER),
    ROW("js.operator.example", FR_DNS_A, "js.operator.example. 60 A 192.0.2.9"),
    ROW("000013.netids.example", FR_DNS_A, "000013.netids.example. 60 A 192.0.2.13"),
    ROW("000099.netids.example", FR_DNS_A, "000099.netids.example. 60 A 192.0.2.99"),
};

struct world {
    struct net net;
    struct public_dns dns;
    struct asked asked;
};

static struct world *begin(bool has_public, bool has_trees)
{
    static struct world world; /* too large for a stack */
    static const char *const trees[] = {"joineuis.example", "second.example:4443"};
    static const char *const netids[] = {"netids.example"};
    struct world *w = &world;
    struct fedroam_options *o = net_options(1, 1);
    *w = (struct world){.dns = {.n_rows = sizeof rows / sizeof *rows, .delay_ms = 5}};
    memcpy(w->dns.rows, rows, sizeof rows);
    net_init(&w->net);
    if (has_public) public_use(&w->dns, o);
    if (has_trees) {
        assert_int_equal(fedroam_options_set_suffixes(o, FEDROAM_JOIN_SERVER, trees, 2), 0);
        assert_int_equal(fedroam_options_set_suffixes(o, FEDROAM_NETWORK, netids, 1), 0);
    }
    assert_int_equal(net_open(&w->net, o), FR_OK);
    fedroam_options_free(o);
    return w;
}

static void look_up(struct world *w, const char *federation, uint64_t joineui)
{
    w->asked = (struct asked){.net = &w->net};
    assert_int_equal(fedroam_lookup_join_server(w->net.f, federation, joineui, 0, on_answer,
                                                &w->asked, &w->asked.lookup),
                     FEDROAM_OK);
    assert_int_equal(w->asked.ends, 0);
}

static void finish(struct world *w)
{
    done(&w->asked);
    net_stop(&w->net);
}

static void test_where_it_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *label, *federation;
        uint64_t joineui;
        bool has_public, has_trees;
        enum behaviour broker;
        enum fedroam_result result;
        const char *text, *url, *tls_name, *tree; /* of the first endpoint; "": there is none */
        bool asks_public;
    } table[] = {
        {"in the federation", NULL, IN_FED, true, true, ANSWERS, FEDROAM_FOUND, "192.0.2.5:8009",
         "https://j1.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineui.fed.test:8009/",
         "8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineui.fed.test", "", false},
        {"of the federation, elsewhere", NULL, ELSEWHERE, true, false, ANSWERS, FEDROAM_FOUND,
         "192.0.2.9:443", "https://js.operator.example/",
         "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineui.fed.test", "", true},
        {"the same without public DNS", NULL, ELSEWHERE, false, false, ANSWERS, FEDROAM_FOUND,
         "js.operator.example:443", "https://js.operator.example/",
         "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineui.fed.test", "", false},
        {"in a tree", NULL, IN_TREE, true, true, ANSWERS, FEDROAM_FOUND, "192.0.2.7:8443",
         "https://js.op.example:8443/", "js.op.example", "joineuis.example", true},
        {"in the second tree, on its port", NULL, IN_SECOND, true, true, ANSWERS, FEDROAM_FOUND,
         "192.0.2.8:4443", "https://" SECOND("2") ":4443/", SECOND("2"), "second.example", true},
        {"nowhere", NULL, NOWHERE, true, true, ANSWERS, FEDROAM_UNKNOWN, "", "", "", "", true},
        {"in a tree, without a server", NULL, DEAD_END, true, true, ANSWERS, FEDROAM_FOUND, "", "",
         "", "joineuis.example", true},
        {"of a tree, into the federation", NULL, INTO_FED, true, true, ANSWERS, FEDROAM_FOUND, "",
         "", "", "joineuis.example", true},
        {"a federation is named", "fed.test", IN_TREE, true, true, ANSWERS, FEDROAM_UNKNOWN, "", "",
         "", "", false},
        {"no trees are listed", NULL, IN_TREE, true, false, ANSWERS, FEDROAM_UNKNOWN, "", "", "",
         "", false},
        {"no public DNS", NULL, IN_TREE, false, true, ANSWERS, FEDROAM_UNKNOWN, "", "", "", "",
         false},
        {"the broker is down", NULL, IN_TREE, true, true, DOWN, FEDROAM_NO_BROKER, "", "", "", "",
         false},
        {"the broker refuses", NULL, IN_TREE, true, true, FORBIDS, FEDROAM_REFUSED, "", "", "", "",
         false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct world *w = begin(table[i].has_public, table[i].has_trees);
        w->net.brokers[0][0].does = table[i].broker;
        look_up(w, table[i].federation, table[i].joineui);
        net_run(&w->net, 300);
        const struct fedroam_answer *a = w->asked.answer;
        if (w->asked.ends != 1 || !a) fail_msg("%s: %u ends", table[i].label, w->asked.ends);
        if (fedroam_answer_result(a) != table[i].result)
            fail_msg("%s: %s: %s", table[i].label, fedroam_result_text(fedroam_answer_result(a)),
                     fedroam_answer_reason(a));
        if (strcmp(fedroam_answer_endpoint_text(a, 0), table[i].text) != 0 ||
            strcmp(fedroam_answer_endpoint_url(a, 0), table[i].url) != 0 ||
            strcmp(fedroam_answer_endpoint_tls_name(a, 0), table[i].tls_name) != 0 ||
            strcmp(fedroam_answer_tree(a), table[i].tree) != 0)
            fail_msg("%s: %s %s %s %s", table[i].label, fedroam_answer_endpoint_text(a, 0),
                     fedroam_answer_endpoint_url(a, 0), fedroam_answer_endpoint_tls_name(a, 0),
                     fedroam_answer_tree(a));
        bool is_ours = table[i].result == FEDROAM_FOUND && !table[i].tree[0];
        if ((fedroam_answer_key_path(a)[0] != 0) != is_ours) /* shown to members only */
            fail_msg("%s: %s", table[i].label, fedroam_answer_key_path(a));
        if ((w->dns.asked > 0) != table[i].asks_public)
            fail_msg("%s: public DNS was asked %u times", table[i].label, w->dns.asked);
        for (unsigned k = 0; k < w->dns.asked && k < PUBLIC_LOG; k++)
            if (strstr(w->dns.log[k], "fed.test"))
                fail_msg("%s: %s in public", table[i].label, w->dns.log[k]);
        if (table[i].result == FEDROAM_FOUND && !table[i].text[0])
            assert_string_not_equal(fedroam_answer_reason(a), "");
        finish(w);
    }
}

/* Once asked, the tree's word stands for its TTL; a NetID of a tree is none of a federation's. */
static void test_answers_are_kept(void **state)
{
    (void)state;
    struct world *w = begin(true, true);
    look_up(w, NULL, IN_TREE);
    net_run(&w->net, 300);
    expect(&w->asked, FEDROAM_FOUND, FEDROAM_FRESH);
    done(&w->asked);
    unsigned asked = w->dns.asked;
    look_up(w, NULL, IN_TREE);
    net_run(&w->net, 30);
    expect(&w->asked, FEDROAM_FOUND, FEDROAM_CACHED);
    assert_int_equal(w->dns.asked, asked);
    done(&w->asked);
    net_skip(&w->net, 61000);
    look_up(w, NULL, IN_TREE);
    net_run(&w->net, 300);
    expect(&w->asked, FEDROAM_FOUND, FEDROAM_FRESH);
    assert_int_equal(w->dns.asked, 2 * asked);
    done(&w->asked);
    assert_int_equal(fedroam_flush(w->net.f, NULL), FEDROAM_OK);
    assert_int_equal(fedroam_count(w->net.f, FEDROAM_COUNT_CACHE_ENTRIES), 0);
    finish(w);
}

static void test_networks_of_trees(void **state)
{
    (void)state;
    struct world *w = begin(true, true);
    struct asked a = {.net = &w->net};
    assert_int_equal(fedroam_lookup_network(w->net.f, NULL, 0x99, 0, on_answer, &a, NULL), 0);
    net_run(&w->net, 300);
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH);
    assert_int_equal(fedroam_answer_netid(a.answer), 0x99);
    assert_string_equal(fedroam_answer_federation(a.answer), "");
    assert_string_equal(fedroam_answer_endpoint_text(a.answer, 0), "192.0.2.99:443");
    done(&a);
    a = (struct asked){.net = &w->net};
    assert_int_equal(fedroam_lookup_network(w->net.f, NULL, 0x13, 0, on_answer, &a, NULL), 0);
    net_run(&w->net, 300);
    expect(&a, FEDROAM_FOUND, FEDROAM_FRESH); /* the federation's own, which has the same NetID */
    assert_string_equal(fedroam_answer_federation(a.answer), "fed.test");
    done(&a);
    a = (struct asked){.net = &w->net};
    assert_int_equal(fedroam_lookup_network(w->net.f, "fed.test", 0x99, 0, on_answer, &a, NULL), 0);
    net_run(&w->net, 300);
    expect(&a, FEDROAM_UNKNOWN, FEDROAM_CACHED);
    done(&a);
    finish(w);
}

/* A public server that is silent costs its step half of the time left, and the look-up ends in time. */
static void test_public_silence(void **state)
{
    (void)state;
    struct world *w = begin(true, true);
    w->dns.is_silent = true;
    look_up(w, NULL, IN_TREE);
    net_run(&w->net, 2100);
    expect(&w->asked, FEDROAM_NO_BROKER, FEDROAM_FRESH);
    assert_true(w->asked.at_ms <= 1000 + 2000);
    assert_non_null(strstr(fedroam_answer_reason(w->asked.answer), "public DNS: "));
    assert_int_equal(fedroam_count(w->net.f, FEDROAM_COUNT_CACHE_ENTRIES),
                     1); /* the federation's no */
    done(&w->asked);
    w->dns.is_silent = false;
    look_up(w, NULL, IN_TREE);
    net_run(&w->net, 300);
    expect(&w->asked, FEDROAM_FOUND, FEDROAM_FRESH);
    done(&w->asked);

    /* The federation's own way leads there, and nobody answers: the name is passed on. */
    w->dns.is_silent = true;
    look_up(w, NULL, ELSEWHERE);
    net_run(&w->net, 2100);
    expect(&w->asked, FEDROAM_FOUND, FEDROAM_FRESH);
    assert_string_equal(fedroam_answer_endpoint_text(w->asked.answer, 0),
                        "js.operator.example:443");
    assert_true(fedroam_answer_ttl(w->asked.answer) <= 30);
    finish(w);
}

static void test_ends_early(void **state)
{
    (void)state;
    struct world *w = begin(true, true);
    look_up(w, NULL, IN_TREE);
    net_run(&w->net, 24); /* a public question is under way */
    assert_true(w->dns.asked > 0);
    fedroam_lookup_cancel(w->asked.lookup);
    net_run(&w->net, 300);
    assert_int_equal(w->asked.ends, 0);
    look_up(w, NULL, IN_SECOND);
    net_run(&w->net, 4);
    net_stop(&w->net); /* with the handle goes what is under way */
    assert_int_equal(w->asked.ends, 0);
    assert_int_equal(w->dns.opened, w->dns.closed);
}

/* Each allocation of a look-up may fail: it ends once, and nothing is lost. */
static void test_without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 400; n++) {
        struct world *w = begin(true, true);
        w->asked = (struct asked){.net = &w->net};
        fr_mem_fail_nth(n);
        enum fedroam_err err =
            fedroam_lookup_join_server(w->net.f, NULL, IN_TREE, 0, on_answer, &w->asked, NULL);
        net_run(&w->net, 2500);
        bool has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        assert_int_equal(w->asked.ends, err == FEDROAM_OK);
        finish(w);
        if (!has_failed) return;
    }
    fail_msg("a look-up takes too many allocations");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_it_is_found), cmocka_unit_test(test_answers_are_kept),
        cmocka_unit_test(test_networks_of_trees), cmocka_unit_test(test_public_silence),
        cmocka_unit_test(test_ends_early),        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
