#include "resolver/discovery.h"

#include "public.h"

#include "base/clock.h"
#include "resolver/public_dns.h"
#include "transport/loop_poll.h"
#include <stdlib.h>

#define USUAL "/dns-query{?dns}"
#define BROKER "broker.fed.test"

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
    struct fr_discovery *d;
    unsigned ends;
};

static void on_done(void *data)
{
    ((struct scene *)data)->ends++;
}

static void start(struct scene *s, const char *address, bool discover)
{
    static const char url[] = "https://" BROKER ":8443/q";
    *s = (struct scene){0};
    now_ms = 0;
    assert_int_equal(fr_loop_poll_new(&CLOCK, &s->loop), FR_OK);
    s->o = fedroam_options_new();
    assert_int_equal(fedroam_options_add_federation(s->o, "fed.test", "a", "b", "c"), FEDROAM_OK);
    public_use(&s->theirs, s->o);
    assert_int_equal(fedroam_options_add_broker(s->o, "fed.test", url, &address, address ? 1 : 0),
                     FEDROAM_OK);
    if (discover)
        assert_int_equal(fedroam_options_discover_broker(s->o, "fed.test", url), FEDROAM_OK);
    assert_int_equal(fr_public_dns_new(s->loop, &s->dns), FR_OK);
    assert_int_equal(fr_public_dns_set(s->dns, s->o, s->o), FR_OK);
    const struct fr_broker_opt *broker = &s->o->federations[0]->brokers[0];
    assert_true(fr_discovery_is_wanted(broker));
    assert_int_equal(fr_discovery_new(s->loop, s->dns, broker, on_done, s, &s->d), FR_OK);
    assert_false(fr_discovery_is_fresh(s->d));
}

static void stop(struct scene *s)
{
    fr_discovery_free(s->d);
    fr_public_dns_free(s->dns);
    fedroam_options_free(s->o);
    fr_loop_poll_free(s->loop);
}

static void say(struct scene *s, const char *name, uint16_t type, const char *answer)
{
    s->theirs.rows[s->theirs.n_rows++] =
        (struct public_row){.name = name, .type = type, .answer = answer};
}

static void say_services(struct scene *s, const char *name, const struct test_svcb *svcb, size_t n)
{
    s->theirs.rows[s->theirs.n_rows++] =
        (struct public_row){.name = name, .type = FR_DNS_SVCB, .svcb = svcb, .n_svcb = n};
}

static void turn(struct scene *s, int64_t ms)
{
    now_ms += ms;
    while (fr_loop_poll_turn(s->loop, 0)) {
    }
}

static void run(struct scene *s)
{
    unsigned before = s->ends;
    fr_discovery_start(s->d);
    assert_int_equal(s->ends, before); /* never from inside */
    turn(s, 0);
    if (s->ends == before) turn(s, FR_PUBLIC_MS);
    assert_int_equal(s->ends, before + 1);
}

/* "*192.0.2.1:8443 [2001:db8::1]:8443 /q": a star for what was discovered. */
static void expect(const struct scene *s, const char *wanted)
{
    const struct fr_ways *ways = fr_discovery_ways(s->d);
    char text[1024] = "", addr[FR_ADDR_TEXT];
    size_t at = 0;
    for (size_t i = 0; i < ways->n; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? "; " : "",
                               ways->list[i].is_discovered ? "*" : "");
        for (size_t k = 0; k < ways->list[i].n; k++) {
            fr_addr_print(&ways->list[i].addresses[k], addr);
            at += (size_t)snprintf(text + at, sizeof text - at, "%s ", addr);
        }
        at += (size_t)snprintf(text + at, sizeof text - at, "%s", ways->list[i].path);
    }
    assert_string_equal(text, wanted);
}

static const struct test_svcb TWO[] = {
    {.priority = 2, .target = "b2.test", .alpn = "h2", .port = 443, .path = "/two{?dns}"},
    {.priority = 1, .target = "b1.test", .alpn = "h2", .port = 8444, .path = USUAL, .ttl_s = 30}};

static void test_services_then_the_configuration(void **state)
{
    (void)state;
    struct scene s;
    start(&s, "192.0.2.9", true);
    expect(&s, "192.0.2.9:8443 /q");
    say_services(&s, "_dns." BROKER, TWO, 2);
    say(&s, "b1.test", FR_DNS_A, "b1.test. 40 A 192.0.2.1\nb1.test. 40 A 192.0.2.2");
    say(&s, "b1.test", FR_DNS_AAAA, "b1.test. 20 AAAA 2001:db8::1");
    say(&s, "b2.test", FR_DNS_A, "b2.test. 40 CNAME b3.test.\nb3.test. 40 A 192.0.2.3");
    run(&s);
    expect(&s, "*[2001:db8::1]:8444 192.0.2.1:8444 192.0.2.2:8444 /dns-query; "
               "*192.0.2.3:443 /two; 192.0.2.9:8443 /q");
    assert_int_equal(fr_discovery_ways(s.d)->ttl_s, 20);
    assert_string_equal(fr_discovery_ways(s.d)->why, "");
    assert_string_equal(s.theirs.log[0], "_dns." BROKER " 64");
    turn(&s, 17999);
    assert_true(fr_discovery_is_fresh(s.d));
    assert_false(fr_discovery_is_ending(s.d));
    turn(&s, 1);
    assert_true(fr_discovery_is_fresh(s.d) && fr_discovery_is_ending(s.d));
    turn(&s, 2000);
    assert_false(fr_discovery_is_fresh(s.d));
    stop(&s);
}

static void test_a_host_without_addresses(void **state)
{
    (void)state;
    struct scene s;
    start(&s, NULL, false);
    expect(&s, "");
    run(&s);
    expect(&s, ""); /* there is no such name */
    turn(&s, FR_DISCOVERY_FAST_MS);
    assert_false(fr_discovery_is_fresh(s.d));
    say(&s, BROKER, FR_DNS_A, BROKER ". 600 A 192.0.2.1");
    run(&s);
    expect(&s, "192.0.2.1:8443 /q");
    assert_int_equal(fr_discovery_ways(s.d)->ttl_s, 600);
    fr_discovery_expire(s.d); /* it could not be connected */
    assert_true(fr_discovery_is_fresh(s.d));
    turn(&s, FR_DISCOVERY_FAST_MS);
    assert_false(fr_discovery_is_fresh(s.d));
    for (unsigned i = 0; i < s.theirs.asked; i++) assert_null(strstr(s.theirs.log[i], "_dns"));
    stop(&s);
}

static void test_hints_while_there_is_no_address(void **state)
{
    (void)state;
    static const struct test_svcb one = {.priority = 1,
                                         .target = "b1.test",
                                         .alpn = "h2",
                                         .port = 1,
                                         .hint = "192.0.2.77",
                                         .path = USUAL};
    struct scene s;
    start(&s, "192.0.2.9", true);
    say_services(&s, "_dns." BROKER, &one, 1);
    run(&s);
    expect(&s, "*192.0.2.77:1 /dns-query; 192.0.2.9:8443 /q");
    say(&s, "b1.test", FR_DNS_A, "b1.test. 40 A 192.0.2.1");
    run(&s);
    expect(&s, "*192.0.2.1:1 /dns-query; 192.0.2.9:8443 /q");
    stop(&s);
}

static void test_addresses_beside_the_record(void **state)
{
    (void)state;
    struct scene s;
    start(&s, "192.0.2.9", true);
    say_services(&s, "_dns." BROKER, &TWO[1], 1);
    s.theirs.rows[0].additional = "b1.test. 40 A 192.0.2.1\nother.test. 40 A 192.0.2.66";
    run(&s);
    expect(&s, "*192.0.2.1:8444 /dns-query; 192.0.2.9:8443 /q");
    assert_int_equal(s.theirs.asked, 1);
    stop(&s);
}

static void test_one_alias_is_followed(void **state)
{
    (void)state;
    static const struct test_svcb alias = {.priority = 0, .target = "pool.test"};
    static const struct test_svcb again = {.priority = 0, .target = "pool.test"};
    struct scene s;
    start(&s, "192.0.2.9", true);
    say_services(&s, "_dns." BROKER, &alias, 1);
    say_services(&s, "pool.test", TWO, 2);
    say(&s, "b1.test", FR_DNS_A, "b1.test. 40 A 192.0.2.1");
    say(&s, "b2.test", FR_DNS_A, "b2.test. 40 A 192.0.2.2");
    run(&s);
    expect(&s, "*192.0.2.1:8444 /dns-query; *192.0.2.2:443 /two; 192.0.2.9:8443 /q");
    s.theirs.rows[1].svcb = &again; /* and not another one */
    s.theirs.rows[1].n_svcb = 1;
    run(&s);
    expect(&s, "192.0.2.9:8443 /q");
    assert_string_equal(fr_discovery_ways(s.d)->why, "its alias leads to another alias");
    s.theirs.n_rows = 1; /* no records there: the alias is the place, as the URL has it */
    say(&s, "pool.test", FR_DNS_A, "pool.test. 40 A 192.0.2.5");
    run(&s);
    expect(&s, "*192.0.2.5:8443 /q; 192.0.2.9:8443 /q");
    stop(&s);
}

static void test_no_service(void **state)
{
    (void)state;
    struct scene s;
    start(&s, "192.0.2.9", true);
    run(&s);
    expect(&s, "192.0.2.9:8443 /q");
    assert_string_equal(fr_discovery_ways(s.d)->why, "there is no such name");
    assert_int_equal(fr_discovery_ways(s.d)->ttl_s, 60); /* of its absence */
    stop(&s);
}

static void test_the_configured_way_stands_once(void **state)
{
    (void)state;
    static const struct test_svcb same = {
        .priority = 1, .target = "b1.test", .alpn = "h2", .port = 8443, .path = "/q{?dns}"};
    struct scene s;
    start(&s, "192.0.2.1", true);
    say_services(&s, "_dns." BROKER, &same, 1);
    say(&s, "b1.test", FR_DNS_A, "b1.test. 40 A 192.0.2.1");
    run(&s);
    expect(&s, "*192.0.2.1:8443 /q");
    stop(&s);
}

/* A name server that is silent does not take away what was known. */
static void test_silence_keeps_what_was(void **state)
{
    (void)state;
    struct scene s;
    start(&s, "192.0.2.9", true);
    say_services(&s, "_dns." BROKER, &TWO[1], 1);
    say(&s, "b1.test", FR_DNS_A, "b1.test. 40 A 192.0.2.1");
    run(&s);
    turn(&s, 40000);
    s.theirs.is_silent = true;
    run(&s);
    expect(&s, "*192.0.2.1:8444 /dns-query; 192.0.2.9:8443 /q");
    turn(&s, FR_DISCOVERY_RETRY_MS - 1);
    assert_true(fr_discovery_is_fresh(s.d));
    turn(&s, 1);
    assert_false(fr_discovery_is_fresh(s.d));
    s.theirs.is_silent = false; /* but a clear answer does */
    s.theirs.n_rows = 0;
    run(&s);
    expect(&s, "192.0.2.9:8443 /q");
    stop(&s);
}

static void test_silence_from_the_start(void **state)
{
    (void)state;
    struct scene s;
    start(&s, "192.0.2.9", true);
    s.theirs.is_silent = true;
    run(&s);
    expect(&s, "192.0.2.9:8443 /q");
    assert_string_equal(fr_discovery_ways(s.d)->why, "no answer in time");
    stop(&s);
}

static void test_a_target_among_private_names(void **state)
{
    (void)state;
    static const struct test_svcb bad = {
        .priority = 1, .target = "70b3d57ed0000001.deveui.fed.test", .alpn = "h2", .path = USUAL};
    struct scene s;
    start(&s, "192.0.2.9", true);
    say_services(&s, "_dns." BROKER, &bad, 1);
    run(&s);
    expect(&s, "192.0.2.9:8443 /q");
    assert_int_equal(s.theirs.asked, 1);
    stop(&s);
}

static void test_freed_under_way(void **state)
{
    (void)state;
    struct scene s;
    start(&s, NULL, true);
    s.theirs.is_silent = true;
    fr_discovery_start(s.d);
    fr_discovery_start(s.d); /* one run at a time */
    assert_int_equal(s.theirs.asked, 3);
    stop(&s);
    assert_int_equal(s.ends, 0);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct scene s;
    start(&s, "192.0.2.9", true);
    say_services(&s, "_dns." BROKER, &TWO[1], 1);
    say(&s, "b1.test", FR_DNS_A, "b1.test. 40 A 192.0.2.1");
    for (unsigned long n = 1;; n++) {
        fr_mem_fail_nth(n);
        run(&s);
        bool has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        assert_true(fr_discovery_ways(s.d)->n >= 1);
        if (!has_failed) break;
    }
    expect(&s, "*192.0.2.1:8444 /dns-query; 192.0.2.9:8443 /q");
    stop(&s);
}

/* ---- random courses ---- */

static uint64_t rng;

static unsigned below(unsigned n)
{
    uint64_t z = rng += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % n);
}

static const char *const TARGETS[] = {"b1.test", "b2.test", "pool.test", ".",
                                      "000013.netid.fed.test"};

static void random_services(struct test_svcb out[4], size_t n)
{
    static const char *const paths[] = {USUAL, "/two{?dns}", "//evil.test/{?dns}", NULL};
    for (size_t i = 0; i < n; i++)
        out[i] = (struct test_svcb){.priority = (uint16_t)below(4),
                                    .target = TARGETS[below(5)],
                                    .alpn = below(8) ? "h2" : "dot",
                                    .port = (uint16_t)(below(3) * 443),
                                    .hint = below(3) ? NULL : "192.0.2.77",
                                    .path = paths[below(8) ? below(2) : below(4)],
                                    .wants_strange = below(20) == 0,
                                    .is_malformed = below(30) == 0,
                                    .ttl_s = below(100)};
}

/* What public DNS says and how it fares, until the next time. */
static void shuffle(struct scene *s, struct test_svcb records[2][4])
{
    static const char *const addresses[] = {"b1.test. 40 A 192.0.2.1\nb1.test. 40 A 192.0.2.2",
                                            "b2.test. 0 A 192.0.2.3",
                                            "pool.test. 100000 A 192.0.2.4"};
    struct public_dns *dns = &s->theirs;
    dns->n_rows = 0;
    for (size_t i = 0; i < 2; i++) {
        size_t n = below(5);
        random_services(records[i], n);
        if (below(4)) say_services(s, i == 0 ? "_dns." BROKER : "pool.test", records[i], n);
    }
    for (size_t i = 0; i < 3; i++)
        if (below(3)) say(s, TARGETS[i], FR_DNS_A, addresses[i]);
    if (below(2)) say(s, BROKER, FR_DNS_A, BROKER ". 600 A 192.0.2.9");
    dns->is_silent = below(6) == 0;
    dns->is_refusing = below(10) == 0;
    dns->answers_inside = below(2);
    dns->delay_ms = below(3000);
}

static void check_ways(const struct scene *s, bool has_address)
{
    const struct fr_ways *ways = fr_discovery_ways(s->d);
    assert_in_range(ways->n, has_address ? 1 : 0, FR_WAYS_MAX);
    for (size_t i = 0; i < ways->n; i++) {
        const struct fr_way *way = &ways->list[i];
        assert_in_range(way->n, 1, FR_BROKER_ADDRESSES_MAX);
        assert_true(way->path[0] == '/' && way->path[1] != '/');
        for (size_t k = 0; k < way->n; k++)
            assert_true(way->addresses[k].port > 0 && way->addresses[k].ip.family > 0);
    }
    assert_true(!has_address || ways->n == FR_WAYS_MAX || !ways->list[ways->n - 1].is_discovered ||
                ways->list[ways->n - 1].addresses[0].ip.b[3] == 9);
    assert_in_range(ways->ttl_s, 1, 86400);
    for (unsigned i = 0; i < s->theirs.asked && i < PUBLIC_LOG; i++)
        assert_null(strstr(s->theirs.log[i], "netid"));
}

static void course(uint64_t seed)
{
    struct scene s;
    struct test_svcb records[2][4];
    rng = seed;
    bool has_address = below(2), discover = has_address || below(4);
    start(&s, has_address ? "192.0.2.9" : NULL, discover);
    for (unsigned round = below(12) + 1; round > 0; round--) {
        shuffle(&s, records);
        unsigned before = s.ends;
        fr_discovery_start(s.d);
        if (round == 1 && below(2)) break; /* freed under way */
        for (int64_t left_ms = 4 * FR_PUBLIC_MS; s.ends == before && left_ms > 0; left_ms -= 500)
            turn(&s, 500);
        if (s.ends != before + 1) fail_msg("seed %u: a run does not end", (unsigned)seed);
        assert_true(fr_discovery_is_fresh(s.d));
        check_ways(&s, has_address);
        turn(&s, below(4) ? below(60000) : 0);
        if (below(5) == 0) fr_discovery_expire(s.d);
    }
    stop(&s);
    assert_int_equal(s.theirs.opened, s.theirs.closed);
}

static void test_random_courses(void **state)
{
    (void)state;
    const char *is_long = getenv("FR_LONG");
    uint64_t n = is_long && is_long[0] == '1' ? 100000 : 2000;
    for (uint64_t seed = 1; seed <= n; seed++) course(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_services_then_the_configuration),
        cmocka_unit_test(test_a_host_without_addresses),
        cmocka_unit_test(test_hints_while_there_is_no_address),
        cmocka_unit_test(test_addresses_beside_the_record),
        cmocka_unit_test(test_one_alias_is_followed),
        cmocka_unit_test(test_no_service),
        cmocka_unit_test(test_the_configured_way_stands_once),
        cmocka_unit_test(test_silence_keeps_what_was),
        cmocka_unit_test(test_silence_from_the_start),
        cmocka_unit_test(test_a_target_among_private_names),
        cmocka_unit_test(test_freed_under_way),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_random_courses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
