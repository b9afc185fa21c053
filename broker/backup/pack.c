#include "backup/archive.h"
#include "backup/backup.h"

#include "admin/audit.h"
#include "admin/audit_read.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/parse.h"
#include "store/feed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_MAX_HERE 4096
#define NAMES_MAX 10000
#define COPY_PREFIX "backup-"

struct packing {
    const struct fr_backup_options *options;
    struct fr_sealer *to;
    struct fr_diag *diag;
};

/* What is not packed: what is a copy or a lock of something else, and the root's key, whose place is
 * elsewhere. */
static bool is_left_out(const char *name)
{
    static const char *const names[] = {"data.mdb",     "lock.mdb", "root.key",
                                        "control.sock", "manifest", FR_BACKUP_NOTE};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return strncmp(name, COPY_PREFIX, strlen(COPY_PREFIX)) == 0 || !fr_archive_name_is_good(name);
}

/* --- files --- */

static enum fr_err pack_file(struct packing *p, const char *name)
{
    struct stat st;
    char *path = fr_path_join(p->options->state, name);
    if (!path) return FR_E_NOMEM;
    enum fr_err err = FR_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        /* Somebody replaced or removed it meanwhile; links and the like are nobody's. */
        if (errno != ENOENT && errno != ELOOP && errno != ENXIO)
            err = fr_diag_fail(p->diag, fr_err_from_errno(errno), "%s: %s", path, strerror(errno));
        goto out;
    }
    /* A line of the audit trail is added under a lock: so none is cut in two. */
    const bool is_trail = strcmp(name, FR_AUDIT_FILE) == 0;
    if (is_trail) (void)flock(fd, LOCK_SH);
    const bool is_known = fstat(fd, &st) == 0;
    if (is_trail) (void)flock(fd, LOCK_UN);
    if (is_known && S_ISREG(st.st_mode))
        err = fr_archive_put_file(p->to, name, fd, (uint64_t)st.st_size, p->diag);
    (void)close(fd);
out:
    fr_free(path);
    return err;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **items;
    size_t n;
};

static enum fr_err add_name(struct names *names, const char *folder, const char *name)
{
    char text[PATH_MAX_HERE];
    if (names->n == NAMES_MAX) return FR_E_LIMIT;
    (void)snprintf(text, sizeof text, "%s%s%s", folder, folder[0] ? "/" : "", name);
    names->items[names->n] = fr_strdup(text);
    return names->items[names->n++] ? FR_OK : FR_E_NOMEM;
}

/* The files of a folder, in the order of their names: audit.head before the trail that it lags behind. */
static enum fr_err list_folder(const struct packing *p, const char *folder, struct names *files,
                               struct names *folders)
{
    enum fr_err err = FR_OK;
    char *path = folder[0] ? fr_path_join(p->options->state, folder) : fr_strdup(p->options->state);
    DIR *dir = path ? opendir(path) : NULL;
    if (!path) return FR_E_NOMEM;
    if (!dir)
        err = fr_diag_fail(p->diag, fr_err_from_errno(errno), "%s: %s", path, strerror(errno));
    for (struct dirent *e; !err && (e = readdir(dir));) {
        struct stat st;
        if (e->d_name[0] == '.' || is_left_out(e->d_name)) continue;
        if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW)) continue;
        if (S_ISREG(st.st_mode)) err = add_name(files, folder, e->d_name);
        if (S_ISDIR(st.st_mode) && folders) err = add_name(folders, folder, e->d_name);
    }
    if (dir) (void)closedir(dir);
    fr_free(path);
    return err;
}

static enum fr_err pack_files(struct packing *p)
{
    struct names files = {fr_calloc(NAMES_MAX, sizeof(char *)), 0};
    struct names folders = {fr_calloc(NAMES_MAX, sizeof(char *)), 0};
    enum fr_err err = files.items && folders.items ? FR_OK : FR_E_NOMEM;
    if (!err) err = list_folder(p, "", &files, &folders);
    for (size_t i = 0; !err && i < folders.n; i++)
        err = list_folder(p, folders.items[i], &files, NULL);
    if (files.items) qsort(files.items, files.n, sizeof files.items[0], by_name);
    for (size_t i = 0; !err && i < files.n; i++) err = pack_file(p, files.items[i]);
    for (size_t i = 0; i < files.n; i++) fr_free(files.items[i]);
    for (size_t i = 0; i < folders.n; i++) fr_free(folders.items[i]);
    fr_free(files.items);
    fr_free(folders.items);
    return err;
}

/* --- the store --- */

/* Held while the copy is at work with: who finds it without is looking at a rest. */
static int lock_copy(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* Copies of backups that were cut short. */
static void remove_stale(const char *state)
{
    DIR *dir = opendir(state);
    if (!dir) return;
    for (struct dirent *e; (e = readdir(dir));) {
        struct stat st;
        if (strncmp(e->d_name, COPY_PREFIX, strlen(COPY_PREFIX)) != 0) continue;
        if (strncmp(e->d_name, "backup-schema", 13) == 0) continue; /* an upgrade's, to keep */
        if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode))
            continue;
        char *path = fr_path_join(state, e->d_name);
        int lock = path ? lock_copy(path) : -1;
        if (lock >= 0) {
            fr_backup_remove(path);
            (void)close(lock);
        }
        fr_free(path);
    }
    (void)closedir(dir);
}

static enum fr_err check_role(struct fr_store *store, struct fr_diag *diag)
{
    struct fr_snap *snap = NULL;
    struct fr_feed_state feed;
    enum fr_err err = fr_snap_begin(store, &snap);
    if (!err) err = fr_feed_get(snap, &feed);
    fr_snap_end(snap);
    if (err || feed.role == FR_ROLE_PRIMARY) return err;
    err = fr_diag_fail(diag, FR_E_DENIED,
                       "this is a %s: it has neither issuing keys nor the audit "
                       "trail",
                       fr_role_text(feed.role));
    fr_diag_hint(diag, "make the backup on the primary%s%s", feed.primary[0] ? ", " : "",
                 feed.primary);
    return err;
}

static enum fr_err copy_store(struct packing *p, const char *copy, struct fr_backup_manifest *m)
{
    struct fr_store *store = NULL;
    struct fr_store_info info;
    const struct fr_store_options options = {.dir = p->options->state, .is_read_only = true};
    enum fr_err err = fr_store_open(&options, p->diag, &store);
    if (!err) err = check_role(store, p->diag);
    if (!err) err = fr_store_read_info(store, &info);
    if (!err) err = fr_store_copy(store, copy, p->diag);
    if (!err) {
        m->schema = info.schema;
        m->sequence = info.sequence;
        m->devices = info.devices;
        m->members = info.members;
        m->certs = info.certs;
        (void)snprintf(m->federation, sizeof m->federation, "%s", info.federation);
    }
    fr_store_close(store);
    return err;
}

static enum fr_err pack_copy(struct packing *p, const char *copy)
{
    struct stat st;
    enum fr_err err = FR_OK;
    char *path = fr_path_join(copy, "data.mdb");
    if (!path) return FR_E_NOMEM;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st))
        err = fr_diag_fail(p->diag, fr_err_from_errno(errno), "%s: %s", path, strerror(errno));
    else
        err = fr_archive_put_file(p->to, "data.mdb", fd, (uint64_t)st.st_size, p->diag);
    if (fd >= 0) (void)close(fd);
    fr_free(path);
    return err;
}

/* Before the store is copied: what is recorded later may be missing in the copy. */
static void read_trail(const char *state, struct fr_backup_manifest *m)
{
    struct fr_audit_link link;
    char *path = fr_path_join(state, FR_AUDIT_HEAD);
    if (path && fr_audit_head_read(path, &link) == FR_OK) {
        m->audit_seq = link.seq;
        memcpy(m->audit_hash, link.hash, sizeof m->audit_hash);
    }
    fr_free(path);
}

static enum fr_err pack_manifest(struct packing *p, const struct fr_backup_manifest *m)
{
    uint8_t bytes[FR_MANIFEST_MAX];
    size_t n = 0;
    enum fr_err err = fr_manifest_write(m, bytes, &n);
    return err ? err : fr_archive_put_bytes(p->to, FR_MANIFEST_NAME, fr_span(bytes, n), p->diag);
}

static enum fr_err pack(struct packing *p, const char *copy, struct fr_backup_manifest *m)
{
    enum fr_err err = pack_manifest(p, m);
    if (!err) err = pack_copy(p, copy);
    if (!err) err = pack_files(p);
    return err ? err : fr_archive_end(p->to, p->diag);
}

enum fr_err fr_backup_create(const struct fr_backup_options *options, struct fr_diag *diag,
                             struct fr_backup_manifest *manifest, struct fr_sealed_sum *sum)
{
    struct packing p = {.options = options, .diag = diag};
    struct fr_backup_manifest m = {.made_s = options->now_s};
    char copy[PATH_MAX_HERE];
    remove_stale(options->state);
    if (snprintf(copy, sizeof copy, "%s/" COPY_PREFIX "XXXXXX", options->state) >= (int)sizeof copy)
        return fr_diag_fail(diag, FR_E_LIMIT, "the path of the state directory is too long");
    if (!mkdtemp(copy))
        return fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", copy, strerror(errno));
    int lock = lock_copy(copy);
    read_trail(options->state, &m);
    enum fr_err err = copy_store(&p, copy, &m);
    if (!err) err = fr_sealer_new(options->fd, options->passphrase, options->log2_n, diag, &p.to);
    if (!err) err = pack(&p, copy, &m);
    if (!err) err = fr_sealer_finish(p.to, diag, sum);
    fr_sealer_free(p.to);
    fr_backup_remove(copy);
    if (lock >= 0) (void)close(lock);
    if (!err) *manifest = m;
    return err;
}

/* --- the note --- */

enum fr_err fr_backup_note(const char *state, int64_t made_s, struct fr_diag *diag)
{
    char when[FR_TIME_TEXT], text[FR_TIME_TEXT + 1];
    char *path = fr_path_join(state, FR_BACKUP_NOTE);
    if (!path) return FR_E_NOMEM;
    fr_time_print(made_s, when);
    (void)snprintf(text, sizeof text, "%s\n", when);
    enum fr_err err = fr_file_write(path, 0600, fr_span_str(text), diag);
    fr_free(path);
    return err;
}

int64_t fr_backup_noted_s(const char *state)
{
    struct fr_buf text = FR_BUF_INIT(FR_TIME_TEXT + 1);
    int64_t made_s = 0;
    char *path = fr_path_join(state, FR_BACKUP_NOTE);
    if (path && fr_file_read(path, NULL, &text) == FR_OK && text.n > 0 &&
        fr_time_parse(fr_span(text.p, text.n - 1), &made_s))
        made_s = 0;
    fr_buf_deinit(&text);
    fr_free(path);
    return made_s;
}
