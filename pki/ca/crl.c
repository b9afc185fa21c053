#include "ca/crl.h"

#include "base/file.h"
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
    struct fr_crl_draft *draft;
    const char *authority;
    int64_t now_s;
};

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
    if (is_over(row, l->now_s) || strcmp(row->authority, l->authority) != 0) return FR_OK;
    memcpy(entry.serial, row->serial, sizeof entry.serial);
    return fr_crl_draft_add(l->draft, &entry);
}

static enum fr_err fill(struct fr_store *store, struct listing *l)
{
    struct fr_snap *snap = NULL;
    enum fr_err err = fr_snap_begin(store, &snap);

    if (err) return err;
    err = fr_cert_row_each(snap, list_row, l);
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

static enum fr_err save(const char *dir, const char *path, struct fr_span der, struct fr_diag *diag)
{
    char folder[FR_CRL_PATH_MAX];

    (void)snprintf(folder, sizeof folder, "%s/crl", dir);
    enum fr_err err = fr_dir_make(folder, 0700, diag);
    return err ? err : fr_file_write(path, 0600, der, diag);
}

enum fr_err fr_crl_publish(struct fr_ca *ca, struct fr_store *store, const char *dir,
                           int64_t now_ms, struct fr_diag *diag, struct fr_crl_fields *out)
{
    const int64_t now_s = now_ms / 1000;
    char path[FR_CRL_PATH_MAX];
    struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX);
    struct fr_crl_fields made;
    struct listing l = {.authority = fr_ca_name(ca), .now_s = now_s};
    struct fr_crl_spec spec = {.this_update_s = now_s, .next_update_s = now_s + FR_CRL_LIFETIME_S};
    enum fr_err err = fr_crl_path(dir, l.authority, path);

    if (!err) err = fr_crl_draft_new(&l.draft);
    if (!err) err = fill(store, &l);
    if (err) goto out;
    spec.number = next_number(dir, l.authority, now_ms);
    err = fr_crl_sign(l.draft, &spec, fr_ca_issuing(ca), fr_ca_key(ca), diag, &der, &made);
    l.draft = NULL;
    if (!err) err = save(dir, path, fr_buf_span(&der), diag);
    if (!err) *out = made;
out:
    fr_crl_draft_free(l.draft);
    fr_buf_deinit(&der);
    return err;
}
