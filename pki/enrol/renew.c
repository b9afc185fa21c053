#include "enrol/renew.h"

#include "base/file.h"
#include "base/mem.h"
#include "transport/tls.h"
#include "x509/csr.h"

#include <string.h>
#include <sys/stat.h>

int64_t fr_renew_due_s(const struct fr_pair *pair)
{
    const int64_t life_s = pair->not_after_s - pair->not_before_s;
    uint64_t chance = 0; /* the serial's own: it does not move from run to run */

    for (size_t i = 0; i < pair->serial_len; i++) chance = chance * 257 + pair->serial_bytes[i];
    const int64_t spread_s = life_s / 20;
    const int64_t later_s = spread_s > 0 ? (int64_t)(chance % (uint64_t)spread_s) : 0;
    return pair->not_before_s + life_s / 3 * 2 + later_s;
}

static uid_t owner_of(const char *path, uid_t wanted)
{
    struct stat st;
    return wanted == (uid_t)-1 && stat(path, &st) == 0 ? st.st_uid : wanted;
}

/* A renewal that was interrupted after its answer only has to be put in place. With the other kind
 * of key it is begun anew. */
static enum fr_err forget_unfit(const struct fr_renew *renew, const struct fr_pair *pair,
                                const char *what, struct fr_diag *diag)
{
    char path[FR_WALLET_PATH];
    struct fr_key *asked = NULL, *present = NULL;
    enum fr_err err = fr_wallet_path(path, diag, "%s/pending/%s/key.pem", renew->folder, what);

    if (err || !fr_file_exists(path)) return err;
    err = fr_key_load(path, diag, &asked);
    if (!err) err = fr_key_load(pair->key, diag, &present);
    const bool is_same = !err && fr_key_is_same(asked, present);
    fr_key_free(asked);
    fr_key_free(present);
    if (err || is_same != renew->is_rekey) return err;
    err = fr_wallet_path(path, diag, "%s/pending/%s", renew->folder, what);
    return err ? err : fr_wallet_erase(path, 1, diag);
}

static enum fr_err ask(const struct fr_renew *renew, const struct fr_pair *pair, struct fr_span csr,
                       const struct fr_key *key, const char *root, struct fr_diag *diag,
                       struct fr_buf *pem)
{
    const struct fr_wallet_entry *e = renew->entry;
    const struct fr_est_wish wish = {
        .profile = pair->subject.profile, .csr = csr, .is_renewal = true};
    const struct fr_accept want = {.fed = e->name,
                                   .root = root,
                                   .key = key,
                                   .name = pair->subject.name,
                                   .profile = pair->subject.profile,
                                   .now_s = renew->now_s};
    const struct fr_tls_files files = {.chain = pair->chain, .key = pair->key, .ca = root};
    struct fr_est_place place;
    struct fr_est_bag authorities = {0};
    struct fr_tls_ctx *tls = NULL;
    struct fr_cert *leaf = NULL;
    unsigned retry_s = 0;
    enum fr_err err =
        fr_est_place_find(e->est, (const char *const *)e->addresses, e->n_addresses, diag, &place);

    if (!err) err = fr_tls_client_load(&files, diag, &tls);
    if (!err) err = fr_est_enrol(&place, tls, &wish, diag, &retry_s, &leaf);
    if (!err) err = fr_est_fetch_authorities(&place, tls, diag, &authorities);
    if (!err) err = fr_accept_leaf(&want, leaf, &authorities, diag, pem);
    fr_cert_free(leaf);
    fr_est_bag_free(&authorities);
    fr_tls_ctx_unref(tls);
    return err;
}

static enum fr_err get_answer(const struct fr_renew *renew, const struct fr_pair *pair,
                              const char *what, struct fr_diag *diag)
{
    char root[FR_WALLET_PATH], path[FR_WALLET_PATH];
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX), pem = FR_BUF_INIT(FR_CERT_FILE_MAX);
    struct fr_key *key = NULL;
    /* only networks and join servers have their keys in the zone */
    const bool has_to_wait = renew->is_rekey && pair->subject.profile != FR_WALLET_DOH;
    struct fr_pair_answer answer = {.token = pair->token,
                                    .from_s = has_to_wait ? renew->now_s + renew->rekey_wait_s : 0};
    enum fr_err err = fr_wallet_path(root, diag, "%s/root.pem", renew->folder);

    if (!err)
        err = fr_pair_prepare(renew->folder, what, pair->subject.id,
                              renew->is_rekey ? NULL : pair->key, diag, &csr);
    if (!err) err = fr_wallet_path(path, diag, "%s/pending/%s/key.pem", renew->folder, what);
    if (!err) err = fr_key_load(path, diag, &key);
    if (!err) err = ask(renew, pair, fr_buf_span(&csr), key, root, diag, &pem);
    answer.chain = fr_buf_span(&pem);
    if (!err) err = fr_pair_answered(renew->folder, what, &answer, diag);
    fr_key_free(key);
    fr_buf_deinit(&pem);
    fr_buf_deinit(&csr);
    return err;
}

/* A certificate that is over says more than what the federation made of it. */
static enum fr_err explain(const struct fr_renew *renew, const struct fr_pair *pair,
                           enum fr_err err, struct fr_diag *diag)
{
    if (err != FR_E_AUTH && err != FR_E_DENIED) return err;
    char why[sizeof diag->what] = "";
    if (diag) memcpy(why, diag->what, sizeof why);
    if (pair->not_after_s < renew->now_s) {
        err = fr_diag_fail(diag, FR_E_EXPIRED, "%s is over, and %s does not renew it: %s",
                           pair->subject.name, renew->entry->name, why);
        fr_diag_hint(diag,
                     "the operator lets it be renewed with fedroam grace open, or gives a new "
                     "token for fedroam join");
        return err;
    }
    return err;
}

enum fr_err fr_renew_pair(const struct fr_renew *renew, const struct fr_pair *pair,
                          struct fr_diag *diag)
{
    const char *what = pair->subject.name;
    size_t moved = 0;
    enum fr_err err = forget_unfit(renew, pair, what, diag);

    if (!err && !fr_pair_is_answered(renew->folder, what))
        err = explain(renew, pair, get_answer(renew, pair, what, diag), diag);
    if (!err)
        err = fr_pair_install(renew->folder, what, renew->entry->name,
                              owner_of(pair->key, renew->owner), diag);
    if (!err) err = fr_pairs_settle(renew->folder, renew->now_s, diag, &moved);
    return err;
}
