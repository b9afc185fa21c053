#include "backup/restore.h"

#include "admin/audit.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "base/wire.h"
#include "ca/crl.h"
#include "store/acted.h"
#include "store/authority.h"
#include "store/feed.h"
#include "store/unknown.h"
#include "x509/crl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define BAR_SIZE (FR_SERIAL_SIZE + 8 + 1)
#define BARS 500 /* in one change */
#define ARGS_MAX 4096

struct restoring {
    const struct fr_restore_options *options;
    const char *dir; /* worked in; gets its name in the end */
    struct fr_diag *diag;
    struct fr_restore_report report;
};

static enum fr_err call(const struct restoring *r, const char *op, const char *args,
                        struct fr_span body, struct fr_admin_reply **reply)
{
    const struct fr_admin_request request = {
        .op = op, .args = args, .body = body, .reason = "restore", .passphrase = r->options->keys};
    return fr_admin_call(r->dir, &request, r->diag, reply);
}

/* --- the trail --- */

static enum fr_err copy_file(const char *from, const char *to, struct fr_diag *diag)
{
    static const size_t piece = 65536;
    uint8_t *bytes = fr_malloc(piece);
    enum fr_err err = bytes ? FR_OK : FR_E_NOMEM;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (in < 0 || out < 0)
        err = fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", in < 0 ? from : to,
                           strerror(errno));
    for (ssize_t n = 1; !err && n > 0;) {
        n = read(in, bytes, piece);
        if (n < 0 || (n > 0 && write(out, bytes, (size_t)n) != n))
            err = fr_diag_fail(diag, FR_E_IO, "%s cannot be copied to %s: %s", from, to,
                               strerror(errno));
    }
    if (!err && fsync(out)) err = fr_diag_fail(diag, FR_E_IO, "%s: %s", to, strerror(errno));
    if (in >= 0) (void)close(in);
    if (out >= 0) (void)close(out);
    fr_free(bytes);
    return err;
}

/* The newer trail takes the place of the backup's, and goes on. */
static enum fr_err take_trail(const struct restoring *r, const char *own)
{
    enum fr_err err = fr_replay_check(r->options->audit, &r->report.manifest, r->diag);
    if (!err) err = copy_file(r->options->audit, own, r->diag);
    char *head = fr_path_join(r->dir, FR_AUDIT_HEAD);
    if (!head) return FR_E_NOMEM;
    if (!err) (void)unlink(head);
    fr_free(head);
    return err;
}

static enum fr_err replay(struct restoring *r, fr_restore_left_fn fn, void *data)
{
    int64_t last_s = 0;
    char *own = fr_path_join(r->dir, FR_AUDIT_FILE);
    if (!own) return FR_E_NOMEM;
    enum fr_err err = r->options->audit ? take_trail(r, own) : FR_OK;
    const struct fr_replay_options options = {.state = r->dir,
                                              .trail = r->options->audit ? r->options->audit : own,
                                              .manifest = &r->report.manifest,
                                              .keys = r->options->keys,
                                              .fn = fn,
                                              .data = data};
    if (!err && fr_file_exists(options.trail))
        err = fr_replay_trail(&options, r->diag, &r->report, &last_s);
    if (!err && last_s > r->options->now_s + FR_CLOCK_BACK_S)
        err = fr_diag_fail(r->diag, FR_E_BUSY,
                           "the clock is behind the last record of the audit trail: set it first");
    fr_free(own);
    return err;
}

/* --- lists --- */

struct listing {
    struct restoring *r;
    struct fr_span der;
    struct fr_authority_row signer; /* name "": not found yet */
    uint8_t entries[BARS * BAR_SIZE];
    size_t n;
};

static enum fr_err try_signer(void *data, const struct fr_authority_row *row)
{
    struct listing *l = data;
    struct fr_cert *cert = NULL;
    if (l->signer.name[0] || row->der_size == 0) return FR_OK;
    enum fr_err err = fr_cert_parse(fr_span(row->der, row->der_size), &cert);
    if (!err && fr_crl_verify(l->der, cert) == FR_OK) l->signer = *row;
    fr_cert_free(cert);
    return err;
}

static enum fr_err find_signer(struct listing *l)
{
    struct fr_store *store = NULL;
    struct fr_snap *snap = NULL;
    const struct fr_store_options options = {.dir = l->r->dir, .is_read_only = true};
    enum fr_err err = fr_store_open(&options, l->r->diag, &store);
    if (!err) err = fr_snap_begin(store, &snap);
    if (!err) err = fr_authority_each(snap, try_signer, l);
    fr_snap_end(snap);
    fr_store_close(store);
    return err;
}

static enum fr_err bar(struct listing *l)
{
    struct fr_admin_reply *reply = NULL;
    struct fr_buf args = FR_BUF_INIT(ARGS_MAX);
    struct fr_json json = fr_json(&args);
    if (l->n == 0) return FR_OK;
    fr_json_object(&json);
    fr_json_put_str(&json, "authority", l->signer.name);
    fr_json_end(&json);
    enum fr_err err =
        call(l->r, "cert.bar", fr_buf_str(&args), fr_span(l->entries, l->n * BAR_SIZE), &reply);
    if (!err) {
        l->r->report.revoked += fr_admin_reply_uint(reply, "revoked", 0);
        l->r->report.barred += fr_admin_reply_uint(reply, "barred", 0);
    }
    l->n = 0;
    fr_admin_reply_free(reply);
    fr_buf_deinit(&args);
    return err;
}

static enum fr_err add_entry(void *data, const struct fr_crl_entry *entry)
{
    struct listing *l = data;
    struct fr_wr w = fr_wr(l->entries + l->n * BAR_SIZE, BAR_SIZE);
    fr_wr_bytes(&w, entry->serial, sizeof entry->serial);
    fr_wr_u64(&w, entry->revoked_s > 0 ? (uint64_t)entry->revoked_s : 0);
    fr_wr_u8(&w, entry->cause);
    enum fr_err err = fr_wr_err(&w);
    l->n++;
    return !err && l->n == BARS ? bar(l) : err;
}

/* The number of the next list is above this one's. */
static enum fr_err go_on_from(struct listing *l)
{
    struct fr_crl_fields given, there;
    enum fr_err err = fr_crl_read_fields(l->der, &given);
    if (err) return err;
    err = fr_crl_load(l->r->dir, l->signer.name, NULL, &there);
    if (err == FR_OK && there.number >= given.number) return FR_OK;
    return fr_crl_put(l->r->dir, l->signer.name, l->der, l->r->diag);
}

static enum fr_err apply_list(struct listing *l, const char *path)
{
    struct fr_admin_reply *reply = NULL;
    enum fr_err err = find_signer(l);
    if (err) return err;
    if (!l->signer.name[0])
        return fr_diag_fail(l->r->diag, FR_E_CRYPTO, "%s: no CA of this federation signed it",
                            path);
    if (l->signer.kind == FR_AUTHORITY_ROOT) {
        err = call(l->r, "ca.list.install", NULL, l->der, &reply);
        fr_admin_reply_free(reply);
        return err == FR_E_CONFLICT ? FR_OK : err; /* the backup has a later one */
    }
    err = go_on_from(l);
    if (!err) err = fr_crl_each(l->der, add_entry, l);
    return err ? err : bar(l);
}

static enum fr_err apply_lists(struct restoring *r)
{
    enum fr_err err = FR_OK;
    for (size_t i = 0; !err && i < r->options->n_lists; i++) {
        struct fr_buf der = FR_BUF_INIT(FR_CRL_MAX);
        struct listing *l = fr_calloc(1, sizeof *l);
        err = l ? fr_file_read(r->options->lists[i], r->diag, &der) : FR_E_NOMEM;
        if (!err) {
            l->r = r;
            l->der = fr_buf_span(&der);
            err = apply_list(l, r->options->lists[i]);
        }
        fr_free(l);
        fr_buf_deinit(&der);
    }
    return err;
}

/* --- the store --- */

static enum fr_err begin(struct restoring *r)
{
    struct fr_admin_reply *reply = NULL;
    char args[64];
    (void)snprintf(args, sizeof args, "{\"backup\":%lld}", (long long)r->report.manifest.made_s);
    enum fr_err err = call(r, "restore.begin", args, (struct fr_span){0}, &reply);
    if (!err) r->report.tokens = fr_admin_reply_uint(reply, "tokens", 0);
    fr_admin_reply_free(reply);
    return err;
}

/* Above every number that the lost broker can have given out. */
static enum fr_err choose_number(const struct restoring *r, uint64_t *out)
{
    const struct fr_restore_options *o = r->options;
    uint64_t last = r->report.manifest.sequence;
    int64_t when_s = r->report.manifest.made_s;
    enum fr_err err = o->audit ? fr_replay_find_last(o->audit, r->diag, &last, &when_s) : FR_OK;
    if (err) return err;
    const uint64_t gap_s = o->now_s > when_s ? (uint64_t)(o->now_s - when_s) : 0;
    uint64_t step = gap_s < FR_RESTORE_STEP_MAX / FR_RESTORE_RATE ? gap_s * FR_RESTORE_RATE
                                                                  : FR_RESTORE_STEP_MAX;
    if (step < FR_RESTORE_STEP) step = FR_RESTORE_STEP;
    *out = last + step;
    return FR_OK;
}

/* The replicas' new term, and where numbers go on. */
static enum fr_err mark(struct restoring *r)
{
    const struct fr_change_by by = {
        .actor = "restore", .reason = "restored", .now_s = r->options->now_s};
    struct fr_store *store = NULL;
    uint64_t number = 0;
    enum fr_err err = choose_number(r, &number);
    if (!err) err = fr_store_open(&(struct fr_store_options){.dir = r->dir}, r->diag, &store);
    if (!err) err = fr_feed_begin_anew(store);
    if (!err) err = fr_restored_skip(store, &by, number, r->diag);
    fr_store_close(store);
    return err;
}

static enum fr_err publish(struct restoring *r)
{
    struct fr_admin_reply *reply = NULL;
    struct fr_diag kept = *r->diag;
    enum fr_err err = call(r, "crl.publish", NULL, (struct fr_span){0}, &reply);
    fr_admin_reply_free(reply);
    if (err == FR_E_UNAVAILABLE) { /* the key is locked: the broker publishes when it starts */
        *r->diag = kept;
        err = FR_OK;
    }
    return err;
}

static enum fr_err work(struct restoring *r, fr_restore_left_fn fn, void *data)
{
    struct fr_sealed_sum sum;
    const struct fr_restore_options *o = r->options;
    enum fr_err err =
        fr_backup_unpack(o->fd, o->passphrase, r->dir, r->diag, &r->report.manifest, &sum);
    if (!err && o->now_s < r->report.manifest.made_s)
        err = fr_diag_fail(r->diag, FR_E_BUSY, "the backup is from the future: check the clock");
    if (!err && o->audit) err = fr_replay_check(o->audit, &r->report.manifest, r->diag);
    if (!err) err = mark(r);
    if (!err) err = replay(r, fn, data);
    if (!err) err = apply_lists(r);
    if (!err) err = begin(r);
    return err ? err : publish(r);
}

/* --- the directory --- */

static bool give_all(int dir_fd, const struct fr_restore_options *o, unsigned depth)
{
    DIR *dir = dir_fd >= 0 ? fdopendir(dir_fd) : NULL;
    bool is_given = dir != NULL;
    if (!dir && dir_fd >= 0) (void)close(dir_fd);
    for (struct dirent *e; is_given && (e = readdir(dir));) {
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        is_given = fchownat(dirfd(dir), e->d_name, o->uid, o->gid, AT_SYMLINK_NOFOLLOW) == 0 &&
                   fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
        if (is_given && S_ISDIR(st.st_mode) && depth > 0)
            is_given = give_all(
                openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), o,
                depth - 1);
    }
    if (dir) is_given = is_given && fchown(dirfd(dir), o->uid, o->gid) == 0;
    if (dir) (void)closedir(dir);
    return is_given;
}

/* Last: while it is worked in nobody else may change what is in it. */
static enum fr_err give_away(const struct restoring *r)
{
    if (!r->options->gives_away) return FR_OK;
    if (give_all(open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r->options, 1))
        return FR_OK;
    return fr_diag_fail(r->diag, FR_E_PERM, "%s cannot be given to user %lu: %s", r->dir,
                        (unsigned long)r->options->uid, strerror(errno));
}

static enum fr_err move_in_place(const char *from, const char *to, struct fr_diag *diag)
{
    if (rename(from, to) == 0) return FR_OK; /* also over an empty directory */
    const bool is_used = errno == ENOTEMPTY || errno == EEXIST;
    return fr_diag_fail(diag, is_used ? FR_E_EXISTS : fr_err_from_errno(errno), "%s: %s", to,
                        is_used ? "there is something in it" : strerror(errno));
}

static enum fr_err expect_free(const char *state, struct fr_diag *diag)
{
    struct stat st;
    if (lstat(state, &st) && errno == ENOENT) return FR_OK;
    /* An empty directory can be removed; made again by the rename. */
    if (rmdir(state) == 0) return FR_OK;
    enum fr_err err = fr_diag_fail(diag, FR_E_EXISTS, "%s: there is something in it", state);
    fr_diag_hint(diag, "restore into a new directory, and move the old one away first");
    return err;
}

enum fr_err fr_restore(const struct fr_restore_options *options, fr_restore_left_fn fn, void *data,
                       struct fr_diag *diag, struct fr_restore_report *out)
{
    char dir[PATH_SIZE];
    struct restoring r = {.options = options, .dir = dir, .diag = diag};
    if (!options->audit && options->n_lists == 0 && !options->is_forgetful) {
        (void)fr_diag_fail(diag, FR_E_INVALID,
                           "nothing says what was revoked since the backup was made");
        fr_diag_hint(diag, "give the newer trail with --audit, or the last published list with "
                           "--crl; --forget-revocations if neither is left");
        return FR_E_INVALID;
    }
    enum fr_err err = expect_free(options->state, diag);
    if (err) return err;
    if (snprintf(dir, sizeof dir, "%s.restoring-XXXXXX", options->state) >= (int)sizeof dir)
        return fr_diag_fail(diag, FR_E_LIMIT, "the path of the state directory is too long");
    if (!mkdtemp(dir))
        return fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", dir, strerror(errno));
    err = work(&r, fn, data);
    if (!err) err = give_away(&r);
    if (!err) err = move_in_place(dir, options->state, diag);
    if (err)
        fr_backup_remove(dir);
    else
        *out = r.report;
    return err;
}
