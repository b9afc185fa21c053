#include "ca/enrol.h"

#include "federation.h"

#include "ca/subject.h"
#include "ca/token.h"
#include "x509/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct federation fed;

static int setup(void **state)
{
    (void)state;
    federation_make(&fed);
    add_member(&fed, "acme", (const uint32_t[]){0x13, 0x15, 0});
    add_member(&fed, "umbra", (const uint32_t[]){0x14, 0});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    federation_remove(&fed);
    return 0;
}

/* --- what the tests do again and again --- */

struct ticket {
    struct fr_token_row row;
    uint8_t secret[FR_TOKEN_SECRET_SIZE];
};

static enum fr_err try_create(const struct fr_token_request *request, struct ticket *out)
{
    struct fr_change *change = begin(&fed);
    enum fr_err err = fr_token_create(change, request, NULL, &out->row, out->secret);

    if (err)
        fr_change_cancel(change);
    else
        commit(change);
    return err;
}

static struct ticket create(const struct fr_token_request *request)
{
    struct ticket ticket = {0};

    assert_int_equal(try_create(request, &ticket), FR_OK);
    return ticket;
}

static const struct fr_token_request BOTH = {.member = "acme",
                                             .profiles = {FR_PROFILE_NS, FR_PROFILE_DOH},
                                             .n_profiles = 2,
                                             .netid = 0x13,
                                             .host = "lns1"};

/* A request of a new key, DER. */
static void make_der(struct fr_buf *der)
{
    struct fr_buf pem = FR_BUF_INIT(FR_CSR_MAX);

    make_csr(&pem, NULL);
    fr_buf_add_span(der, fr_buf_span(&pem)); /* the CA takes either form */
    fr_buf_deinit(&pem);
}

static enum fr_err enrol_at(const struct ticket *ticket, enum fr_profile profile,
                            struct fr_span csr, int64_t now_s, struct fr_enrolled *out)
{
    struct fr_enrol_token request = {.has_profile = profile != 0, .profile = profile, .csr = csr};
    const struct fr_change_by by = {.actor = "test", .now_s = now_s};

    memcpy(request.id, ticket->row.id, sizeof request.id);
    assert_int_equal(fr_sha256(fr_span(ticket->secret, sizeof ticket->secret), request.secret),
                     FR_OK);
    return fr_ca_enrol_token(fed.ca, fed.store, &by, &request, NULL, out);
}

static enum fr_err enrol(const struct ticket *ticket, enum fr_profile profile, struct fr_span csr)
{
    struct fr_enrolled enrolled = FR_ENROLLED_INIT;
    enum fr_err err = enrol_at(ticket, profile, csr, NOW, &enrolled);

    fr_enrolled_deinit(&enrolled);
    return err;
}

/* --- tokens --- */

static void what_cannot_be_issued_gets_no_token(void **state)
{
    static const struct {
        struct fr_token_request request;
        enum fr_err err;
    } rows[] = {
        {{.member = "acme"}, FR_E_INVALID},
        {{.member = "acme", .profiles = {FR_PROFILE_BROKER}, .n_profiles = 1}, FR_E_INVALID},
        {{.member = "acme", .profiles = {FR_PROFILE_DOH, FR_PROFILE_DOH}, .n_profiles = 2},
         FR_E_INVALID},
        {{.member = "nobody", .profiles = {FR_PROFILE_DOH}, .n_profiles = 1}, FR_E_NOT_FOUND},
        {{.member = "acme", .profiles = {FR_PROFILE_NS}, .n_profiles = 1}, FR_E_INVALID},
        {{.member = "acme", .profiles = {FR_PROFILE_NS}, .n_profiles = 1, .netid = 0x14},
         FR_E_CONFLICT},
        {{.member = "acme", .profiles = {FR_PROFILE_NS}, .n_profiles = 1, .netid = 0x99},
         FR_E_NOT_FOUND},
        {{.member = "acme", .profiles = {FR_PROFILE_DOH}, .n_profiles = 1, .netid = 0x13},
         FR_E_INVALID},
        {{.member = "acme", .profiles = {FR_PROFILE_JS}, .n_profiles = 1}, FR_E_INVALID},
        {{.member = "acme", .profiles = {FR_PROFILE_DOH}, .n_profiles = 1, .host = "a.b"},
         FR_E_INVALID},
        {{.member = "acme", .profiles = {FR_PROFILE_DOH}, .n_profiles = 1, .life_s = 59},
         FR_E_RANGE},
        {{.member = "acme",
          .profiles = {FR_PROFILE_DOH},
          .n_profiles = 1,
          .life_s = FR_TOKEN_LIFE_MAX_S + 1},
         FR_E_RANGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ticket ticket;
        enum fr_err err = try_create(&rows[i].request, &ticket);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, fr_err_text(err));
    }
}

static void the_only_network_needs_no_name(void **state)
{
    const struct fr_token_request one = {
        .member = "umbra", .profiles = {FR_PROFILE_NS}, .n_profiles = 1};

    struct fr_snap *snap = NULL;
    uint32_t netid = 0;

    (void)state;
    assert_int_equal(create(&one).row.netid, 0x14);
    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_subject_only_netid(snap, "umbra", NULL, &netid), FR_OK);
    assert_int_equal(netid, 0x14);
    assert_int_equal(fr_subject_only_netid(snap, "acme", NULL, &netid), FR_E_INVALID);
    assert_int_equal(fr_subject_only_netid(snap, "nobody", NULL, &netid), FR_E_INVALID);
    fr_snap_end(snap);
}

static void the_text_has_three_parts(void **state)
{
    struct ticket ticket = create(&BOTH);
    struct fr_buf text = FR_BUF_INIT(FR_TOKEN_TEXT_MAX);
    struct fr_snap *snap = NULL;
    struct fr_span first, rest, json, secret;

    (void)state;
    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_token_print(snap, &ticket.row, ticket.secret, &text), FR_OK);
    fr_snap_end(snap);
    assert_true(fr_span_cut(fr_buf_span(&text), '.', &first, &rest));
    assert_true(fr_span_cut(rest, '.', &json, &secret));
    assert_true(fr_span_is(first, "FR1"));
    assert_int_equal(secret.n, 43);
    assert_true(json.n > 100);
    fr_buf_deinit(&text);
}

/* --- enrolment --- */

static void one_certificate_for_each_profile(void **state)
{
    struct ticket ticket = create(&BOTH);
    struct fr_buf a = FR_BUF_INIT(FR_CSR_MAX), b = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_enrolled first = FR_ENROLLED_INIT, again = FR_ENROLLED_INIT;

    (void)state;
    make_der(&a);
    make_der(&b);
    assert_int_equal(enrol_at(&ticket, 0, fr_buf_span(&a), NOW, &first), FR_OK);
    assert_int_equal(first.row.profile, FR_PROFILE_NS);
    assert_int_equal(first.row.netid, 0x13);
    assert_string_equal(first.row.host, "lns1");
    assert_false(first.is_repeat);
    /* the same request gets the same bytes as long as the token lives */
    assert_int_equal(
        enrol_at(&ticket, FR_PROFILE_NS, fr_buf_span(&a), NOW + FR_TOKEN_LIFE_DEFAULT_S, &again),
        FR_OK);
    assert_true(again.is_repeat);
    assert_true(fr_span_equal(fr_buf_span(&first.der), fr_buf_span(&again.der)));
    fr_buf_reset(&again.der);
    assert_int_equal(enrol_at(&ticket, FR_PROFILE_NS, fr_buf_span(&a),
                              NOW + FR_TOKEN_LIFE_DEFAULT_S + 1, &again),
                     FR_E_AUTH);
    assert_int_equal(enrol(&ticket, FR_PROFILE_NS, fr_buf_span(&b)), FR_E_AUTH);
    assert_int_equal(enrol(&ticket, FR_PROFILE_DOH, fr_buf_span(&b)), FR_OK);
    assert_int_equal(enrol(&ticket, FR_PROFILE_JS, fr_buf_span(&b)), FR_E_DENIED);
    fr_enrolled_deinit(&first);
    fr_enrolled_deinit(&again);
    fr_buf_deinit(&a);
    fr_buf_deinit(&b);
}

static void a_bad_token_says_nothing(void **state)
{
    struct ticket good = create(&BOTH), bad = good;
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_change *change = NULL;
    struct fr_enrolled enrolled = FR_ENROLLED_INIT;

    (void)state;
    make_der(&csr);
    bad.secret[31] ^= 1;
    assert_int_equal(enrol(&bad, 0, fr_buf_span(&csr)), FR_E_AUTH);
    bad = good;
    bad.row.id[0] ^= 1;
    assert_int_equal(enrol(&bad, 0, fr_buf_span(&csr)), FR_E_AUTH);
    assert_int_equal(
        enrol_at(&good, 0, fr_buf_span(&csr), NOW + FR_TOKEN_LIFE_DEFAULT_S + 1, &enrolled),
        FR_E_AUTH);
    change = begin(&fed);
    assert_int_equal(fr_token_revoke(change, good.row.id, NULL), FR_OK);
    commit(change);
    assert_int_equal(enrol(&good, 0, fr_buf_span(&csr)), FR_E_AUTH);
    change = begin(&fed);
    assert_int_equal(fr_token_revoke(change, good.row.id, NULL), FR_OK);
    assert_true(fr_change_is_empty(change));
    assert_int_equal(fr_token_revoke(change, bad.row.id, NULL), FR_E_NOT_FOUND);
    fr_change_cancel(change);
    fr_enrolled_deinit(&enrolled);
    fr_buf_deinit(&csr);
}

static void anothers_key_and_a_blocked_one_are_a_conflict(void **state)
{
    const struct fr_token_request umbra = {
        .member = "umbra", .profiles = {FR_PROFILE_DOH, FR_PROFILE_NS}, .n_profiles = 2};
    struct ticket theirs = create(&umbra), ours = create(&BOTH), next = create(&BOTH);
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_enrolled enrolled = FR_ENROLLED_INIT;

    (void)state;
    make_der(&csr);
    assert_int_equal(enrol_at(&ours, 0, fr_buf_span(&csr), NOW, &enrolled), FR_OK);
    assert_int_equal(enrol(&theirs, 0, fr_buf_span(&csr)), FR_E_CONFLICT);
    struct fr_change *change = begin(&fed);
    assert_int_equal(fr_ca_revoke(change, enrolled.row.serial, 1, NULL), FR_OK);
    commit(change);
    assert_int_equal(enrol(&next, 0, fr_buf_span(&csr)), FR_E_CONFLICT);
    fr_enrolled_deinit(&enrolled);
    fr_buf_deinit(&csr);
}

static void a_certificate_that_was_never_finished_is_made_again(void **state)
{
    struct ticket ticket = create(&BOTH);
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_enrolled enrolled = FR_ENROLLED_INIT;
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_issue_request request = {
        .subject = {.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x13}};
    struct fr_change *change = NULL;

    (void)state;
    make_der(&csr);
    request.csr = fr_buf_span(&csr);
    change = begin(&fed); /* bound and intended; then the power goes */
    assert_int_equal(fr_ca_intend(fed.ca, change, &request, NULL, &issue), FR_OK);
    ticket.row.slots[0].state = FR_SLOT_USED;
    ticket.row.slots[0].when_s = NOW;
    assert_int_equal(fr_sha256(request.csr, ticket.row.slots[0].request), FR_OK);
    memcpy(ticket.row.slots[0].serial, issue.row.serial, FR_SERIAL_SIZE);
    assert_int_equal(fr_token_put(change, &ticket.row), FR_OK);
    commit(change);
    assert_int_equal(enrol_at(&ticket, 0, request.csr, NOW + 7200, &enrolled), FR_OK);
    assert_memory_not_equal(enrolled.row.serial, issue.row.serial, FR_SERIAL_SIZE);
    fr_issue_deinit(&issue);
    fr_enrolled_deinit(&enrolled);
    fr_buf_deinit(&csr);
}

static void approval_is_waited_for(void **state)
{
    struct fr_token_request request = BOTH;
    struct fr_buf a = FR_BUF_INIT(FR_CSR_MAX), b = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_change *change = NULL;
    size_t n = 99;

    (void)state;
    request.needs_approval = true;
    struct ticket ticket = create(&request);
    make_der(&a);
    make_der(&b);
    change = begin(&fed);
    assert_int_equal(fr_token_approve(change, ticket.row.id, NULL, &n), FR_OK);
    assert_int_equal(n, 0); /* nothing waits yet */
    fr_change_cancel(change);
    assert_int_equal(enrol(&ticket, 0, fr_buf_span(&a)), FR_E_PENDING);
    assert_int_equal(enrol(&ticket, 0, fr_buf_span(&a)), FR_E_PENDING);
    assert_int_equal(enrol(&ticket, 0, fr_buf_span(&b)), FR_E_AUTH);
    change = begin(&fed);
    assert_int_equal(fr_token_approve(change, ticket.row.id, NULL, &n), FR_OK);
    assert_int_equal(n, 1);
    commit(change);
    assert_int_equal(enrol(&ticket, 0, fr_buf_span(&b)), FR_E_AUTH);
    assert_int_equal(enrol(&ticket, 0, fr_buf_span(&a)), FR_OK);
    assert_int_equal(enrol(&ticket, FR_PROFILE_DOH, fr_buf_span(&a)), FR_E_PENDING);
    fr_buf_deinit(&a);
    fr_buf_deinit(&b);
}

/* --- with a certificate --- */

static void a_successor_has_the_rows_subject(void **state)
{
    struct fr_token_request request = BOTH;
    struct fr_buf a = FR_BUF_INIT(FR_CSR_MAX), b = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_enrolled first = FR_ENROLLED_INIT, next = FR_ENROLLED_INIT;
    struct fr_enrol_cert renew = {.csr = {0}};

    (void)state;
    request.rights = FR_RIGHT_LOOKUP;
    struct ticket ticket = create(&request);
    make_der(&a);
    make_der(&b);
    assert_int_equal(enrol_at(&ticket, 0, fr_buf_span(&a), NOW, &first), FR_OK);
    memcpy(renew.serial, first.row.serial, sizeof renew.serial);
    renew.csr = fr_buf_span(&a);
    assert_int_equal(fr_ca_renew(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_OK);
    assert_memory_equal(next.row.spki, first.row.spki, FR_DIGEST_SIZE);
    assert_memory_not_equal(next.row.serial, first.row.serial, FR_SERIAL_SIZE);
    assert_int_equal(next.row.rights, FR_RIGHT_LOOKUP);
    assert_string_equal(next.row.host, "lns1");
    fr_buf_reset(&next.der);
    renew.csr = fr_buf_span(&b);
    assert_int_equal(fr_ca_renew(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_OK);
    assert_int_equal(next.row.netid, 0x13);

    renew.has_profile = true;
    renew.profile = FR_PROFILE_DOH;
    assert_int_equal(fr_ca_renew(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_E_DENIED);
    assert_int_equal(fr_ca_extend(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_E_DENIED);
    struct fr_change *change = begin(&fed);
    assert_int_equal(fr_ca_set_rights(change, first.row.serial, FR_RIGHT_ENROL, NULL), FR_OK);
    commit(change);
    fr_buf_reset(&next.der);
    assert_int_equal(fr_ca_extend(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_OK);
    assert_int_equal(next.row.profile, FR_PROFILE_DOH);
    assert_int_equal(next.row.rights, fr_profile_rights(FR_PROFILE_DOH));
    renew.profile = FR_PROFILE_BROKER;
    assert_int_equal(fr_ca_extend(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_E_DENIED);

    change = begin(&fed);
    assert_int_equal(fr_ca_revoke(change, first.row.serial, 4, NULL), FR_OK);
    commit(change);
    renew.has_profile = false;
    assert_int_equal(fr_ca_renew(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_E_REVOKED);
    renew.serial[5] ^= 1;
    assert_int_equal(fr_ca_renew(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_E_AUTH);
    fr_enrolled_deinit(&first);
    fr_enrolled_deinit(&next);
    fr_buf_deinit(&a);
    fr_buf_deinit(&b);
}

/* The same key while it may follow, and nothing else. */
static void a_broker_renews_with_its_own_key(void **state)
{
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_enrolled next = FR_ENROLLED_INIT;
    struct fr_buf own = FR_BUF_INIT(FR_CSR_MAX), other = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_enrol_cert renew = {.csr = {0}};

    (void)state;
    make_csr(&own, NULL);
    make_csr(&other, NULL);
    const struct fr_issue_request request = {
        .subject = {.profile = FR_PROFILE_BROKER, .host = "b2"}, .csr = fr_buf_span(&own)};
    assert_int_equal(fr_ca_issue(fed.ca, fed.store, &BY, &request, NULL, &issue), FR_OK);
    memcpy(renew.serial, issue.row.serial, sizeof renew.serial);
    renew.csr = fr_buf_span(&other);
    assert_int_equal(fr_ca_renew(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_E_DENIED);
    renew.csr = fr_buf_span(&own);
    assert_int_equal(fr_ca_renew(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_OK);
    assert_int_equal(next.row.profile, FR_PROFILE_BROKER);
    assert_string_equal(next.row.host, "b2");
    assert_string_equal(next.row.member, "");
    assert_int_equal(next.row.rights, issue.row.rights);
    assert_memory_equal(next.row.spki, issue.row.spki, sizeof next.row.spki);
    fr_enrolled_deinit(&next);
    assert_int_equal(fr_ca_extend(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_E_DENIED);
    struct fr_change *change = begin(&fed);
    assert_int_equal(fr_cert_row_set_rights(change, renew.serial, FR_RIGHT_LOOKUP, NULL), FR_OK);
    commit(change);
    assert_int_equal(fr_ca_renew(fed.ca, fed.store, &BY, &renew, NULL, &next), FR_E_DENIED);
    fr_issue_deinit(&issue);
    fr_buf_deinit(&own);
    fr_buf_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_issued_gets_no_token),
        cmocka_unit_test(the_only_network_needs_no_name),
        cmocka_unit_test(the_text_has_three_parts),
        cmocka_unit_test(one_certificate_for_each_profile),
        cmocka_unit_test(a_bad_token_says_nothing),
        cmocka_unit_test(anothers_key_and_a_blocked_one_are_a_conflict),
        cmocka_unit_test(a_certificate_that_was_never_finished_is_made_again),
        cmocka_unit_test(approval_is_waited_for),
        cmocka_unit_test(a_successor_has_the_rows_subject),
        cmocka_unit_test(a_broker_renews_with_its_own_key),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
