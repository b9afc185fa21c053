#include "db/env.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* File systems whose files several machines may change at once, or whose mapped pages are not shared between them. FUSE is
 * not listed: it may be a local disk as well, and says nothing about itself. */
static const struct {
    uint32_t magic;
    const char *name;
} network_file_systems[] = {
    {0x6969, "NFS"},      {0x517b, "SMB"},        {0xff534d42, "CIFS"},   {0xfe534d42, "SMB2"},
    {0x01021997, "9p"},   {0x5346414f, "AFS"},    {0x6b414653, "kAFS"},   {0x73757245, "Coda"},
    {0x00c36400, "Ceph"}, {0x0bd00bd0, "Lustre"}, {0x7461636f, "OCFS2"},  {0x01161970, "GFS2"},
    {0x47504653, "GPFS"}, {0x564c, "NCP"},        {0x0bad1dea, "vboxsf"},
};

static enum fr_err check_file_system(const char *dir, struct fr_diag *diag)
{
    struct statfs fs;

    if (statfs(dir, &fs) != 0) {
        enum fr_err err = fr_err_from_errno(errno);
        return fr_diag_fail(diag, err, "%s: %s", dir, strerror(errno));
    }
    for (size_t i = 0; i < sizeof network_file_systems / sizeof network_file_systems[0]; i++) {
        if ((uint32_t)fs.f_type != network_file_systems[i].magic) continue;
        (void)fr_diag_fail(diag, FR_E_CONFIG, "%s is on a network file system (%s)", dir,
                           network_file_systems[i].name);
        fr_diag_hint(diag, "keep the state on a local disk: locks and maps do not work there");
        return FR_E_CONFIG;
    }
    return FR_OK;
}

/* LMDB breaks when one process opens an environment twice (closing one drops the locks of the other). The kernel knows what
 * we have open, so no registry is needed; without /proc the check is skipped. */
static bool is_open_here(const char *data_path)
{
    struct stat data, st;
    bool found = false;

    if (stat(data_path, &data) != 0) return false;
    DIR *fds = opendir("/proc/self/fd");
    if (fds == NULL) return false;
    for (struct dirent *e; !found && (e = readdir(fds)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        found = fstatat(dirfd(fds), e->d_name, &st, 0) == 0 && st.st_dev == data.st_dev &&
                st.st_ino == data.st_ino;
    }
    closedir(fds);
    return found;
}

enum fr_err fr_db_check_place(const char *dir, struct fr_diag *diag)
{
    char *data_path = NULL;

    enum fr_err err = check_file_system(dir, diag);
    if (err) goto out;
    data_path = fr_path_join(dir, "data.mdb");
    if (data_path == NULL) {
        err = fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
        goto out;
    }
    if (is_open_here(data_path))
        err = fr_diag_fail(diag, FR_E_CONFLICT, "%s is already open in this process", dir);
out:
    fr_free(data_path);
    return err;
}

enum fr_err fr_db_open_lock(const char *dir, bool create, struct fr_diag *diag, int *out)
{
    char *path = fr_path_join(dir, "lock.mdb");

    if (path == NULL) return fr_diag_fail(diag, FR_E_NOMEM, "out of memory");
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
    int errnum = errno;
    fr_free(path);
    if (fd < 0)
        return fr_diag_fail(diag, fr_err_from_errno(errnum), "%s/lock.mdb: %s", dir,
                            strerror(errnum));
    *out = fd;
    return FR_OK;
}

/* Each process that has read from an environment holds a lock on the byte of lock.mdb numbered by its own process id, and the
 * kernel says which process that is in *our* numbering. When the two differ it lives in another PID namespace, where process
 * ids collide with ours and LMDB would free slots in use. The kernel reports any one lock of a range, so the range is split
 * around it. */
static bool has_foreign_holder(int fd, off_t from, off_t to)
{
    while (from <= to) {
        struct flock lock = {
            .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = to - from + 1};
        if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return false;
        if (lock.l_pid != lock.l_start) return true;
        if (has_foreign_holder(fd, from, lock.l_start - 1)) return true;
        from = lock.l_start + 1;
    }
    return false;
}

enum fr_err fr_db_check_holders(int lock_fd, const char *dir, struct fr_diag *diag)
{
    if (!has_foreign_holder(lock_fd, 1, INT32_MAX)) return FR_OK;
    (void)fr_diag_fail(diag, FR_E_CONFLICT, "%s is in use by a process in another PID namespace",
                       dir);
    fr_diag_hint(diag, "run this command inside the same container as that process");
    return FR_E_CONFLICT;
}
