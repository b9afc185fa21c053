/* Adopting: a certificate that was signed here and whose row is gone comes back; no other does. */
#include "ca/adopt.h"

#include "federation.h"
#include "store/unknown.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

static struct federation fed;

/* Signed by the federation's CA, and nothing of it in the store. */
static void sign_and_forget(const struct fr_subject *subject, struct fr_buf *der)
{
    struct fr_buf csr = FR_BUF_INIT(16384);
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_change *change = begin(&fed);

    make_csr(&csr, NULL);
    const struct fr_issue_request request = {.subject = *subject, .csr = fr_buf_span(&csr)};
    assert_int_equal(fr_ca_intend(fed.ca, change, &request, NULL, &issue), FR_OK);
    fr_change_cancel(change);
    assert_int_equal(fr_ca_sign(fed.ca, NOW, NULL, &issue), FR_OK);
    assert_int_equal(fr_cert_write_der(issue.cert, der), FR_OK);
    fr_issue_deinit(&issue);
    fr_buf_deinit(&csr);
}

static enum fr_err adopt(struct fr_change *change, struct fr_span der, struct fr_cert_row *row)
{
    const struct fr_adopt_request request = {.der = der};

    return fr_ca_adopt(change, &request, NULL, row);
}

static void what_was_signed_here_comes_back(void **state)
{
    const struct fr_subject ns = {.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x13};
    struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX);
    struct fr_cert_row row, there;
    (void)state;

    sign_and_forget(&ns, &der);
    struct fr_change *change = begin(&fed);
    assert_int_equal(adopt(change, fr_buf_span(&der), &row), FR_OK);
    assert_int_equal(row.profile, FR_PROFILE_NS);
    assert_string_equal(row.member, "acme");
    assert_int_equal(row.netid, 0x13);
    assert_int_equal(row.rights, fr_profile_rights(FR_PROFILE_NS));
    assert_int_equal(row.status, FR_CERT_ISSUED);
    commit(change);
    change = begin(&fed);
    assert_int_equal(fr_cert_row_get(fr_change_snap(change), row.serial, &there), FR_OK);
    assert_int_equal(adopt(change, fr_buf_span(&der), &row), FR_OK);
    assert_true(fr_change_is_empty(change)); /* known by now */
    assert_int_equal(fr_ca_revoke(change, row.serial, 0, NULL), FR_OK);
    assert_int_equal(adopt(change, fr_buf_span(&der), &row), FR_E_REVOKED);
    fr_change_cancel(change);
    fr_buf_deinit(&der);
}

/* A replica's, which would else be shut out by a restore. */
static void a_brokers_comes_back_with_its_host(void **state)
{
    const struct fr_subject b2 = {.profile = FR_PROFILE_BROKER, .host = "b2"};
    struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX);
    struct fr_cert_row row;
    (void)state;

    sign_and_forget(&b2, &der);
    struct fr_change *change = begin(&fed);
    assert_int_equal(adopt(change, fr_buf_span(&der), &row), FR_OK);
    assert_int_equal(row.profile, FR_PROFILE_BROKER);
    assert_string_equal(row.host, "b2");
    assert_string_equal(row.member, "");
    assert_int_equal(row.rights, fr_profile_rights(FR_PROFILE_BROKER));
    fr_change_cancel(change);
    fr_buf_deinit(&der);
}

static void what_must_not_come_back(void **state)
{
    const struct fr_subject doh = {.profile = FR_PROFILE_DOH, .member = "acme"};
    struct fr_buf der = FR_BUF_INIT(FR_CERT_MAX);
    struct fr_cert_fields fields;
    struct fr_cert *cert = NULL;
    struct fr_cert_row row;
    (void)state;

    sign_and_forget(&doh, &der);
    assert_int_equal(fr_cert_parse(fr_buf_span(&der), &cert), FR_OK);
    assert_int_equal(fr_cert_read_fields(cert, &fields), FR_OK);
    fr_cert_free(cert);
    /* Listed as revoked: known by its serial alone. */
    struct fr_change *change = begin(&fed);
    struct fr_cert_bar bar = {
        .authority = fr_ca_name(fed.ca), .not_after_s = NOW + 1000, .revoked_s = NOW};
    memcpy(bar.serial, fields.serial, sizeof bar.serial);
    assert_int_equal(fr_cert_row_bar(change, &bar, NULL), FR_OK);
    assert_int_equal(adopt(change, fr_buf_span(&der), &row), FR_E_REVOKED);
    fr_change_cancel(change);
    /* A bit of it is another: the signature does not fit. */
    change = begin(&fed);
    der.p[der.n - 5] ^= 1;
    assert_int_equal(adopt(change, fr_buf_span(&der), &row), FR_E_CRYPTO);
    der.p[der.n - 5] ^= 1;
    assert_int_equal(adopt(change, fr_span(der.p, der.n - 1), &row), FR_E_MALFORMED);
    /* A member that is suspended, and one that is gone. */
    assert_int_equal(fr_member_suspend(change, "acme", NULL), FR_OK);
    assert_int_not_equal(adopt(change, fr_buf_span(&der), &row), FR_OK);
    fr_change_cancel(change);
    /* And the CA's own. */
    struct fr_buf own = FR_BUF_INIT(FR_CERT_MAX);
    assert_int_equal(fr_cert_write_der(fr_ca_issuing(fed.ca), &own), FR_OK);
    change = begin(&fed);
    assert_int_not_equal(adopt(change, fr_buf_span(&own), &row), FR_OK);
    assert_true(fr_change_is_empty(change));
    fr_change_cancel(change);
    fr_buf_deinit(&own);
    fr_buf_deinit(&der);
}

static int setup(void **state)
{
    static const uint32_t netids[] = {0x13, 0};
    (void)state;

    federation_make(&fed);
    add_member(&fed, "acme", netids);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    federation_remove(&fed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_signed_here_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_brokers_comes_back_with_its_host, setup, teardown),
        cmocka_unit_test_setup_teardown(what_must_not_come_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
