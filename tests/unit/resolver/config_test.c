#include "resolver/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/options.h"

#define FILES "    ca: D/root.pem\n    certificate: D/doh.chain.pem\n    key: D/doh.key\n"
#define FED "federations:\n  - name: fed.test\n"
#define URL "https://broker.fed.test:8443/dns-query"

static const struct {
    const char *label, *yaml;
    enum fr_err err;
    const char *what;          /* of the failure */
    size_t brokers, addresses; /* of the first broker */
} rows[] = {
    {"one broker", FED "    broker: " URL "\n    addresses: [127.0.0.1]\n" FILES, FR_OK, NULL, 1,
     1},
    {"a list of brokers",
     FED "    broker:\n      - {url: '" URL "', addresses: [127.0.0.1, '::1']}\n"
         "      - url: https://b2.fed.test/dns-query\n    addresses: 127.0.0.2\n" FILES,
     FR_OK, NULL, 2, 2},
    {"one broker as a mapping", FED "    broker: {url: '" URL "', addresses: 127.0.0.1}\n" FILES,
     FR_OK, NULL, 1, 1},
    {"an address as host", FED "    broker: https://127.0.0.1:8443/dns-query\n" FILES, FR_OK, NULL,
     1, 1},
    {"limits",
     FED "    broker: " URL "\n    addresses: [127.0.0.1]\n    only: ['70b3d57ed', '0000']\n"
         "    except: 70b3d57ed0000007\n" FILES
         "lookup: {timeout: 5s, broker_timeout: 500ms, cache: 1000, stale: 1h, hedge: 200ms,\n"
         "         cache_bytes: 1MiB, cache_file: c, prefetch: 0,\n"
         "         unknown_max: 5m, ask: in-order, peer_stale: 2h}\n",
     FR_OK, NULL, 1, 1},
    {"localhost is looked up", FED "    broker: https://localhost:8443/dns-query\n" FILES, FR_OK,
     NULL, 1, 0},
    {"the system's name servers, and discovery of one broker",
     FED "    broker: {url: '" URL "', addresses: 127.0.0.1, discover: true}\n" FILES
         "lookup: {public_dns: system}\n",
     FR_OK, NULL, 1, 1},
    {"discovery of all brokers, and name servers by address",
     FED "    broker: " URL "\n    addresses: 127.0.0.1\n    discover: true\n" FILES
         "lookup: {public_dns: [192.0.2.53, '[::1]:5353']}\n",
     FR_OK, NULL, 1, 1},
    {"discovery without public DNS",
     FED "    broker: " URL "\n    addresses: 127.0.0.1\n    discover: true\n" FILES, FR_E_CONFIG,
     "there is no public DNS to ask", 0, 0},
    {"discovery, and public DNS off",
     FED "    broker: " URL "\n    addresses: 127.0.0.1\n    discover: true\n" FILES
         "lookup: {public_dns: off}\n",
     FR_E_CONFIG, "there is no public DNS to ask", 0, 0},
    {"discovery of an address",
     FED "    broker: {url: 'https://127.0.0.1/q', discover: true}\n" FILES
         "lookup: {public_dns: system}\n",
     FR_E_CONFIG, "has no name", 0, 0},
    {"a name server by name", FED "    broker: " URL "\n" FILES "lookup: {public_dns: ns.test}\n",
     FR_E_CONFIG, "ns.test", 0, 0},
    {"system among addresses",
     FED "    broker: " URL "\n" FILES "lookup: {public_dns: [system, 192.0.2.1]}\n", FR_E_CONFIG,
     "system", 0, 0},
    {"no federation", "lookup: {timeout: 5s}\n", FR_E_CONFIG, "federations", 0, 0},
    {"no broker", FED FILES, FR_E_CONFIG, "broker", 0, 0},
    {"no key", FED "    broker: " URL "\n    ca: a\n    certificate: b\n", FR_E_CONFIG, "key", 0,
     0},
    {"a wrong word", FED "    brokers: " URL "\n" FILES, FR_E_CONFIG, "brokers", 0, 0},
    {"not https",
     FED "    broker: http://broker.fed.test/dns-query\n    addresses: [127.0.0.1]\n" FILES,
     FR_E_CONFIG, "https://", 0, 0},
    {"not an address", FED "    broker: " URL "\n    addresses: [broker]\n" FILES, FR_E_CONFIG,
     "broker", 0, 0},
    {"not a federation name",
     "federations:\n  - name: Fed\n    broker: " URL "\n    addresses: [127.0.0.1]\n" FILES,
     FR_E_CONFIG, "", 0, 0},
    {"the same federation twice",
     FED "    broker: https://127.0.0.1/q\n" FILES
         "  - name: fed.test\n    broker: https://127.0.0.1/q\n" FILES,
     FR_E_CONFIG, "there already", 0, 0},
    {"not a prefix",
     FED "    broker: " URL "\n    addresses: [127.0.0.1]\n    only: [70b3x]\n" FILES, FR_E_CONFIG,
     "70b3x", 0, 0},
    {"no such order",
     FED "    broker: " URL "\n    addresses: [127.0.0.1]\n" FILES "lookup: {ask: one}\n",
     FR_E_CONFIG, "", 0, 0},
    {"public trees",
     FED "    broker: https://127.0.0.1/q\n" FILES "lookup: {public_dns: 192.0.2.53}\n"
         "join_servers: {suffixes: [Joineuis.example, j.example:8443], services: [LWN, LWNS]}\n"
         "networks: {suffixes: netids.example}\n",
     FR_OK, NULL, 1, 1},
    {"a tree, and public DNS is off",
     FED "    broker: https://127.0.0.1/q\n" FILES "join_servers: {suffixes: j.example}\n",
     FR_E_CONFIG, "public DNS, which is off", 0, 0},
    {"not a suffix",
     FED "    broker: https://127.0.0.1/q\n" FILES "lookup: {public_dns: 192.0.2.53}\n"
         "networks: {suffixes: \"j.example:0\"}\n",
     FR_E_CONFIG, "j.example:0", 0, 0},
    {"not a service",
     FED "    broker: https://127.0.0.1/q\n" FILES "join_servers: {services: [https]}\n",
     FR_E_CONFIG, "https", 0, 0},
    {"timeout out of range", FED "    broker: " URL "\n" FILES "lookup: {timeout: 1ms}\n",
     FR_E_CONFIG, "", 0, 0},
};

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fr_resolver_conf conf = {0};
        struct fr_diag diag = {0};
        struct fedroam_options *o = NULL;
        char text[1024];
        enum fr_err err = fr_conf_parse(&fr_resolver_schema, "/etc/x/resolver.yaml",
                                        fr_span_str(rows[i].yaml), &diag, &conf);
        if (err == FR_OK)
            err = fr_federations_options(conf.federations, conf.n_federations, &conf.lookup, &diag,
                                         &o);
        if (err == FR_OK) err = fr_trees_options(o, FEDROAM_JOIN_SERVER, &conf.join_servers, &diag);
        if (err == FR_OK) err = fr_trees_options(o, FEDROAM_NETWORK, &conf.networks, &diag);
        fr_diag_print(&diag, err, text, sizeof text);
        if (err != rows[i].err) fail_msg("%s: %s", rows[i].label, text);
        if (rows[i].what && !strstr(text, rows[i].what)) fail_msg("%s: %s", rows[i].label, text);
        if (err == FR_OK) {
            const struct fr_federation_opt *f = o->federations[0];
            assert_int_equal(f->n_brokers, rows[i].brokers);
            if (rows[i].addresses)
                assert_int_equal(f->brokers[0].n_addresses, rows[i].addresses);
            else
                assert_in_range(f->brokers[0].n_addresses, 1, FR_BROKER_ADDRESSES_MAX);
            assert_string_equal(f->ca, "/etc/x/D/root.pem");
            assert_int_equal(f->brokers[0].addresses[0].port, f->brokers[0].url.port);
        }
        fedroam_options_free(o);
        fr_conf_free(&fr_resolver_schema, &conf);
    }
}

/* Nobody is asked at start: it is looked up when it is needed, and again. */
static void test_hosts_are_left_to_public_dns(void **state)
{
    (void)state;
    static const char text[] = FED "    broker: " URL "\n" FILES "lookup: {public_dns: system}\n";
    struct fr_resolver_conf conf = {0};
    struct fedroam_options *o = NULL;
    assert_int_equal(fr_conf_parse(&fr_resolver_schema, "r.yaml", fr_span_str(text), NULL, &conf),
                     FR_OK);
    assert_int_equal(fr_federations_options(conf.federations, 1, &conf.lookup, NULL, &o), FR_OK);
    assert_int_equal(o->federations[0]->brokers[0].n_addresses, 0);
    assert_false(o->federations[0]->brokers[0].discover);
    assert_int_equal(fr_options_check(o, NULL), FR_OK);
    fedroam_options_free(o);
    fr_conf_free(&fr_resolver_schema, &conf);
}

static void test_a_check_asks_nobody(void **state)
{
    (void)state;
    static const char text[] = FED "    broker: https://nobody.invalid/dns-query\n" FILES;
    struct fr_resolver_conf conf = {0};
    struct fedroam_options *o = NULL;
    assert_int_equal(fr_conf_parse(&fr_resolver_schema, "r.yaml", fr_span_str(text), NULL, &conf),
                     FR_OK);
    assert_int_equal(fr_federations_read(conf.federations, 1, &conf.lookup, NULL, &o), FR_OK);
    assert_int_equal(o->federations[0]->n_brokers, 0);
    fedroam_options_free(o);
    o = NULL;
    assert_int_equal(fr_federations_options(conf.federations, 1, &conf.lookup, NULL, &o), FR_E_NET);
    assert_null(o);
    fr_conf_free(&fr_resolver_schema, &conf);
}

static void test_defaults_and_limits(void **state)
{
    (void)state;
    struct fr_resolver_conf conf = {0};
    struct fedroam_options *o = NULL;
    assert_int_equal(
        fr_conf_parse(&fr_resolver_schema, "r.yaml", fr_span_str(rows[0].yaml), NULL, &conf),
        FR_OK);
    assert_int_equal(fr_federations_options(conf.federations, 1, &conf.lookup, NULL, &o), FR_OK);
    struct fedroam_options *plain = fedroam_options_new();
    assert_non_null(plain); /* the file's defaults are those of the library */
    assert_int_equal(o->timeout_ms, plain->timeout_ms);
    assert_int_equal(o->broker_timeout_ms, plain->broker_timeout_ms);
    assert_int_equal(o->cache_entries, plain->cache_entries);
    assert_int_equal(o->stale_s, plain->stale_s);
    assert_int_equal(o->hedge_ms, plain->hedge_ms);
    assert_int_equal(o->cache_bytes, plain->cache_bytes);
    assert_int_equal(o->prefetch_percent, plain->prefetch_percent);
    assert_null(o->cache_file);
    assert_int_equal(o->unknown_max_s, plain->unknown_max_s);
    assert_int_equal(o->ask, plain->ask);
    assert_int_equal(o->peer_stale_s, plain->peer_stale_s);
    assert_int_equal(o->federations[0]->only.n + o->federations[0]->except.n, 0);
    fedroam_options_free(plain);
    fedroam_options_free(o);
    fr_conf_free(&fr_resolver_schema, &conf);

    assert_int_equal(
        fr_conf_parse(&fr_resolver_schema, "r.yaml", fr_span_str(rows[4].yaml), NULL, &conf),
        FR_OK);
    assert_int_equal(fr_federations_options(conf.federations, 1, &conf.lookup, NULL, &o), FR_OK);
    assert_int_equal(o->timeout_ms, 5000);
    assert_int_equal(o->broker_timeout_ms, 500);
    assert_int_equal(o->cache_entries, 1000);
    assert_int_equal(o->stale_s, 3600);
    assert_int_equal(o->hedge_ms, 200);
    assert_int_equal(o->cache_bytes, 1 << 20);
    assert_int_equal(o->prefetch_percent, 0);
    assert_string_equal(o->cache_file, "c");
    assert_int_equal(o->unknown_max_s, 300);
    assert_int_equal(o->ask, FEDROAM_ASK_IN_ORDER);
    assert_int_equal(o->peer_stale_s, 7200);
    assert_true(fr_federation_takes(o->federations[0], 0x70b3d57ed0000001));
    assert_false(fr_federation_takes(o->federations[0], 0x70b3d57ed0000007));
    assert_false(fr_federation_takes(o->federations[0], 0x70b3d57ee0000001));
    fedroam_options_free(o);
    fr_conf_free(&fr_resolver_schema, &conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_hosts_are_left_to_public_dns),
        cmocka_unit_test(test_a_check_asks_nobody),
        cmocka_unit_test(test_defaults_and_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
