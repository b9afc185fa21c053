#include "ca/server.h"

#include "base/file.h"
#include "x509/csr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PATH_MAX_HERE 4096

static enum fr_err path_of(const char *dir, const char *name, char out[PATH_MAX_HERE])
{
    int n = snprintf(out, PATH_MAX_HERE, "%s/%s", dir, name);

    return n > 0 && n < PATH_MAX_HERE ? FR_OK : FR_E_LIMIT;
}

int64_t fr_server_due_s(int64_t not_before_s, int64_t not_after_s)
{
    return not_before_s + (not_after_s - not_before_s) / 3 * 2;
}

/* --- the present one --- */

static enum fr_err read_leaf(const char *dir, struct fr_diag *diag, struct fr_cert_fields *out,
                             struct fr_key **key)
{
    char path[PATH_MAX_HERE];
    struct fr_chain *chain = NULL;
    enum fr_err err = path_of(dir, "server.chain.pem", path);

    if (!err) err = fr_chain_load(path, diag, &chain);
    if (err) return err;
    err = fr_cert_read_fields(fr_chain_at(chain, 0), out);
    if (!err && key != NULL) err = fr_cert_dup_key(fr_chain_at(chain, 0), key);
    fr_chain_free(chain);
    return err;
}

enum fr_err fr_server_find_host(const char *dir, struct fr_snap *snap, struct fr_diag *diag,
                                char out[FR_HOST_MAX + 1])
{
    struct fr_cert_fields fields;
    struct fr_cert_row row;
    enum fr_err err = read_leaf(dir, diag, &fields, NULL);

    if (!err)
        err = fields.serial_len == sizeof row.serial ? fr_cert_row_get(snap, fields.serial, &row)
                                                     : FR_E_NOT_FOUND;
    if (!err && (row.profile != FR_PROFILE_BROKER || row.host[0] == '\0')) err = FR_E_NOT_FOUND;
    if (err == FR_E_NOT_FOUND) {
        (void)fr_diag_fail(diag, err, "the host of the broker's certificate is not known");
        fr_diag_hint(diag, "name it: fedroam ca server renew --host LABEL");
    }
    if (!err) memcpy(out, row.host, sizeof row.host);
    return err;
}

/* --- the next one --- */

static enum fr_err choose_key(const struct fr_server_request *request, struct fr_diag *diag,
                              struct fr_key **out)
{
    char path[PATH_MAX_HERE];
    enum fr_err err = path_of(request->dir, "server.key", path);

    if (request->has_new_key || err) return err ? err : fr_key_generate(out);
    return fr_key_load(path, diag, out);
}

static enum fr_err save_next_key(const char *dir, const struct fr_key *key, struct fr_diag *diag)
{
    char path[PATH_MAX_HERE];
    enum fr_err err = path_of(dir, "server.key.next", path);

    if (err) return err;
    if (remove(path) != 0 && errno != ENOENT) /* of a renewal that failed before its chain */
        return fr_diag_fail(diag, fr_err_from_errno(errno), "%s cannot be replaced", path);
    return fr_key_save_new(key, path, diag);
}

static enum fr_err save_chain(const char *dir, const struct fr_issue *issue, const struct fr_ca *ca,
                              struct fr_diag *diag)
{
    struct fr_buf pem = FR_BUF_INIT(FR_CERT_FILE_MAX);
    char path[PATH_MAX_HERE];
    enum fr_err err = path_of(dir, "server.chain.pem", path);

    if (!err) err = fr_issue_write_chain(issue, ca, &pem);
    if (!err) err = fr_file_write(path, 0600, fr_buf_span(&pem), diag);
    fr_buf_deinit(&pem);
    return err;
}

enum fr_err fr_server_renew(struct fr_ca *ca, struct fr_store *store, const struct fr_change_by *by,
                            const struct fr_server_request *request, struct fr_diag *diag,
                            struct fr_cert_row *row)
{
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_issue_request wanted = {
        .subject = {.profile = FR_PROFILE_BROKER, .host = request->host}};
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_key *key = NULL;
    enum fr_err err = choose_key(request, diag, &key);

    if (!err) err = fr_csr_build(key, "broker", &csr);
    wanted.csr = fr_buf_span(&csr);
    if (!err && request->has_new_key) err = save_next_key(request->dir, key, diag);
    if (!err) err = fr_ca_issue(ca, store, by, &wanted, diag, &issue);
    if (!err) err = save_chain(request->dir, &issue, ca, diag);
    if (!err && request->has_new_key) err = fr_server_settle(request->dir, diag);
    if (!err) *row = issue.row;
    fr_issue_deinit(&issue);
    fr_key_free(key);
    fr_buf_deinit(&csr);
    return err;
}

/* --- settling --- */

static bool fits(const char *path, const struct fr_key *certified)
{
    struct fr_key *key = NULL;
    bool is_same = fr_key_load(path, NULL, &key) == FR_OK && fr_key_is_same(key, certified);

    fr_key_free(key);
    return is_same;
}

enum fr_err fr_server_settle(const char *dir, struct fr_diag *diag)
{
    char path[PATH_MAX_HERE], next[PATH_MAX_HERE];
    struct fr_cert_fields fields;
    struct fr_key *certified = NULL;
    enum fr_err err = path_of(dir, "server.key", path);

    if (!err) err = path_of(dir, "server.key.next", next);
    if (err || !fr_file_exists(next)) return err;
    err = read_leaf(dir, diag, &fields, &certified);
    if (err) return err;
    if (!fits(path, certified) && fits(next, certified) && rename(next, path) != 0)
        err = fr_diag_fail(diag, fr_err_from_errno(errno), "%s cannot be put in place", next);
    fr_key_free(certified);
    return err;
}
