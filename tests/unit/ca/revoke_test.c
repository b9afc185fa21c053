#include "ca/revoke.h"

#include "federation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void serials_are_parsed(void **state)
{
    static const struct {
        const char *text;
        enum fr_err err;
    } rows[] = {
        {"41c0ffee000000000000000000000001", FR_OK},
        {"41C0FFEE000000000000000000000001", FR_OK},
        {"41:c0:ff:ee:00:00:00:00:00:00:00:00:00:00:00:01", FR_OK},
        {"", FR_E_MALFORMED},
        {"41c0ffee0000000000000000000001", FR_E_MALFORMED},
        {"41c0ffee00000000000000000000000101", FR_E_MALFORMED},
        {"41c0ffee00000000000000000000000g", FR_E_MALFORMED},
        {"4:1c0ffee000000000000000000000001", FR_E_MALFORMED},
        {"41c0ffee000000000000000000000001 ", FR_E_MALFORMED},
        {"41:c0:ff:ee:00:00:00:00:00:00:00:00:00:00:00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:"
         "0f:10",
         FR_E_MALFORMED},
    };
    const uint8_t want[FR_SERIAL_SIZE] = {0x41, 0xc0, 0xff, 0xee, [15] = 1};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t serial[FR_SERIAL_SIZE] = {0};
        enum fr_err err = fr_serial_parse(fr_span_str(rows[i].text), NULL, serial);
        if (err != rows[i].err) fail_msg("\"%s\": %s", rows[i].text, fr_err_text(err));
        if (!err) assert_memory_equal(serial, want, sizeof want);
    }
}

static void causes_are_words(void **state)
{
    struct fr_diag diag = {0};
    uint8_t cause = 99;

    (void)state;
    assert_int_equal(fr_revoke_cause_parse("key-compromise", &diag, &cause), FR_OK);
    assert_int_equal(cause, 1);
    assert_string_equal(fr_revoke_cause_text(1), "key-compromise");
    assert_string_equal(fr_revoke_cause_text(77), "unspecified");
    assert_int_equal(fr_revoke_cause_parse("Key-Compromise", &diag, &cause), FR_E_INVALID);
    assert_int_equal(cause, 1);
}

static struct federation fed;

static void issue_for(struct fr_subject subject, uint8_t serial[FR_SERIAL_SIZE])
{
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_issue_request request = {.subject = subject};

    make_csr(&csr, NULL);
    request.csr = fr_buf_span(&csr);
    assert_int_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue), FR_OK);
    memcpy(serial, issue.row.serial, FR_SERIAL_SIZE);
    fr_issue_deinit(&issue);
    fr_buf_deinit(&csr);
}

static enum fr_cert_status status_of(const uint8_t *serial)
{
    struct fr_snap *snap = NULL;
    struct fr_cert_row row;

    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_cert_row_get(snap, serial, &row), FR_OK);
    fr_snap_end(snap);
    return row.status;
}

static void selectors_hit_what_they_name(void **state)
{
    uint8_t doh[FR_SERIAL_SIZE], ns13[FR_SERIAL_SIZE], ns15[FR_SERIAL_SIZE], other[FR_SERIAL_SIZE];
    const uint8_t unknown[FR_SERIAL_SIZE] = {0x42};
    struct fr_change *change = NULL;
    size_t n = 0;

    (void)state;
    federation_make(&fed);
    add_member(&fed, "acme", (const uint32_t[]){0x13, 0x15, 0});
    add_member(&fed, "beta", (const uint32_t[]){0x14, 0});
    issue_for((struct fr_subject){.profile = FR_PROFILE_DOH, .member = "acme"}, doh);
    issue_for((struct fr_subject){.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x13}, ns13);
    issue_for((struct fr_subject){.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x15}, ns15);
    issue_for((struct fr_subject){.profile = FR_PROFILE_DOH, .member = "beta"}, other);

    change = begin(&fed);
    assert_int_equal(fr_ca_revoke(change, unknown, 0, NULL), FR_E_NOT_FOUND);
    assert_int_equal(fr_ca_revoke_netid(change, 0x16, 0, NULL, &n), FR_E_NOT_FOUND);
    assert_int_equal(fr_ca_revoke_netid(change, 0x13, 4, NULL, &n), FR_OK);
    assert_int_equal(n, 1);
    commit(change);
    assert_int_equal(status_of(ns13), FR_CERT_REVOKED);
    assert_int_equal(status_of(ns15), FR_CERT_ISSUED);
    assert_int_equal(status_of(doh), FR_CERT_ISSUED);

    change = begin(&fed);
    assert_int_equal(fr_ca_revoke(change, ns13, 0, NULL), FR_OK); /* once more is no change */
    assert_true(fr_change_is_empty(change));
    assert_int_equal(fr_ca_revoke_member(change, "acme", 0, NULL, &n), FR_OK);
    assert_int_equal(n, 2);
    commit(change);
    assert_int_equal(status_of(ns15), FR_CERT_REVOKED);
    assert_int_equal(status_of(doh), FR_CERT_REVOKED);
    assert_int_equal(status_of(other), FR_CERT_ISSUED);

    change = begin(&fed);
    assert_int_equal(fr_ca_set_rights(change, other, FR_RIGHT_PUBLISH, NULL), FR_OK);
    assert_int_equal(fr_ca_set_rights(change, doh, FR_RIGHT_PUBLISH, NULL), FR_E_REVOKED);
    assert_int_equal(fr_ca_set_rights(change, unknown, 0, NULL), FR_E_NOT_FOUND);
    commit(change);
    federation_remove(&fed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serials_are_parsed),
        cmocka_unit_test(causes_are_words),
        cmocka_unit_test(selectors_hit_what_they_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
