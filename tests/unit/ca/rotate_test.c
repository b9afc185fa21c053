#include "ca/rotate.h"

#include "base/file.h"
#include "ca/crl.h"
#include "ca/profile.h"
#include "ca/root.h"
#include "ca/server.h"
#include "federation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY 86400LL

static struct federation fed;
static int64_t now_s;

static int setup(void **state)
{
    (void)state;
    now_s = NOW;
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

/* --- one step at a time, at now_s --- */

static struct fr_change_by by_now(void)
{
    return (struct fr_change_by){.actor = "test", .now_s = now_s};
}

static struct fr_rotation start(struct fr_diag *diag)
{
    struct fr_change_by by = by_now();
    struct fr_rotation r = {.dir = fed.dir, .federation = "fed.test", .diag = diag};

    assert_int_equal(fr_store_change(fed.store, &by, NULL, &r.change), FR_OK);
    return r;
}

static void reopen(void)
{
    struct fr_change_by by = by_now();

    fr_ca_close(fed.ca);
    fed.ca = NULL;
    assert_int_equal(fr_ca_open(fed.dir, fed.store, &by, NULL, &fed.ca), FR_OK);
}

static void end(struct fr_rotation *r, enum fr_err err, enum fr_err want)
{
    if (err != want) fail_msg("%s, not %s: %s", fr_err_text(err), fr_err_text(want), r->diag->what);
    if (err)
        fr_change_cancel(r->change);
    else
        commit(r->change);
    if (!err) reopen();
}

static void prepare(char *name, struct fr_buf *csr)
{
    struct fr_diag diag = {0};
    struct fr_rotation r = start(&diag);

    end(&r, fr_rotate_prepare(&r, name, csr), FR_OK);
}

static struct fr_root *open_root(void)
{
    char pem[160], key[160];
    struct fr_root *root = NULL;

    (void)snprintf(pem, sizeof pem, "%s/root.pem", fed.dir);
    (void)snprintf(key, sizeof key, "%s/root.key", fed.dir);
    assert_int_equal(fr_root_open(pem, key, NULL, NULL, &root), FR_OK);
    return root;
}

static void sign(const char *name, struct fr_span csr, int64_t from_s, struct fr_buf *der)
{
    const struct fr_root_order order = {
        "fed.test", name, csr, {from_s, FR_ISSUING_LIFETIME_S}, true};
    struct fr_root *root = open_root();
    struct fr_cert *cert = NULL;
    struct fr_diag diag = {0};

    if (fr_root_sign(root, &order, &diag, &cert) != FR_OK) fail_msg("%s", diag.what);
    assert_int_equal(fr_cert_write_der(cert, der), FR_OK);
    fr_cert_free(cert);
    fr_root_close(root);
}

static void install(struct fr_span der, enum fr_err want)
{
    char name[FR_HOST_MAX + 1];
    struct fr_diag diag = {0};
    struct fr_rotation r = start(&diag);

    end(&r, fr_rotate_install(&r, der, name), want);
}

static void activate(const char *name, enum fr_err want)
{
    char before[FR_HOST_MAX + 1];
    struct fr_diag diag = {0};
    struct fr_rotation r = start(&diag);

    end(&r, fr_rotate_activate(&r, name, before), want);
}

static void retire(const char *name, bool force, enum fr_err want)
{
    struct fr_diag diag = {0};
    uint64_t live = 0;
    struct fr_rotation r = start(&diag);

    end(&r, fr_rotate_retire(&r, name, force, &live), want);
}

/* Prepared, signed and installed. */
static void make_ready(char *name, int64_t from_s)
{
    struct fr_buf csr = FR_BUF_INIT(8192), der = FR_BUF_INIT(FR_CERT_MAX);

    prepare(name, &csr);
    sign(name, fr_buf_span(&csr), from_s, &der);
    install(fr_buf_span(&der), FR_OK);
    fr_buf_deinit(&csr);
    fr_buf_deinit(&der);
}

static struct fr_cert_row issue(enum fr_err want)
{
    struct fr_change_by by = by_now();
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_issue made = FR_ISSUE_INIT;
    struct fr_issue_request request = {
        .subject = {.profile = FR_PROFILE_NS, .member = "acme", .netid = 0x13}};

    make_csr(&csr, NULL);
    request.csr = fr_buf_span(&csr);
    enum fr_err err = fr_ca_issue(fed.ca, fed.store, &by, &request, NULL, &made);
    if (err != want) fail_msg("%s, not %s", fr_err_text(err), fr_err_text(want));
    struct fr_cert_row row = made.row;
    fr_issue_deinit(&made);
    fr_buf_deinit(&csr);
    return row;
}

static enum fr_authority_state state_of(const char *name)
{
    static struct fr_authority_row row;
    struct fr_snap *snap = NULL;

    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_authority_get(snap, name, &row), FR_OK);
    fr_snap_end(snap);
    return row.state;
}

/* --- tests --- */

static void steps_in_order(void **state)
{
    struct fr_buf csr = FR_BUF_INIT(8192), der = FR_BUF_INIT(FR_CERT_MAX);
    char b[FR_HOST_MAX + 1], before[FR_HOST_MAX + 1];
    struct fr_cert_row old = issue(FR_OK);

    (void)state;
    assert_string_equal(old.authority, "2026a");
    prepare(b, &csr);
    assert_string_equal(b, "2026b");
    assert_int_equal(state_of("2026b"), FR_AUTHORITY_PREPARED);
    activate("2026b", FR_E_CONFLICT); /* no certificate yet */
    sign("2026b", fr_buf_span(&csr), now_s, &der);
    install(fr_span(der.p, der.n - 1), FR_E_MALFORMED);
    install(fr_buf_span(&der), FR_OK);
    install(fr_buf_span(&der), FR_E_CONFLICT); /* nothing waits for it any more */
    assert_int_equal(state_of("2026b"), FR_AUTHORITY_READY);
    assert_string_equal(fr_ca_name(fed.ca), "2026a");

    struct fr_diag diag = {0};
    struct fr_rotation r = start(&diag);
    end(&r, fr_rotate_activate(&r, "2026b", before), FR_OK);
    assert_string_equal(before, "2026a");
    assert_string_equal(fr_ca_name(fed.ca), "2026b");
    assert_int_equal(state_of("2026a"), FR_AUTHORITY_TAINTED);
    assert_string_equal(issue(FR_OK).authority, "2026b");
    assert_int_equal(fr_ca_signer_count(fed.ca), 2);
    assert_string_equal(fr_ca_signer_at(fed.ca, 0)->name, "2026b");

    activate("2026a", FR_E_CONFLICT); /* no way back */
    retire("2026b", true, FR_E_CONFLICT);
    retire("2026a", false, FR_E_CONFLICT); /* old is alive, and the broker's */
    retire("2026a", true, FR_OK);
    assert_int_equal(state_of("2026a"), FR_AUTHORITY_RETIRED);
    activate("nobody", FR_E_NOT_FOUND);
    activate("root", FR_E_CONFLICT);
    fr_buf_deinit(&csr);
    fr_buf_deinit(&der);
}

static void without_an_active_one_nothing_is_signed_but_lists(void **state)
{
    struct fr_diag diag = {0};
    struct fr_crl_set set;
    struct fr_rotation r = start(&diag);

    (void)state;
    end(&r, fr_rotate_taint(&r, "2026a"), FR_OK);
    assert_false(fr_ca_can_issue(fed.ca));
    (void)issue(FR_E_UNAVAILABLE);
    assert_int_equal(fr_crl_publish(fed.ca, fed.store, fed.dir, now_s * 1000, NULL, &set), FR_OK);
    assert_int_equal(set.n, 1);
    assert_string_equal(set.lists[0].name, "2026a");
}

static void foreign_certificates_are_not_installed(void **state)
{
    struct fr_buf csr = FR_BUF_INIT(8192), der = FR_BUF_INIT(FR_CERT_MAX);
    char name[FR_HOST_MAX + 1];
    struct federation mine, other;
    struct fr_root *root = open_root();
    struct fr_cert *cert = NULL;

    (void)state;
    prepare(name, &csr);
    mine = fed;
    federation_make(&other); /* another root, the same name */
    fed = other;
    sign(name, fr_buf_span(&csr), now_s, &der);
    fed = mine;
    reopen();
    install(fr_buf_span(&der), FR_E_CRYPTO);
    fr_buf_reset(&der);
    const struct fr_root_order wrong = {
        "fed.test", "2026z", fr_buf_span(&csr), {now_s, FR_ISSUING_LIFETIME_S}, true};
    assert_int_equal(fr_root_sign(root, &wrong, NULL, &cert), FR_OK);
    assert_int_equal(fr_cert_write_der(cert, &der), FR_OK);
    install(fr_buf_span(&der), FR_E_CRYPTO); /* the name is not the one prepared */
    fr_cert_free(cert);
    cert = NULL;
    const struct {
        struct fr_root_order order;
        enum fr_err err;
    } rows[] = {
        {{"other.test", "2026b", fr_buf_span(&csr), {now_s, DAY}, true}, FR_E_CONFLICT},
        {{"fed.test", "root", fr_buf_span(&csr), {now_s, DAY}, true}, FR_E_INVALID},
        {{"fed.test", "a b", fr_buf_span(&csr), {now_s, DAY}, true}, FR_E_INVALID},
        {{"fed.test", "2026b", fr_buf_span(&csr), {now_s + 16 * 365 * DAY, DAY}, true},
         FR_E_EXPIRED},
        {{"fed.test", "2026b", FR_SPAN_LIT("junk"), {now_s, DAY}, true}, FR_E_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fr_diag diag = {0};
        assert_int_equal(fr_root_sign(root, &rows[i].order, &diag, &cert), rows[i].err);
        if (diag.what[0] == '\0') fail_msg("row %zu: no words", i);
    }
    fr_root_close(root);
    federation_remove(&other);
    fr_buf_deinit(&csr);
    fr_buf_deinit(&der);
}

static void several_of_one_ceremony_begin_one_after_another(void **state)
{
    char b[FR_HOST_MAX + 1], c[FR_HOST_MAX + 1];

    (void)state;
    make_ready(b, now_s);
    make_ready(c, now_s + 365 * DAY);
    assert_string_equal(c, "2026c");
    activate(c, FR_E_EXPIRED); /* not yet */
    activate(b, FR_OK);
    now_s += 365 * DAY;
    activate(c, FR_OK);
    assert_int_equal(state_of(b), FR_AUTHORITY_TAINTED);
}

static void new_keys_are_locked_like_the_active_one(void **state)
{
    struct fr_diag diag = {0};
    struct fr_buf csr = FR_BUF_INIT(8192);
    struct fr_span secret = FR_SPAN_LIT("open sesame"), wrong = FR_SPAN_LIT("wrong"), none = {0};
    struct fr_passphrase right_one = fr_passphrase_of(&secret);
    struct fr_passphrase wrong_one = fr_passphrase_of(&wrong), no_one = fr_passphrase_of(&none);
    struct fr_change_by by = by_now();
    char name[FR_HOST_MAX + 1], path[FR_CA_PATH_MAX];
    bool is_locked = false;
    struct fr_ca *ca = NULL;
    struct fr_key *key = NULL;

    (void)state;
    assert_int_equal(fr_ca_path(fed.dir, "2026a", "key", path), FR_OK);
    assert_int_equal(fr_key_load(path, NULL, &key), FR_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(fr_key_save_locked(key, path, secret, NULL), FR_OK);
    fr_key_free(key);
    assert_int_equal(fr_ca_open(fed.dir, fed.store, &by, NULL, &ca), FR_E_UNAVAILABLE);
    assert_int_equal(fr_ca_open_with(fed.dir, fed.store, &by, &wrong_one, NULL, &ca), FR_E_CRYPTO);
    assert_int_equal(fr_ca_open_with(fed.dir, fed.store, &by, &right_one, NULL, &ca), FR_OK);
    fr_ca_close(ca);

    const struct {
        const struct fr_passphrase *passphrase;
        enum fr_err err;
    } rows[] = {{NULL, FR_E_UNAVAILABLE},
                {&no_one, FR_E_UNAVAILABLE},
                {&wrong_one, FR_E_CRYPTO},
                {&right_one, FR_OK}};
    for (size_t i = 0; i < 4; i++) {
        struct fr_rotation r = start(&diag);
        r.passphrase = rows[i].passphrase;
        assert_int_equal(fr_rotate_prepare(&r, name, &csr), rows[i].err);
        assert_int_equal(fr_ca_path(fed.dir, "2026b", "key", path), FR_OK);
        assert_int_equal(fr_file_exists(path), rows[i].err == FR_OK);
        fr_buf_reset(&csr);
        if (rows[i].err)
            fr_change_cancel(r.change);
        else
            commit(r.change);
    }
    assert_int_equal(fr_key_file_is_locked(path, NULL, &is_locked), FR_OK);
    assert_true(is_locked);
    fr_buf_deinit(&csr);
}

/* The drill's core: the root's list ends the CA that was stolen, and what hangs below it. */
static void the_roots_list_ends_a_ca(void **state)
{
    struct fr_diag diag = {0};
    struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX), second = FR_BUF_INIT(FR_CRL_MAX);
    struct fr_crl_fields fields;
    struct fr_cert_fields stolen;
    struct fr_revoked_names names = {0};
    struct fr_crl_entry entry = {.revoked_s = now_s, .cause = 2};
    struct fr_root *root = open_root();
    char b[FR_HOST_MAX + 1], path[FR_CRL_PATH_MAX];
    size_t n = 0;

    (void)state;
    (void)issue(FR_OK);
    (void)issue(FR_OK);
    assert_int_equal(fr_cert_read_fields(fr_ca_issuing(fed.ca), &stolen), FR_OK);
    memcpy(entry.serial, stolen.serial, sizeof entry.serial);
    make_ready(b, now_s);
    activate(b, FR_OK);
    struct fr_cert_row renewed = issue(FR_OK);

    assert_int_equal(fr_crl_path(fed.dir, "root", path), FR_OK);
    assert_int_equal(fr_file_read(path, NULL, &der), FR_OK);
    struct fr_root_list list = {fr_buf_span(&der), &entry, 1, now_s * 1000, FR_ROOT_CRL_LIFETIME_S};
    assert_int_equal(
        fr_crl_check_root(fed.dir, fr_root_cert(root), fr_buf_span(&der), now_s, NULL, &fields),
        FR_OK); /* that is the one published */
    assert_int_equal(fr_root_sign_list(root, &list, &diag, &second, &fields), FR_OK);
    assert_int_equal(fields.entries, 1);
    assert_true(fields.number > (uint64_t)NOW * 1000); /* in the same millisecond as the first */
    assert_int_equal(fr_crl_check_root(fed.dir, fr_ca_issuing(fed.ca), fr_buf_span(&second), now_s,
                                       NULL, &fields),
                     FR_E_CRYPTO);
    assert_int_equal(fr_crl_check_root(fed.dir, fr_root_cert(root), fr_buf_span(&second),
                                       now_s + FR_ROOT_CRL_LIFETIME_S, NULL, &fields),
                     FR_E_EXPIRED);
    assert_int_equal(
        fr_crl_check_root(fed.dir, fr_root_cert(root), fr_buf_span(&second), now_s, NULL, &fields),
        FR_OK);
    struct fr_rotation r = start(&diag);
    end(&r, fr_rotate_take_list(&r, fr_buf_span(&second), &names), FR_OK);
    assert_int_equal(names.n, 1);
    assert_string_equal(names.names[0], "2026a");
    assert_int_equal(state_of("2026a"), FR_AUTHORITY_REVOKED);
    assert_int_equal(fr_ca_signer_count(fed.ca), 1); /* no list of its own any more */
    for (size_t want = 2; want < 3; want--) { /* 2, 1 (acme's two and the broker's), then none */
        struct fr_rotation s = start(&diag);
        assert_int_equal(fr_rotate_sweep(s.change, "2026a", 2, 0, NULL, &n), FR_OK);
        commit(s.change);
        assert_int_equal(n, want);
    }
    struct fr_snap *snap = NULL;
    struct fr_cert_row row;
    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_cert_row_get(snap, renewed.serial, &row), FR_OK);
    assert_int_equal(row.status, FR_CERT_ISSUED);
    fr_snap_end(snap);

    assert_int_equal(fr_crl_put(fed.dir, "root", fr_buf_span(&second), NULL), FR_OK);
    assert_int_equal(
        fr_crl_check_root(fed.dir, fr_root_cert(root), fr_buf_span(&der), now_s, NULL, &fields),
        FR_E_CONFLICT); /* the one before does not come back */
    fr_buf_reset(&der); /* and the next ceremony does not forget it */
    list.previous = fr_buf_span(&second);
    list.now_ms += 1000;
    assert_int_equal(fr_root_sign_list(root, &list, NULL, &der, &fields), FR_OK);
    assert_int_equal(fields.entries, 1);
    list.previous = FR_SPAN_LIT("junk");
    assert_int_not_equal(fr_root_sign_list(root, &list, NULL, &der, &fields), FR_OK);
    fr_root_close(root);
    fr_buf_deinit(&der);
    fr_buf_deinit(&second);
}

/* --- a simulated year and a half --- */

enum { LEAVES_MAX = 400 };

static struct {
    size_t n;
    struct fr_cert_row rows[LEAVES_MAX];
} leaves;

/* What a verifier with the root alone says of a leaf and the chain it was handed out with. */
static void verify_at(const struct fr_cert_row *row, int64_t at_s)
{
    static struct fr_authority_row issuer;
    struct fr_snap *snap = NULL;
    struct fr_cert *leaf = NULL, *issuing = NULL;
    struct fr_diag diag = {0};
    uint8_t der[FR_CERT_MAX];
    size_t n = sizeof der;

    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_cert_row_get_der(snap, row->serial, der, &n), FR_OK);
    assert_int_equal(fr_authority_get(snap, row->authority, &issuer), FR_OK);
    fr_snap_end(snap);
    assert_true(fr_authority_is_trusted(&issuer));
    assert_int_equal(fr_cert_parse(fr_span(der, n), &leaf), FR_OK);
    assert_int_equal(fr_cert_parse(fr_span(issuer.der, issuer.der_size), &issuing), FR_OK);
    for (int purpose = FR_CERT_FOR_SERVER; purpose <= FR_CERT_FOR_CLIENT; purpose++) {
        if (fr_cert_verify(leaf, issuing, fr_ca_root(fed.ca), (enum fr_cert_purpose)purpose, at_s,
                           &diag) != FR_OK)
            fail_msg("day %lld, leaf of %s: %s", (long long)((at_s - NOW) / DAY), row->authority,
                     diag.what);
    }
    fr_cert_free(leaf);
    fr_cert_free(issuing);
}

/* Every leaf that is not over verifies now, and the CA it hangs below signs a list. */
static void check_everybody(void)
{
    struct fr_crl_set set;

    assert_int_equal(fr_crl_publish(fed.ca, fed.store, fed.dir, now_s * 1000, NULL, &set), FR_OK);
    for (size_t i = 0; i < leaves.n; i++) {
        const struct fr_cert_row *row = &leaves.rows[i];
        bool is_listed = false;
        if (row->not_after_s < now_s) continue;
        verify_at(row, now_s);
        for (size_t k = 0; k < set.n; k++)
            if (strcmp(set.lists[k].name, row->authority) == 0) is_listed = true;
        assert_true(is_listed);
    }
}

/* A member renews every ten days and the CA is rotated each year, while each is used to its end. */
static void nobody_is_locked_out_at_any_instant(void **state)
{
    char next[FR_HOST_MAX + 1] = "", last[FR_HOST_MAX + 1] = "2026a";

    (void)state;
    leaves.n = 0;
    for (int64_t day = 0; day <= 3 * 365; day += 5) {
        now_s = NOW + day * DAY;
        reopen();
        if (day % 10 == 0) leaves.rows[leaves.n++] = issue(FR_OK);
        check_everybody();
        if (day % 365 == 300) make_ready(next, now_s);
        if (day % 365 == 330) {
            check_everybody();
            activate(next, FR_OK);
            check_everybody();
        }
        if (day % 365 == 340) retire(last, false, FR_E_CONFLICT); /* some live */
        if (day > 365 && day % 365 == 90) { /* the broker's certificate lives longest */
            retire(last, false, FR_OK);
            memcpy(last, next, sizeof last);
        }
    }
    assert_int_equal(state_of("2026a"), FR_AUTHORITY_RETIRED);
    assert_true(leaves.n > 100);
}

/* --- the broker's own certificate --- */

static void the_server_certificate_is_renewed(void **state)
{
    struct fr_change_by by = by_now();
    struct fr_server_request request = {.dir = fed.dir, .host = "host1"};
    struct fr_cert_row row;
    struct fr_chain *chain = NULL;
    struct fr_cert_fields before, after;
    struct fr_snap *snap = NULL;
    char chain_path[160], key_path[160], next_path[160], host[FR_HOST_MAX + 1];

    (void)state;
    (void)snprintf(chain_path, sizeof chain_path, "%s/server.chain.pem", fed.dir);
    (void)snprintf(key_path, sizeof key_path, "%s/server.key", fed.dir);
    (void)snprintf(next_path, sizeof next_path, "%s/server.key.next", fed.dir);
    assert_int_equal(fr_snap_begin(fed.store, &snap), FR_OK);
    assert_int_equal(fr_server_find_host(fed.dir, snap, NULL, host), FR_OK);
    assert_string_equal(host, "host1");
    fr_snap_end(snap);
    for (int with_new_key = 0; with_new_key < 2; with_new_key++) {
        struct fr_key *key = NULL, *certified = NULL;
        assert_int_equal(fr_chain_load(chain_path, NULL, &chain), FR_OK);
        assert_int_equal(fr_cert_read_fields(fr_chain_at(chain, 0), &before), FR_OK);
        fr_chain_free(chain);
        request.has_new_key = with_new_key;
        assert_int_equal(fr_server_renew(fed.ca, fed.store, &by, &request, NULL, &row), FR_OK);
        assert_int_equal(fr_chain_load(chain_path, NULL, &chain), FR_OK);
        assert_int_equal(fr_cert_read_fields(fr_chain_at(chain, 0), &after), FR_OK);
        assert_int_equal(fr_cert_dup_key(fr_chain_at(chain, 0), &certified), FR_OK);
        fr_chain_free(chain);
        assert_int_equal(fr_key_load(key_path, NULL, &key), FR_OK);
        assert_true(fr_key_is_same(key, certified));
        assert_memory_equal(after.serial, row.serial, sizeof row.serial);
        assert_int_equal(memcmp(before.spki_sha256, after.spki_sha256, FR_SHA256_SIZE) != 0,
                         with_new_key);
        assert_false(fr_file_exists(next_path));
        fr_key_free(key);
        fr_key_free(certified);
    }
    /* a crash between chain and key */
    struct fr_key *old = NULL, *now = NULL;
    assert_int_equal(fr_key_generate(&old), FR_OK);
    assert_int_equal(rename(key_path, next_path), 0);
    assert_int_equal(fr_key_save_new(old, key_path, NULL), FR_OK);
    assert_int_equal(fr_server_settle(fed.dir, NULL), FR_OK);
    assert_int_equal(fr_key_load(key_path, NULL, &now), FR_OK);
    assert_false(fr_key_is_same(old, now));
    assert_false(fr_file_exists(next_path));
    fr_key_free(old);
    fr_key_free(now);
    assert_int_equal(fr_server_settle(fed.dir, NULL), FR_OK);
    assert_int_equal(fr_server_due_s(0, 90 * DAY), 60 * DAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steps_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(without_an_active_one_nothing_is_signed_but_lists, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(foreign_certificates_are_not_installed, setup, teardown),
        cmocka_unit_test_setup_teardown(several_of_one_ceremony_begin_one_after_another, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(new_keys_are_locked_like_the_active_one, setup, teardown),
        cmocka_unit_test_setup_teardown(the_roots_list_ends_a_ca, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_locked_out_at_any_instant, setup, teardown),
        cmocka_unit_test_setup_teardown(the_server_certificate_is_renewed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
