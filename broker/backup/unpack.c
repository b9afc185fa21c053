#include "backup/archive.h"
#include "backup/backup.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fr_err read_manifest(struct fr_opener *from, struct fr_diag *diag,
                                 struct fr_backup_manifest *out)
{
    uint8_t bytes[FR_MANIFEST_MAX];
    struct fr_archive_entry entry;
    enum fr_err err = fr_archive_next(from, diag, &entry);
    if (err) return err;
    if (entry.is_end || strcmp(entry.name, FR_MANIFEST_NAME) != 0 || entry.size > sizeof bytes)
        return fr_diag_fail(diag, FR_E_MALFORMED, "it is no backup of a federation");
    err = fr_archive_get_bytes(from, &entry, bytes, diag);
    if (!err) err = fr_manifest_read(fr_span(bytes, entry.size), out);
    if (err == FR_E_UNSUPPORTED) return fr_diag_fail(diag, err, "a later program made this backup");
    if (err == FR_OK && out->schema > FR_STORE_SCHEMA)
        return fr_diag_fail(diag, FR_E_UNSUPPORTED,
                            "a later program made this backup: its store has schema %u, this "
                            "program knows %d",
                            out->schema, FR_STORE_SCHEMA);
    return err;
}

static enum fr_err unpack(struct fr_opener *from, int dir_fd, struct fr_diag *diag,
                          struct fr_backup_manifest *manifest)
{
    struct fr_archive_entry entry = {0};
    enum fr_err err = read_manifest(from, diag, manifest);
    while (!err) {
        err = fr_archive_next(from, diag, &entry);
        if (err || entry.is_end) break;
        err = fr_archive_get_file(from, &entry, dir_fd, diag);
    }
    return err ? err : fr_archive_expect_end(from, diag);
}

enum fr_err fr_backup_unpack(int fd, struct fr_span passphrase, const char *dir,
                             struct fr_diag *diag, struct fr_backup_manifest *manifest,
                             struct fr_sealed_sum *sum)
{
    struct fr_opener *from = NULL;
    struct fr_backup_manifest m;
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dir_fd < 0)
        return fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", dir, strerror(errno));
    enum fr_err err = fr_opener_new(fd, passphrase, diag, &from);
    if (!err) err = unpack(from, dir_fd, diag, &m);
    if (!err && fsync(dir_fd))
        err = fr_diag_fail(diag, fr_err_from_errno(errno), "%s: %s", dir, strerror(errno));
    if (!err) {
        fr_opener_sum(from, sum);
        *manifest = m;
    }
    fr_opener_free(from);
    (void)close(dir_fd);
    return err;
}

static void remove_in(int fd, unsigned depth)
{
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0) (void)close(fd);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (unlinkat(dirfd(dir), e->d_name, 0) == 0 || depth == 0) continue;
        remove_in(openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
                  depth - 1);
        (void)unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
    }
    if (dir) (void)closedir(dir);
}

void fr_backup_remove(const char *dir)
{
    remove_in(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), 1);
    (void)rmdir(dir);
}
