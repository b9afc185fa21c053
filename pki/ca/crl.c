#include "ca/crl.h"

#include "base/file.h"
#include "ca/issuing.h"
#include "store/cert.h"

#include <stdio.h>
#include <string.h>

enum fr_err fr_crl_path(const char *dir, const char *name, char out[FR_CRL_PATH_MAX])
{
    int n = snprintf(out, FR_CRL_PATH_MAX, "%s/crl/%s.crl", dir, name);

    return n > 0 && n < FR_CRL_PATH_MAX ? FR_OK : FR_E_LIMIT;
}

enum fr_err fr_crl_load(const char *dir, const char *name, struct fr_diag *diag,
                        struct fr_crl_fields *out)
{
    char path[FR_CRL_PATH_MAX];
    struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX);
    enum fr_err err = fr_crl_path(dir, name, path);

    if (!err) err = fr_file_read(path, diag, &der);
    if (err == FR_E_NOT_FOUND) {
        (void)fr_diag_fail(diag, err, "there is no revocation list of %s yet", name);
        fr_diag_hint(diag, "fedroam ca crl publish");
    }
    if (err) goto out;
    err = fr_crl_read_fields(fr_buf_span(&der), out);
    if (err) err = fr_diag_fail(diag, err, "%s is not a revocation list", path);
out:
    fr_buf_deinit(&der);
    return err;
}

/* --- entries --- */

struct listing {
    const struct fr_ca *ca;
    struct fr_crl_draft *drafts[FR_CA_SIGNERS_MAX]; /* one for each signer */
    int64_t now_s;
};

static struct fr_crl_draft *draft_of(const struct listing *l, const char *authority)
{
    for (size_t i = 0; i < fr_ca_signer_count(l->ca); i++) {
        if (strcmp(fr_ca_signer_at(l->ca, i)->name, authority) == 0) return l->drafts[i];
    }
    return NULL;
}

/* Once over, a certificate stays for one list more (RFC 5280 §5): at least until the list that was
 * the last before its end is over itself. */
static bool is_over(const struct fr_cert_row *row, int64_t now_s)
{
    return row->not_after_s + FR_CRL_LIFETIME_S + FR_CRL_REFRESH_S < now_s;
}

/* An intent that nobody finished: a certificate of it may be in the world all the same. */
static bool is_lost(const struct fr_cert_row *row, int64_t now_s)
{
    return row->status == FR_CERT_INTENT && row->created_s < now_s - FR_SIGNING_TIME_S;
}

static enum fr_err list_row(void *data, const struct fr_cert_row *row)
{
    const struct listing *l = data;
    const bool is_revoked = row->status == FR_CERT_REVOKED;
    struct fr_crl_entry entry = {.revoked_s = is_revoked ? row->revoked_s : row->created_s,
                                 .cause = row->revoked_cause};

    if (!is_revoked && !is_lost(row, l->now_s)) return FR_OK;
    if (is_over(row, l->now_s)) return FR_OK;
    struct fr_crl_draft *draft = draft_of(l, row->authority);
    if (draft == NULL) return FR_OK;
    memcpy(entry.serial, row->serial, sizeof entry.serial);
    return fr_crl_draft_add(draft, &entry);
}

static enum fr_err fill(struct fr_store *store, struct listing *l)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = FR_OK;

    for (size_t i = 0; !err && i < fr_ca_signer_count(l->ca); i++)
        err = fr_crl_draft_new(&l->drafts[i]);
    if (!err) err = fr_snap_begin(store, &snap);
    if (err) return err;
    err = fr_cert_row_each_unissued(snap, list_row, l);
    fr_snap_end(snap);
    return err;
}

/* --- publishing --- */

/* A file that cannot be read is as good as none: what it held is older than now. */
static uint64_t next_number(const char *dir, const char *name, int64_t now_ms)
{
    struct fr_crl_fields last = {0};
    uint64_t number = now_ms > 0 ? (uint64_t)now_ms : 1;

    if (fr_crl_load(dir, name, NULL, &last) == FR_OK && last.number >= number &&
        last.number < INT64_MAX)
        number = last.number + 1;
    return number;
}

enum fr_err fr_crl_put(const char *dir, const char *name, struct fr_span der, struct fr_diag *diag)
{
    char path[FR_CRL_PATH_MAX], folder[FR_CRL_PATH_MAX];
    enum fr_err err = fr_crl_path(dir, name, path);

    if (err) return err;
    (void)snprintf(folder, sizeof folder, "%s/crl", dir);
    err = fr_dir_make(folder, 0700, diag);
    return err ? err : fr_file_write(path, 0600, der, diag);
}

static enum fr_err publish_one(const struct fr_ca_signer *signer, struct fr_crl_draft *draft,
                               const char *dir, int64_t now_ms, struct fr_diag *diag,
                               struct fr_crl_made *out)
{
    const int64_t now_s = now_ms / 1000;
    struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX);
    struct fr_crl_made made;
    const struct fr_crl_spec spec = {.number = next_number(dir, signer->name, now_ms),
                                     .this_update_s = now_s,
                                     .next_update_s = now_s + FR_CRL_LIFETIME_S};
    enum fr_err err =
        fr_crl_sign(draft, &spec, signer->cert, signer->key, diag, &der, &made.fields);

    if (!err) err = fr_crl_put(dir, signer->name, fr_buf_span(&der), diag);
    fr_buf_deinit(&der);
    if (err) return err;
    memcpy(made.name, signer->name, sizeof made.name);
    *out = made;
    return FR_OK;
}

enum fr_err fr_crl_publish(struct fr_ca *ca, struct fr_store *store, const char *dir,
                           int64_t now_ms, struct fr_diag *diag, struct fr_crl_set *out)
{
    struct listing l = {.ca = ca, .now_s = now_ms / 1000};
    struct fr_crl_set set = {0};
    enum fr_err err = fill(store, &l);

    for (size_t i = 0; !err && i < fr_ca_signer_count(ca); i++) {
        struct fr_crl_draft *draft = l.drafts[i];
        l.drafts[i] = NULL; /* signing ends it */
        err = publish_one(fr_ca_signer_at(ca, i), draft, dir, now_ms, diag, &set.lists[set.n]);
        if (!err) set.n++;
    }
    for (size_t i = 0; i < FR_CA_SIGNERS_MAX; i++) fr_crl_draft_free(l.drafts[i]);
    if (!err) *out = set;
    return err;
}

/* --- the root's --- */

bool fr_crl_is_published(const char *dir, const char *name, struct fr_span der)
{
    char path[FR_CRL_PATH_MAX];
    struct fr_buf present = FR_BUF_INIT(FR_CRL_MAX);
    bool is_same = fr_crl_path(dir, name, path) == FR_OK &&
                   fr_file_read(path, NULL, &present) == FR_OK &&
                   fr_span_equal(fr_buf_span(&present), der);

    fr_buf_deinit(&present);
    return is_same;
}

enum fr_err fr_crl_check_root(const char *dir, const struct fr_cert *root, struct fr_span der,
                              int64_t now_s, struct fr_diag *diag, struct fr_crl_fields *out)
{
    struct fr_crl_fields fields, last;
    enum fr_err err = fr_crl_verify(der, root);

    if (!err) err = fr_crl_read_fields(der, &fields);
    if (err) return fr_diag_fail(diag, err, "this is not a revocation list of the root");
    if (fields.next_update_s <= now_s)
        return fr_diag_fail(diag, FR_E_EXPIRED, "this revocation list is over");
    if (!fr_crl_is_published(dir, FR_ROOT_NAME, der) &&
        fr_crl_load(dir, FR_ROOT_NAME, NULL, &last) == FR_OK && last.number >= fields.number)
        return fr_diag_fail(diag, FR_E_CONFLICT,
                            "the list that is published has number %llu, this one %llu: it must "
                            "be newer",
                            (unsigned long long)last.number, (unsigned long long)fields.number);
    *out = fields;
    return FR_OK;
}
