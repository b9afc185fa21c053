#include "enrol/pairs.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/parse.h"
#include "names/cert_name.h"
#include "names/eui.h"
#include "names/netid.h"
#include "x509/csr.h"
#include "x509/key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GENERATIONS_MAX = 256, LINK_MAX_TEXT = 128 };

static enum fr_err sys_fail(struct fr_diag *diag, const char *doing, const char *path)
{
    const int errnum = errno;
    return fr_diag_fail(diag, fr_err_from_errno(errnum), "cannot %s %s: %s", doing, path,
                        strerror(errnum));
}

/* --- whom it is for --- */

static void read_member(const char *uri, const char *fed, char out[FR_MEMBER_TEXT])
{
    char prefix[FR_CERT_URI_TEXT];
    struct fr_span head, rest;

    (void)snprintf(prefix, sizeof prefix, "spiffe://%s/member/", fed);
    if (!fr_span_starts(fr_span_str(uri), prefix)) return;
    (void)fr_span_cut(fr_span_str(uri + strlen(prefix)), '/', &head, &rest);
    if (fr_member_check(head, NULL) == FR_OK) (void)fr_span_copy(head, out, FR_MEMBER_TEXT);
}

static bool read_name(const struct fr_cert_name *name, struct fr_pair_subject *out)
{
    switch (name->kind) {
    case FR_CERT_MEMBER:
        out->profile = FR_WALLET_DOH;
        return fr_span_copy(fr_span_str(name->label), out->id, sizeof out->id);
    case FR_CERT_NETID:
        out->profile = FR_WALLET_NS;
        fr_netid_print(name->netid, out->id);
        return true;
    case FR_CERT_JOINEUI:
        out->profile = FR_WALLET_JS;
        fr_eui_print(name->joineui, out->id);
        return true;
    case FR_CERT_BROKER:
    case FR_CERT_CA:
    case FR_CERT_HOST: break;
    }
    return false;
}

enum fr_err fr_pair_subject_read(const struct fr_cert_fields *cert, const char *fed,
                                 struct fr_pair_subject *out)
{
    struct fr_pair_subject subject = {0};
    struct fr_cert_name name;

    if (cert->dns_count != 1 || cert->is_ca ||
        fr_cert_name_parse(fr_span_str(cert->dns[0]), fed, &name) != FR_OK ||
        !read_name(&name, &subject))
        return FR_E_MALFORMED;
    for (size_t i = 0; i < cert->uri_count; i++) read_member(cert->uri[i], fed, subject.member);
    (void)snprintf(subject.name, sizeof subject.name, "%s-%s",
                   fr_wallet_profile_text(subject.profile), subject.id);
    *out = subject;
    return FR_OK;
}

/* --- asking --- */

static enum fr_err load_or_make(const char *reuse, struct fr_diag *diag, struct fr_key **out)
{
    return reuse != NULL ? fr_key_load(reuse, diag, out) : fr_key_generate(out);
}

/* A folder appears under its name with everything in it, or not at all. */
static enum fr_err make_pending(const char *folder, const char *what, const char *common_name,
                                const char *reuse, struct fr_diag *diag)
{
    char fresh[FR_WALLET_PATH], path[FR_WALLET_PATH], final[FR_WALLET_PATH];
    struct fr_buf csr = FR_BUF_INIT(FR_CSR_MAX);
    struct fr_key *key = NULL;
    enum fr_err err = fr_wallet_path(fresh, diag, "%s/pending/%s.new", folder, what);

    if (!err) err = fr_wallet_path(final, diag, "%s/pending/%s", folder, what);
    if (!err) err = fr_wallet_erase(fresh, 1, diag); /* of a run that was interrupted */
    if (!err) err = fr_dir_make(fresh, 0700, diag);
    if (!err) err = load_or_make(reuse, diag, &key);
    if (!err) err = fr_wallet_path(path, diag, "%s/key.pem", fresh);
    if (!err) err = fr_key_save_new(key, path, diag);
    if (!err) err = fr_csr_build(key, common_name, &csr);
    if (!err) err = fr_wallet_path(path, diag, "%s/request.csr", fresh);
    if (!err) err = fr_file_create(path, 0600, fr_buf_span(&csr), diag);
    if (!err && rename(fresh, final) != 0) err = sys_fail(diag, "write", final);
    fr_key_free(key);
    fr_buf_deinit(&csr);
    return err;
}

static bool has_file(const char *folder, const char *what, const char *file)
{
    char path[FR_WALLET_PATH];
    return fr_wallet_path(path, NULL, "%s/pending/%s/%s", folder, what, file) == FR_OK &&
           fr_file_exists(path);
}

bool fr_pair_is_answered(const char *folder, const char *what)
{
    return has_file(folder, what, "chain.pem");
}

bool fr_pair_is_asked(const char *folder, const char *what)
{
    return has_file(folder, what, "request.csr");
}

enum fr_err fr_pair_prepare(const char *folder, const char *what, const char *common_name,
                            const char *reuse, struct fr_diag *diag, struct fr_buf *csr)
{
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_wallet_path(path, diag, "%s/pending/%s/request.csr", folder, what);

    if (!err && !fr_file_exists(path)) err = make_pending(folder, what, common_name, reuse, diag);
    if (!err) err = fr_file_read(path, diag, csr);
    return err;
}

/* --- answered --- */

enum fr_err fr_pair_answered(const char *folder, const char *what,
                             const struct fr_pair_answer *answer, struct fr_diag *diag)
{
    char path[FR_WALLET_PATH], from[32];
    enum fr_err err = fr_wallet_path(path, diag, "%s/pending/%s/token", folder, what);

    if (!err) err = fr_file_write(path, 0644, fr_span_str(answer->token), diag);
    if (!err && answer->from_s != 0) {
        (void)snprintf(from, sizeof from, "%lld", (long long)answer->from_s);
        err = fr_wallet_path(path, diag, "%s/pending/%s/from", folder, what);
        if (!err) err = fr_file_write(path, 0644, fr_span_str(from), diag);
    }
    /* the chain last: where it is, the rest is */
    if (!err) err = fr_wallet_path(path, diag, "%s/pending/%s/chain.pem", folder, what);
    if (!err) err = fr_file_write(path, 0644, answer->chain, diag);
    return err;
}

/* The certificate at a place of a chain: 0 is the leaf, behind it stand the CAs. */
static enum fr_err read_certificate(const char *path, size_t at, struct fr_diag *diag,
                                    struct fr_cert_fields *out)
{
    struct fr_chain *chain = NULL;
    enum fr_err err = fr_chain_load(path, diag, &chain);

    if (!err && at >= fr_chain_count(chain))
        err = fr_diag_fail(diag, FR_E_MALFORMED, "%s lacks the certificate of its CA", path);
    if (!err) err = fr_cert_read_fields(fr_chain_at(chain, at), out);
    fr_chain_free(chain);
    return err;
}

/* "ns-000013.7" → "ns-000013" and 7. */
static bool split_generation(const char *text, char name[FR_PAIR_NAME], uint64_t *n)
{
    const char *dot = strrchr(text, '.');

    return dot != NULL && fr_parse_u64(fr_span_str(dot + 1), 1, UINT32_MAX, n) == FR_OK &&
           fr_span_copy(fr_span(text, (size_t)(dot - text)), name, FR_PAIR_NAME);
}

struct generation {
    char name[FR_PAIR_NAME];
    uint64_t n;
    int64_t from_s;
};

struct generations {
    size_t n;
    struct generation list[GENERATIONS_MAX];
};

static int64_t read_from(const char *folder, const char *entry)
{
    char path[FR_WALLET_PATH];
    struct fr_buf text = FR_BUF_INIT(32);
    int64_t from_s = 0;

    if (fr_wallet_path(path, NULL, "%s/pairs/%s/from", folder, entry) == FR_OK &&
        fr_file_read(path, NULL, &text) == FR_OK &&
        fr_parse_i64(fr_buf_span(&text), 0, INT64_MAX, &from_s) != FR_OK)
        from_s = 0;
    fr_buf_deinit(&text);
    return from_s;
}

static int by_name_and_age(const void *a, const void *b)
{
    const struct generation *x = a, *y = b;
    const int order = strcmp(x->name, y->name);

    if (order != 0) return order;
    return x->n < y->n ? -1 : x->n > y->n;
}

/* Sorted by name, then the oldest first. */
static enum fr_err list_generations(const char *folder, struct fr_diag *diag,
                                    struct generations *out)
{
    char path[FR_WALLET_PATH];
    enum fr_err err = fr_wallet_path(path, diag, "%s/pairs", folder);

    out->n = 0;
    if (err) return err;
    DIR *dir = opendir(path);
    if (dir == NULL) return errno == ENOENT ? FR_OK : sys_fail(diag, "read", path);
    for (const struct dirent *e; !err && (e = readdir(dir)) != NULL;) {
        struct generation *g = &out->list[out->n];
        if (out->n == GENERATIONS_MAX) {
            err = fr_diag_fail(diag, FR_E_LIMIT, "%s holds too much", path);
        } else if (split_generation(e->d_name, g->name, &g->n)) {
            g->from_s = read_from(folder, e->d_name);
            out->n++;
        }
    }
    (void)closedir(dir); /* read only */
    qsort(out->list, out->n, sizeof out->list[0], by_name_and_age);
    return err;
}

static enum fr_err sync_folder(const char *path, struct fr_diag *diag)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum fr_err err = FR_OK;

    if (fd < 0 || fsync(fd) != 0) err = sys_fail(diag, "write", path);
    if (fd >= 0) (void)close(fd); /* fsync said all there is to say */
    return err;
}

enum fr_err fr_pair_install(const char *folder, const char *what, const char *fed, uid_t owner,
                            struct fr_diag *diag)
{
    char from[FR_WALLET_PATH], path[FR_WALLET_PATH], to[FR_WALLET_PATH];
    struct generations *all = fr_malloc(sizeof *all);
    struct fr_cert_fields *cert = fr_malloc(sizeof *cert);
    struct fr_pair_subject subject;
    uint64_t next = 1;
    enum fr_err err =
        all && cert ? fr_wallet_path(from, diag, "%s/pending/%s", folder, what) : FR_E_NOMEM;

    if (!err) err = fr_wallet_path(path, diag, "%s/chain.pem", from);
    if (!err) err = read_certificate(path, 0, diag, cert);
    if (!err && fr_pair_subject_read(cert, fed, &subject) != FR_OK)
        err =
            fr_diag_fail(diag, FR_E_MALFORMED, "%s is no certificate of a member of %s", path, fed);
    if (!err) err = list_generations(folder, diag, all);
    for (size_t i = 0; !err && i < all->n; i++)
        if (strcmp(all->list[i].name, subject.name) == 0) next = all->list[i].n + 1;
    if (!err) err = fr_wallet_path(path, diag, "%s/key.pem", from);
    if (!err && owner != (uid_t)-1 && chown(path, owner, (gid_t)-1) != 0)
        err = sys_fail(diag, "give to its user", path);
    if (!err && chmod(from, 0755) != 0) err = sys_fail(diag, "open", from);
    if (!err) err = fr_wallet_path(path, diag, "%s/pairs", folder);
    if (!err) err = fr_dir_make(path, 0755, diag);
    if (!err)
        err = fr_wallet_path(to, diag, "%s/%s.%llu", path, subject.name, (unsigned long long)next);
    if (!err && rename(from, to) != 0) err = sys_fail(diag, "write", to);
    if (!err) err = sync_folder(path, diag);
    fr_free(cert);
    fr_free(all);
    return err;
}

/* --- which is in use --- */

/* Sets a symbolic link by one rename. *changed counts. */
static enum fr_err set_link(const char *path, const char *target, struct fr_diag *diag,
                            size_t *changed)
{
    char now[LINK_MAX_TEXT], fresh[FR_WALLET_PATH];
    const ssize_t n = readlink(path, now, sizeof now);

    if (n >= 0 && fr_span_is(fr_span(now, (size_t)n), target)) return FR_OK;
    enum fr_err err = fr_wallet_path(fresh, diag, "%s.new", path);
    if (!err && unlink(fresh) != 0 && errno != ENOENT) err = sys_fail(diag, "remove", fresh);
    if (!err && symlink(target, fresh) != 0) err = sys_fail(diag, "write", fresh);
    if (!err && rename(fresh, path) != 0) err = sys_fail(diag, "write", path);
    if (!err) (*changed)++;
    return err;
}

static enum fr_err use(const char *folder, const struct generation *g, struct fr_diag *diag,
                       size_t *changed)
{
    static const char *const kinds[][2] = {{"key", "key.pem"}, {"chain.pem", "chain.pem"}};
    char path[FR_WALLET_PATH], target[LINK_MAX_TEXT];
    size_t aliases = 0;
    enum fr_err err = fr_wallet_path(path, diag, "%s/pairs/%s", folder, g->name);

    (void)snprintf(target, sizeof target, "%s.%llu", g->name, (unsigned long long)g->n);
    if (!err) err = set_link(path, target, diag, changed);
    for (size_t i = 0; !err && i < 2; i++) {
        err = fr_wallet_path(path, diag, "%s/%s.%s", folder, g->name, kinds[i][0]);
        (void)snprintf(target, sizeof target, "pairs/%s/%s", g->name, kinds[i][1]);
        if (!err) err = set_link(path, target, diag, &aliases);
    }
    if (!err) err = sync_folder(folder, diag);
    return err;
}

static enum fr_err drop(const char *folder, const struct generation *g, struct fr_diag *diag)
{
    char path[FR_WALLET_PATH];
    enum fr_err err =
        fr_wallet_path(path, diag, "%s/pairs/%s.%llu", folder, g->name, (unsigned long long)g->n);
    return err ? err : fr_wallet_erase(path, 1, diag);
}

enum fr_err fr_pairs_settle(const char *folder, int64_t now_s, struct fr_diag *diag,
                            size_t *changed)
{
    struct generations *all = fr_malloc(sizeof *all);
    enum fr_err err = all ? list_generations(folder, diag, all) : FR_E_NOMEM;
    size_t moved = 0;

    for (size_t i = 0, end; !err && i < all->n; i = end) {
        size_t best = i;
        for (end = i; end < all->n && strcmp(all->list[end].name, all->list[i].name) == 0; end++)
            if (all->list[end].from_s <= now_s) best = end;
        err = use(folder, &all->list[best], diag, &moved);
        for (size_t k = i; !err && k < best; k++) err = drop(folder, &all->list[k], diag);
    }
    fr_free(all);
    if (!err) *changed = moved;
    return err;
}

/* --- reading --- */

static void read_token(const char *folder, const char *name, char out[FR_PAIR_TOKEN])
{
    char path[FR_WALLET_PATH];
    struct fr_buf text = FR_BUF_INIT(256);

    if (fr_wallet_path(path, NULL, "%s/pairs/%s/token", folder, name) != FR_OK ||
        fr_file_read(path, NULL, &text) != FR_OK ||
        !fr_span_copy(fr_buf_span(&text), out, FR_PAIR_TOKEN))
        out[0] = '\0';
    fr_buf_deinit(&text);
}

static enum fr_err read_pair(const char *folder, const char *fed, const struct generation *g,
                             struct fr_diag *diag, struct fr_pair *out)
{
    struct fr_cert_fields *cert = fr_malloc(sizeof *cert);
    enum fr_err err = cert ? FR_OK : FR_E_NOMEM;

    if (!err) err = fr_wallet_path(out->chain, diag, "%s/%s.chain.pem", folder, g->name);
    if (!err) err = fr_wallet_path(out->key, diag, "%s/%s.key", folder, g->name);
    if (!err) err = read_certificate(out->chain, 0, diag, cert);
    if (!err && fr_pair_subject_read(cert, fed, &out->subject) != FR_OK)
        err = fr_diag_fail(diag, FR_E_MALFORMED, "%s is no certificate of %s", out->chain, fed);
    if (!err) {
        out->serial_len = cert->serial_len;
        memcpy(out->serial_bytes, cert->serial, cert->serial_len);
        fr_hex_print(cert->serial, cert->serial_len, out->serial);
        out->not_before_s = cert->not_before_s;
        out->not_after_s = cert->not_after_s;
        read_token(folder, g->name, out->token);
    }
    /* a leaf that stands alone does not say which of the CAs' certificates it goes with */
    if (!err && read_certificate(out->chain, 1, NULL, cert) == FR_OK)
        memcpy(out->issuer, cert->sha256, sizeof out->issuer);
    fr_free(cert);
    return err;
}

static bool is_linked(const char *folder, const char *name)
{
    char path[FR_WALLET_PATH];
    return fr_wallet_path(path, NULL, "%s/%s.chain.pem", folder, name) == FR_OK &&
           fr_file_exists(path);
}

enum fr_err fr_pairs_read(const char *folder, const char *fed, struct fr_diag *diag,
                          struct fr_pairs **out)
{
    struct generations *all = fr_malloc(sizeof *all);
    struct fr_pairs *pairs = fr_calloc(1, sizeof *pairs);
    enum fr_err err = all && pairs ? list_generations(folder, diag, all) : FR_E_NOMEM;

    for (size_t i = 0; !err && i < all->n; i++) {
        const struct generation *g = &all->list[i];
        const bool is_another =
            pairs->n > 0 && strcmp(pairs->list[pairs->n - 1].subject.name, g->name) == 0;
        if (is_another) { /* beside the one in use: its time has not come */
            pairs->list[pairs->n - 1].next_s = g->from_s;
        } else if (pairs->n == FR_PAIRS_MAX) {
            err = fr_diag_fail(diag, FR_E_LIMIT, "%s holds too many certificates", folder);
        } else if (is_linked(folder,
                             g->name)) { /* else a run was interrupted before fr_pairs_settle */
            err = read_pair(folder, fed, g, diag, &pairs->list[pairs->n]);
            if (!err) pairs->n++;
        }
    }
    fr_free(all);
    if (err)
        fr_free(pairs);
    else
        *out = pairs;
    return err;
}
