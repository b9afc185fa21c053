#include "enrol/join.h"

#include "base/file.h"
#include "base/mem.h"
#include "transport/tls.h"
#include "x509/csr.h"

#include <string.h>
#include <time.h>

enum { ROOT_MAX = 32768 };

/* --- the root --- */

static enum fr_err check_present(const char *path, const struct fr_ticket *ticket,
                                 struct fr_diag *diag)
{
    struct fr_cert *root = NULL;
    struct fr_cert_fields *f = fr_malloc(sizeof *f);
    enum fr_err err = f ? fr_cert_load(path, diag, &root) : FR_E_NOMEM;

    if (!err) err = fr_cert_read_fields(root, f);
    if (!err && memcmp(f->sha256, ticket->root, sizeof ticket->root) != 0) {
        err = fr_diag_fail(diag, FR_E_CONFLICT, "%s is another root than the token's", path);
        fr_diag_hint(diag, "if %s was made anew, take the old one out: fedroam leave %s --local",
                     ticket->fed, ticket->fed);
    }
    fr_cert_free(root);
    fr_free(f);
    return err;
}

enum fr_err fr_join_root(const struct fr_join *join, struct fr_diag *diag, bool *changed)
{
    char path[FR_WALLET_PATH];
    struct fr_buf pem = FR_BUF_INIT(ROOT_MAX);
    struct fr_est_bag bag = {0};
    struct fr_tls_ctx *tls = NULL;
    enum fr_err err = fr_wallet_path(path, diag, "%s/root.pem", join->folder);

    if (err) return err;
    if (fr_file_exists(path)) {
        err = check_present(path, join->ticket, diag);
        if (!err) *changed = false;
        return err;
    }
    err = fr_tls_client_new_unverified(&tls);
    if (!err) err = fr_est_fetch_authorities(join->place, tls, diag, &bag);
    if (!err) err = fr_accept_root(&bag, join->ticket->root, diag, &pem);
    if (!err) err = fr_dir_make(join->folder, 0755, diag);
    if (!err) err = fr_file_write(path, 0644, fr_buf_span(&pem), diag);
    if (!err) *changed = true;
    fr_tls_ctx_unref(tls);
    fr_est_bag_free(&bag);
    fr_buf_deinit(&pem);
    return err;
}

/* --- a certificate --- */

/* By the pairs that are here: one that came by this token is this token's. */
static enum fr_err is_there(const struct fr_join *join, enum fr_wallet_profile profile,
                            struct fr_diag *diag, bool *out)
{
    struct fr_pairs *pairs = NULL;
    enum fr_err err = fr_pairs_read(join->folder, join->ticket->fed, diag, &pairs);

    if (err) return err;
    *out = false;
    for (size_t i = 0; i < pairs->n; i++)
        if (pairs->list[i].subject.profile == profile &&
            strcmp(pairs->list[i].token, join->ticket->id) == 0)
            *out = true;
    fr_free(pairs);
    return FR_OK;
}

static void sleep_s(unsigned seconds)
{
    struct timespec left = {.tv_sec = seconds};
    while (nanosleep(&left, &left) != 0) {
    }
}

/* Again and again, as long as the answer is "not yet". */
static enum fr_err ask(const struct fr_join *join, struct fr_tls_ctx *tls,
                       const struct fr_est_wish *wish, struct fr_diag *diag, struct fr_cert **out)
{
    uint32_t waited_s = 0;

    for (;;) {
        unsigned retry_s = 1;
        enum fr_err err = fr_est_enrol(join->place, tls, wish, diag, &retry_s, out);
        if (err != FR_E_PENDING && err != FR_E_BUSY) return err;
        if (waited_s >= join->wait_s) return err;
        if (retry_s > join->wait_s - waited_s) retry_s = join->wait_s - waited_s;
        if (join->on_wait) join->on_wait(join->data, diag, retry_s);
        sleep_s(retry_s);
        waited_s += retry_s;
    }
}

static enum fr_err load_pending_key(const char *folder, const char *what, struct fr_diag *diag,
                                    struct fr_key **out)
{
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_wallet_path(path, diag, "%s/pending/%s/key.pem", folder, what);
    return err ? err : fr_key_load(path, diag, out);
}

static enum fr_err get_answer(const struct fr_join *join, enum fr_wallet_profile profile,
                              struct fr_diag *diag)
{
    const char *what = fr_wallet_profile_text(profile);
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX), pem = FR_BUF_INIT(FR_CERT_FILE_MAX);
    char root[FR_WALLET_PATH];
    struct fr_est_bag authorities = {0};
    struct fr_tls_ctx *tls = NULL;
    struct fr_cert *leaf = NULL;
    struct fr_key *key = NULL;
    enum fr_err err = fr_wallet_path(root, diag, "%s/root.pem", join->folder);

    if (!err) err = fr_pair_prepare(join->folder, what, what, NULL, diag, &csr);
    if (!err) err = load_pending_key(join->folder, what, diag, &key);
    if (!err) err = fr_tls_client_load(&(struct fr_tls_files){.ca = root}, diag, &tls);
    const struct fr_est_wish wish = {.profile = profile,
                                     .csr = fr_buf_span(&csr),
                                     .user = join->ticket->id,
                                     .password = join->ticket->secret};
    if (!err) err = ask(join, tls, &wish, diag, &leaf);
    if (!err) err = fr_est_fetch_authorities(join->place, tls, diag, &authorities);
    const struct fr_accept want = {.fed = join->ticket->fed,
                                   .root = root,
                                   .key = key,
                                   .profile = profile,
                                   .now_s = join->now_s};
    if (!err) err = fr_accept_leaf(&want, leaf, &authorities, diag, &pem);
    if (!err)
        err = fr_pair_answered(
            join->folder, what,
            &(struct fr_pair_answer){.chain = fr_buf_span(&pem), .token = join->ticket->id}, diag);
    fr_key_free(key);
    fr_cert_free(leaf);
    fr_tls_ctx_unref(tls);
    fr_est_bag_free(&authorities);
    fr_buf_deinit(&pem);
    fr_buf_deinit(&csr);
    return err;
}

/* What is left of another token was asked with its id; the key may serve again, the answer not. */
static enum fr_err forget_other(const struct fr_join *join, const char *what, struct fr_diag *diag)
{
    char path[FR_WALLET_PATH];
    struct fr_buf token = FR_BUF_INIT(256);
    enum fr_err err = fr_wallet_path(path, diag, "%s/pending/%s/token", join->folder, what);
    const bool is_other = !err && fr_pair_is_answered(join->folder, what) &&
                          fr_file_read(path, NULL, &token) == FR_OK &&
                          !fr_span_is(fr_buf_span(&token), join->ticket->id);

    if (is_other) err = fr_wallet_path(path, diag, "%s/pending/%s", join->folder, what);
    if (!err && is_other) err = fr_wallet_erase(path, 1, diag);
    fr_buf_deinit(&token);
    return err;
}

enum fr_err fr_join_enrol(const struct fr_join *join, enum fr_wallet_profile profile, uid_t owner,
                          struct fr_diag *diag, bool *changed)
{
    const char *what = fr_wallet_profile_text(profile);
    bool has = false;
    size_t moved = 0;
    enum fr_err err = fr_pairs_settle(join->folder, join->now_s, diag, &moved);

    if (!err) err = is_there(join, profile, diag, &has);
    if (!err && has) {
        *changed = false;
        return FR_OK;
    }
    if (!err) err = forget_other(join, what, diag);
    if (!err && !fr_pair_is_answered(join->folder, what)) err = get_answer(join, profile, diag);
    if (!err) err = fr_pair_install(join->folder, what, join->ticket->fed, owner, diag);
    if (!err) err = fr_pairs_settle(join->folder, join->now_s, diag, &moved);
    if (!err) *changed = true;
    return err;
}
