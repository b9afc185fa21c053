#include "base/file.h"

#include "base/mem.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fr_err fail(struct fr_diag *diag, int errnum, const char *doing, const char *path)
{
    return fr_diag_fail(diag, fr_err_from_errno(errnum), "cannot %s %s: %s", doing, path,
                        strerror(errnum));
}

static enum fr_err check_private(int fd, const char *path, struct fr_diag *diag)
{
    struct stat st;
    enum fr_err err;

    if (fstat(fd, &st) < 0) return fail(diag, errno, "examine", path);
    if (st.st_uid != geteuid() && st.st_uid != 0 && geteuid() != 0) {
        return fr_diag_fail(diag, FR_E_CONFIG, "%s holds secrets but belongs to another user",
                            path);
    }
    if ((st.st_mode & 077) == 0) return FR_OK;
    err = fr_diag_fail(diag, FR_E_CONFIG, "%s holds secrets but others may use it (mode %04o)",
                       path, (unsigned)st.st_mode & 07777);
    fr_diag_hint(diag, "chmod 600 %s", path);
    return err;
}

static enum fr_err open_regular(const char *path, struct fr_diag *diag, int *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block the program */

    if (fd < 0) return fail(diag, errno, "open", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd); /* nothing was written */
        return fr_diag_fail(diag, FR_E_INVALID, "%s is not a regular file", path);
    }
    *out = fd;
    return FR_OK;
}

static enum fr_err read_all(int fd, const char *path, struct fr_diag *diag, struct fr_buf *out)
{
    uint8_t chunk[16384];
    enum fr_err err = FR_OK;

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) err = fail(diag, errno, "read", path);
        if (n <= 0) break;
        fr_buf_add(out, chunk, (size_t)n);
        err = fr_buf_err(out);
        if (err == FR_E_LIMIT)
            err = fr_diag_fail(diag, err, "%s is larger than %zu bytes", path, out->max);
        if (err) break;
    }
    fr_secret_zero(chunk, sizeof chunk);
    return err;
}

static enum fr_err read_file(const char *path, bool is_private, struct fr_diag *diag,
                             struct fr_buf *out)
{
    int fd = -1;
    enum fr_err err = open_regular(path, diag, &fd);

    if (!err && is_private) err = check_private(fd, path, diag);
    if (!err) err = read_all(fd, path, diag, out);
    if (fd >= 0) (void)close(fd); /* read only */
    return err;
}

enum fr_err fr_file_read(const char *path, struct fr_diag *diag, struct fr_buf *out)
{
    return read_file(path, false, diag, out);
}

enum fr_err fr_file_read_private(const char *path, struct fr_diag *diag, struct fr_buf *out)
{
    return read_file(path, true, diag, out);
}

enum fr_err fr_file_check_private(const char *path, struct fr_diag *diag)
{
    int fd = -1;
    enum fr_err err = open_regular(path, diag, &fd);

    if (!err) err = check_private(fd, path, diag);
    if (fd >= 0) (void)close(fd);
    return err;
}

static bool write_all(int fd, struct fr_span bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        bytes = fr_span(bytes.p + n, bytes.n - (size_t)n);
    }
    return true;
}

/* The folder of a path, owned by the caller. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) return fr_strdup(".");
    return fr_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static enum fr_err sync_folder(const char *path, struct fr_diag *diag)
{
    char *folder = folder_of(path);
    enum fr_err err = FR_OK;

    if (folder == NULL) return FR_E_NOMEM;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0) err = fail(diag, errno, "write", folder);
    if (fd >= 0) (void)close(fd);
    fr_free(folder);
    return err;
}

/* A name beside `path` that nobody can guess and occupy, owned by the caller. */
static char *temporary_name(const char *path)
{
    uint64_t r;
    struct fr_buf name = FR_BUF_INIT(4096);
    size_t n;

    if (fr_random(&r, sizeof r) != FR_OK) return NULL;
    fr_buf_printf(&name, "%s.%016llx.tmp", path, (unsigned long long)r);
    char *text = (char *)fr_buf_take(&name, &n);
    fr_buf_deinit(&name);
    return text;
}

static enum fr_err write_temporary(const char *path, mode_t mode, struct fr_span bytes,
                                   struct fr_diag *diag)
{
    enum fr_err err = FR_OK;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0700);

    if (fd < 0) {
        int errnum = errno;
        err = fail(diag, errnum, "create", path);
        return err == FR_E_PERM ? err : FR_E_CREATE;
    }
    /* fchmod: the umask must not decide the mode of a key or of a certificate others read */
    if (fchmod(fd, mode) < 0 || !write_all(fd, bytes) || fsync(fd) < 0)
        err = fail(diag, errno, "write", path);
    if (close(fd) < 0 && !err) err = fail(diag, errno, "write", path);
    if (err) (void)unlink(path); /* half a file is worth nothing, and there is nobody to tell */
    return err;
}

/* link() fails where the name is taken, rename() replaces it. */
static enum fr_err put_in_place(const char *temporary, const char *path, bool may_replace,
                                struct fr_diag *diag)
{
    int rc = may_replace ? rename(temporary, path) : link(temporary, path);
    int errnum = errno;

    if (rc < 0 || !may_replace) (void)unlink(temporary);
    if (rc < 0 && errnum == EEXIST)
        return fr_diag_fail(diag, FR_E_EXISTS, "%s exists already", path);
    if (rc < 0) return fail(diag, errnum, "write", path);
    return sync_folder(path, diag);
}

static enum fr_err write_file(const char *path, mode_t mode, struct fr_span bytes, bool may_replace,
                              struct fr_diag *diag)
{
    char *temporary = temporary_name(path);
    enum fr_err err;

    if (temporary == NULL) return FR_E_NOMEM;
    err = write_temporary(temporary, mode, bytes, diag);
    if (!err) err = put_in_place(temporary, path, may_replace, diag);
    fr_free(temporary);
    return err;
}

enum fr_err fr_file_write(const char *path, mode_t mode, struct fr_span bytes, struct fr_diag *diag)
{
    return write_file(path, mode, bytes, true, diag);
}

enum fr_err fr_file_create(const char *path, mode_t mode, struct fr_span bytes,
                           struct fr_diag *diag)
{
    return write_file(path, mode, bytes, false, diag);
}

static enum fr_err make_one(const char *path, mode_t mode, struct fr_diag *diag)
{
    struct stat st;

    if (mkdir(path, mode) == 0) return FR_OK;
    int errnum = errno;
    if (errnum == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return FR_OK;
    enum fr_err err = fail(diag, errnum, "create folder", path);
    return err == FR_E_PERM ? err : FR_E_CREATE;
}

enum fr_err fr_dir_make(const char *path, mode_t mode, struct fr_diag *diag)
{
    char *copy = fr_strdup(path);
    enum fr_err err = FR_OK;

    if (copy == NULL) return FR_E_NOMEM;
    for (char *at = copy; !err && (at = strchr(at + 1, '/')) != NULL;) {
        *at = '\0';
        err = make_one(copy, 0755, diag);
        *at = '/';
    }
    if (!err) err = make_one(copy, mode, diag);
    fr_free(copy);
    return err;
}

bool fr_file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

char *fr_path_join(const char *folder, const char *name)
{
    size_t a = strlen(folder), b = strlen(name);
    char *path = fr_malloc(a + b + 2);

    if (path == NULL) return NULL;
    memcpy(path, folder, a);
    if (a > 0 && folder[a - 1] != '/') path[a++] = '/';
    memcpy(path + a, name, b + 1);
    return path;
}

char *fr_path_beside(const char *beside, const char *path)
{
    if (path[0] == '/' || strchr(beside, '/') == NULL) return fr_strdup(path);
    char *folder = folder_of(beside);
    char *joined = folder != NULL ? fr_path_join(folder, path) : NULL;
    fr_free(folder);
    return joined;
}

struct fr_file_stamp fr_file_stamp(const char *path)
{
    struct stat st;
    struct fr_file_stamp stamp = {0};

    if (stat(path, &st) < 0) return stamp;
    stamp.dev = st.st_dev;
    stamp.ino = st.st_ino;
    stamp.size = st.st_size;
    stamp.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return stamp;
}

bool fr_file_stamp_equal(const struct fr_file_stamp *a, const struct fr_file_stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns;
}
