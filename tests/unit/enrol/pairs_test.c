#include "enrol/pairs.h"

#include "base/file.h"
#include "base/mem.h"
#include "enrol/accept.h"
#include "enrol/renew.h"
#include "x509/build.h"
#include "x509/csr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1795157000LL
#define FED "fed.test"

/* A federation's CA, and a folder as the wallet has one for it. */
struct world {
    char folder[64], root_path[96];
    struct fr_key *root_key, *issuing_key;
    struct fr_cert *root, *issuing;
    struct fr_est_bag authorities;
};

static struct fr_cert_spec spec_of(enum fr_x509_kind kind)
{
    struct fr_cert_spec spec = {.kind = kind,
                                .not_before_s = NOW - 300,
                                .not_after_s = NOW + 40000000,
                                .organisation = FED,
                                .common_name = "a CA"};
    assert_int_equal(fr_serial_make(spec.serial), FR_OK);
    if (kind == FR_X509_ISSUING) {
        spec.uri = "spiffe://" FED;
        spec.server = spec.client = true;
        spec.permitted_dns = FED;
    }
    if (kind == FR_X509_LEAF) {
        spec.common_name = "000013";
        spec.dns[0] = "000013.netid." FED;
        spec.dns_count = 1;
        spec.uri = "spiffe://" FED "/member/acme/ns/000013";
        spec.server = spec.client = true;
        spec.not_after_s = NOW - 300 + 3000000;
    }
    return spec;
}

static int begin(void **state)
{
    static struct world w;
    const struct fr_cert_spec root = spec_of(FR_X509_ROOT), issuing = spec_of(FR_X509_ISSUING);
    struct fr_buf pem = FR_BUF_INIT(65536);

    (void)snprintf(w.folder, sizeof w.folder, "/tmp/fr-pairs-XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    assert_int_equal(fr_key_generate(&w.root_key), FR_OK);
    assert_int_equal(fr_key_generate(&w.issuing_key), FR_OK);
    assert_int_equal(fr_cert_sign(&root, w.root_key, NULL, w.root_key, &w.root), FR_OK);
    assert_int_equal(fr_cert_sign(&issuing, w.issuing_key, w.root, w.root_key, &w.issuing), FR_OK);
    (void)snprintf(w.root_path, sizeof w.root_path, "%s/root.pem", w.folder);
    assert_int_equal(fr_cert_write_pem(w.root, &pem), FR_OK);
    assert_int_equal(fr_file_write(w.root_path, 0644, fr_buf_span(&pem), NULL), FR_OK);
    fr_buf_deinit(&pem);
    w.authorities = (struct fr_est_bag){.n = 2, .certs = {w.issuing, w.root}};
    *state = &w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;

    fr_est_bag_free(&w->authorities);
    fr_key_free(w->root_key);
    fr_key_free(w->issuing_key);
    return fr_wallet_erase(w->folder, 4, NULL) != FR_OK;
}

/* Asks as the library does, and signs as a CA would. Gives the certificate and the asking key. */
static void ask(const struct world *w, const char *reuse, struct fr_cert **leaf,
                struct fr_key **key)
{
    const struct fr_cert_spec spec = spec_of(FR_X509_LEAF);
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX), again = FR_BUF_INIT(FR_CSR_MAX);

    assert_int_equal(fr_pair_prepare(w->folder, "ns", "ns", reuse, NULL, &csr), FR_OK);
    assert_int_equal(fr_pair_prepare(w->folder, "ns", "ns", reuse, NULL, &again), FR_OK);
    assert_true(fr_span_equal(fr_buf_span(&csr), fr_buf_span(&again))); /* the same request again */
    assert_true(fr_pair_is_asked(w->folder, "ns") && !fr_pair_is_answered(w->folder, "ns"));
    assert_int_equal(fr_csr_parse(fr_buf_span(&csr), NULL, key), FR_OK);
    assert_int_equal(fr_cert_sign(&spec, *key, w->issuing, w->issuing_key, leaf), FR_OK);
    fr_buf_deinit(&csr);
    fr_buf_deinit(&again);
}

static struct fr_accept wanted(const struct world *w, const struct fr_key *key)
{
    return (struct fr_accept){
        .fed = FED, .root = w->root_path, .key = key, .profile = FR_WALLET_NS, .now_s = NOW};
}

static void get_pair(const struct world *w, const char *reuse, int64_t from_s)
{
    struct fr_buf pem = FR_BUF_INIT(65536);
    struct fr_cert *leaf = NULL;
    struct fr_key *key = NULL;

    ask(w, reuse, &leaf, &key);
    const struct fr_accept want = wanted(w, key);
    assert_int_equal(fr_accept_leaf(&want, leaf, &w->authorities, NULL, &pem), FR_OK);
    const struct fr_pair_answer answer = {
        .chain = fr_buf_span(&pem), .token = "t1", .from_s = from_s};
    assert_int_equal(fr_pair_answered(w->folder, "ns", &answer, NULL), FR_OK);
    assert_true(fr_pair_is_answered(w->folder, "ns"));
    assert_int_equal(fr_pair_install(w->folder, "ns", FED, (uid_t)-1, NULL), FR_OK);
    fr_cert_free(leaf);
    fr_key_free(key);
    fr_buf_deinit(&pem);
}

/* The pair in use; the key on disk must be its certificate's. */
static struct fr_pair only(const struct world *w)
{
    struct fr_pairs *pairs = NULL;
    struct fr_chain *chain = NULL;
    struct fr_key *on_disk = NULL, *in_cert = NULL;

    assert_int_equal(fr_pairs_read(w->folder, FED, NULL, &pairs), FR_OK);
    assert_int_equal(pairs->n, 1);
    const struct fr_pair pair = pairs->list[0];
    assert_int_equal(fr_chain_load(pair.chain, NULL, &chain), FR_OK);
    assert_int_equal(fr_key_load(pair.key, NULL, &on_disk), FR_OK);
    assert_int_equal(fr_cert_dup_key(fr_chain_at(chain, 0), &in_cert), FR_OK);
    assert_true(fr_key_is_same(on_disk, in_cert));
    fr_key_free(on_disk);
    fr_key_free(in_cert);
    fr_chain_free(chain);
    fr_free(pairs);
    return pair;
}

static void a_pair_goes_into_use_whole(void **state)
{
    const struct world *w = *state;
    size_t changed = 9;

    get_pair(w, NULL, 0);
    assert_int_equal(fr_pairs_settle(w->folder, NOW, NULL, &changed), FR_OK);
    assert_int_equal(changed, 1);
    assert_int_equal(fr_pairs_settle(w->folder, NOW, NULL, &changed), FR_OK);
    assert_int_equal(changed, 0);
    const struct fr_pair first = only(w);
    assert_string_equal(first.subject.name, "ns-000013");
    assert_string_equal(first.subject.member, "acme");
    assert_string_equal(first.token, "t1");
    assert_int_equal(first.next_s, 0);

    get_pair(w, first.key, 0);                         /* the same key */
    assert_string_equal(only(w).serial, first.serial); /* not yet */
    assert_int_equal(fr_pairs_settle(w->folder, NOW, NULL, &changed), FR_OK);
    assert_int_equal(changed, 1);
    assert_string_not_equal(only(w).serial, first.serial);
}

static void a_new_key_waits_for_its_time(void **state)
{
    const struct world *w = *state;
    const struct fr_pair before = only(w);
    size_t changed = 9;

    get_pair(w, NULL, NOW + 120);
    assert_int_equal(fr_pairs_settle(w->folder, NOW + 119, NULL, &changed), FR_OK);
    assert_int_equal(changed, 0);
    assert_string_equal(only(w).serial, before.serial);
    assert_int_equal(only(w).next_s, NOW + 120);
    assert_int_equal(fr_pairs_settle(w->folder, NOW + 120, NULL, &changed), FR_OK);
    assert_int_equal(changed, 1);
    assert_string_not_equal(only(w).serial, before.serial);
    assert_int_equal(only(w).next_s, 0);
}

static void what_was_not_asked_for_is_not_accepted(void **state)
{
    struct world *w = *state;
    struct fr_buf pem = FR_BUF_INIT(65536);
    struct fr_cert *leaf = NULL;
    struct fr_key *key = NULL;
    struct fr_accept want;
    const struct fr_est_bag none = {.n = 1, .certs = {w->root}};

    ask(w, NULL, &leaf, &key);
    want = wanted(w, w->issuing_key);
    assert_int_equal(fr_accept_leaf(&want, leaf, &w->authorities, NULL, &pem), FR_E_CONFLICT);
    want = wanted(w, key);
    want.profile = FR_WALLET_DOH;
    assert_int_equal(fr_accept_leaf(&want, leaf, &w->authorities, NULL, &pem), FR_E_CONFLICT);
    want = wanted(w, key);
    want.name = "ns-000014";
    assert_int_equal(fr_accept_leaf(&want, leaf, &w->authorities, NULL, &pem), FR_E_CONFLICT);
    want = wanted(w, key);
    want.fed = "other.test";
    assert_int_equal(fr_accept_leaf(&want, leaf, &w->authorities, NULL, &pem), FR_E_CONFLICT);
    want = wanted(w, key);
    want.now_s = NOW + 3000000;
    assert_int_equal(fr_accept_leaf(&want, leaf, &w->authorities, NULL, &pem), FR_E_CRYPTO);
    want = wanted(w, key);
    assert_int_equal(fr_accept_leaf(&want, leaf, &none, NULL, &pem), FR_E_CRYPTO);
    assert_int_equal(pem.n, 0);
    fr_cert_free(leaf);
    fr_key_free(key);
    fr_buf_deinit(&pem);
}

static void the_root_is_the_one_with_the_digest(void **state)
{
    const struct world *w = *state;
    struct fr_buf pem = FR_BUF_INIT(65536);
    struct fr_cert_fields root, issuing;

    assert_int_equal(fr_cert_read_fields(w->root, &root), FR_OK);
    assert_int_equal(fr_cert_read_fields(w->issuing, &issuing), FR_OK);
    assert_int_equal(fr_accept_root(&w->authorities, root.sha256, NULL, &pem), FR_OK);
    assert_true(pem.n > 0);
    /* an issuing CA is no root, even when the digest names it */
    assert_int_equal(fr_accept_root(&w->authorities, issuing.sha256, NULL, &pem), FR_E_AUTH);
    root.sha256[0] ^= 1;
    assert_int_equal(fr_accept_root(&w->authorities, root.sha256, NULL, &pem), FR_E_AUTH);
    fr_buf_deinit(&pem);
}

static void renewal_is_due_after_two_thirds_and_not_for_all_at_once(void **state)
{
    struct fr_pair pair = {.not_before_s = 1000, .not_after_s = 1000 + 3000000, .serial_len = 16};
    int64_t least = INT64_MAX, most = 0;

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        for (size_t k = 0; k < 16; k++) pair.serial_bytes[k] = (uint8_t)(i * 31 + k * 7);
        const int64_t due_s = fr_renew_due_s(&pair);
        assert_int_equal(due_s, fr_renew_due_s(&pair));
        if (due_s < least) least = due_s;
        if (due_s > most) most = due_s;
    }
    assert_true(least >= 1000 + 2000000 && most < 1000 + 2150000);
    assert_true(most - least > 75000);
    pair.not_after_s = pair.not_before_s + 1; /* no division by nothing */
    assert_true(fr_renew_due_s(&pair) <= pair.not_after_s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_goes_into_use_whole),
        cmocka_unit_test(a_new_key_waits_for_its_time),
        cmocka_unit_test(what_was_not_asked_for_is_not_accepted),
        cmocka_unit_test(the_root_is_the_one_with_the_digest),
        cmocka_unit_test(renewal_is_due_after_two_thirds_and_not_for_all_at_once),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
