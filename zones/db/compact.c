/* F_OFD_SETLK: a lock of the descriptor, which LMDB's own locks of the process do not share. */
#include "db/env.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY "compact.tmp"
#define DATA "data.mdb"

/* Every process that has an environment open holds the first byte of lock.mdb (LMDB's mdb_env_excl_lock), and one that opens it
 * waits for that before it looks at the data. */
static enum fr_err lock_alone(int fd, struct fr_diag *diag)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return FR_OK;
    if (errno != EAGAIN && errno != EACCES)
        return fr_diag_fail(diag, fr_err_from_errno(errno), "lock.mdb: %s", strerror(errno));
    (void)fr_diag_fail(diag, FR_E_BUSY, "the store is open in another process");
    fr_diag_hint(diag, "stop the broker first");
    return FR_E_BUSY;
}

static enum fr_err size_of(const char *path, uint64_t *out)
{
    struct stat st;

    if (stat(path, &st) != 0) return fr_err_from_errno(errno);
    *out = (uint64_t)st.st_blocks * 512;
    return FR_OK;
}

static enum fr_err copy(const char *dir, const char *to, struct fr_diag *diag)
{
    MDB_env *env = NULL;

    int rc = mdb_env_create(&env);
    if (rc == 0) rc = mdb_env_open(env, dir, MDB_RDONLY | MDB_NOLOCK, 0600);
    if (rc == 0) rc = mdb_env_copy2(env, to, MDB_CP_COMPACT);
    mdb_env_close(env);
    return rc == 0 ? FR_OK : fr_diag_fail(diag, fr_db_err(rc), "%s: %s", to, mdb_strerror(rc));
}

static enum fr_err sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC);

    if (fd < 0) return fr_err_from_errno(errno);
    enum fr_err err = fsync(fd) == 0 ? FR_OK : fr_err_from_errno(errno);
    (void)close(fd);
    return err;
}

/* The new file takes the old one's place, or nothing has happened. */
static enum fr_err replace(const char *dir, const char *temporary, const char *data,
                           const char *fresh, struct fr_diag *diag)
{
    (void)unlink(fresh); /* of one that was cut short */
    enum fr_err err = fr_dir_make(temporary, 0700, diag);
    if (err == FR_OK) err = copy(dir, temporary, diag);
    if (err) return err;
    err = sync_path(fresh, 0);
    if (err == FR_OK && rename(fresh, data) != 0) err = fr_err_from_errno(errno);
    if (err == FR_OK) err = sync_path(dir, O_DIRECTORY);
    return err ? fr_diag_fail(diag, err, "%s: %s", data, fr_err_text(err)) : FR_OK;
}

enum fr_err fr_db_compact(const char *dir, struct fr_diag *diag, uint64_t *before, uint64_t *after)
{
    char *temporary = fr_path_join(dir, TEMPORARY), *data = fr_path_join(dir, DATA);
    char *fresh = temporary != NULL ? fr_path_join(temporary, DATA) : NULL;
    int lock_fd = -1;

    enum fr_err err = FR_E_NOMEM;
    if (fresh == NULL || data == NULL) goto out;
    err = fr_db_check_place(dir, diag);
    if (err == FR_OK) err = size_of(data, before);
    if (err == FR_E_NOT_FOUND) (void)fr_diag_fail(diag, err, "%s holds no federation", dir);
    if (err == FR_OK) err = fr_db_open_lock(dir, true, diag, &lock_fd);
    if (err == FR_OK) err = fr_db_check_holders(lock_fd, dir, diag);
    if (err == FR_OK) err = lock_alone(lock_fd, diag);
    if (err == FR_OK) err = replace(dir, temporary, data, fresh, diag);
    if (err == FR_OK) err = size_of(data, after);
    if (lock_fd >= 0) {
        (void)unlink(fresh);
        (void)rmdir(temporary);
        (void)close(lock_fd);
    }
out:
    fr_free(temporary);
    fr_free(data);
    fr_free(fresh);
    return err;
}
