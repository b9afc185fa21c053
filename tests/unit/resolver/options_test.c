#include "resolver/options.h"

#include "public.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static struct fedroam_options *options(void)
{
    struct fedroam_options *o = fedroam_options_new();
    assert_non_null(o);
    assert_int_equal(fedroam_options_add_federation(o, "fed.test", "ca", "chain", "key"),
                     FEDROAM_OK);
    return o;
}

static void test_federations(void **state)
{
    (void)state;
    static const struct {
        const char *name, *ca, *chain, *key;
        enum fedroam_err err;
    } rows[] = {
        {"other.test", "a", "b", "c", FEDROAM_OK},
        {"fed.test", "a", "b", "c", FEDROAM_E_ARGUMENT}, /* there already */
        {"Fed2.test", "a", "b", "c", FEDROAM_E_ARGUMENT},
        {"fed", "a", "b", "c", FEDROAM_E_ARGUMENT},
        {"", "a", "b", "c", FEDROAM_E_ARGUMENT},
        {NULL, "a", "b", "c", FEDROAM_E_ARGUMENT},
        {"new.test", NULL, "b", "c", FEDROAM_E_ARGUMENT},
        {"new.test", "a", "", "c", FEDROAM_E_ARGUMENT},
        {"new.test", "a", "b", NULL, FEDROAM_E_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fedroam_options *o = options();
        enum fedroam_err err =
            fedroam_options_add_federation(o, rows[i].name, rows[i].ca, rows[i].chain, rows[i].key);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fedroam_err_text(err));
        assert_int_equal(o->n_federations, err == FEDROAM_OK ? 2 : 1);
        assert_int_equal(fedroam_options_error(o)[0] != 0, err != FEDROAM_OK);
        fedroam_options_free(o);
    }
}

static void test_brokers(void **state)
{
    (void)state;
    static const struct {
        const char *federation, *url, *address;
        enum fedroam_err err;
    } rows[] = {
        {"fed.test", "https://broker.fed.test:8443/dns-query", "127.0.0.1", FEDROAM_OK},
        {"fed.test", "https://broker.fed.test/dns-query", "::1", FEDROAM_OK},
        {"fed.test", "https://[::1]:8443/dns-query", NULL, FEDROAM_OK},
        {"fed.test", "https://127.0.0.1/", NULL, FEDROAM_OK},
        {"fed.test", "https://broker.fed.test/dns-query", NULL, FEDROAM_E_ARGUMENT},
        {"fed.test", "https://broker.fed.test/dns-query", "broker", FEDROAM_E_ARGUMENT},
        {"fed.test", "http://broker.fed.test/dns-query", "127.0.0.1", FEDROAM_E_ARGUMENT},
        {"fed.test", "broker.fed.test", "127.0.0.1", FEDROAM_E_ARGUMENT},
        {"fed.test", "", "127.0.0.1", FEDROAM_E_ARGUMENT},
        {"fed.test", NULL, "127.0.0.1", FEDROAM_E_ARGUMENT},
        {"none.test", "https://broker.fed.test/dns-query", "127.0.0.1", FEDROAM_E_FEDERATION},
        {NULL, "https://broker.fed.test/dns-query", "127.0.0.1", FEDROAM_E_FEDERATION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fedroam_options *o = options();
        enum fedroam_err err = fedroam_options_add_broker(
            o, rows[i].federation, rows[i].url, &rows[i].address, rows[i].address ? 1 : 0);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fedroam_err_text(err));
        assert_int_equal(o->federations[0]->n_brokers, err == FEDROAM_OK ? 1 : 0);
        fedroam_options_free(o);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct fedroam_options *o = options();
    const char *many[FR_BROKER_ADDRESSES_MAX + 1];
    const char *url = "https://b.fed.test/q";
    char name[32];
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) many[i] = "127.0.0.1";
    assert_int_equal(
        fedroam_options_add_broker(o, "fed.test", url, many, FR_BROKER_ADDRESSES_MAX + 1),
        FEDROAM_E_LIMIT);
    for (int i = 0; i < FR_BROKERS_MAX; i++)
        assert_int_equal(fedroam_options_add_broker(o, "fed.test", url, many, 1), FEDROAM_OK);
    assert_int_equal(fedroam_options_add_broker(o, "fed.test", url, many, 1), FEDROAM_E_LIMIT);
    for (int i = 1; i < FR_FEDERATIONS_MAX; i++) {
        snprintf(name, sizeof name, "fed%d.test", i);
        assert_int_equal(fedroam_options_add_federation(o, name, "a", "b", "c"), FEDROAM_OK);
    }
    assert_int_equal(fedroam_options_add_federation(o, "last.test", "a", "b", "c"),
                     FEDROAM_E_LIMIT);
    fedroam_options_free(o);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        enum fedroam_err (*set)(struct fedroam_options *o, uint32_t v);
        uint32_t min, max;
    } rows[] = {
        {fedroam_options_set_timeout, 10, 600000},
        {fedroam_options_set_broker_timeout, 10, 60000},
        {fedroam_options_set_cache_entries, 16, 10000000},
        {fedroam_options_set_stale, 0, 259200},
        {fedroam_options_set_pending, 1, 1000000},
    };
    struct fedroam_options *o = options();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(rows[i].set(o, rows[i].min), FEDROAM_OK);
        assert_int_equal(rows[i].set(o, rows[i].max), FEDROAM_OK);
        assert_int_equal(rows[i].set(o, rows[i].max + 1), FEDROAM_E_ARGUMENT);
        if (rows[i].min > 0) assert_int_equal(rows[i].set(o, rows[i].min - 1), FEDROAM_E_ARGUMENT);
    }
    assert_int_equal(o->timeout_ms, 600000);
    fedroam_options_free(o);
}

static int watch(void *data, int fd, unsigned events)
{
    (void)data, (void)fd, (void)events;
    return 0;
}

static void timer(void *data, int64_t delay_ms)
{
    (void)data, (void)delay_ms;
}

static void test_host(void **state)
{
    (void)state;
    struct fedroam_options *o = options();
    struct fedroam_host host = {.size = sizeof host, .watch = watch, .timer = timer};
    struct fedroam_host bad = host;
    assert_int_equal(fedroam_options_set_host(o, &host, o), FEDROAM_OK);
    assert_true(o->has_host);
    bad.size = 4;
    assert_int_equal(fedroam_options_set_host(o, &bad, NULL), FEDROAM_E_ARGUMENT);
    bad = host;
    bad.watch = NULL;
    assert_int_equal(fedroam_options_set_host(o, &bad, NULL), FEDROAM_E_ARGUMENT);
    assert_true(o->has_host && o->host_data == o); /* as it was */
    assert_int_equal(fedroam_options_set_host(o, NULL, NULL), FEDROAM_OK);
    assert_false(o->has_host);
    fedroam_options_free(o);
}

static void test_check_and_copy(void **state)
{
    (void)state;
    struct fedroam_options *o = options(), *copy = NULL, *empty = fedroam_options_new();
    const char *address = "127.0.0.1";
    struct fr_diag diag = {0};
    assert_int_equal(fr_options_check(empty, &diag), FR_E_INVALID);
    assert_int_equal(fr_options_check(o, &diag), FR_E_INVALID); /* no broker */
    assert_int_equal(fedroam_options_add_broker(o, "fed.test", "https://b.fed.test/q", &address, 1),
                     FEDROAM_OK);
    assert_int_equal(fr_options_check(o, NULL), FR_OK);
    for (unsigned long n = 1;; n++) {
        fr_mem_fail_nth(n);
        enum fr_err err = fr_options_dup(o, &copy);
        bool has_failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        if (!has_failed) break;
        assert_int_equal(err, FR_E_NOMEM);
        assert_null(copy);
    }
    assert_int_equal(copy->n_federations, 1);
    assert_string_equal(copy->federations[0]->key, "key");
    assert_int_equal(copy->federations[0]->brokers[0].addresses[0].port, 443);
    fedroam_options_free(o);
    fedroam_options_free(copy);
    fedroam_options_free(empty);
    fedroam_options_free(NULL);
}

static void test_prefixes_of_devices(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        enum fedroam_err err;
        uint64_t in, out;
    } rows[] = {
        {"7", FEDROAM_OK, 0x7fffffffffffffff, 0x8000000000000000},
        {"70b3d57ed", FEDROAM_OK, 0x70b3d57ed0000001, 0x70b3d57ee0000001},
        {"70B3D57ED0000001", FEDROAM_OK, 0x70b3d57ed0000001, 0x70b3d57ed0000000},
        {"70b3d57ed00000012", FEDROAM_E_ARGUMENT, 0, 0},
        {"", FEDROAM_E_ARGUMENT, 0, 0},
        {NULL, FEDROAM_E_ARGUMENT, 0, 0},
        {"70-b3", FEDROAM_E_ARGUMENT, 0, 0},
        {"70b3*", FEDROAM_E_ARGUMENT, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fedroam_options *o = options();
        enum fedroam_err err =
            fedroam_options_set_devices(o, "fed.test", &rows[i].prefix, 1, NULL, 0);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fedroam_err_text(err));
        const struct fr_federation_opt *f = o->federations[0];
        assert_true(fr_federation_takes(f, rows[i].in));
        assert_int_equal(fr_federation_takes(f, rows[i].out), err != FEDROAM_OK);
        if (err == FEDROAM_OK) {
            assert_int_equal(
                fedroam_options_set_devices(o, "fed.test", NULL, 0, &rows[i].prefix, 1),
                FEDROAM_OK);
            assert_false(fr_federation_takes(f, rows[i].in));
            assert_true(fr_federation_takes(f, rows[i].out));
        }
        fedroam_options_free(o);
    }
    struct fedroam_options *o = options();
    const char *many[FR_PREFIXES_MAX + 1];
    for (size_t i = 0; i <= FR_PREFIXES_MAX; i++) many[i] = "0";
    assert_int_equal(fedroam_options_set_devices(o, "no.test", many, 1, NULL, 0),
                     FEDROAM_E_FEDERATION);
    assert_int_equal(fedroam_options_set_devices(o, "fed.test", many, FR_PREFIXES_MAX + 1, NULL, 0),
                     FEDROAM_E_LIMIT);
    assert_int_equal(fedroam_options_set_ask(o, (enum fedroam_ask)2), FEDROAM_E_ARGUMENT);
    fedroam_options_free(o);
}

static void test_public_dns(void **state)
{
    (void)state;
    struct public_dns first = {0}, second = {0};
    struct fedroam_options *o = fedroam_options_new(), *copy = NULL;
    struct fedroam_public_dns lacking = {.size = sizeof lacking};
    assert_int_equal(fedroam_options_set_public_dns(o, &lacking, &first), FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_options_add_federation(o, "fed.test", "a", "b", "c"), FEDROAM_OK);
    assert_int_equal(
        fedroam_options_add_broker(o, "fed.test", "https://broker.fed.test/q", NULL, 0),
        FEDROAM_E_ARGUMENT);
    public_use(&first, o);
    static const char url[] = "https://broker.fed.test/q", ip[] = "https://192.0.2.1/q";
    assert_int_equal(fedroam_options_add_broker(o, "fed.test", url, NULL, 0), FEDROAM_OK);
    assert_int_equal(fedroam_options_add_broker(o, "fed.test", ip, NULL, 0), FEDROAM_OK);
    assert_int_equal(fedroam_options_discover_broker(o, "fed.test", url), FEDROAM_OK);
    assert_true(o->federations[0]->brokers[0].discover);
    assert_int_equal(fedroam_options_discover_broker(o, "fed.test", ip), FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_options_discover_broker(o, "fed.test", "https://broker.fed.test/r"),
                     FEDROAM_E_FEDERATION);
    assert_int_equal(fedroam_options_discover_broker(o, "other.test", url), FEDROAM_E_FEDERATION);
    assert_int_equal(fr_options_dup(o, &copy), FR_OK);
    fedroam_options_free(copy); /* a handle's copy releases nothing */
    assert_int_equal(first.released, 0);
    public_use(&second, o);
    assert_int_equal(first.released, 1);
    assert_int_equal(fr_options_check(o, NULL), FR_OK);
    assert_int_equal(fedroam_options_set_public_dns(o, NULL, NULL), FEDROAM_OK);
    assert_int_equal(second.released, 1);
    assert_int_equal(fr_options_check(o, NULL), FR_E_INVALID);
    assert_int_equal(fedroam_options_discover_broker(o, "fed.test", url), FEDROAM_E_ARGUMENT);
    fedroam_options_free(o);
    assert_int_equal(second.released, 1);
}

static void test_trees(void **state)
{
    (void)state;
    static const struct {
        const char *suffix;
        enum fedroam_err err;
        const char *kept;
        unsigned port;
    } rows[] = {
        {"joineuis.lora-alliance.org", FEDROAM_OK, "joineuis.lora-alliance.org", 0},
        {"JoinEUI.IoTReg.net.:8443", FEDROAM_OK, "joineui.iotreg.net", 8443},
        {"", FEDROAM_E_ARGUMENT, NULL, 0},
        {".", FEDROAM_E_ARGUMENT, NULL, 0},
        {"a..b", FEDROAM_E_ARGUMENT, NULL, 0},
        {"a b.example", FEDROAM_E_ARGUMENT, NULL, 0},
        {"j.example:", FEDROAM_E_ARGUMENT, NULL, 0},
        {"j.example:0", FEDROAM_E_ARGUMENT, NULL, 0},
        {"j.example:65536", FEDROAM_E_ARGUMENT, NULL, 0},
        {"j.example:https", FEDROAM_E_ARGUMENT, NULL, 0},
    };
    struct fedroam_options *o = options();
    const char *many[FR_TREES_MAX + 1];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum fedroam_err err =
            fedroam_options_set_suffixes(o, FEDROAM_JOIN_SERVER, &rows[i].suffix, 1);
        if (err != rows[i].err) fail_msg("%s: %s", rows[i].suffix, fedroam_err_text(err));
        if (err) continue;
        assert_string_equal(o->join_servers.list[0].suffix, rows[i].kept);
        assert_int_equal(o->join_servers.list[0].port, rows[i].port);
    }
    assert_int_equal(o->join_servers.n, 1); /* what failed changed nothing */
    assert_int_equal(o->networks.n, 0);
    for (size_t i = 0; i <= FR_TREES_MAX; i++) many[i] = "j.example";
    assert_int_equal(fedroam_options_set_suffixes(o, FEDROAM_NETWORK, many, FR_TREES_MAX + 1),
                     FEDROAM_E_LIMIT);
    assert_int_equal(fedroam_options_set_suffixes(o, FEDROAM_NETWORK, many, FR_TREES_MAX),
                     FEDROAM_OK);
    assert_int_equal(fedroam_options_set_suffixes(o, FEDROAM_DEVICE, many, 1), FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_options_set_suffixes(o, FEDROAM_NETWORK, NULL, 0), FEDROAM_OK);
    assert_int_equal(o->networks.n, 0);

    assert_int_equal(o->join_servers.services, FEDROAM_SERVICE_LWNS);
    assert_int_equal(fedroam_options_set_services(o, FEDROAM_JOIN_SERVER, 3), FEDROAM_OK);
    assert_int_equal(fedroam_options_set_services(o, FEDROAM_JOIN_SERVER, 0), FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_options_set_services(o, FEDROAM_JOIN_SERVER, 4), FEDROAM_E_ARGUMENT);
    assert_int_equal(fedroam_options_set_services(o, FEDROAM_DEVICE, 1), FEDROAM_E_ARGUMENT);
    assert_int_equal(o->join_servers.services, 3);
    assert_int_equal(o->networks.services, FEDROAM_SERVICE_LWNS);
    fedroam_options_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_federations),    cmocka_unit_test(test_brokers),
        cmocka_unit_test(test_limits),         cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_host),           cmocka_unit_test(test_prefixes_of_devices),
        cmocka_unit_test(test_check_and_copy), cmocka_unit_test(test_public_dns),
        cmocka_unit_test(test_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
