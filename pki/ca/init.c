#include "ca/init.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/url.h"
#include "ca/authority.h"
#include "ca/issue.h"
#include "ca/profile.h"
#include "names/member.h"
#include "names/netid.h"
#include "store/store.h"
#include "x509/csr.h"
#include "x509/key_uri.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fr_err check_url(const char *url, struct fr_diag *diag)
{
    struct fr_url parts;

    if (url == NULL) return FR_OK;
    if (fr_url_parse(fr_span_str(url), &parts) == FR_OK && parts.is_tls) return FR_OK;
    (void)fr_diag_fail(diag, FR_E_INVALID, "%s is not the URL of a broker", url);
    fr_diag_hint(diag, "as in https://broker.fed.example:8443/dns-query");
    return FR_E_INVALID;
}

static enum fr_err check_pool(const char *pool, struct fr_diag *diag)
{
    struct fr_span first, last;
    uint32_t from = 0, to = 0;

    if (pool == NULL) return FR_OK;
    if (!fr_span_cut(fr_span_str(pool), '-', &first, &last) ||
        fr_netid_parse(first, &from) != FR_OK || fr_netid_parse(last, &to) != FR_OK || from > to ||
        fr_netid_type(from) != fr_netid_type(to)) {
        (void)fr_diag_fail(diag, FR_E_INVALID, "%s is not a range of NetIDs of one type", pool);
        fr_diag_hint(diag, "as in 600100-6001ff");
        return FR_E_INVALID;
    }
    enum fr_err err = fr_netid_check(from, diag);
    return err ? err : fr_netid_check(to, diag);
}

static bool is_empty(DIR *dir)
{
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) return false;
    }
    return true;
}

/* An empty directory is as good as none: packages make one in advance. */
static enum fr_err check_free(const char *path, struct fr_diag *diag)
{
    DIR *dir = opendir(path);
    bool is_free = dir != NULL ? is_empty(dir) : errno == ENOENT;

    if (dir != NULL) closedir(dir);
    if (is_free) return FR_OK;
    (void)fr_diag_fail(diag, FR_E_EXISTS, "%s is there already", path);
    fr_diag_hint(diag,
                 "a federation is never overwritten: choose another --state, or move it away");
    return FR_E_EXISTS;
}

enum fr_err fr_ca_init_check(const struct fr_ca_init_options *o, struct fr_diag *diag)
{
    const struct fr_subject broker = {.profile = FR_PROFILE_BROKER, .host = o->host};
    struct fr_profile_names names;
    enum fr_err err = fr_fed_check(fr_span_str(o->federation), diag);

    if (!err) err = fr_profile_name(&broker, o->federation, diag, &names);
    if (!err) err = check_url(o->url, diag);
    if (!err) err = check_pool(o->netid_pool, diag);
    if (!err) err = check_free(o->dir, diag);
    if (err || o->root_out == NULL || !fr_file_exists(o->root_out)) return err;
    return fr_diag_fail(diag, FR_E_EXISTS, "%s is there already: a key is never overwritten",
                        o->root_out);
}

/* Names inside the folder being made; everything there is ours, made a moment ago, and none of it
 * is a link. */
static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    (void)remove(path); /* what cannot be removed stays: there is nothing better to do with it */
    return 0;
}

static void remove_tree(const char *path)
{
    (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static enum fr_err give_away(const struct fr_ca_init_options *o, const char *stage,
                             const char *issuing, struct fr_diag *diag)
{
    char issuing_key[FR_HOST_MAX + 16], issuing_pem[FR_HOST_MAX + 16];
    const char *const NAMES[] = {"data.mdb",   "lock.mdb",         "root.pem",  "root.key",
                                 "server.key", "server.chain.pem", issuing_key, issuing_pem,
                                 "ca",         "crl/root.crl",     "crl",       "."};
    int dir = open(stage, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st = {0};
    enum fr_err err = dir < 0 || fstat(dir, &st) != 0 ? fr_err_from_errno(errno) : FR_OK;

    (void)snprintf(issuing_key, sizeof issuing_key, "ca/%s.key", issuing);
    (void)snprintf(issuing_pem, sizeof issuing_pem, "ca/%s.pem", issuing);
    /* Where the folder above is the service user's, it could have put another in the place of
     * ours; but not one that is ours and closed to it. */
    if (!err && (st.st_uid != geteuid() || (st.st_mode & 077) != 0)) err = FR_E_PERM;
    for (size_t i = 0; !err && i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (fchownat(dir, NAMES[i], o->uid, o->gid, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT)
            err = fr_err_from_errno(errno);
    }
    if (dir >= 0) close(dir);
    return err ? fr_diag_fail(diag, err, "the files cannot be given to the service user") : FR_OK;
}

static enum fr_err save_server(const char *dir, const struct fr_key *key,
                               const struct fr_issue *issue, const struct fr_ca *ca,
                               struct fr_diag *diag)
{
    struct fr_buf pem = FR_BUF_INIT(FR_CERT_FILE_MAX);
    char path[4096];
    enum fr_err err = FR_OK;

    (void)snprintf(path, sizeof path, "%s/server.key", dir);
    err = fr_key_save_new(key, path, diag);
    if (!err) err = fr_issue_write_chain(issue, ca, &pem);
    (void)snprintf(path, sizeof path, "%s/server.chain.pem", dir);
    if (!err) err = fr_file_create(path, 0600, fr_buf_span(&pem), diag);
    fr_buf_deinit(&pem);
    return err;
}

/* The broker's own certificate goes the way of every other one, so that the store knows it. */
static enum fr_err issue_server(const struct fr_ca_init_options *o, const char *dir,
                                struct fr_store *store, const struct fr_change_by *by,
                                struct fr_diag *diag, struct fr_ca_init_result *result)
{
    struct fr_issue issue = FR_ISSUE_INIT;
    struct fr_issue_request request = {.subject = {.profile = FR_PROFILE_BROKER, .host = o->host}};
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_ca *ca = NULL;
    struct fr_key *key = NULL;
    struct fr_passphrase passphrase = fr_passphrase_of(&o->issuing_passphrase);
    enum fr_err err = fr_ca_open_with(dir, store, by, &passphrase, diag, &ca);

    if (!err) err = fr_key_generate(&key);
    if (!err) err = fr_csr_build(key, "broker", &csr);
    if (err) goto out;
    request.csr = fr_buf_span(&csr);
    err = fr_ca_issue(ca, store, by, &request, diag, &issue);
    if (!err) err = save_server(dir, key, &issue, ca, diag);
    if (!err) result->broker_until_s = issue.row.not_after_s;
out:
    fr_issue_deinit(&issue);
    fr_key_free(key);
    fr_ca_close(ca);
    fr_buf_deinit(&csr);
    return err;
}

static enum fr_err enter_authorities(struct fr_store *store, const struct fr_change_by *by,
                                     const struct fr_authority_pair *pair, struct fr_diag *diag)
{
    struct fr_change *change = NULL;
    uint64_t sequence = 0;
    enum fr_err err = fr_store_change(store, by, diag, &change);

    if (err) return err;
    err = fr_authority_pair_enter(pair, change, diag);
    if (!err) return fr_change_commit(change, diag, &sequence);
    fr_change_cancel(change);
    return err;
}

static enum fr_err fill_store(const struct fr_ca_init_options *o, const char *dir,
                              const struct fr_authority_pair *pair, struct fr_diag *diag,
                              struct fr_ca_init_result *result)
{
    const struct fr_store_options options = {.dir = dir, .map_size = o->map_size};
    const struct fr_store_new fresh = {
        .federation = o->federation, .url = o->url, .netid_pool = o->netid_pool};
    const struct fr_change_by by = {.actor = o->actor, .reason = o->reason, .now_s = o->now_s};
    struct fr_store *store = NULL;
    enum fr_err err = fr_store_create(&options, &fresh, diag, &store);

    if (!err) err = enter_authorities(store, &by, pair, diag);
    if (!err) err = issue_server(o, dir, store, &by, diag, result);
    fr_store_close(store);
    return err;
}

/* The last act: before it there is no federation, after it a whole one. */
static enum fr_err put_in_place(const char *stage, const char *dir, const char *parent,
                                struct fr_diag *diag)
{
    int fd = -1;

    if (rename(stage, dir) != 0) {
        enum fr_err err = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
                              ? FR_E_EXISTS
                              : fr_err_from_errno(errno);
        return fr_diag_fail(diag, err, "%s cannot be made: %s", dir, strerror(errno));
    }
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); /* where a folder cannot be synced the name is there all the same */
        close(fd);
    }
    return FR_OK;
}

struct paths {
    char dir[4000];    /* without trailing slashes */
    char parent[4000]; /* of dir */
    char stage[4064];  /* beside dir; made by mkdtemp */
    char root_key[4096];
};

static void report(const struct fr_authority_pair *pair, struct fr_ca_init_result *result)
{
    (void)snprintf(result->issuing, sizeof result->issuing, "%s", pair->issuing_name);
    memcpy(result->root_sha256, pair->root_fields.sha256, FR_SHA256_SIZE);
    memcpy(result->issuing_sha256, pair->issuing_fields.sha256, FR_SHA256_SIZE);
    result->root_until_s = pair->root_fields.not_after_s;
    result->issuing_until_s = pair->issuing_fields.not_after_s;
}

static enum fr_err build(const struct fr_ca_init_options *o, const struct paths *p,
                         struct fr_diag *diag, struct fr_ca_init_result *result)
{
    struct fr_authority_pair pair = {0};
    const char *root_key = o->root_out != NULL ? o->root_out : p->root_key;
    enum fr_err err = fr_authority_pair_make(o->federation, o->now_s, diag, &pair);

    const struct fr_authority_places places = {p->stage, root_key, o->issuing_passphrase,
                                               o->root_passphrase, o->now_s};
    if (!err) err = fr_authority_pair_save(&pair, &places, diag);
    if (err) goto out;
    err = fill_store(o, p->stage, &pair, diag, result);
    if (!err && o->gives_away) err = give_away(o, p->stage, pair.issuing_name, diag);
    if (!err) err = put_in_place(p->stage, p->dir, p->parent, diag);
    if (!err)
        report(&pair, result);
    else
        (void)unlink(root_key);
out:
    fr_authority_pair_deinit(&pair);
    return err;
}

static enum fr_err choose_paths(const struct fr_ca_init_options *o, struct paths *p)
{
    size_t n = strlen(o->dir);

    while (n > 1 && o->dir[n - 1] == '/') n--;
    if (n == 0 || n >= sizeof p->dir) return FR_E_LIMIT;
    (void)snprintf(p->dir, sizeof p->dir, "%.*s", (int)n, o->dir);
    const char *slash = strrchr(p->dir, '/');
    if (slash == NULL)
        (void)snprintf(p->parent, sizeof p->parent, ".");
    else
        (void)snprintf(p->parent, sizeof p->parent, "%.*s",
                       (int)(slash == p->dir ? 1 : slash - p->dir), p->dir);
    (void)snprintf(p->stage, sizeof p->stage, "%s.new-XXXXXX", p->dir);
    return FR_OK;
}

enum fr_err fr_ca_init(const struct fr_ca_init_options *o, struct fr_diag *diag,
                       struct fr_ca_init_result *out)
{
    struct paths *p = fr_calloc(1, sizeof *p);
    struct fr_ca_init_result result = {0};
    enum fr_err err = p == NULL ? FR_E_NOMEM : fr_ca_init_check(o, diag);

    if (err) goto out;
    err = choose_paths(o, p);
    if (!err) err = fr_dir_make(p->parent, 0755, diag);
    if (err) goto out;
    if (mkdtemp(p->stage) == NULL) {
        err = fr_diag_fail(diag, fr_err_from_errno(errno), "nothing can be made in %s: %s",
                           p->parent, strerror(errno));
        goto out;
    }
    (void)snprintf(p->root_key, sizeof p->root_key, "%s/root.key", p->stage);
    err = build(o, p, diag, &result);
    if (err)
        remove_tree(p->stage);
    else
        *out = result;
out:
    fr_free(p);
    return err;
}
