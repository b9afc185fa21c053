#include "state/keys.h"

#include "base/mem.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY "000102030405060708090a0b0c0d0e0f"
#define KEY2 "0f0e0d0c0b0a09080706050403020100"

static enum fr_err parse(const char *text, struct fr_diag *diag, struct fr_keys **out)
{
    return fr_keys_parse("devices.yaml", fr_span_str(text), diag, out);
}

static void test_devices(void **state)
{
    struct fr_keys *keys = NULL;

    (void)state;
    assert_int_equal(
        parse("devices:\n"
              "  - {deveui: 70b3d57ed0000002, joineui: '0000000000000001', app_key: " KEY "}\n"
              "  - deveui: 70-B3-D5-7E-D0-00-00-01\n"
              "    joineui: '0000000000000002'\n"
              "    lorawan: 1.1\n"
              "    app_key: " KEY "\n"
              "    nwk_key: " KEY2 "\n"
              "    roaming: false\n"
              "  - {deveui: 70b3d57ed0000003, joineui: '0000000000000003', netid: '000014'}\n"
              "keks:\n"
              "  - {label: peer, key: " KEY "}\n",
              NULL, &keys),
        FR_OK);
    assert_int_equal(fr_keys_count(keys), 3);
    const struct fr_device *d = fr_keys_find(keys, 0x70b3d57ed0000001);
    assert_non_null(d);
    assert_int_equal(d->version, FR_LORAWAN_1_1);
    assert_false(d->may_roam);
    assert_int_equal(d->nwk_key.bytes[0], 0x0f);
    d = fr_keys_find(keys, 0x70b3d57ed0000002);
    assert_non_null(d);
    assert_int_equal(d->version, FR_LORAWAN_1_0_3);
    assert_true(d->may_roam && d->app_key.is_set && !d->nwk_key.is_set);
    assert_int_equal(fr_keys_find(keys, 0x70b3d57ed0000003)->home_netid, 0x14);
    assert_null(fr_keys_find(keys, 0x70b3d57ed0000004));
    assert_true(fr_keys_has_join_eui(keys, 1));
    assert_true(fr_keys_has_join_eui(keys, 2));
    assert_false(fr_keys_has_join_eui(keys, 3)); /* its keys are elsewhere */
    assert_non_null(fr_keys_find_kek(keys, fr_span_str("peer")));
    assert_null(fr_keys_find_kek(keys, fr_span_str("")));
    fr_keys_free(keys);
}

static void test_refused(void **state)
{
    static const char *const ROWS[] = {
        "devices:\n  - {joineui: '0000000000000001'}\n",
        "devices:\n  - {deveui: 70b3d57ed0000001}\n",
        "devices:\n  - {deveui: 70b3d57ed000000, joineui: '0000000000000001'}\n",
        "devices:\n  - {deveui: '0000000000000000', joineui: '0000000000000001'}\n",
        "devices:\n  - {deveui: ffffffffffffffff, joineui: '0000000000000001'}\n",
        "devices:\n  - {deveui: 70b3d57ed0000001, joineui: '0000000000000001', app_key: 00}\n",
        "devices:\n  - {deveui: 70b3d57ed0000001, joineui: '0000000000000001', nwk_key: " KEY "}\n",
        ("devices:\n  - {deveui: 70b3d57ed0000001, joineui: '0000000000000001', lorawan: 1.1, "
         "app_key: " KEY "}\n"),
        "devices:\n  - {deveui: 70b3d57ed0000001, joineui: '0000000000000001', lorawan: 1.2}\n",
        ("devices:\n  - {deveui: 70b3d57ed0000001, joineui: '0000000000000001'}\n"
         "  - {deveui: 70b3d57ed0000001, joineui: '0000000000000001'}\n"),
        "devices:\n  - {deveui: 70b3d57ed0000001, joineui: '0000000000000001', netid: '000000'}\n",
        "devices:\n  - {deveui: 70b3d57ed0000001, joineui: '0000000000000001', colour: red}\n",
        "devices: 7\n",
        "keks:\n  - {label: x}\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct fr_keys *keys = NULL;
        struct fr_diag diag = {0};
        CHECK_ROW(ROWS[i], parse(ROWS[i], &diag, &keys) == FR_E_CONFIG);
        CHECK_ROW(ROWS[i], diag.what[0] != '\0' && diag.where[0] != '\0');
    }
}

/* What is wrong with a whole device is told with its line. */
static void test_line_of_a_device(void **state)
{
    static const struct {
        const char *text, *where;
    } ROWS[] = {
        {"devices:\n  - {deveui: 70b3d57ed0000002, joineui: '0000000000000001'}\n"
         "  - {deveui: 70b3d57ed0000001, joineui: '0000000000000001'}\n"
         "  - {deveui: 70b3d57ed0000002, joineui: '0000000000000001'}\n",
         "devices.yaml:4"},
        {"devices:\n  - {deveui: 70b3d57ed0000002, joineui: '0000000000000001'}\n"
         "  - deveui: '0000000000000000'\n    joineui: '0000000000000001'\n",
         "devices.yaml:3"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct fr_keys *keys = NULL;
        struct fr_diag diag = {0};
        assert_int_equal(parse(ROWS[i].text, &diag, &keys), FR_E_CONFIG);
        assert_string_equal(diag.where, ROWS[i].where);
    }
}

/* A bad key is reported by its place, never by its digits. */
static void test_no_key_in_diag(void **state)
{
    struct fr_keys *keys = NULL;
    struct fr_diag diag = {0};
    char text[1024];

    (void)state;
    assert_int_equal(
        parse("devices:\n  - deveui: 70b3d57ed0000001\n    joineui: '0000000000000001'\n"
              "    app_key: 5ec2e75ec2e75ec2e75ec2e75ec2e7zz\n",
              &diag, &keys),
        FR_E_CONFIG);
    fr_diag_print(&diag, FR_E_CONFIG, text, sizeof text);
    assert_null(strstr(text, "5ec2e7"));
    assert_non_null(strstr(text, "devices.yaml:4"));
}

static void test_mode(void **state)
{
    char path[] = "/tmp/fr-keys-XXXXXX";
    int fd = mkstemp(path);
    struct fr_keys *keys = NULL;
    struct fr_diag diag = {0};

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "devices: []\n", 12), 12);
    (void)close(fd);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(fr_keys_load(path, &diag, &keys), FR_E_CONFIG);
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(fr_keys_load(path, &diag, &keys), FR_E_CONFIG);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(fr_keys_load(path, &diag, &keys), FR_OK);
    assert_int_equal(fr_keys_count(keys), 0);
    fr_keys_free(keys);
    (void)unlink(path);
}

static void test_no_memory(void **state)
{
    static const char TEXT[] =
        "devices:\n  - {deveui: 70b3d57ed0000001, joineui: '0000000000000001', app_key: " KEY "}\n"
        "keks:\n  - {label: peer, key: " KEY "}\n";

    (void)state;
    for (unsigned long n = 1;; n++) {
        struct fr_keys *keys = NULL;
        fr_mem_fail_nth(n);
        enum fr_err err = parse(TEXT, NULL, &keys);
        bool failed = fr_mem_failed();
        fr_mem_fail_nth(0);
        if (!failed) {
            assert_int_equal(err, FR_OK);
            fr_keys_free(keys);
            break;
        }
        assert_int_equal(err, FR_E_NOMEM);
        assert_null(keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_line_of_a_device),
        cmocka_unit_test(test_no_key_in_diag),
        cmocka_unit_test(test_mode),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
