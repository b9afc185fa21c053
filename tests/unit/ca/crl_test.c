#include "ca/crl.h"

#include "federation.h"

#include "base/file.h"
#include "store/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct federation fed;

static int setup(void **state)
{
    (void)state;
    federation_make(&fed);
    add_member(&fed, "acme", (const uint32_t[]){0x13, 0});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    federation_remove(&fed);
    return 0;
}

static const struct fr_subject DOH = {.profile = FR_PROFILE_DOH, .member = "acme"};

static void issue(uint8_t serial[FR_SERIAL_SIZE])
{
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_issue made = FR_ISSUE_INIT;
    struct fr_issue_request request = {.subject = DOH};

    make_csr(&csr, NULL);
    request.csr = fr_buf_span(&csr);
    assert_int_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &made), FR_OK);
    memcpy(serial, made.row.serial, FR_SERIAL_SIZE);
    fr_issue_deinit(&made);
    fr_buf_deinit(&csr);
}

static void take_back(const uint8_t *serial, uint8_t cause)
{
    struct fr_change *change = begin(&fed);

    assert_int_equal(fr_ca_revoke(change, serial, cause, NULL), FR_OK);
    commit(change);
}

static struct fr_crl_fields publish(int64_t now_s)
{
    struct fr_crl_set set = {0};

    assert_int_equal(fr_crl_publish(fed.ca, fed.store, fed.dir, now_s * 1000, NULL, &set), FR_OK);
    assert_int_equal(set.n, 1);
    assert_string_equal(set.lists[0].name, fr_ca_name(fed.ca));
    return set.lists[0].fields;
}

static void numbers_only_rise(void **state)
{
    struct fr_crl_fields file;
    struct fr_crl_fields first = publish(NOW);

    (void)state;
    assert_int_equal(first.number, NOW * 1000);
    assert_int_equal(first.entries, 0);
    assert_int_equal(first.next_update_s, NOW + FR_CRL_LIFETIME_S);
    assert_int_equal(publish(NOW).number, NOW * 1000 + 1);       /* in the same millisecond */
    assert_int_equal(publish(NOW - 500).number, NOW * 1000 + 2); /* the clock went back */
    assert_int_equal(publish(NOW + 5).number, (NOW + 5) * 1000);
    assert_int_equal(fr_crl_load(fed.dir, fr_ca_name(fed.ca), NULL, &file), FR_OK);
    assert_int_equal(file.number, (NOW + 5) * 1000);
}

static void a_spoilt_file_is_replaced(void **state)
{
    char path[FR_CRL_PATH_MAX];
    struct fr_crl_fields file;
    struct fr_diag diag = {0};

    (void)state;
    assert_int_equal(fr_crl_path(fed.dir, fr_ca_name(fed.ca), path), FR_OK);
    assert_int_equal(fr_file_write(path, 0600, fr_span_str("junk"), NULL), FR_OK);
    assert_int_equal(fr_crl_load(fed.dir, fr_ca_name(fed.ca), &diag, &file), FR_E_MALFORMED);
    assert_int_equal(publish(NOW + 6).number, (NOW + 6) * 1000);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(fr_crl_load(fed.dir, fr_ca_name(fed.ca), &diag, &file), FR_E_NOT_FOUND);
}

static void revoked_and_lost_ones_are_listed_until_they_are_over(void **state)
{
    uint8_t serial[3][FR_SERIAL_SIZE];
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_issue lost = FR_ISSUE_INIT;
    struct fr_issue_request request = {.subject = DOH};
    struct fr_change *change = NULL;

    (void)state;
    for (int i = 0; i < 3; i++) issue(serial[i]);
    take_back(serial[0], 1);
    take_back(serial[1], 0);
    assert_int_equal(publish(NOW).entries, 2);

    make_csr(&csr, NULL); /* signed, and the process dies before it is stored */
    request.csr = fr_buf_span(&csr);
    change = begin(&fed);
    assert_int_equal(fr_ca_intend(fed.ca, change, &request, NULL, &lost), FR_OK);
    commit(change);
    assert_int_equal(publish(NOW).entries, 2); /* perhaps somebody is at work */
    assert_int_equal(publish(NOW + FR_SIGNING_TIME_S + 1).entries, 3);

    int64_t end_s = lost.row.not_after_s;
    assert_int_equal(publish(end_s + 60).entries, 3); /* over, and still on the next list */
    assert_int_equal(publish(end_s + FR_CRL_LIFETIME_S + FR_CRL_REFRESH_S + 60).entries, 0);
    fr_issue_deinit(&lost);
    fr_buf_deinit(&csr);
}

static void the_counter_moves_with_each_revocation(void **state)
{
    uint8_t serial[FR_SERIAL_SIZE];
    uint64_t before = 0, after = 0;
    struct fr_snap *snap = NULL;

    (void)state;
    issue(serial);
    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_cert_revocations(snap, &before), FR_OK);
    take_back(serial, 4);
    take_back(serial, 4); /* already */
    fr_snap_reset(snap);
    assert_int_equal(fr_snap_renew(snap), FR_OK);
    assert_int_equal(fr_cert_revocations(snap, &after), FR_OK);
    fr_snap_end(snap);
    assert_int_equal(after, before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_only_rise),
        cmocka_unit_test(a_spoilt_file_is_replaced),
        cmocka_unit_test(revoked_and_lost_ones_are_listed_until_they_are_over),
        cmocka_unit_test(the_counter_moves_with_each_revocation),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
